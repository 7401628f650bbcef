//! From a block to the text its recipe starts from, and the values around it.

use std::ops::Range;

use super::markup::{self, Piece};
use super::message::{Field, PageValue};
use super::scope::Scope;
use crate::block::{Block, Container, Document, Mark};
use crate::html::raw_text;

/// A page as the recipe room sees it: its bytes, its blocks, and what lies outside both.
#[derive(Debug, Clone, Copy)]
pub struct PageInput<'a> {
    /// The page's bytes, the ones `document` was read from.
    pub raw: &'a [u8],
    /// The blocks of the page.
    pub document: &'a Document,
    /// The page's address, where it is known.
    pub address: Option<&'a str>,
    /// Name of the attribute that holds declared hashes, in lower case.
    pub attribute: &'a str,
}

impl<'a> PageInput<'a> {
    /// A page without an address whose declared hashes stand in `contents-hash`.
    #[must_use]
    pub fn new(raw: &'a [u8], document: &'a Document) -> Self {
        Self {
            raw,
            document,
            address: None,
            attribute: super::DEFAULT_ATTRIBUTE,
        }
    }

    /// The block's tag name in lower case; empty for a block of kind `text`.
    #[must_use]
    pub fn tag(&self, block: &Block) -> String {
        let source = self.source(block.range.start..block.inner.start);
        markup::start_tag(source.as_bytes())
            .map(|tag| source[tag.name].to_ascii_lowercase())
            .unwrap_or_default()
    }

    /// Bytes of the page as text, malformed ones as U+FFFD.
    pub(crate) fn source(&self, range: Range<usize>) -> String {
        let bytes = self.raw.get(range).unwrap_or_default();
        let name = self.document.charset.name;
        match encoding_rs::Encoding::for_label(name.as_bytes()) {
            Some(encoding) if encoding != encoding_rs::UTF_8 => {
                encoding.decode_without_bom_handling(bytes).0.into_owned()
            }
            _ => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// What the recipe's steps start from.
    pub(crate) fn content(&self, index: usize, scope: Scope) -> String {
        let Some(block) = self.document.blocks.get(index) else {
            return String::new();
        };
        match scope {
            Scope::Text => self.text(index, block, " "),
            Scope::TextLines => self.text(index, block, "\n"),
            Scope::TextJoined => self.text(index, block, ""),
            Scope::InnerHtml => self.source(block.inner.clone()),
            Scope::OuterHtml => self.source(block.range.clone()),
            Scope::Form => crate::html::canonical_form(block),
            Scope::Image => first_image(block).map(|(src, _)| src).unwrap_or_default(),
            Scope::ImageAlt => first_image(block).map(|(_, alt)| alt).unwrap_or_default(),
            Scope::ImageSource => self.image_source(block),
            Scope::Nothing => String::new(),
        }
    }

    /// The block's characters, blocks inside it left out, each `br` and boundary being `cut`.
    fn text(&self, index: usize, block: &Block, cut: &str) -> String {
        let mut text = String::new();
        let mut from = block.inner.start;
        let inside = self.document.blocks.iter().enumerate().skip(index + 1);
        for (_, inner) in inside.take_while(|(_, inner)| inner.range.start < block.inner.end) {
            if inner.parent != u32::try_from(index).ok() || inner.range.start < from {
                continue;
            }
            text.push_str(&raw_text(&self.source(from..inner.range.start), cut, cut));
            text.push_str(cut);
            from = inner.range.end;
        }
        text.push_str(&raw_text(&self.source(from..block.inner.end.max(from)), cut, cut));
        text
    }

    fn image_source(&self, block: &Block) -> String {
        let source = self.source(block.inner.clone());
        // What stands in `noscript` and `template` is no image of the block.
        let is_hidden = |name: &str| {
            ["noscript", "template"]
                .iter()
                .any(|one| one.eq_ignore_ascii_case(name))
        };
        let mut hidden = 0_usize;
        let found = markup::pieces(&source).into_iter().find_map(|piece| match piece {
            Piece::Start(tag_source, tag) if is_hidden(&tag_source[tag.name.clone()]) => {
                hidden += 1;
                None
            }
            Piece::End(tag_source) if is_hidden(markup::end_name(tag_source)) => {
                hidden = hidden.saturating_sub(1);
                None
            }
            _ if hidden > 0 => None,
            Piece::Start(tag_source, tag) if tag_source[tag.name.clone()].eq_ignore_ascii_case("img") => {
                let src = tag
                    .attributes
                    .iter()
                    .find(|attribute| tag_source[attribute.name.clone()].eq_ignore_ascii_case("src"))?;
                Some(markup::resolve_attribute(&tag_source[src.value.clone()?]))
            }
            _ => None,
        });
        found.unwrap_or_default()
    }

    /// What stands for a field in a message. `content` is the block's content, `ordinal` its place
    /// among the declared blocks, counted from 0, and `previous` the declared hash before it.
    pub(crate) fn value(&self, field: &Field, block: &Block, around: &Around<'_>) -> String {
        match field {
            Field::Content => around.content.to_owned(),
            Field::Attribute(name) => block.attribute(name).unwrap_or_default().to_owned(),
            Field::Ancestor(name) => self.ancestor(block, name).unwrap_or_default().to_owned(),
            Field::Tag => self.tag(block),
            Field::Index => around.ordinal.to_string(),
            Field::Number => (around.ordinal + 1).to_string(),
            Field::Length => around.content.chars().count().to_string(),
            Field::Bytes => around.content.len().to_string(),
            Field::PreviousHash => around.previous.to_owned(),
            Field::Page(value) => self.page_value(*value),
        }
    }

    fn ancestor(&self, block: &'a Block, name: &str) -> Option<&'a str> {
        let mut parent = self.block(block.parent);
        let mut container = self.container(block.container);
        loop {
            // Of two elements around the block the nearer one begins later.
            let is_block = match (parent, container) {
                (Some(parent), Some(container)) => parent.range.start > container.range.start,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => return None,
            };
            let value = if is_block {
                let here = parent?;
                parent = self.block(here.parent);
                here.attribute(name)
            } else {
                let here = container?;
                container = self.container(here.parent);
                here.attribute(name)
            };
            if value.is_some() {
                return value;
            }
        }
    }

    fn container(&self, index: Option<u32>) -> Option<&'a Container> {
        self.document.containers.get(index? as usize)
    }

    /// The parent at this index; parents stand before their children, which bounds every climb.
    fn block(&self, index: Option<u32>) -> Option<&'a Block> {
        self.document.blocks.get(index? as usize)
    }

    pub(crate) fn page_value(&self, value: PageValue) -> String {
        let document = self.document;
        let address = self.address.unwrap_or_default();
        let path = || {
            let after = address.split_once("://").map_or(address, |(_, after)| after);
            let path = after.find('/').map_or("", |at| &after[at..]);
            path.split(['?', '#']).next().unwrap_or_default().to_owned()
        };
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        match value {
            PageValue::Address => address.to_owned(),
            PageValue::Host => crate::page::host(address).unwrap_or_default(),
            PageValue::Path => path(),
            PageValue::Slug => path().rsplit('/').next().unwrap_or_default().to_owned(),
            PageValue::Title => text(&document.title),
            PageValue::Headline => text(&document.headline),
            PageValue::Byline => text(&document.byline),
            PageValue::Published => text(&document.published),
            PageValue::Modified => text(&document.modified),
            PageValue::Canonical => text(&document.canonical),
            PageValue::Language => text(&document.language),
        }
    }
}

/// What a message needs to know beyond block and page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The block's content after all steps.
    pub content: &'a str,
    /// Place among the declared blocks, counted from 0.
    pub ordinal: usize,
    /// The declared hash of the declared block before; empty for the first.
    pub previous: &'a str,
}

fn first_image(block: &Block) -> Option<(String, String)> {
    block.marks.iter().find_map(|mark| match mark {
        Mark::Image { src, alt, .. } => Some((src.clone(), alt.clone())),
        _ => None,
    })
}
