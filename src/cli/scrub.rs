//! `scrub` and `repair`: the archive read back, and put right.

use std::time::{Duration, SystemTime};

use super::arguments::Reading;
use super::failure::{Failure, writing};
use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::page::Moment;
use crate::report::scrub as report;
use crate::scrub::{self, RepairEvent, ScrubEvent, ScrubOptions};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Stop after this time (30s, 5m, 2h); the next run goes on with what was checked longest ago
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_duration: Option<Duration>,
    /// Leave content hashes in the catalog unchecked; faster
    #[arg(long)]
    packs_only: bool,
    /// Print one JSON object a finding, and a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Debug, clap::Args)]
pub(super) struct RepairArguments {
    /// Print one JSON object an action, and a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

/// `30s`, `5m` or `2h`.
pub(super) fn duration(spelled: &str) -> Result<Duration, String> {
    let error = || format!("{spelled:?} is no time; write 30s, 5m or 2h");
    let unit = spelled.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = spelled[..spelled.len() - unit.len()]
        .parse()
        .map_err(|_| error())?;
    let seconds = match unit {
        "s" => number,
        "m" => number.saturating_mul(60),
        "h" => number.saturating_mul(3600),
        _ => return Err(error()),
    };
    Ok(Duration::from_secs(seconds))
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let (archive, reader) = if arguments.packs_only {
        (opened::open(global)?, None)
    } else {
        let (archive, reader) = opened::open_complete(global, &arguments.reading)?;
        (archive, Some(reader))
    };
    let options = ScrubOptions {
        max_duration: arguments.max_duration,
        reader: reader.as_ref(),
        now: Moment::from_system_time(SystemTime::now()),
    };
    let bar = progress::bytes(Some(0));
    let look = terminal.look();
    let mut printing: Result<(), Failure> = Ok(());
    let summary = scrub::scrub(&archive, &options, &mut |event| match event {
        ScrubEvent::Progress { done, total } => {
            bar.set_length(total);
            bar.set_position(done);
        }
        ScrubEvent::Finding(finding) => {
            if printing.is_ok() {
                printing = bar.suspend(|| {
                    if arguments.json {
                        terminal.json(&report::finding(&finding))
                    } else {
                        report::finding_row(&finding, look, terminal.writer())
                            .map_err(|error| writing(&error))
                    }
                });
            }
        }
    })?;
    bar.finish_and_clear();
    printing?;
    if arguments.json {
        terminal.json(&report::summary(&summary))?;
    } else {
        report::told(&summary, look, terminal.writer()).map_err(|error| writing(&error))?;
    }
    Ok(Outcome::found_if(!summary.is_clean()))
}

pub(super) fn repair(global: &Global, arguments: &RepairArguments, terminal: &mut Terminal) -> CommandResult {
    let mut archive = opened::open(global)?;
    let reader = arguments.reading.reader(global)?;
    let look = terminal.look();
    let mut printing: Result<(), Failure> = Ok(());
    let summary = scrub::repair(&mut archive, &reader, &mut |event| {
        if printing.is_err() {
            return;
        }
        printing = match (&event, arguments.json) {
            (RepairEvent::Finding(finding), true) => terminal.json(&report::finding(finding)),
            (RepairEvent::Finding(finding), false) => {
                report::finding_row(finding, look, terminal.writer()).map_err(|error| writing(&error))
            }
            (event, true) => terminal.json(&report::action(event)),
            (event, false) => terminal.line(&report::action_line(event)),
        };
    })?;
    printing?;
    if arguments.json {
        terminal.json(&report::repair_summary(&summary))?;
    } else {
        report::repaired(&summary, look, terminal.writer()).map_err(|error| writing(&error))?;
    }
    Ok(Outcome::found_if(!summary.after.is_clean()))
}
