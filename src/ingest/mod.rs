//! Pages in, once: parse, hash, store, commit.
//!
//! [`run`] takes the entries of a source through the whole house on all cores: reading and parsing in
//! parallel, choosing frames and bases in order, some megabytes together, encoding in parallel, appending and committing in order. [`survey`]
//! only reads and counts; [`originals`] answers revisit records from the archive.
//!
//! Never: decides policy by flag.

mod originals;
mod pipeline;
mod summary;
mod survey;

use std::time::Duration;

pub use originals::originals;
pub use pipeline::run;
pub use summary::{Declared, Summary};
pub use survey::survey;

use crate::archive::{ArchiveError, Commit};
use crate::source::{Fault, Place};

/// When a run makes its pages durable. Whatever is reached first counts; a pack that is full is
/// committed in any case, and so is the rest at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitEvery {
    /// After this many pages.
    pub pages: Option<u64>,
    /// After this long since the first page not yet committed, also while the source is silent.
    pub time: Option<Duration>,
}

/// What happens during a run, in the order of the input.
#[derive(Debug)]
pub enum Event {
    /// Everything up to and including `through` is durable.
    Committed {
        /// The pack.
        commit: Commit,
        /// The last entry it covers.
        through: Place,
    },
    /// Input that could not be stored.
    Skipped(Fault),
    /// Something is wrong with input that was stored all the same.
    Noted(Fault),
    /// One entry is dealt with: this many bytes of page.
    Advanced(u64),
}

/// Why a run had to stop. Everything that was reported as committed stays.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The archive failed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A worker thread ended early; its panic was printed.
    #[error("a worker stopped unexpectedly; pages since the last commit were not stored, add them again")]
    Worker,
}
