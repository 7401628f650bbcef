//! Turns the old texts into the new ones by a diff alone: the proof that a diff tells all.

use super::change::{Diff, Op, WordOp};

/// A diff does not fit the texts it is applied to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// A change names an old block that is not there or whose text is another one.
    #[error("change {change} is about another old block than {block}")]
    Old {
        /// Position in [`Diff::changes`].
        change: usize,
        /// Index of the old block.
        block: u32,
    },
    /// The changes do not yield every new block exactly once: a filter took some out.
    #[error("the diff yields no text, or two, for new block {block}; a filtered diff cannot be applied")]
    New {
        /// Index of the new block.
        block: u32,
    },
    /// A change's words yield another number of paragraphs than it names.
    #[error("the words of change {change} do not yield its new blocks")]
    Words {
        /// Position in [`Diff::changes`].
        change: usize,
    },
}

/// The texts of the new blocks in order, from those of the old ones. Every old block must be
/// accounted for by the diff, and every old text is compared with what the diff says it was.
pub fn apply<S: AsRef<str>>(diff: &Diff, old: &[S]) -> Result<Vec<String>, ApplyError> {
    let mut new: Vec<(u32, String)> = Vec::with_capacity(old.len());
    let mut seen = vec![false; old.len()];
    for (n, change) in diff.changes.iter().enumerate() {
        for &block in &change.old {
            match seen.get_mut(block as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(ApplyError::Old { change: n, block }),
            }
        }
        let text_of = |block: u32| old.get(block as usize).map_or("", AsRef::as_ref);
        if change.words.is_empty() {
            if matches!(change.op, Op::Insert | Op::Delete) {
                if let Some(&block) = change.old.iter().find(|&&block| !text_of(block).is_empty()) {
                    return Err(ApplyError::Old { change: n, block });
                }
                new.extend(change.new.iter().map(|&j| (j, String::new())));
                continue;
            }
            if change.old.len() != change.new.len() {
                return Err(ApplyError::Words { change: n });
            }
            new.extend(
                change
                    .old
                    .iter()
                    .zip(&change.new)
                    .map(|(&i, &j)| (j, text_of(i).to_owned())),
            );
            continue;
        }
        let side = |leave: WordOp| -> String {
            change
                .words
                .iter()
                .filter(|word| word.op != leave)
                .map(|word| word.text.as_str())
                .collect()
        };
        let was = side(WordOp::Insert);
        let mut parts = was.split('\n');
        for &block in &change.old {
            if parts.next() != Some(text_of(block)) {
                return Err(ApplyError::Old { change: n, block });
            }
        }
        let becomes = side(WordOp::Delete);
        if change.new.is_empty() {
            continue;
        }
        let parts: Vec<&str> = becomes.split('\n').collect();
        if parts.len() != change.new.len() {
            return Err(ApplyError::Words { change: n });
        }
        new.extend(
            change
                .new
                .iter()
                .zip(parts)
                .map(|(&j, part)| (j, part.to_owned())),
        );
    }
    if let Some(block) = seen.iter().position(|seen| !seen) {
        return Err(ApplyError::Old {
            change: diff.changes.len(),
            block: block as u32,
        });
    }
    new.sort_by_key(|pair| pair.0);
    new.into_iter()
        .enumerate()
        .map(|(at, (block, text))| {
            if block as usize == at {
                Ok(text)
            } else {
                Err(ApplyError::New { block: at as u32 })
            }
        })
        .collect()
}
