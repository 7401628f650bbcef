//! A diff in the unified format, one block a line, for tools that read patches.

use std::io::{self, Write};

use super::terminal::{DisplayOptions, notes, warning};
use super::{Side, shown};
use crate::block::Block;
use crate::diff::{Change, Diff, Op, Place};

/// Writes the canonical texts of changed blocks as `-` and `+` lines, hunks headed by block numbers counted
/// from 1. Line breaks do not occur in canonical text.
///
/// A moved block is a deletion at its old place and an insertion at its new one, so that the hunks can
/// be applied by `patch` to the list of block texts; where changes are not shown, that gives the old list
/// with those that are. What was left out stands before the hunks, each line behind a `#`.
pub fn unified(
    old: Side<'_>,
    new: Side<'_>,
    diff: &Diff,
    options: DisplayOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    // Tools that read patches pass over what stands before the first hunk.
    for note in warning(diff).into_iter().chain(notes(diff, options)) {
        writeln!(out, "# {note}")?;
    }
    writeln!(out, "--- {}", label(old))?;
    writeln!(out, "+++ {}", label(new))?;
    let (old, new) = (&old.document.blocks, &new.document.blocks);
    let hunks = Hunks::of(diff, (old.len(), new.len()), options);
    let (mut i, mut j) = (0, 0);
    // Lines of the list that the hunks make of the old one.
    let mut made = 0;
    for (same_old, same_new) in hunks.fixed.iter().copied().chain([(old.len(), new.len())]) {
        loop {
            let from = i;
            while i < same_old && hunks.gone.get(i) == Some(&true) {
                i += 1;
            }
            // Before a block that stays what stands in the place of those that go, at the end all the rest.
            let until = if i < same_old {
                hunks.in_their_place(from..i).map_or(j, |at| at.max(j))
            } else {
                same_new.max(j)
            };
            let comes = |at: &usize| hunks.come.get(*at) == Some(&true);
            let added: Vec<usize> = (j..until).filter(comes).collect();
            j = until;
            if from < i || !added.is_empty() {
                hunk_head(from, i - from, '-', out)?;
                hunk_head(made, added.len(), '+', out)?;
                writeln!(out, " @@")?;
                for block in &old[from..i] {
                    writeln!(out, "-{}", line(block))?;
                }
                for block in added.iter().filter_map(|&at| new.get(at)) {
                    writeln!(out, "+{}", line(block))?;
                }
                made += added.len();
            }
            if i >= same_old {
                break;
            }
            i += 1;
            made += 1;
        }
        // The block that stands on both sides.
        i += 1;
        j += 1;
        made += 1;
    }
    Ok(())
}

/// What the hunks are made of.
struct Hunks {
    /// Which old blocks go and which new ones come.
    gone: Vec<bool>,
    come: Vec<bool>,
    /// Pairs that stand in each other's place without a change that is shown, ascending on both sides.
    fixed: Vec<(usize, usize)>,
    /// The new block in the place of an old one that goes.
    instead: Vec<Option<usize>>,
}

impl Hunks {
    fn of(diff: &Diff, (old, new): (usize, usize), options: DisplayOptions) -> Self {
        let mut hunks = Self {
            gone: vec![false; old],
            come: vec![false; new],
            fixed: Vec::new(),
            instead: vec![None; old],
        };
        let shown =
            |change: &Change| change.op != Op::Equal && (options.all || change.place != Place::Outside);
        for change in &diff.changes {
            let pairs = change.old.iter().zip(&change.new);
            let mut pairs = pairs
                .map(|(&i, &j)| (i as usize, j as usize))
                .filter(|_| !change.moved);
            if !shown(change) {
                hunks.fixed.extend(pairs);
                continue;
            }
            if let Some((i, j)) = pairs.next()
                && let Some(place) = hunks.instead.get_mut(i)
            {
                *place = Some(j);
            }
            for (flags, blocks) in [(&mut hunks.gone, &change.old), (&mut hunks.come, &change.new)] {
                for &index in blocks {
                    if let Some(flag) = flags.get_mut(index as usize) {
                        *flag = true;
                    }
                }
            }
        }
        hunks
    }

    /// One past the last new block in the place of one of these old ones.
    fn in_their_place(&self, old: std::ops::Range<usize>) -> Option<usize> {
        let places = self.instead.get(old)?;
        places.iter().flatten().max().map(|last| last + 1)
    }
}

/// A block as one line: what stands for a text may have line breaks.
fn line(block: &Block) -> String {
    shown(block).replace(['\n', '\r'], " ")
}

fn hunk_head(start: usize, length: usize, sign: char, out: &mut impl Write) -> io::Result<()> {
    let lead = if sign == '-' { "@@ " } else { " " };
    // In this format an empty side names the line before it.
    let line = if length == 0 { start } else { start + 1 };
    write!(out, "{lead}{sign}{line},{length}")
}

fn label(side: Side<'_>) -> String {
    match side.moment {
        Some(moment) => format!("{}\t{moment}", side.name.replace(['\n', '\t'], " ")),
        None => side.name.replace(['\n', '\t'], " "),
    }
}
