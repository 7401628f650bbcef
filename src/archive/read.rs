//! From a hash to the bytes: where copies lie, deltas followed, every result held against its hash.

use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::cache::{Body, GroupCache};
use super::{Archive, ArchiveError, held, layout};
use crate::catalog::CatalogError;
use crate::catalog::packs::{self, PageRow};
use crate::digest::{Hash, blake3};
use crate::pack::codec::decompress_group;
use crate::pack::frame::{Frame, Kind};
use crate::pack::{Against, MAX_DEPTH, Pack, PackError, Record, SnapshotRecord};
use crate::page::Page;

/// Frames read for one restore before it is given up: several damaged copies at every step of a
/// delta must not make it endless.
pub(super) const MAX_FRAMES: u32 = 4 * MAX_DEPTH;

/// Which packs may be read.
#[derive(Debug, Clone, Copy, Default)]
pub enum Among<'a> {
    /// All.
    #[default]
    All,
    /// Only these, by their number in the catalog.
    Only(&'a HashSet<i64>),
}

impl Among<'_> {
    pub(crate) fn admits(self, pack: i64) -> bool {
        match self {
            Self::All => true,
            Self::Only(packs) => packs.contains(&pack),
        }
    }
}

impl Archive {
    /// Opens a pack by its name.
    pub(super) fn open_pack(&self, name: &Hash) -> Result<Pack, PackError> {
        let file = self.disk.open(&layout::pack_path(name))?;
        // Damage in the header costs nothing that the frames cannot tell.
        match Pack::open(file.clone()) {
            Err(PackError::Damaged { .. } | PackError::NotAPack) => Pack::open_damaged(file),
            other => other,
        }
    }

    /// The open pack with this number in the catalog.
    pub(crate) fn pack(&self, id: i64) -> Result<Arc<Pack>, PackError> {
        let name = {
            let handles = held(&self.handles);
            if let Some(pack) = handles.open.get(&id) {
                return Ok(pack.clone());
            }
            handles.names.get(&id).copied()
        };
        let missing = || PackError::Io(std::io::ErrorKind::NotFound.into());
        let name = name.ok_or_else(missing)?;
        let pack = Arc::new(self.open_pack(&name)?);
        held(&self.handles).keep(id, pack.clone());
        Ok(pack)
    }

    /// Every place where the body may lie.
    pub(crate) fn places(&self, body: &Hash) -> Result<Vec<PageRow>, ArchiveError> {
        Ok(packs::pages(held(&self.catalog).connection(), body)?)
    }

    /// The packs that a body is read from: its own and those of what it rests on; `None` if something on
    /// the way has no place, or if there are more ways than are tried.
    pub(crate) fn way(&self, body: &Hash) -> Result<Option<Vec<i64>>, ArchiveError> {
        let catalog = held(&self.catalog);
        let way = way_down(
            catalog.connection(),
            body.prefix(),
            MAX_DEPTH + 1,
            &Proven::default(),
            &mut 0,
        )?;
        Ok(way.map(|steps| steps.into_iter().map(|step| step.pack).collect()))
    }

    /// Whether a body can be followed down to a whole page. `proven` are those of which that is known, and
    /// gets those on the way.
    pub(crate) fn is_reachable(&self, body: &Hash, proven: &mut Proven) -> Result<bool, ArchiveError> {
        let catalog = held(&self.catalog);
        let way = way_down(catalog.connection(), body.prefix(), MAX_DEPTH + 1, proven, &mut 0)?;
        let Some(steps) = way else { return Ok(false) };
        if proven.len() > MAX_PROVEN {
            proven.clear();
        }
        proven.extend(steps.into_iter().map(|step| (step.prefix, step.depth)));
        Ok(true)
    }

    /// Whether nothing in the packs leads to the bytes of a body, because what it rests on was lost. Damage
    /// that no `repair` has seen is another matter, and so is a pack that cannot be read as a whole.
    pub(crate) fn is_lost(&self, body: &Hash) -> Result<bool, ArchiveError> {
        if self.is_reachable(body, &mut Proven::default())? || self.body(body).is_ok() {
            return Ok(false);
        }
        let all = packs::all(held(&self.catalog).connection())?;
        Ok(all.iter().all(|pack| !pack.damaged))
    }

    /// The bytes with this hash; if a file is missed, packs are listed again, once.
    pub(crate) fn body(&self, hash: &Hash) -> Result<Body, PackError> {
        self.once_more(|| self.body_among(hash, Among::All))
    }

    /// Reads; if that fails, lists the packs again and, if they have changed or something was not
    /// there, reads once more. Another process may have told the catalog already, so that a listing
    /// that brings nothing new does not mean that nothing has changed.
    fn once_more<T>(&self, read: impl Fn() -> Result<T, PackError>) -> Result<T, PackError> {
        read().or_else(|error| {
            let changed = self.refresh().unwrap_or(false);
            if changed || error.is_missing() {
                read()
            } else {
                Err(error)
            }
        })
    }

    /// The bytes with this hash, read only from some packs.
    pub(crate) fn body_among(&self, hash: &Hash, among: Among<'_>) -> Result<Body, PackError> {
        self.follow(hash, MAX_DEPTH + 1, among, &mut 0)
    }

    /// The bytes with this hash from a copy whose depth is below `below`: depths fall strictly along
    /// a delta, so no circle is possible.
    pub(super) fn follow(
        &self,
        hash: &Hash,
        below: u32,
        among: Among<'_>,
        frames: &mut u32,
    ) -> Result<Body, PackError> {
        // What was decoded from packs that may not be read here proves nothing about the others.
        if matches!(among, Among::All)
            && let Some(body) = held(&self.bodies).get(hash)
        {
            return Ok(body);
        }
        let mut failure = PackError::Io(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            format!("no pack holds the body {hash}"),
        ));
        let places = self
            .places(hash)
            .map_err(|error| PackError::Io(std::io::Error::other(error)))?;
        for place in places {
            if place.depth >= below || !among.admits(place.pack) {
                continue;
            }
            *frames += 1;
            super::pack_limit(
                "frames read for one page",
                u64::from(*frames),
                u64::from(MAX_FRAMES),
            )?;
            match self.copy_at(&place, hash, among, frames) {
                Ok(body) => {
                    held(&self.bodies).put(*hash, body.clone());
                    return Ok(body);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// The body in one place, held against its hash.
    pub(crate) fn copy_at(
        &self,
        place: &PageRow,
        hash: &Hash,
        among: Among<'_>,
        frames: &mut u32,
    ) -> Result<Body, PackError> {
        let pack = self.pack(place.pack)?;
        let only = matches!(among, Among::Only(_));
        let undecodable = || PackError::damaged(place.at, "the payload cannot be decompressed");
        let known = held(&self.groups).get((place.pack, place.at, only));
        let (frame, payload) = match &known {
            Some(_) => (pack.frame(place.at)?, Vec::new()),
            None => pack.payload(place.at)?,
        };
        let body = match frame.kind {
            Kind::Page => {
                if frame.body != Some(*hash) {
                    return Err(PackError::damaged(place.at, "another body lies here"));
                }
                let base = self.against_among(&pack, &frame, (among, frames))?;
                let base = frame.base.is_some().then_some(base.as_slice());
                frame.body_at(&payload, 0, base).map_err(|_| undecodable())?
            }
            Kind::Group => {
                let range = frame.body_range(place.place).ok_or_else(undecodable)?;
                let content = match known {
                    Some(content) if content.len() >= range.end => content,
                    _ => {
                        let (payload, wanted) = match known {
                            // The second body asked for in a group: the others will be, too.
                            Some(_) => (pack.payload(place.at)?.1, frame.raw as usize),
                            None => (payload, range.end),
                        };
                        let content =
                            Arc::new(self.group_bytes(&pack, &frame, &payload, wanted, (among, frames))?);
                        held(&self.groups).put((place.pack, place.at, only), content.clone());
                        content
                    }
                };
                content.get(range).ok_or_else(undecodable)?.to_vec()
            }
            _ => return Err(PackError::damaged(place.at, "no page lies here")),
        };
        if blake3(&body) != *hash {
            return Err(PackError::damaged(place.at, "the bytes do not match their hash"));
        }
        Ok(Arc::new(body))
    }

    /// All bodies of a group, one after the other.
    pub(crate) fn group_content(&self, id: i64, pack: &Pack, frame: &Frame) -> Result<Body, PackError> {
        let known = held(&self.groups).get((id, frame.at, false));
        if let Some(content) = known
            && content.len() as u64 == frame.raw
        {
            return Ok(content);
        }
        if frame.kind != Kind::Group {
            return Err(PackError::damaged(frame.at, "no group stands here"));
        }
        let content = Arc::new(self.decode_group(pack, frame)?);
        held(&self.groups).put((id, frame.at, false), content.clone());
        Ok(content)
    }

    /// The same from a pack that the catalog need not know.
    pub(super) fn decode_group(&self, pack: &Pack, frame: &Frame) -> Result<Vec<u8>, PackError> {
        let (_, payload) = pack.payload(frame.at)?;
        self.group_bytes(pack, frame, &payload, frame.raw as usize, (Among::All, &mut 0))
    }

    /// The first `wanted` bytes of the bodies of a group, one after the other. `reading` are the packs in
    /// which its base may lie, and the frames read so far.
    fn group_bytes(
        &self,
        pack: &Pack,
        frame: &Frame,
        payload: &[u8],
        wanted: usize,
        reading: (Among<'_>, &mut u32),
    ) -> Result<Vec<u8>, PackError> {
        let against = self.against_among(pack, frame, reading)?;
        decompress_group(payload, &against, wanted)
            .map_err(|_| PackError::damaged(frame.at, "the payload cannot be decompressed"))
    }

    /// Bytes of the bodies that stand before one in its group.
    pub(super) fn bytes_before(&self, place: &PageRow) -> Result<u64, PackError> {
        let frame = self.pack(place.pack)?.frame(place.at)?;
        Ok(frame
            .body_range(place.place)
            .map_or(0, |range| range.start as u64))
    }

    /// What a frame of bodies is compressed against; empty if that is nothing.
    pub(crate) fn against(&self, pack: &Pack, frame: &Frame) -> Result<Body, PackError> {
        self.against_among(pack, frame, (Among::All, &mut 0))
    }

    fn against_among(
        &self,
        pack: &Pack,
        frame: &Frame,
        (among, frames): (Among<'_>, &mut u32),
    ) -> Result<Body, PackError> {
        match frame.against() {
            Against::Nothing => Ok(Body::default()),
            Against::Prefix(at) => Ok(Arc::new(prefix_body(pack, at)?)),
            Against::Base(base, depth) => self.follow(base, depth.min(MAX_DEPTH), among, frames),
        }
    }

    /// Forgets all decoded groups: those decoded among some packs only say nothing about others.
    pub(crate) fn forget_groups(&self) {
        *held(&self.groups) = GroupCache::default();
    }

    /// The record of a snapshot.
    pub(crate) fn record(&self, snapshot: i64, among: Among<'_>) -> Result<SnapshotRecord, PackError> {
        let rows = packs::records(held(&self.catalog).connection(), snapshot)
            .map_err(|error| PackError::Io(std::io::Error::other(error)))?;
        let mut failure = PackError::Io(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "no pack holds the record",
        ));
        for row in rows.into_iter().filter(|row| among.admits(row.pack)) {
            match self.records_frame(row.pack, row.at) {
                Ok(records) => match records.get(row.place as usize) {
                    Some(Some(Record::Snapshot(record))) => return Ok(record.clone()),
                    _ => failure = PackError::damaged(row.at, "no snapshot record lies here"),
                },
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Every record of a snapshot in some packs, equal ones once. There may be several: two crawls of the same
    /// moment, or the one that a repair wrote from the catalog, tell other headers and metadata.
    pub(crate) fn records_of(
        &self,
        snapshot: i64,
        among: Among<'_>,
    ) -> Result<Vec<SnapshotRecord>, ArchiveError> {
        let mut found: Vec<SnapshotRecord> = Vec::new();
        let rows = packs::records(held(&self.catalog).connection(), snapshot)?;
        for row in rows.into_iter().filter(|row| among.admits(row.pack)) {
            let records = self
                .records_frame(row.pack, row.at)
                .map_err(|error| self.failed(row.pack, error))?;
            match records.get(row.place as usize) {
                Some(Some(Record::Snapshot(record))) if !found.contains(record) => found.push(record.clone()),
                Some(Some(Record::Snapshot(_))) => {}
                _ => {
                    let error = PackError::damaged(row.at, "no snapshot record lies here");
                    return Err(self.failed(row.pack, error));
                }
            }
        }
        Ok(found)
    }

    /// The records of one frame. The last frame is kept: neighbours are asked for together.
    pub(crate) fn records_frame(&self, pack: i64, at: u64) -> Result<Arc<Vec<Option<Record>>>, PackError> {
        if let Some((known, place, records)) = &*held(&self.records)
            && (*known, *place) == (pack, at)
        {
            return Ok(records.clone());
        }
        let records = Arc::new(self.pack(pack)?.records(at)?);
        *held(&self.records) = Some((pack, at, records.clone()));
        Ok(records)
    }

    /// The page as it was added: the same bytes, with status, headers and metadata.
    pub fn restore(&self, snapshot: &super::Snapshot) -> Result<Page, ArchiveError> {
        let body = self.restore_body(snapshot)?;
        Ok(self.page_of(snapshot, &body))
    }

    /// The bytes of the page.
    pub(super) fn restore_body(&self, snapshot: &super::Snapshot) -> Result<Body, ArchiveError> {
        let lost = |error: PackError| match error {
            PackError::Newer(what) => ArchiveError::Newer(what),
            error => ArchiveError::Lost {
                address: snapshot.address.clone(),
                body: snapshot.body,
                reason: error.to_string(),
            },
        };
        self.body(&snapshot.body).map_err(lost)
    }

    /// The page of a body that was read.
    pub(super) fn page_of(&self, snapshot: &super::Snapshot, body: &Body) -> Page {
        // Headers and metadata that are damaged must not cost the bytes.
        let record = self
            .once_more(|| self.record(snapshot.id, Among::All))
            .unwrap_or_else(|_| SnapshotRecord {
                address: snapshot.address.clone(),
                moment: snapshot.moment,
                body: snapshot.body,
                length: snapshot.length,
                status: snapshot.status,
                ..SnapshotRecord::default()
            });
        record.into_page(body.to_vec())
    }
}

/// Depths of copies that are known to lead down to a whole page, by the prefix of the body.
pub(crate) type Proven = FxHashMap<u64, u32>;

/// Copies remembered so.
const MAX_PROVEN: usize = 1 << 16;

/// A copy on the way down to a whole page.
pub(super) struct Step {
    prefix: u64,
    depth: u32,
    pack: i64,
}

/// The way from a copy whose depth is below `below` down to a whole page or to one that is `proven`, the
/// last step first. Several copies at every step and none at the last must not make it endless: `tried`
/// counts them.
pub(super) fn way_down(
    conn: &Connection,
    prefix: u64,
    below: u32,
    proven: &Proven,
    tried: &mut u32,
) -> Result<Option<Vec<Step>>, CatalogError> {
    if proven.get(&prefix).is_some_and(|&depth| depth < below) {
        return Ok(Some(Vec::new()));
    }
    for place in packs::pages_by_prefix(conn, prefix)? {
        if place.depth >= below {
            continue;
        }
        *tried += 1;
        if *tried > MAX_FRAMES {
            break;
        }
        let way = match place.base {
            None => Some(Vec::new()),
            Some(base) => way_down(conn, base, place.depth, proven, tried)?,
        };
        if let Some(mut way) = way {
            way.push(Step {
                prefix,
                depth: place.depth,
                pack: place.pack,
            });
            return Ok(Some(way));
        }
    }
    Ok(None)
}

/// The body that serves as prefix of a group: a page frame of the same pack without a base.
pub(crate) fn prefix_body(pack: &Pack, at: u64) -> Result<Vec<u8>, PackError> {
    let (frame, payload) = pack.payload(at)?;
    if frame.kind != Kind::Page || frame.base.is_some() {
        return Err(PackError::damaged(
            at,
            "the prefix of a group must be a page without a base",
        ));
    }
    let body = frame
        .body_at(&payload, 0, None)
        .map_err(|_| PackError::damaged(at, "the payload cannot be decompressed"))?;
    if frame.body != Some(blake3(&body)) {
        return Err(PackError::damaged(at, "the bytes do not match their hash"));
    }
    Ok(body)
}
