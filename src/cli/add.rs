//! `add`: pages into the archive.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::arguments::{Reading, Sources, listed, open_all};
use super::failure::Failure;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::archive::{Archive, Grown};
use crate::disk::LocalDisk;
use crate::ingest::{self, CommitEvery, Event, Summary};
use crate::report::archive as report;
use crate::source::{Progress, Revisits, Source, SourceOptions};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the pages are: directories, files, NDJSON or WARC files, or - for standard input
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<String>,
    /// Commit after this many pages (500) or this long (30s, 5m); at least every 64 MiB of pages
    #[arg(long, value_name = "N|TIME", value_parser = commit_every)]
    commit_every: Vec<CommitEvery>,
    /// Only read: decode everything, check digests, count what would be new; write nothing
    #[arg(long, conflicts_with = "commit_every")]
    dry_run: bool,
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
    let path = opened::archive_path(global);
    let options = SourceOptions {
        revisits: Revisits::with_archive(ingest::originals({
            let path = path.clone();
            move || {
                let there = path
                    .is_dir()
                    .then(|| Archive::open(Arc::new(LocalDisk::new(&path))));
                there.transpose()
            }
        })),
        ..arguments.options.options()
    };
    let (sources, opening) = open_all(&arguments.sources, &options);
    if sources.is_empty() {
        return Ok(Outcome::Failed);
    }
    let mut watch = Watch::new(&sources, arguments.json, terminal);
    let (summary, stored) = if arguments.dry_run {
        let archive = path.is_dir().then(|| opened::open(global)).transpose()?;
        let observe = &mut |event| watch.see(&event);
        (
            ingest::survey(archive.as_ref(), listed(sources), &options, observe),
            None,
        )
    } else {
        let (mut archive, made) = opened::create_or_open(global)?;
        let reader = arguments.reading.reader(global)?;
        if made && !arguments.json {
            watch.printing = watch.say(&format!("made the archive {}", path.display()));
        }
        let attribute = reader.declared_attribute();
        archive
            .declare_attribute(attribute)
            .map_err(|error| Failure::from(error).inside(&path))?;
        opened::keep_attribute(global, attribute)?;
        let before = archive.watermark()?;
        let observe = &mut |event| watch.see(&event);
        let every = arguments.commit_every();
        let entries = listed(sources);
        let summary = ingest::run(&mut archive, entries, &options, &reader, every, observe);
        (summary, Some((archive, before)))
    };
    let printed = watch.finish();
    let summary = summary.map_err(|error| Failure::from(error).inside(&path))?;
    let outcome = match opening {
        Outcome::Clean => Outcome::found_if(summary.skipped > 0),
        failed => failed,
    };
    if printed.as_ref().is_err_and(Failure::is_closed_pipe) {
        // What became of the pages matters more than who listens.
        return Ok(outcome);
    }
    printed?;
    let seconds = started.elapsed().as_secs_f64();
    let look = terminal.look();
    match stored {
        None if arguments.json => terminal.json(&report::survey_summary(&summary, seconds))?,
        Some(_) if arguments.json => terminal.json(&report::add_summary(&summary, seconds))?,
        None => report::surveyed(&summary, seconds, look, terminal.writer())
            .map_err(|error| super::failure::writing(&error))?,
        Some((archive, before)) => {
            let grown = archive.since(before)?;
            let steps = next_steps(global, &grown, &summary);
            report::added(&summary, &grown, seconds, &steps, look, terminal.writer())
                .map_err(|error| super::failure::writing(&error))?;
        }
    }
    Ok(outcome)
}

impl Arguments {
    fn commit_every(&self) -> CommitEvery {
        self.commit_every
            .iter()
            .fold(CommitEvery::default(), |all, one| CommitEvery {
                pages: one.pages.or(all.pages),
                time: one.time.or(all.time),
            })
    }
}

/// Shows how far a run is and tells its events.
struct Watch<'t> {
    bar: indicatif::ProgressBar,
    positions: Vec<Progress>,
    pages: u64,
    json: bool,
    terminal: &'t mut Terminal,
    /// The first failure of printing; nothing is printed after it.
    printing: Result<(), Failure>,
}

impl<'t> Watch<'t> {
    fn new(sources: &[Source], json: bool, terminal: &'t mut Terminal) -> Self {
        let positions: Vec<Progress> = sources.iter().map(Source::progress).collect();
        let total: Option<u64> = positions.iter().map(Progress::total).sum();
        Self {
            bar: progress::bytes(total),
            positions,
            pages: 0,
            json,
            terminal,
            printing: Ok(()),
        }
    }

    fn say(&mut self, line: &str) -> Result<(), Failure> {
        let terminal = &mut *self.terminal;
        self.bar.suspend(|| {
            terminal.line(line)?;
            terminal.flush()
        })
    }

    fn see(&mut self, event: &Event) {
        if let Event::Advanced(_) = event {
            self.pages += 1;
            if self.pages.is_multiple_of(16) {
                self.bar
                    .set_position(self.positions.iter().map(Progress::done).sum());
                self.bar.set_message(format!("{} pages", self.pages));
            }
        } else if self.printing.is_ok() {
            let (json, terminal) = (self.json, &mut *self.terminal);
            self.printing = self.bar.suspend(|| tell(event, json, terminal));
        }
    }

    fn finish(self) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        self.printing
    }
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
fn next_steps(global: &Global, grown: &Grown, summary: &Summary) -> Vec<String> {
    let option = global.archive.as_ref().map_or_else(String::new, |path| {
        format!(" -A {}", shell(&path.display().to_string()))
    });
    let mut steps = vec![format!("pressmark{option} list")];
    if let Some(edited) = &grown.most_edited {
        let address = shell(edited);
        steps.push(format!("pressmark{option} log {address}"));
        steps.push(format!("pressmark{option} diff {address}@1 {address}"));
    }
    if let Some(article) = grown.touched.as_ref().filter(|_| summary.declared.blocks > 0) {
        steps.push(format!("pressmark{option} check {}", shell(article)));
    }
    steps
}

/// Quoted for a POSIX shell where that is needed.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
