//! `site`: the rules for the pages of a site.

use super::arguments::Reading;
use super::failure::writing;
use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened};
use crate::html;
use crate::label;
use crate::report::site as report;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print the rule that holds for a host, as TOML
    Show(Show),
    /// Show which rule labelled which block of a page, and why
    Test(Test),
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// A host such as v.daum.net; without it, the rule for every host
    host: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// The page: a file or a snapshot of the archive
    #[arg(value_name = "PAGE")]
    page: String,
    /// Apply the rule of this host instead of the page's own
    #[arg(long)]
    host: Option<String>,
    /// Print one JSON object a block
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(global: &Global, command: &Command, terminal: &mut Terminal) -> CommandResult {
    match command {
        Command::Show(show) => {
            let rules = opened::rules(global)?;
            terminal.write(rules.for_host(show.host.as_deref()).to_string().as_bytes())?;
            Ok(Outcome::Clean)
        }
        Command::Test(test) => explain(global, test, terminal),
    }
}

fn explain(global: &Global, arguments: &Test, terminal: &mut Terminal) -> CommandResult {
    let rules = opened::rules(global)?;
    let archive = opened::shelf(global, opened::snapshot_among([&arguments.page]))?;
    let reader = arguments.reading.reader(global)?;
    let named = opened::page(archive.as_ref(), &arguments.page)?;
    let host = arguments
        .host
        .clone()
        .or_else(|| crate::page::host(&named.page.address));
    let rule = rules.for_host(host.as_deref());
    // As labelling finds it: no rule has told title, byline or time yet.
    let document = html::read(
        &named.page.body,
        &html::ReadOptions {
            http_charset: named.page.http_charset(),
            declared_attribute: reader.declared_attribute(),
        },
    );
    let reasons = label::explain(&document, rule);
    let tested = report::Tested {
        page: &named.name,
        rule,
        document: &document,
        facts: &label::facts(&document, rule),
        reasons: &reasons,
    };
    if arguments.json {
        for reason in &reasons {
            terminal.json(reason)?;
        }
        terminal.json(&report::summary(&tested))?;
    } else {
        let look = terminal.look();
        report::terminal(&tested, look, terminal.writer()).map_err(|error| writing(&error))?;
    }
    Ok(Outcome::Clean)
}
