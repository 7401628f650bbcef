//! What verdicts about single blocks cannot show: declared hashes that are gone, repeated or in
//! another order than on a snapshot of the same article.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::block::Document;

/// How the declared hashes of a page stand against those of another snapshot of its article.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Structure {
    /// Blocks of the other snapshot whose declared hash stands nowhere on this page, as indices into
    /// its blocks.
    pub missing: Vec<usize>,
    /// Blocks of this page whose declared hash stands in it before, and stood once on the other.
    pub repeated: Vec<usize>,
    /// Blocks of this page whose declared hash stands on both, in another order: the fewest whose
    /// move explains it.
    pub moved: Vec<usize>,
}

impl Structure {
    /// Whether nothing is missing, repeated or moved.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.missing.is_empty() && self.repeated.is_empty() && self.moved.is_empty()
    }
}

/// Holds the declared hashes of `page` against those of `other`.
#[must_use]
pub fn structure(other: &Document, page: &Document) -> Structure {
    let mut places: HashMap<Cow<'_, str>, Vec<usize>> = HashMap::new();
    for (at, hash) in declared(other) {
        places.entry(hash).or_default().push(at);
    }
    let here: HashSet<Cow<'_, str>> = declared(page).map(|(_, hash)| hash).collect();
    let mut structure = Structure {
        missing: declared(other)
            .filter(|(_, hash)| !here.contains(hash))
            .map(|(at, _)| at)
            .collect(),
        ..Structure::default()
    };
    // The nth occurrence here belongs to the nth occurrence there.
    let mut used: HashMap<Cow<'_, str>, usize> = HashMap::new();
    let mut pairs = Vec::new();
    for (at, hash) in declared(page) {
        let Some(there) = places.get(&hash) else { continue };
        let nth = used.entry(hash).or_default();
        match there.get(*nth) {
            Some(&place) => pairs.push((at, place)),
            None => structure.repeated.push(at),
        }
        *nth += 1;
    }
    let kept = longest_rise(&pairs);
    structure.moved = pairs
        .iter()
        .map(|&(at, _)| at)
        .filter(|at| !kept.contains(at))
        .collect();
    structure
}

/// The declared hashes in one spelling: white space around one and the case of hex digits do not count.
fn declared(document: &Document) -> impl Iterator<Item = (usize, Cow<'_, str>)> {
    let blocks = document.blocks.iter().enumerate();
    blocks.filter_map(|(at, block)| {
        let hash = block.declared.as_deref()?.trim();
        let hex = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let respelled = hex && hash.bytes().any(|byte| byte.is_ascii_uppercase());
        let hash = if respelled {
            Cow::Owned(hash.to_ascii_lowercase())
        } else {
            Cow::Borrowed(hash)
        };
        Some((at, hash))
    })
}

/// The first numbers of the longest chain of pairs whose second numbers rise.
fn longest_rise(pairs: &[(usize, usize)]) -> HashSet<usize> {
    // By length of the chain: the pair that ends it with the smallest second number.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, &(_, second)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|&end| pairs[end].1 < second);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut kept = HashSet::new();
    let mut at = ends.last().copied();
    while let Some(pair) = at {
        kept.insert(pairs[pair].0);
        at = before[pair];
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;

    fn page(hashes: &str) -> Document {
        let block = |hash: char| Block {
            declared: (hash != '-').then(|| hash.to_string().into()),
            ..Block::default()
        };
        Document {
            blocks: hashes.chars().map(block).collect(),
            ..Document::default()
        }
    }

    #[test]
    fn removal_repetition_and_order_are_told_apart() {
        let seen = |old: &str, new: &str| {
            let structure = structure(&page(old), &page(new));
            (structure.missing, structure.repeated, structure.moved)
        };
        assert!(structure(&page("a-bc"), &page("abc-")).is_same());
        assert_eq!(seen("abcd", "abd"), (vec![2], vec![], vec![]));
        assert_eq!(seen("abcd", "abcxd"), (vec![], vec![], vec![]));
        assert_eq!(seen("abcd", "abbcd"), (vec![], vec![2], vec![]));
        assert_eq!(seen("aabb", "aabb"), (vec![], vec![], vec![]));
        assert_eq!(seen("abcde", "bcdea"), (vec![], vec![], vec![4]));
        let (_, _, moved) = seen("abcd", "acbd");
        assert_eq!(moved.len(), 1);
        assert_eq!(seen("", "ab"), (vec![], vec![], vec![]));
        // Upper-case hex digits are the same hash, other letters are not.
        assert!(structure(&page("abc"), &page("ABC")).is_same());
        assert_eq!(seen("xyz", "Xyz"), (vec![0], vec![], vec![]));
    }
}
