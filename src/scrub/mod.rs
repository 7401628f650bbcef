//! Reads the archive back and lists findings by code; repair.
//!
//! Never: stops at the first fault.
//!
//! [`Code`] are the codes, `packs` checks one pack, `blocks` the block part of the catalog against the
//! pages, [`repair`] puts right what can be put right.

mod blocks;
mod code;
mod packs;
mod recover;
mod repair;
mod salvage;
mod times;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

pub use code::Code;
pub use repair::{RepairEvent, RepairSummary, repair};

use crate::archive::{Archive, ArchiveError, layout};
use crate::catalog::{CatalogError, snapshots};
use crate::digest::Hash;
use crate::label::Reader;
use crate::page::Moment;

/// How far a scrub goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScrubOptions<'a> {
    /// Stop after this time, between two packs. At least one pack is checked.
    pub max_duration: Option<Duration>,
    /// Reads pages as they were read when they were added, to compute their content hashes anew; `None`
    /// leaves the block part of the catalog unchecked.
    pub reader: Option<&'a Reader>,
    /// When the run takes place, remembered with every pack it checks; `None` remembers nothing.
    pub now: Option<Moment>,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub code: Code,
    /// The pack it is in.
    pub pack: Option<Hash>,
    /// The article it touches: its key.
    pub article: Option<String>,
    /// The snapshot it touches.
    pub snapshot: Option<SnapshotName>,
    /// Whether the snapshot cannot be restored any more.
    pub lost: bool,
    /// What was found, in words, with the place.
    pub message: String,
}

/// A snapshot as a user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotName {
    /// Number in the catalog.
    pub id: i64,
    /// The address as given.
    pub address: String,
    /// When it was fetched, where known.
    pub moment: Option<Moment>,
}

impl std::fmt::Display for SnapshotName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.moment {
            Some(moment) => write!(out, "{}@{moment}", self.address),
            None => out.write_str(&self.address),
        }
    }
}

/// What a scrub tells while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScrubEvent {
    /// A fault.
    Finding(Finding),
    /// Bytes of packs read so far, and in all.
    Progress {
        /// Bytes of packs that are checked.
        done: u64,
        /// Bytes of all packs.
        total: u64,
    },
}

/// What a scrub found in all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScrubSummary {
    /// Packs in the archive.
    pub packs: u64,
    /// Packs checked by this run.
    pub packs_checked: u64,
    /// Their length in bytes.
    pub bytes_checked: u64,
    /// Bodies decoded and held against their hash.
    pub pages_checked: u64,
    /// Length of these bodies in bytes.
    pub raw_bytes: u64,
    /// Snapshots whose content hashes were computed anew.
    pub snapshots_compared: u64,
    /// Number of findings, by code.
    pub findings: BTreeMap<Code, u64>,
    /// Snapshots in the catalog.
    pub snapshots: u64,
    /// Snapshots that cannot be restored.
    pub snapshots_lost: u64,
    /// Revisions among them.
    pub revisions_lost: u64,
    /// Articles in the catalog.
    pub articles: u64,
    /// Articles of which some snapshot is lost and another is not.
    pub articles_hit: u64,
    /// Articles of which every snapshot is lost.
    pub articles_lost: u64,
    /// Whether every pack was checked.
    pub complete: bool,
}

impl ScrubSummary {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// The run of one scrub.
pub(crate) struct Run<'a> {
    archive: &'a Archive,
    reader: Option<&'a Reader>,
    observe: &'a mut dyn FnMut(ScrubEvent),
    summary: ScrubSummary,
    /// Numbers of snapshots that cannot be restored.
    lost: BTreeSet<i64>,
}

/// Checks an archive. Goes on after every fault; fails only where the archive cannot be read at all.
pub fn scrub(
    archive: &Archive,
    options: &ScrubOptions<'_>,
    observe: &mut dyn FnMut(ScrubEvent),
) -> Result<ScrubSummary, ArchiveError> {
    let started = Instant::now();
    let mut run = Run {
        archive,
        reader: options.reader,
        observe,
        summary: ScrubSummary::default(),
        lost: BTreeSet::new(),
    };
    run.stray_files()?;
    run.vanished_packs()?;
    run.catalog_itself();
    let packs = times::oldest_first(archive)?;
    let total = packs.iter().map(|pack| pack.bytes).sum();
    run.summary.packs = packs.len() as u64;
    run.summary.complete = true;
    for pack in packs {
        let spent = options.max_duration.is_some_and(|most| started.elapsed() >= most);
        if spent && run.summary.packs_checked > 0 {
            run.summary.complete = false;
            break;
        }
        run.pack(&pack)?;
        run.summary.packs_checked += 1;
        run.summary.bytes_checked += pack.bytes;
        if let Some(now) = options.now {
            times::remember(archive, &pack.name, now)?;
        }
        let done = run.summary.bytes_checked;
        (run.observe)(ScrubEvent::Progress { done, total });
    }
    run.forgotten()?;
    run.count_losses()?;
    Ok(run.summary)
}

impl Run<'_> {
    fn report(&mut self, finding: Finding) {
        *self.summary.findings.entry(finding.code).or_default() += 1;
        if let Some(snapshot) = finding.snapshot.as_ref().filter(|_| finding.lost) {
            self.lost.insert(snapshot.id);
        }
        (self.observe)(ScrubEvent::Finding(finding));
    }

    fn report_pack(&mut self, code: Code, pack: Option<Hash>, message: String) {
        self.report(Finding {
            code,
            pack,
            article: None,
            snapshot: None,
            lost: false,
            message,
        });
    }

    fn stray_files(&mut self) -> Result<(), ArchiveError> {
        for path in stray_files(self.archive)? {
            self.report_pack(Code::StrayFile, None, format!("{path} is no pack"));
        }
        Ok(())
    }

    /// Packs that were there when the catalog was last brought up to date.
    fn vanished_packs(&mut self) -> Result<(), ArchiveError> {
        for lost in self.archive.lost_packs()? {
            let message = format!(
                "{} is gone, and with it {} snapshots that no other pack holds; put it back from a copy, or let \
                 `repair` accept the loss",
                layout::pack_path(&lost.name),
                lost.snapshots,
            );
            self.report_pack(Code::PackMissing, Some(lost.name), message);
        }
        Ok(())
    }

    fn catalog_itself(&mut self) {
        let told: Result<Vec<String>, rusqlite::Error> = self.archive.with_catalog(|conn| {
            conn.prepare("PRAGMA quick_check(10)")?
                .query_map([], |row| row.get(0))?
                .collect()
        });
        let told: Vec<String> = match told {
            Ok(lines) => lines.into_iter().filter(|line| line != "ok").collect(),
            Err(error) => vec![error.to_string()],
        };
        for line in told {
            self.report_pack(Code::CatalogDamaged, None, format!("catalog.sqlite: {line}"));
        }
    }

    /// Pages that were taken out and are stored all the same.
    fn forgotten(&mut self) -> Result<(), ArchiveError> {
        let archive = self.archive;
        let bodies = archive.with_catalog(crate::catalog::packs::forgotten_bodies)?;
        for body in bodies {
            let wanted = archive.with_catalog(|conn| snapshots::has_body(conn, &body))?;
            let stored = !archive.places(&body)?.is_empty();
            if stored && !wanted {
                let message = format!(
                    "the body {body} was taken out and is still stored; `forget --finish` removes it"
                );
                self.report_pack(Code::BodyForgotten, None, message);
            }
        }
        Ok(())
    }

    fn count_losses(&mut self) -> Result<(), ArchiveError> {
        let (lost, summary) = (&self.lost, &mut self.summary);
        self.archive.with_catalog(|conn| {
            snapshots::for_each_history(conn, |snapshots| {
                let gone = || snapshots.iter().filter(|snapshot| lost.contains(&snapshot.id));
                let count = gone().count();
                summary.articles += 1;
                summary.snapshots += snapshots.len() as u64;
                summary.snapshots_lost += count as u64;
                summary.revisions_lost += gone().filter(|snapshot| snapshot.revision).count() as u64;
                if count == snapshots.len() && count > 0 {
                    summary.articles_lost += 1;
                } else if count > 0 {
                    summary.articles_hit += 1;
                }
            })
        })?;
        Ok(())
    }
}

/// Files in `packs/` that are no packs, or lie in the wrong directory.
fn stray_files(archive: &Archive) -> Result<Vec<String>, ArchiveError> {
    let disk = archive.disk();
    let list = |path: &str| disk.list(path).map_err(|error| ArchiveError::io(path, error));
    let mut stray = Vec::new();
    for entry in list(layout::PACKS)? {
        let path = format!("{}/{}", layout::PACKS, entry.name);
        if !entry.is_dir {
            stray.push(path);
            continue;
        }
        for file in list(&path)? {
            let in_place = layout::pack_name(&file.name).is_some_and(|name| layout::pack_dir(&name) == path);
            if !in_place {
                stray.push(format!("{path}/{}", file.name));
            }
        }
    }
    stray.sort_unstable();
    Ok(stray)
}

/// Article key and name of a snapshot, `None` if the catalog does not know it.
fn name_of(archive: &Archive, id: i64) -> Result<Option<(String, SnapshotName)>, CatalogError> {
    let known = archive.with_catalog(|conn| snapshots::bare(conn, id))?;
    Ok(known.map(|snapshot| {
        let name = SnapshotName {
            id,
            address: snapshot.address,
            moment: snapshot.moment,
        };
        (crate::page::article_key(&name.address), name)
    }))
}
