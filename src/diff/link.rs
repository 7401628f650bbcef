//! Which old and new blocks belong together: equal ones first, then what is alike.

use super::change::{Limit, Place};
use super::class::{Identity, image_key};
use super::gram::Grams;
use super::loose::skeleton;
use super::pair::{Free, Link, pair};
use super::sequence::{align, chain};
use super::token::hash;
use crate::block::Block;

/// An equal block far from where it stood counts as moved if its text has at least this many bytes,
/// or if it occurs once on each side: that a "12" was deleted here and a "12" added there is no move.
const MOVE_BYTES: usize = 24;

/// Blocks of up to this many bytes of text in the same gap are paired if only numbers or decoration
/// differ: they are too short for 3-grams to tell.
const SHORT: usize = 96;

/// One side of a diff.
pub(super) struct Side<'a> {
    pub blocks: &'a [Block],
    pub places: &'a [Place],
    /// What blocks are aligned by: equal for equal blocks, to be confirmed.
    keys: Vec<u64>,
    /// Length of each block's text in characters.
    pub characters: Vec<u32>,
}

impl<'a> Side<'a> {
    pub fn new(blocks: &'a [Block], places: &'a [Place], identity: Identity) -> Self {
        let keys = blocks
            .iter()
            .map(|block| {
                if block.text.is_empty() {
                    hash(image_key(block, identity).as_bytes())
                } else {
                    block.text_hash.prefix()
                }
            })
            .collect();
        let characters = blocks
            .iter()
            .map(|block| block.text.chars().count() as u32)
            .collect();
        Self {
            blocks,
            places,
            keys,
            characters,
        }
    }
}

/// What belongs together.
pub(super) struct Links {
    /// Pairs of equal blocks, ascending by old index.
    pub equal: Vec<(u32, u32)>,
    /// Blocks that belong together though they differ, in no particular order.
    pub alike: Vec<Link>,
    /// Where corners were cut.
    pub limits: Vec<Limit>,
}

pub(super) fn link(old: &Side, new: &Side, identity: Identity) -> Links {
    let mut limits = Vec::new();
    let weight = |i: usize| old.blocks.get(i).map_or(1, |block| block.text.len() as u32 + 8);
    let aligned = align(&old.keys, &new.keys, &weight);
    if aligned.rough > 0 {
        limits.push(Limit::Repeats {
            blocks: aligned.rough,
        });
    }
    let mut equal = aligned.pairs;
    equal.retain(|&(i, j)| same(&old.blocks[i as usize], &new.blocks[j as usize], identity));
    if equal.len() == old.blocks.len() && equal.len() == new.blocks.len() {
        return Links {
            equal,
            alike: Vec::new(),
            limits,
        };
    }
    let mut rest = Rest::of(old, new, &equal);
    equal.extend(rest.take(rest.elsewhere(old, new, identity)));
    equal.sort_unstable();
    let mut alike: Vec<Link> = rest
        .take(rest.headlines(old, new))
        .into_iter()
        .chain(rest.take(rest.in_gaps(old, new)))
        .map(|(i, j)| Link {
            old: vec![i],
            new: vec![j],
            similarity: Grams::of(&old.blocks[i as usize].text)
                .dice(&Grams::of(&new.blocks[j as usize].text)),
        })
        .collect();
    let free = |side: &Side, rest: &[(u32, u32)]| -> Vec<Free> {
        rest.iter()
            .filter(|&&(index, _)| !side.blocks[index as usize].text.is_empty())
            .map(|&(index, gap)| Free {
                index,
                gap,
                body: side.places[index as usize] != Place::Outside,
                grams: Grams::of(&side.blocks[index as usize].text),
            })
            .collect()
    };
    if !rest.old.is_empty() && !rest.new.is_empty() {
        alike.extend(pair(&free(old, &rest.old), &free(new, &rest.new), &mut limits));
    }
    Links { equal, alike, limits }
}

fn same(old: &Block, new: &Block, identity: Identity) -> bool {
    if old.text.is_empty() && new.text.is_empty() {
        old.form_hash == new.form_hash || image_key(old, identity) == image_key(new, identity)
    } else {
        old.text_hash == new.text_hash
    }
}

/// Blocks without a partner so far: index and gap, ascending.
struct Rest {
    old: Vec<(u32, u32)>,
    new: Vec<(u32, u32)>,
}

impl Rest {
    fn of(old: &Side, new: &Side, equal: &[(u32, u32)]) -> Self {
        let free = |count: usize, taken: &mut dyn Iterator<Item = u32>| {
            let mut rest = Vec::new();
            let mut at = 0;
            let mut gap = 0;
            for next in taken {
                rest.extend((at..next).map(|index| (index, gap)));
                at = next + 1;
                gap += 1;
            }
            rest.extend((at..count as u32).map(|index| (index, gap)));
            rest
        };
        Self {
            old: free(old.blocks.len(), &mut equal.iter().map(|pair| pair.0)),
            new: free(new.blocks.len(), &mut equal.iter().map(|pair| pair.1)),
        }
    }

    /// Takes pairs out of the rest and hands them on.
    fn take(&mut self, pairs: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
        let without = |rest: &mut Vec<(u32, u32)>, mut taken: Vec<u32>| {
            if !taken.is_empty() {
                taken.sort_unstable();
                rest.retain(|(index, _)| taken.binary_search(index).is_err());
            }
        };
        without(&mut self.old, pairs.iter().map(|pair| pair.0).collect());
        without(&mut self.new, pairs.iter().map(|pair| pair.1).collect());
        pairs
    }

    /// Equal blocks that stand elsewhere, the first free occurrence with the first.
    fn elsewhere(&self, old: &Side, new: &Side, identity: Identity) -> Vec<(u32, u32)> {
        let sorted = |side: &Side, rest: &[(u32, u32)]| {
            let mut keys: Vec<(u64, u32)> = rest
                .iter()
                .map(|&(index, _)| (side.keys[index as usize], index))
                .collect();
            keys.sort_unstable();
            keys
        };
        let (ours, theirs) = (sorted(old, &self.old), sorted(new, &self.new));
        let mut pairs = Vec::new();
        let mut at = 0;
        for run in ours.chunk_by(|a, b| a.0 == b.0) {
            let key = run[0].0;
            while theirs.get(at).is_some_and(|other| other.0 < key) {
                at += 1;
            }
            let start = at;
            while theirs.get(at).is_some_and(|other| other.0 == key) {
                at += 1;
            }
            let found = &theirs[start..at];
            let length = old.blocks[run[0].1 as usize].text.len();
            if length < MOVE_BYTES && (run.len() > 1 || found.len() > 1) {
                continue;
            }
            pairs.extend(
                run.iter()
                    .zip(found)
                    .map(|(a, b)| (a.1, b.1))
                    .filter(|&(i, j)| same(&old.blocks[i as usize], &new.blocks[j as usize], identity)),
            );
        }
        pairs
    }

    /// The headline with the headline, however it was rewritten.
    fn headlines(&self, old: &Side, new: &Side) -> Vec<(u32, u32)> {
        let find = |side: &Side, rest: &[(u32, u32)]| {
            rest.iter()
                .map(|pair| pair.0)
                .find(|&index| side.places[index as usize] == Place::Headline)
        };
        find(old, &self.old)
            .zip(find(new, &self.new))
            .into_iter()
            .collect()
    }

    /// Short blocks and images between the same unchanged neighbours that differ in numbers or
    /// decoration only.
    fn in_gaps(&self, old: &Side, new: &Side) -> Vec<(u32, u32)> {
        let sketch = |side: &Side, &(index, gap): &(u32, u32)| {
            let block = &side.blocks[index as usize];
            let body = side.places[index as usize] != Place::Outside;
            (block.text.len() <= SHORT).then(|| {
                let mut bytes = [0; 16];
                bytes[..8].copy_from_slice(&skeleton(&block.text).to_le_bytes());
                bytes[8..12].copy_from_slice(&gap.to_le_bytes());
                bytes[12] = block.kind as u8;
                bytes[13] = u8::from(body);
                (index, hash(&bytes))
            })
        };
        let ours: Vec<(u32, u64)> = self.old.iter().filter_map(|at| sketch(old, at)).collect();
        if ours.is_empty() {
            return Vec::new();
        }
        let theirs: Vec<(u32, u64)> = self.new.iter().filter_map(|at| sketch(new, at)).collect();
        let ids = |side: &[(u32, u64)]| side.iter().map(|pair| pair.1).collect::<Vec<_>>();
        align(&ids(&ours), &ids(&theirs), &|_| 1)
            .pairs
            .into_iter()
            .map(|(i, j)| (ours[i as usize].0, theirs[j as usize].0))
            .collect()
    }
}

/// Which links stay in place: the heaviest chain that crosses nowhere. All others were moved.
///
/// `links` hold the first old and the first new index and a weight, and come ascending by old index;
/// the answer says for each whether it stays.
pub(super) fn stays(links: &[(u32, u32, u32)]) -> Vec<bool> {
    let pairs: Vec<(u32, u32)> = links
        .iter()
        .enumerate()
        .map(|(at, link)| (at as u32, link.1))
        .collect();
    let kept = chain(&pairs, &|at| links.get(at).map_or(1, |link| link.2));
    let mut stays = vec![false; links.len()];
    for (at, _) in kept {
        stays[at as usize] = true;
    }
    stays
}
