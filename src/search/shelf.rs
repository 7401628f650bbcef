//! What a search reads from: the catalog, and the pages it speaks of.

use std::collections::VecDeque;
use std::rc::Rc;

use rusqlite::Connection;

use super::SearchError;
use crate::archive::{Archive, ArchiveError, Snapshot};
use crate::block::Document;
use crate::catalog::snapshots;
use crate::label::Reader;
use crate::page::Moment;

/// Documents kept by a search: the places found often stand in the same few pages.
const KEPT: usize = 32;

/// A catalog and the pages behind it.
pub trait Shelf {
    /// Asks the catalog.
    fn catalog<R>(&self, ask: impl FnOnce(&Connection) -> R) -> R;

    /// The document of a snapshot; `None` where it cannot be restored.
    fn document(&mut self, snapshot: i64) -> Result<Option<Rc<Document>>, SearchError>;

    /// When the snapshot was fetched, where known.
    fn moment(&mut self, snapshot: i64) -> Result<Option<Moment>, SearchError>;
}

/// The pages of an archive.
#[derive(Debug)]
pub struct ArchiveShelf<'a> {
    archive: &'a Archive,
    reader: &'a Reader,
    kept: VecDeque<(i64, Option<Rc<Document>>)>,
}

impl<'a> ArchiveShelf<'a> {
    /// The pages of `archive`, read as they were when they were added.
    #[must_use]
    pub fn new(archive: &'a Archive, reader: &'a Reader) -> Self {
        Self {
            archive,
            reader,
            kept: VecDeque::with_capacity(KEPT),
        }
    }
}

impl ArchiveShelf<'_> {
    fn known(&self, snapshot: i64) -> Result<Option<Snapshot>, SearchError> {
        Ok(self
            .archive
            .with_catalog(|conn| snapshots::bare(conn, snapshot))?)
    }
}

impl Shelf for ArchiveShelf<'_> {
    fn catalog<R>(&self, ask: impl FnOnce(&Connection) -> R) -> R {
        self.archive.with_catalog(ask)
    }

    fn document(&mut self, snapshot: i64) -> Result<Option<Rc<Document>>, SearchError> {
        if let Some((_, document)) = self.kept.iter().find(|(id, _)| *id == snapshot) {
            return Ok(document.clone());
        }
        let document = match self.known(snapshot)? {
            Some(known) => match self.archive.restore(&known) {
                Ok(page) => Some(Rc::new(self.reader.read(&page))),
                Err(ArchiveError::Lost { .. }) => None,
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((snapshot, document.clone()));
        Ok(document)
    }

    fn moment(&mut self, snapshot: i64) -> Result<Option<Moment>, SearchError> {
        Ok(self.known(snapshot)?.and_then(|known| known.moment))
    }
}
