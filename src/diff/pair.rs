//! Pairs blocks that have no equal on the other side: by likeness of their 3-grams one to one, then
//! splits and merges by containment.

use rustc_hash::FxHashMap;

use super::candidates::{Candidate, candidates};
use super::change::Limit;
use super::gram::Grams;

/// Two blocks are versions of one if they are at least this much alike (Dice of 3-grams).
pub(super) const ALIKE: f32 = 0.4;

/// The same for blocks of which only one is of the article's body.
const ALIKE_ACROSS: f32 = 0.7;

/// Blocks alone between the same unchanged neighbours and at least this much alike need not be compared
/// with others.
const CLEARLY: f32 = 0.55;

/// A block is a part of another if at least this share of its 3-grams stands there.
pub(super) const CONTAINED: f32 = 0.6;

/// How much more of a block all parts must account for than its best single partner, as a share of
/// the block.
const GAIN: f32 = 0.08;

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
    let mut parts: Vec<&Grams> = Vec::new();
    let mut chosen = Vec::new();
    let mut best = 0.0_f32;
    for pair in &pairs {
        let part = &others[part_of(pair)].grams;
        let accounted = rest.common(part);
        // Against the rest, so that a repeated passage is not two parts.
        if chosen.is_empty() || accounted >= CONTAINED * 0.85 * part.total() as f32 {
            chosen.push(part_of(pair));
            rest = rest.without(part);
            parts.push(part);
        }
        best = best.max(pair.dice);
    }
    let joined = own.grams.dice(&Grams::all(&parts));
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
