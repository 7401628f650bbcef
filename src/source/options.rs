//! What a user may ask of a source.

use super::{Revisits, SourceError};

/// Largest page taken in unless another limit is asked for, in decoded bytes.
pub const DEFAULT_MAX_PAGE_SIZE: usize = 64 << 20;

/// How sources are read.
#[derive(Debug, Clone)]
pub struct SourceOptions {
    /// Stands before the relative path of files that bring no address; `file:` without it.
    pub base_url: Option<String>,
    /// Names of the keys in NDJSON lines.
    pub map: KeyMap,
    /// Media types taken from WARC records, in lower case without parameters; `*` takes every one.
    pub media_types: Vec<String>,
    /// Largest page taken in, in decoded bytes.
    pub max_page_size: usize,
    /// What earlier records held, shared by all sources opened with clones of these options.
    pub revisits: Revisits,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            base_url: None,
            map: KeyMap::default(),
            media_types: vec!["text/html".to_owned(), "application/xhtml+xml".to_owned()],
            max_page_size: DEFAULT_MAX_PAGE_SIZE,
            revisits: Revisits::default(),
        }
    }
}

impl SourceOptions {
    /// The address of a file at `relative`, a path with `/` between its parts.
    ///
    /// `%`, `?`, `#`, control bytes and bytes that are not UTF-8 are percent-encoded, so that two
    /// files never share an address.
    pub(super) fn address(&self, relative: &[u8]) -> String {
        let mut address = match &self.base_url {
            Some(base) if base.ends_with('/') => base.clone(),
            Some(base) => format!("{base}/"),
            None => "file:".to_owned(),
        };
        for chunk in relative.utf8_chunks() {
            for letter in chunk.valid().chars() {
                if letter.is_ascii_control() || matches!(letter, '%' | '?' | '#') {
                    escape(&mut address, letter as u8);
                } else {
                    address.push(letter);
                }
            }
            for &byte in chunk.invalid() {
                escape(&mut address, byte);
            }
        }
        address
    }

    /// Whether pages of this media type were asked for.
    pub(super) fn wants(&self, media_type: &str) -> bool {
        self.media_types
            .iter()
            .any(|wanted| wanted == "*" || wanted == media_type)
    }

    /// Longest NDJSON line read, in bytes: a page in which every third byte needs an escape.
    pub(super) fn max_line(&self) -> usize {
        self.max_page_size.saturating_mul(3).saturating_add(1 << 20)
    }
}

fn escape(address: &mut String, byte: u8) {
    address.push_str(percent_encoding::percent_encode_byte(byte));
}

/// Under which keys an NDJSON line holds what a page is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMap {
    /// The address. Default `url`.
    pub url: String,
    /// The moment. Default `fetched_at`.
    pub fetched_at: String,
    /// The document as text. Default `html`.
    pub html: String,
    /// The document's bytes in Base64. Default `body_base64`.
    pub body_base64: String,
    /// A file with the document's bytes, relative to the NDJSON file. Default `path`.
    pub path: String,
    /// HTTP status. Default `status`.
    pub status: String,
    /// HTTP headers, an object or a list of pairs. Default `headers`.
    pub headers: String,
}

impl Default for KeyMap {
    fn default() -> Self {
        Self {
            url: "url".to_owned(),
            fetched_at: "fetched_at".to_owned(),
            html: "html".to_owned(),
            body_base64: "body_base64".to_owned(),
            path: "path".to_owned(),
            status: "status".to_owned(),
            headers: "headers".to_owned(),
        }
    }
}

impl KeyMap {
    /// Reads `url=link,html=body`: our key, `=`, the key in the input; the rest keep their names.
    pub fn parse(spelled: &str) -> Result<Self, SourceError> {
        let mut map = Self::default();
        for pair in spelled.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let bad = || SourceError::Map(pair.to_owned());
            let (ours, theirs) = pair.split_once('=').ok_or_else(bad)?;
            let (ours, theirs) = (ours.trim(), theirs.trim());
            if theirs.is_empty() {
                return Err(bad());
            }
            let key = match ours {
                "url" => &mut map.url,
                "fetched_at" => &mut map.fetched_at,
                "html" => &mut map.html,
                "body_base64" => &mut map.body_base64,
                "path" => &mut map.path,
                "status" => &mut map.status,
                "headers" => &mut map.headers,
                _ => return Err(bad()),
            };
            theirs.clone_into(key);
        }
        Ok(map)
    }
}

impl std::str::FromStr for KeyMap {
    type Err = SourceError;

    fn from_str(spelled: &str) -> Result<Self, SourceError> {
        Self::parse(spelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_renamed_and_unknown_ones_refused() {
        let map = KeyMap::parse("url=link, html=body").unwrap();
        assert_eq!((map.url.as_str(), map.html.as_str()), ("link", "body"));
        assert_eq!(map.path, "path");
        assert_eq!(KeyMap::parse("").unwrap(), KeyMap::default());
        for bad in ["uri=link", "url", "url="] {
            assert!(KeyMap::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_of_files_never_collide() {
        let mut options = SourceOptions::default();
        assert_eq!(options.address(b"a/b c.html"), "file:a/b c.html");
        assert_eq!(options.address(b"a#1?%.html"), "file:a%231%3F%25.html");
        assert_eq!(options.address(b"\xff.html"), "file:%FF.html");
        options.base_url = Some("https://news.example".to_owned());
        assert_eq!(
            options.address("기사.html".as_bytes()),
            "https://news.example/기사.html"
        );
    }
}
