//! `recipe`: list, show and find the ways from a block to a content hash.

use std::path::Path;

use super::arguments::{Reading, Sources};
use super::failure::{Failure, writing};
use super::inputs::{Input, first_snapshot, inputs, page_input};
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::label::{SiteRecipe, SiteRule, recipe_entry};
use crate::page::host;
use crate::recipe::{self, FindOptions, FindReport, PageInput, Recipe};
use crate::report::recipe as report;

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
    /// Pages whose declared hashes are to be reproduced, files or snapshots; all are used together
    #[arg(required = true, value_name = "PAGE")]
    pages: Vec<String>,
    /// More recipes to try first: TOML files
    #[arg(long, value_name = "FILE")]
    recipe: Vec<String>,
    /// Go on after a recipe was found that fits everything
    #[arg(long)]
    all: bool,
    /// Keep the recipe that fits best in the archive's sites.toml, as the rule of the pages' host or
    /// of the one given; `check` then uses it
    #[arg(long, value_name = "HOST", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    keep: Option<String>,
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
    let archive = opened::shelf(global, first_snapshot(&arguments.pages))?;
    let reader = arguments.reading.reader(global)?;
    let options = arguments.sources.options();
    let (pages, outcome) = inputs(archive.as_ref(), &arguments.pages, &options, &reader)?;
    if pages.is_empty() && outcome != Outcome::Clean {
        return Ok(outcome);
    }
    let keep = match &arguments.keep {
        Some(host) => Some(hosts(host, &pages)?),
        None => None,
    };
    let inputs: Vec<PageInput<'_>> = pages.iter().map(|page| page_input(page, &reader)).collect();
    let mut known = arguments
        .recipe
        .iter()
        .map(|name| by_name(name))
        .collect::<Result<Vec<_>, _>>()?;
    for page in &pages {
        let kept = site_recipe(global, reader.rule(&page.page.address))?;
        known.extend(kept.filter(|kept| !known.contains(kept)));
    }
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
    let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
    if arguments.json {
        terminal.json(&report::found_object(&found, &names, seconds))?;
    } else {
        let look = terminal.look();
        report::found(&found, &names, seconds, look, terminal.writer()).map_err(|error| writing(&error))?;
    }
    if let (Some(hosts), Some(best)) = (keep, found.found.first()) {
        keep_rule(global, &hosts, &found, &best.recipe)?;
    }
    Ok(match outcome {
        Outcome::Clean => Outcome::found_if(found.found.is_empty()),
        failed => failed,
    })
}

/// The hosts that a found recipe is kept for.
fn hosts(named: &str, pages: &[Input]) -> Result<Vec<String>, Failure> {
    if !named.is_empty() {
        return Ok(vec![named.to_owned()]);
    }
    let mut hosts: Vec<String> = pages.iter().filter_map(|page| host(&page.page.address)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    if hosts.is_empty() {
        return Err(Failure::new(
            "no page tells its host: name the one to keep the recipe for, as in --keep=news.example",
        ));
    }
    Ok(hosts)
}

/// Writes the recipe into the archive's site rules, behind what is there: a later entry overrides the
/// keys it names and no others.
fn keep_rule(global: &Global, hosts: &[String], found: &FindReport, recipe: &Recipe) -> Result<(), Failure> {
    let rules = opened::rules(global)?;
    let missing: Vec<&String> = hosts
        .iter()
        .filter(|host| {
            let kept = site_recipe(global, rules.for_host(Some(host.as_str())));
            !matches!(kept, Ok(Some(kept)) if kept.identity() == recipe.identity())
        })
        .collect();
    let path = opened::sites_path(global);
    if missing.is_empty() {
        tell_user(&format!("{}: has this recipe already", path.display()));
        return Ok(());
    }
    let missing: Vec<&str> = missing.into_iter().map(String::as_str).collect();
    let fits = found.found.first().map_or(0, |best| best.reproduced.len());
    let comment = format!(
        "Kept by `pressmark recipe find`: gives {fits} of {} declared hashes.",
        found.declared.len()
    );
    let entry = recipe_entry(&missing, &recipe.to_toml(), &comment);
    opened::add_rule(global, &entry)?;
    tell_user(&format!(
        "{}: {} kept for {}; `pressmark check` uses it",
        path.display(),
        recipe.label(),
        missing.join(", ")
    ));
    Ok(())
}

/// The recipe of a site rule. A path is one from the archive's directory, where the rules are.
fn site_recipe(global: &Global, rule: &SiteRule) -> Result<Option<Recipe>, Failure> {
    let place = || {
        format!(
            "{}, recipe of {}",
            opened::sites_path(global).display(),
            rule.host
        )
    };
    match &rule.recipe {
        None => Ok(None),
        Some(SiteRecipe::Written(table)) => Recipe::from_toml(&table.to_string())
            .map(Some)
            .map_err(|error| Failure::at(place(), error)),
        Some(SiteRecipe::Named(name)) => {
            let beside = opened::archive_path(global).join(name);
            let name = if recipe::builtin(name).is_none() && beside.is_file() {
                beside.to_string_lossy().into_owned()
            } else {
                name.clone()
            };
            by_name(&name)
                .map(Some)
                .map_err(|failure| failure.at_page(place()))
        }
    }
}

/// The recipes declared hashes are held against: those named, else that of the site, and in any case
/// the built-in ones.
pub(super) fn candidates(global: &Global, named: &[String], rule: &SiteRule) -> Result<Vec<Recipe>, Failure> {
    let mut recipes = named
        .iter()
        .map(|name| by_name(name))
        .collect::<Result<Vec<_>, _>>()?;
    if named.is_empty() {
        recipes.extend(site_recipe(global, rule)?);
    }
    for builtin in recipe::builtins() {
        if !recipes.iter().any(|known| known.identity() == builtin.identity()) {
            recipes.push(builtin.clone());
        }
    }
    Ok(recipes)
}
