//! `completions` and `man`.

use clap::CommandFactory;

use super::terminal::Terminal;
use super::{Cli, CommandResult, Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell to complete for
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArguments {
    /// The command to describe; without it the tool as a whole
    command: Option<String>,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "pressmark", &mut script);
    terminal.write(&script)?;
    Ok(Outcome::Clean)
}

pub(super) fn man(arguments: &ManArguments, terminal: &mut Terminal) -> CommandResult {
    let mut root = Cli::command();
    root.build();
    let command = match &arguments.command {
        None => root,
        Some(name) => root
            .find_subcommand(name)
            .ok_or_else(|| {
                Failure::new(format!(
                    "there is no command {name:?}; `pressmark help` lists them"
                ))
            })?
            .clone(),
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    terminal.write(&page)?;
    Ok(Outcome::Clean)
}
