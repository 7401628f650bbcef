//! What tombstones stand for, and which packs still hold it.

use rustc_hash::FxHashSet;

use super::{Archive, ArchiveError, held, layout};
use crate::catalog::packs;
use crate::digest::Hash;
use crate::pack::frame::Kind;
use crate::pack::scan::{Piece, scan};
use crate::pack::{Pack, PackError, Record};
use crate::page::article_key;

impl Archive {
    /// Whether a snapshot of the article this address belongs to was taken out.
    pub fn is_taken_out(&self, address: &str) -> Result<bool, ArchiveError> {
        let key = article_key(address);
        Ok(packs::has_tombstone(held(&self.catalog).connection(), &key)?)
    }

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

    /// Files in `quarantine/` that hold one of these bodies, or that cannot be read far enough to tell.
    pub(crate) fn put_aside_with(&self, gone: &FxHashSet<Hash>) -> Vec<String> {
        let prefixes: FxHashSet<u64> = gone.iter().map(Hash::prefix).collect();
        let texts: FxHashSet<String> = gone
            .iter()
            .map(|body| format!("recovered-{body}.ndjson"))
            .collect();
        let mut found = Vec::new();
        for entry in self.disk.list(layout::QUARANTINE).unwrap_or_default() {
            let path = format!("{}/{}", layout::QUARANTINE, entry.name);
            let holds = if entry.name.contains(".pack") && !entry.is_dir && !gone.is_empty() {
                // The takedown itself is done: what cannot be opened does not make it fail.
                let opened = self.disk.open(&path).map_err(PackError::from);
                let pack = opened.and_then(Pack::open_damaged);
                pack.map_or(true, |pack| may_hold(&pack, &prefixes))
            } else {
                texts.contains(&entry.name)
            };
            if holds {
                found.push(path);
            }
        }
        found.sort_unstable();
        found
    }

    /// Writes packs anew, by their names, that were published with something that was taken out while it was
    /// on its way: no takedown could see it there. Whether it was done; not while another process
    /// maintains the archive.
    pub(super) fn take_out_of(&self, names: &[Hash]) -> Result<bool, ArchiveError> {
        let Some(lock) = self.maintain()? else {
            return Ok(false);
        };
        self.catch_up(None)?;
        let gone = self.forgotten_and_unwanted()?;
        let mut going = Vec::new();
        for pack in self.packs()? {
            if names.contains(&pack.name) && self.holds_forgotten(pack.id, &gone)? {
                going.push(pack.id);
            }
        }
        if going.is_empty() {
            return Ok(true);
        }
        // A pack that was written again because of its bases has nothing that the second does not have.
        match self.retire(&lock, &going, &[]) {
            Err(ArchiveError::NotReadBack { .. }) => {
                let written = self.copy_packs(&lock, &going)?;
                self.retire(&lock, &going, &written)?;
            }
            done => done?,
        }
        self.drop_decoded();
        Ok(true)
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

/// Whether a damaged pack holds a body with one of these prefixes. Its page table names every body; without
/// that, what cannot be read may be one of them.
fn may_hold(pack: &Pack, prefixes: &FxHashSet<u64>) -> bool {
    let table = pack
        .directory()
        .and_then(|directory| pack.page_table(directory.page_table_at));
    let is_tabled = table
        .as_ref()
        .is_ok_and(|rows| rows.iter().any(|row| prefixes.contains(&row.prefix)));
    is_tabled
        || scan(pack).any(|piece| match piece {
            Piece::Frame(frame) => {
                let named = [frame.body, frame.base].into_iter().flatten();
                (frame.kind == Kind::Group && table.is_err())
                    || named.into_iter().any(|hash| prefixes.contains(&hash.prefix()))
            }
            Piece::Damage { .. } => table.is_err(),
        })
}
