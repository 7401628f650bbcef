//! `site`: the rules for the pages of a site.

use super::arguments::Reading;
use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened};
use crate::label::{self, LABELLER};
use crate::report::layout::{Accent, cell, columns, fit};

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
    let reader = arguments.reading.reader(global)?;
    let named = opened::page(global, &arguments.page)?;
    let host = arguments
        .host
        .clone()
        .or_else(|| crate::page::host(&named.page.address));
    let rule = rules.for_host(host.as_deref());
    let document = reader.read(&named.page);
    let look = terminal.look();
    if !arguments.json {
        terminal.line(&format!(
            "{} by {LABELLER}, rule for host {}",
            named.name, rule.host
        ))?;
    }
    for (reason, block) in label::explain(&document, rule).iter().zip(&document.blocks) {
        if arguments.json {
            terminal.json(reason)?;
            continue;
        }
        let head = format!(
            "{:>5} {} {} {} ",
            reason.block,
            cell(block.kind.as_str(), 10),
            if reason.body { '*' } else { ' ' },
            cell(&format!("{}: {}", reason.by, reason.detail), look.width / 2)
        );
        let room = look.width.saturating_sub(columns(&head)).max(8);
        let text = fit(&block.text, room);
        let text = if reason.body {
            text
        } else {
            look.paint(Accent::Faint, text)
        };
        terminal.line(format!("{head}{text}").trim_end())?;
    }
    Ok(Outcome::Clean)
}
