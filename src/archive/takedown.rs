//! What tombstones stand for, and which packs still hold it.

use rustc_hash::FxHashSet;

use super::{Archive, ArchiveError, held};
use crate::catalog::packs;
use crate::digest::Hash;
use crate::pack::Record;
use crate::pack::frame::Kind;
use crate::pack::scan::{Piece, scan};

impl Archive {
    /// Bodies that were taken out under any address: none of them becomes a base.
    pub(crate) fn refused(&self) -> Result<FxHashSet<Hash>, ArchiveError> {
        let bodies = packs::forgotten_bodies(held(&self.catalog).connection())?;
        Ok(bodies.into_iter().collect())
    }

    /// Bodies that were taken out and that no other snapshot has: their bytes must go.
    pub(crate) fn forgotten_and_unwanted(&self) -> Result<FxHashSet<Hash>, ArchiveError> {
        let mut gone = FxHashSet::default();
        for body in self.refused()? {
            if !self.is_wanted(&body)? {
                gone.insert(body);
            }
        }
        Ok(gone)
    }

    /// Whether a pack holds one of these bodies, a page that rests on one, or the record of a snapshot
    /// that was taken out. Parts that cannot be read are not looked into.
    pub(crate) fn holds_forgotten(&self, id: i64, gone: &FxHashSet<Hash>) -> Result<bool, ArchiveError> {
        let prefixes: FxHashSet<u64> = gone.iter().map(Hash::prefix).collect();
        let rows = packs::pages_of(held(&self.catalog).connection(), id)?;
        let is_gone = |prefix: &u64| prefixes.contains(prefix);
        if rows
            .iter()
            .any(|(prefix, row)| is_gone(prefix) || row.base.as_ref().is_some_and(is_gone))
        {
            return Ok(true);
        }
        let Ok(pack) = self.pack(id) else { return Ok(false) };
        for piece in scan(&pack) {
            let Piece::Frame(frame) = piece else { continue };
            if frame.kind != Kind::Records {
                continue;
            }
            for record in pack.records(frame.at).unwrap_or_default().into_iter().flatten() {
                if self.is_hidden(&record)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The tombstones in these packs.
    pub(crate) fn tombstone_records(
        &self,
        going: &std::collections::HashSet<i64>,
    ) -> Result<Vec<Record>, ArchiveError> {
        let mut stones: Vec<Record> = Vec::new();
        for (id, at) in packs::tombstone_frames(held(&self.catalog).connection())? {
            if !going.contains(&id) {
                continue;
            }
            let read = self.pack(id).and_then(|pack| pack.records(at));
            let records = read.map_err(|error| self.failed(id, error))?;
            for record in records.into_iter().flatten() {
                if matches!(record, Record::Tombstone(_)) && !stones.contains(&record) {
                    stones.push(record);
                }
            }
        }
        Ok(stones)
    }
}
