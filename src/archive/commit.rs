//! Making a pack durable: written, synced, renamed to its own hash, directory synced; then checked
//! against what other processes did meanwhile; then told to the catalog.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashSet;

use super::open::{PackContents, insert};
use super::writer::{Building, Writer};
use super::{Archive, ArchiveError, held, layout};
use crate::catalog::CatalogError;
use crate::catalog::blocks::Recorder;
use crate::catalog::packs::PackRow;
use crate::catalog::snapshots;
use crate::digest::Hash;
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

/// Tells apart the files this process has in `tmp/`.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A name in `tmp/` that no other process uses.
pub(crate) fn tmp_name() -> String {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{}/{}-{number}.pack", layout::TMP, std::process::id())
}

impl Archive {
    /// Writes a finished pack that is in memory to its place.
    pub(crate) fn publish(&self, name: &Hash, bytes: &[u8]) -> Result<(), ArchiveError> {
        let tmp = tmp_name();
        let written = self
            .write_tmp(&tmp, bytes)
            .and_then(|()| self.publish_tmp(&tmp, name));
        if written.is_err() {
            // What is left over in tmp/ is no part of the archive.
            let _ = self.disk.remove(&tmp);
        }
        written
    }

    fn write_tmp(&self, tmp: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        let io = |error| ArchiveError::io(tmp, error);
        self.make_dir(layout::TMP)?;
        // A file of a dead process with our number.
        let _ = self.disk.remove(tmp);
        let mut file = self.disk.create(tmp).map_err(io)?;
        file.write_all(bytes).map_err(io)?;
        file.sync().map_err(io)
    }

    /// Gives a complete and synced file in `tmp/` its name among the packs.
    pub(crate) fn publish_tmp(&self, tmp: &str, name: &Hash) -> Result<(), ArchiveError> {
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
        } = std::mem::replace(&mut self.building, Building::new()?);
        let mut finished = pack.finish().map_err(ArchiveError::Building)?;
        self.archive.publish(&finished.name, &finished.out)?;
        let external = external_bases(&finished);
        let lost = self.lost_bases(&external)?;
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
        let told = self.tell_catalog(&contents, &outlines);
        match told {
            // The pack is safe; whatever keeps the catalog from hearing of it, the next opener reads it in.
            Err(_) => commit.catalog_behind = true,
            Ok(()) => self.pinned.clear(),
        }
        Ok(Some(commit))
    }

    fn tell_catalog(
        &mut self,
        contents: &PackContents,
        outlines: &[Option<crate::catalog::blocks::Outline>],
    ) -> Result<(), ArchiveError> {
        let mut catalog = held(&self.archive.catalog);
        let tx = catalog.write()?;
        let mut recorder = Recorder::default();
        insert(&tx, contents, |article, snapshot, given| {
            if let Some(Some(outline)) = outlines.get(given) {
                recorder.insert(&tx, article, snapshot, outline)?;
                snapshots::set_hashes(&tx, snapshot, &outline.text_hash, &outline.form_hash)?;
            }
            Ok(())
        })?;
        tx.commit().map_err(CatalogError::from)?;
        drop(catalog);
        self.archive.learn_names()
    }

    /// Which of these bases have no copy left that a page of this pack may rest on, or were taken
    /// out, now that the pack is published. Packs are listed anew.
    fn lost_bases(&mut self, external: &[(Hash, u32)]) -> Result<FxHashSet<Hash>, ArchiveError> {
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
        self.archive.refresh()?;
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
