//! What `scrub` and `repair` need of an archive beside reading: its disk, a catalog made anew, a copy
//! of a pack put aside.

use std::io::Write as _;

use super::{Archive, ArchiveError, Handles, Maintenance, cache, held, layout};
use crate::digest::Hash;
use crate::disk::{Disk, read_at};

/// Bytes copied at once.
const PIECE: u64 = 1 << 20;

impl Archive {
    /// The archive's files.
    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Throws the catalog away and reads the packs into a new one. Its block part is left to
    /// [`Archive::reindex`].
    pub(crate) fn rebuild_catalog(&self) -> Result<(), ArchiveError> {
        self.replace_catalog()?;
        *held(&self.handles) = Handles::default();
        *held(&self.groups) = cache::GroupCache::default();
        *held(&self.records) = None;
        self.refresh()?;
        Ok(())
    }

    /// Copies a file of the archive into `quarantine/`, under a name that is free; the path of the
    /// copy.
    pub(crate) fn put_aside(&self, _lock: &Maintenance, path: &str) -> Result<String, ArchiveError> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let copy = (0..u32::MAX)
            .map(|n| match n {
                0 => format!("{}/{name}", layout::QUARANTINE),
                n => format!("{}/{name}.{n}", layout::QUARANTINE),
            })
            .find(|copy| self.disk.open(copy).is_err())
            .unwrap_or_default();
        let io = |path: &str| {
            let path = path.to_owned();
            move |error| ArchiveError::io(&path, error)
        };
        self.disk
            .create_dir(layout::QUARANTINE)
            .map_err(io(layout::QUARANTINE))?;
        let from = self.disk.open(path).map_err(io(path))?;
        let length = from.len().map_err(io(path))?;
        let mut to = self.disk.create(&copy).map_err(io(&copy))?;
        let mut at = 0;
        while at < length {
            let piece = (length - at).min(PIECE);
            let bytes = read_at(&*from, at, piece as usize).map_err(io(path))?;
            to.write_all(&bytes).map_err(io(&copy))?;
            at += piece;
        }
        to.sync().map_err(io(&copy))?;
        self.disk
            .sync_dir(layout::QUARANTINE)
            .map_err(io(layout::QUARANTINE))?;
        self.disk.sync_dir("").map_err(io("."))?;
        Ok(copy)
    }

    /// Removes a damaged pack whose copy is in `quarantine/` and whose readable parts are in another.
    pub(crate) fn remove_mended(&self, _lock: &Maintenance, name: &Hash) -> Result<(), ArchiveError> {
        let path = layout::pack_path(name);
        self.disk
            .remove(&path)
            .map_err(|error| ArchiveError::io(&path, error))?;
        self.refresh()?;
        Ok(())
    }
}
