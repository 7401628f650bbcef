//! Elements that enclose blocks without being one. Most enclose none, so an open one is only a
//! range until a block inside it is kept.

use super::token::{Token, Tokenizer, attribute_value};
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

/// The open containers and the recorded ones.
pub(super) struct Containers<'a> {
    text: &'a str,
    open: Vec<((usize, usize), Option<u32>)>,
    /// How many of the open ones, counted from the outermost, are recorded.
    recorded: usize,
    pub list: Vec<Container>,
}

impl<'a> Containers<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            open: Vec::new(),
            recorded: 0,
            list: Vec::new(),
        }
    }

    /// A container opens with the start tag in `range`; empty for a tag that was implied.
    pub fn open(&mut self, range: (usize, usize)) {
        self.open.push((range, None));
    }

    pub fn close(&mut self, end: usize) {
        let Some((_, index)) = self.open.pop() else {
            return;
        };
        self.recorded = self.recorded.min(self.open.len());
        if let Some(container) = index.and_then(|index| self.list.get_mut(index as usize)) {
            container.range.end = end.max(container.range.start);
        }
    }

    /// The index of the innermost open container, which is recorded with all around it.
    pub fn innermost(&mut self) -> Option<u32> {
        let depth = self.open.len();
        for at in self.recorded..depth {
            let parent = at.checked_sub(1).and_then(|outer| self.open[outer].1);
            let (range, _) = self.open[at];
            self.open[at].1 = if range.0 == range.1 || self.list.len() >= MAX_CONTAINERS {
                parent
            } else {
                self.list.push(read(self.text, range, parent));
                Some(self.list.len() as u32 - 1)
            };
        }
        self.recorded = depth;
        self.open.last().and_then(|open| open.1)
    }
}

fn read(text: &str, range: (usize, usize), parent: Option<u32>) -> Container {
    let mut container = Container {
        parent,
        range: range.0..text.len(),
        ..Container::default()
    };
    let (name, attributes) = start_tag(text, range, |name| {
        KEPT.contains(&name) || name.starts_with("data-") || name.starts_with("dmcf-")
    });
    container.tag = name;
    container.attributes = attributes;
    container
}

/// Name and attributes of the start tag in `range`, those whose names (lower case) `keep` wants;
/// the first of each name.
pub(super) fn start_tag(
    text: &str,
    range: (usize, usize),
    keep: impl Fn(&str) -> bool,
) -> (Box<str>, Vec<Attribute>) {
    let tag = &text[range.0..range.1];
    let mut tokenizer = Tokenizer::new(tag);
    let Token::Start { name, .. } = tokenizer.next() else {
        return (Box::default(), Vec::new());
    };
    let mut attributes: Vec<Attribute> = Vec::with_capacity(tokenizer.attributes().len());
    for span in tokenizer.attributes() {
        let written = &tag[span.name.0..span.name.1];
        let name = lower(written);
        if keep(&name) && attributes.iter().all(|known| known.name != name) {
            let value = attribute_value(&tag[span.value.0..span.value.1]);
            attributes.push(Attribute {
                name,
                value: value.into(),
            });
        }
    }
    (lower(&tag[name]), attributes)
}

/// A name as the tokenizer gives it: ASCII letters in lower case, U+0000 as U+FFFD.
fn lower(name: &str) -> Box<str> {
    let name = name.to_ascii_lowercase();
    if name.contains('\0') {
        name.replace('\0', "\u{fffd}").into()
    } else {
        name.into()
    }
}
