//! A diff as one JSON object.

use std::io::{self, Write};

use serde::Serialize;

use super::Side;
use crate::diff::{Change, Diff, Ignored, Limit, Suspect};
use crate::page::Moment;

#[derive(Serialize)]
struct Object<'a> {
    old: SideObject<'a>,
    new: SideObject<'a>,
    changes: Vec<&'a Change>,
    suspect: &'a Option<Suspect>,
    ignored: &'a Ignored,
    limits: &'a [Limit],
}

#[derive(Serialize)]
struct SideObject<'a> {
    name: &'a str,
    moment: Option<Moment>,
    blocks: usize,
}

impl<'a> From<Side<'a>> for SideObject<'a> {
    fn from(side: Side<'a>) -> Self {
        Self {
            name: side.name,
            moment: side.moment,
            blocks: side.document.blocks.len(),
        }
    }
}

/// Writes one line: `old`, `new`, `changes`, `suspect`, `ignored`, `limits`. Runs of equal blocks are
/// among the changes only with `all`.
pub fn json(old: Side<'_>, new: Side<'_>, diff: &Diff, all: bool, out: &mut impl Write) -> io::Result<()> {
    let object = Object {
        old: old.into(),
        new: new.into(),
        changes: if all {
            diff.changes.iter().collect()
        } else {
            diff.edits().collect()
        },
        suspect: &diff.suspect,
        ignored: &diff.ignored,
        limits: &diff.limits,
    };
    serde_json::to_writer(&mut *out, &object)?;
    out.write_all(b"\n")
}
