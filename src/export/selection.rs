//! Which snapshots go out.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::ExportError;
use crate::page::{Moment, article_key, host};

/// A choice of snapshots; the default takes all of them.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Patterns of which one must fit the address or its article key, set by
    /// [`Selection::with_addresses`]; none means all.
    pub addresses: Option<GlobSet>,
    /// Hosts, their subdomains included; none means all.
    pub hosts: Vec<String>,
    /// Not older than this. Snapshots without a moment are left out once a time is asked for.
    pub from: Option<Moment>,
    /// Older than this.
    pub until: Option<Moment>,
    /// Only snapshots whose text changed.
    pub only_revisions: bool,
    /// Only blocks of the article's body, in formats with blocks.
    pub body_only: bool,
}

impl Selection {
    /// Asks for addresses by glob patterns: `*` and `?` stand for anything, `/` included.
    pub fn with_addresses<'a>(
        mut self,
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ExportError> {
        let bad = |pattern: &str, error: globset::Error| ExportError::Pattern {
            pattern: pattern.to_owned(),
            message: error.kind().to_string(),
        };
        let mut set = GlobSetBuilder::new();
        let mut any = false;
        for pattern in patterns {
            let glob = GlobBuilder::new(pattern)
                .literal_separator(false)
                .build()
                .map_err(|error| bad(pattern, error))?;
            set.add(glob);
            any = true;
        }
        let set = set.build().map_err(|error| bad("", error))?;
        self.addresses = any.then_some(set);
        Ok(self)
    }

    /// Whether a snapshot goes out.
    #[must_use]
    pub fn admits(&self, address: &str, moment: Option<Moment>, revision: bool) -> bool {
        if self.only_revisions && !revision {
            return false;
        }
        if let Some(from) = self.from
            && moment.is_none_or(|moment| moment < from)
        {
            return false;
        }
        if let Some(until) = self.until
            && moment.is_none_or(|moment| moment >= until)
        {
            return false;
        }
        if let Some(set) = &self.addresses
            && !set.is_match(address)
            && !set.is_match(article_key(address))
        {
            return false;
        }
        self.hosts.is_empty()
            || host(address).is_some_and(|host| {
                self.hosts.iter().any(|wanted| {
                    let wanted = wanted.to_lowercase();
                    host == wanted
                        || host
                            .strip_suffix(&wanted)
                            .is_some_and(|front| front.ends_with('.'))
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_selection_counts() {
        let at = |text: &str| Some(text.parse::<Moment>().unwrap());
        let all = Selection::default();
        assert!(all.admits("anything", None, false));
        let some = Selection {
            hosts: vec!["News.example".to_owned()],
            from: at("2025-01-01"),
            until: at("2025-02-01"),
            only_revisions: true,
            ..Selection::default()
        }
        .with_addresses(["https://*/a/*"])
        .unwrap();
        assert!(some.admits("https://www.news.example/a/b/c", at("2025-01-31T23:59:59Z"), true));
        for (address, moment, revision) in [
            ("https://www.news.example/a/b", at("2025-01-31"), false),
            ("https://www.news.example/a/b", at("2025-02-01"), true),
            ("https://www.news.example/a/b", at("2024-12-31"), true),
            ("https://www.news.example/a/b", None, true),
            ("https://oldnews.example/a/b", at("2025-01-31"), true),
            ("https://www.news.example/b", at("2025-01-31"), true),
            ("file:a/b", at("2025-01-31"), true),
        ] {
            assert!(!some.admits(address, moment, revision), "{address} {moment:?}");
        }
        let upper = Selection::default()
            .with_addresses(["https://a.example/*"])
            .unwrap();
        assert!(upper.admits("HTTPS://A.example:443/x", None, false));
        assert!(Selection::default().with_addresses(["a[b"]).is_err());
    }
}
