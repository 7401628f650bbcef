//! Declared hashes against recipes and ledger.
//!
//! Never: fixes.

mod nothing;
mod sites;
mod structure;
mod verdict;
mod witness;

pub use sites::{Recipes, SiteSummary, Step, Survey, survey};
pub use structure::{Structure, structure};
pub use verdict::{BlockCheck, CheckReport, Evidence, Fit, MIN_EVIDENCE, Summary, Verdict, check, evidence};
pub use witness::{Compared, Testified, Testimonies, testimonies};

use crate::archive::ArchiveError;
use crate::catalog::CatalogError;

/// Why a page could not be held against the archive.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The catalog could not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A snapshot could not be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}
