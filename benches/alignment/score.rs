//! Scores an alignment against the truth.

use std::collections::{BTreeMap, BTreeSet};

use super::edits::{Done, Pair};

/// Counts over many pairs.
#[derive(Default, Clone)]
pub struct Score {
    found: usize,
    right: usize,
    truth: usize,
    found_changed: usize,
    right_changed: usize,
    truth_changed: usize,
    by_done: BTreeMap<Done, (usize, usize)>,
}

impl Score {
    /// Counts one pair's links. Equal paragraphs may stand for each other: the truth knows which was
    /// which, no reader can.
    pub fn count(&mut self, pair: &Pair, links: &[(u32, u32)]) {
        let truth: BTreeSet<(u32, u32)> = pair.links.iter().map(|&(i, j, _)| (i, j)).collect();
        let found: BTreeSet<(u32, u32)> = links.iter().copied().collect();
        let kept: BTreeSet<(u32, u32)> = pair
            .links
            .iter()
            .filter(|link| link.2 == Done::Kept)
            .map(|&(i, j, _)| (i, j))
            .collect();
        let same = |&(i, j): &(u32, u32)| pair.old[i as usize] == pair.new[j as usize];
        self.found += found.len();
        self.truth += truth.len();
        self.right += found.intersection(&truth).count();
        self.found_changed += found.iter().filter(|link| !same(link)).count();
        self.truth_changed += truth.difference(&kept).count();
        self.right_changed += found
            .intersection(&truth)
            .filter(|link| !kept.contains(link))
            .count();
        // A pure move is equal text; it counts as found among the changed ones.
        self.found_changed += found
            .iter()
            .filter(|link| same(link) && !kept.contains(link) && truth.contains(link))
            .count();
        for &(i, j, done) in &pair.links {
            let counts = self.by_done.entry(done).or_default();
            counts.1 += 1;
            counts.0 += usize::from(found.contains(&(i, j)));
        }
    }

    /// Adds another score's counts.
    pub fn add(&mut self, other: &Self) {
        self.found += other.found;
        self.right += other.right;
        self.truth += other.truth;
        self.found_changed += other.found_changed;
        self.right_changed += other.right_changed;
        self.truth_changed += other.truth_changed;
        for (done, (right, all)) in &other.by_done {
            let counts = self.by_done.entry(*done).or_default();
            counts.0 += right;
            counts.1 += all;
        }
    }

    /// F of all links, 0 to 1.
    pub fn f(&self) -> f64 {
        2.0 * self.right as f64 / (self.found + self.truth).max(1) as f64
    }

    /// F of the links of paragraphs that were not kept as they were.
    pub fn f_changed(&self) -> f64 {
        2.0 * self.right_changed as f64 / (self.found_changed + self.truth_changed).max(1) as f64
    }

    /// Share of the true links of this sort that were found.
    pub fn share(&self, done: Done) -> f64 {
        let &(right, all) = self.by_done.get(&done).unwrap_or(&(0, 0));
        right as f64 / all.max(1) as f64
    }
}
