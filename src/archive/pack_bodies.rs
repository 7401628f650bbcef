//! The whole hashes of the bodies in a pack. A page frame tells its own; those of a group follow from its
//! bytes, and the page table and the catalog know only their prefixes.

use std::cell::OnceCell;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Archive, ArchiveError, held};
use crate::catalog::{CatalogError, packs};
use crate::digest::{Hash, blake3};
use crate::pack::frame::{Frame, Kind};
use crate::pack::{Pack, PackError};

/// A pack and the names of what it holds.
pub(crate) struct PackBodies<'a> {
    archive: &'a Archive,
    pub id: i64,
    pub pack: Arc<Pack>,
    /// The bodies of each frame by its offset, as the catalog knows them; read when it is needed.
    by_frame: OnceCell<FxHashMap<u64, Vec<Hash>>>,
}

impl Archive {
    /// The pack with this number in the catalog.
    pub(crate) fn pack_bodies(&self, id: i64) -> Result<PackBodies<'_>, ArchiveError> {
        Ok(PackBodies {
            archive: self,
            id,
            pack: self.pack(id).map_err(|error| self.failed(id, error))?,
            by_frame: OnceCell::new(),
        })
    }
}

impl PackBodies<'_> {
    /// The hashes of the bodies in a frame, in their order. Where what a group rests on was lost they are those
    /// that snapshots and tombstones name, or, where nothing names one any more, its prefix and zeros.
    pub fn hashes(&self, frame: &Frame) -> Result<Vec<Hash>, PackError> {
        if let (Kind::Page, Some(hash)) = (frame.kind, frame.body) {
            return Ok(vec![hash]);
        }
        let error = match self.archive.group_content(self.id, &self.pack, frame) {
            Ok(content) => return Ok(frame.bodies(&content).map(blake3).collect()),
            Err(error) => error,
        };
        let is_lost = |base| self.archive.is_lost(base).unwrap_or(false);
        if !frame.base.as_ref().is_some_and(is_lost) {
            return Err(error);
        }
        if self.by_frame.get().is_none() {
            let read = self
                .read()
                .map_err(|error| PackError::Io(std::io::Error::other(error)))?;
            self.by_frame.get_or_init(|| read);
        }
        let by_frame = self.by_frame.get();
        let hashes = by_frame
            .and_then(|by_frame| by_frame.get(&frame.at))
            .filter(|hashes| hashes.len() == frame.lengths.len());
        hashes.cloned().ok_or(error)
    }

    fn read(&self) -> Result<FxHashMap<u64, Vec<Hash>>, CatalogError> {
        let catalog = held(&self.archive.catalog);
        let rows = packs::pages_of(catalog.connection(), self.id)?;
        let prefixes: Vec<u64> = rows.iter().map(|(prefix, _)| *prefix).collect();
        let known = packs::bodies_by_prefix(catalog.connection(), &prefixes)?;
        let mut by_frame: FxHashMap<u64, Vec<Hash>> = FxHashMap::default();
        for (prefix, row) in rows {
            let hash = known.get(&prefix).copied();
            by_frame
                .entry(row.at)
                .or_default()
                .push(hash.unwrap_or(Hash::of_prefix(prefix)));
        }
        Ok(by_frame)
    }
}
