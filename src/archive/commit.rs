//! Making a pack durable: written, synced, renamed to its own hash, directory synced; then checked
//! against what other processes did meanwhile; then told to the catalog.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustc_hash::FxHashSet;

use super::open::{PackContents, insert};
use super::writer::{Building, Writer};
use super::{Archive, ArchiveError, held, layout};
use crate::catalog::CatalogError;
use crate::catalog::blocks;
use crate::catalog::packs::PackRow;
use crate::catalog::snapshots;
use crate::digest::Hash;
use crate::disk::{Disk, WriteFile};
use crate::pack::codec::{compress, decompress};
use crate::pack::frame::Frame;
use crate::pack::{Finished, PackBuilder, Record};

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

/// After this long nobody is writing to a file in `tmp/` any more.
const TMP_AGE: Duration = Duration::from_hours(24);

/// Tells apart the files this process has in `tmp/`.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A name in `tmp/` that no other process uses.
fn tmp_name() -> String {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{}/{}-{number}.pack", layout::TMP, std::process::id())
}

/// A file in `tmp/`, removed unless it was published.
#[derive(Debug)]
pub(crate) struct TmpFile {
    disk: Arc<dyn Disk>,
    path: String,
    file: Box<dyn WriteFile>,
    published: bool,
}

impl TmpFile {
    /// Syncs the file and gives it its name among the packs.
    pub fn publish(mut self, archive: &Archive, name: &Hash) -> Result<(), ArchiveError> {
        self.file
            .sync()
            .map_err(|error| ArchiveError::io(&self.path, error))?;
        archive.publish_tmp(&self.path, name)?;
        self.published = true;
        Ok(())
    }
}

impl Write for TmpFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for TmpFile {
    fn drop(&mut self) {
        if !self.published {
            // What is left over in tmp/ is no part of the archive.
            let _ = self.disk.remove(&self.path);
        }
    }
}

impl Archive {
    /// A new file in `tmp/`.
    pub(crate) fn tmp_file(&self) -> Result<TmpFile, ArchiveError> {
        let path = tmp_name();
        self.make_dir(layout::TMP)?;
        // A file of a dead process that had our number.
        let _ = self.disk.remove(&path);
        let file = self
            .disk
            .create(&path)
            .map_err(|error| ArchiveError::io(&path, error))?;
        Ok(TmpFile {
            disk: self.disk.clone(),
            path,
            file,
            published: false,
        })
    }

    /// Commits a pack of nothing but records and reads it in.
    pub(crate) fn publish_records(&self, records: Vec<Record>) -> Result<(), ArchiveError> {
        let mut pack = PackBuilder::new(Vec::new(), false)?;
        for record in records {
            pack.record(record);
        }
        let finished = pack.finish()?;
        self.publish(&finished.name, &finished.out)?;
        self.refresh()?;
        Ok(())
    }

    /// Removes what dead processes left in `tmp/`: files that nobody wrote to for a day.
    pub(crate) fn clear_tmp(&self) -> Result<(), ArchiveError> {
        let entries = self.disk.list(layout::TMP).unwrap_or_default();
        for entry in entries {
            let age = entry.modified.and_then(|time| time.elapsed().ok());
            if age.is_some_and(|age| age > TMP_AGE) {
                let path = format!("{}/{}", layout::TMP, entry.name);
                self.disk
                    .remove(&path)
                    .map_err(|error| ArchiveError::io(&path, error))?;
            }
        }
        Ok(())
    }
    /// Writes a finished pack that is in memory to its place.
    pub(crate) fn publish(&self, name: &Hash, bytes: &[u8]) -> Result<(), ArchiveError> {
        let mut file = self.tmp_file()?;
        file.write_all(bytes)
            .map_err(|error| ArchiveError::io(&file.path, error))?;
        file.publish(self, name)
    }

    /// Gives a complete and synced file in `tmp/` its name among the packs.
    fn publish_tmp(&self, tmp: &str, name: &Hash) -> Result<(), ArchiveError> {
        let dir = layout::pack_dir(name);
        self.make_dir(&dir)?;
        let path = layout::pack_path(name);
        self.disk
            .rename(tmp, &path)
            .map_err(|error| ArchiveError::io(&path, error))?;
        self.disk
            .sync_dir(&dir)
            .map_err(|error| ArchiveError::io(&dir, error))
    }

    fn make_dir(&self, dir: &str) -> Result<(), ArchiveError> {
        if self.disk.list(dir).is_ok() {
            return Ok(());
        }
        self.disk
            .create_dir(dir)
            .map_err(|error| ArchiveError::io(dir, error))?;
        let above = dir.rsplit_once('/').map_or("", |(above, _)| above);
        self.disk
            .sync_dir(above)
            .map_err(|error| ArchiveError::io(above, error))
    }
}

impl Writer<'_> {
    /// Makes everything appended so far durable; `None` if there was nothing. All planned jobs must
    /// have been appended.
    pub fn commit(&mut self) -> Result<Option<Commit>, ArchiveError> {
        if !self.is_settled() {
            return Err(ArchiveError::OutOfOrder);
        }
        if self.building.pack.record_count() == 0 {
            return Ok(None);
        }
        let Building {
            pack,
            outlines,
            raw_bytes,
            ..
        } = std::mem::replace(&mut self.building, Building::new(Vec::new())?);
        let mut finished = pack.finish().map_err(ArchiveError::Building)?;
        self.archive.publish(&finished.name, &finished.out)?;
        let external = external_bases(&finished);
        let lost = self.lost_bases(&external, &finished.name)?;
        if !lost.is_empty() {
            finished = self.rewrite(&finished, &lost)?;
            self.archive.publish(&finished.name, &finished.out)?;
        }
        let mut commit = Commit {
            pack: finished.name,
            pages: finished.records.len() as u64,
            raw_bytes,
            stored_bytes: finished.length,
            catalog_behind: false,
        };
        let contents = PackContents {
            row: PackRow {
                id: 0,
                name: finished.name,
                bytes: finished.length,
                pages: finished.pages.len() as u64,
                records: finished.records.len() as u64,
                cold: false,
                damaged: false,
            },
            pages: finished.pages,
            records: finished.records,
        };
        if self.tell_catalog(&contents, &outlines).is_ok() {
            self.pinned.clear();
            // Merging is a courtesy: whatever keeps it from happening, the pages are committed.
            let _ = self.archive.merge_tiny();
        } else {
            // The pack is safe; whatever keeps the catalog from hearing of it, the next opener reads it in.
            commit.catalog_behind = true;
        }
        self.building = Building::new(finished.out)?;
        Ok(Some(commit))
    }

    fn tell_catalog(
        &mut self,
        contents: &PackContents,
        outlines: &[Option<crate::catalog::blocks::Outline>],
    ) -> Result<(), ArchiveError> {
        let mut catalog = held(&self.archive.catalog);
        let tx = catalog.write()?;
        blocks::record(&tx, |recorder| {
            insert(&tx, contents, |article, snapshot, given| {
                if let Some(Some(outline)) = outlines.get(given) {
                    recorder.insert(&tx, article, snapshot, outline)?;
                    snapshots::set_hashes(&tx, snapshot, &outline.text_hash, &outline.form_hash)?;
                }
                Ok(())
            })
        })?;
        tx.commit().map_err(CatalogError::from)?;
        drop(catalog);
        self.archive.learn_names()
    }

    /// Which of these bases have no copy left that a page of this pack may rest on, or were taken
    /// out, now that the pack is published. Packs are listed anew.
    fn lost_bases(&mut self, external: &[(Hash, u32)], own: &Hash) -> Result<FxHashSet<Hash>, ArchiveError> {
        // The bodies must be had before the catalog forgets where they were.
        {
            let mut handles = held(&self.archive.handles);
            for (id, pack) in &self.pinned {
                handles.open.insert(*id, pack.clone());
            }
        }
        let listed = self.archive.list_packs()?;
        let missing: FxHashSet<i64> = {
            let handles = held(&self.archive.handles);
            let gone = handles
                .names
                .iter()
                .filter(|(_, name)| !listed.contains_key(*name));
            gone.map(|(id, _)| *id).collect()
        };
        if !missing.is_empty() {
            for (base, _) in external {
                let places = self.archive.places(base)?;
                if places.iter().all(|place| missing.contains(&place.pack))
                    && let Ok(body) = self.archive.body(base)
                {
                    self.bodies.put(*base, body);
                }
            }
        }
        self.archive.refresh_but(Some(own))?;
        self.refused = self.archive.refused()?;
        let mut lost = FxHashSet::default();
        for (base, below) in external {
            let places = self.archive.places(base)?;
            if self.refused.contains(base) || !places.iter().any(|place| place.depth < *below) {
                lost.insert(*base);
            }
        }
        Ok(lost)
    }

    /// The same pack with the pages that rest on lost bases stored whole.
    fn rewrite(
        &mut self,
        finished: &Finished<Vec<u8>>,
        lost: &FxHashSet<Hash>,
    ) -> Result<Finished<Vec<u8>>, ArchiveError> {
        let mut pack = PackBuilder::new(Vec::new(), false).map_err(ArchiveError::Building)?;
        for page in &finished.pages {
            let bytes = usize::try_from(page.at)
                .ok()
                .and_then(|at| finished.out.get(at..));
            let frame = Frame::parse(bytes.unwrap_or_default(), page.at)?;
            let start = frame.payload_at() as usize;
            let payload = &finished.out[start..start + frame.stored as usize];
            let hash = frame.body.unwrap_or_default();
            match frame.base {
                Some(base) if lost.contains(&base) => {
                    let not_there = |reason: &str| ArchiveError::NotReadBack {
                        body: base,
                        reason: reason.to_owned(),
                    };
                    let body = match self.bodies.get(&base) {
                        Some(body) => body,
                        None => self
                            .archive
                            .body(&base)
                            .map_err(|error| not_there(&error.to_string()))?,
                    };
                    let whole = decompress(frame.codec, payload, Some(&body), frame.raw as usize)
                        .map_err(|error| not_there(&error.to_string()))?;
                    let made = compress(&whole, None, self.options.level);
                    pack.page(&hash, frame.raw, None, made.codec, &made.payload)?;
                }
                base => {
                    let base = base.as_ref().map(|base| (base, frame.depth));
                    pack.page(&hash, frame.raw, base, frame.codec, payload)?;
                }
            }
        }
        let mut records: Vec<(usize, &Record)> = finished
            .records
            .iter()
            .map(|placed| (placed.given, &placed.record))
            .collect();
        records.sort_by_key(|(given, _)| *given);
        for (_, record) in records {
            pack.record(record.clone());
        }
        pack.finish().map_err(ArchiveError::Building)
    }
}

/// The bases of a pack that lie outside it, with the least depth of the pages that rest on each.
fn external_bases(finished: &Finished<Vec<u8>>) -> Vec<(Hash, u32)> {
    let inside: FxHashSet<u64> = finished.pages.iter().map(|page| page.prefix).collect();
    let mut bases: Vec<(Hash, u32)> = finished
        .pages
        .iter()
        .filter_map(|page| Some((page.base?, page.depth)))
        .filter(|(base, _)| !inside.contains(&base.prefix()))
        .collect();
    bases.sort_unstable();
    bases.dedup_by_key(|(base, _)| *base);
    bases
}
