//! Leaves out what the caller does not want to see, and counts it.

use super::change::{Change, Diff, Ignored, Op};
use super::options::{Filter, Ignore};
use crate::block::Block;

impl Filter {
    /// Whether it leaves nothing out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.min_class.is_none() && self.places.is_empty() && self.ignore.is_empty()
    }

    /// Takes every change that is left out from `diff`, and counts it in [`Diff::ignored`].
    pub fn apply(&self, diff: &mut Diff, old: &[Block], new: &[Block]) {
        if self.is_empty() {
            return;
        }
        let mut ignored = std::mem::take(&mut diff.ignored);
        diff.changes
            .retain(|change| match self.leaves_out(change, old, new) {
                Some(reason) => {
                    ignored.count(change, &reason);
                    false
                }
                None => true,
            });
        diff.ignored = ignored;
    }

    /// What takes a change out, if anything does: a class, a place, an operation or a pattern.
    #[must_use]
    pub fn leaves_out(&self, change: &Change, old: &[Block], new: &[Block]) -> Option<String> {
        if change.op == Op::Equal {
            return None;
        }
        if self.min_class.is_some_and(|least| change.class < least) {
            return Some(change.class.as_str().to_owned());
        }
        if !self.places.is_empty() && !self.places.contains(&change.place) {
            return Some(change.place.as_str().to_owned());
        }
        self.ignore.iter().find_map(|ignore| match ignore {
            Ignore::Class(class) => (*class == change.class).then(|| class.as_str().to_owned()),
            Ignore::Place(place) => (*place == change.place).then(|| place.as_str().to_owned()),
            Ignore::Op(op) => (*op == change.op).then(|| op.as_str().to_owned()),
            Ignore::Text(pattern) => {
                let matches = |blocks: &[Block], at: &[u32]| {
                    at.iter()
                        .filter_map(|&index| blocks.get(index as usize))
                        .all(|block| pattern.is_match(&block.text))
                };
                (matches(old, &change.old) && matches(new, &change.new))
                    .then(|| format!("text={}", pattern.glob()))
            }
        })
    }
}

impl Ignored {
    /// Adds what was left out of another diff.
    pub fn add(&mut self, other: &Self) {
        self.changes = self.changes.saturating_add(other.changes);
        self.characters += other.characters;
        for (reason, count) in &other.reasons {
            self.count_reason(reason, *count);
        }
    }

    /// Counts a change that was left out, with what took it out.
    pub(crate) fn count(&mut self, change: &Change, reason: &str) {
        let size = change.size;
        self.changes += 1;
        self.characters += u64::from(size.deleted) + u64::from(size.inserted) + 2 * u64::from(size.moved);
        self.count_reason(reason, 1);
    }

    fn count_reason(&mut self, reason: &str, changes: u32) {
        match self.reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, count)) => *count = count.saturating_add(changes),
            None => self.reasons.push((reason.to_owned(), changes)),
        }
    }
}
