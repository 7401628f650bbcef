//! Aligns two sequences of ids: what stands on both sides in the same order. Used for blocks and for
//! words, so that both break in the same way.

use rustc_hash::FxHashMap;

/// A gap is aligned optimally if it has at most this many cells (old times new).
const CELLS: usize = 1 << 14;

/// A gap is cut into smaller ones at most this often.
const DEPTH: usize = 24;

/// Two sequences and what is known about how they fit.
pub(super) struct Alignment {
    /// Pairs of equal elements, ascending on both sides.
    pub pairs: Vec<(u32, u32)>,
    /// Elements in gaps that were too large and too repetitive to be aligned optimally.
    pub rough: u64,
}

/// Aligns `old` with `new`. `weight` says how much it is worth to keep an old element in place; it
/// must be greater than zero.
///
/// First what begins and ends alike, then the elements that occur once on each side (patience: of
/// these the heaviest chain that crosses nowhere), then the same inside each gap. What is left holds
/// repeated elements only: small gaps are aligned optimally, large ones by the order of occurrence.
pub(super) fn align(old: &[u64], new: &[u64], weight: &dyn Fn(usize) -> u32) -> Alignment {
    let mut found = Alignment {
        pairs: Vec::with_capacity(old.len().min(new.len())),
        rough: 0,
    };
    gap(
        &Sides { old, new, weight },
        (0, old.len()),
        (0, new.len()),
        DEPTH,
        &mut found,
    );
    found
}

struct Sides<'a> {
    old: &'a [u64],
    new: &'a [u64],
    weight: &'a dyn Fn(usize) -> u32,
}

type Span = (usize, usize);

fn gap(sides: &Sides, old: Span, new: Span, depth: usize, found: &mut Alignment) {
    let (mut i, mut j) = (old.0, new.0);
    let (mut old_end, mut new_end) = (old.1, new.1);
    while i < old_end && j < new_end && sides.old[i] == sides.new[j] {
        found.pairs.push((i as u32, j as u32));
        i += 1;
        j += 1;
    }
    let mut tail = 0;
    while i < old_end && j < new_end && sides.old[old_end - 1] == sides.new[new_end - 1] {
        old_end -= 1;
        new_end -= 1;
        tail += 1;
    }
    if i < old_end && j < new_end {
        middle(sides, (i, old_end), (j, new_end), depth, found);
    }
    for k in 0..tail {
        found.pairs.push(((old_end + k) as u32, (new_end + k) as u32));
    }
}

fn middle(sides: &Sides, old: Span, new: Span, depth: usize, found: &mut Alignment) {
    let cells = (old.1 - old.0).saturating_mul(new.1 - new.0);
    if cells <= CELLS {
        return optimal(sides, old, new, found);
    }
    let anchors = if depth == 0 {
        Vec::new()
    } else {
        chain(&unique(sides, old, new), sides.weight)
    };
    if anchors.is_empty() {
        let pairs = in_order(sides, old, new);
        if !pairs.is_empty() {
            found.rough += (old.1 - old.0 + new.1 - new.0) as u64;
            found.pairs.extend(chain(&pairs, sides.weight));
        }
        return;
    }
    let (mut i, mut j) = (old.0, new.0);
    for (a, b) in anchors {
        let (a, b) = (a as usize, b as usize);
        gap(sides, (i, a), (j, b), depth - 1, found);
        found.pairs.push((a as u32, b as u32));
        (i, j) = (a + 1, b + 1);
    }
    gap(sides, (i, old.1), (j, new.1), depth - 1, found);
}

/// Elements that occur once in each span, by position in the old one.
fn unique(sides: &Sides, old: Span, new: Span) -> Vec<(u32, u32)> {
    const MANY: u32 = u32::MAX;
    let mut seen: FxHashMap<u64, (u32, u32)> = FxHashMap::default();
    seen.reserve(new.1 - new.0);
    for j in new.0..new.1 {
        seen.entry(sides.new[j])
            .and_modify(|at| at.0 = MANY)
            .or_insert((j as u32, MANY - 1));
    }
    for i in old.0..old.1 {
        if let Some(at) = seen.get_mut(&sides.old[i]) {
            at.1 = if at.1 == MANY - 1 { i as u32 } else { MANY };
        }
    }
    (old.0..old.1)
        .filter_map(|i| {
            let &(j, once) = seen.get(&sides.old[i])?;
            (j != MANY && once == i as u32).then_some((i as u32, j))
        })
        .collect()
}

/// The k-th occurrence of every element on the old side with the k-th on the new side.
fn in_order(sides: &Sides, old: Span, new: Span) -> Vec<(u32, u32)> {
    // Position of the next new occurrence that is still free, by element; `after` links equal ones.
    let mut first: FxHashMap<u64, usize> = FxHashMap::default();
    let mut after = vec![usize::MAX; new.1 - new.0];
    for j in (new.0..new.1).rev() {
        if let Some(next) = first.insert(sides.new[j], j) {
            after[j - new.0] = next;
        }
    }
    (old.0..old.1)
        .filter_map(|i| {
            let next = first.get_mut(&sides.old[i])?;
            let j = *next;
            (j != usize::MAX).then(|| {
                *next = after[j - new.0];
                (i as u32, j as u32)
            })
        })
        .collect()
}

/// The heaviest common subsequence of a gap.
fn optimal(sides: &Sides, old: Span, new: Span, found: &mut Alignment) {
    let worth = |i: usize, j: usize| {
        if sides.old[old.0 + i] == sides.new[new.0 + j] {
            (sides.weight)(old.0 + i)
        } else {
            0
        }
    };
    let pairs = heaviest(old.1 - old.0, new.1 - new.0, &worth);
    let pairs = pairs
        .into_iter()
        .map(|(i, j)| ((old.0 + i) as u32, (new.0 + j) as u32));
    found.pairs.extend(pairs);
}

/// Of all pairs of a row and a column the heaviest that cross nowhere, by the table of all cells; a pair
/// of weight 0 is none. Of equally heavy ones the choice depends on the input only.
pub(super) fn heaviest(
    rows: usize,
    columns: usize,
    weight: &dyn Fn(usize, usize) -> u32,
) -> Vec<(usize, usize)> {
    let width = columns + 1;
    let mut best = vec![0_u32; (rows + 1) * width];
    let mut weights = vec![0_u32; rows * columns];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            let here = i * width + j;
            let skip = best[here + width].max(best[here + 1]);
            let pair = weight(i, j);
            weights[i * columns + j] = pair;
            best[here] = if pair > 0 {
                skip.max(best[here + width + 1].saturating_add(pair))
            } else {
                skip
            };
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < rows && j < columns {
        let here = i * width + j;
        let pair = weights[i * columns + j];
        if pair > 0 && best[here] == best[here + width + 1].saturating_add(pair) {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if best[here] == best[here + width] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// Of pairs ascending on the old side (each side at most once), the heaviest subset that ascends on
/// the new side too. Of equally heavy ones the choice depends on the input only.
pub(super) fn chain(pairs: &[(u32, u32)], weight: &dyn Fn(usize) -> u32) -> Vec<(u32, u32)> {
    if pairs.windows(2).all(|two| two[0].1 < two[1].1) {
        return pairs.to_vec();
    }
    // A tree of prefix maxima over the ranks of the new positions.
    let mut ranks: Vec<u32> = pairs.iter().map(|pair| pair.1).collect();
    ranks.sort_unstable();
    let mut tree: Vec<(u64, u32)> = vec![(0, u32::MAX); pairs.len() + 1];
    let mut before = vec![u32::MAX; pairs.len()];
    let mut best = (0_u64, u32::MAX);
    for (k, &(old, new)) in pairs.iter().enumerate() {
        let rank = ranks.partition_point(|&r| r < new);
        let mut heaviest = (0_u64, u32::MAX);
        let mut node = rank;
        while node > 0 {
            if tree[node].0 > heaviest.0 {
                heaviest = tree[node];
            }
            node &= node - 1;
        }
        before[k] = heaviest.1;
        let total = (heaviest.0 + u64::from(weight(old as usize)), k as u32);
        if total.0 > best.0 {
            best = total;
        }
        let mut node = rank + 1;
        while node < tree.len() {
            if total.0 > tree[node].0 {
                tree[node] = total;
            }
            node += node & node.wrapping_neg();
        }
    }
    let mut kept = Vec::new();
    let mut at = best.1;
    while at != u32::MAX {
        kept.push(pairs[at as usize]);
        at = before[at as usize];
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(old: &str, new: &str) -> Vec<(u32, u32)> {
        let ids = |text: &str| text.bytes().map(u64::from).collect::<Vec<_>>();
        align(&ids(old), &ids(new), &|_| 1).pairs
    }

    fn common(old: &str, new: &str) -> String {
        pairs(old, new)
            .iter()
            .map(|&(i, j)| {
                assert_eq!(old.as_bytes()[i as usize], new.as_bytes()[j as usize]);
                char::from(old.as_bytes()[i as usize])
            })
            .collect()
    }

    #[test]
    fn aligns_what_is_common() {
        assert_eq!(common("abcdef", "abcdef"), "abcdef");
        assert_eq!(common("abcdef", "abxdef"), "abdef");
        assert_eq!(common("", "abc"), "");
        assert_eq!(common("abcabba", "cbabac").len(), 4);
        assert_eq!(common("aaaa", "aa"), "aa");
    }

    #[test]
    fn the_heavier_chain_stays() {
        let kept = chain(&[(0, 2), (1, 0), (2, 1)], &|old| if old == 0 { 9 } else { 1 });
        assert_eq!(kept, [(0, 2)]);
        let kept = chain(&[(0, 2), (1, 0), (2, 1)], &|_| 1);
        assert_eq!(kept, [(1, 0), (2, 1)]);
    }

    #[test]
    fn large_repetitive_sequences_stay_ascending() {
        let old: Vec<u64> = (0..5000).map(|i| i * 7 % 13).collect();
        let new: Vec<u64> = (0..4000).map(|i| i * 5 % 11).collect();
        let found = align(&old, &new, &|_| 1);
        assert!(found.rough > 0);
        assert!(!found.pairs.is_empty());
        assert!(
            found
                .pairs
                .windows(2)
                .all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1)
        );
        assert!(
            found
                .pairs
                .iter()
                .all(|&(i, j)| old[i as usize] == new[j as usize])
        );
    }
}
