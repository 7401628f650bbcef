//! Adding pages: plan in order, encode anywhere, append in order, commit.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{Archive, ArchiveError};
use crate::catalog::blocks::Outline;
use crate::digest::Hash;
use crate::page::Page;

/// How a writer works.
#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    /// zstd level of the pages.
    pub level: i32,
    /// Bytes of page bodies held as possible bases.
    pub base_cache: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            level: 3,
            base_cache: 64 << 20,
        }
    }
}

/// Adds pages to an archive. [`Writer::plan`] and [`Writer::append`] are called in the order of the
/// pages; [`Job::encode`] between them may run on any thread.
#[derive(Debug)]
pub struct Writer<'a> {
    _archive: PhantomData<&'a mut Archive>,
}

/// What is to be done with a page.
#[derive(Debug)]
pub enum Planned {
    /// The archive holds this snapshot already.
    Known,
    /// The page was taken out for ever and is not taken again.
    Forgotten,
    /// The page is new.
    Job(Job),
}

/// A page on its way into the pack. `Send`, so that it can be encoded on another thread.
#[derive(Debug)]
pub struct Job {
    body: Arc<Vec<u8>>,
}

/// A page ready to be appended.
#[derive(Debug)]
pub struct Encoded {
    body: Arc<Vec<u8>>,
    /// Length of the body in bytes.
    pub raw_bytes: u64,
    /// Bytes its frame takes; 0 if the body is stored already.
    pub stored_bytes: u64,
}

/// What one commit made durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// BLAKE3 of the pack, its name.
    pub pack: Hash,
    /// Snapshots in it.
    pub pages: u64,
    /// Length of the bodies of these snapshots in bytes.
    pub raw_bytes: u64,
    /// Length of the pack in bytes.
    pub stored_bytes: u64,
    /// Whether another process held the catalog: the pages are safe, the next opener catches up.
    pub catalog_behind: bool,
}

impl Job {
    /// Compresses the page against its base, decodes the result again and compares it.
    #[must_use]
    pub fn encode(self) -> Encoded {
        let _ = self.body;
        todo!()
    }
}

impl Writer<'_> {
    /// Decides what is to be done with a page. Without `outline` the block part of the catalog is
    /// left to `reindex`.
    pub fn plan(&mut self, page: Page, outline: Option<Outline>) -> Result<Planned, ArchiveError> {
        let _ = (page, outline);
        todo!()
    }

    /// Puts an encoded page into the pack being built. Jobs come back in the order in which they
    /// were planned.
    pub fn append(&mut self, encoded: Encoded) -> Result<(), ArchiveError> {
        drop(encoded.body);
        todo!()
    }

    /// Snapshots appended since the last commit.
    #[must_use]
    pub fn pending(&self) -> u64 {
        todo!()
    }

    /// Bytes in the pack being built.
    #[must_use]
    pub fn pending_bytes(&self) -> u64 {
        todo!()
    }

    /// Whether the pack being built has reached the size, the number of pages or the raw bytes at
    /// which it should be committed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        todo!()
    }

    /// Makes everything appended so far durable; `None` if there was nothing. All planned jobs must
    /// have been appended.
    pub fn commit(&mut self) -> Result<Option<Commit>, ArchiveError> {
        todo!()
    }
}
