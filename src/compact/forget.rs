//! Takedown: a tombstone first, then the bytes.

use std::collections::{HashMap, HashSet};

use super::{Options, Progress, Summary};
use crate::archive::{Archive, ArchiveError, Maintenance, Snapshot};
use crate::digest::Hash;
use crate::pack::{Record, Tombstone};
use crate::page::{Moment, article_key};

/// What a takedown did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Snapshots that are gone.
    pub snapshots: u64,
    /// Different bodies whose bytes are gone: those that no other snapshot has.
    pub bodies: u64,
    /// Packs that were written anew.
    pub packs: u64,
}

/// Rounds after which a takedown gives up because other processes add pages that rest on what goes.
const MAX_ROUNDS: usize = 16;

/// Takes snapshots out for ever: hidden and refused at once, their bytes gone when this returns.
/// `moment` is when it was asked for. If it is interrupted after the tombstones were written, calling
/// [`finish`] or forgetting anything again removes the rest.
pub fn forget(
    archive: &Archive,
    snapshots: &[Snapshot],
    reason: &str,
    moment: Moment,
    progress: &mut dyn FnMut(Progress),
) -> Result<Forgotten, ArchiveError> {
    let lock = archive.maintain()?.ok_or(ArchiveError::Locked)?;
    archive.catch_up(None)?;
    let before = archive.snapshot_count()?;
    let bodies: HashSet<Hash> = snapshots.iter().map(|snapshot| snapshot.body).collect();
    let stones = snapshots.iter().map(|snapshot| {
        Record::Tombstone(Tombstone {
            key: article_key(&snapshot.address),
            body: snapshot.body,
            reason: reason.to_owned(),
            moment: Some(moment),
        })
    });
    archive.publish_records(stones.collect())?;
    archive.drop_decoded();
    let mut done = Forgotten {
        snapshots: before - archive.snapshot_count()?,
        ..Forgotten::default()
    };
    for body in &bodies {
        done.bodies += u64::from(!archive.is_wanted(body)?);
    }
    done.packs = remove_bytes(archive, &lock, progress)?;
    Ok(done)
}

/// Removes the bytes of everything that a tombstone stands for and that is still in some pack: what
/// an interrupted takedown left, or what came back with a copied pack. How many packs were written
/// anew.
pub fn finish(archive: &Archive, progress: &mut dyn FnMut(Progress)) -> Result<u64, ArchiveError> {
    let lock = archive.maintain()?.ok_or(ArchiveError::Locked)?;
    // A tombstone that the catalog has not heard of would be passed over.
    archive.catch_up(None)?;
    remove_bytes(archive, &lock, progress)
}

/// Files in `quarantine/` in which a `repair` kept what was taken out, or may have kept it. Nothing there is
/// ever removed, so whoever asked for the takedown must be told.
pub fn kept_aside(archive: &Archive) -> Result<Vec<String>, ArchiveError> {
    Ok(archive.put_aside_with(&archive.forgotten_and_unwanted()?))
}

fn remove_bytes(
    archive: &Archive,
    lock: &Maintenance,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, ArchiveError> {
    let mut known: HashMap<i64, bool> = HashMap::new();
    let mut written = 0;
    for _ in 0..MAX_ROUNDS {
        let (hot, cold) = holding(archive, &mut known)?;
        let both: Vec<i64> = hot.iter().chain(&cold).copied().collect();
        if both.is_empty() {
            archive.clear_tmp(lock)?;
            archive.tidy_catalog()?;
            archive.drop_decoded();
            // A writer that committed meanwhile could not take out what it had on its way: the lock is ours.
            archive.refresh()?;
            let (hot, cold) = holding(archive, &mut known)?;
            if hot.is_empty() && cold.is_empty() {
                return Ok(written);
            }
            continue;
        }
        let mut new = archive.copy_packs(lock, &hot)?;
        if !cold.is_empty() {
            let going = cold.iter().copied().collect();
            let mut on = |state| {
                progress(state);
                true
            };
            let summary = &mut Summary::default();
            new.extend(super::cold::write(
                archive,
                &going,
                Options::default(),
                &mut on,
                summary,
            )?);
        }
        match archive.retire(lock, &both, &new) {
            // A page that another process added meanwhile rests on what goes: it is next.
            Err(ArchiveError::NotReadBack { .. }) if !holding(archive, &mut known)?.0.is_empty() => {}
            other => {
                other?;
                written += both.len() as u64;
            }
        }
    }
    Err(ArchiveError::Locked)
}

/// The packs that hold something that was taken out, or rest on it: those made by `add`, and those
/// made by `compact`. Packs never change, so each is looked into once.
fn holding(archive: &Archive, known: &mut HashMap<i64, bool>) -> Result<(Vec<i64>, Vec<i64>), ArchiveError> {
    let gone = archive.forgotten_and_unwanted()?;
    let mut hot = Vec::new();
    let mut cold = Vec::new();
    for pack in archive.packs()? {
        let holds = match known.get(&pack.id) {
            Some(holds) => *holds,
            None => archive.holds_forgotten(pack.id, &gone)?,
        };
        known.insert(pack.id, holds);
        if holds {
            let list = if pack.cold { &mut cold } else { &mut hot };
            list.push(pack.id);
        }
    }
    Ok((hot, cold))
}
