//! Paragraphs with their past: what `blame` prints.

use std::io::{self, Write};

use serde::Serialize;

use crate::diff::Place;
use crate::history::{Blame, Paragraph};
use crate::page::Moment;
use crate::report::layout::{Accent, Look, cell, columns, fit};

/// Numbers and moments of the snapshots a blame refers to.
pub type Moments = [(u64, Option<Moment>)];

#[derive(Serialize)]
struct Line<'a> {
    address: &'a str,
    first_time: Option<Moment>,
    changed_time: Option<Moment>,
    #[serde(flatten)]
    paragraph: &'a Paragraph,
}

/// JSON Lines, one object a paragraph.
pub fn json(
    address: &str,
    blame: &Blame,
    moments: &Moments,
    all: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    for paragraph in shown(blame, all) {
        let line = Line {
            address,
            first_time: time(moments, paragraph.first),
            changed_time: time(moments, paragraph.changed),
            paragraph,
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// One line a paragraph: the snapshot and day in which it appeared, those in which it last changed,
/// its text.
pub fn terminal(
    blame: &Blame,
    moments: &Moments,
    all: bool,
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    let head = format!("{} {} text", cell("first", 16), cell("changed", 16));
    writeln!(out, "{}", look.paint(Accent::Faint, head))?;
    for paragraph in shown(blame, all) {
        let changed = if paragraph.changed == paragraph.first {
            String::new()
        } else {
            name(moments, paragraph.changed)
        };
        let first = cell(&name(moments, paragraph.first), 16);
        let changed = cell(&changed, 16);
        let room = look
            .width
            .saturating_sub(columns(&first) + columns(&changed) + 2)
            .max(20);
        let text = fit(&paragraph.text, room);
        writeln!(out, "{first} {} {text}", look.paint(Accent::Notice, changed))?;
    }
    Ok(())
}

fn shown(blame: &Blame, all: bool) -> impl Iterator<Item = &Paragraph> {
    blame
        .paragraphs
        .iter()
        .filter(move |paragraph| all || paragraph.place != Place::Outside)
}

fn time(moments: &Moments, n: u64) -> Option<Moment> {
    moments
        .iter()
        .find(|(number, _)| *number == n)
        .and_then(|(_, moment)| *moment)
}

/// `12 2025-08-31`.
fn name(moments: &Moments, n: u64) -> String {
    let day: String = time(moments, n)
        .map(|moment| moment.to_string().chars().take(10).collect())
        .unwrap_or_default();
    format!("{n:>4} {day}")
}
