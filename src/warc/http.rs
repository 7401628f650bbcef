//! The header of an HTTP response as a record holds it.

use super::Fields;
use crate::page::Moment;

/// Largest HTTP header, in bytes; of a longer one the rest is dropped.
pub const MAX_HEADER: usize = 1 << 20;

/// Status and headers of a response, and where its body begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status code, where the status line has one from 100 to 999.
    pub status: Option<u16>,
    /// Headers as received.
    pub fields: Fields,
    /// Bytes of the block before the body.
    pub body_at: usize,
}

/// Reads the header of a response at the start of a block. `None` if the block does not begin with
/// `HTTP/`, or its header does not end within the bytes given and `whole` is not set; with `whole`, a
/// block without an empty line is all header.
#[must_use]
pub fn parse(block: &[u8], whole: bool) -> Option<Head> {
    let start = block.len() - block.trim_ascii_start().len();
    let first = block.get(start..start + 5)?;
    if !first.eq_ignore_ascii_case(b"HTTP/") {
        return None;
    }
    let sight = &block[start..block.len().min(start + MAX_HEADER)];
    let body_at = match end_of_header(sight) {
        Some(end) => start + end,
        None if whole => block.len(),
        None => return None,
    };
    let header = &sight[..sight.len().min(body_at - start)];
    let (line, fields) = match memchr::memchr(b'\n', header) {
        Some(at) => header.split_at(at + 1),
        None => (header, &[][..]),
    };
    let status = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .nth(1)
        .and_then(|word| std::str::from_utf8(word).ok()?.parse().ok())
        .filter(|status| (100..1000).contains(status));
    Some(Head {
        status,
        fields: Fields::parse(fields),
        body_at,
    })
}

/// Bytes up to and with the first empty line.
fn end_of_header(block: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', block).find_map(|at| {
        let next = block.get(at + 1..)?;
        let returns = next.iter().take_while(|byte| **byte == b'\r').count();
        (next.get(returns) == Some(&b'\n')).then_some(at + 2 + returns)
    })
}

/// The moment of a `Date` header.
#[must_use]
pub fn date(value: &str) -> Option<Moment> {
    let zoned = jiff::fmt::rfc2822::parse(value.trim()).ok()?;
    i64::try_from(zoned.timestamp().as_nanosecond()).ok().map(Moment)
}

/// The media type of a `Content-Type` value: lower case, without parameters.
#[must_use]
pub fn media_type(content_type: &str) -> String {
    let bare = content_type.split([';', ',']).next().unwrap_or_default();
    bare.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_make_are_read() {
        let head = parse(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", false).unwrap();
        assert_eq!(
            (head.status, head.body_at, head.fields.get("a")),
            (Some(200), 25, Some("b"))
        );
        let head = parse(b"HTTP/1.0 302 \nLocation: x\n\nbody", false).unwrap();
        assert_eq!((head.status, head.body_at), (Some(302), 27));
        let head = parse(b"\r\nhttp/2 404\r\n\r\n", false).unwrap();
        assert_eq!((head.status, head.body_at), (Some(404), 16));
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nA: b\r\n", false), None);
        let cut = parse(b"HTTP/1.1 abc\r\nA: b\r\n", true).unwrap();
        assert_eq!((cut.status, cut.body_at), (None, 20));
        assert_eq!(parse(b"<html>", true), None);
        assert_eq!(parse(b"", true), None);
    }

    #[test]
    fn a_header_is_read_up_to_its_limit_wherever_it_begins() {
        let mut late = vec![b'\n'; MAX_HEADER + 10];
        late.extend_from_slice(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody");
        let head = parse(&late, true).unwrap();
        assert_eq!((head.status, &late[head.body_at..]), (Some(200), &b"body"[..]));
        let mut endless = b"HTTP/1.1 302 Found\r\nA: ".to_vec();
        endless.resize(3 * MAX_HEADER, b'a');
        let head = parse(&endless, true).unwrap();
        assert_eq!((head.status, head.body_at), (Some(302), endless.len()));
        assert!(head.fields.0[0].1.len() < MAX_HEADER);
    }

    #[test]
    fn media_types_lose_their_parameters() {
        assert_eq!(media_type("Text/HTML; charset=x"), "text/html");
        assert_eq!(media_type("text/html, text/html"), "text/html");
        assert_eq!(media_type(""), "");
        let moment = date("Sun, 31 Aug 2025 06:01:39 GMT").unwrap();
        assert_eq!(moment.to_string(), "2025-08-31T06:01:39Z");
        assert_eq!(date("soon"), None);
    }
}
