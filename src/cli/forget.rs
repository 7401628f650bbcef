//! `forget`: a snapshot or an article out of the archive for good.

use std::time::SystemTime;

use super::failure::Failure;
use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::compact;
use crate::page::Moment;
use crate::report::layout::{counted, printable};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What to take out: an ADDRESS with all its snapshots, or one snapshot as ADDRESS@N or ADDRESS@TIME
    #[arg(required = true, value_name = "WHAT")]
    what: Vec<String>,
    /// Why; kept with the tombstone
    #[arg(long, value_name = "TEXT")]
    reason: String,
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
        if article.is_empty() {
            going.push(opened::snapshot(&archive, name)?);
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
    let done = compact::forget(&archive, &going, &arguments.reason, now, &mut |so_far| {
        bar.set_length(so_far.total);
        bar.set_position(so_far.done);
    })?;
    bar.finish_and_clear();
    if arguments.json {
        terminal.json(&serde_json::json!({
            "type": "summary",
            "snapshots": done.snapshots,
            "bodies": done.bodies,
            "packs": done.packs,
        }))?;
    } else {
        terminal.line(&format!(
            "forgot {}; the bytes of {} are gone, {} written anew",
            counted(done.snapshots, "snapshot"),
            counted(done.bodies, "page"),
            counted(done.packs, "pack"),
        ))?;
    }
    Ok(Outcome::Clean)
}
