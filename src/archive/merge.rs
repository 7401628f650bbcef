//! Tiny packs are merged by themselves when they pile up. Frames are copied as they are; a group that loses a
//! page, or whose prefix or base does not come along, is encoded anew without a base.

use std::collections::HashSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::gather::encode;
use super::pack_bodies::PackBodies;
use super::{Archive, ArchiveError, Body, Maintenance, held};
use crate::catalog::packs::{self, PackRow, PageRow};
use crate::digest::Hash;
use crate::pack::frame::{Frame, Kind};
use crate::pack::scan::{Piece, scan};
use crate::pack::{PackBuilder, PackError, Record};
use crate::page::article_key;

/// So many packs of one tier are merged into one of the next.
const FAN: usize = 8;

/// Packs below this length, in bytes, are of the lowest tier; each tier is [`FAN`] times the one below.
const LOWEST_TIER: u64 = 32 << 10;

/// Packs of this length in bytes and above are left to `compact`.
const LARGE: u64 = 16 << 20;

/// Packs of so many pages or records are left to it, too: looking each of them up costs more than one
/// more pack.
const MANY: u64 = 4096;

/// A pack being copied is committed when it has so many bytes.
const FULL: u64 = 64 << 20;

/// zstd level of pages that have to be compressed anew.
const LEVEL: i32 = 3;

fn tier(bytes: u64) -> u32 {
    (bytes / LOWEST_TIER)
        .checked_ilog(FAN as u64)
        .map_or(0, |log| log + 1)
}

/// The packs that should be merged next, if enough of one tier have piled up.
fn piled_up(all: &[PackRow]) -> Vec<PackRow> {
    let mergeable = |pack: &&PackRow| {
        !pack.cold && !pack.damaged && pack.bytes < LARGE && pack.pages.max(pack.records) < MANY
    };
    let highest = all.iter().filter(mergeable).map(|pack| tier(pack.bytes)).max();
    for wanted in 0..=highest.unwrap_or(0) {
        let of_tier: Vec<&PackRow> = all
            .iter()
            .filter(mergeable)
            .filter(|pack| tier(pack.bytes) == wanted)
            .collect();
        if of_tier.len() < FAN {
            continue;
        }
        let mut total = 0;
        return of_tier
            .into_iter()
            .take_while(|pack| {
                total += pack.bytes;
                total <= FULL
            })
            .cloned()
            .collect();
    }
    Vec::new()
}

impl Archive {
    /// Merges tiny packs if they have piled up and no other process maintains the archive; how many
    /// packs were merged away. [`super::Writer::commit`] calls it.
    pub fn merge_tiny(&self) -> Result<usize, ArchiveError> {
        let pile = piled_up(&packs::all(held(&self.catalog).connection())?);
        if pile.len() < FAN {
            return Ok(0);
        }
        let Some(lock) = self.maintain()? else {
            return Ok(0);
        };
        let mut merged = 0;
        // Another process may have merged them while this one came here.
        self.refresh()?;
        loop {
            let pile = piled_up(&packs::all(held(&self.catalog).connection())?);
            if pile.len() < FAN {
                return Ok(merged);
            }
            let ids: Vec<i64> = pile.iter().map(|pack| pack.id).collect();
            let written = self.copy_packs(&lock, &ids)?;
            self.retire(&lock, &ids, &written)?;
            merged += ids.len();
        }
    }

    /// Copies what packs made by `add` hold into new packs, frames as they are. What was taken out is left
    /// behind: a group that loses a page, and what rests on such, is encoded anew without a base. Nothing is
    /// removed. A page or record of which the other packs hold a copy as good is left out. A page that rests on
    /// one that was lost is copied unread: that one may be found again. The names of the new packs.
    pub(crate) fn copy_packs(&self, _lock: &Maintenance, going: &[i64]) -> Result<Vec<Hash>, ArchiveError> {
        let going_set: HashSet<i64> = going.iter().copied().collect();
        let refused = self.refused()?;
        let mut seen: HashSet<Vec<u8>> = HashSet::new();
        let mut copying = Copying {
            builder: PackBuilder::new(Vec::new(), false)?,
            copied: FxHashMap::default(),
        };
        let mut written = Vec::new();
        for &id in going {
            let name = held(&self.handles).names.get(&id).copied().unwrap_or_default();
            let failed = |error| ArchiveError::pack(&name, error);
            let of_pack = self.pack_bodies(id)?;
            let pack = &of_pack.pack;
            for piece in scan(pack) {
                let frame = match piece {
                    Piece::Frame(frame) => frame,
                    Piece::Damage { why, .. } => return Err(failed(why)),
                };
                match frame.kind {
                    Kind::Page | Kind::Group => {
                        self.copy_bodies(&of_pack, &frame, (&going_set, &refused), &mut copying)?;
                    }
                    Kind::Records => {
                        for record in pack.records(frame.at).map_err(failed)?.into_iter().flatten() {
                            if self.is_hidden(&record)? {
                                continue;
                            }
                            let mut bytes = Vec::new();
                            record.put(&mut bytes)?;
                            if seen.insert(bytes) {
                                copying.builder.record(record);
                            }
                        }
                    }
                    Kind::PageTable | Kind::Directory | Kind::Other(_) => {}
                }
                if copying.builder.length() >= FULL {
                    let next = PackBuilder::new(Vec::new(), false)?;
                    let full = std::mem::replace(&mut copying.builder, next);
                    let finished = full.finish()?;
                    self.publish(&finished.name, &finished.out)?;
                    written.push(finished.name);
                }
            }
        }
        let builder = copying.builder;
        if builder.page_count() > 0 || builder.record_count() > 0 {
            let finished = builder.finish()?;
            self.publish(&finished.name, &finished.out)?;
            written.push(finished.name);
        }
        self.refresh()?;
        Ok(written)
    }

    /// Copies what is to be kept of a frame of bodies. The pair are the packs that go and the bodies that
    /// were taken out.
    fn copy_bodies(
        &self,
        of_pack: &PackBodies<'_>,
        frame: &Frame,
        (going, refused): (&HashSet<i64>, &FxHashSet<Hash>),
        copying: &mut Copying,
    ) -> Result<(), ArchiveError> {
        let failed = |error| self.failed(of_pack.id, error);
        let all = of_pack.hashes(frame).map_err(failed)?;
        let mut kept = Vec::with_capacity(all.len());
        // The prefix of a group lies elsewhere in the new pack.
        let mut stays = frame.prefix.is_none() && !frame.base.is_some_and(|base| refused.contains(&base));
        for hash in &all {
            if refused.contains(hash) && !self.is_wanted(hash)? {
                stays = false;
            } else if !copying.has(hash, frame.depth) && !self.has_other(hash, frame.depth, going)? {
                kept.push(*hash);
            }
        }
        if kept.is_empty() {
            return Ok(());
        }
        match self.read_all(&kept).map_err(failed)? {
            Some(bodies) if !stays || kept.len() < all.len() => {
                let bodies = kept.iter().zip(&bodies);
                let bodies: Vec<(Hash, &[u8])> =
                    bodies.map(|(hash, body)| (*hash, body.as_slice())).collect();
                copying.put_whole(&bodies)?;
            }
            // What shares a frame with a page that was taken out, or rests on one, and cannot be read, goes for
            // good. Some may be read from a copy that lies deeper.
            None if !stays => {
                for hash in &kept {
                    if let Ok(body) = self.body(hash) {
                        copying.put_whole(&[(*hash, body.as_slice())])?;
                    }
                }
            }
            // What cannot be read goes as a whole.
            _ => {
                let (frame, payload) = of_pack.pack.payload(frame.at).map_err(failed)?;
                copying.builder.copy(&frame, &all, frame.against(), &payload)?;
                copying.note(&all, frame.depth);
            }
        }
        Ok(())
    }

    /// Copies from packs made by `add` the pages that rest on one that was lost, unread, into a pack of
    /// their own; its name, if there are any. Nothing is removed.
    pub(crate) fn copy_lost(
        &self,
        _lock: &Maintenance,
        going: &HashSet<i64>,
    ) -> Result<Option<Hash>, ArchiveError> {
        let refused = self.refused()?;
        let mut copied: FxHashSet<Hash> = FxHashSet::default();
        let mut builder = PackBuilder::new(Vec::new(), false)?;
        let mut going: Vec<i64> = going.iter().copied().collect();
        going.sort_unstable();
        for id in going {
            let of_pack = self.pack_bodies(id)?;
            for piece in scan(&of_pack.pack) {
                let Piece::Frame(frame) = piece else { continue };
                let Some(base) = frame.base else { continue };
                let failed = |error| self.failed(id, error);
                let all = of_pack.hashes(&frame).map_err(failed)?;
                // A frame that cannot be read goes as a whole or not at all.
                let mut stays = !refused.contains(&base);
                let (mut any_lost, mut is_new) = (false, false);
                for hash in &all {
                    stays &= !refused.contains(hash) || self.is_wanted(hash)?;
                    any_lost |= self.is_lost(hash)?;
                    is_new |= !copied.contains(hash);
                }
                if stays && any_lost && is_new {
                    copied.extend(&all);
                    let (frame, payload) = of_pack.pack.payload(frame.at).map_err(failed)?;
                    builder.copy(&frame, &all, frame.against(), &payload)?;
                }
            }
        }
        if builder.page_count() == 0 {
            return Ok(None);
        }
        let finished = builder.finish()?;
        self.publish(&finished.name, &finished.out)?;
        self.refresh()?;
        Ok(Some(finished.name))
    }

    /// The bodies with these hashes, in their order: what cannot be read must not be moved. `None` if one of
    /// them was lost.
    fn read_all(&self, hashes: &[Hash]) -> Result<Option<Vec<Body>>, PackError> {
        let mut bodies = Vec::with_capacity(hashes.len());
        for hash in hashes {
            match self.body(hash) {
                Ok(body) => bodies.push(body),
                Err(_) if self.is_lost(hash).unwrap_or(false) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(bodies))
    }

    /// Whether a snapshot record speaks of a page that was taken out.
    pub(crate) fn is_hidden(&self, record: &Record) -> Result<bool, ArchiveError> {
        let Record::Snapshot(snapshot) = record else {
            return Ok(false);
        };
        let key = article_key(&snapshot.address);
        let catalog = held(&self.catalog);
        Ok(packs::is_forgotten(catalog.connection(), &key, &snapshot.body)?)
    }

    /// Whether a pack other than these holds a copy of a body at this depth or less deep.
    fn has_other(&self, hash: &Hash, depth: u32, going: &HashSet<i64>) -> Result<bool, ArchiveError> {
        let serves = |place: &PageRow| !going.contains(&place.pack) && place.depth <= depth;
        let others: Vec<PageRow> = self.places(hash)?.into_iter().filter(serves).collect();
        // It must be one indeed: prefixes can collide, and the other pack may be damaged.
        Ok(others
            .iter()
            .any(|place| self.copy_at(place, hash, super::Among::All, &mut 0).is_ok()))
    }
}

/// A pack that frames of others are copied into.
struct Copying {
    builder: PackBuilder<Vec<u8>>,
    /// The depth at which each body was copied, at least, into this pack or one before it.
    copied: FxHashMap<Hash, u32>,
}

impl Copying {
    /// Whether a body was copied at this depth or less deep.
    fn has(&self, hash: &Hash, depth: u32) -> bool {
        self.copied.get(hash).is_some_and(|&known| known <= depth)
    }

    fn note(&mut self, hashes: &[Hash], depth: u32) {
        for hash in hashes {
            let known = self.copied.entry(*hash).or_insert(depth);
            *known = depth.min(*known);
        }
    }

    /// Encodes bodies without a base, so that they lie no deeper than any copy.
    fn put_whole(&mut self, bodies: &[(Hash, &[u8])]) -> Result<(), PackError> {
        for frame in encode(bodies, None, LEVEL) {
            frame.put(&mut self.builder)?;
        }
        let hashes: Vec<Hash> = bodies.iter().map(|(hash, _)| *hash).collect();
        self.note(&hashes, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(id: i64, bytes: u64) -> PackRow {
        PackRow {
            id,
            name: crate::digest::blake3(&id.to_le_bytes()),
            bytes,
            pages: 1,
            records: 1,
            cold: false,
            damaged: false,
        }
    }

    #[test]
    fn only_a_pile_of_one_tier_is_merged() {
        let mut all: Vec<PackRow> = (0..7).map(|id| pack(id, 3000)).collect();
        all.push(pack(7, 100_000));
        assert!(piled_up(&all).is_empty());
        all.push(pack(8, 4000));
        assert_eq!(piled_up(&all).len(), 8);
        all[0].damaged = true;
        assert!(piled_up(&all).is_empty());
        all[0].damaged = false;
        all[1].records = MANY;
        assert!(piled_up(&all).is_empty(), "a pack of many records stays as it is");
    }

    #[test]
    fn ten_thousand_packs_become_few() {
        let mut all: Vec<PackRow> = Vec::new();
        let (mut copied, mut most) = (0, 0);
        for id in 0..10_000 {
            all.push(pack(id, 6000));
            loop {
                let pile = piled_up(&all);
                if pile.is_empty() {
                    break;
                }
                let total: u64 = pile.iter().map(|pack| pack.bytes).sum();
                copied += total;
                let ids: HashSet<i64> = pile.iter().map(|pack| pack.id).collect();
                all.retain(|pack| !ids.contains(&pack.id));
                all.push(pack(1_000_000 + id, total));
            }
            most = most.max(all.len());
        }
        assert!(most < 50, "{most} packs at a time");
        assert!(copied < 8 * 6000 * 10_000, "each byte is copied a few times only");
    }
}
