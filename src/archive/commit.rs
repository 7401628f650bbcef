//! Making a pack durable: published under its own hash, then checked against what other processes did
//! meanwhile, then told to the catalog. The next pack can be built at the same time: a pack is *sealed*
//! first and stays in reach of the pages that rest on its bodies until the catalog knows it.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::gather::encode;
use super::open::insert;
use super::writer::{Building, Identity, Writer};
use super::{Archive, ArchiveError, Body, held, pinned};
use crate::catalog::blocks::{self, Outline};
use crate::catalog::packs::PackRow;
use crate::catalog::{Catalog, CatalogError, ledger, snapshots};
use crate::digest::Hash;
use crate::pack::codec::{compress, decompress};
use crate::pack::frame::{Frame, Kind};
use crate::pack::{Finished, Pack, PackBuilder, Record};

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

/// A pack that takes no more pages and is on its way to the disk.
#[derive(Debug)]
pub struct Sealed {
    pub(super) finished: Finished<Vec<u8>>,
    /// One for each record, in the order in which they were given.
    outlines: Vec<Option<Outline>>,
    /// Where its bodies lie: the offset of the frame, and the place in it.
    pub(super) frames: FxHashMap<Hash, (u64, u32)>,
    pub(super) bodies: FxHashSet<Hash>,
    pub(super) identities: FxHashSet<Identity>,
    raw_bytes: u64,
    /// The first job that is not in it.
    end: u64,
    /// Packs that were read for its bases, by their numbers in the catalog.
    pinned: Vec<(i64, Arc<Pack>)>,
    /// Packs with bases of it that the catalog does not know.
    behind: Vec<Arc<Pack>>,
    level: i32,
}

/// What came of a commit.
#[derive(Debug)]
pub struct Committed {
    commit: Commit,
    /// Bodies that were taken out, as of now.
    refused: FxHashSet<Hash>,
    /// Packs that were published and hold what was taken out meanwhile, or rest on it.
    tainted: Vec<Hash>,
}

/// Makes sealed packs durable, in the order in which they were sealed.
#[derive(Debug)]
pub struct Committer<'a> {
    archive: &'a Archive,
    /// A connection of its own, so that the writer can use the archive's meanwhile; `None` where the
    /// catalog is in memory and there is only one.
    catalog: Option<Catalog>,
}

impl Archive {
    /// A committer for a [`Writer`] that goes on with the next pack on another thread.
    #[must_use]
    pub fn committer(&self) -> Committer<'_> {
        Committer {
            archive: self,
            catalog: held(&self.catalog).again(),
        }
    }
}

impl Writer<'_> {
    /// Makes everything appended so far durable; `None` if there was nothing.
    pub fn commit(&mut self) -> Result<Option<Commit>, ArchiveError> {
        let Some(sealed) = self.seal()? else {
            return Ok(None);
        };
        let mut committer = Committer {
            archive: self.archive,
            catalog: None,
        };
        let committed = committer.commit(&sealed, &mut |hash| self.bodies.get(hash));
        if committed.is_err() {
            self.sealed = None;
        }
        Ok(Some(self.settle(sealed, committed?)))
    }

    /// Closes the pack being built; `None` if nothing was appended to it. Pages that are planned and not
    /// yet appended go into the next one. A pack must be settled before the next is sealed, and all pages that
    /// share a frame be appended.
    pub fn seal(&mut self) -> Result<Option<Arc<Sealed>>, ArchiveError> {
        if self.sealed.is_some() || !self.can_seal() {
            return Err(ArchiveError::OutOfOrder);
        }
        if self.building.pack.record_count() == 0 {
            return Ok(None);
        }
        let room = std::mem::take(&mut self.room);
        let mut built = std::mem::replace(&mut self.building, Building::new(room)?);
        let end = self.appended;
        self.building.bodies = built.bodies.extract_if(|_, job| *job >= end).collect();
        self.building.identities = built.identities.extract_if(|_, job| *job >= end).collect();
        let pinned = self.pinned.iter().map(|(id, pin)| (*id, pin.pack.clone()));
        let sealed = Arc::new(Sealed {
            finished: built.pack.finish().map_err(ArchiveError::Building)?,
            outlines: built.outlines,
            frames: built.frames,
            bodies: built.bodies.into_keys().collect(),
            identities: built.identities.into_keys().collect(),
            raw_bytes: built.raw_bytes,
            end,
            pinned: pinned.collect(),
            behind: self.behind.clone(),
            level: self.options.level,
        });
        self.sealed = Some(sealed.clone());
        Ok(Some(sealed))
    }

    /// A body that may serve as a base, if it is still in memory.
    pub fn remembered(&mut self, body: &Hash) -> Option<Body> {
        self.bodies.get(body)
    }

    /// Lets go of a pack that was committed.
    pub fn settle(&mut self, sealed: Arc<Sealed>, committed: Committed) -> Commit {
        self.sealed = None;
        self.refused = committed.refused;
        self.proven.clear();
        if committed.commit.catalog_behind {
            self.behind
                .extend(self.archive.open_pack(&committed.commit.pack).map(Arc::new));
        } else {
            self.behind.clear();
            self.pinned.retain(|_, pin| pin.job >= sealed.end);
        }
        self.tainted.extend(committed.tainted);
        // Not before the pages that were planned in the meantime are safe: they may rest on what goes. If
        // another process is in the way it stays due.
        if self.planned == sealed.end
            && !self.tainted.is_empty()
            && self.archive.take_out_of(&self.tainted).unwrap_or(false)
        {
            self.tainted.clear();
        }
        if let Some(sealed) = Arc::into_inner(sealed) {
            self.room = sealed.finished.out;
        }
        committed.commit
    }
}

impl Committer<'_> {
    /// Makes a sealed pack durable and tells the catalog of it. `remembered` is [`Writer::remembered`]: the
    /// last resort for a base whose every copy another process took away.
    pub fn commit(
        &mut self,
        sealed: &Sealed,
        remembered: &mut dyn FnMut(&Hash) -> Option<Body>,
    ) -> Result<Committed, ArchiveError> {
        let finished = &sealed.finished;
        self.archive.publish(&finished.name, &finished.out)?;
        let checked = self.check_bases(sealed)?;
        let rewritten = if checked.lost.is_empty() {
            None
        } else {
            let rewritten = self.rewrite(sealed, &checked, remembered)?;
            self.archive.publish(&rewritten.name, &rewritten.out)?;
            Some(rewritten)
        };
        let mut tainted = Vec::new();
        if rewritten.is_some() {
            tainted.push(finished.name);
        }
        let finished = rewritten.as_ref().unwrap_or(finished);
        if checked.hidden {
            tainted.push(finished.name);
        }
        let mut commit = Commit {
            pack: finished.name,
            pages: finished.records.len() as u64,
            raw_bytes: sealed.raw_bytes,
            stored_bytes: finished.length,
            catalog_behind: false,
        };
        if self.tell_catalog(finished, &sealed.outlines).is_ok() {
            // Merging is a courtesy: whatever keeps it from happening, the pages are committed.
            let _ = self.archive.merge_tiny();
        } else {
            // The pack is safe; whatever keeps the catalog from hearing of it, the next opener reads it in.
            commit.catalog_behind = true;
        }
        Ok(Committed {
            commit,
            refused: checked.refused,
            tainted,
        })
    }

    fn tell_catalog(
        &mut self,
        finished: &Finished<Vec<u8>>,
        outlines: &[Option<Outline>],
    ) -> Result<(), ArchiveError> {
        let row = PackRow {
            id: 0,
            name: finished.name,
            bytes: finished.length,
            pages: finished.pages.len() as u64,
            records: finished.records.len() as u64,
            cold: false,
            damaged: false,
        };
        let attribute = held(&self.archive.attribute).clone();
        if let Some(own) = &mut self.catalog {
            tell(own, &row, finished, outlines, attribute.as_deref())?;
        } else {
            let mut catalog = held(&self.archive.catalog);
            tell(&mut catalog, &row, finished, outlines, attribute.as_deref())?;
        }
        self.archive.learn_names()
    }

    /// Looks, now that the pack is published, for bodies outside it that its pages rest on or its records
    /// name, and that have no copy left that will do, or were taken out. Packs are listed anew.
    fn check_bases(&self, sealed: &Sealed) -> Result<Checked, ArchiveError> {
        let archive = self.archive;
        let mut external = external_bases(&sealed.finished);
        external.extend(external_bodies(&sealed.finished).map(|body| (body, u32::MAX)));
        let mut had = FxHashMap::default();
        let listed = archive.list_packs()?;
        let missing: FxHashSet<i64> = {
            let handles = held(&archive.handles);
            let gone = handles
                .names
                .iter()
                .filter(|(_, name)| !listed.contains_key(*name));
            gone.map(|(id, _)| *id).collect()
        };
        if !missing.is_empty() {
            // The bodies must be had before the catalog forgets where they were.
            for (base, _) in &external {
                let places = archive.places(base)?;
                if places.iter().all(|place| missing.contains(&place.pack)) {
                    held(&archive.handles).open.extend(sealed.pinned.iter().cloned());
                    if let Ok(body) = archive.body(base) {
                        had.insert(*base, body);
                    }
                }
            }
        }
        archive.refresh_but(Some(&sealed.finished.name))?;
        let refused = archive.refused()?;
        let mut hidden = false;
        for placed in &sealed.finished.records {
            hidden |= refused.contains(placed.record.body()) && archive.is_hidden(&placed.record)?;
        }
        let mut lost = FxHashSet::default();
        for (base, below) in external {
            let places = archive.places(&base)?;
            if refused.contains(&base) || !places.iter().any(|place| place.depth < below) {
                lost.insert(base);
            }
        }
        Ok(Checked {
            lost,
            had,
            refused,
            hidden,
        })
    }

    /// The same pack with the frames that rest on lost bases encoded anew without one, and with the lost bodies
    /// that its records name.
    fn rewrite(
        &self,
        sealed: &Sealed,
        checked: &Checked,
        remembered: &mut dyn FnMut(&Hash) -> Option<Body>,
    ) -> Result<Finished<Vec<u8>>, ArchiveError> {
        let (finished, lost) = (&sealed.finished, &checked.lost);
        let mut fetch = |hash: &Hash| self.fetch(sealed, checked, remembered, hash);
        let mut pack = PackBuilder::new(Vec::new(), false).map_err(ArchiveError::Building)?;
        let mut members: Vec<((u64, u32), Hash)> = sealed
            .frames
            .iter()
            .map(|(body, place)| (*place, *body))
            .collect();
        members.sort_unstable();
        for of_frame in members.chunk_by(|((one, _), _), ((other, _), _)| one == other) {
            let Some(&((at, _), first)) = of_frame.first() else {
                continue;
            };
            let bytes = usize::try_from(at).ok().and_then(|at| finished.out.get(at..));
            let frame = Frame::parse(bytes.unwrap_or_default(), at)?;
            let start = frame.payload_at() as usize;
            let payload = &finished.out[start..start + frame.stored as usize];
            match frame.base {
                Some(base) if lost.contains(&base) => {
                    let body = fetch(&base)?;
                    let whole = decompress(frame.codec, payload, Some(&body), frame.raw as usize)
                        .map_err(|error| not_read_back(base, &error))?;
                    let named = of_frame.iter().map(|(_, body)| *body);
                    let bodies: Vec<(Hash, &[u8])> = match frame.kind {
                        Kind::Group => named.zip(frame.bodies(&whole)).collect(),
                        _ => vec![(first, &whole)],
                    };
                    for frame in encode(&bodies, None, sealed.level) {
                        frame.put(&mut pack)?;
                    }
                }
                _ => {
                    let hashes: Vec<Hash> = of_frame.iter().map(|(_, body)| *body).collect();
                    pack.copy(&frame, &hashes, frame.against(), payload)?;
                }
            }
        }
        let bare: FxHashSet<Hash> = external_bodies(finished)
            .filter(|body| lost.contains(body))
            .collect();
        for hash in bare {
            let body = fetch(&hash)?;
            let made = compress(&body, None, sealed.level);
            pack.page(&hash, body.len() as u64, None, made.codec, &made.payload)?;
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

    /// A body outside the pack, from wherever it can still be had.
    fn fetch(
        &self,
        sealed: &Sealed,
        checked: &Checked,
        remembered: &mut dyn FnMut(&Hash) -> Option<Body>,
        hash: &Hash,
    ) -> Result<Body, ArchiveError> {
        if let Some(body) = checked.had.get(hash).cloned().or_else(|| remembered(hash)) {
            return Ok(body);
        }
        self.archive.body(hash).or_else(|error| {
            let open = sealed.pinned.iter().map(|(_, pack)| pack);
            let packs: Vec<Arc<Pack>> = open.chain(&sealed.behind).cloned().collect();
            pinned::body(&packs, hash).ok_or_else(|| not_read_back(*hash, &error))
        })
    }
}

fn not_read_back(body: Hash, error: &dyn std::fmt::Display) -> ArchiveError {
    ArchiveError::NotReadBack {
        body,
        reason: error.to_string(),
    }
}

/// What a look at the bases of a published pack showed.
struct Checked {
    /// Bases its pages cannot rest on, and bodies its records cannot name.
    lost: FxHashSet<Hash>,
    /// Bodies of bases that were read just before the catalog forgot them.
    had: FxHashMap<Hash, Body>,
    /// Bodies that were taken out.
    refused: FxHashSet<Hash>,
    /// Whether a page of the pack itself was taken out.
    hidden: bool,
}

fn tell(
    catalog: &mut Catalog,
    row: &PackRow,
    finished: &Finished<Vec<u8>>,
    outlines: &[Option<Outline>],
    attribute: Option<&str>,
) -> Result<(), ArchiveError> {
    let tx = catalog.write()?;
    // Another process may have built the catalog from another attribute since ours was declared: then these
    // outlines are left to be built from that.
    let known = ledger::attribute(&tx)?;
    let fits = known.is_none() || attribute.is_none() || known.as_deref() == attribute;
    if let (None, Some(attribute)) = (&known, attribute) {
        ledger::note_attribute(&tx, attribute)?;
    }
    let outlines = if fits { outlines } else { &[] };
    blocks::record(&tx, |recorder| {
        insert(
            &tx,
            row,
            &finished.pages,
            &finished.records,
            |article, snapshot, given| {
                if let Some(Some(outline)) = outlines.get(given) {
                    recorder.insert(&tx, article, snapshot, outline)?;
                    snapshots::set_hashes(&tx, snapshot, &outline.text_hash, &outline.form_hash)?;
                }
                Ok(())
            },
        )
    })?;
    Ok(tx.commit().map_err(CatalogError::from)?)
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

/// The bodies that records of a pack name and that lie outside it.
fn external_bodies(finished: &Finished<Vec<u8>>) -> impl Iterator<Item = Hash> {
    let inside: FxHashSet<u64> = finished.pages.iter().map(|page| page.prefix).collect();
    finished
        .records
        .iter()
        .filter_map(move |placed| match &placed.record {
            Record::Snapshot(record) if !inside.contains(&record.body.prefix()) => Some(record.body),
            _ => None,
        })
}
