//! `stats`: figures about the archive.

use super::arguments::Reading;
use super::failure::writing;
use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened};
use crate::report::archive as report;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let (archive, _) = opened::open_complete(global, &Reading::default())?;
    let stats = archive.stats()?;
    if arguments.json {
        terminal.json(&report::stats_object(&stats))?;
    } else {
        let look = terminal.look();
        report::counted_up(&stats, look, terminal.writer()).map_err(|error| writing(&error))?;
    }
    Ok(Outcome::Clean)
}
