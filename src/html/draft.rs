//! Blocks in the making: text and marks are collected in a draft, which becomes a block when its
//! element ends.

use std::borrow::Cow;
use std::ops::Range;

use super::blocks::What;
use super::containers::{Containers, attributes};
use super::form::{count_code_points, form_hash};
use super::text::{Collapsed, nfc};
use super::token::{AttributeSpan, attribute_value};
use crate::block::{Block, Kind, Mark};
use crate::digest::sha256;

/// Links, images and emphasis recorded for one block; more are not.
pub const MAX_MARKS: usize = 1 << 16;

/// A link, image or emphasis; places are bytes of the collapsed text.
#[derive(Debug, Clone, Copy)]
struct DraftMark {
    what: What,
    start: usize,
    end: Option<usize>,
    /// Media of the block before the mark, and whether some came inside it.
    media: u32,
    encloses_media: bool,
}

/// A block that is still open.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub kind: Kind,
    pub slot: u32,
    pub range: Range<usize>,
    pub inner: Range<usize>,
    /// Attributes of the start tag; none for anonymous text.
    pub attributes: Vec<AttributeSpan>,
    /// The declared hash as a span of the text.
    pub declared: Option<(usize, usize)>,
    pub collapsed: Collapsed,
    pub media: u32,
    /// Its end tag was seen although a block inside is still open.
    pub ended: bool,
    marks: Vec<DraftMark>,
}

impl Draft {
    /// Begins a mark at the end of the text; its number, or none if there are too many.
    pub fn begin_mark(&mut self, what: What) -> Option<u32> {
        if self.marks.len() >= MAX_MARKS {
            return None;
        }
        self.marks.push(DraftMark {
            what,
            start: self.collapsed.text.len(),
            end: None,
            media: self.media,
            encloses_media: false,
        });
        Some(self.marks.len() as u32 - 1)
    }

    /// As if it were new, but for the memory it has.
    fn empty(&mut self) {
        let mut collapsed = std::mem::take(&mut self.collapsed);
        collapsed.text.clear();
        collapsed.space = false;
        let mut marks = std::mem::take(&mut self.marks);
        marks.clear();
        let mut attributes = std::mem::take(&mut self.attributes);
        attributes.clear();
        *self = Self {
            attributes,
            collapsed,
            marks,
            ..Self::default()
        };
    }

    pub fn end_mark(&mut self, mark: u32) {
        let (end, media) = (self.collapsed.text.len(), self.media);
        if let Some(mark) = self.marks.get_mut(mark as usize) {
            mark.end = Some(end);
            mark.encloses_media = media > mark.media;
        }
    }
}

/// The place of a block in source order, taken when it begins.
#[derive(Debug)]
struct Slot {
    /// The slot of the block element around it.
    parent: Option<u32>,
    /// Where the block stands among those that were finished: none while it is open, and for good if it turned out
    /// empty.
    block: Option<u32>,
}

/// Makes blocks of drafts, keeps them in source order and lends them their buffers.
pub(super) struct Finisher<'a> {
    text: &'a str,
    /// A place for every block begun; those that turned out empty are none.
    slots: Vec<Slot>,
    /// In the order in which they ended.
    blocks: Vec<Block>,
    /// Drafts that were finished; boxed, so that one that moves is a pointer.
    #[allow(clippy::vec_box)]
    buffers: Vec<Box<Draft>>,
    places: Vec<(u32, u32)>,
    lines: Vec<u8>,
}

impl<'a> Finisher<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            slots: Vec::new(),
            blocks: Vec::new(),
            buffers: Vec::new(),
            places: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Blocks begun so far, without those that turned out empty at once.
    pub fn count(&self) -> usize {
        self.slots.len()
    }

    /// An empty draft for the next place in source order.
    pub fn draft(&mut self, kind: Kind, parent: Option<u32>) -> Box<Draft> {
        let mut draft = self.buffers.pop().unwrap_or_default();
        draft.kind = kind;
        draft.slot = self.slots.len() as u32;
        self.slots.push(Slot { parent, block: None });
        draft
    }

    /// Turns a draft into a block, unless it has no text, no media and no declared hash.
    pub fn finish(&mut self, mut draft: Box<Draft>, containers: &mut Containers<'_>) {
        if draft.collapsed.text.is_empty() && draft.media == 0 && draft.declared.is_none() {
            if draft.slot as usize + 1 == self.slots.len() {
                self.slots.pop();
            }
        } else {
            let block = self.block(&mut draft, containers);
            if let Some(slot) = self.slots.get_mut(draft.slot as usize) {
                slot.block = Some(self.blocks.len() as u32);
                self.blocks.push(block);
            }
        }
        draft.empty();
        self.buffers.push(draft);
    }

    fn block(&mut self, draft: &mut Draft, containers: &mut Containers<'_>) -> Block {
        let collapsed = std::mem::take(&mut draft.collapsed.text);
        let canonical = nfc(&collapsed);
        let composes = matches!(canonical, Cow::Owned(_));
        let marks = self.marks(draft, &collapsed, composes);
        let text = canonical.into_owned();
        draft.collapsed.text = collapsed;
        let attributes = attributes(self.text, &draft.attributes, |_| true);
        let id = attributes
            .iter()
            .find(|attribute| &*attribute.name == "dmcf-pid")
            .map(|attribute| attribute.value.clone());
        Block {
            kind: draft.kind,
            range: draft.range.clone(),
            inner: draft.inner.clone(),
            container: containers.innermost(),
            parent: None,
            attributes,
            declared: draft
                .declared
                .map(|(start, end)| attribute_value(&self.text[start..end]).into()),
            id,
            text_hash: sha256(text.as_bytes()),
            form_hash: form_hash(draft.kind, &text, &marks, &mut self.lines),
            text,
            marks,
            body: false,
        }
    }

    /// The marks that enclose something, with places counted in code points of the canonical text.
    fn marks(&mut self, draft: &mut Draft, text: &str, composes: bool) -> Vec<Mark> {
        if draft.marks.is_empty() {
            return Vec::new();
        }
        for mark in &mut draft.marks {
            if mark.end.is_none() {
                mark.encloses_media = draft.media > mark.media;
            }
            let end = *mark.end.get_or_insert(text.len());
            if mark.start < end && text.as_bytes().get(mark.start) == Some(&b' ') {
                mark.start += 1;
            }
        }
        draft.marks.retain(|mark| match mark.what {
            What::Image { .. } => true,
            What::Link { .. } => mark.encloses_media || mark.end > Some(mark.start),
            What::Emphasis { .. } => mark.end > Some(mark.start),
        });
        self.places.clear();
        for mark in &draft.marks {
            self.places.push((mark.start as u32, 0));
            self.places.push((mark.end.unwrap_or(mark.start) as u32, 0));
        }
        self.places.sort_unstable();
        self.places.dedup();
        count_code_points(text, composes, &mut self.places);
        let count = |place: usize| {
            let found = self.places.binary_search_by_key(&(place as u32), |known| known.0);
            found.map_or(0, |at| self.places[at].1)
        };
        let value = |(start, end): (usize, usize)| attribute_value(&self.text[start..end]).into_owned();
        draft
            .marks
            .iter()
            .map(|mark| {
                let range = count(mark.start)..count(mark.end.unwrap_or(mark.start));
                match mark.what {
                    What::Link { href } => Mark::Link {
                        range,
                        href: value(href),
                    },
                    What::Image { src, alt } => Mark::Image {
                        at: range.start,
                        src: value(src),
                        alt: value(alt),
                    },
                    What::Emphasis { tag } => Mark::Emphasis { range, tag },
                }
            })
            .collect()
    }

    /// All blocks in source order. A parent that is no block passes its place on to its own parent.
    pub fn take(&mut self) -> Vec<Block> {
        let mut blocks = std::mem::take(&mut self.blocks);
        let mut places: Vec<Option<u32>> = Vec::with_capacity(self.slots.len());
        // The place in source order of every block finished.
        let mut order: Vec<u32> = vec![0; blocks.len()];
        let mut count = 0;
        for slot in self.slots.drain(..) {
            let parent = slot
                .parent
                .and_then(|parent| places.get(parent as usize).copied().flatten());
            let block = slot.block.map(|block| block as usize);
            if let Some((block, place)) = block.and_then(|at| blocks.get_mut(at).zip(order.get_mut(at))) {
                block.parent = parent;
                *place = count;
                places.push(Some(count));
                count += 1;
            } else {
                places.push(parent);
            }
        }
        // Nearly all end in the order in which they begin, so that few are moved. Every swap brings one to its place.
        for at in 0..blocks.len() {
            while order[at] as usize != at {
                let place = order[at] as usize;
                blocks.swap(at, place);
                order.swap(at, place);
            }
        }
        blocks
    }
}
