//! Site rules: per host, in TOML, the user's over the built-in ones.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::LabelError;
use super::builtin::BUILTIN;
use super::images::{ImageRule, WrittenImage};
use super::selector::Selector;

/// What is known about the pages of one host. Every key may be absent; what is absent is guessed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SiteRule {
    /// The host pattern that brought the rule: `news.example`, `*.example` or `*`.
    pub host: String,
    /// Elements whose blocks are the body; the first selector that selects text wins.
    pub article: Vec<Selector>,
    /// Elements whose text is the headline; the first that has text wins.
    pub title: Vec<Selector>,
    /// Elements whose text is the author.
    pub byline: Vec<Selector>,
    /// Elements whose text is the time of publication.
    pub published: Vec<Selector>,
    /// Elements whose blocks are never body.
    pub ignore: Vec<Selector>,
    /// The recipe by which the site's declared hashes are made.
    pub recipe: Option<SiteRecipe>,
    /// From an image's address to the image that it shows.
    pub images: Vec<ImageRule>,
    /// Query parameters that do not belong to an article's key.
    pub drop_parameters: Vec<String>,
}

/// A recipe as a site rule gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum SiteRecipe {
    /// The name of a built-in recipe, or the path of a file with one.
    Named(String),
    /// The recipe itself, as it would stand in such a file.
    Written(toml::Table),
}

/// A TOML table has no total equality only because of numbers that are none; recipes have no floats.
impl Eq for SiteRecipe {}

/// Site rules by host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    attribute: Option<String>,
    everywhere: SiteRule,
    sites: Vec<SiteRule>,
}

/// A file of site rules as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    attribute: Option<String>,
    #[serde(default)]
    site: Vec<WrittenSite>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSite {
    hosts: Spanned<Vec<Spanned<String>>>,
    article: Option<Vec<Spanned<String>>>,
    title: Option<Vec<Spanned<String>>>,
    byline: Option<Vec<Spanned<String>>>,
    published: Option<Vec<Spanned<String>>>,
    ignore: Option<Vec<Spanned<String>>>,
    recipe: Option<WrittenRecipe>,
    image: Option<Vec<WrittenImage>>,
    drop_parameters: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "`recipe` takes a name, the path of a file, or a table with the recipe"
)]
enum WrittenRecipe {
    Named(String),
    Table(toml::Table),
}

impl WrittenRecipe {
    fn recipe(&self) -> SiteRecipe {
        match self {
            Self::Named(name) => SiteRecipe::Named(name.clone()),
            Self::Table(table) => SiteRecipe::Written(table.clone()),
        }
    }
}

impl Rules {
    /// The rules that come with the program.
    #[must_use]
    pub fn builtin() -> Self {
        let none = Self {
            attribute: None,
            everywhere: SiteRule {
                host: "*".to_owned(),
                ..SiteRule::default()
            },
            sites: Vec::new(),
        };
        // A unit test reads the built-in text, so the fallback is never taken in a release.
        none.clone().with_toml(BUILTIN).unwrap_or(none)
    }

    /// Adds rules that override those already there, key by key: a key that the text does not name
    /// keeps what an earlier rule for the same host, or else a wider pattern, said.
    pub fn with_toml(mut self, toml: &str) -> Result<Self, LabelError> {
        let written: Written = toml::from_str(toml).map_err(|error| LabelError::Toml {
            line: error.span().map_or(1, |span| line_of(toml, &span)),
            message: error.message().trim().replace('\n', ", "),
        })?;
        if let Some(attribute) = &written.attribute {
            self.attribute = Some(attribute.to_ascii_lowercase());
        }
        for site in &written.site {
            if site.hosts.get_ref().is_empty() {
                return Err(LabelError::Value {
                    line: line_of(toml, &site.hosts.span()),
                    key: "hosts",
                    message: "name at least one host, such as \"news.example\"".to_owned(),
                });
            }
            for pattern in site.hosts.get_ref() {
                let host = host_pattern(toml, pattern)?;
                let base = self.for_pattern(&host).clone();
                let rule = site.over(base, host, toml)?;
                if rule.host == "*" {
                    self.everywhere = rule;
                    continue;
                }
                match self.sites.iter_mut().find(|known| known.host == rule.host) {
                    Some(known) => *known = rule,
                    None => self.sites.push(rule),
                }
            }
        }
        Ok(self)
    }

    /// The attribute that holds declared hashes, if the rules name one.
    #[must_use]
    pub fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }

    /// The rule for a host: that of the host itself, else of the longest `*.` pattern that it ends
    /// with, else the one for every host. Without a host, the last.
    #[must_use]
    pub fn for_host(&self, host: Option<&str>) -> &SiteRule {
        host.map_or(&self.everywhere, |host| {
            self.for_pattern(host.trim_end_matches('.').to_ascii_lowercase().as_str())
        })
    }

    fn for_pattern(&self, host: &str) -> &SiteRule {
        if let Some(own) = self.sites.iter().find(|rule| rule.host == host) {
            return own;
        }
        self.sites
            .iter()
            .filter(|rule| {
                rule.host
                    .strip_prefix('*')
                    .is_some_and(|suffix| host.ends_with(suffix))
            })
            .max_by_key(|rule| rule.host.len())
            .unwrap_or(&self.everywhere)
    }
}

impl WrittenSite {
    fn over(&self, base: SiteRule, host: String, toml: &str) -> Result<SiteRule, LabelError> {
        let selectors = |key, written: &Option<Vec<Spanned<String>>>, base| match written {
            None => Ok(base),
            Some(written) => written.iter().map(|one| selector(toml, key, one)).collect(),
        };
        let images = match &self.image {
            None => base.images,
            Some(written) => written
                .iter()
                .map(|one| one.rule(|span| line_of(toml, &span)))
                .chain(base.images.into_iter().map(Ok))
                .collect::<Result<_, _>>()?,
        };
        Ok(SiteRule {
            host,
            article: selectors("article", &self.article, base.article)?,
            title: selectors("title", &self.title, base.title)?,
            byline: selectors("byline", &self.byline, base.byline)?,
            published: selectors("published", &self.published, base.published)?,
            ignore: selectors("ignore", &self.ignore, base.ignore)?,
            recipe: self.recipe.as_ref().map(WrittenRecipe::recipe).or(base.recipe),
            images,
            drop_parameters: self.drop_parameters.clone().unwrap_or(base.drop_parameters),
        })
    }
}

fn selector(toml: &str, key: &'static str, written: &Spanned<String>) -> Result<Selector, LabelError> {
    written
        .get_ref()
        .parse()
        .map_err(|error: super::SelectorError| LabelError::Value {
            line: line_of(toml, &written.span()),
            key,
            message: error.to_string(),
        })
}

fn host_pattern(toml: &str, written: &Spanned<String>) -> Result<String, LabelError> {
    let host = written.get_ref().trim_end_matches('.').to_ascii_lowercase();
    let name = host.strip_prefix("*.").unwrap_or(&host);
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '[' | ']');
    if host == "*" || (!name.is_empty() && name.chars().all(fits)) {
        return Ok(host);
    }
    Err(LabelError::Value {
        line: line_of(toml, &written.span()),
        key: "hosts",
        message: format!(
            "`{}` is no host; write \"news.example\", \"*.example\" for all below it, or \"*\"",
            written.get_ref()
        ),
    })
}

fn line_of(toml: &str, span: &Range<usize>) -> usize {
    toml.bytes()
        .take(span.start)
        .filter(|&byte| byte == b'\n')
        .count()
        + 1
}

/// Rules as TOML that name the attribute which holds declared hashes, in place of any they named before.
#[must_use]
pub fn with_attribute(rules: &str, attribute: &str) -> String {
    // Only keys before the first table are the file's own.
    let own = rules
        .lines()
        .take_while(|line| !line.trim_start().starts_with('['))
        .count();
    let names_it = |line: &str| {
        line.split_once('=')
            .is_some_and(|(key, _)| key.trim() == "attribute")
    };
    let mut toml = format!("attribute = {}\n", string(attribute));
    for (number, line) in rules.lines().enumerate() {
        if number >= own || !names_it(line) {
            toml.push_str(line);
            toml.push('\n');
        }
    }
    toml
}

/// An entry that keeps a recipe, given as TOML, for hosts, under a comment of one line. It belongs behind
/// the other rules: a later entry overrides the keys it names and no others.
#[must_use]
pub fn recipe_entry(hosts: &[&str], recipe: &str, comment: &str) -> String {
    let hosts: Vec<String> = hosts.iter().map(|host| string(host)).collect();
    format!(
        "# {comment}\n[[site]]\nhosts = [{}]\n\n[site.recipe]\n{recipe}",
        hosts.join(", ")
    )
}

/// A text as TOML spells it.
fn string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl fmt::Display for SiteRule {
    /// As TOML that [`Rules::with_toml`] reads back.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |texts: Vec<String>| {
            format!(
                "[{}]",
                texts
                    .iter()
                    .map(|text| string(text))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        };
        writeln!(out, "[[site]]\nhosts = [{}]", string(&self.host))?;
        let selectors = [
            ("article", &self.article),
            ("title", &self.title),
            ("byline", &self.byline),
            ("published", &self.published),
            ("ignore", &self.ignore),
        ];
        for (key, selectors) in selectors
            .into_iter()
            .filter(|(_, selectors)| !selectors.is_empty())
        {
            writeln!(
                out,
                "{key} = {}",
                list(selectors.iter().map(ToString::to_string).collect())
            )?;
        }
        if let Some(SiteRecipe::Named(recipe)) = &self.recipe {
            writeln!(out, "recipe = {}", string(recipe))?;
        }
        if !self.drop_parameters.is_empty() {
            writeln!(out, "drop_parameters = {}", list(self.drop_parameters.clone()))?;
        }
        // Tables come last: what follows one belongs to it.
        if let Some(SiteRecipe::Written(recipe)) = &self.recipe {
            writeln!(out, "\n[site.recipe]\n{}", recipe.to_string().trim_end())?;
        }
        for image in &self.images {
            writeln!(out, "\n[[site.image]]\nhosts = {}", list(image.hosts.clone()))?;
            if let Some(parameter) = &image.parameter {
                writeln!(out, "parameter = {}", string(parameter))?;
            }
            if !image.drop_parameters.is_empty() {
                writeln!(out, "drop_parameters = {}", list(image.drop_parameters.clone()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
