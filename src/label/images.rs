//! Which image an address shows, whatever size or server it was asked for.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{LabelError, SiteRule};

/// How the addresses of a thumbnail server name the original image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRule {
    /// Hosts of the thumbnail server, spelled as in site rules; `*` stands for every host.
    pub hosts: Vec<String>,
    /// Query parameter that holds the address of the original.
    pub parameter: Option<String>,
    /// Query parameters that only ask for a size or a quality.
    pub drop_parameters: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenImage {
    hosts: Spanned<Vec<String>>,
    parameter: Option<String>,
    #[serde(default)]
    drop_parameters: Vec<String>,
}

impl WrittenImage {
    pub fn rule(&self, line_of: impl Fn(Range<usize>) -> usize) -> Result<ImageRule, LabelError> {
        if self.parameter.is_none() && self.drop_parameters.is_empty() {
            return Err(LabelError::Value {
                line: line_of(self.hosts.span()),
                key: "image",
                message: "it does nothing; name `parameter`, which holds the original's address, or \
                          `drop_parameters`"
                    .to_owned(),
            });
        }
        Ok(ImageRule {
            hosts: self
                .hosts
                .get_ref()
                .iter()
                .map(|host| host.to_ascii_lowercase())
                .collect(),
            parameter: self.parameter.clone(),
            drop_parameters: self.drop_parameters.clone(),
        })
    }
}

/// Thumbnails of thumbnails that are followed.
const MAX_STEPS: usize = 4;

/// The address by which two images are the same image: the original behind a thumbnail, size
/// parameters dropped, fragment dropped. An address that no rule knows stands for itself.
#[must_use]
pub fn image_identity(rule: &SiteRule, src: &str) -> String {
    let mut address = src.trim().split('#').next().unwrap_or_default().to_owned();
    for _ in 0..MAX_STEPS {
        let Some(next) = rule.images.iter().find_map(|image| image.step(&address)) else {
            break;
        };
        address = next;
    }
    address
}

impl ImageRule {
    /// The address one step nearer to the original; `None` if the rule has nothing to say.
    fn step(&self, address: &str) -> Option<String> {
        let (before, query) = address.split_once('?')?;
        let host = host_of(before).to_ascii_lowercase();
        if !self.hosts.iter().any(|pattern| matches(pattern, &host)) {
            return None;
        }
        let pairs = || {
            query
                .split('&')
                .map(|pair| (pair, pair.split_once('=').unwrap_or((pair, ""))))
        };
        if let Some(wanted) = &self.parameter {
            // An original written without escapes may hold `&` and `?` of its own, so that the value
            // then runs to the end of the address.
            for (pair, (name, value)) in pairs() {
                if name != wanted || value.is_empty() {
                    continue;
                }
                let plain = value.contains("://") || value.starts_with("//");
                let at = pair.as_ptr().addr() - query.as_ptr().addr() + name.len() + 1;
                let value = if plain { &query[at..] } else { value };
                return Some(
                    percent_encoding::percent_decode_str(value)
                        .decode_utf8_lossy()
                        .into_owned(),
                );
            }
        }
        let kept: Vec<&str> = pairs()
            .filter(|(_, (name, _))| !self.drop_parameters.iter().any(|dropped| dropped == name))
            .map(|(pair, _)| pair)
            .collect();
        let shorter = if kept.is_empty() {
            before.to_owned()
        } else {
            format!("{before}?{}", kept.join("&"))
        };
        (shorter != address).then_some(shorter)
    }
}

fn host_of(address: &str) -> &str {
    let Some((_, rest)) = address.split_once("//") else {
        return "";
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split_once(':').map_or(host, |(host, _)| host)
}

fn matches(pattern: &str, host: &str) -> bool {
    pattern == "*"
        || pattern == host
        || pattern
            .strip_prefix('*')
            .is_some_and(|suffix| host.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Rules;

    #[test]
    fn a_daum_thumbnail_is_its_original() {
        let rules = Rules::builtin();
        let rule = rules.for_host(Some("v.daum.net"));
        let original = "https://t1.daumcdn.net/news/202601/02/paper/a.jpg";
        for thumbnail in [
            "https://img3.daumcdn.net/thumb/R658x0.q70/?fname=https://t1.daumcdn.net/news/202601/02/paper/a.jpg",
            "//img1.daumcdn.net/thumb/S100/?scode=media&fname=https%3A%2F%2Ft1.daumcdn.net%2Fnews%2F202601%2F02%2Fpaper%2Fa.jpg",
            original,
        ] {
            assert_eq!(image_identity(rule, thumbnail), original);
        }
    }

    #[test]
    fn an_unknown_address_stands_for_itself() {
        let rules = Rules::builtin();
        let rule = rules.for_host(None);
        for src in [
            "",
            "a.jpg",
            "https://img.example/?fname=https://b.example/c.jpg",
            "data:image/gif;base64,AA?w=1",
        ] {
            assert_eq!(image_identity(rule, src), src);
        }
        assert_eq!(image_identity(rule, " b.jpg#x "), "b.jpg");
    }

    #[test]
    fn size_parameters_drop_and_chains_end() {
        let toml = "[[site]]\nhosts=['*']\n[[site.image]]\nhosts=['i.example']\ndrop_parameters=['w','h']\n\
                    [[site.image]]\nhosts=['t.example']\nparameter='u'";
        let rules = Rules::builtin().with_toml(toml).unwrap();
        let rule = rules.for_host(None);
        let same = |src| image_identity(rule, src);
        assert_eq!(
            same("https://i.example/a.jpg?w=100&h=50"),
            "https://i.example/a.jpg"
        );
        assert_eq!(
            same("https://i.example/a.jpg?v=3&w=100"),
            "https://i.example/a.jpg?v=3"
        );
        assert_eq!(
            same("https://t.example/?u=https%3A%2F%2Fi.example%2Fa.jpg%3Fw%3D3"),
            "https://i.example/a.jpg"
        );
        assert_eq!(
            same("https://t.example/?u=https://i.example/a.jpg?v=1&k=2"),
            "https://i.example/a.jpg?v=1&k=2"
        );
        let nested = format!("{}x", "https://t.example/?u=".repeat(20));
        assert!(same(&nested).ends_with('x'));
    }
}
