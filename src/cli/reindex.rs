//! `reindex`: the catalog rebuilt from the packs.

use super::arguments::Reading;
use super::failure::Failure;
use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::archive::Archive;
use crate::catalog::blocks::Outline;
use crate::label::{Reader, article_hash};
use crate::report::layout::counted;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let reader = arguments.reading.reader(global)?;
    let mut archive = opened::open(global)?;
    let read = rebuild(&mut archive, &reader, true)?;
    if arguments.json {
        terminal.json(&serde_json::json!({"type": "summary", "snapshots": read}))?;
    } else {
        terminal.line(&format!(
            "read {} back and rebuilt the catalog",
            counted(read, "snapshot")
        ))?;
    }
    Ok(Outcome::Clean)
}

/// Builds the block part of the catalog, of every snapshot or of those that lack it.
pub(super) fn rebuild(archive: &mut Archive, reader: &Reader, all: bool) -> Result<u64, Failure> {
    let bar = progress::count(None);
    let read = archive.reindex(
        all,
        &mut |page| {
            let document = reader.read(page);
            Outline::of(&document, article_hash(&document))
        },
        &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        },
    )?;
    bar.finish_and_clear();
    Ok(read)
}
