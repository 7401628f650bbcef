//! `check`: declared hashes of pages against recipes and the archive's ledger.

use std::collections::BTreeMap;
use std::thread;

use super::arguments::{Reading, Sources, open_all};
use super::failure::{Failure, writing};
use super::hash::page_name;
use super::recipe::candidates;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::archive::{Archive, Snapshot};
use crate::block::Document;
use crate::catalog::ledger::Seen;
use crate::check::{self, Evidence, SiteSummary, Summary, Testified, Verdict};
use crate::label::Reader;
use crate::page::{Page, host};
use crate::pool;
use crate::recipe::{PageInput, Recipe};
use crate::report::check as report;
use crate::source::Item;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Pages: files, directories, NDJSON or WARC files, -, or snapshots of the archive; none with
    /// --all means every snapshot of the archive, summed up by site
    #[arg(value_name = "PAGE", required_unless_present = "all")]
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
    /// The snapshot, if the page is from the archive.
    snapshot: Option<Snapshot>,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let reader = arguments.reading.reader(global)?;
    if arguments.pages.is_empty() {
        return everything(global, arguments, &reader, terminal);
    }
    let (inputs, outcome) = read(global, arguments, &reader)?;
    // A file is held against the ledger only where an archive was named.
    let archive = if global.archive.is_some() || inputs.iter().any(|input| input.snapshot.is_some()) {
        let mut archive = opened::open(global)?;
        opened::bring_up_to_date(&mut archive, &reader)?;
        Some(archive)
    } else {
        None
    };
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
        let witnesses = match &archive {
            Some(archive) => witnesses(archive, input)?,
            None => Vec::new(),
        };
        let shown = report::Shown {
            page: &input.name,
            witnesses: &witnesses,
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

/// What other snapshots say about the page's declared hashes.
fn witnesses(archive: &Archive, input: &Input) -> Result<Vec<Option<Testified>>, Failure> {
    let site = host(&input.page.address);
    let article = match &input.snapshot {
        Some(snapshot) => Some(snapshot.article),
        None => archive
            .newest(&input.page.address)?
            .map(|snapshot| snapshot.article),
    };
    let seen = Seen {
        site: site.as_deref(),
        article,
        snapshot: input.snapshot.as_ref().map(|snapshot| snapshot.id),
    };
    Ok(archive.with_catalog(|catalog| check::witnesses(catalog, &input.document, seen))?)
}

/// Every snapshot of the archive, summed up by site.
fn everything(
    global: &Global,
    arguments: &Arguments,
    reader: &Reader,
    terminal: &mut Terminal,
) -> CommandResult {
    let mut archive = opened::open(global)?;
    opened::bring_up_to_date(&mut archive, reader)?;
    let snapshots = archive.all_snapshots()?;
    let mut recipes: BTreeMap<Option<String>, Vec<Recipe>> = BTreeMap::new();
    for snapshot in &snapshots {
        let site = host(&snapshot.address);
        if let std::collections::btree_map::Entry::Vacant(new) = recipes.entry(site) {
            let rule = reader.rule(&snapshot.address);
            new.insert(candidates(&arguments.recipe, rule.recipe.as_deref())?);
        }
    }
    let recipes_of = |address: &str| recipes.get(&host(address)).map_or(&[][..], Vec::as_slice);
    let read = |snapshot: &Snapshot| -> Result<Input, Failure> {
        let page = archive.restore(snapshot)?;
        Ok(Input {
            name: format!("{}@{}", snapshot.address, snapshot.n),
            document: reader.read(&page),
            page,
            snapshot: Some(snapshot.clone()),
        })
    };
    let bar = progress::count(Some(2 * snapshots.len() as u64));
    // What one page proves about a recipe counts for all pages of its site, so all are read twice.
    let mut evidence: BTreeMap<Option<String>, Evidence> = BTreeMap::new();
    let mut sites: BTreeMap<String, SiteSummary> = BTreeMap::new();
    let mut failed = 0_u64;
    thread::scope(|scope| {
        let proofs = pool::ordered(scope, pool::cores(), snapshots.iter(), |snapshot| {
            let input = read(snapshot)?;
            let proof = check::evidence(page_input(&input, reader), recipes_of(&snapshot.address));
            Ok::<_, Failure>((host(&snapshot.address), proof))
        });
        for (site, proof) in proofs.flatten() {
            bar.inc(1);
            evidence.entry(site).or_default().merge(&proof);
        }
    });
    let none = Evidence::default();
    thread::scope(|scope| {
        let reports = pool::ordered(scope, pool::cores(), snapshots.iter(), |snapshot| {
            let input = read(snapshot)?;
            let known = evidence.get(&host(&snapshot.address)).unwrap_or(&none);
            let recipes = recipes_of(&snapshot.address);
            Ok::<_, Failure>((snapshot, check::check(page_input(&input, reader), recipes, known)))
        });
        for report in reports {
            bar.inc(1);
            match report {
                Ok((snapshot, report)) => {
                    let site = host(&snapshot.address).unwrap_or_default();
                    let recipes = recipes_of(&snapshot.address);
                    sites
                        .entry(site)
                        .or_default()
                        .count(&report, recipes, snapshot.moment);
                }
                Err(failure) => {
                    failed += 1;
                    bar.suspend(|| tell_user(&failure.to_string()));
                }
            }
        }
    });
    bar.finish_and_clear();
    let mut total = Summary::default();
    let mut pages = 0;
    let mut passed = true;
    for (site, summary) in &sites {
        total.add(&summary.summary);
        pages += summary.pages;
        passed &= summary.summary.declared() == 0 || summary.summary.passes(&arguments.allow);
        let recipes = recipes.get(&Some(site.clone())).map_or(&[][..], Vec::as_slice);
        let ledger = archive.with_catalog(|catalog| crate::catalog::ledger::site(catalog, site))?;
        if arguments.json {
            terminal.json(&report::site_object(site, summary, recipes, &ledger))?;
        } else {
            terminal.line(&report::site_line(site, summary, recipes, &ledger))?;
        }
    }
    if arguments.json {
        terminal.json(&report::summary(&total, pages))?;
    } else {
        terminal.line(&report::summary_line(&total, pages))?;
    }
    Ok(if failed > 0 {
        Outcome::Failed
    } else {
        Outcome::found_if(!passed || total.declared() == 0)
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
                snapshot: named.snapshot,
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
                    snapshot: None,
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
