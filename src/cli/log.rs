//! `log`: the snapshots of an article and what changed in each.

use std::sync::Arc;
use std::thread;

use super::arguments::Reading;
use super::diff::{Selection, compare};
use super::failure::{Failure, writing};
use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened};
use crate::archive::{Archive, Snapshot};
use crate::block::Document;
use crate::diff::{Diff, Filter};
use crate::label::Reader;
use crate::pool;
use crate::report::log as report;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Articles, by address; with --edits all of the archive if none is named
    #[arg(value_name = "ADDRESS")]
    articles: Vec<String>,
    /// Only revisions: snapshots in which the text changed
    #[arg(long)]
    revisions: bool,
    /// One line per changed block instead of one per snapshot
    #[arg(long)]
    edits: bool,
    /// Show snapshots whose status was not 200 as well
    #[arg(long)]
    any_status: bool,
    #[command(flatten)]
    selection: Selection,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

/// A snapshot of an article and, where something changed in it, what.
pub(super) struct Entry {
    pub(super) snapshot: Snapshot,
    /// Its blocks, where they were needed: of the first snapshot and wherever something changed.
    pub(super) document: Option<Arc<Document>>,
    /// The diff from the snapshot before; `None` for the first one and where nothing changed.
    pub(super) change: Option<Changed>,
}

/// Two neighbouring snapshots that differ.
pub(super) struct Changed {
    pub(super) old: Arc<Document>,
    pub(super) new: Arc<Document>,
    pub(super) diff: Diff,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let reader = arguments.reading.reader(global)?;
    let mut archive = opened::open(global)?;
    opened::bring_up_to_date(&mut archive, &reader)?;
    let names = match arguments.articles.as_slice() {
        [] if arguments.edits => archive
            .articles()?
            .into_iter()
            .map(|article| article.address)
            .collect(),
        [] => return Err(Failure::new("name an article; `pressmark list` shows them")),
        names => names.to_vec(),
    };
    let look = terminal.look();
    let filter = arguments.selection.filter();
    let mut snapshots = Vec::new();
    for name in &names {
        let mut article = opened::article(&archive, name)?;
        article.retain(|snapshot| arguments.any_status || snapshot.counts_as_revision());
        snapshots.extend(article);
    }
    let mut heading = None;
    walk(&archive, snapshots, &reader, &filter, &mut |entry| {
        let shown = entry.change.as_ref().is_none_or(|change| change.diff.differs());
        let revision = entry.snapshot.revision && shown;
        if arguments.edits {
            return edits(&entry, arguments.json, terminal);
        }
        if arguments.revisions && !revision {
            return Ok(());
        }
        let diff = entry.change.as_ref().map(|change| &change.diff);
        if arguments.json {
            return terminal.json(&report::line(&entry.snapshot, revision, diff));
        }
        if heading != Some(entry.snapshot.article) {
            heading = Some(entry.snapshot.article);
            report::heading(&entry.snapshot, look, terminal.writer()).map_err(|error| writing(&error))?;
        }
        report::row(&entry.snapshot, revision, diff, look, terminal.writer()).map_err(|error| writing(&error))
    })?;
    Ok(Outcome::Clean)
}

/// Goes through snapshots in order, article by article, restoring and comparing on all cores.
///
/// The catalog tells which snapshots changed at all; only those are restored.
pub(super) fn walk(
    archive: &Archive,
    snapshots: Vec<Snapshot>,
    reader: &Reader,
    filter: &Filter,
    each: &mut dyn FnMut(Entry) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let wanted = needed(&snapshots);
    let read = |(snapshot, wanted): (Snapshot, bool)| {
        let document = wanted
            .then(|| {
                archive
                    .restore(&snapshot)
                    .map(|page| Arc::new(reader.read(&page)))
            })
            .transpose();
        (snapshot, document)
    };
    thread::scope(|scope| {
        let cores = pool::cores();
        let documents = pool::ordered(scope, cores, snapshots.into_iter().zip(wanted), read);
        let mut before: Option<(i64, Arc<Document>)> = None;
        let pairs = documents.map(move |(snapshot, document)| {
            let Ok(Some(document)) = document else {
                return (snapshot, document.map(|_| (None, None)));
            };
            let old = before
                .take()
                .filter(|(article, _)| *article == snapshot.article)
                .map(|(_, old)| old);
            before = Some((snapshot.article, Arc::clone(&document)));
            let pair = old.filter(|_| snapshot.revision || snapshot.form_change);
            (
                snapshot,
                Ok((Some(Arc::clone(&document)), pair.map(|old| (old, document)))),
            )
        });
        let compared = pool::ordered(scope, cores, pairs, |(snapshot, pair)| {
            let compared = pair.map(|(document, pair)| {
                let change = pair.map(|(old, new): (Arc<Document>, Arc<Document>)| Changed {
                    diff: compare(&old, &new, &snapshot.address, reader, filter),
                    old,
                    new,
                });
                (document, change)
            });
            (snapshot, compared)
        });
        for (snapshot, compared) in compared {
            let (document, change) = compared?;
            each(Entry {
                snapshot,
                document,
                change,
            })?;
        }
        Ok(())
    })
}

/// Which snapshots must be restored: those that changed, and for each the newest before it that was
/// restored anyway or has the same blocks.
fn needed(snapshots: &[Snapshot]) -> Vec<bool> {
    let mut wanted = vec![false; snapshots.len()];
    // Where the blocks last changed: any snapshot since then has the same texts and forms.
    let mut last_change = None;
    for (at, snapshot) in snapshots.iter().enumerate() {
        let first = at == 0 || snapshots[at - 1].article != snapshot.article;
        if first {
            wanted[at] = true;
            last_change = Some(at);
        } else if snapshot.revision || snapshot.form_change {
            if let Some(before) = last_change {
                wanted[before] = true;
            }
            wanted[at] = true;
            last_change = Some(at);
        }
    }
    wanted
}

/// One line per changed block of an entry.
fn edits(entry: &Entry, json: bool, terminal: &mut Terminal) -> Result<(), Failure> {
    let Some(change) = &entry.change else {
        return Ok(());
    };
    for edit in report::edits(&entry.snapshot, &change.old, &change.new, &change.diff) {
        if json {
            terminal.json(&edit)?;
        } else {
            let look = terminal.look();
            report::edit_row(&edit, look, terminal.writer()).map_err(|error| writing(&error))?;
        }
    }
    Ok(())
}
