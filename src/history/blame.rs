//! Every block of a snapshot with its past.

use serde::Serialize;

use super::lives::Life;
use crate::block::Document;
use crate::diff::{Place, places};

/// Every block of a snapshot with its past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blame {
    /// The number of the snapshot whose blocks these are: the newest that is not suspect.
    pub n: u64,
    /// Its blocks in source order, those outside the article included.
    pub paragraphs: Vec<Paragraph>,
}

/// One block and its past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paragraph {
    /// Index in the document's blocks.
    pub index: u32,
    /// The paragraph's number, as in the ledger.
    pub paragraph: u32,
    /// Where it stands.
    pub place: Place,
    /// The snapshot in which it appeared; for a part of a split that of the whole, for a merger that
    /// of its oldest part.
    pub first: u64,
    /// The snapshot in which its text, a link or an image last changed; `first` if never. Moves and
    /// emphasis do not count.
    pub changed: u64,
    /// How often it changed.
    pub edits: u32,
    /// Byte range in the raw page, half-open.
    pub range: [usize; 2],
    /// Canonical text.
    pub text: String,
}

impl Blame {
    pub(super) fn of(n: u64, document: &Document, lives: &[Life]) -> Self {
        let blocks = document.blocks.iter().zip(lives).zip(places(document));
        Self {
            n,
            paragraphs: blocks
                .enumerate()
                .map(|(index, ((block, life), place))| Paragraph {
                    index: index as u32,
                    paragraph: life.paragraph,
                    place,
                    first: life.first,
                    changed: life.changed,
                    edits: life.edits,
                    range: [block.range.start, block.range.end],
                    text: block.text.clone(),
                })
                .collect(),
        }
    }
}
