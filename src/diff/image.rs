//! When two image addresses mean the same image.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Query parameters in which thumbnail services carry the address of the original.
const ORIGINAL_IN: [&str; 5] = ["fname", "url", "src", "image", "img"];

/// How often an original may itself be the address of a thumbnail.
const NESTED: usize = 4;

/// The name by which an image is compared when no site rule gives one: the address without its
/// scheme; where a thumbnail service carries the original's address in a query parameter (`fname=`,
/// `url=`, `src=`, `image=`, `img=`), that of the original.
#[must_use]
pub fn original_image(address: &str) -> String {
    let mut found = Cow::Borrowed(address);
    for _ in 0..NESTED {
        match inner(&found) {
            Some(original) => found = Cow::Owned(original),
            None => break,
        }
    }
    found
        .strip_prefix("https:")
        .or_else(|| found.strip_prefix("http:"))
        .unwrap_or(&found)
        .to_owned()
}

fn inner(address: &str) -> Option<String> {
    let (_, query) = address.split_once('?')?;
    query
        .split('&')
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| ORIGINAL_IN.contains(name))
        .map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned())
        .find(|value| {
            let rest = value
                .strip_prefix("https:")
                .or_else(|| value.strip_prefix("http:"))
                .unwrap_or(value);
            rest.starts_with("//") && rest.len() > 2
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_of_one_original_have_one_name() {
        let original = original_image("https://img.example/news/1.jpg");
        assert_eq!(original, "//img.example/news/1.jpg");
        for thumbnail in [
            "http://img.example/news/1.jpg",
            "//thumb.example/thumb/R658x0.q70/?fname=https%3A%2F%2Fimg.example%2Fnews%2F1.jpg",
            "https://thumb.example/C120x80/?x=1&fname=http://img.example/news/1.jpg",
            "https://a.example/i?url=https%3A%2F%2Fthumb.example%2F%3Ffname%3Dhttp%253A%252F%252Fimg.example%252Fnews%252F1.jpg",
        ] {
            assert_eq!(original_image(thumbnail), original, "{thumbnail}");
        }
    }

    #[test]
    fn other_queries_stay() {
        assert_eq!(original_image("/pic?src=local&w=3"), "/pic?src=local&w=3");
        assert_eq!(original_image(""), "");
        assert_ne!(original_image("/a.jpg?v=1"), original_image("/a.jpg?v=2"));
    }
}
