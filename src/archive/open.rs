//! Opening: packs listed, unknown ones read into the catalog, vanished ones dropped from it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rustc_hash::{FxHashMap, FxHashSet};

use super::cache::{BodyCache, GroupCache};
use super::{Archive, ArchiveError, Handles, held, layout};
use crate::catalog::packs::{self, PackRow, PageRow, RecordRow, TombstoneRow};
use crate::catalog::snapshots::{self, NewSnapshot};
use crate::catalog::{Catalog, CatalogError};
use crate::digest::{Hash, blake3};
use crate::disk::Disk;
use crate::pack::build::{PlacedPage, PlacedRecord};
use crate::pack::frame::Kind;
use crate::pack::scan::{Piece, scan};
use crate::pack::{Frame, Pack, PackError, Record};

/// Bytes of decoded bodies an archive keeps for the next restores.
pub(super) const BODY_CACHE: usize = 32 << 20;

/// What a pack holds, as far as it can be read.
#[derive(Debug)]
pub struct PackContents {
    /// Its row for the catalog.
    pub row: PackRow,
    /// Its bodies.
    pub pages: Vec<PlacedPage>,
    /// Its records.
    pub records: Vec<PlacedRecord>,
}

impl Archive {
    /// Opens the archive on `disk`, making it if there is none; whether it was made.
    pub fn create_or_open(disk: Arc<dyn Disk>) -> Result<(Self, bool), ArchiveError> {
        let created = !Self::exists(&*disk);
        if created {
            for dir in [layout::PACKS, layout::TMP] {
                disk.create_dir(dir)
                    .map_err(|error| ArchiveError::io(dir, error))?;
            }
            disk.sync_dir("").map_err(|error| ArchiveError::io(".", error))?;
        }
        Ok((Self::open(disk)?, created))
    }

    /// Whether there is an archive on `disk`.
    #[must_use]
    pub fn exists(disk: &dyn Disk) -> bool {
        disk.list(layout::PACKS).is_ok()
    }

    /// Opens the archive on `disk`: packs are listed, unknown ones read into the catalog, vanished
    /// ones dropped from it. A catalog that is missing, damaged or of another version is made anew; on
    /// a read-only medium, or where it cannot be written, it is in memory.
    pub fn open(disk: Arc<dyn Disk>) -> Result<Self, ArchiveError> {
        if !Self::exists(&*disk) {
            let place = disk.local_root().map(|root| root.display().to_string());
            return Err(ArchiveError::NotAnArchive(place.unwrap_or_default()));
        }
        let read_only = disk.is_read_only();
        let catalog = if read_only {
            Catalog::in_memory()?
        } else {
            open_catalog(&*disk)?
        };
        let archive = Self {
            disk,
            catalog: Mutex::new(catalog),
            handles: Mutex::new(Handles::default()),
            bodies: Mutex::new(BodyCache::new(BODY_CACHE)),
            groups: Mutex::new(GroupCache::default()),
            records: Mutex::new(None),
            attribute: Mutex::new(None),
            read_only,
        };
        match archive.refresh() {
            Err(ArchiveError::Catalog(error)) if error.is_unusable() => {
                archive.replace_catalog()?;
                archive.refresh()?;
            }
            // A full disk must not keep anybody from reading.
            Err(ArchiveError::Catalog(error)) if error.is_unwritable() => {
                *held(&archive.catalog) = Catalog::in_memory()?;
                archive.refresh()?;
            }
            other => {
                other?;
            }
        }
        Ok(archive)
    }

    pub(super) fn replace_catalog(&self) -> Result<(), ArchiveError> {
        let mut catalog = held(&self.catalog);
        *catalog = Catalog::in_memory()?;
        remove_catalog(&*self.disk);
        *catalog = open_catalog(&*self.disk)?;
        Ok(())
    }

    /// The packs that are there, with their lengths in bytes.
    pub(crate) fn list_packs(&self) -> Result<BTreeMap<Hash, u64>, ArchiveError> {
        let mut found = BTreeMap::new();
        let dirs = self
            .disk
            .list(layout::PACKS)
            .map_err(|error| ArchiveError::io(layout::PACKS, error))?;
        for dir in dirs.into_iter().filter(|entry| entry.is_dir) {
            let path = format!("{}/{}", layout::PACKS, dir.name);
            let entries = match self.disk.list(&path) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(ArchiveError::io(&path, error)),
            };
            for entry in entries {
                if let Some(name) = layout::pack_name(&entry.name)
                    && layout::pack_dir(&name) == path
                {
                    found.insert(name, entry.length);
                }
            }
        }
        Ok(found)
    }

    /// Brings the catalog up to the packs that are there; whether anything had changed. A catalog
    /// that another process holds stays as it is: the next opener catches up.
    pub(crate) fn refresh(&self) -> Result<bool, ArchiveError> {
        self.refresh_but(None)
    }

    /// The same, leaving out a pack that the caller is about to tell the catalog of.
    pub(crate) fn refresh_but(&self, own: Option<&Hash>) -> Result<bool, ArchiveError> {
        match self.catch_up(own) {
            Err(ArchiveError::Catalog(error)) if error.is_busy() => {
                self.learn_names()?;
                Ok(true)
            }
            other => other,
        }
    }

    /// The same, and fails where another process holds the catalog: for whoever must not go on without
    /// knowing every tombstone.
    pub(crate) fn catch_up(&self, own: Option<&Hash>) -> Result<bool, ArchiveError> {
        // In this order: a pack that is published and told meanwhile is listed and not known, never the other
        // way round.
        let known = packs::all(held(&self.catalog).connection())?;
        let mut listed = self.list_packs()?;
        if known.iter().any(|pack| !listed.contains_key(&pack.name)) {
            // Directories are listed one after the other: what a pack was replaced by may have appeared in one
            // that had been looked through. It is there by now.
            listed.extend(self.list_packs()?);
        }
        let known_names: FxHashSet<Hash> = known.iter().map(|pack| pack.name).collect();
        let unknown: Vec<Hash> = listed
            .keys()
            .filter(|name| !known_names.contains(name) && own != Some(*name))
            .copied()
            .collect();
        let gone: Vec<i64> = known
            .iter()
            .filter(|pack| !listed.contains_key(&pack.name))
            .map(|pack| pack.id)
            .collect();
        let changed = !unknown.is_empty() || !gone.is_empty();
        if changed {
            self.take_in(&unknown, &gone)?;
        }
        self.learn_names()?;
        Ok(changed)
    }

    /// Reads a pack into the catalog, or what can be read of it now and could not before; `None` if it is not
    /// there any more.
    fn take_in_one(&self, name: &Hash) -> Result<Option<PackRow>, ArchiveError> {
        let contents = match self.read_pack(name) {
            Ok(contents) => contents,
            // Retired by another process between the listing and now.
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(ArchiveError::pack(name, error)),
        };
        // Whoever published it may have been stopped before its name was durable.
        if !self.read_only {
            self.sync_name(name)?;
        }
        let mut catalog = held(&self.catalog);
        let tx = catalog.write()?;
        let PackContents { row, pages, records } = contents;
        insert(&tx, &row, &pages, &records, |_, _, _| Ok(()))?;
        tx.commit().map_err(CatalogError::from)?;
        Ok(Some(row))
    }

    fn take_in(&self, unknown: &[Hash], gone: &[i64]) -> Result<(), ArchiveError> {
        let mut damaged = Vec::new();
        for name in unknown {
            if self.take_in_one(name)?.is_some_and(|row| row.damaged) {
                damaged.push(*name);
            }
        }
        // Where a page table is lost the bodies of groups are named by their bytes, and what these rest on may
        // have come after them: each round names at least one more, or is the last.
        if !damaged.is_empty() {
            self.learn_names()?;
        }
        let mut known = u64::MAX;
        loop {
            let mut pages = 0;
            for name in &damaged {
                pages += self.take_in_one(name)?.map_or(0, |row| row.pages);
            }
            if pages == known || damaged.is_empty() {
                break;
            }
            known = pages;
        }
        let mut catalog = held(&self.catalog);
        let tx = catalog.write()?;
        packs::drop_vanished(&tx, gone)?;
        tx.commit().map_err(CatalogError::from)?;
        drop(catalog);
        let mut handles = held(&self.handles);
        for id in gone {
            handles.open.remove(id);
        }
        Ok(())
    }

    pub(crate) fn learn_names(&self) -> Result<(), ArchiveError> {
        let known = packs::all(held(&self.catalog).connection())?;
        held(&self.handles).names = known.iter().map(|pack| (pack.id, pack.name)).collect();
        Ok(())
    }

    /// Reads what a pack holds; bodies are decoded only where a group's are named by nothing else.
    pub(crate) fn read_pack(&self, name: &Hash) -> Result<PackContents, PackError> {
        let file = self.disk.open(&layout::pack_path(name))?;
        let (pack, mut damaged) = match Pack::open(file.clone()) {
            Err(PackError::Damaged { .. } | PackError::NotAPack) => (Pack::open_damaged(file)?, true),
            other => (other?, false),
        };
        let directory = pack.directory();
        if let Err(error @ PackError::Newer(_)) = directory {
            return Err(error);
        }
        damaged |= directory.is_err();
        let cold = directory.as_ref().is_ok_and(|directory| directory.cold);
        let mut table: Option<FxHashMap<(u64, u32), u64>> = None;
        let mut pages = Vec::new();
        let mut records = Vec::new();
        for piece in scan(&pack) {
            let frame = match piece {
                Piece::Frame(frame) => frame,
                Piece::Damage {
                    why: error @ PackError::Newer(_),
                    ..
                } => return Err(error),
                Piece::Damage { .. } => {
                    damaged = true;
                    continue;
                }
            };
            match frame.kind {
                Kind::Page => pages.push(PlacedPage {
                    prefix: frame.body.unwrap_or_default().prefix(),
                    at: frame.at,
                    place: 0,
                    depth: frame.depth,
                    length: frame.raw,
                    base: frame.base,
                }),
                Kind::Group => {
                    let table =
                        table.get_or_insert_with(|| pack.names().unwrap_or_else(|_| self.named_before(name)));
                    let prefixes = self.group_prefixes(&pack, &frame, table);
                    damaged |= prefixes.is_none();
                    for (place, prefix) in prefixes.into_iter().flatten().enumerate() {
                        pages.push(PlacedPage {
                            prefix,
                            at: frame.at,
                            place: place as u32,
                            depth: frame.depth,
                            length: u64::from(frame.lengths[place]),
                            base: frame.base,
                        });
                    }
                }
                Kind::Records => match pack.records(frame.at) {
                    Ok(read) if pack.limit_records(records.len() + read.len()).is_err() => damaged = true,
                    Ok(read) => {
                        for (place, record) in read.into_iter().enumerate() {
                            let Some(record) = record else { continue };
                            records.push(PlacedRecord {
                                at: frame.at,
                                place: place as u32,
                                record,
                                given: records.len(),
                            });
                        }
                    }
                    Err(error @ PackError::Newer(_)) => return Err(error),
                    Err(_) => damaged = true,
                },
                Kind::PageTable | Kind::Directory | Kind::Other(_) => {}
            }
        }
        Ok(PackContents {
            row: PackRow {
                id: 0,
                name: *name,
                bytes: pack.length(),
                pages: pages.len() as u64,
                records: records.len() as u64,
                cold,
                damaged,
            },
            pages,
            records,
        })
    }

    /// What the catalog knows of a pack whose page table is lost: prefixes by frame and place.
    fn named_before(&self, name: &Hash) -> FxHashMap<(u64, u32), u64> {
        let catalog = held(&self.catalog);
        let rows = packs::pages_of_name(catalog.connection(), name).unwrap_or_default();
        rows.into_iter()
            .map(|(prefix, row)| ((row.at, row.place), prefix))
            .collect()
    }

    /// The hash prefixes of the bodies in a group: from the table, or, where that is lost, from the
    /// bodies.
    fn group_prefixes(
        &self,
        pack: &Pack,
        frame: &Frame,
        table: &FxHashMap<(u64, u32), u64>,
    ) -> Option<Vec<u64>> {
        frame.prefixes(table).or_else(|| {
            let content = self.decode_group(pack, frame).ok()?;
            Some(frame.bodies(&content).map(|body| blake3(body).prefix()).collect())
        })
    }
}

/// Opens the catalog file; one that cannot be used is removed and made anew.
fn open_catalog(disk: &dyn Disk) -> Result<Catalog, ArchiveError> {
    let Some(root) = disk.local_root() else {
        return Ok(Catalog::in_memory()?);
    };
    let path = root.join(layout::CATALOG);
    match Catalog::open(&path) {
        Err(error) if error.is_unusable() => {
            remove_catalog(disk);
            Ok(Catalog::open(&path)?)
        }
        Err(error) if error.is_unwritable() => Ok(Catalog::in_memory()?),
        other => Ok(other?),
    }
}

fn remove_catalog(disk: &dyn Disk) {
    for suffix in ["", "-wal", "-shm"] {
        // What is not there needs no removing; what cannot be removed shows when it is opened again.
        let _ = disk.remove(&format!("{}{suffix}", layout::CATALOG));
    }
}

/// Puts a pack into the catalog; `each` gets article, snapshot and the index of the record for every
/// snapshot that is not hidden. What is there already, because another process read the pack in, stays.
pub(crate) fn insert(
    tx: &rusqlite::Transaction<'_>,
    row: &PackRow,
    pages: &[PlacedPage],
    records: &[PlacedRecord],
    mut each: impl FnMut(i64, i64, usize) -> Result<(), CatalogError>,
) -> Result<(), CatalogError> {
    let id = packs::add(tx, row)?;
    for page in pages {
        let row = PageRow {
            pack: id,
            at: page.at,
            place: page.place,
            depth: page.depth,
            length: page.length,
            base: page.base.map(|base| base.prefix()),
        };
        packs::add_page(tx, page.prefix, &row)?;
    }
    let at = |placed: &PlacedRecord| RecordRow {
        pack: id,
        at: placed.at,
        place: placed.place,
    };
    // Tombstones first: a snapshot they name must not appear even for a moment. And what they take out of the stream
    // of outlines is written before `each` may append to it.
    let stones: Vec<TombstoneRow> = records
        .iter()
        .filter_map(|placed| match &placed.record {
            Record::Tombstone(stone) => Some(TombstoneRow {
                key: stone.key.clone(),
                body: stone.body,
                reason: stone.reason.clone(),
                moment: stone.moment.map(|moment| moment.0),
                record: at(placed),
            }),
            Record::Snapshot(_) => None,
        })
        .collect();
    packs::add_tombstones(tx, &stones)?;
    let any_forgotten = packs::any_tombstone(tx)?;
    let mut span: Option<(i64, i64)> = None;
    // In the order in which they were added, so that numbers tell it.
    let mut in_order: Vec<&PlacedRecord> = records.iter().collect();
    in_order.sort_by_key(|placed| placed.given);
    for placed in in_order {
        let Record::Snapshot(record) = &placed.record else {
            continue;
        };
        if any_forgotten {
            let key = crate::page::article_key(&record.address);
            if packs::is_forgotten(tx, &key, &record.body)? {
                continue;
            }
        }
        let new = NewSnapshot {
            address: &record.address,
            moment: record.moment,
            body: record.body,
            length: record.length,
            status: record.status,
        };
        let (article, snapshot, _) = snapshots::add(tx, &new)?;
        packs::add_record(tx, snapshot, &at(placed))?;
        span = Some(span.map_or((snapshot, snapshot), |(first, last)| {
            (first.min(snapshot), last.max(snapshot))
        }));
        each(article, snapshot, placed.given)?;
    }
    if let Some((first, last)) = span {
        packs::span(tx, id, first, last)?;
    }
    Ok(())
}
