//! Standard output and standard error as the commands use them.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::{Child, Command, Stdio};

use super::failure::{Failure, writing};
use crate::report::layout::{Look, printable};

/// The `--color` option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Columns assumed where standard output is no terminal.
const WIDTH_WITHOUT_TERMINAL: usize = 100;
/// Bytes gathered before they are written out.
const BUFFER: usize = 1 << 16;
/// Narrower terminals are written to as if they had this many columns.
const NARROWEST: usize = 30;

/// A message on standard error, prefixed with the tool's name. Addresses and names in it come from elsewhere,
/// so that it is made printable, line by line.
pub(super) fn tell_user(message: &str) {
    let lines: Vec<String> = message.split('\n').map(printable).collect();
    // Nobody can be told that standard error is gone.
    let _ = writeln!(io::stderr(), "pressmark: {}", lines.join("\n"));
}

/// Buffered standard output, messages on standard error, and what is known about both.
pub(super) struct Terminal {
    out: BufWriter<Box<dyn Write>>,
    pager: Option<Child>,
    /// Whether to print ANSI colours.
    pub(super) color: bool,
    /// Columns to fill.
    pub(super) width: usize,
    /// Whether standard output is a terminal.
    pub(super) interactive: bool,
}

impl Terminal {
    pub(super) fn new(choice: ColorChoice) -> Self {
        let interactive = io::stdout().is_terminal();
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                interactive && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        let columns = || {
            let asked = std::env::var("COLUMNS")
                .ok()
                .and_then(|columns| columns.parse().ok());
            asked.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
        };
        let width = if interactive { columns() } else { None }.unwrap_or(WIDTH_WITHOUT_TERMINAL);
        Self {
            out: BufWriter::with_capacity(BUFFER, Box::new(io::stdout())),
            pager: None,
            color,
            width: width.max(NARROWEST),
            interactive,
        }
    }

    /// One line of text.
    pub(super) fn line(&mut self, line: &str) -> Result<(), Failure> {
        self.write(line.as_bytes())?;
        self.write(b"\n")
    }

    /// Bytes as they are.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|error| writing(&error))
    }

    /// One JSON object on a line of its own.
    pub(super) fn json(&mut self, object: &impl serde::Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(object)?;
        line.push(b'\n');
        self.write(&line)
    }

    /// Hands everything written so far to the reader.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| writing(&error))
    }

    /// From here on, sends output through the user's pager where standard output is a terminal:
    /// `PRESSMARK_PAGER`, else `PAGER`, else `less`. An empty name, or a pager that does not start,
    /// means no pager.
    pub(super) fn page(&mut self) -> Result<(), Failure> {
        if !self.interactive || self.pager.is_some() {
            return Ok(());
        }
        let asked = ["PRESSMARK_PAGER", "PAGER"]
            .iter()
            .find_map(|name| std::env::var(name).ok());
        let command = asked.unwrap_or_else(|| "less".to_owned());
        let mut words = command.split_whitespace();
        let Some(program) = words.next() else {
            return Ok(());
        };
        let mut pager = Command::new(program);
        pager.args(words).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            // Quit if it fits on one screen, keep colours, leave the screen as it is.
            pager.env("LESS", "FRX");
        }
        let Ok(mut child) = pager.spawn() else {
            return Ok(());
        };
        if let Some(stdin) = child.stdin.take() {
            self.flush()?;
            self.out = BufWriter::with_capacity(BUFFER, Box::new(stdin));
        }
        self.pager = Some(child);
        Ok(())
    }

    /// Writes out what is left and waits for the reader to leave the pager.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        let flushed = self.flush();
        if let Some(mut pager) = self.pager.take() {
            // The pager ends when its input does.
            self.out = BufWriter::new(Box::new(io::sink()));
            pager.wait()?;
        }
        flushed
    }

    /// What `report` must know of this terminal.
    pub(super) fn look(&self) -> Look {
        Look {
            width: self.width,
            color: self.color,
        }
    }

    /// The same for tables: their rows are cut for a terminal only. What goes to a file or to another program
    /// is whole.
    pub(super) fn look_of_rows(&self) -> Look {
        Look {
            width: if self.interactive { self.width } else { usize::MAX },
            color: self.color,
        }
    }

    /// The writer itself, for functions of `report` and `export` that take any `Write`.
    pub(super) fn writer(&mut self) -> &mut impl Write {
        &mut self.out
    }
}
