//! The history of an article: one line per snapshot, or one per changed block.

use std::io::{self, Write};

use serde::Serialize;

use crate::archive::Snapshot;
use crate::block::Document;
use crate::diff::{Change, Class, Diff, Ignored, Place, WordOp};
use crate::digest::Hash;
use crate::history::{Entry, Past, Step, StepKind};
use crate::page::Moment;
use crate::report::diff::{ignored_text, marks, shown};
use crate::report::layout::{Accent, Look, bytes, cell, columns, counted, fit, printable};

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
    kind: Option<StepKind>,
    /// With which snapshot it was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<u64>,
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
    /// Set where the snapshot cannot be restored.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lost: bool,
}

/// The JSON line of a snapshot: `raw` is the BLAKE3 of the body, `bytes` its length. `kind` tells what the
/// snapshot is in the course of the article, `revision` whether its text is another than before: so is
/// the first one's, and a suspect one's if its text differs; the way back from a suspect one is none.
#[must_use]
pub fn line(entry: &Entry) -> Line<'_> {
    let Entry { snapshot, step, .. } = entry;
    let step = step.as_ref();
    let diff = step.and_then(|step| step.diff.as_ref());
    Line {
        address: &snapshot.address,
        n: snapshot.n,
        time: snapshot.moment,
        raw: snapshot.body,
        bytes: snapshot.length,
        article_hash: snapshot.article_hash,
        revision: entry.is_revision(),
        form_change: step.is_some_and(|step| step.kind == StepKind::Form),
        kind: step.map(|step| step.kind),
        previous: step.and_then(|step| step.previous),
        status: snapshot.status,
        edit: step.and_then(Step::summary),
        class: diff.and_then(Diff::class),
        ignored: diff
            .map(|diff| diff.ignored.changes)
            .filter(|&ignored| ignored > 0),
        suspect: diff
            .and_then(|diff| diff.suspect.as_ref())
            .map(|suspect| suspect.reason.as_str()),
        lost: entry.lost.is_some(),
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
/// change, `?` where the extraction is suspect, `!` where the snapshot cannot be restored.
pub fn row(entry: &Entry, look: Look, out: &mut impl Write) -> io::Result<()> {
    let Entry { snapshot, step, .. } = entry;
    let time = snapshot
        .moment
        .map_or_else(|| "-".to_owned(), |moment| moment.to_string());
    let mark = match step.as_ref().map(|step| step.kind) {
        Some(StepKind::First | StepKind::Revision) => look.paint(Accent::Notice, '*'),
        Some(StepKind::Suspect) => look.paint(Accent::Bad, '?'),
        Some(StepKind::Form) => ".".to_owned(),
        None if entry.lost.is_some() => look.paint(Accent::Bad, '!'),
        _ => " ".to_owned(),
    };
    let start = format!(
        "{:>5} {mark} {} {:>9}  ",
        snapshot.n,
        cell(&time, 20),
        bytes(snapshot.length)
    );
    let text = match step {
        None if entry.lost.is_some() => "cannot be restored; `scrub` tells what is damaged".to_owned(),
        None => format!("status {}", snapshot.status.unwrap_or_default()),
        Some(step) if step.kind == StepKind::First => "first".to_owned(),
        Some(step) if step.shows() => step.summary().unwrap_or_default(),
        Some(Step {
            previous: Some(previous),
            ..
        }) if entry.is_way_back() => format!("as {previous} was"),
        Some(_) => "unchanged".to_owned(),
    };
    // The mark is one column wide whatever its colours.
    let used = columns(&start).saturating_sub(columns(&mark).saturating_sub(1));
    writeln!(
        out,
        "{start}{}",
        fit(&text, look.width.saturating_sub(used).max(20))
    )
}

/// What a log did not tell.
#[derive(Debug, Default)]
pub struct LeftOut {
    ignored: Ignored,
    suspect: u64,
    limited: u64,
}

impl LeftOut {
    /// Counts what an entry leaves out. A suspect snapshot whose jump stayed counts as told.
    pub fn count(&mut self, entry: &Entry) {
        let Some(step) = &entry.step else { return };
        if entry.settled {
            self.suspect = self.suspect.saturating_sub(1);
        } else if step.kind == StepKind::Suspect {
            self.suspect += 1;
            return;
        }
        let Some(diff) = &step.diff else { return };
        self.ignored.add(&diff.ignored);
        self.limited += u64::from(!diff.limits.is_empty());
    }

    /// One line for each sort of thing left out. `ledger`: whether changed blocks were listed.
    #[must_use]
    pub fn notes(&self, ledger: bool) -> Vec<String> {
        let mut notes = Vec::new();
        notes.extend(ignored_text(&self.ignored).map(|text| format!("ignored {text}")));
        if ledger && self.suspect > 0 {
            notes.push(format!(
                "left out {} whose extraction is suspect; `pressmark log ADDRESS` shows which",
                counted(self.suspect, "snapshot")
            ));
        }
        if self.limited > 0 {
            notes.push(format!(
                "{} so large that part was compared by shortcuts; `pressmark diff` says what",
                counted(self.limited, "snapshot")
            ));
        }
        notes
    }
}

/// A remark below the rows.
pub fn note(note: &str, look: Look, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", look.paint(Accent::Faint, note))
}

/// One changed block of one revision.
#[derive(Debug, Serialize)]
pub struct Edit<'a> {
    address: &'a str,
    n: u64,
    previous: Option<u64>,
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
    #[serde(flatten)]
    past: &'a Past,
    similarity: f32,
    deleted: String,
    inserted: String,
    deleted_characters: u32,
    inserted_characters: u32,
    share: f32,
    /// What a row shows where no words differ: the text that was moved, or what differs in form.
    #[serde(skip)]
    unworded: Unworded,
}

/// What can be shown of a change without words.
#[derive(Debug, Default)]
struct Unworded {
    text: String,
    gone: Vec<String>,
    come: Vec<String>,
}

impl Unworded {
    fn of(change: &Change, old: &Document, new: &Document) -> Self {
        if !change.words.is_empty() {
            return Self::default();
        }
        let first = |indices: &[u32], document: &Document| {
            let &index = indices.first()?;
            document.blocks.get(index as usize).map(shown)
        };
        let (gone, come) = marks(change, &old.blocks, &new.blocks);
        let text = first(&change.new, new).or_else(|| first(&change.old, old));
        Self {
            text: text.unwrap_or_default(),
            gone,
            come,
        }
    }
}

/// The edit ledger's lines of one snapshot; none of a suspect one.
pub fn edits(entry: &Entry) -> impl Iterator<Item = Edit<'_>> {
    let snapshot = &entry.snapshot;
    let step = entry.step.as_ref();
    let lines = step.and_then(|step| {
        let (old, new) = step.old.as_deref().zip(step.document.as_deref())?;
        let edits = step.diff.as_ref()?.edits().zip(&step.pasts);
        Some(edits.map(move |(change, past)| (change, past, old, new, step.previous)))
    });
    lines
        .into_iter()
        .flatten()
        .map(move |(change, past, old, new, previous)| {
            let blocks = |indices: &'_ [u32], document: &'_ Document| -> Vec<Hash> {
                indices
                    .iter()
                    .filter_map(|&index| document.blocks.get(index as usize))
                    .map(crate::block::Block::key)
                    .collect()
            };
            let first = |indices: &[u32], document: &Document| {
                let &index = indices.first()?;
                document.blocks.get(index as usize).map(|block| block.kind)
            };
            let kind = first(&change.new, new).or_else(|| first(&change.old, old));
            Edit {
                address: &snapshot.address,
                n: snapshot.n,
                previous,
                time: snapshot.moment,
                op: change.op.as_str(),
                moved: change.moved,
                place: change.place,
                class: change.class,
                kind: kind.map_or("", crate::block::Kind::as_str),
                old: &change.old,
                new: &change.new,
                old_hashes: blocks(&change.old, old),
                new_hashes: blocks(&change.new, new),
                past,
                similarity: change.similarity,
                deleted: words(change, WordOp::Delete, &change.old, old),
                inserted: words(change, WordOp::Insert, &change.new, new),
                deleted_characters: change.size.deleted,
                inserted_characters: change.size.inserted,
                share: change.size.share,
                unworded: Unworded::of(change, old, new),
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
        printable(edit.address),
        edit.n,
        edit.op,
        edit.place.as_str(),
        edit.class.as_str()
    );
    let room = look.width.saturating_sub(columns(&start)).max(40) / 2;
    let mut line = start;
    let Unworded { text, gone, come } = &edit.unworded;
    let (deleted, inserted) = if edit.deleted.is_empty() && edit.inserted.is_empty() {
        if gone.is_empty() && come.is_empty() {
            line.push_str(&fit(text, 2 * room));
        }
        (gone.join(" "), come.join(" "))
    } else {
        // A break between paragraphs is no space.
        let on_one_line = |text: &str| text.replace('\n', " ¶ ");
        (on_one_line(&edit.deleted), on_one_line(&edit.inserted))
    };
    let (deleted, inserted) = (fit(&deleted, room), fit(&inserted, room));
    if !deleted.is_empty() {
        line.push_str(&look.paint(Accent::Bad, format!("[-{deleted}-]")));
    }
    if !inserted.is_empty() {
        line.push_str(&look.paint(Accent::Good, format!("{{+{inserted}+}}")));
    }
    writeln!(out, "{line}")
}
