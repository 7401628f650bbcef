//! A diff in two columns: the old page left, the new one right.

use std::io::{self, Write};

use super::Side;
use super::spans::one_side;
use super::terminal::{DisplayOptions, foot, head, shown, title};
use crate::diff::Diff;
use crate::report::flow::{Line, wrap};
use crate::report::layout::Look;

/// Between the columns.
const GAP: &str = " │ ";

/// Writes the diff in two columns of equal width.
pub fn side_by_side(
    old: Side<'_>,
    new: Side<'_>,
    diff: &Diff,
    options: DisplayOptions,
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    head(old, new, diff, look, out)?;
    let width = look.width.saturating_sub(3) / 2;
    for change in shown(diff, options) {
        writeln!(out)?;
        writeln!(out, "{}", title(change, old, new, look))?;
        let (before, after) = (&old.document.blocks, &new.document.blocks);
        let left = column(change.old.is_empty(), || {
            wrap(&one_side(change, before, after, true, look), width, look)
        });
        let right = column(change.new.is_empty(), || {
            wrap(&one_side(change, before, after, false, look), width, look)
        });
        for at in 0..left.len().max(right.len()) {
            let blank = Line::default();
            let l = left.get(at).unwrap_or(&blank);
            let r = right.get(at).unwrap_or(&blank);
            let filler = " ".repeat(width.saturating_sub(l.columns));
            writeln!(out, "{}", format!("{}{filler}{GAP}{}", l.text, r.text).trim_end())?;
        }
    }
    foot(diff, options, look, out)
}

fn column(empty: bool, lines: impl FnOnce() -> Vec<Line>) -> Vec<Line> {
    if empty { Vec::new() } else { lines() }
}
