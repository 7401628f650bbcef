//! Character 3-grams: how alike two texts are, and how much of one stands in another.

use std::cmp::Ordering;

/// Texts with more 3-grams than this are represented by a sample, so that a huge block costs no more
/// memory and time than many small ones.
pub(super) const SAMPLE: usize = 1 << 15;

/// A sample is thinned by at most this many powers of two. That is far more than any text of different
/// 3-grams needs; one that repeats a few whose hashes are small cannot be thinned at all.
const THINNEST: u32 = 16;

/// Where one list is at least this many times as long as the other, the places of the few are looked up
/// in it.
const LOPSIDED: usize = 16;

/// The 3-grams of a text, with repetition, as hashes in ascending order.
///
/// A long text keeps only the hashes below `2^(32 - shift)`: the same rule on every text, so that
/// samples of different texts can be compared.
#[derive(Debug, Clone, Default)]
pub(super) struct Grams {
    hashes: Vec<u32>,
    /// How many powers of two the sample was thinned by.
    shift: u32,
    /// Number of 3-grams of the whole text.
    total: u32,
}

impl Grams {
    pub fn of(text: &str) -> Self {
        let mut hashes = Vec::with_capacity(text.len().min(SAMPLE * 2));
        let mut shift = 0;
        let mut total = 0_u32;
        let mut keep = |hash: u32, hashes: &mut Vec<u32>| {
            total += 1;
            if u64::from(hash) >> (32 - shift) == 0 {
                hashes.push(hash);
                if hashes.len() > SAMPLE && shift < THINNEST {
                    shift += 1;
                    hashes.retain(|&hash| u64::from(hash) >> (32 - shift) == 0);
                }
            }
        };
        let mut chars = text.chars();
        let (mut a, mut b) = match (chars.next(), chars.next()) {
            (Some(a), Some(b)) => (u32::from(a), u32::from(b)),
            (Some(a), None) => (u32::from(a), 0),
            _ => return Self::default(),
        };
        for c in chars {
            let c = u32::from(c);
            keep(mix(a, b, c), &mut hashes);
            (a, b) = (b, c);
        }
        if text.chars().nth(2).is_none() {
            keep(mix(a, b, 0), &mut hashes);
        }
        hashes.sort_unstable();
        Self { hashes, shift, total }
    }

    /// Number of 3-grams of the whole text; 0 for an empty text only.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// Whether the text was too long to keep all.
    pub fn is_sampled(&self) -> bool {
        self.shift > 0
    }

    /// The smallest hashes: on two similar texts they are mostly the same.
    pub fn smallest(&self, count: usize) -> &[u32] {
        &self.hashes[..self.hashes.len().min(count)]
    }

    /// The hashes that a sample thinned by this many powers of two keeps.
    pub fn below(&self, shift: u32) -> &[u32] {
        if shift <= self.shift {
            return &self.hashes;
        }
        let end = self
            .hashes
            .partition_point(|&hash| u64::from(hash) >> (32 - shift) == 0);
        &self.hashes[..end]
    }

    /// How many 3-grams both texts have, each as often as both have it; estimated if sampled.
    pub fn common(&self, other: &Self) -> f32 {
        let shift = self.shift.max(other.shift);
        let count = count_common(self.below(shift), other.below(shift));
        count as f32 * (1_u64 << shift) as f32
    }

    /// Dice: the common 3-grams over the mean number of both, 0 to 1.
    pub fn dice(&self, other: &Self) -> f32 {
        dice(self.common(other), self.total, other.total)
    }

    /// The 3-grams that `other` does not account for.
    pub fn without(&self, other: &Self) -> Self {
        let shift = self.shift.max(other.shift);
        let (ours, theirs) = (self.below(shift), other.below(shift));
        let mut hashes = Vec::with_capacity(ours.len());
        let mut at = 0;
        for hash in theirs {
            let next = at + ours[at..].partition_point(|own| own < hash);
            hashes.extend_from_slice(&ours[at..next]);
            at = next + usize::from(ours.get(next) == Some(hash));
        }
        hashes.extend_from_slice(&ours[at..]);
        let total = (hashes.len() as u64) << shift;
        Self {
            total: u32::try_from(total).unwrap_or(u32::MAX),
            hashes,
            shift,
        }
    }

    /// The 3-grams of several texts together.
    pub fn all(parts: &[&Self]) -> Self {
        let shift = parts.iter().map(|part| part.shift).max().unwrap_or(0);
        let mut hashes: Vec<u32> = Vec::new();
        for part in parts {
            hashes.extend_from_slice(part.below(shift));
        }
        hashes.sort_unstable();
        Self {
            hashes,
            shift,
            total: parts.iter().map(|part| part.total).sum(),
        }
    }
}

/// Dice from the number of common 3-grams and of each side's.
pub(super) fn dice(common: f32, old: u32, new: u32) -> f32 {
    if old + new == 0 {
        return 0.0;
    }
    (2.0 * common / (old + new) as f32).min(1.0)
}

fn mix(a: u32, b: u32, c: u32) -> u32 {
    let packed = u64::from(a) << 42 | u64::from(b) << 21 | u64::from(c);
    let mixed = packed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32) as u32
}

fn count_common(a: &[u32], b: &[u32]) -> usize {
    let (few, many) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if few.len().saturating_mul(LOPSIDED) <= many.len() {
        let (mut at, mut count) = (0, 0);
        for hash in few {
            at += many[at..].partition_point(|other| other < hash);
            if many.get(at) == Some(hash) {
                at += 1;
                count += 1;
            }
        }
        return count;
    }
    let (mut i, mut j, mut count) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let order = x.cmp(y);
        i += usize::from(order != Ordering::Greater);
        j += usize::from(order != Ordering::Less);
        count += usize::from(order == Ordering::Equal);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_of_texts() {
        let of = Grams::of;
        assert!((of("abcdef").dice(&of("abcdef")) - 1.0).abs() < 1e-6);
        // abc bcd cde / bcd cde def: two of three.
        assert!((of("abcde").dice(&of("bcdef")) - 2.0 / 3.0).abs() < 1e-6);
        assert!(of("abcde").dice(&of("vwxyz")) < 1e-6);
        assert!((of("a").dice(&of("a")) - 1.0).abs() < 1e-6);
        assert!(of("").dice(&of("")) < 1e-6);
        assert_eq!(of("ab").total(), 1);
    }

    #[test]
    fn accounting_for_parts() {
        let whole = Grams::of("one two three four five six");
        let part = Grams::of("one two three");
        let rest = whole.without(&part);
        assert_eq!(rest.total(), whole.total() - part.total());
        assert!(rest.common(&part) < 1.0);
        assert_eq!(Grams::all(&[&rest, &part]).total(), whole.total());
    }

    #[test]
    fn short_lists_are_looked_up_as_they_are_walked() {
        let long: Vec<u32> = (0..400).map(|n| n / 3).collect();
        for short in [&[0, 0, 0, 0][..], &[5, 5, 7, 132, 133, 134], &[], &[500]] {
            let walked = short
                .iter()
                .enumerate()
                .filter(|&(at, hash)| {
                    let before = short[..at].iter().filter(|other| *other == hash).count();
                    before < long.iter().filter(|other| *other == hash).count()
                })
                .count();
            assert_eq!(count_common(&long, short), walked, "{short:?}");
            assert_eq!(count_common(short, &long), walked, "{short:?}");
        }
    }

    #[test]
    fn a_gram_that_no_sample_leaves_out_is_no_harm() {
        let zero = ['\u{b3bf0}', '\u{af3e8}', '\u{20742}'];
        assert_eq!(mix(zero[0].into(), zero[1].into(), zero[2].into()), 0);
        let text: String = zero.iter().cycle().take(SAMPLE * 9).collect();
        let grams = Grams::of(&text);
        assert!((grams.dice(&grams) - 1.0).abs() < 1e-6);
        assert_eq!(grams.without(&grams).total(), 0);
    }

    #[test]
    fn long_texts_are_estimated() {
        let mut state = 1_u64;
        let long: String = (0..300_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                char::from(b'a' + (state >> 40) as u8 % 26)
            })
            .collect();
        let (a, b) = (Grams::of(&long), Grams::of(&long[..long.len() / 2]));
        assert!(a.is_sampled());
        assert!(a.hashes.len() <= SAMPLE);
        assert!((a.dice(&a) - 1.0).abs() < 0.05);
        assert!((a.dice(&b) - 2.0 / 3.0).abs() < 0.05, "{}", a.dice(&b));
    }
}
