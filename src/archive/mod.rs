//! Packs and catalog opened together; the order of writes; bases chosen.
//!
//! Never: parses HTML.

mod writer;

use std::sync::Arc;

use crate::catalog::CatalogError;
use crate::catalog::blocks::Outline;
use crate::digest::Hash;
use crate::disk::Disk;
use crate::page::Page;

pub use crate::catalog::snapshots::{ArticleSummary, Snapshot};
pub use writer::{Commit, Encoded, Job, Planned, Writer, WriterOptions};

/// An open archive. Reading needs no lock and may be done from several threads.
#[derive(Debug)]
pub struct Archive {
    disk: Arc<dyn Disk>,
}

/// What can go wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The catalog cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Reading or writing a file failed.
    #[error("{path}: {error}")]
    Io {
        /// Path inside the archive.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// There is no archive.
    #[error("no archive here: {0}")]
    NotAnArchive(String),
    /// No article with this address.
    #[error("no article {0:?} in the archive")]
    UnknownAddress(String),
    /// The page cannot be restored: its bytes, or those of a base, are damaged or gone.
    #[error("{address} (body {body}) cannot be restored: {reason}")]
    Lost {
        /// The address.
        address: String,
        /// BLAKE3 of the body.
        body: Hash,
        /// What was met.
        reason: String,
    },
    /// The page is larger than an archive takes.
    #[error("{address}: {length} bytes are more than the {limit} a page may have")]
    TooLarge {
        /// The address.
        address: String,
        /// Length in bytes.
        length: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The archive lies on a read-only medium.
    #[error("the archive is read-only")]
    ReadOnly,
}

/// Figures about a whole archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Number of articles.
    pub articles: u64,
    /// Number of snapshots.
    pub snapshots: u64,
    /// Number of revisions.
    pub revisions: u64,
    /// Sum of the lengths of the snapshots' bodies, in bytes.
    pub raw_bytes: u64,
    /// Length of all packs, in bytes.
    pub stored_bytes: u64,
    /// Number of packs.
    pub packs: u64,
    /// Length of the catalog, in bytes; 0 if it is in memory.
    pub catalog_bytes: u64,
    /// Number of tombstones.
    pub tombstones: u64,
}

impl Stats {
    /// Raw bytes for each stored byte; 0 for an empty archive.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.stored_bytes == 0 {
            return 0.0;
        }
        self.raw_bytes as f64 / self.stored_bytes as f64
    }
}

impl Archive {
    /// Opens the archive on `disk`, making it if there is none; whether it was made.
    pub fn create_or_open(disk: Arc<dyn Disk>) -> Result<(Self, bool), ArchiveError> {
        drop(disk);
        todo!()
    }

    /// Opens the archive on `disk`: packs are listed, unknown ones read into the catalog, vanished
    /// ones dropped from it. On a read-only medium the catalog is in memory.
    pub fn open(disk: Arc<dyn Disk>) -> Result<Self, ArchiveError> {
        drop(disk);
        todo!()
    }

    /// One line per article, in order of the keys.
    pub fn articles(&self) -> Result<Vec<ArticleSummary>, ArchiveError> {
        todo!()
    }

    /// The snapshots of the article this address belongs to, ordered by moment; empty if there is
    /// no such article.
    pub fn snapshots(&self, address: &str) -> Result<Vec<Snapshot>, ArchiveError> {
        let _ = address;
        todo!()
    }

    /// One snapshot by its number in the catalog.
    pub fn snapshot(&self, id: i64) -> Result<Option<Snapshot>, ArchiveError> {
        let _ = id;
        todo!()
    }

    /// The newest snapshot of the article this address belongs to.
    pub fn newest(&self, address: &str) -> Result<Option<Snapshot>, ArchiveError> {
        Ok(self.snapshots(address)?.pop())
    }

    /// The page as it was added: the same bytes, with headers and metadata.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<Page, ArchiveError> {
        let _ = snapshot;
        todo!()
    }

    /// Figures about the whole archive.
    pub fn stats(&self) -> Result<Stats, ArchiveError> {
        todo!()
    }

    /// Number of snapshots for which the block part of the catalog is not built; [`Archive::reindex`]
    /// builds it.
    pub fn unindexed(&self) -> Result<u64, ArchiveError> {
        todo!()
    }

    /// Builds the block part of the catalog for the snapshots that lack it; with `all` for every
    /// snapshot. `parse` turns a page into its outline, `progress` gets snapshots done and to do.
    pub fn reindex(
        &mut self,
        all: bool,
        parse: &mut dyn FnMut(&Page) -> Outline,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<u64, ArchiveError> {
        let _ = (all, parse, progress);
        todo!()
    }

    /// A writer that adds pages to this archive.
    pub fn writer(&mut self, options: WriterOptions) -> Result<Writer<'_>, ArchiveError> {
        let _ = (&self.disk, options);
        todo!()
    }
}
