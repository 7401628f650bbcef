//! `blocks-v1`: cuts the open elements' text into blocks.

use std::ops::Range;

use super::containers::Containers;
use super::draft::{Draft, Finisher};
use super::metadata::Metadata;
use super::tag::{Tag, class};
use super::text::{leading_space, resolve, trailing_space};
use super::token::AttributeSpan;
use super::tree::{Element, Sink, find_span};
use crate::block::{Block, Kind};

/// Blocks of a page at most; beyond, all text goes on in the last anonymous block.
pub const MAX_BLOCKS: usize = 1 << 18;

/// Links and emphasis that may be open around anonymous text; more are not recorded.
const MAX_LOOSE: usize = 64;

/// What an open element means to its content and at its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    role: Role,
    /// The content is no text.
    hidden: bool,
    /// Inside an element with a declared hash: elements without one open no blocks.
    owned: bool,
    /// Inside a figure: `p`, headings and `figcaption` open no blocks.
    figure: bool,
}

#[derive(Debug, Clone, Copy)]
enum Role {
    /// Nothing happens at its end.
    Inline,
    /// A boundary, and a container of what is inside.
    Container,
    /// A block: how many are open with it.
    Block(u32),
    /// A link or emphasis: number of the mark in the draft at this depth.
    Mark { depth: u32, mark: u32 },
    /// A link or emphasis outside all block elements, by its serial number.
    Loose(u32),
    /// Media in no block element; its end is the end of the anonymous block.
    Media,
}

/// A link or emphasis that is open around anonymous text.
#[derive(Debug, Clone, Copy)]
struct Loose {
    serial: u32,
    what: What,
    /// Its mark in the current anonymous block.
    mark: Option<u32>,
}

/// What a mark is; values as spans of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Link {
        href: (usize, usize),
    },
    Image {
        src: (usize, usize),
        alt: (usize, usize),
    },
    Emphasis {
        tag: &'static str,
    },
}

/// The sink that makes blocks.
pub(super) struct Cutter<'a> {
    text: &'a str,
    declared_attribute: &'a str,
    #[allow(clippy::vec_box)] // as the finisher lends them
    drafts: Vec<Box<Draft>>,
    /// The anonymous block, while no block element is open.
    anonymous: Option<Box<Draft>>,
    /// `br` since the last character of the anonymous block.
    breaks: u32,
    loose: Vec<Loose>,
    serial: u32,
    finisher: Finisher<'a>,
    pub containers: Containers<'a>,
    pub metadata: Metadata,
}

impl<'a> Cutter<'a> {
    pub fn new(text: &'a str, declared_attribute: &'a str) -> Self {
        Self {
            text,
            declared_attribute,
            drafts: Vec::new(),
            anonymous: None,
            breaks: 0,
            loose: Vec::new(),
            serial: 0,
            finisher: Finisher::new(text),
            containers: Containers::new(text),
            metadata: Metadata::default(),
        }
    }

    /// The blocks in source order, ranges in bytes of the text.
    pub fn blocks(&mut self) -> Vec<Block> {
        self.end_anonymous();
        self.finisher.take()
    }

    fn declared(&self, attributes: &[AttributeSpan]) -> bool {
        !self.declared_attribute.is_empty()
            && find_span(self.text, attributes, self.declared_attribute).is_some()
    }

    /// White space where text may not run together; outside block elements the block ends.
    fn cut(&mut self) {
        if let Some(draft) = self.drafts.last_mut() {
            draft.collapsed.space = true;
        } else if !self.is_full() {
            self.end_anonymous();
        } else if let Some(anonymous) = &mut self.anonymous {
            anonymous.collapsed.space = true;
        }
    }

    fn is_full(&self) -> bool {
        self.finisher.count() >= MAX_BLOCKS
    }

    fn begin_block(&mut self, element: &Element<'_>, declared: bool) {
        self.cut();
        self.end_anonymous();
        let kind = if element.foreign {
            Kind::Other
        } else {
            kind(element.tag)
        };
        let parent = self.drafts.last().map(|draft| draft.slot);
        let mut draft = self.finisher.draft(kind, parent);
        draft.range = element.range.0..element.range.1;
        draft.inner = element.range.1..element.range.1;
        draft.attributes.extend_from_slice(element.attributes);
        draft.declared = declared
            .then(|| find_span(self.text, element.attributes, self.declared_attribute))
            .flatten();
        self.drafts.push(draft);
    }

    /// Ends the innermost block, and with it those around it whose end tag came while it was open.
    fn end_block(&mut self, mut inner_end: usize, end: usize) {
        while let Some(mut draft) = self.drafts.pop() {
            draft.inner.end = inner_end.max(draft.inner.start);
            draft.range.end = end.max(draft.inner.end);
            self.finisher.finish(draft, &mut self.containers);
            let Some(outer) = self.drafts.last_mut() else {
                return;
            };
            outer.collapsed.space = true;
            if !outer.ended {
                return;
            }
            inner_end = end;
        }
    }

    /// The anonymous block, begun at `start` if there is none.
    fn anonymous(&mut self, start: usize) -> &mut Draft {
        if self.anonymous.is_none() {
            let mut draft = self.finisher.draft(Kind::Text, None);
            draft.range = start..start;
            for loose in &mut self.loose {
                loose.mark = draft.begin_mark(loose.what);
            }
            self.anonymous = Some(draft);
        }
        self.breaks = 0;
        self.anonymous.get_or_insert_default()
    }

    fn end_anonymous(&mut self) {
        let Some(mut draft) = self.anonymous.take() else {
            return;
        };
        for loose in &mut self.loose {
            if let Some(mark) = loose.mark.take() {
                draft.end_mark(mark);
            }
        }
        draft.inner = draft.range.clone();
        self.finisher.finish(draft, &mut self.containers);
    }

    fn line_break(&mut self) {
        if let Some(draft) = self.drafts.last_mut() {
            draft.collapsed.space = true;
            return;
        }
        if let Some(anonymous) = &mut self.anonymous {
            anonymous.collapsed.space = true;
            self.breaks += 1;
            if self.breaks >= 2 && !self.is_full() {
                self.end_anonymous();
            }
        }
    }

    fn media(&mut self, element: &Element<'_>) {
        if let Some(draft) = self.drafts.last_mut() {
            draft.media += 1;
        } else {
            let anonymous = self.anonymous(element.range.0);
            anonymous.media += 1;
            anonymous.range.end = element.range.1;
        }
    }

    fn image(&mut self, element: &Element<'_>) {
        let value = |name| find_span(self.text, element.attributes, name);
        let src = ["data-org-src", "data-src", "src"].into_iter().find_map(value);
        let what = What::Image {
            src: src.unwrap_or_default(),
            alt: value("alt").unwrap_or_default(),
        };
        let draft = match self.drafts.last_mut() {
            Some(draft) => draft,
            None => self.anonymous(element.range.0),
        };
        if let Some(mark) = draft.begin_mark(what) {
            draft.end_mark(mark);
        }
    }

    /// A link or emphasis begins.
    fn mark(&mut self, what: What) -> Role {
        let depth = self.drafts.len() as u32;
        if let Some(draft) = self.drafts.last_mut() {
            return match draft.begin_mark(what) {
                Some(mark) => Role::Mark { depth, mark },
                None => Role::Inline,
            };
        }
        if self.loose.len() >= MAX_LOOSE {
            return Role::Inline;
        }
        self.serial = self.serial.wrapping_add(1);
        let mark = self
            .anonymous
            .as_mut()
            .and_then(|anonymous| anonymous.begin_mark(what));
        self.loose.push(Loose {
            serial: self.serial,
            what,
            mark,
        });
        Role::Loose(self.serial)
    }

    /// What the element records in `form-v1`.
    fn what(&self, element: &Element<'_>) -> Option<What> {
        if element.foreign {
            return None;
        }
        if element.tag == Tag::A {
            let href = find_span(self.text, element.attributes, "href")?;
            return Some(What::Link { href });
        }
        element.tag.is(class::EMPHASIS).then(|| What::Emphasis {
            tag: element.tag.name(),
        })
    }

    fn is_block(&self, element: &Element<'_>, parent: State) -> bool {
        !element.foreign
            && element.tag.is(class::BLOCK)
            && !parent.owned
            && !(parent.figure
                && (element.tag.is(class::HEADING) || matches!(element.tag, Tag::P | Tag::Figcaption)))
            && !self.is_full()
    }
}

impl Sink for Cutter<'_> {
    type State = State;

    fn root(&self) -> State {
        State {
            role: Role::Inline,
            hidden: false,
            owned: false,
            figure: false,
        }
    }

    fn open(&mut self, element: &Element<'_>, parent: State) -> State {
        let mut state = State {
            role: Role::Inline,
            ..parent
        };
        if parent.hidden {
            return state;
        }
        let tag = element.tag;
        self.metadata.element(self.text, element);
        let declared = self.declared(element.attributes) && !self.is_full();
        if declared || self.is_block(element, parent) {
            self.begin_block(element, declared);
            state.role = Role::Block(self.drafts.len() as u32);
            state.owned |= declared;
        } else if !element.foreign && tag.is(class::BLOCK | class::BOUNDARY) {
            self.cut();
            self.containers.open(element);
            state.role = Role::Container;
        } else if let Some(what) = self.what(element) {
            state.role = self.mark(what);
        }
        if !element.foreign {
            match tag {
                Tag::Figure => state.figure = true,
                Tag::Table | Tag::Pre | Tag::Blockquote | Tag::Ul | Tag::Ol => state.figure = false,
                _ => {}
            }
            if tag.is(class::MEDIA) {
                self.media(element);
                if self.drafts.is_empty() {
                    state.role = Role::Media;
                }
            }
        }
        state.hidden = tag.is(class::DROPPED) && (!element.foreign || tag == Tag::Svg);
        state
    }

    fn void(&mut self, element: &Element<'_>, parent: State) {
        if parent.hidden {
            return;
        }
        let declared = self.declared(element.attributes) && !self.is_full();
        if declared {
            self.begin_block(element, true);
        }
        match element.tag {
            Tag::Br => self.line_break(),
            Tag::Hr => self.cut(),
            Tag::Img => {
                self.media(element);
                self.image(element);
            }
            Tag::Embed => self.media(element),
            Tag::Meta | Tag::Link => self.metadata.element(self.text, element),
            _ => {}
        }
        if declared {
            self.end_block(element.range.1, element.range.1);
        }
    }

    fn close(&mut self, state: State, inner_end: usize, end: usize) {
        match state.role {
            Role::Inline => {}
            Role::Container => {
                self.cut();
                self.containers.close(end);
            }
            Role::Block(depth) if depth as usize == self.drafts.len() => self.end_block(inner_end, end),
            // The end tag of a formatting element with a declared hash, while a block inside is open.
            Role::Block(depth) => {
                if let Some(draft) = self.drafts.get_mut(depth as usize - 1) {
                    draft.ended = true;
                }
            }
            Role::Mark { depth, mark } => {
                if let Some(draft) = self.drafts.get_mut(depth as usize - 1) {
                    draft.end_mark(mark);
                }
            }
            Role::Loose(serial) => {
                let Some(at) = self.loose.iter().rposition(|loose| loose.serial == serial) else {
                    return;
                };
                let loose = self.loose.remove(at);
                if let (Some(mark), Some(anonymous)) = (loose.mark, &mut self.anonymous) {
                    anonymous.end_mark(mark);
                }
            }
            Role::Media => {
                if let Some(anonymous) = &mut self.anonymous {
                    anonymous.range.end = end;
                }
            }
        }
    }

    fn boundary(&mut self, state: State, _at: usize) {
        if !state.hidden {
            self.cut();
        }
    }

    fn text(&mut self, state: State, range: Range<usize>, literal: bool) {
        if state.hidden {
            return;
        }
        let source = &self.text[range.clone()];
        if source.bytes().all(|byte| byte.is_ascii_whitespace()) {
            // The indentation of the source, mostly.
            if let Some(draft) = self.drafts.last_mut().or(self.anonymous.as_mut()) {
                draft.collapsed.space |= !source.is_empty();
            }
            return;
        }
        if let Some(draft) = self.drafts.last_mut() {
            if literal {
                draft.collapsed.push(source);
            } else {
                draft.collapsed.push(&resolve(source));
            }
            return;
        }
        let is_blank = |c: char| c == '\0' || super::text::is_white_space(c);
        let (lead, trail) = if literal {
            let lead = source.len() - source.trim_start_matches(is_blank).len();
            (lead, source.len() - source.trim_end_matches(is_blank).len())
        } else {
            (leading_space(source), trailing_space(source))
        };
        if lead == source.len() {
            if let Some(anonymous) = &mut self.anonymous {
                anonymous.collapsed.push(&resolve(source));
            }
            return;
        }
        let anonymous = self.anonymous(range.start + lead);
        if literal {
            anonymous.collapsed.push(source);
        } else {
            anonymous.collapsed.push(&resolve(source));
        }
        anonymous.range.end = range.end - trail;
    }

    fn raw(&mut self, element: &Element<'_>, state: State, range: Range<usize>) {
        if element.tag == Tag::Xmp {
            self.text(state, range, true);
        } else {
            self.metadata.raw(self.text, element, range);
        }
    }

    fn merge(&mut self, element: &Element<'_>) {
        self.metadata.element(self.text, element);
    }
}

fn kind(tag: Tag) -> Kind {
    match tag {
        Tag::P => Kind::P,
        Tag::H1 => Kind::H1,
        Tag::H2 => Kind::H2,
        Tag::H3 => Kind::H3,
        Tag::H4 => Kind::H4,
        Tag::H5 => Kind::H5,
        Tag::H6 => Kind::H6,
        Tag::Li => Kind::Li,
        Tag::Dt => Kind::Dt,
        Tag::Dd => Kind::Dd,
        Tag::Td => Kind::Td,
        Tag::Th => Kind::Th,
        Tag::Caption => Kind::Caption,
        Tag::Figcaption => Kind::Figcaption,
        Tag::Summary => Kind::Summary,
        Tag::Legend => Kind::Legend,
        Tag::Blockquote => Kind::Blockquote,
        Tag::Pre => Kind::Pre,
        Tag::Address => Kind::Address,
        Tag::Figure => Kind::Figure,
        _ => Kind::Other,
    }
}
