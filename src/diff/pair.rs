//! Pairs blocks that have no equal on the other side: by likeness of their 3-grams one to one, then
//! splits and merges by containment.

use rustc_hash::{FxHashMap, FxHashSet};

use super::change::Limit;
use super::gram::{Grams, dice};

/// Two blocks are versions of one if they are at least this much alike (Dice of 3-grams).
pub(super) const ALIKE: f32 = 0.4;

/// The same for blocks of which only one is of the article's body.
const ALIKE_ACROSS: f32 = 0.7;

/// Blocks alone between the same unchanged neighbours and at least this much alike need not be compared
/// with others.
const CLEARLY: f32 = 0.55;

/// A block is a part of another if at least this share of its 3-grams stands there.
const CONTAINED: f32 = 0.6;

/// A block with fewer 3-grams than this is paired only between the same unchanged neighbours.
const TELLING: u32 = 8;

/// Added to the likeness of blocks between the same unchanged neighbours: where two are nearly as
/// much alike, the one in place is meant.
const IN_PLACE: f32 = 0.15;

/// How much more of a block all parts must account for than its best single partner, as a share of
/// the block.
const GAIN: f32 = 0.08;

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

/// A block that waits for its partner.
pub(super) struct Free {
    /// Index in its document.
    pub index: u32,
    /// Number of unchanged blocks before it: the same on both sides for blocks in the same gap.
    pub gap: u32,
    /// Whether it belongs to the body.
    pub body: bool,
    pub grams: Grams,
}

/// Blocks that belong together though they are not equal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    /// Indices in the old document, ascending.
    pub old: Vec<u32>,
    /// Indices in the new document, ascending.
    pub new: Vec<u32>,
    /// Dice of both sides.
    pub similarity: f32,
}

/// Two blocks that may belong together, by position in the lists of free ones.
#[derive(Clone, Copy)]
struct Candidate {
    old: usize,
    new: usize,
    common: f32,
    dice: f32,
    score: f32,
}

/// Finds what belongs together among the blocks left on both sides.
pub(super) fn pair(old: &[Free], new: &[Free], limits: &mut Vec<Limit>) -> Vec<Link> {
    if old.is_empty() || new.is_empty() {
        return Vec::new();
    }
    if let Some(links) = alone_in_their_gaps(old, new) {
        return links;
    }
    let sampled = old
        .iter()
        .chain(new)
        .filter(|free| free.grams.is_sampled())
        .count();
    if sampled > 0 {
        limits.push(Limit::Sampled {
            blocks: sampled as u64,
        });
    }
    let candidates = candidates(old, new, limits);
    let partners = one_to_one(old, new, &candidates);
    let mut state = State {
        old_partner: vec![None; old.len()],
        new_partner: vec![None; new.len()],
        links: Vec::new(),
    };
    for pair in partners {
        state.old_partner[pair.old] = Some(pair);
        state.new_partner[pair.new] = Some(pair);
    }
    let mut splits = parts(old, new, &candidates, Side::Old, &state);
    splits.extend(parts(old, new, &candidates, Side::New, &state));
    splits.sort_by(|a, b| {
        b.gain
            .total_cmp(&a.gain)
            .then_with(|| (&a.old, &a.new).cmp(&(&b.old, &b.new)))
    });
    let mut taken = (vec![false; old.len()], vec![false; new.len()]);
    for group in splits {
        if group.old.iter().any(|&i| taken.0[i]) || group.new.iter().any(|&j| taken.1[j]) {
            continue;
        }
        group.old.iter().for_each(|&i| taken.0[i] = true);
        group.new.iter().for_each(|&j| taken.1[j] = true);
        state.links.push(Link {
            old: indices(old, &group.old),
            new: indices(new, &group.new),
            similarity: group.dice,
        });
    }
    for pair in state.old_partner.iter().flatten() {
        if !taken.0[pair.old] && !taken.1[pair.new] {
            state.links.push(Link {
                old: vec![old[pair.old].index],
                new: vec![new[pair.new].index],
                similarity: pair.dice,
            });
        }
    }
    state.links
}

/// The ordinary case, in which every block left has exactly one other between the same unchanged
/// neighbours, and all of these are clearly versions of each other.
fn alone_in_their_gaps(old: &[Free], new: &[Free]) -> Option<Vec<Link>> {
    if old.len() != new.len() {
        return None;
    }
    let alone = |side: &[Free]| side.windows(2).all(|two| two[0].gap != two[1].gap);
    if !alone(old) || !alone(new) {
        return None;
    }
    old.iter()
        .zip(new)
        .map(|(a, b)| {
            if a.gap != b.gap || a.body != b.body || a.grams.is_sampled() || b.grams.is_sampled() {
                return None;
            }
            let similarity = a.grams.dice(&b.grams);
            (similarity >= CLEARLY).then(|| Link {
                old: vec![a.index],
                new: vec![b.index],
                similarity,
            })
        })
        .collect()
}

struct State {
    old_partner: Vec<Option<Candidate>>,
    new_partner: Vec<Option<Candidate>>,
    links: Vec<Link>,
}

fn indices(all: &[Free], chosen: &[usize]) -> Vec<u32> {
    let mut found: Vec<u32> = chosen.iter().map(|&at| all[at].index).collect();
    found.sort_unstable();
    found
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

fn candidates(old: &[Free], new: &[Free], limits: &mut Vec<Limit>) -> Vec<Candidate> {
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

/// The best pairs first, each block at most once.
fn one_to_one(old: &[Free], new: &[Free], candidates: &[Candidate]) -> Vec<Candidate> {
    let mut alike: Vec<Candidate> = candidates
        .iter()
        .filter(|pair| {
            let least = if old[pair.old].body == new[pair.new].body {
                ALIKE
            } else {
                ALIKE_ACROSS
            };
            pair.dice >= least
        })
        .copied()
        .collect();
    alike.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then((a.old, a.new).cmp(&(b.old, b.new)))
    });
    let mut taken = (vec![false; old.len()], vec![false; new.len()]);
    alike.retain(|pair| {
        let free = !taken.0[pair.old] && !taken.1[pair.new];
        if free {
            taken.0[pair.old] = true;
            taken.1[pair.new] = true;
        }
        free
    });
    alike
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Old,
    New,
}

/// A split or merge that may be.
struct Group {
    old: Vec<usize>,
    new: Vec<usize>,
    dice: f32,
    /// Share of the whole that the parts account for beyond its best single partner.
    gain: f32,
}

/// Wholes on one side that fell into parts on the other: a split if the whole is old, a merge if it
/// is new.
fn parts(old: &[Free], new: &[Free], candidates: &[Candidate], whole: Side, state: &State) -> Vec<Group> {
    let mut of_whole: FxHashMap<usize, Vec<Candidate>> = FxHashMap::default();
    for &pair in candidates {
        let (w, p) = match whole {
            Side::Old => (&old[pair.old], &new[pair.new]),
            Side::New => (&new[pair.new], &old[pair.old]),
        };
        let partner = match whole {
            Side::Old => state.new_partner[pair.new],
            Side::New => state.old_partner[pair.old],
        };
        let own = partner.is_some_and(|partner| (partner.old, partner.new) == (pair.old, pair.new));
        let contained = pair.common >= CONTAINED * p.grams.total() as f32;
        let smaller = p.grams.total() < w.grams.total();
        // A block that found a better partner elsewhere is nobody's part.
        if w.body == p.body && (own || (partner.is_none() && contained && smaller)) {
            let key = if whole == Side::Old { pair.old } else { pair.new };
            of_whole.entry(key).or_default().push(pair);
        }
    }
    of_whole
        .into_iter()
        .filter(|(_, pairs)| pairs.len() > 1)
        .filter_map(|(at, pairs)| group(old, new, at, pairs, whole))
        .collect()
}

fn group(old: &[Free], new: &[Free], at: usize, mut pairs: Vec<Candidate>, whole: Side) -> Option<Group> {
    let (own, others, part_of): (&Free, &[Free], fn(&Candidate) -> usize) = match whole {
        Side::Old => (&old[at], new, |pair| pair.new),
        Side::New => (&new[at], old, |pair| pair.old),
    };
    pairs.sort_by(|a, b| {
        let in_gap = |pair: &Candidate| others[part_of(pair)].gap != own.gap;
        b.common
            .total_cmp(&a.common)
            .then(in_gap(a).cmp(&in_gap(b)))
            .then(part_of(a).cmp(&part_of(b)))
    });
    let mut rest = own.grams.clone();
    let mut sum = Grams::default();
    let mut chosen = Vec::new();
    let mut best = 0.0_f32;
    for pair in &pairs {
        let part = &others[part_of(pair)].grams;
        let accounted = rest.common(part);
        // Against the rest, so that a repeated passage is not two parts.
        if chosen.is_empty() || accounted >= CONTAINED * 0.85 * part.total() as f32 {
            chosen.push(part_of(pair));
            rest = rest.without(part);
            sum = sum.with(part);
        }
        best = best.max(pair.dice);
    }
    let joined = own.grams.dice(&sum);
    let gain = joined - best;
    if chosen.len() < 2 || gain < GAIN || joined < ALIKE {
        return None;
    }
    chosen.sort_unstable();
    let (old, new) = match whole {
        Side::Old => (vec![at], chosen),
        Side::New => (chosen, vec![at]),
    };
    Some(Group {
        old,
        new,
        dice: joined,
        gain,
    })
}
