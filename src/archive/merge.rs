//! Tiny packs are merged by themselves when they pile up; frames are copied as they are.

use std::collections::HashSet;

use rustc_hash::FxHashSet;

use super::gather::encode;
use super::{Archive, ArchiveError, Maintenance, held};
use crate::catalog::CatalogError;
use crate::catalog::packs::{self, PackRow, PageRow};
use crate::digest::{Hash, blake3};
use crate::pack::frame::{Frame, Kind};
use crate::pack::scan::{Piece, scan};
use crate::pack::{Pack, PackBuilder, PackError, Record};
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

    /// Copies what packs made by `add` hold into new packs, frames as they are, but for what was taken
    /// out; pages that rest on such are stored whole. Nothing is removed. A page or record of which
    /// the other packs hold a copy as good is left out. A page that rests on one that was lost is copied
    /// unread: that one may be found again. The names of the new packs.
    pub(crate) fn copy_packs(&self, _lock: &Maintenance, going: &[i64]) -> Result<Vec<Hash>, ArchiveError> {
        let going_set: HashSet<i64> = going.iter().copied().collect();
        let refused = self.refused()?;
        let mut copied: FxHashSet<Hash> = FxHashSet::default();
        let mut seen: HashSet<Vec<u8>> = HashSet::new();
        let mut builder = PackBuilder::new(Vec::new(), false)?;
        let mut written = Vec::new();
        for &id in going {
            let name = held(&self.handles).names.get(&id).copied().unwrap_or_default();
            let failed = |error| ArchiveError::pack(&name, error);
            let pack = self.pack(id).map_err(failed)?;
            for piece in scan(&pack) {
                let frame = match piece {
                    Piece::Frame(frame) => frame,
                    Piece::Damage { why, .. } => return Err(failed(why)),
                };
                match frame.kind {
                    Kind::Page | Kind::Group => {
                        let all = self.hashes_in(id, &pack, &frame).map_err(failed)?;
                        let mut kept = Vec::with_capacity(all.len());
                        let mut any_forgotten = false;
                        for hash in &all {
                            let forgotten = refused.contains(hash) && !self.is_wanted(hash)?;
                            any_forgotten |= forgotten;
                            if !forgotten
                                && !self.has_other(hash, frame.depth, &going_set)?
                                && copied.insert(*hash)
                            {
                                kept.push(*hash);
                            }
                        }
                        // Also proves that the pages can be read: what cannot must not be moved.
                        let mut bodies = Some(Vec::with_capacity(kept.len()));
                        for hash in &kept {
                            match self.body(hash) {
                                Ok(body) => bodies.as_mut().map(|bodies| bodies.push((*hash, body))),
                                Err(error) if !self.is_lost(hash)? => return Err(failed(error)),
                                Err(_) => bodies.take().map(drop),
                            };
                        }
                        let is_refused = frame.base.is_some_and(|base| refused.contains(&base));
                        if kept.is_empty() {
                            continue;
                        }
                        let is_lost = bodies.is_none() && !any_forgotten;
                        if !is_refused && (kept.len() == all.len() || is_lost) {
                            copy_frame(&pack, &frame, &all, &mut builder).map_err(failed)?;
                            continue;
                        }
                        // What a lost page rests on goes for good, so that it never can be read again.
                        let Some(bodies) = bodies else { continue };
                        let bodies: Vec<(Hash, &[u8])> = bodies
                            .iter()
                            .map(|(hash, body)| (*hash, body.as_slice()))
                            .collect();
                        for frame in encode(&bodies, None, LEVEL) {
                            frame.put(&mut builder)?;
                        }
                    }
                    Kind::Records => {
                        for record in pack.records(frame.at).map_err(failed)?.into_iter().flatten() {
                            if self.is_hidden(&record)? {
                                continue;
                            }
                            let mut bytes = Vec::new();
                            record.put(&mut bytes)?;
                            if seen.insert(bytes) {
                                builder.record(record);
                            }
                        }
                    }
                    Kind::PageTable | Kind::Directory | Kind::Other(_) => {}
                }
                if builder.length() >= FULL {
                    let full = std::mem::replace(&mut builder, PackBuilder::new(Vec::new(), false)?);
                    let finished = full.finish()?;
                    self.publish(&finished.name, &finished.out)?;
                    written.push(finished.name);
                }
            }
        }
        if builder.page_count() > 0 || builder.record_count() > 0 {
            let finished = builder.finish()?;
            self.publish(&finished.name, &finished.out)?;
            written.push(finished.name);
        }
        self.refresh()?;
        Ok(written)
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
            let pack = self.pack(id).map_err(|error| self.failed(id, error))?;
            for piece in scan(&pack) {
                let Piece::Frame(frame) = piece else { continue };
                let Some(base) = frame.base else { continue };
                let failed = |error| self.failed(id, error);
                let all = self.hashes_in(id, &pack, &frame).map_err(failed)?;
                // A frame that cannot be read goes as a whole or not at all.
                let mut stays = !refused.contains(&base);
                let mut is_new = false;
                for hash in &all {
                    stays &= !refused.contains(hash) || self.is_wanted(hash)?;
                    stays &= self.is_lost(hash)?;
                    is_new |= !copied.contains(hash);
                }
                if stays && is_new {
                    copied.extend(&all);
                    copy_frame(&pack, &frame, &all, &mut builder).map_err(failed)?;
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

    /// The hashes of the bodies in a frame. Those of a group follow from its bytes; where what it rests on was
    /// lost they are those that the archive knows under the prefixes in the catalog.
    pub(crate) fn hashes_in(&self, id: i64, pack: &Pack, frame: &Frame) -> Result<Vec<Hash>, PackError> {
        if let (Kind::Page, Some(hash)) = (frame.kind, frame.body) {
            return Ok(vec![hash]);
        }
        let error = match self.group_content(id, pack, frame) {
            Ok(content) => return Ok(frame.bodies(&content).map(blake3).collect()),
            Err(error) => error,
        };
        let is_lost = |base| self.is_lost(base).unwrap_or(false);
        if !frame.base.as_ref().is_some_and(is_lost) {
            return Err(error);
        }
        let other = |error: CatalogError| PackError::Io(std::io::Error::other(error));
        let catalog = held(&self.catalog);
        let rows = packs::pages_of(catalog.connection(), id).map_err(other)?;
        let rows = rows.into_iter().filter(|(_, row)| row.at == frame.at);
        let prefixes: Vec<u64> = rows.map(|(prefix, _)| prefix).collect();
        let known = packs::bodies_by_prefix(catalog.connection(), &prefixes).map_err(other)?;
        Ok(prefixes
            .into_iter()
            .map(|prefix| known.get(&prefix).copied().unwrap_or(Hash::of_prefix(prefix)))
            .collect())
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

/// Copies a frame as it is, unread but for its check.
fn copy_frame(
    pack: &Pack,
    frame: &Frame,
    hashes: &[Hash],
    builder: &mut PackBuilder<Vec<u8>>,
) -> Result<(), PackError> {
    let (frame, payload) = pack.payload(frame.at)?;
    if let (Kind::Page, Some(hash)) = (frame.kind, frame.body) {
        let base = frame.base.as_ref().map(|base| (base, frame.depth));
        builder.page(&hash, frame.raw, base, frame.codec, &payload)?;
    } else {
        let bodies: Vec<(Hash, u32)> = hashes
            .iter()
            .copied()
            .zip(frame.lengths.iter().copied())
            .collect();
        builder.group(&bodies, frame.against(), &payload)?;
    }
    Ok(())
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
