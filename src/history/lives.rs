//! The lives of paragraphs: a paragraph keeps its number through edits, moves, splits and merges, and
//! is known again when it comes back.

use rustc_hash::FxHashMap;

use super::course::Past;
use crate::block::{Block, Document};
use crate::diff::{Change, Class, Op};
use crate::digest::Hash;

/// A paragraph that was gone and comes back is known again if its text has at least this many bytes.
const KNOWN_AGAIN: usize = 24;

/// Paragraphs that are gone are remembered up to this number, so that an article with endless
/// turnover cannot fill the memory; the memory is emptied when it is full.
const REMEMBERED: usize = 1 << 16;

/// What is known of one block over time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    /// The paragraph's number.
    pub paragraph: u32,
    /// The snapshot in which it appeared.
    pub first: u64,
    /// The snapshot in which it last changed.
    pub changed: u64,
    /// How often it changed.
    pub edits: u32,
}

/// Gives numbers to paragraphs and remembers those that are gone.
#[derive(Debug, Default)]
pub(super) struct Register {
    gone: FxHashMap<Hash, Life>,
    paragraphs: u32,
}

impl Register {
    /// A life that begins in snapshot `n`.
    pub fn born(&mut self, n: u64) -> Life {
        let paragraph = self.paragraphs;
        self.paragraphs += 1;
        Life {
            paragraph,
            first: n,
            changed: n,
            edits: 0,
        }
    }

    /// The lives of the blocks of `new`, from those of `old` and the changes between the two. `told` is
    /// called for every change that is no equal run, in order.
    pub fn after(
        &mut self,
        changes: &[Change],
        old: (&Document, &[Life]),
        new: &Document,
        n: u64,
        told: &mut dyn FnMut(Past),
    ) -> Vec<Life> {
        let mut lives: Vec<Option<Life>> = vec![None; new.blocks.len()];
        let mut put = |at: u32, life: Life| {
            if let Some(place) = lives.get_mut(at as usize) {
                *place = Some(life);
            }
        };
        for change in changes {
            let sources: Vec<Life> = change
                .old
                .iter()
                .filter_map(|&i| old.1.get(i as usize).copied())
                .collect();
            if change.op == Op::Equal {
                for (life, &j) in sources.iter().zip(&change.new) {
                    put(j, *life);
                }
                continue;
            }
            let after = self.of_change(change, &sources, old.0, new, n);
            for (life, &j) in after.iter().zip(&change.new) {
                put(j, *life);
            }
            let all = || sources.iter().chain(&after);
            let mut paragraphs: Vec<u32> = all().map(|life| life.paragraph).collect();
            paragraphs.sort_unstable();
            paragraphs.dedup();
            told(Past {
                paragraphs,
                first: all().map(|life| life.first).min().unwrap_or(n),
            });
        }
        lives
            .into_iter()
            .map(|life| life.unwrap_or_else(|| self.born(n)))
            .collect()
    }

    /// The lives of a change's new blocks. What was deleted is remembered, in case it comes back.
    fn of_change(
        &mut self,
        change: &Change,
        sources: &[Life],
        old: &Document,
        new: &Document,
        n: u64,
    ) -> Vec<Life> {
        if change.op == Op::Delete {
            self.bury(change, sources, old);
            return Vec::new();
        }
        let oldest = sources
            .iter()
            .copied()
            .min_by_key(|life| (life.first, life.paragraph));
        let Some(oldest) = oldest else {
            return change.new.iter().map(|&j| self.born_again(new, j, n)).collect();
        };
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
        let unchanged_part = |j: u32| {
            let part = new.blocks.get(j as usize).map_or("", |block| block.text.as_str());
            let mut wholes = change.old.iter().filter_map(|&i| old.blocks.get(i as usize));
            change.op == Op::Split && wholes.any(|whole| whole.text.contains(part))
        };
        change
            .new
            .iter()
            .map(|&j| {
                let edited = counts && !unchanged_part(j);
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

    fn bury(&mut self, change: &Change, sources: &[Life], old: &Document) {
        if self.gone.len() >= REMEMBERED {
            self.gone.clear();
        }
        for (life, &i) in sources.iter().zip(&change.old) {
            if let Some(key) = old.blocks.get(i as usize).map(Block::key) {
                self.gone.insert(key, *life);
            }
        }
    }

    fn born_again(&mut self, document: &Document, at: u32, n: u64) -> Life {
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
