//! Which blocks may belong together: all pairs where there are few, else those that share 3-grams.

use rustc_hash::FxHashSet;

use super::change::Limit;
use super::gram::{Grams, dice};
use super::pair::{ALIKE, CONTAINED, Free};

/// A block with fewer 3-grams than this is paired only between the same unchanged neighbours.
const TELLING: u32 = 8;

/// Added to the likeness of blocks between the same unchanged neighbours: where two are nearly as
/// much alike, the one in place is meant.
const IN_PLACE: f32 = 0.15;

/// Up to this many pairs are compared directly; beyond, candidates come from an index of 3-grams.
const DIRECT: usize = 1 << 7;

/// The index holds at most about this many 3-grams; from larger inputs it takes a sample.
const INDEXED: usize = 1 << 19;

/// Every block has at least this many of its 3-grams in the index, if it has as many.
const LEAST: usize = 8;

/// A 3-gram that stands in more blocks than this tells nothing about which belong together.
const COMMON: usize = 128;

/// Candidates examined for one block.
const CANDIDATES: usize = 12;

/// Entries of the index looked at in one diff.
const VISITS: u64 = 1 << 24;

/// Two blocks that may belong together, by position in the lists of free ones.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub old: usize,
    pub new: usize,
    pub common: f32,
    pub dice: f32,
    pub score: f32,
}

fn weigh(old: &[Free], new: &[Free], i: usize, j: usize) -> Option<Candidate> {
    let (a, b) = (&old[i], &new[j]);
    let (small, large) = (
        a.grams.total().min(b.grams.total()),
        a.grams.total().max(b.grams.total()),
    );
    if small == 0 || (small < TELLING && a.gap != b.gap) {
        return None;
    }
    // Neither alike nor, as a part, long enough to be found by containment unless it is shorter.
    let common = a.grams.common(&b.grams);
    if common < CONTAINED * small as f32 * 0.8 && dice(common, small, large) < ALIKE {
        return None;
    }
    let dice = dice(common, small, large);
    Some(Candidate {
        old: i,
        new: j,
        common,
        dice,
        score: dice + if a.gap == b.gap { IN_PLACE } else { 0.0 },
    })
}

/// Every pair that may belong together; beyond a limit those that share telling 3-grams.
pub(super) fn candidates(old: &[Free], new: &[Free], limits: &mut Vec<Limit>) -> Vec<Candidate> {
    if old.len().saturating_mul(new.len()) <= DIRECT {
        return (0..old.len())
            .flat_map(|i| (0..new.len()).filter_map(move |j| weigh(old, new, i, j)))
            .collect();
    }
    let index = Index::of(old, new);
    let mut visits = 0_u64;
    let mut skipped = 0_u64;
    let mut counts = vec![0_u32; new.len()];
    let mut touched: Vec<u32> = Vec::new();
    let mut found = in_place(old, new);
    let known: FxHashSet<(usize, usize)> = found.iter().map(|pair| (pair.old, pair.new)).collect();
    for (i, free) in old.iter().enumerate() {
        if visits > VISITS {
            skipped += new.len() as u64;
            continue;
        }
        let mut last = None;
        let mut telling = false;
        for &hash in index.sample(&free.grams) {
            if last.replace(hash) == Some(hash) {
                continue;
            }
            let stands_in = index.blocks(hash);
            if stands_in.len() > COMMON {
                continue;
            }
            telling = true;
            visits += stands_in.len() as u64;
            for &(_, j) in stands_in {
                let count = &mut counts[j as usize];
                if *count == 0 {
                    touched.push(j);
                }
                *count += 1;
            }
        }
        let likely = |j: u32| {
            let size = new[j as usize].grams.total().min(free.grams.total()).max(1);
            counts[j as usize] as f32 / size as f32
        };
        if !telling {
            skipped += new.len() as u64;
        }
        touched.sort_unstable_by(|&a, &b| likely(b).total_cmp(&likely(a)).then(a.cmp(&b)));
        found.extend(
            touched
                .iter()
                .take(CANDIDATES)
                .filter(|&&j| !known.contains(&(i, j as usize)))
                .filter_map(|&j| weigh(old, new, i, j as usize)),
        );
        for j in touched.drain(..) {
            counts[j as usize] = 0;
        }
    }
    if skipped > 0 {
        limits.push(Limit::Pairs { skipped });
    }
    found
}

/// Pairs with the same rank in the same gap, counted from its beginning and from its end: found without
/// the index, so that many like blocks edited in place are paired however common their 3-grams are.
fn in_place(old: &[Free], new: &[Free]) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut from = 0;
    for run in old.chunk_by(|a, b| a.gap == b.gap) {
        let gap = run[0].gap;
        from += new[from..].partition_point(|free| free.gap < gap);
        let to = from + new[from..].partition_point(|free| free.gap == gap);
        for rank in 0..run.len().min(to - from) {
            let i = start + rank;
            found.extend(weigh(old, new, i, from + rank));
            if run.len() != to - from {
                found.extend(weigh(old, new, start + run.len() - 1 - rank, to - 1 - rank));
            }
        }
        from = to;
        start += run.len();
    }
    found
}

/// Which new blocks a 3-gram stands in.
struct Index {
    /// Ascending, each pair once.
    entries: Vec<(u32, u32)>,
    /// Where the hashes with these leading bits begin.
    starts: Vec<u32>,
    bits: u32,
    /// How many powers of two the 3-grams were thinned by.
    shift: u32,
}

impl Index {
    fn of(old: &[Free], new: &[Free]) -> Self {
        let total: usize = old
            .iter()
            .chain(new)
            .map(|free| free.grams.total() as usize)
            .sum();
        let shift = total.div_ceil(INDEXED).next_power_of_two().trailing_zeros();
        let mut index = Self {
            entries: Vec::new(),
            starts: Vec::new(),
            bits: 0,
            shift,
        };
        let mut entries = Vec::new();
        for (j, free) in new.iter().enumerate() {
            entries.extend(index.sample(&free.grams).iter().map(|&hash| (hash, j as u32)));
        }
        entries.sort_unstable();
        entries.dedup();
        index.bits = entries.len().max(1).ilog2().min(20);
        let mut at = 0;
        index.starts = (0..=1_u64 << index.bits)
            .map(|lead| {
                while entries
                    .get(at)
                    .is_some_and(|&(hash, _)| u64::from(hash) >> (32 - index.bits) < lead)
                {
                    at += 1;
                }
                at as u32
            })
            .collect();
        index.entries = entries;
        index
    }

    /// The 3-grams by which a block is indexed and looked up.
    fn sample<'a>(&self, grams: &'a Grams) -> &'a [u32] {
        let least = grams.smallest(LEAST);
        let below = grams.below(self.shift);
        if below.len() > least.len() { below } else { least }
    }

    fn blocks(&self, hash: u32) -> &[(u32, u32)] {
        let lead = (u64::from(hash) >> (32 - self.bits)) as usize;
        let bucket = self
            .starts
            .get(lead)
            .zip(self.starts.get(lead + 1))
            .and_then(|(&from, &to)| self.entries.get(from as usize..to as usize))
            .unwrap_or_default();
        let from = bucket.partition_point(|&(other, _)| other < hash);
        let to = from + bucket[from..].partition_point(|&(other, _)| other == hash);
        &bucket[from..to]
    }
}
