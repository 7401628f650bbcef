//! Differences told from keys alone, so that pages need not be restored where that is enough.

use std::hash::Hash;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::sequence::{align, chain};
use crate::block::Document;
use crate::digest;

/// What two lists of block keys say about each other. Indices are positions in the lists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct KeyDiff {
    /// Equal keys in the same order, ascending on both sides.
    pub equal: Vec<(u32, u32)>,
    /// Equal keys that stand elsewhere, ascending by old index.
    pub moved: Vec<(u32, u32)>,
    /// Old positions whose key is gone, ascending.
    pub deleted: Vec<u32>,
    /// New positions whose key was not there, ascending.
    pub inserted: Vec<u32>,
}

impl KeyDiff {
    /// Whether the lists are the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.moved.is_empty() && self.deleted.is_empty() && self.inserted.is_empty()
    }
}

/// Compares two lists of keys: content hashes, or the prefixes the catalog holds. An edited block
/// shows as one deleted and one inserted; what was edited takes the texts and [`diff`](super::diff).
#[must_use]
pub fn changed<K: Copy + Eq + Hash>(old: &[K], new: &[K]) -> KeyDiff {
    if old == new {
        return KeyDiff {
            equal: (0..old.len() as u32).map(|at| (at, at)).collect(),
            ..KeyDiff::default()
        };
    }
    let mut numbers: FxHashMap<K, u64> = FxHashMap::default();
    let mut number = |keys: &[K]| -> Vec<u64> {
        keys.iter()
            .map(|key| {
                let next = numbers.len() as u64;
                *numbers.entry(*key).or_insert(next)
            })
            .collect()
    };
    let (ours, theirs) = (number(old), number(new));
    let equal = align(&ours, &theirs, &|_| 1).pairs;
    let free = |count: usize, taken: &mut dyn Iterator<Item = u32>| -> Vec<u32> {
        let mut free = vec![true; count];
        for at in taken {
            free[at as usize] = false;
        }
        (0..count as u32).filter(|&at| free[at as usize]).collect()
    };
    let deleted = free(old.len(), &mut equal.iter().map(|pair| pair.0));
    let inserted = free(new.len(), &mut equal.iter().map(|pair| pair.1));
    let mut waiting: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
    for &j in inserted.iter().rev() {
        waiting.entry(theirs[j as usize]).or_default().push(j);
    }
    let moved: Vec<(u32, u32)> = deleted
        .iter()
        .filter_map(|&i| Some((i, waiting.get_mut(&ours[i as usize])?.pop()?)))
        .collect();
    // What the alignment left in order by its limits is no move.
    let all: Vec<(u32, u32)> = {
        let mut all = [equal, moved].concat();
        all.sort_unstable();
        all
    };
    let equal = chain(&all, &|_| 1);
    let moved: Vec<(u32, u32)> = all
        .iter()
        .copied()
        .filter(|pair| equal.binary_search(pair).is_err())
        .collect();
    let mut partners: (Vec<u32>, Vec<u32>) = moved.iter().copied().unzip();
    partners.1.sort_unstable();
    KeyDiff {
        deleted: without(deleted, &partners.0),
        inserted: without(inserted, &partners.1),
        equal,
        moved,
    }
}

fn without(mut from: Vec<u32>, sorted: &[u32]) -> Vec<u32> {
    from.retain(|at| sorted.binary_search(at).is_err());
    from
}

/// Whether the new document is another revision of the article than the old one: their ordered lists
/// of body texts differ. Blocks without text do not count; they are matters of form.
#[must_use]
pub fn is_revision(old: &Document, new: &Document) -> bool {
    body_texts(old).ne(body_texts(new))
}

/// The content hashes of the body's texts in order, blocks without text left out: two documents are
/// the same revision if these are the same.
pub fn body_texts(document: &Document) -> impl Iterator<Item = digest::Hash> + '_ {
    document
        .blocks
        .iter()
        .filter(|block| block.body && !block.text.is_empty())
        .map(|block| block.text_hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_what_moved_came_and_went() {
        let found = changed(b"abcdef", b"acdxbf");
        assert_eq!(found.equal, [(0, 0), (2, 1), (3, 2), (5, 5)]);
        assert_eq!(found.moved, [(1, 4)]);
        assert_eq!(found.deleted, [4]);
        assert_eq!(found.inserted, [3]);
        assert!(!found.is_equal());
        assert!(changed(b"aa", b"aa").is_equal());
        assert!(changed::<u8>(&[], &[]).is_equal());
    }

    #[test]
    fn every_position_stands_in_one_list() {
        let old: Vec<u32> = (0..3000).map(|i| i * 7 % 1013).collect();
        let new: Vec<u32> = (0..2500).map(|i| i * 11 % 997).collect();
        let found = changed(&old, &new);
        let mut seen: Vec<u32> = found
            .equal
            .iter()
            .chain(&found.moved)
            .map(|pair| pair.0)
            .collect();
        seen.extend(&found.deleted);
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..3000));
        let mut seen: Vec<u32> = found
            .equal
            .iter()
            .chain(&found.moved)
            .map(|pair| pair.1)
            .collect();
        seen.extend(&found.inserted);
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..2500));
    }
}
