//! Addresses: the article key and the host.

/// The key under which all snapshots of one article stand: the address with lower-case scheme and
/// host, default port and fragment dropped, nothing else.
///
/// Text that has no `scheme://` (a `file:` path, a made-up name) only loses its fragment and has its
/// scheme lower-cased. `http` and `https` stay different keys, as do addresses with and without `www.`.
#[must_use]
pub fn article_key(address: &str) -> String {
    let without_fragment = address.split_once('#').map_or(address, |(before, _)| before);
    let Some((scheme, rest)) = without_fragment.split_once(':') else {
        return without_fragment.to_owned();
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if !is_scheme {
        return without_fragment.to_owned();
    }
    let scheme = scheme.to_ascii_lowercase();
    let Some(after) = rest.strip_prefix("//") else {
        return format!("{scheme}:{rest}");
    };
    let end = after.find(['/', '?']).unwrap_or(after.len());
    let (authority, tail) = after.split_at(end);
    let (user, host_port) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let (host, port) = split_port(host_port);
    let default = matches!(
        (scheme.as_str(), port),
        ("http", Some("80" | "")) | ("https", Some("443" | ""))
    );
    let mut key = format!("{scheme}://");
    if let Some(user) = user {
        key.push_str(user);
        key.push('@');
    }
    key.push_str(&host.to_lowercase());
    if let Some(port) = port.filter(|_| !default) {
        key.push(':');
        key.push_str(port);
    }
    key.push_str(tail);
    key
}

/// The host of an address in lower case, without port or user; `None` for addresses without one.
#[must_use]
pub fn host(address: &str) -> Option<String> {
    let (scheme, after) = address.split_once("://")?;
    if scheme.contains(['/', '?', '#']) {
        return None;
    }
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    let authority = &after[..end];
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, _) = split_port(host_port);
    (!host.is_empty()).then(|| host.to_lowercase())
}

/// What groups addresses whose pages are likely to share a template: the host, or, for addresses
/// without one, everything up to the last `/`.
#[must_use]
pub fn site(address: &str) -> Option<String> {
    host(address).or_else(|| address.rsplit_once('/').map(|(dir, _)| dir.to_owned()))
}

/// Host and port of `host:port`, minding the colons of a bracketed IPv6 host.
fn split_port(host_port: &str) -> (&str, Option<&str>) {
    match host_port.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, Some(port))
        }
        _ => (host_port, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_host_port_and_fragment_are_touched() {
        for (address, key) in [
            ("HTTPS://News.Example:443/A?B=c#top", "https://news.example/A?B=c"),
            ("http://news.example:80", "http://news.example"),
            (
                "http://news.example:8080/x/../y",
                "http://news.example:8080/x/../y",
            ),
            ("https://User@News.Example/%7Ea", "https://User@news.example/%7Ea"),
            ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
            ("https://news.example?q=1", "https://news.example?q=1"),
            ("FILE:pages/A.html#x", "file:pages/A.html"),
            ("no scheme at all", "no scheme at all"),
            ("", ""),
        ] {
            assert_eq!(article_key(address), key, "{address}");
            assert_eq!(article_key(key), key, "idempotent: {key}");
        }
    }

    #[test]
    fn site_is_the_host_or_the_directory() {
        assert_eq!(site("https://News.Example/a/b").as_deref(), Some("news.example"));
        assert_eq!(site("file:pages/x/a.html").as_deref(), Some("file:pages/x"));
        assert_eq!(site("a.html"), None);
    }

    #[test]
    fn host_is_lower_case_and_bare() {
        assert_eq!(
            host("https://u:p@News.Example:99/x").as_deref(),
            Some("news.example")
        );
        assert_eq!(host("http://[::1]:80/").as_deref(), Some("[::1]"));
        assert_eq!(host("file:pages/a.html"), None);
        assert_eq!(host("a/b://c"), None);
    }
}
