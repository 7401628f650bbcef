//! Named fields, as in the headers of WARC records and HTTP messages.

/// Most fields kept of one header.
const MAX_FIELDS: usize = 2000;

/// Named fields in the order written; names are compared without case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The first value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Adds a field.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Reads header lines: `name: value`, ended by LF or CRLF; a line that begins with a space or tab
    /// goes on the value before it. Lines without a colon are dropped. Bytes that are not UTF-8 are
    /// taken as Latin-1, which is what HTTP headers were before UTF-8.
    #[must_use]
    pub fn parse(lines: &[u8]) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let trimmed = line.trim_ascii();
            if trimmed.is_empty() {
                continue;
            }
            if matches!(line.first(), Some(b' ' | b'\t')) {
                if let Some((_, value)) = fields.last_mut() {
                    if !value.is_empty() {
                        value.push(' ');
                    }
                    value.push_str(&text(trimmed));
                }
                continue;
            }
            let Some(colon) = memchr::memchr(b':', line) else {
                continue;
            };
            let name = line[..colon].trim_ascii();
            if name.is_empty() || fields.len() >= MAX_FIELDS {
                continue;
            }
            fields.push((text(name), text(line[colon + 1..].trim_ascii())));
        }
        Self(fields)
    }
}

/// UTF-8, or Latin-1 where it is not.
pub(super) fn text(bytes: &[u8]) -> String {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_latin_and_odd_lines_are_read() {
        let fields = Fields::parse(
            b"A: one\r\nb:two\n\tfolded\r\n  again\r\nno colon\r\n: no name\r\nC: caf\xe9\r\nD : \xea\xb8\x80\r\nE:\r\n",
        );
        let pairs: Vec<(&str, &str)> = fields
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("A", "one"),
                ("b", "two folded again"),
                ("C", "café"),
                ("D", "글"),
                ("E", "")
            ]
        );
        assert_eq!(fields.get("B"), Some("two folded again"));
        assert_eq!(fields.get("x"), None);
    }
}
