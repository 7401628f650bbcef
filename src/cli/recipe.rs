//! `recipe`: list, show and find the ways from a block to a content hash.

use std::path::Path;

use super::arguments::{Reading, Sources, open_all};
use super::failure::{Failure, writing};
use super::hash::page_name;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, progress};
use crate::block::Document;
use crate::page::Page;
use crate::recipe::{self, FindOptions, PageInput, Recipe};
use crate::report::recipe as report;
use crate::source::Item;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the built-in recipes
    List(List),
    /// Print a recipe as TOML
    Show(Show),
    /// Search for recipes that give the hashes which pages declare
    Find(Box<Find>),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Print one JSON object a recipe
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// A built-in name, or a TOML file
    #[arg(value_name = "NAME|FILE")]
    recipe: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Find {
    /// Pages whose declared hashes are to be reproduced; all of them are used together
    #[arg(required = true, value_name = "PAGE")]
    pages: Vec<String>,
    /// More recipes to try first: TOML files
    #[arg(long, value_name = "FILE")]
    recipe: Vec<String>,
    /// Go on after a recipe was found that fits everything
    #[arg(long)]
    all: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    sources: Sources,
}

/// The recipe an option names: a built-in one, or the TOML file of that path.
pub(super) fn by_name(name: &str) -> Result<Recipe, Failure> {
    if let Some(builtin) = recipe::builtin(name) {
        return Ok(builtin.clone());
    }
    if !Path::new(name).is_file() {
        return Err(Failure::new(format!(
            "{name:?} is neither a built-in recipe (`pressmark recipe list`) nor a file"
        )));
    }
    let toml = std::fs::read_to_string(name).map_err(|error| Failure::at(name, error))?;
    Recipe::from_toml(&toml).map_err(|error| Failure::at(name, error))
}

pub(super) fn run(global: &Global, command: &Command, terminal: &mut Terminal) -> CommandResult {
    match command {
        Command::List(list) => {
            for recipe in recipe::builtins() {
                if list.json {
                    terminal.json(&report::line(recipe))?;
                } else {
                    let look = terminal.look();
                    report::row(recipe, look, terminal.writer()).map_err(|error| writing(&error))?;
                }
            }
            Ok(Outcome::Clean)
        }
        Command::Show(show) => {
            terminal.write(by_name(&show.recipe)?.to_toml().as_bytes())?;
            Ok(Outcome::Clean)
        }
        Command::Find(find) => search(global, find, terminal),
    }
}

fn search(global: &Global, arguments: &Find, terminal: &mut Terminal) -> CommandResult {
    let reader = arguments.reading.reader(global)?;
    let (sources, mut outcome) = open_all(&arguments.pages, &arguments.sources.options());
    let mut pages: Vec<(String, Page, Document)> = Vec::new();
    for item in sources.into_iter().flatten() {
        match item {
            Item::Page(page, place) => {
                let document = reader.read(&page);
                pages.push((page_name(&page, &place), *page, document));
            }
            Item::Skipped(fault) | Item::Noted(fault) => {
                tell_user(&fault.to_string());
                outcome = Outcome::Failed;
            }
            Item::LeftOut(_) => {}
        }
    }
    let inputs: Vec<PageInput<'_>> = pages
        .iter()
        .map(|(_, page, document)| PageInput {
            address: Some(&page.address),
            attribute: reader.declared_attribute(),
            ..PageInput::new(&page.body, document)
        })
        .collect();
    let known = arguments
        .recipe
        .iter()
        .map(|name| by_name(name))
        .collect::<Result<Vec<_>, _>>()?;
    let options = FindOptions {
        known,
        go_on: arguments.all,
        ..FindOptions::default()
    };
    let started = std::time::Instant::now();
    let bar = progress::count(None);
    let found = recipe::find(&inputs, &options, &|tried| bar.set_position(tried));
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    let names: Vec<&str> = pages.iter().map(|(name, ..)| name.as_str()).collect();
    if arguments.json {
        terminal.json(&report::found_object(&found, &names, seconds))?;
    } else {
        let look = terminal.look();
        report::found(&found, &names, seconds, look, terminal.writer()).map_err(|error| writing(&error))?;
    }
    Ok(match outcome {
        Outcome::Clean => Outcome::found_if(found.found.is_empty()),
        failed => failed,
    })
}

/// The recipes declared hashes are held against: those named, else that of the site, and in any case
/// the built-in ones.
pub(super) fn candidates(named: &[String], site: Option<&str>) -> Result<Vec<Recipe>, Failure> {
    let mut recipes = named
        .iter()
        .map(|name| by_name(name))
        .collect::<Result<Vec<_>, _>>()?;
    if let (Some(site), true) = (site, named.is_empty()) {
        recipes.push(by_name(site)?);
    }
    for builtin in recipe::builtins() {
        if !recipes.iter().any(|known| known.identity() == builtin.identity()) {
            recipes.push(builtin.clone());
        }
    }
    Ok(recipes)
}
