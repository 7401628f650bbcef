//! `check`: declared hashes of pages against recipes and the archive's ledger.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::arguments::{Reading, Sources};
use super::failure::{Failure, writing};
use super::inputs::{Input, each_input, first_snapshot, page_input, tell_why};
use super::recipe::candidates;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::check::{self, Evidence, Step, Summary, Verdict};
use crate::page::host;
use crate::recipe::Recipe;
use crate::report::check as report;
use crate::report::check::Structures;

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

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    if arguments.pages.is_empty() {
        return everything(global, arguments, terminal);
    }
    // A file is held against the ledger only where an archive was named.
    let snapshot = first_snapshot(&arguments.pages);
    let (archive, reader) = if global.archive.is_some() || opened::has_shelf(global, snapshot) {
        let (archive, reader) = opened::open_complete(global, &arguments.reading)?;
        (Some(archive), reader)
    } else {
        (None, arguments.reading.reader(global)?)
    };
    let options = arguments.sources.options();
    // Pages of one site hold each other's evidence: what one page proves about a recipe counts for all.
    let mut by_site: BTreeMap<Option<String>, (Vec<Recipe>, Evidence)> = BTreeMap::new();
    let mut kept = Kept::new(&arguments.pages);
    let mut read = 0;
    let outcome = each_input(
        archive.as_ref(),
        &arguments.pages,
        &options,
        &reader,
        &mut tell_why,
        &mut |input| {
            let site = by_site.entry(host(&input.page.address));
            let (recipes, evidence) = match site {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let rule = reader.rule(&input.page.address);
                    new.insert((candidates(global, &arguments.recipe, rule)?, Evidence::default()))
                }
            };
            evidence.merge(&check::evidence(page_input(&input, &reader), recipes));
            read += 1;
            kept.keep(input);
            Ok(())
        },
    )?;
    let mut total = Summary::default();
    let mut structures = Structures::new(archive.is_some());
    let mut passed = true;
    let mut pages = 0;
    let mut show = |input: &Input| -> Result<(), Failure> {
        let Some((recipes, evidence)) = by_site.get(&host(&input.page.address)) else {
            return Ok(());
        };
        let result = check::check(page_input(input, &reader), recipes, evidence);
        pages += 1;
        passed &= result.summary.passes(&arguments.allow);
        total.add(&result.summary);
        let testimonies = match &archive {
            Some(archive) => Some(check::testimonies(
                archive,
                &reader,
                &input.page.address,
                input.snapshot.as_ref(),
                &input.document,
            )?),
            None => None,
        };
        structures.count(
            &input.name,
            testimonies.as_ref().and_then(|all| all.structure.as_ref()),
        );
        let shown = report::Shown {
            page: &input.name,
            testimonies: testimonies.as_ref(),
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
        .map_err(|error| writing(&error))
    };
    match kept.pages {
        Some(inputs) => inputs.iter().try_for_each(&mut show)?,
        None => {
            // What could not be read was told the first time.
            each_input(
                archive.as_ref(),
                &arguments.pages,
                &options,
                &reader,
                &mut |_| (),
                &mut |input| show(&input),
            )?;
        }
    }
    if arguments.json {
        let mut summary = report::summary(&total, pages);
        summary["structure"] = structures.json();
        terminal.json(&summary)?;
    } else if pages > 1 {
        terminal.line(&report::summary_line(&total, pages))?;
    }
    Ok(match outcome {
        Outcome::Clean if pages < read => {
            tell_user("some pages could not be read a second time; check them again");
            Outcome::Failed
        }
        Outcome::Clean => Outcome::found_if(!passed || pages == 0),
        failed => failed,
    })
}

/// Bytes of pages kept between the two rounds of a check: evidence first, then verdicts.
const KEPT: usize = 64 << 20;

/// The pages of the first round, until they are too many: then they are read again.
struct Kept {
    pages: Option<Vec<Input>>,
    bytes: usize,
    limit: usize,
}

impl Kept {
    fn new(names: &[String]) -> Self {
        // Standard input and pipes cannot be read twice.
        let once = names.iter().any(|name| {
            name == "-" || std::fs::metadata(name).is_ok_and(|file| !file.is_file() && !file.is_dir())
        });
        Self {
            pages: Some(Vec::new()),
            bytes: 0,
            limit: if once { usize::MAX } else { KEPT },
        }
    }

    fn keep(&mut self, input: Input) {
        self.bytes += input.page.body.len();
        if self.bytes > self.limit {
            self.pages = None;
        }
        if let Some(pages) = &mut self.pages {
            pages.push(input);
        }
    }
}

/// Every snapshot of the archive, summed up by site.
fn everything(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let (archive, reader) = opened::open_complete(global, &arguments.reading)?;
    let snapshots = archive.all_snapshots()?;
    let mut recipes = check::Recipes::new();
    for snapshot in &snapshots {
        if let Entry::Vacant(new) = recipes.entry(host(&snapshot.address)) {
            new.insert(candidates(
                global,
                &arguments.recipe,
                reader.rule(&snapshot.address),
            )?);
        }
    }
    let bar = progress::count(Some(2 * snapshots.len() as u64));
    let mut failed = 0_u64;
    let survey = check::survey(&archive, &reader, &snapshots, &recipes, &mut |step| match step {
        Step::Read => bar.inc(1),
        Step::Failed(snapshot, error) => {
            failed += 1;
            let name = format!("{}@{}", snapshot.address, snapshot.n);
            bar.suspend(|| tell_user(&Failure::from(error).at_page(&name).to_string()));
        }
    })?;
    bar.finish_and_clear();
    for (site, summary) in &survey.sites {
        let recipes = recipes.get(site).map_or(&[][..], Vec::as_slice);
        if arguments.json {
            terminal.json(&report::site_object(site.as_deref(), summary, recipes))?;
        } else {
            report::site(
                site.as_deref(),
                summary,
                recipes,
                terminal.look(),
                terminal.writer(),
            )
            .map_err(|error| writing(&error))?;
        }
    }
    let (total, pages) = (survey.total(), survey.pages());
    if arguments.json {
        terminal.json(&report::summary(&total, pages))?;
    } else {
        terminal.line(&report::summary_line(&total, pages))?;
    }
    Ok(if failed > 0 {
        Outcome::Failed
    } else {
        Outcome::found_if(!survey.passes(&arguments.allow))
    })
}
