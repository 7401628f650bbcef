//! The one function that removes packs, and the lock without which it cannot be called.

use std::collections::HashSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::read::{Among, Proven, way_down};
use super::{Archive, ArchiveError, held, layout};
use crate::catalog::packs::{self, PageRow};
use crate::catalog::{CatalogError, snapshots};
use crate::digest::Hash;
use crate::disk::Lock;
use crate::pack::frame::Kind;
use crate::pack::{PackError, Record};
use crate::page::article_key;

/// The maintenance lock of an archive, held. It goes with the value or with the process.
#[derive(Debug)]
pub struct Maintenance {
    _lock: Box<dyn Lock>,
}

impl Archive {
    /// Takes the maintenance lock; `None` if another process holds it.
    pub fn maintain(&self) -> Result<Option<Maintenance>, ArchiveError> {
        if self.read_only {
            return Err(ArchiveError::ReadOnly);
        }
        let lock = self
            .disk
            .try_lock(layout::LOCK)
            .map_err(|error| ArchiveError::io(layout::LOCK, error))?;
        Ok(lock.map(|lock| Maintenance { _lock: lock }))
    }

    /// Removes packs, by their numbers in the catalog, after reading back from the packs that stay
    /// every page and every record they hold, but for what was taken out. Packs that appeared
    /// meanwhile are minded. Those `written` stay: what is written anew can come out as the very pack
    /// it was made of. Fails without removing anything if something cannot be read back.
    pub fn retire(&self, _lock: &Maintenance, going: &[i64], written: &[Hash]) -> Result<(), ArchiveError> {
        let given: HashSet<i64> = going.iter().copied().collect();
        let mut checked: HashSet<i64> = HashSet::new();
        loop {
            self.refresh()?;
            let all = packs::all(held(&self.catalog).connection())?;
            let going: HashSet<i64> = all
                .iter()
                .filter(|pack| given.contains(&pack.id) && !written.contains(&pack.name))
                .map(|pack| pack.id)
                .collect();
            let staying: HashSet<i64> = all
                .iter()
                .map(|pack| pack.id)
                .filter(|id| !going.contains(id))
                .collect();
            let leaving: Vec<i64> = going.into_iter().collect();
            if leaving.iter().all(|id| checked.contains(id)) && self.nothing_rests_on(&leaving, &staying)? {
                return self.unlink(&leaving);
            }
            self.read_back(&leaving, &staying)?;
            checked.extend(leaving);
        }
    }

    /// Whether every delta in the staying packs finds its base there.
    fn nothing_rests_on(&self, leaving: &[i64], staying: &HashSet<i64>) -> Result<bool, ArchiveError> {
        let catalog = held(&self.catalog);
        for (pack, base, depth) in packs::resting_on(catalog.connection(), leaving)? {
            if !staying.contains(&pack) {
                continue;
            }
            let places = packs::pages_by_prefix(catalog.connection(), base)?;
            let served = places
                .iter()
                .any(|place| staying.contains(&place.pack) && place.depth < depth);
            // What cannot be read today loses nothing.
            let tried = &mut 0;
            if !served && way_down(catalog.connection(), base, depth, &Proven::default(), tried)?.is_some() {
                return Err(ArchiveError::NotReadBack {
                    body: Hash::of_prefix(base),
                    reason: "a page of a pack that stays still rests on it".to_owned(),
                });
            }
        }
        Ok(true)
    }

    /// Reads back every page and record of packs from those that stay.
    fn read_back(&self, leaving: &[i64], staying: &HashSet<i64>) -> Result<(), ArchiveError> {
        let forgotten = self.refused()?;
        // The least depth at which each body lies in the packs that leave.
        let mut bodies: FxHashMap<Hash, u32> = FxHashMap::default();
        // Frames with a page that was taken out.
        let mut frames_that_go: FxHashSet<(i64, u64)> = FxHashSet::default();
        for &id in leaving {
            for (hash, row) in self.bodies_of(id)? {
                if forgotten.contains(&hash) && !self.is_wanted(&hash)? {
                    frames_that_go.insert((row.pack, row.at));
                }
                let least = bodies.entry(hash).or_insert(row.depth);
                *least = row.depth.min(*least);
            }
        }
        // In the order in which they lie in the packs that stay: a group is decoded once for all.
        let mut order: Vec<(i64, u64, u32, Hash, u32)> = Vec::with_capacity(bodies.len());
        let bases_that_go: FxHashSet<u64> = forgotten.iter().map(Hash::prefix).collect();
        for (&hash, &depth) in &bodies {
            if forgotten.contains(&hash) && !self.is_wanted(&hash)? {
                continue;
            }
            // Deltas elsewhere may rest on the copy that leaves; another must lie no deeper.
            let places = self.places(&hash)?;
            let stays = places
                .iter()
                .find(|place| staying.contains(&place.pack) && place.depth <= depth);
            let Some(place) = stays else {
                let goes = |place: &PageRow| {
                    frames_that_go.contains(&(place.pack, place.at))
                        || place.base.is_some_and(|base| bases_that_go.contains(&base))
                };
                // A lost page that rests on one that was taken out never can be read again, and one that shares a
                // frame with such cannot be told from it.
                if !places.is_empty() && places.iter().all(goes) && self.is_lost(&hash)? {
                    continue;
                }
                return Err(ArchiveError::NotReadBack {
                    body: hash,
                    reason: "no copy of it stays".to_owned(),
                });
            };
            order.push((place.pack, place.at, place.place, hash, depth));
        }
        order.sort_unstable();
        self.forget_groups();
        let among = Among::Only(staying);
        for (pack, at, _, hash, depth) in order {
            // Deltas elsewhere may rest on the copy that leaves: a deeper one does not stand for it.
            let Err(error) = self.follow(&hash, depth + 1, among, &mut 0) else {
                continue;
            };
            // A lost page cannot be read in the packs that leave, either: its copy is held against its check.
            let is_copied = || self.pack(pack).and_then(|pack| pack.payload(at)).is_ok();
            if !self.is_lost(&hash)? || !is_copied() {
                return Err(ArchiveError::NotReadBack {
                    body: hash,
                    reason: error.to_string(),
                });
            }
        }
        for &id in leaving {
            let pack = self.pack(id).map_err(|error| self.failed(id, error))?;
            self.read_back_records(id, &pack, staying)?;
        }
        Ok(())
    }

    /// The bodies in a pack and where they lie.
    pub(crate) fn bodies_of(&self, id: i64) -> Result<Vec<(Hash, PageRow)>, ArchiveError> {
        let of_pack = self.pack_bodies(id)?;
        let rows = packs::pages_of(held(&self.catalog).connection(), id)?;
        let mut bodies = Vec::with_capacity(rows.len());
        let failed = |error| self.failed(id, error);
        for of_frame in rows.chunk_by(|(_, one), (_, other)| one.at == other.at) {
            let Some((_, first)) = of_frame.first() else {
                continue;
            };
            let frame = of_pack.pack.frame(first.at).map_err(failed)?;
            let hashes = of_pack.hashes(&frame).map_err(failed)?;
            for (_, row) in of_frame {
                let hash = hashes.get(row.place as usize).ok_or_else(|| {
                    failed(PackError::damaged(
                        row.at,
                        "the frame has fewer bodies than places",
                    ))
                })?;
                bodies.push((*hash, *row));
            }
        }
        Ok(bodies)
    }

    /// Bytes of the bodies in a pack, a body in two places counted twice.
    pub(crate) fn body_bytes(&self, id: i64) -> Result<u64, ArchiveError> {
        let rows = packs::pages_of(held(&self.catalog).connection(), id)?;
        Ok(rows.iter().map(|(_, row)| row.length).sum())
    }

    pub(crate) fn failed(&self, id: i64, error: PackError) -> ArchiveError {
        let name = held(&self.handles).names.get(&id).copied().unwrap_or_default();
        ArchiveError::pack(&name, error)
    }

    fn read_back_records(
        &self,
        id: i64,
        pack: &crate::pack::Pack,
        staying: &HashSet<i64>,
    ) -> Result<(), ArchiveError> {
        let failed = |error| self.failed(id, error);
        let mut frames: FxHashMap<(i64, u64), Vec<Option<Record>>> = FxHashMap::default();
        let mut offsets: FxHashSet<u64> = FxHashSet::default();
        for piece in crate::pack::scan::scan(pack) {
            if let crate::pack::scan::Piece::Frame(frame) = piece
                && frame.kind == Kind::Records
            {
                offsets.insert(frame.at);
            }
        }
        for at in offsets {
            for record in pack.records(at).map_err(failed)?.into_iter().flatten() {
                let places = match &record {
                    Record::Snapshot(snapshot) => {
                        let key = article_key(&snapshot.address);
                        let catalog = held(&self.catalog);
                        if packs::is_forgotten(catalog.connection(), &key, &snapshot.body)? {
                            continue;
                        }
                        let article = snapshots::article(catalog.connection(), &key)?;
                        let found = match article {
                            None => None,
                            Some(article) => snapshots::find(
                                catalog.connection(),
                                article,
                                &snapshot.address,
                                snapshot.moment,
                                &snapshot.body,
                            )?,
                        };
                        match found {
                            None => Vec::new(),
                            Some(snapshot) => packs::records(catalog.connection(), snapshot)?,
                        }
                    }
                    Record::Tombstone(stone) => {
                        let catalog = held(&self.catalog);
                        packs::tombstone_places(catalog.connection(), &stone.key, &stone.body)?
                    }
                };
                let mut found = false;
                for place in places.iter().filter(|place| staying.contains(&place.pack)) {
                    let key = (place.pack, place.at);
                    if !frames.contains_key(&key) {
                        if frames.len() > RECORD_FRAMES {
                            frames.clear();
                        }
                        let read = self.pack(place.pack).and_then(|pack| pack.records(place.at));
                        frames.insert(key, read.unwrap_or_default());
                    }
                    let copy = frames[&key].get(place.place as usize);
                    found |= copy.is_some_and(|copy| copy.as_ref() == Some(&record));
                }
                if !found {
                    return Err(ArchiveError::NotReadBack {
                        body: *record.body(),
                        reason: "its record is in no pack that stays".to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether a snapshot that is not hidden has this body.
    pub(crate) fn is_wanted(&self, body: &Hash) -> Result<bool, ArchiveError> {
        Ok(snapshots::has_body(held(&self.catalog).connection(), body)?)
    }

    fn unlink(&self, leaving: &[i64]) -> Result<(), ArchiveError> {
        let names: Vec<Hash> = {
            let handles = held(&self.handles);
            leaving
                .iter()
                .filter_map(|id| handles.names.get(id).copied())
                .collect()
        };
        for name in &names {
            let path = layout::pack_path(name);
            match self.disk.remove(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ArchiveError::io(&path, error));
                }
                _ => {}
            }
        }
        let dirs: HashSet<String> = names.iter().map(layout::pack_dir).collect();
        for dir in dirs {
            self.disk
                .sync_dir(&dir)
                .map_err(|error| ArchiveError::io(&dir, error))?;
        }
        let mut catalog = held(&self.catalog);
        let told = catalog.write().and_then(|tx| {
            packs::drop(&tx, leaving)?;
            tx.commit().map_err(CatalogError::from)
        });
        match told {
            Err(error) if !error.is_busy() => return Err(error.into()),
            _ => {}
        }
        std::mem::drop(catalog);
        let mut handles = held(&self.handles);
        for id in leaving {
            handles.open.remove(id);
        }
        std::mem::drop(handles);
        self.learn_names()
    }
}

/// Decoded frames of records held while a pack is read back.
const RECORD_FRAMES: usize = 64;
