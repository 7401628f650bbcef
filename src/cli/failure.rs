//! Why a command could not do its work: one message for the person at the terminal.

use std::fmt;
use std::io;

/// Ends a command with exit code 2, or quietly where standard output was closed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Whoever read our output went away.
    ClosedPipe,
    /// What went wrong, where, and what to do next.
    Message(String),
}

impl Failure {
    pub(super) fn new(message: impl fmt::Display) -> Self {
        Self::Message(message.to_string())
    }

    /// `place: problem`, such as a file name and an I/O error.
    pub(super) fn at(place: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self::Message(format!("{place}: {problem}"))
    }

    /// The same with the archive's path before it.
    pub(super) fn inside(self, archive: &std::path::Path) -> Self {
        self.at_page(archive.display())
    }

    /// The same with the name of what was worked on before it.
    pub(super) fn at_page(self, name: impl fmt::Display) -> Self {
        match self {
            Self::ClosedPipe => self,
            Self::Message(message) => Self::at(name, message),
        }
    }

    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::ClosedPipe)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedPipe => out.write_str("standard output was closed"),
            Self::Message(message) => out.write_str(message),
        }
    }
}

/// Any room's error: its text and those of its causes, outermost first.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            // Many errors repeat their cause in their own text.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = inner.source();
        }
        Self::Message(message)
    }
}

/// The failure of writing to standard output.
pub(super) fn writing(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Failure::ClosedPipe
    } else {
        Failure::Message(format!("standard output: {error}"))
    }
}
