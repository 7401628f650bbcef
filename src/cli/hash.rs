//! `hash`: every block of pages with its content hash.

use std::thread;

use super::arguments::{Reading, Sources, listed, open_all};
use super::failure::Failure;
use super::recipe::by_name;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome};
use crate::label::Reader;
use crate::page::Page;
use crate::pool;
use crate::recipe::{Hasher, PageInput, Recipe};
use crate::report::blocks::{self, BlockLine};
use crate::report::layout::Look;
use crate::source::{Item, Place};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Pages: files, directories, NDJSON or WARC files, or - for standard input
    #[arg(required = true, value_name = "PAGE")]
    pages: Vec<String>,
    /// Recipe to hash by: a built-in name (see `recipe list`) or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "text-v1")]
    recipe: String,
    /// Print only blocks of the article's body
    #[arg(long)]
    body: bool,
    /// Print one JSON object a block
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    sources: Sources,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let reader = arguments.reading.reader(global)?;
    let recipe = by_name(&arguments.recipe)?;
    let options = arguments.sources.options();
    let (sources, mut outcome) = open_all(&arguments.pages, &options);
    let look = terminal.look();
    let work = |entry: crate::source::Listed| {
        let (mut faults, item) = entry.read(&options);
        let text = match item {
            Item::Page(page, place) => render(&page, &place, &reader, &recipe, arguments, look),
            Item::Skipped(fault) | Item::Noted(fault) => {
                faults.push(fault);
                Vec::new()
            }
            Item::LeftOut(_) => Vec::new(),
        };
        (faults, text)
    };
    thread::scope(|scope| {
        for (faults, text) in pool::ordered(scope, pool::cores(), listed(sources), work) {
            terminal.write(&text)?;
            for fault in faults {
                tell_user(&fault.to_string());
                if outcome == Outcome::Clean {
                    outcome = Outcome::Found;
                }
            }
        }
        Ok::<_, Failure>(())
    })?;
    Ok(outcome)
}

/// The lines of one page; made on the worker, so that printing is only a copy.
fn render(
    page: &Page,
    place: &Place,
    reader: &Reader,
    recipe: &Recipe,
    arguments: &Arguments,
    look: Look,
) -> Vec<u8> {
    let document = reader.read(page);
    let input = PageInput {
        address: Some(&page.address),
        attribute: reader.declared_attribute(),
        ..PageInput::new(&page.body, &document)
    };
    let hasher = Hasher::new(recipe, input);
    let hashes: Vec<String> = (0..document.blocks.len())
        .map(|index| {
            hasher
                .hash(index)
                .map(|hash| hash.to_string())
                .unwrap_or_default()
        })
        .collect();
    let label = recipe.label();
    let name = page_name(page, place);
    let lines: Vec<BlockLine<'_>> = document
        .blocks
        .iter()
        .zip(&hashes)
        .enumerate()
        .filter(|(_, (block, _))| block.body || !arguments.body)
        .map(|(index, (block, hash))| BlockLine::new(&name, index, block, hash, &label))
        .collect();
    let mut text = Vec::with_capacity(document.blocks.len() * 256);
    // Writing to memory cannot fail.
    let _ = if arguments.json {
        blocks::json(&lines, &mut text)
    } else {
        blocks::terminal(&name, &document, &lines, look, &mut text)
    };
    text
}

/// How a page is named in output: by its file where it is one, else by its address.
pub(super) fn page_name(page: &Page, place: &Place) -> String {
    match place.at {
        crate::source::At::Whole => place.file.to_string(),
        _ => page.address.clone(),
    }
}
