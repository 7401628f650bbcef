//! The commands: one file each, progress, messages, exit codes.
//!
//! Never: holds logic worth a unit test.

mod add;
mod arguments;
mod blame;
mod cat;
mod check;
mod compact;
mod completions;
mod diff;
mod export;
mod failure;
mod find;
mod forget;
mod hash;
mod inputs;
mod list;
mod log;
mod opened;
mod progress;
mod recipe;
mod reindex;
mod scrub;
mod site;
mod stamp;
mod stats;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use failure::Failure;
use terminal::{ColorChoice, Terminal, tell_user};

/// What a command found, as the exit code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Exit code 0.
    Clean,
    /// Exit code 1: something differs, is altered, damaged, skipped or not there.
    Found,
    /// Exit code 2: part of the work could not be done; the messages were printed already.
    Failed,
}

impl Outcome {
    fn found_if(found: bool) -> Self {
        if found { Self::Found } else { Self::Clean }
    }
}

type CommandResult = Result<Outcome, Failure>;

/// Archives article pages and knows every paragraph by its content hash.
#[derive(Debug, Parser)]
#[command(name = "pressmark", version, about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 clean, 1 found something (differs, altered, damaged, skipped, not found), \
    2 could not do it.\nA snapshot is named ADDRESS (newest), ADDRESS@N (1 = oldest, -1 = newest) or \
    ADDRESS@2025-08-31T06:01;\na file path stands for itself. `-` is standard input."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options every command knows.
#[derive(Debug, clap::Args)]
struct Global {
    /// The archive's directory; `add` makes it
    #[arg(
        short = 'A',
        long,
        global = true,
        value_name = "PATH",
        env = "PRESSMARK_ARCHIVE"
    )]
    archive: Option<std::path::PathBuf>,
    /// When to use colour; `auto` means on a terminal and without `NO_COLOR`
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print every block of pages with its content hash
    Hash(hash::Arguments),
    /// Check the content hashes that pages declare for their paragraphs
    Check(check::Arguments),
    /// Write content hashes into a page
    Stamp(stamp::Arguments),
    /// List, show and search recipes: the ways from a block to a content hash
    #[command(subcommand)]
    Recipe(recipe::Command),
    /// Show and test the rules for the pages of a site
    #[command(subcommand)]
    Site(site::Command),
    /// Put pages into the archive
    Add(add::Arguments),
    /// List the articles of the archive
    List(list::Arguments),
    /// List the snapshots of an article and what changed in each
    Log(log::Arguments),
    /// Write the bytes of a snapshot to standard output
    Cat(cat::Arguments),
    /// Show what changed between two snapshots or files
    Diff(diff::Arguments),
    /// Show for each paragraph when it appeared and when it last changed
    Blame(blame::Arguments),
    /// Find where a paragraph stands in the archive
    Find(find::Arguments),
    /// Count articles, snapshots and bytes of the archive
    Stats(stats::Arguments),
    /// Read the whole archive back and report every damage
    Scrub(scrub::Arguments),
    /// Mend what can be mended of a damaged archive; originals are kept
    Repair(scrub::RepairArguments),
    /// Merge packs and store them as small as possible
    Compact(compact::Arguments),
    /// Take a snapshot or an article out for good
    Forget(forget::Arguments),
    /// Rebuild the catalog from the packs
    Reindex(reindex::Arguments),
    #[cfg_attr(
        feature = "parquet",
        doc = "Write snapshots out as WARC, WACZ, files, NDJSON, CDXJ or Parquet"
    )]
    #[cfg_attr(
        not(feature = "parquet"),
        doc = "Write snapshots out as WARC, WACZ, files, NDJSON or CDXJ"
    )]
    Export(export::Arguments),
    /// Print a completion script for a shell
    Completions(completions::Arguments),
    /// Print the manual page
    Man(completions::ManArguments),
}

/// Runs the command line of this process and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut terminal = Terminal::new(cli.global.color);
    let result = run(cli, &mut terminal).and_then(|outcome| match terminal.finish() {
        // Whoever read our output went away: what was done is done.
        Err(failure) if failure.is_closed_pipe() => Ok(outcome),
        finished => finished.map(|()| outcome),
    });
    match result {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Ok(Outcome::Failed) => ExitCode::from(2),
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // What was printed before the failure stands; a second fault while flushing adds nothing.
            let _ = terminal.finish();
            tell_user(&failure.to_string());
            ExitCode::from(2)
        }
    }
}

fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe behind `--help` is not worth a word.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

fn run(cli: Cli, terminal: &mut Terminal) -> CommandResult {
    let global = &cli.global;
    match cli.command {
        Command::Hash(arguments) => hash::run(global, &arguments, terminal),
        Command::Check(arguments) => check::run(global, &arguments, terminal),
        Command::Stamp(arguments) => stamp::run(global, &arguments, terminal),
        Command::Recipe(command) => recipe::run(global, &command, terminal),
        Command::Site(command) => site::run(global, &command, terminal),
        Command::Add(arguments) => add::run(global, &arguments, terminal),
        Command::List(arguments) => list::run(global, &arguments, terminal),
        Command::Log(arguments) => log::run(global, &arguments, terminal),
        Command::Cat(arguments) => cat::run(global, &arguments, terminal),
        Command::Diff(arguments) => diff::run(global, &arguments, terminal),
        Command::Blame(arguments) => blame::run(global, &arguments, terminal),
        Command::Find(arguments) => find::run(global, &arguments, terminal),
        Command::Compact(arguments) => compact::run(global, &arguments, terminal),
        Command::Forget(arguments) => forget::run(global, &arguments, terminal),
        Command::Scrub(arguments) => scrub::run(global, &arguments, terminal),
        Command::Repair(arguments) => scrub::repair(global, &arguments, terminal),
        Command::Stats(arguments) => stats::run(global, &arguments, terminal),
        Command::Reindex(arguments) => reindex::run(global, &arguments, terminal),
        Command::Export(arguments) => export::run(global, &arguments, terminal),
        Command::Completions(arguments) => completions::run(&arguments, terminal),
        Command::Man(arguments) => completions::man(&arguments, terminal),
    }
}
