//! `add`: pages into the archive.

use std::time::Instant;

use serde_json::json;

use super::arguments::{Reading, Sources, listed, open_all};
use super::failure::Failure;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::archive::Stats;
use crate::ingest::{self, CommitEvery, Event, Summary};
use crate::report::archive as report;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the pages are: directories, files, NDJSON or WARC files, or - for standard input
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<String>,
    /// Commit after this many pages (500) or this long (30s, 5m); at least every 128 MiB of pages
    #[arg(long, value_name = "N|TIME", value_parser = commit_every)]
    commit_every: Vec<CommitEvery>,
    /// Print one JSON object per commit, per skipped input, and a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    options: Sources,
}

/// `500` is a number of pages, `30s`, `5m` and `1h` are times.
fn commit_every(spelled: &str) -> Result<CommitEvery, String> {
    if let Ok(pages) = spelled.parse::<u64>() {
        return Ok(CommitEvery {
            pages: Some(pages.max(1)),
            time: None,
        });
    }
    let time = super::scrub::duration(spelled)
        .map_err(|_| format!("{spelled:?} is neither a number of pages (500) nor a time (30s, 5m)"))?;
    Ok(CommitEvery {
        pages: None,
        time: Some(time),
    })
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let started = Instant::now();
    let reader = arguments.reading.reader(global)?;
    let options = arguments.options.options();
    let (sources, opening) = open_all(&arguments.sources, &options);
    if sources.is_empty() {
        return Ok(Outcome::Failed);
    }
    let (mut archive, made) = opened::create_or_open(global)?;
    let path = opened::archive_path(global);
    if made && !arguments.json {
        terminal.line(&format!("made the archive {}", path.display()))?;
        terminal.flush()?;
    }
    // Figures about the whole archive cost a look at every snapshot: only people get them.
    let before = if arguments.json {
        Stats::default()
    } else {
        archive.stats()?
    };
    let every = arguments
        .commit_every
        .iter()
        .fold(CommitEvery::default(), |all, one| CommitEvery {
            pages: one.pages.or(all.pages),
            time: one.time.or(all.time),
        });
    let positions: Vec<_> = sources.iter().map(crate::source::Source::progress).collect();
    let total: Option<u64> = positions.iter().map(crate::source::Progress::total).sum();
    let bar = progress::bytes(total);
    let mut pages = 0_u64;
    let mut printing: Result<(), Failure> = Ok(());
    let summary = ingest::run(
        &mut archive,
        listed(sources),
        &options,
        &reader,
        every,
        &mut |event| {
            if let Event::Advanced(_) = event {
                pages += 1;
                if pages.is_multiple_of(16) {
                    bar.set_position(positions.iter().map(crate::source::Progress::done).sum());
                    bar.set_message(format!("{pages} pages"));
                }
                return;
            }
            if printing.is_ok() {
                printing = bar.suspend(|| tell(&event, arguments.json, terminal));
            }
        },
    );
    bar.finish_and_clear();
    let summary = summary.map_err(|error| Failure::from(error).inside(&path))?;
    printing?;
    let seconds = started.elapsed().as_secs_f64();
    if arguments.json {
        terminal.json(&report::add_summary(&summary, seconds))?;
    } else {
        let look = terminal.look();
        report::added(
            &summary,
            &before,
            &archive.stats()?,
            seconds,
            &next_steps(global, &archive, &summary)?,
            look,
            terminal.writer(),
        )
        .map_err(|error| super::failure::writing(&error))?;
    }
    Ok(match opening {
        Outcome::Clean => Outcome::found_if(summary.skipped > 0),
        failed => failed,
    })
}

fn tell(event: &Event, json: bool, terminal: &mut Terminal) -> Result<(), Failure> {
    match event {
        Event::Committed { commit, through } if json => {
            terminal.json(&json!({
                "type": "committed",
                "pack": commit.pack,
                "pages": commit.pages,
                "through": through,
                "raw_bytes": commit.raw_bytes,
                "stored_bytes": commit.stored_bytes,
            }))?;
            // Whoever reads this may act on it, so it must not wait in a buffer.
            terminal.flush()?;
        }
        Event::Skipped(fault) | Event::Noted(fault) => {
            tell_user(&fault.to_string());
            if json {
                let kind = if matches!(event, Event::Skipped(_)) {
                    "skipped"
                } else {
                    "noted"
                };
                terminal.json(&json!({
                    "type": kind,
                    "reason": fault.reason,
                    "place": fault.place,
                    "message": fault.message,
                }))?;
            }
        }
        Event::Committed { .. } | Event::Advanced(_) => {}
    }
    Ok(())
}

/// Commands that make sense after this run, ready to be typed.
fn next_steps(
    global: &Global,
    archive: &crate::archive::Archive,
    summary: &Summary,
) -> Result<Vec<String>, Failure> {
    let option = global.archive.as_ref().map_or_else(String::new, |path| {
        format!(" -A {}", shell(&path.display().to_string()))
    });
    let mut steps = vec![format!("pressmark{option} list")];
    let articles = archive.articles()?;
    if let Some(edited) = articles
        .iter()
        .max_by_key(|article| article.revisions)
        .filter(|a| a.revisions > 1)
    {
        let address = shell(&edited.address);
        steps.push(format!("pressmark{option} log {address}"));
        steps.push(format!("pressmark{option} diff {address}@1 {address}"));
    }
    if let Some(article) = articles.first().filter(|_| summary.declared.blocks > 0) {
        steps.push(format!("pressmark{option} check {}", shell(&article.address)));
    }
    Ok(steps)
}

/// Quoted for a POSIX shell where that is needed.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
