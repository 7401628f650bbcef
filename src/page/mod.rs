//! One page as found: address, moment, headers, body.
//!
//! Never: reads the clock.

mod address;
mod moment;

pub use address::{article_key, host, site};
pub use moment::{Moment, MomentError};

/// The bytes of one HTML document after transfer and content decoding, with where and when it was
/// found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The address, kept exactly as given.
    pub address: String,
    /// When the page was fetched; `None` where the source does not tell.
    pub moment: Option<Moment>,
    /// HTTP status, where known.
    pub status: Option<u16>,
    /// HTTP response headers in the order received, names and values as received.
    pub headers: Vec<(String, String)>,
    /// Whatever else the source said about the page, kept with the snapshot as JSON.
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// The document's bytes.
    pub body: Vec<u8>,
}

impl Page {
    /// The value of the first header of this name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The charset label of the `Content-Type` header, without quotes.
    #[must_use]
    pub fn http_charset(&self) -> Option<&str> {
        self.header("content-type")?
            .split(';')
            .skip(1)
            .find_map(|parameter| {
                let (name, value) = parameter.split_once('=')?;
                name.trim()
                    .eq_ignore_ascii_case("charset")
                    .then(|| value.trim().trim_matches(['"', '\'']))
            })
            .filter(|label| !label.is_empty())
    }

    /// Whether this page may stand as a revision of its article: status 200 or unknown.
    #[must_use]
    pub fn counts_as_revision(&self) -> bool {
        self.status.is_none_or(|status| status == 200)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charset_comes_from_the_content_type() {
        let page = |value: &str| Page {
            headers: vec![("content-TYPE".into(), value.into())],
            ..Page::default()
        };
        assert_eq!(
            page("text/html; Charset=\"euc-kr\"").http_charset(),
            Some("euc-kr")
        );
        assert_eq!(page("text/html; a=b;charset=UTF-8").http_charset(), Some("UTF-8"));
        assert_eq!(page("text/html; charset=").http_charset(), None);
        assert_eq!(page("text/html").http_charset(), None);
    }
}
