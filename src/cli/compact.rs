//! `compact`: packs merged and stored as small as possible.

use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::compact::{self, Options};
use crate::report::archive as report;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// zstd level of the frames, 1 to 22
    #[arg(long, value_name = "N", default_value_t = 19, value_parser = clap::value_parser!(i32).range(1..=22))]
    level: i32,
    /// Also write packs anew that were compacted before
    #[arg(long)]
    all: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let archive = opened::open(global)?;
    let options = Options {
        level: arguments.level,
        all: arguments.all,
        ..Options::default()
    };
    let started = std::time::Instant::now();
    let bar = progress::bytes(Some(0));
    let summary = compact::compact(&archive, options, &mut |so_far| {
        bar.set_length(so_far.total);
        bar.set_position(so_far.done);
        true
    })?;
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    if arguments.json {
        terminal.json(&report::compact_object(&summary, seconds))?;
    } else {
        terminal.line(&report::compacted(&summary, seconds))?;
    }
    Ok(Outcome::Clean)
}
