//! `find`: where a paragraph stands in the archive.

use super::arguments::Reading;
use super::failure::{Failure, writing};
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened};
use crate::archive::{Archive, Snapshot};
use crate::catalog::blocks::NEAR_MINIMUM;
use crate::diff;
use crate::html;
use crate::label::Reader;
use crate::report::find::{self as report, Sighting};
use crate::search::{ArchiveShelf, Found, Hit, Query, Search};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A content hash (or at least its first 8 digits), a page (file or snapshot), or the text of a whole
    /// paragraph: what is no hash, no file and no address, and has a space in it, is taken for a text
    #[arg(value_name = "HASH|PAGE|TEXT")]
    what: String,
    /// Take it for the text of a whole paragraph, whatever it looks like
    #[arg(long, conflicts_with = "declared")]
    text: bool,
    /// Take it for a declared hash; one in hex goes by its first 8 digits as well, any other must be whole
    #[arg(long)]
    declared: bool,
    /// Find paragraphs that differ in a few words or numbers, and show the difference
    #[arg(long)]
    near: bool,
    /// Print one JSON object a place
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let (archive, reader) = opened::open_complete(global, &arguments.reading)?;
    let mut search = Search::new(ArchiveShelf::new(&archive, &reader))?;
    let what = arguments.what.as_str();
    let hex = !what.is_empty() && what.bytes().all(|b| b.is_ascii_hexdigit());
    let is_text = arguments.text || (!opened::is_file(what) && what.trim().contains(char::is_whitespace));
    let query = if arguments.declared {
        Some(Query::Declared(what))
    } else if is_text {
        None
    } else if hex && !opened::is_file(what) {
        Some(Query::Content(what))
    } else {
        return page(arguments, &archive, &reader, &mut search, terminal);
    };
    let text = html::collapse(what);
    if arguments.near {
        if query.is_some() {
            return Err(Failure::new(
                "--near compares texts: give a page, or a paragraph with --text",
            ));
        }
        return near(&[(0, text.as_str())], arguments, &archive, &mut search, terminal);
    }
    let found = search.find(query.unwrap_or(Query::Text(&text)))?;
    print(&found, arguments, &archive, terminal)
}

fn print(found: &Found, arguments: &Arguments, archive: &Archive, terminal: &mut Terminal) -> CommandResult {
    let look = terminal.look();
    for hit in &found.hits {
        let sighting = sighting(archive, hit)?;
        if arguments.json {
            terminal.json(&report::line(&sighting))?;
        } else {
            report::row(&sighting, look, terminal.writer()).map_err(|error| writing(&error))?;
        }
    }
    if found.hits.is_empty() && !arguments.json {
        terminal.line("it stands nowhere in the archive; --near with a text finds what is like it")?;
    }
    if found.more {
        let note = "more articles may hold it; those above were looked into";
        if arguments.json {
            tell_user(note);
        } else {
            terminal.line(note)?;
        }
    }
    Ok(Outcome::found_if(found.hits.is_empty()))
}

/// Which paragraphs of a page stand in the archive, or nearly do.
fn page(
    arguments: &Arguments,
    archive: &Archive,
    reader: &Reader,
    search: &mut Search<ArchiveShelf<'_>>,
    terminal: &mut Terminal,
) -> CommandResult {
    let named = opened::page(Some(archive), &arguments.what).map_err(|failure| {
        Failure::new(format!(
            "{failure}; `find --text` takes a single word for a paragraph"
        ))
    })?;
    let document = reader.read(&named.page);
    if arguments.near {
        let texts: Vec<(usize, &str)> = document
            .blocks
            .iter()
            .enumerate()
            .map(|(index, block)| (index, block.text.as_str()))
            .collect();
        return near(&texts, arguments, archive, search, terminal);
    }
    let hits = search.page(&document)?;
    let look = terminal.look();
    for hit in &hits {
        let sighting = sighting(archive, &hit.first)?;
        let text = document
            .blocks
            .get(hit.index)
            .map_or("", |block| block.text.as_str());
        if arguments.json {
            terminal.json(&report::page_line(hit, text, &sighting))?;
        } else {
            report::page_row(hit, text, &sighting, look, terminal.writer())
                .map_err(|error| writing(&error))?;
        }
    }
    if !arguments.json {
        terminal.line(&format!(
            "{} of {} blocks stand in the archive",
            hits.len(),
            document.blocks.len()
        ))?;
    }
    Ok(Outcome::found_if(hits.is_empty()))
}

fn near(
    texts: &[(usize, &str)],
    arguments: &Arguments,
    archive: &Archive,
    search: &mut Search<ArchiveShelf<'_>>,
    terminal: &mut Terminal,
) -> CommandResult {
    let asked: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
    let found = search.near(&asked)?;
    let look = terminal.look();
    for hit in &found {
        let Some((index, text)) = texts.get(hit.query) else {
            continue;
        };
        let words = diff::words(text, &hit.text);
        let mut sightings = Vec::new();
        for place in &hit.hits {
            sightings.push(sighting(archive, place)?);
        }
        if arguments.json {
            terminal.json(&report::near_line(*index, hit, &words, &sightings))?;
        } else {
            report::near_row(*index, hit, &words, &sightings, look, terminal.writer())
                .map_err(|error| writing(&error))?;
        }
    }
    if found.is_empty() && !arguments.json {
        let short = |text: &&str| text.chars().count() < NEAR_MINIMUM as usize;
        if asked.iter().all(short) {
            terminal.line(&format!(
                "texts of fewer than {NEAR_MINIMUM} characters are not compared by likeness"
            ))?;
        } else {
            terminal.line(&format!(
                "no paragraph of the archive is near; compared are paragraphs of article bodies, from \
                 {NEAR_MINIMUM} characters on"
            ))?;
        }
    }
    Ok(Outcome::found_if(found.is_empty()))
}

/// The snapshots a hit refers to, by name.
fn sighting<'a>(archive: &Archive, hit: &'a Hit) -> Result<Sighting<'a>, Failure> {
    let snapshot = |id: i64| -> Result<Option<Snapshot>, Failure> { Ok(archive.snapshot(id)?) };
    Ok(Sighting {
        first: snapshot(hit.first.snapshot)?,
        last: snapshot(hit.last.snapshot)?,
        hit,
    })
}
