//! Headline, byline and time of a page, and what told each: for whoever writes site rules.

use super::overrides::{Override, overrides};
use super::{Selector, SiteRule};
use crate::block::Document;

/// Headline, byline or time of a page, and what told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// `title`, `byline` or `published`, as in site rules.
    pub key: &'static str,
    /// What it is; `None` where nothing tells it.
    pub text: Option<String>,
    /// The selector of the rule or the part of the page that told it.
    pub by: String,
}

/// Title, byline and time of publication of a document that no rule has been applied to, as the rule
/// has them.
#[must_use]
pub fn facts(declared: &Document, rule: &SiteRule) -> [Fact; 3] {
    let [title, byline, published] = overrides(declared, rule);
    let fact = |key, selectors: &[Selector], selected: Option<Override>, page: &Option<String>| match selected
    {
        Some(found) => Fact {
            key,
            text: Some(found.text),
            by: selectors
                .get(found.selector)
                .map_or_else(String::new, |selector| {
                    format!("rule \"{selector}\" of {}", rule.host)
                }),
        },
        None => Fact {
            key,
            text: page.clone(),
            by: "declared by the page".to_owned(),
        },
    };
    [
        match (&declared.headline, &title, &declared.title) {
            (None, None, Some(title)) => Fact {
                key: "title",
                text: Some(title.clone()),
                by: "the page's <title>".to_owned(),
            },
            _ => fact("title", &rule.title, title, &declared.headline),
        },
        fact("byline", &rule.byline, byline, &declared.byline),
        fact("published", &rule.published, published, &declared.published),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::{ReadOptions, read};
    use crate::label::Rules;

    #[test]
    fn a_fact_names_the_selector_the_page_or_the_title_that_told_it() {
        let rules = Rules::builtin()
            .with_toml("[[site]]\nhosts = [\"quay.example\"]\nbyline = [\".none\", \".by\"]\n")
            .unwrap();
        let html = b"<title>Quay closed</title><article><p class=by>R. Vane</p><p>The quay closed.</article>";
        let document = read(html, &ReadOptions::default());
        let [title, byline, published] = facts(&document, rules.for_host(Some("quay.example")));
        assert_eq!(title.text.as_deref(), Some("Quay closed"));
        assert_eq!(title.by, "the page's <title>");
        assert_eq!(byline.text.as_deref(), Some("R. Vane"));
        assert_eq!(byline.by, "rule \".by\" of quay.example");
        assert_eq!((published.key, published.text), ("published", None));
    }
}
