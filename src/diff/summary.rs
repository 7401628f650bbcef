//! What kind of edit a revision was, in one line.

use std::fmt;

use serde::Serialize;

use super::change::{Class, Diff, Op, Place, Suspect};

/// What kind of edit a diff is: counts by place and class.
///
/// Shown in one line, such as `headline changed; numeric 2, text 1 in body; moved 1`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Changes of blocks by place, the article's places first, and class, the highest first. Moved
    /// blocks count here only if they were edited as well.
    pub changes: Vec<Count>,
    /// Blocks of the article that stand elsewhere.
    pub moved: u32,
    /// Blocks of the article that were split.
    pub split: u32,
    /// Blocks of the article that are mergers of several.
    pub merged: u32,
    /// Changes outside the article.
    pub outside: u32,
    /// Changes a filter left out.
    pub ignored: u32,
    /// Set if the difference is probably not the editor's.
    pub suspect: Option<Suspect>,
}

/// How many changes of one class at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Where.
    pub place: Place,
    /// How much they matter.
    pub class: Class,
    /// How many changes.
    pub count: u32,
}

impl Summary {
    /// Sums up a diff.
    #[must_use]
    pub fn of(diff: &Diff) -> Self {
        let mut summary = Self {
            suspect: diff.suspect,
            ignored: diff.ignored.changes,
            ..Self::default()
        };
        for change in diff.edits() {
            if change.place == Place::Outside {
                summary.outside += 1;
                continue;
            }
            summary.moved += u32::from(change.moved);
            summary.split += u32::from(change.op == Op::Split);
            summary.merged += u32::from(change.op == Op::Merge);
            let only_broken = matches!(change.op, Op::Split | Op::Merge) && change.class <= Class::Cosmetic;
            if (change.op == Op::Move && change.words.is_empty()) || only_broken {
                continue;
            }
            let known = summary
                .changes
                .iter_mut()
                .find(|count| (count.place, count.class) == (change.place, change.class));
            match known {
                Some(count) => count.count += 1,
                None => summary.changes.push(Count {
                    place: change.place,
                    class: change.class,
                    count: 1,
                }),
            }
        }
        summary
            .changes
            .sort_by(|a, b| a.place.cmp(&b.place).then(b.class.cmp(&a.class)));
        summary
    }

    /// Whether nothing changed in the article.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.moved + self.split + self.merged == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        if let Some(suspect) = self.suspect {
            parts.push(format!(
                "suspect: {} ({} to {} characters)",
                suspect.reason.as_str(),
                suspect.old_characters,
                suspect.new_characters
            ));
        }
        for at_place in self.changes.chunk_by(|a, b| a.place == b.place) {
            let Some(first) = at_place.first() else { continue };
            if first.place == Place::Headline {
                let class = first.class;
                parts.push(if class == Class::Text {
                    "headline changed".to_owned()
                } else {
                    format!("headline changed ({})", class.as_str())
                });
                continue;
            }
            let counts: Vec<String> = at_place
                .iter()
                .map(|count| format!("{} {}", count.class.as_str(), count.count))
                .collect();
            parts.push(format!("{} in {}", counts.join(", "), first.place.as_str()));
        }
        for (count, what) in [
            (self.moved, "moved"),
            (self.split, "split"),
            (self.merged, "merged"),
            (self.outside, "outside"),
            (self.ignored, "ignored"),
        ] {
            if count > 0 {
                parts.push(format!("{what} {count}"));
            }
        }
        if parts.is_empty() {
            return out.write_str("no change");
        }
        out.write_str(&parts.join("; "))
    }
}
