//! `list`: the articles of the archive.

use globset::GlobBuilder;

use super::arguments::Reading;
use super::failure::{Failure, writing};
use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened};
use crate::report::archive as report;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only addresses that match this pattern (`*` any characters)
    #[arg(value_name = "GLOB")]
    pattern: Option<String>,
    /// Print one JSON object an article
    #[arg(long)]
    json: bool,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let (archive, _) = opened::open_complete(global, &Reading::default())?;
    let mut articles = archive.articles()?;
    if let Some(pattern) = &arguments.pattern {
        let glob = GlobBuilder::new(pattern)
            .build()
            .map_err(|error| Failure::new(format!("{pattern:?} is no pattern: {error}")))?
            .compile_matcher();
        articles.retain(|article| glob.is_match(&article.address) || article.address.contains(pattern));
    }
    if arguments.json {
        for article in &articles {
            terminal.json(&report::list_line(article))?;
        }
    } else {
        let look = terminal.look_of_rows();
        report::listed(&articles, look, terminal.writer()).map_err(|error| writing(&error))?;
    }
    Ok(Outcome::found_if(
        articles.is_empty() && arguments.pattern.is_some(),
    ))
}
