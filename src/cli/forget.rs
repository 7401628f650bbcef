//! `forget`: a snapshot or an article out of the archive for good.

use std::time::SystemTime;

use super::failure::Failure;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::archive::ArchiveError;
use crate::compact::{self, Forgotten};
use crate::page::Moment;
use crate::report::layout::{counted, printable};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What to take out: an ADDRESS with all its snapshots, or one snapshot as ADDRESS@N or ADDRESS@TIME
    #[arg(required_unless_present = "finish", value_name = "WHAT")]
    what: Vec<String>,
    /// Why; kept with the tombstone
    #[arg(long, required_unless_present = "finish", value_name = "TEXT")]
    reason: Option<String>,
    /// Only remove what is left of pages taken out before: after an interruption, or when a pack that
    /// still holds them was copied back in
    #[arg(long, conflicts_with_all = ["what", "reason", "dry_run"])]
    finish: bool,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let archive = opened::open(global)?;
    let mut going = Vec::new();
    for name in &arguments.what {
        let article = archive.snapshots(name)?;
        // A takedown that was interrupted is asked for again in the same words: what it hid is not listed
        // any more, and its bytes go below.
        if article.is_empty() && !archive.is_taken_out(name)? {
            going.push(opened::exact_snapshot(&archive, name)?);
        } else {
            going.extend(article);
        }
    }
    if arguments.dry_run {
        for snapshot in &going {
            let address = printable(&snapshot.address);
            terminal.line(&format!("would forget {address}@{}", snapshot.n))?;
        }
        return Ok(Outcome::Clean);
    }
    let now = Moment::from_system_time(SystemTime::now())
        .ok_or_else(|| Failure::new("the clock of this machine is outside the years 1678 to 2261; set it"))?;
    let bar = progress::bytes(Some(0));
    let progress = &mut |so_far: compact::Progress| {
        bar.set_length(so_far.total);
        bar.set_position(so_far.done);
    };
    let done = if going.is_empty() {
        Forgotten {
            packs: compact::finish(&archive, progress).map_err(not_finished)?,
            ..Forgotten::default()
        }
    } else {
        let reason = arguments.reason.as_deref().unwrap_or_default();
        compact::forget(&archive, &going, reason, now, progress).map_err(not_finished)?
    };
    bar.finish_and_clear();
    let folder = opened::archive_path(global);
    let kept: Vec<String> = compact::kept_aside(&archive)?
        .iter()
        .map(|path| folder.join(path).display().to_string())
        .collect();
    for path in &kept {
        tell_user(&format!(
            "{path}: `repair` put this copy aside, and it holds what was taken out, or may; delete it"
        ));
    }
    if arguments.json {
        terminal.json(&serde_json::json!({
            "type": "summary",
            "snapshots": done.snapshots,
            "bodies": done.bodies,
            "packs": done.packs,
            "kept_aside": kept,
        }))?;
    } else {
        terminal.line(&format!(
            "forgot {}; the bytes of {} are gone, {} written anew",
            counted(done.snapshots, "snapshot"),
            counted(done.bodies, "page"),
            counted(done.packs, "pack"),
        ))?;
    }
    Ok(Outcome::found_if(!kept.is_empty()))
}

/// What to do where damage keeps bytes from being removed: the tombstones are written before.
fn not_finished(error: ArchiveError) -> Failure {
    match error {
        ArchiveError::Pack { .. } | ArchiveError::NotReadBack { .. } => Failure::at(
            error,
            "what was to go is hidden, but not all of its bytes are gone; mend the archive with \
             `pressmark repair`, then run `pressmark forget --finish`",
        ),
        error => error.into(),
    }
}
