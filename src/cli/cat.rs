//! `cat`: the bytes of a snapshot.

use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Snapshots: ADDRESS, ADDRESS@N or ADDRESS@TIME
    #[arg(required = true, value_name = "SNAPSHOT")]
    snapshots: Vec<String>,
    /// Print address, moment, status, headers and metadata as JSON instead of the bytes
    #[arg(long)]
    head: bool,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let archive = opened::open(global)?;
    let snapshots = arguments
        .snapshots
        .iter()
        .map(|name| opened::snapshot(&archive, name))
        .collect::<Result<Vec<_>, _>>()?;
    archive.restore_each(&snapshots, &mut |snapshot, page| {
        if arguments.head {
            terminal.json(&serde_json::json!({
                "address": page.address,
                "moment": page.moment,
                "status": page.status,
                "headers": page.headers,
                "metadata": page.metadata,
                "bytes": page.body.len(),
                "blake3": snapshot.body,
            }))
        } else {
            terminal.write(&page.body)
        }
    })?;
    Ok(Outcome::Clean)
}
