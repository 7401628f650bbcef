//! A diff in the unified format, one block a line, for tools that read patches.

use std::io::{self, Write};

use super::terminal::{DisplayOptions, notes, warning};
use super::{Side, shown};
use crate::diff::{Diff, Op, Place};

/// Writes the canonical texts of changed blocks as `-` and `+` lines with one line of context, hunks
/// headed by block numbers counted from 1. Line breaks do not occur in canonical text.
///
/// A moved block is a deletion at its old place and an insertion at its new one, so that the hunks can
/// be applied by `patch` to the list of block texts. What was left out stands before the hunks, each line
/// behind a `#`.
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
    let mut old_changed = vec![false; old.document.blocks.len()];
    let mut new_changed = vec![false; new.document.blocks.len()];
    for change in diff.changes.iter().filter(|change| change.op != Op::Equal) {
        if !options.all && change.place == Place::Outside {
            continue;
        }
        for &index in &change.old {
            if let Some(slot) = old_changed.get_mut(index as usize) {
                *slot = true;
            }
        }
        for &index in &change.new {
            if let Some(slot) = new_changed.get_mut(index as usize) {
                *slot = true;
            }
        }
    }
    let (old, new) = (&old.document.blocks, &new.document.blocks);
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        let (from_old, from_new) = (i, j);
        while i < old.len() && old_changed[i] {
            i += 1;
        }
        while j < new.len() && new_changed[j] {
            j += 1;
        }
        if i > from_old || j > from_new {
            hunk_head(from_old, i - from_old, '-', out)?;
            hunk_head(from_new, j - from_new, '+', out)?;
            writeln!(out, " @@")?;
            for block in &old[from_old..i] {
                writeln!(out, "-{}", shown(block))?;
            }
            for block in &new[from_new..j] {
                writeln!(out, "+{}", shown(block))?;
            }
        }
        // Unchanged blocks, and those not shown, are passed on both sides together.
        i += usize::from(i < old.len());
        j += usize::from(j < new.len());
    }
    Ok(())
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
