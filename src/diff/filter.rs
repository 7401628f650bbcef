//! Leaves out what the caller does not want to see, and counts it.

use super::change::{Change, Diff, Op};
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
        diff.changes.retain(|change| {
            let Some(reason) = self.leaves_out(change, old, new) else {
                return true;
            };
            let size = change.size;
            ignored.changes += 1;
            ignored.characters +=
                u64::from(size.deleted) + u64::from(size.inserted) + 2 * u64::from(size.moved);
            match ignored.reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, count)) => *count += 1,
                None => ignored.reasons.push((reason, 1)),
            }
            false
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
