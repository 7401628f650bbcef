//! Declared hashes against recipes and ledger.
//!
//! Never: fixes.

mod verdict;

pub use verdict::{BlockCheck, CheckReport, Evidence, Fit, Summary, Verdict, check, evidence};
