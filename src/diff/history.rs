//! The course of an article over its snapshots: what each changed, and for every paragraph when it
//! appeared and when it last changed.

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::change::{Change, Class, Diff, Op, Place};
use super::keys::is_revision;
use super::options::Options;
use super::summary::Summary;
use super::{diff, filter, places};
use crate::block::{Block, Document};
use crate::digest::Hash;

/// A paragraph that was gone and comes back is known again if its text has at least this many bytes.
const KNOWN_AGAIN: usize = 24;

/// Paragraphs that are gone are remembered up to this number, so that an article with endless
/// turnover cannot fill the memory; the memory is emptied when it is full.
const REMEMBERED: usize = 1 << 16;

/// An article's history, fed one snapshot after the other in order of time.
///
/// It keeps the last snapshot only. A snapshot whose extraction jumped is set aside: if the next one
/// is as before, nothing happened; if the jump stays, it is taken over.
#[derive(Debug, Default)]
pub struct History {
    last: Option<State>,
    aside: Option<Aside>,
    gone: FxHashMap<Hash, Life>,
    paragraphs: u32,
}

#[derive(Debug)]
struct State {
    n: u32,
    document: Document,
    lives: Vec<Life>,
}

#[derive(Debug)]
struct Aside {
    n: u32,
    document: Document,
    diff: Diff,
}

/// What is known of one block over time.
#[derive(Debug, Clone, Copy)]
struct Life {
    paragraph: u32,
    first: u32,
    changed: u32,
    edits: u32,
}

/// What one snapshot changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The snapshot's number as given.
    pub n: u32,
    /// The number of the snapshot it was compared with.
    pub previous: Option<u32>,
    /// What kind of snapshot it is.
    pub kind: StepKind,
    /// Counts by place and class.
    pub summary: Summary,
    /// The ledger: one record for each changed block. Empty for the first snapshot.
    pub edits: Vec<Edit>,
}

/// What kind of snapshot a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// The first one.
    First,
    /// The ordered texts of the body differ from the snapshot before.
    Revision,
    /// The texts are equal; links, images, emphasis or a place besides the body differ.
    Form,
    /// Nothing of the article differs.
    Same,
    /// The extraction jumped; probably no edit.
    Suspect,
}

impl StepKind {
    /// The word used in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Revision => "revision",
            Self::Form => "form",
            Self::Same => "same",
            Self::Suspect => "suspect",
        }
    }
}

/// One record of the edit ledger.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edit {
    /// The snapshot in which the change appeared.
    pub n: u32,
    /// The snapshot before it.
    pub previous: u32,
    /// Numbers of the paragraphs concerned, given in the order in which they appeared in the article;
    /// a paragraph keeps its number through edits and moves.
    pub paragraphs: Vec<u32>,
    /// The earliest snapshot in which any of them appeared.
    pub first: u32,
    /// The old text; several blocks are joined by a line feed. `None` for an insertion.
    pub old_text: Option<String>,
    /// The new text; several blocks are joined by a line feed. `None` for a deletion.
    pub new_text: Option<String>,
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
}

/// Every block of a snapshot with its past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blame {
    /// The number of the snapshot whose blocks these are: the newest that is not suspect.
    pub n: u32,
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
    pub first: u32,
    /// The snapshot in which its text, a link or an image last changed; `first` if never. Moves and
    /// emphasis do not count.
    pub changed: u32,
    /// How often it changed.
    pub edits: u32,
    /// Byte range in the raw page, half-open.
    pub range: [usize; 2],
    /// Canonical text.
    pub text: String,
}

impl History {
    /// A history without snapshots.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next snapshot and tells what it changed. `n` is its number in the history.
    pub fn push(&mut self, n: u32, document: Document, options: &Options) -> Step {
        let Some(last) = self.last.take() else {
            let lives = document.blocks.iter().map(|_| self.born(n)).collect();
            self.last = Some(State { n, document, lives });
            return Step {
                n,
                previous: None,
                kind: StepKind::First,
                summary: Summary::default(),
                edits: Vec::new(),
            };
        };
        // Lives follow every change; the filter only picks what is told.
        let all = Options {
            filter: None,
            ..*options
        };
        let found = diff(&last.document, &document, &all);
        let Some(aside) = self.aside.take() else {
            if found.suspect.is_some() {
                return self.set_aside(last, n, document, found);
            }
            return self.advance(&last, n, document, found, options);
        };
        if found.suspect.is_none() {
            return self.advance(&last, n, document, found, options);
        }
        let stays = diff(&aside.document, &document, &all);
        if stays.suspect.is_some() {
            return self.set_aside(last, n, document, found);
        }
        // The jump stays: it becomes part of the history, then what changed since.
        self.advance(&last, aside.n, aside.document, aside.diff, options);
        match self.last.take() {
            Some(last) => self.advance(&last, n, document, stays, options),
            None => self.push(n, document, options),
        }
    }

    /// Takes a snapshot that is known to have the same blocks as the one before, without its document.
    pub fn same(&mut self, n: u32) -> Step {
        Step {
            n,
            previous: self.last.as_ref().map(|last| last.n),
            kind: StepKind::Same,
            summary: Summary::default(),
            edits: Vec::new(),
        }
    }

    /// Every block of the newest snapshot with its past; `None` before the first snapshot.
    #[must_use]
    pub fn blame(&self) -> Option<Blame> {
        let last = self.last.as_ref()?;
        let places = places(&last.document);
        Some(Blame {
            n: last.n,
            paragraphs: last
                .document
                .blocks
                .iter()
                .zip(&last.lives)
                .zip(places)
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
        })
    }

    fn born(&mut self, n: u32) -> Life {
        let paragraph = self.paragraphs;
        self.paragraphs += 1;
        Life {
            paragraph,
            first: n,
            changed: n,
            edits: 0,
        }
    }

    fn set_aside(&mut self, last: State, n: u32, document: Document, diff: Diff) -> Step {
        let step = Step {
            n,
            previous: Some(last.n),
            kind: StepKind::Suspect,
            summary: Summary::of(&diff),
            edits: Vec::new(),
        };
        self.last = Some(last);
        self.aside = Some(Aside { n, document, diff });
        step
    }

    fn advance(
        &mut self,
        last: &State,
        n: u32,
        document: Document,
        mut diff: Diff,
        options: &Options,
    ) -> Step {
        let mut lives: Vec<Option<Life>> = vec![None; document.blocks.len()];
        let mut edits = Vec::new();
        let leaves_out = |change: &Change| {
            options.filter.is_some_and(|filter| {
                filter::reason(change, filter, &last.document.blocks, &document.blocks).is_some()
            })
        };
        for change in &diff.changes {
            let sources: Vec<Life> = change
                .old
                .iter()
                .filter_map(|&i| last.lives.get(i as usize).copied())
                .collect();
            if change.op == Op::Equal {
                for (life, &j) in sources.iter().zip(&change.new) {
                    put(&mut lives, j, *life);
                }
                continue;
            }
            let after = self.lives_after(change, &sources, &last.document, &document, n);
            for (life, &j) in after.iter().zip(&change.new) {
                put(&mut lives, j, *life);
            }
            if leaves_out(change) {
                continue;
            }
            let mut paragraphs: Vec<u32> = sources.iter().chain(&after).map(|life| life.paragraph).collect();
            paragraphs.sort_unstable();
            paragraphs.dedup();
            edits.push(Edit {
                n,
                previous: last.n,
                paragraphs,
                first: sources
                    .iter()
                    .chain(&after)
                    .map(|life| life.first)
                    .min()
                    .unwrap_or(n),
                old_text: text(&last.document.blocks, &change.old),
                new_text: text(&document.blocks, &change.new),
                change: change.clone(),
            });
        }
        let lives = lives
            .into_iter()
            .map(|life| life.unwrap_or_else(|| self.born(n)))
            .collect();
        if let Some(filter) = options.filter {
            filter::filter(&mut diff, filter, &last.document.blocks, &document.blocks);
        }
        let told = options.filter.is_none() || !edits.is_empty();
        let kind = if told && is_revision(&last.document, &document) {
            StepKind::Revision
        } else if edits.iter().any(|edit| edit.change.place != Place::Outside) {
            StepKind::Form
        } else {
            StepKind::Same
        };
        self.last = Some(State { n, document, lives });
        Step {
            n,
            previous: Some(last.n),
            kind,
            summary: Summary::of(&diff),
            edits,
        }
    }

    /// The lives of a change's new blocks. What was deleted is remembered, in case it comes back.
    fn lives_after(
        &mut self,
        change: &Change,
        sources: &[Life],
        old: &Document,
        new: &Document,
        n: u32,
    ) -> Vec<Life> {
        let block = |document: &'_ Document, at: u32| document.blocks.get(at as usize).map(Block::key);
        if change.op == Op::Delete {
            if self.gone.len() >= REMEMBERED {
                self.gone.clear();
            }
            for (life, &i) in sources.iter().zip(&change.old) {
                if let Some(key) = block(old, i) {
                    self.gone.insert(key, *life);
                }
            }
            return Vec::new();
        }
        let oldest = sources
            .iter()
            .copied()
            .min_by_key(|life| (life.first, life.paragraph));
        let Some(oldest) = oldest else {
            return change.new.iter().map(|&j| self.born_again(new, j, n)).collect();
        };
        let was = text(&old.blocks, &change.old).unwrap_or_default();
        let changed = sources.iter().map(|life| life.changed).max().unwrap_or(n);
        let edits = sources.iter().map(|life| life.edits).max().unwrap_or(0);
        let counts = !change.words.is_empty() && change.class > Class::Cosmetic
            || matches!(change.op, Op::Edit) && change.class > Class::Markup;
        // Of the parts of a split the largest keeps the number.
        let largest = change
            .new
            .iter()
            .max_by_key(|&&j| {
                let length = new.blocks.get(j as usize).map_or(0, |block| block.text.len());
                (length, std::cmp::Reverse(j))
            })
            .copied();
        change
            .new
            .iter()
            .map(|&j| {
                let part = new.blocks.get(j as usize).map_or("", |block| block.text.as_str());
                let edited = counts && !(change.op == Op::Split && was.contains(part));
                Life {
                    paragraph: if Some(j) == largest {
                        oldest.paragraph
                    } else {
                        self.born(n).paragraph
                    },
                    first: oldest.first,
                    changed: if edited { n } else { changed },
                    edits: edits + u32::from(edited),
                }
            })
            .collect()
    }

    fn born_again(&mut self, document: &Document, at: u32, n: u32) -> Life {
        let known = document
            .blocks
            .get(at as usize)
            .filter(|block| block.text.len() >= KNOWN_AGAIN)
            .and_then(|block| self.gone.remove(&block.key()));
        match known {
            Some(life) => Life {
                changed: n,
                edits: life.edits + 1,
                ..life
            },
            None => self.born(n),
        }
    }
}

fn put(lives: &mut [Option<Life>], at: u32, life: Life) {
    if let Some(place) = lives.get_mut(at as usize) {
        *place = Some(life);
    }
}

/// The texts of blocks, with a line feed between them; `None` for no blocks.
fn text(blocks: &[Block], at: &[u32]) -> Option<String> {
    if at.is_empty() {
        return None;
    }
    let texts: Vec<&str> = at
        .iter()
        .filter_map(|&index| blocks.get(index as usize))
        .map(|block| block.text.as_str())
        .collect();
    Some(texts.join("\n"))
}
