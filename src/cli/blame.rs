//! `blame`: for each paragraph of an article when it appeared and when it last changed.

use super::arguments::Reading;
use super::failure::writing;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Failure, Global, Outcome, opened};
use crate::archive::Snapshot;
use crate::diff::Filter;
use crate::history::{Wanted, walk};
use crate::report::{blame as report, log};

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
    let (archive, reader) = opened::open_complete(global, &arguments.reading)?;
    let mut snapshots = opened::article(&archive, &arguments.article)?;
    snapshots.retain(Snapshot::counts_as_revision);
    let moments: Vec<_> = snapshots
        .iter()
        .map(|snapshot| (snapshot.n, snapshot.moment))
        .collect();
    let filter = Filter::default();
    let wanted = Wanted::new(&filter, arguments.all).with_documents();
    let mut lost = false;
    let history = walk(&archive, snapshots, &reader, wanted, &mut |entry| {
        if let Some(why) = &entry.lost {
            lost = true;
            tell_user(why);
        }
        Ok::<(), Failure>(())
    })?;
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
    if let Some(n) = history.left_aside() {
        let note =
            format!("left out snapshot {n}, whose extraction is suspect; `pressmark log ADDRESS` says why");
        if arguments.json {
            tell_user(&note);
        } else {
            log::note(&note, look, terminal.writer()).map_err(|error| writing(&error))?;
        }
    }
    Ok(Outcome::found_if(lost))
}
