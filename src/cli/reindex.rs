//! `reindex`: the catalog rebuilt from the packs.

use super::arguments::Reading;
use super::failure::Failure;
use super::terminal::{Terminal, tell_user};
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
    let mut archive = opened::open(global)?;
    let reader = arguments.reading.reader(global)?;
    archive.clear_blocks()?;
    opened::keep_attribute(global, reader.declared_attribute())?;
    let read = rebuild(&mut archive, &reader)?;
    if arguments.json {
        terminal.json(&serde_json::json!({"type": "summary", "snapshots": read}))?;
    } else {
        terminal.line(&format!(
            "read {} back and rebuilt the catalog",
            counted(read, "snapshot")
        ))?;
    }
    Ok(Outcome::found_if(archive.unindexed()? > 0))
}

/// Builds the block part of the catalog of the snapshots that lack it.
pub(super) fn rebuild(archive: &mut Archive, reader: &Reader) -> Result<u64, Failure> {
    archive.declare_attribute(reader.declared_attribute())?;
    let bar = progress::count(None);
    let read = archive.reindex(
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
    let left = archive.unindexed()?;
    if left > 0 {
        tell_user(&format!(
            "{} cannot be restored: what stood there is not found; `pressmark scrub` tells more",
            counted(left, "snapshot")
        ));
    }
    Ok(read)
}
