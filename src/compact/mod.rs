//! Small packs into large ones, best order, best ratio; takedown.
//!
//! Never: deletes what was not read back from its copy.
//!
//! `series` puts the bodies in order, `cold` writes them into packs of large frames, `forget` takes
//! pages out. Old packs go only through `Archive::retire`, the one function that removes packs.

mod cold;
mod forget;
mod series;

use std::collections::HashSet;

use crate::archive::{Archive, ArchiveError, Maintenance};
use crate::catalog::packs::PackRow;

pub use forget::{Forgotten, finish, forget, kept_aside};

/// How `compact` works.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// zstd level of the frames.
    pub level: i32,
    /// Bytes of page bodies in one frame.
    pub group_bytes: usize,
    /// Also write the packs anew that were compacted before.
    pub all: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: 19,
            group_bytes: 16 << 20,
            all: false,
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes of page bodies written.
    pub done: u64,
    /// Bytes of page bodies to write.
    pub total: u64,
    /// Bytes stored for what is written.
    pub stored: u64,
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Packs written anew.
    pub packs_before: u64,
    /// Their bytes.
    pub bytes_before: u64,
    /// Packs made of them.
    pub packs_after: u64,
    /// Their bytes.
    pub bytes_after: u64,
    /// Bodies in them.
    pub pages: u64,
    /// Bodies that cannot be read because what they rest on was lost: they wait as they are in a pack of
    /// their own until that is found again.
    pub lost: u64,
    /// Whether the caller stopped the run: what was done stays, the next run goes on from there.
    pub stopped: bool,
}

/// So many compacted packs of like size are written anew together with what is new.
const PILE: usize = 8;

/// Writes packs made by `add` anew in large frames, and removes the old ones when every page was
/// read back. `progress` returns whether to go on. Nothing happens while another process maintains
/// the archive.
pub fn compact(
    archive: &Archive,
    options: Options,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Summary, ArchiveError> {
    let lock = archive.maintain()?.ok_or(ArchiveError::Locked)?;
    archive.clear_tmp(&lock)?;
    archive.refresh()?;
    let going = choose(&archive.packs()?, options.all);
    rewrite(archive, &lock, &going, options, progress)
}

/// Writes these packs anew and removes them.
fn rewrite(
    archive: &Archive,
    lock: &Maintenance,
    going: &[PackRow],
    options: Options,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Summary, ArchiveError> {
    let mut summary = Summary {
        packs_before: going.len() as u64,
        bytes_before: going.iter().map(|pack| pack.bytes).sum(),
        ..Summary::default()
    };
    if going.is_empty() {
        return Ok(summary);
    }
    let ids: HashSet<i64> = going.iter().map(|pack| pack.id).collect();
    let mut written = cold::write(archive, &ids, options, progress, &mut summary)?;
    if !summary.stopped {
        if summary.lost > 0 {
            written.extend(archive.copy_lost(lock, &ids)?);
        }
        let ids: Vec<i64> = going.iter().map(|pack| pack.id).collect();
        archive.retire(lock, &ids, &written)?;
        archive.shrink_catalog();
    }
    Ok(summary)
}

/// The packs that are worth writing anew: all that `add` made, and compacted ones of one size where
/// many have piled up. What is damaged is left to `repair`.
fn choose(all: &[PackRow], everything: bool) -> Vec<PackRow> {
    let whole = || all.iter().filter(|pack| !pack.damaged);
    let mut going: Vec<PackRow> = whole().filter(|pack| !pack.cold).cloned().collect();
    let tier = |pack: &PackRow| pack.bytes.max(1).ilog2() / 3;
    let tiers: HashSet<u32> = whole().filter(|pack| pack.cold).map(tier).collect();
    for wanted in tiers {
        let cold = whole().filter(|pack| pack.cold && tier(pack) == wanted);
        let pile: Vec<PackRow> = cold.cloned().collect();
        if everything || pile.len() >= PILE && pile[0].bytes < cold::FULL / 2 {
            going.extend(pile);
        }
    }
    going
}
