//! The commands: one file each, progress, messages, exit codes.
//!
//! Never: holds logic worth a unit test.

use std::process::ExitCode;

/// Runs the command line of this process and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
