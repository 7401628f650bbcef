//! `blame`: for each paragraph of an article when it appeared and when it last changed.

use super::arguments::Reading;
use super::diff::history_of;
use super::failure::writing;
use super::terminal::Terminal;
use super::{CommandResult, Failure, Global, Outcome, opened};
use crate::diff::{History, Options};
use crate::label::image_identity;
use crate::report::blame as report;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The article's address
    #[arg(value_name = "ADDRESS")]
    article: String,
    /// Show paragraphs outside the article as well
    #[arg(long)]
    all: bool,
    /// Print one JSON object a paragraph
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let reader = arguments.reading.reader(global)?;
    let mut archive = opened::open(global)?;
    opened::bring_up_to_date(&mut archive, &reader)?;
    let versions = history_of(&archive, &arguments.article, &reader)?;
    let rule = reader.rule(&arguments.article);
    let identity = |src: &str| image_identity(rule, src);
    let options = Options {
        image_identity: Some(&identity),
        filter: None,
    };
    let mut history = History::new();
    for version in &versions {
        let n = u32::try_from(version.snapshot.n).map_err(|_| Failure::new("too many snapshots"))?;
        history.push(n, (*version.document).clone(), &options);
    }
    let moments: Vec<_> = versions
        .iter()
        .map(|version| (version.snapshot.n, version.snapshot.moment))
        .collect();
    let Some(blame) = history.blame() else {
        return Err(Failure::at(
            &arguments.article,
            "no snapshot with status 200; there is nothing to show",
        ));
    };
    let look = terminal.look();
    if !arguments.json {
        terminal.page()?;
    }
    let out = terminal.writer();
    if arguments.json {
        report::json(&arguments.article, &blame, &moments, arguments.all, out)
    } else {
        report::terminal(&blame, &moments, arguments.all, look, out)
    }
    .map_err(|error| writing(&error))?;
    Ok(Outcome::Clean)
}
