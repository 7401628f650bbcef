//! SURT keys: addresses turned so that they sort by domain, the first column of CDX files.
//!
//! The steps are those of the Internet Archive's canonicalizer, which every replay tool applies to
//! what it looks up: without the same steps it would not find our lines.

use std::fmt::Write as _;

/// The key of an address: `https://www.news.example/A?b=2&a=1` is `example,news)/a?a=1&b=2`.
#[must_use]
pub fn surt(address: &str) -> String {
    let trimmed: String = address
        .trim()
        .chars()
        .filter(|c| !matches!(c, '\n' | '\r' | '\t'))
        .collect();
    if trimmed.is_empty() {
        return "-".to_owned();
    }
    if trimmed.starts_with("filedesc") {
        return trimmed;
    }
    let with_scheme = if has_scheme(&trimmed) {
        trimmed
    } else {
        format!("http://{trimmed}")
    };
    let (scheme, rest) = with_scheme.split_once(':').unwrap_or(("http", ""));
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (before_query, query) = match rest.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (rest, None),
    };
    let (authority, path) = match before_query.strip_prefix("//") {
        Some(after) => match after.find('/') {
            Some(at) => (Some(&after[..at]), &after[at..]),
            None => (Some(after), ""),
        },
        None => (None, before_query),
    };
    let mut key = String::new();
    let host = authority.map(|authority| host_and_port(scheme, authority));
    if let Some((host, port)) = host.filter(|(host, _)| !host.is_empty()) {
        let mut labels: Vec<&str> = host.split('.').collect();
        labels.reverse();
        key.push_str(&labels.join(","));
        if let Some(port) = port {
            let _ = write!(key, ":{port}");
        }
        key.push(')');
        key.push_str(&path_key(path.as_bytes()));
    } else {
        key.push_str(scheme);
        key.push(':');
        key.push_str(&lower(escape(&unescape(before_query.as_bytes())).as_bytes()));
    }
    if let Some(query) = query.map(query_key).filter(|query| !query.is_empty()) {
        key.push('?');
        key.push_str(&query);
    }
    key
}

fn has_scheme(address: &str) -> bool {
    address.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Host in lower case without user, `www` and default port; the port where it is another one.
fn host_and_port(scheme: &str, authority: &str) -> (String, Option<u16>) {
    let bare = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match bare.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, port.parse::<u16>().ok())
        }
        _ => (bare, None),
    };
    let host = String::from_utf8_lossy(&unescape(host.as_bytes())).into_owned();
    let host = if host.is_ascii() {
        host
    } else {
        url::Host::parse(&host).map_or(host, |parsed| parsed.to_string())
    };
    let host = host.replace("..", ".");
    let host = lower(escape(host.trim_matches('.').as_bytes()).as_bytes());
    let default = match scheme.to_ascii_lowercase().as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    (
        without_www(&host).to_owned(),
        port.filter(|port| Some(*port) != default),
    )
}

/// Takes `www.`, `www2.` and their like off.
fn without_www(host: &str) -> &str {
    let Some(rest) = host.strip_prefix("www") else {
        return host;
    };
    rest.trim_start_matches(|c: char| c.is_ascii_digit())
        .strip_prefix('.')
        .unwrap_or(host)
}

/// The path with dots resolved, runs of slashes joined, in lower case, without a trailing slash.
fn path_key(path: &[u8]) -> String {
    let path = unescape(path);
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/').skip(1) {
        match part {
            b"." => {}
            b".." => {
                if kept.pop().is_none() {
                    kept.push(part);
                }
            }
            _ => kept.push(part),
        }
    }
    let mut joined = vec![b'/'];
    if let Some((last, front)) = kept.split_last() {
        for part in front.iter().filter(|part| !part.is_empty()) {
            joined.extend_from_slice(part);
            joined.push(b'/');
        }
        joined.extend_from_slice(last);
    }
    let mut key = lower(escape(&joined).as_bytes());
    if key.len() > 1 && key.ends_with('/') {
        key.pop();
    }
    key
}

/// The query without session ids, in lower case, its parts in order.
fn query_key(query: &str) -> String {
    let escaped = escape(&unescape(query.as_bytes()));
    let without_sessions = strip_sessions(&escaped);
    let lowered = lower(without_sessions.as_bytes());
    let mut parts: Vec<(&str, Option<&str>)> = lowered
        .split('&')
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (part, None),
        })
        .collect();
    parts.sort_unstable();
    let joined: Vec<String> = parts
        .into_iter()
        .map(|(name, value)| value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}")))
        .collect();
    joined.join("&")
}

/// Takes off the parameters that name a session.
fn strip_sessions(query: &str) -> String {
    let alphanumeric = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = query.split('&').peekable();
    while let Some(part) = parts.next() {
        let lower = part.to_ascii_lowercase();
        let (name, value) = lower.split_once('=').unwrap_or((&lower, ""));
        let session = match name {
            "jsessionid" | "phpsessid" | "sid" => alphanumeric(value, 32),
            "cfid" => {
                let paired = parts
                    .peek()
                    .is_some_and(|next| next.to_ascii_lowercase().starts_with("cftoken="));
                if paired {
                    parts.next();
                }
                paired
            }
            _ => {
                name.strip_prefix("aspsessionid")
                    .is_some_and(|id| alphanumeric(id, 8))
                    && alphanumeric(value, 24)
            }
        };
        if !session {
            kept.push(part);
        }
    }
    kept.join("&")
}

/// Decodes percent escapes until none is left, each as soon as it is whole: what it gives may be part of
/// another one.
fn unescape(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut decoded = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        decoded.push(byte);
        while let &[.., b'%', high, low] = decoded.as_slice()
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            decoded.truncate(decoded.len() - 3);
            decoded.push(high << 4 | low);
        }
    }
    decoded
}

/// Escapes what is not printable ASCII, and `#` and `%`.
fn escape(bytes: &[u8]) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for &byte in bytes {
        if (0x21..0x7f).contains(&byte) && byte != b'#' && byte != b'%' {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(percent_encoding::percent_encode_byte(byte));
        }
    }
    escaped
}

fn lower(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_the_published_steps() {
        for (address, key) in [
            (
                "https://www.News.example/A/B/?b=2&a=1",
                "example,news)/a/b?a=1&b=2",
            ),
            ("http://www2.news.example:80", "example,news)/"),
            ("http://news.example:8080/x/../y//z/", "example,news:8080)/y/z"),
            ("https://news.example/?", "example,news)/"),
            ("https://news.example/a%2541#top", "example,news)/aa"),
            ("https://news.example/%%34%31%2", "example,news)/a%252"),
            ("https://u:p@news.example/기", "example,news)/%ea%b8%b0"),
            (
                "https://news.example/?sid=0123456789abcdef0123456789abcdef&x=1",
                "example,news)/?x=1",
            ),
            ("https://news.example/a b", "example,news)/a%20b"),
            ("file:pages/A.html", "file:pages/a.html"),
            ("news.example/x", "example,news)/x"),
            ("", "-"),
        ] {
            assert_eq!(surt(address), key, "{address}");
        }
    }
}
