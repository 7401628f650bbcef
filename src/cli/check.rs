//! `check`: declared hashes of pages against recipes and the archive's ledger.

use std::collections::BTreeMap;

use super::arguments::{Reading, Sources, open_all};
use super::failure::{Failure, writing};
use super::hash::page_name;
use super::recipe::candidates;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened};
use crate::block::Document;
use crate::check::{self, Evidence, Summary, Verdict};
use crate::label::Reader;
use crate::page::{Page, host};
use crate::recipe::{PageInput, Recipe};
use crate::report::check as report;
use crate::source::Item;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Pages: files, directories, NDJSON or WARC files, -, or snapshots of the archive
    #[arg(required = true, value_name = "PAGE")]
    pages: Vec<String>,
    /// Recipe to hold the hashes against: a built-in name or a TOML file; built-in ones are tried in any case
    #[arg(long, value_name = "NAME|FILE")]
    recipe: Vec<String>,
    /// Print blocks without a declared hash as well
    #[arg(long)]
    all: bool,
    /// Verdicts that are no reason for exit code 1, such as unproven,undeclared
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = verdict)]
    allow: Vec<Verdict>,
    /// Print one JSON object a block, and a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    sources: Sources,
}

fn verdict(name: &str) -> Result<Verdict, String> {
    Verdict::ALL
        .into_iter()
        .find(|verdict| verdict.as_str() == name)
        .ok_or_else(|| {
            let names: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
            format!("{name:?} is no verdict; they are {}", names.join(", "))
        })
}

/// A page to check, by the name it is printed under.
struct Input {
    name: String,
    page: Page,
    document: Document,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let reader = arguments.reading.reader(global)?;
    let (inputs, outcome) = read(global, arguments, &reader)?;
    // Pages of one site hold each other's evidence: what one page proves about a recipe counts for all.
    let mut by_site: BTreeMap<Option<String>, (Vec<Recipe>, Evidence)> = BTreeMap::new();
    for input in &inputs {
        let site = by_site.entry(host(&input.page.address));
        let (recipes, evidence) = match site {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let rule = reader.rule(&input.page.address);
                new.insert((
                    candidates(&arguments.recipe, rule.recipe.as_deref())?,
                    Evidence::default(),
                ))
            }
        };
        evidence.merge(&check::evidence(page_input(input, &reader), recipes));
    }
    let mut total = Summary::default();
    let mut passed = true;
    for input in &inputs {
        let Some((recipes, evidence)) = by_site.get(&host(&input.page.address)) else {
            continue;
        };
        let result = check::check(page_input(input, &reader), recipes, evidence);
        passed &= result.summary.passes(&arguments.allow);
        total.add(&result.summary);
        let shown = report::Shown {
            page: &input.name,
            document: &input.document,
            recipes,
            report: &result,
            all: arguments.all,
        };
        let look = terminal.look();
        let out = terminal.writer();
        if arguments.json {
            report::json(&shown, out)
        } else {
            report::terminal(&shown, look, out)
        }
        .map_err(|error| writing(&error))?;
    }
    if arguments.json {
        terminal.json(&report::summary(&total, inputs.len()))?;
    } else if inputs.len() > 1 {
        terminal.line(&report::summary_line(&total, inputs.len()))?;
    }
    Ok(match outcome {
        Outcome::Clean => Outcome::found_if(!passed),
        failed => failed,
    })
}

fn page_input<'a>(input: &'a Input, reader: &'a Reader) -> PageInput<'a> {
    PageInput {
        address: Some(&input.page.address),
        attribute: reader.declared_attribute(),
        ..PageInput::new(&input.page.body, &input.document)
    }
}

/// Reads every page that was named. What cannot be read is told and makes the outcome
/// [`Outcome::Failed`].
fn read(global: &Global, arguments: &Arguments, reader: &Reader) -> Result<(Vec<Input>, Outcome), Failure> {
    let options = arguments.sources.options();
    let mut inputs = Vec::new();
    let mut outcome = Outcome::Clean;
    for name in &arguments.pages {
        if name != "-" && !std::path::Path::new(name).exists() {
            let named = opened::page(global, name)?;
            inputs.push(Input {
                document: reader.read(&named.page),
                name: named.name,
                page: named.page,
            });
            continue;
        }
        let (sources, opening) = open_all(std::slice::from_ref(name), &options);
        if opening != Outcome::Clean {
            outcome = opening;
        }
        for item in sources.into_iter().flatten() {
            match item {
                Item::Page(page, place) => inputs.push(Input {
                    name: page_name(&page, &place),
                    document: reader.read(&page),
                    page: *page,
                }),
                Item::Skipped(fault) | Item::Noted(fault) => {
                    tell_user(&fault.to_string());
                    outcome = Outcome::Failed;
                }
                Item::LeftOut(_) => {}
            }
        }
    }
    Ok((inputs, outcome))
}
