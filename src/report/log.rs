//! The history of an article: one line per snapshot, or one per changed block.

use std::io::{self, Write};

use serde::Serialize;

use crate::archive::Snapshot;
use crate::block::Document;
use crate::diff::{Change, Class, Diff, Place, Summary, WordOp};
use crate::digest::Hash;
use crate::page::Moment;
use crate::report::layout::{Accent, Look, bytes, cell, columns, fit};

/// The JSON line of a snapshot.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    address: &'a str,
    n: u64,
    time: Option<Moment>,
    raw: Hash,
    bytes: u64,
    article_hash: Option<Hash>,
    revision: bool,
    form_change: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// What kind of edit it was; absent for the first snapshot and where nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    edit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspect: Option<&'static str>,
}

/// The JSON line of a snapshot: `raw` is the BLAKE3 of the body, `bytes` its length. `revision` is
/// given by the caller, since a filter may have taken the change out.
#[must_use]
pub fn line<'a>(snapshot: &'a Snapshot, revision: bool, diff: Option<&Diff>) -> Line<'a> {
    Line {
        address: &snapshot.address,
        n: snapshot.n,
        time: snapshot.moment,
        raw: snapshot.body,
        bytes: snapshot.length,
        article_hash: snapshot.article_hash,
        revision,
        form_change: snapshot.form_change,
        status: snapshot.status,
        edit: diff.map(|diff| Summary::of(diff).to_string()),
        class: diff.and_then(Diff::class),
        ignored: diff
            .map(|diff| diff.ignored.changes)
            .filter(|&ignored| ignored > 0),
        suspect: diff
            .and_then(|diff| diff.suspect.as_ref())
            .map(|suspect| suspect.reason.as_str()),
    }
}

/// The article's address above its rows.
pub fn heading(snapshot: &Snapshot, look: Look, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{}",
        look.paint(Accent::Strong, fit(&snapshot.address, look.width))
    )
}

/// One row: number, mark, time, bytes, kind of edit. The mark is `*` for a revision, `.` for a form
/// change.
pub fn row(
    snapshot: &Snapshot,
    revision: bool,
    diff: Option<&Diff>,
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    let time = snapshot
        .moment
        .map_or_else(|| "-".to_owned(), |moment| moment.to_string());
    let mark = match (revision, snapshot.form_change) {
        (true, _) => look.paint(Accent::Notice, '*'),
        (false, true) => ".".to_owned(),
        _ => " ".to_owned(),
    };
    let start = format!(
        "{:>5} {mark} {} {:>9}  ",
        snapshot.n,
        cell(&time, 20),
        bytes(snapshot.length)
    );
    let text = match (diff, snapshot.n) {
        _ if !snapshot.counts_as_revision() => format!("status {}", snapshot.status.unwrap_or_default()),
        (Some(diff), _) => Summary::of(diff).to_string(),
        (None, 1) => "first".to_owned(),
        (None, _) => "unchanged".to_owned(),
    };
    // The mark is one column wide whatever its colours.
    let used = columns(&start).saturating_sub(columns(&mark).saturating_sub(1));
    writeln!(
        out,
        "{start}{}",
        fit(&text, look.width.saturating_sub(used).max(20))
    )
}

/// One changed block of one revision.
#[derive(Debug, Serialize)]
pub struct Edit<'a> {
    address: &'a str,
    n: u64,
    time: Option<Moment>,
    op: &'static str,
    moved: bool,
    place: Place,
    class: Class,
    kind: &'static str,
    old: &'a [u32],
    new: &'a [u32],
    old_hashes: Vec<Hash>,
    new_hashes: Vec<Hash>,
    similarity: f32,
    deleted: String,
    inserted: String,
    deleted_characters: u32,
    inserted_characters: u32,
    share: f32,
}

/// The edit ledger's lines of one revision.
pub fn edits<'a>(
    snapshot: &'a Snapshot,
    old: &'a Document,
    new: &'a Document,
    diff: &'a Diff,
) -> impl Iterator<Item = Edit<'a>> {
    diff.edits().map(move |change| {
        let hashes = |indices: &[u32], document: &Document| {
            indices
                .iter()
                .filter_map(|&index| document.blocks.get(index as usize))
                .map(crate::block::Block::key)
                .collect()
        };
        let first = change
            .new
            .first()
            .and_then(|&index| new.blocks.get(index as usize))
            .or_else(|| {
                change
                    .old
                    .first()
                    .and_then(|&index| old.blocks.get(index as usize))
            });
        Edit {
            address: &snapshot.address,
            n: snapshot.n,
            time: snapshot.moment,
            op: change.op.as_str(),
            moved: change.moved,
            place: change.place,
            class: change.class,
            kind: first.map_or("", |block| block.kind.as_str()),
            old: &change.old,
            new: &change.new,
            old_hashes: hashes(&change.old, old),
            new_hashes: hashes(&change.new, new),
            similarity: change.similarity,
            deleted: words(change, WordOp::Delete, &change.old, old),
            inserted: words(change, WordOp::Insert, &change.new, new),
            deleted_characters: change.size.deleted,
            inserted_characters: change.size.inserted,
            share: change.size.share,
        }
    })
}

/// The words on one side only; of a block that is wholly new or gone, its text.
fn words(change: &Change, op: WordOp, indices: &[u32], document: &Document) -> String {
    let other_side_empty = change.old.is_empty() || change.new.is_empty();
    if change.words.is_empty() && other_side_empty {
        let texts = indices
            .iter()
            .filter_map(|&index| document.blocks.get(index as usize));
        return texts
            .map(|block| block.text.as_str())
            .collect::<Vec<_>>()
            .join("\n");
    }
    let texts: Vec<&str> = change
        .words
        .iter()
        .filter(|word| word.op == op)
        .map(|word| word.text.as_str())
        .collect();
    texts.join(" … ")
}

/// An edit in one row of text.
pub fn edit_row(edit: &Edit<'_>, look: Look, out: &mut impl Write) -> io::Result<()> {
    let start = format!(
        "{}@{} {} {} {} ",
        edit.address,
        edit.n,
        edit.op,
        edit.place.as_str(),
        edit.class.as_str()
    );
    let room = look.width.saturating_sub(columns(&start)).max(40) / 2;
    let (deleted, inserted) = (fit(&edit.deleted, room), fit(&edit.inserted, room));
    let mut line = start;
    if !deleted.is_empty() {
        line.push_str(&look.paint(Accent::Bad, format!("[-{deleted}-]")));
    }
    if !inserted.is_empty() {
        line.push_str(&look.paint(Accent::Good, format!("{{+{inserted}+}}")));
    }
    writeln!(out, "{line}")
}
