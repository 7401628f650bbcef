//! `log`: the snapshots of an article and what changed in each.

use std::collections::HashSet;

use super::arguments::Reading;
use super::diff::Selection;
use super::failure::{Failure, writing};
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened};
use crate::history::{Entry, Wanted, walk};
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
    /// Changes outside the article as well
    #[arg(long)]
    all: bool,
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

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let (archive, reader) = opened::open_complete(global, &arguments.reading)?;
    let names = match arguments.articles.as_slice() {
        [] if arguments.edits => archive
            .articles()?
            .into_iter()
            .map(|article| article.address)
            .collect(),
        [] => return Err(Failure::new("name an article; `pressmark list` shows them")),
        names => names.to_vec(),
    };
    let filter = arguments.selection.filter();
    let wanted = Wanted::new(&filter, arguments.all);
    let mut snapshots = Vec::new();
    // Told twice, an article would seem to be edited back to its beginning.
    let mut told = HashSet::new();
    let mut errors_only = Vec::new();
    for name in &names {
        let mut article = opened::article(&archive, name)?;
        if article.first().is_some_and(|first| !told.insert(first.article)) {
            continue;
        }
        let all = article.len();
        article.retain(|snapshot| arguments.any_status || snapshot.counts_as_revision());
        if article.is_empty() && all > 0 && !arguments.articles.is_empty() {
            errors_only.push(name);
        }
        snapshots.extend(article);
    }
    for name in errors_only {
        tell_user(&format!(
            "{name}: no snapshot with status 200; --any-status shows the others"
        ));
    }
    if !arguments.json {
        terminal.page()?;
    }
    let mut left_out = report::LeftOut::default();
    let mut heading = None;
    let mut lost = false;
    walk(&archive, snapshots, &reader, wanted, &mut |entry| {
        if let Some(why) = &entry.lost {
            lost = true;
            // The row tells it.
            if arguments.edits || arguments.json {
                tell_user(why);
            }
        }
        // What is left out counts even where it leaves nothing of a snapshot to show.
        left_out.count(&entry);
        if arguments.edits {
            return edits(&entry, arguments.json, terminal);
        }
        // A suspect snapshot has its row already.
        let is_wanted = !arguments.revisions || entry.is_revision() || entry.lost.is_some();
        if entry.settled || !is_wanted {
            return Ok(());
        }
        if arguments.json {
            return terminal.json(&report::line(&entry));
        }
        let look = terminal.look_of_rows();
        let out = terminal.writer();
        if heading.replace(entry.snapshot.article) != Some(entry.snapshot.article) {
            report::heading(&entry.snapshot, look, out).map_err(|error| writing(&error))?;
        }
        report::row(&entry, look, out).map_err(|error| writing(&error))
    })?;
    for note in left_out.notes(arguments.edits) {
        if arguments.json {
            tell_user(&note);
        } else {
            report::note(&note, terminal.look(), terminal.writer()).map_err(|error| writing(&error))?;
        }
    }
    Ok(Outcome::found_if(lost))
}

/// One line per changed block of an entry.
fn edits(entry: &Entry, json: bool, terminal: &mut Terminal) -> Result<(), Failure> {
    for edit in report::edits(entry) {
        if json {
            terminal.json(&edit)?;
        } else {
            let look = terminal.look();
            report::edit_row(&edit, look, terminal.writer()).map_err(|error| writing(&error))?;
        }
    }
    Ok(())
}
