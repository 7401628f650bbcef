//! Elements that enclose blocks without being one. Most enclose none, so an open one is only a
//! range until a block inside it is kept.

use std::borrow::Cow;

use super::token::{AttributeSpan, attribute_value};
use super::tree::Element;
use crate::block::{Attribute, Container};

/// Containers of a page at most; blocks beyond belong to the innermost one that was recorded.
pub const MAX_CONTAINERS: usize = 1 << 18;

/// Attribute names that are kept, beside all that start with `data-` or `dmcf-`.
const KEPT: [&str; 11] = [
    "id",
    "class",
    "itemprop",
    "itemtype",
    "role",
    "property",
    "name",
    "hidden",
    "aria-hidden",
    "style",
    "itemscope",
];

/// The names of most attributes.
const COMMON: [&str; 7] = ["class", "id", "style", "width", "align", "role", "title"];

/// An open container.
struct Open {
    /// Byte range of its start tag; empty for a tag that was implied.
    tag: (usize, usize),
    name: &'static str,
    /// Where its attributes begin among those of all open ones.
    attributes: usize,
    /// Its index in the list once it is recorded; else that of the one around it, if it cannot be.
    recorded: Option<u32>,
}

/// The open containers and the recorded ones.
pub(super) struct Containers<'a> {
    text: &'a str,
    open: Vec<Open>,
    /// Attributes of the open ones, one after the other.
    attributes: Vec<AttributeSpan>,
    /// How many of the open ones, counted from the outermost, are recorded.
    recorded: usize,
    pub list: Vec<Container>,
}

impl<'a> Containers<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            open: Vec::new(),
            attributes: Vec::new(),
            recorded: 0,
            list: Vec::new(),
        }
    }

    /// A container of a known tag opens.
    pub fn open(&mut self, element: &Element<'_>) {
        self.open.push(Open {
            tag: element.range,
            name: element.tag.name(),
            attributes: self.attributes.len(),
            recorded: None,
        });
        self.attributes.extend_from_slice(element.attributes);
    }

    pub fn close(&mut self, end: usize) {
        let Some(open) = self.open.pop() else {
            return;
        };
        self.attributes.truncate(open.attributes);
        self.recorded = self.recorded.min(self.open.len());
        if let Some(container) = open.recorded.and_then(|index| self.list.get_mut(index as usize)) {
            container.range.end = end.max(container.range.start);
        }
    }

    /// The index of the innermost open container, which is recorded with all around it.
    pub fn innermost(&mut self) -> Option<u32> {
        let depth = self.open.len();
        for at in self.recorded..depth {
            let parent = at.checked_sub(1).and_then(|outer| self.open[outer].recorded);
            let open = &self.open[at];
            let implied = open.tag.0 == open.tag.1;
            self.open[at].recorded = if implied || self.list.len() >= MAX_CONTAINERS {
                parent
            } else {
                self.list.push(Container {
                    parent,
                    tag: Cow::Borrowed(open.name),
                    attributes: attributes(self.text, self.own(at), is_kept),
                    range: open.tag.0..self.text.len(),
                });
                Some(self.list.len() as u32 - 1)
            };
        }
        self.recorded = depth;
        self.open.last().and_then(|open| open.recorded)
    }

    /// The attributes of the open container at this depth.
    fn own(&self, at: usize) -> &[AttributeSpan] {
        let end = self
            .open
            .get(at + 1)
            .map_or(self.attributes.len(), |next| next.attributes);
        &self.attributes[self.open[at].attributes..end]
    }
}

fn is_kept(name: &str) -> bool {
    KEPT.contains(&name) || name.starts_with("data-") || name.starts_with("dmcf-")
}

/// The attributes of a start tag, those whose names (lower case) `keep` wants; the first of each name.
pub(super) fn attributes(text: &str, spans: &[AttributeSpan], keep: impl Fn(&str) -> bool) -> Vec<Attribute> {
    let mut attributes: Vec<Attribute> = Vec::with_capacity(spans.len());
    for span in spans {
        let name = lower(&text[span.name.0..span.name.1]);
        if keep(&name) && attributes.iter().all(|known| known.name != name) {
            let value = attribute_value(&text[span.value.0..span.value.1]);
            attributes.push(Attribute {
                name,
                value: value.into(),
            });
        }
    }
    attributes
}

/// A name as the tokenizer gives it: ASCII letters in lower case, U+0000 as U+FFFD.
fn lower(name: &str) -> Cow<'static, str> {
    // Most attributes have one of a few names, which need no memory of their own.
    if let Some(common) = COMMON.iter().find(|common| **common == name) {
        return Cow::Borrowed(common);
    }
    let name = name.to_ascii_lowercase();
    Cow::Owned(if name.contains('\0') {
        name.replace('\0', "\u{fffd}")
    } else {
        name
    })
}
