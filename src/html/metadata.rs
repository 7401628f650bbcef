//! What a page says about itself: title, headline, byline, times, canonical link, language.

use std::ops::Range;

use super::json_ld::{self, Article};
use super::tag::Tag;
use super::text::{collapse, resolve};
use super::token::attribute_value;
use super::tree::{Element, find};
use crate::block::Document;

/// The fields as they were found; of each the first that is not empty counts.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    title: Option<String>,
    og_title: Option<String>,
    author: Option<String>,
    article_author: Option<String>,
    published: Option<String>,
    published_hint: Option<String>,
    modified: Option<String>,
    modified_hint: Option<String>,
    time: Option<String>,
    canonical: Option<String>,
    language: Option<String>,
    article: Article,
}

impl Metadata {
    /// Notes what a start tag says.
    pub fn element(&mut self, text: &str, element: &Element<'_>) {
        let value = |name| {
            find(text, element.attributes, name)
                .map(clean)
                .filter(|v| !v.is_empty())
        };
        match element.tag {
            Tag::Meta => self.meta(text, element),
            Tag::Link => {
                let is_canonical = find(text, element.attributes, "rel").is_some_and(|rel| {
                    rel.split_ascii_whitespace()
                        .any(|r| r.eq_ignore_ascii_case("canonical"))
                });
                if is_canonical && self.canonical.is_none() {
                    // As written, so white space inside stays.
                    self.canonical = find(text, element.attributes, "href")
                        .map(|href| attribute_value(href).trim().to_owned())
                        .filter(|href| !href.is_empty());
                }
            }
            Tag::Html => self.language = self.language.take().or_else(|| value("lang")),
            Tag::Time if self.time.is_none() => self.time = value("datetime"),
            _ => {}
        }
    }

    fn meta(&mut self, text: &str, element: &Element<'_>) {
        let Some(content) = find(text, element.attributes, "content") else {
            return;
        };
        for attribute in ["property", "name", "itemprop"] {
            let Some(name) = find(text, element.attributes, attribute) else {
                continue;
            };
            let field = match name.trim().to_ascii_lowercase().as_str() {
                "og:title" => &mut self.og_title,
                "author" | "dc.creator" | "dcterms.creator" | "parsely-author" => &mut self.author,
                "article:author" | "og:article:author" => &mut self.article_author,
                "article:published_time" | "datepublished" | "og:regdate" | "parsely-pub-date" => {
                    &mut self.published
                }
                "date" | "pubdate" | "publishdate" | "dc.date" | "dc.date.issued" | "dcterms.created"
                | "dcterms.issued" | "sailthru.date" => &mut self.published_hint,
                "article:modified_time" | "datemodified" => &mut self.modified,
                "og:updated_time" | "last-modified" | "lastmod" | "dcterms.modified" => {
                    &mut self.modified_hint
                }
                _ => continue,
            };
            if field.is_none() {
                *field = Some(clean(content)).filter(|value| !value.is_empty());
            }
        }
    }

    /// Notes the raw text of a `title` or of a JSON-LD `script`.
    pub fn raw(&mut self, text: &str, element: &Element<'_>, range: Range<usize>) {
        match element.tag {
            Tag::Title if self.title.is_none() => {
                self.title = Some(collapse(&resolve(&text[range]))).filter(|title| !title.is_empty());
            }
            Tag::Script => {
                let is_json_ld = find(text, element.attributes, "type")
                    .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/ld+json"));
                if is_json_ld {
                    self.article.merge(json_ld::read(&text[range]));
                }
            }
            _ => {}
        }
    }

    /// Writes the fields into a document. Where several places tell the same, the one that was made
    /// for it comes first: Open Graph, then JSON-LD, then older habits.
    pub fn into_document(self, document: &mut Document) {
        document.title = self.title;
        document.headline = self.og_title.or(self.article.headline);
        document.byline = self
            .author
            .or(self.article.author)
            // Profile addresses stand here as often as names.
            .or(self.article_author.filter(|author| !author.contains("://")));
        document.published = self
            .published
            .or(self.article.published)
            .or(self.published_hint)
            .or(self.time);
        document.modified = self.modified.or(self.article.modified).or(self.modified_hint);
        document.canonical = self.canonical;
        document.language = self.language;
    }
}

/// An attribute's value with white space collapsed.
fn clean(raw: &str) -> String {
    collapse(&attribute_value(raw))
}
