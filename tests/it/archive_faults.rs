//! Whatever the disk does at whatever moment: what was acknowledged is there, what is restored is right.
//!
//! The process dies at every operation; with `PRESSMARK_FAULTS=all` every kind of fault strikes at every
//! operation and every kind of crash follows, else every third.

use std::collections::BTreeSet;
use std::sync::Arc;

use pressmark::archive::{Archive, ArchiveError};
use pressmark::compact::{self, Options};
use pressmark::disk::{Crash, Fault, MemoryDisk};
use pressmark::page::{Moment, Page};

use crate::archive_store::{add, page, restored, sorted};

fn open(disk: &MemoryDisk) -> Result<Archive, ArchiveError> {
    Ok(Archive::create_or_open(Arc::new(disk.clone()))?.0)
}

fn everything() -> bool {
    std::env::var("PRESSMARK_FAULTS").is_ok_and(|value| value == "all")
}

/// An archive with two articles of two versions in two packs.
fn prepared() -> (MemoryDisk, Vec<Page>) {
    let disk = MemoryDisk::new();
    let pages: Vec<Page> = (0..2).flat_map(|v| (0..2).map(move |a| page(a, v))).collect();
    for part in pages.chunks(2) {
        add(&open(&disk).unwrap(), part).unwrap();
    }
    (disk, pages)
}

fn identities(pages: &[Page]) -> BTreeSet<(String, Option<Moment>)> {
    pages
        .iter()
        .map(|page| (page.address.clone(), page.moment))
        .collect()
}

/// Opens what is left after the crashes that may follow a fault and calls `check` with the pages found
/// there.
fn after_each_crash(disk: &MemoryDisk, fault: Fault, mut check: impl FnMut(&MemoryDisk, Vec<Page>)) {
    let crashes = match fault {
        _ if everything() => &[Crash::LoseUnsynced, Crash::LoseContent, Crash::KeepAll][..],
        Fault::Dead => &[Crash::LoseUnsynced, Crash::LoseContent],
        Fault::Error | Fault::Tear => &[Crash::KeepAll],
    };
    for &crash in crashes {
        let left = disk.after(crash);
        let archive = open(&left).unwrap();
        assert!(
            archive.packs().unwrap().iter().all(|pack| !pack.damaged),
            "{crash:?}"
        );
        check(&left, restored(&archive));
    }
}

/// Calls `run` on copies of `disk` with a fault at operation 0, 1, 2 ... until it no longer strikes.
fn at_every_operation(disk: &MemoryDisk, mut run: impl FnMut(&MemoryDisk, Fault)) {
    for fault in [Fault::Dead, Fault::Error, Fault::Tear] {
        let step = if everything() || fault == Fault::Dead {
            1
        } else {
            3
        };
        for at in (0..).step_by(step) {
            let copy = disk.after(Crash::KeepAll);
            copy.fail_at(at, fault);
            run(&copy, fault);
            if !copy.struck() {
                assert!(at > 10, "the fault must strike somewhere");
                break;
            }
        }
    }
}

#[test]
fn an_add_interrupted_anywhere_loses_nothing_acknowledged() {
    let (disk, old) = prepared();
    let new = [vec![page(0, 10), page(1, 10)], vec![page(0, 11), page(2, 0)]];
    at_every_operation(&disk, |disk, fault| {
        let mut acknowledged = old.clone();
        let mut possible = old.clone();
        for part in &new {
            possible.extend_from_slice(part);
            let done = open(disk).and_then(|archive| add(&archive, part));
            match done {
                Ok(_) => acknowledged.extend_from_slice(part),
                Err(_) => break,
            }
        }
        after_each_crash(disk, fault, |left, found| {
            let names = identities(&found);
            assert!(names.is_superset(&identities(&acknowledged)));
            assert!(names.is_subset(&identities(&possible)));
            assert!(found.iter().all(|page| possible.contains(page)));
            // What was interrupted can be done again.
            for part in &new {
                add(&open(left).unwrap(), part).unwrap();
            }
            assert_eq!(restored(&open(left).unwrap()).len(), old.len() + 4);
        });
    });
}

#[test]
fn a_compaction_interrupted_anywhere_loses_nothing() {
    let (disk, pages) = prepared();
    let options = Options {
        level: 3,
        group_bytes: 12_000,
        all: false,
    };
    at_every_operation(&disk, |disk, fault| {
        let _ = open(disk).and_then(|archive| compact::compact(&archive, options, &mut |_| true));
        after_each_crash(disk, fault, |left, found| {
            assert_eq!(found, sorted(pages.clone()));
            let archive = open(left).unwrap();
            compact::compact(&archive, options, &mut |_| true).unwrap();
            assert!(archive.packs().unwrap().iter().all(|pack| pack.cold));
            assert_eq!(restored(&open(left).unwrap()), sorted(pages.clone()));
        });
    });
}

#[test]
fn a_takedown_interrupted_anywhere_is_done_or_not_done() {
    let (disk, pages) = prepared();
    let kept: Vec<Page> = sorted(pages[1..].to_vec());
    at_every_operation(&disk, |disk, fault| {
        let done = open(disk).and_then(|archive| {
            let snapshots = archive.snapshots(&pages[0].address)?;
            compact::forget(&archive, &snapshots[..1], "asked for", Moment(1), &mut |_| ())
        });
        after_each_crash(disk, fault, |left, found| {
            assert!(
                found == kept || (done.is_err() && found == sorted(pages.clone())),
                "{fault:?}"
            );
            if found == kept {
                compact::finish(&open(left).unwrap(), &mut |_| ()).unwrap();
                assert_eq!(restored(&open(left).unwrap()), kept);
            }
        });
    });
}

#[test]
fn a_merge_interrupted_anywhere_loses_nothing() {
    let disk = MemoryDisk::new();
    let pages: Vec<Page> = (0..8).map(|version| page(version % 2, version)).collect();
    for one in &pages[..7] {
        add(&open(&disk).unwrap(), std::slice::from_ref(one)).unwrap();
    }
    at_every_operation(&disk, |disk, fault| {
        let added = open(disk).and_then(|archive| add(&archive, &pages[7..]));
        after_each_crash(disk, fault, |_, found| {
            let all = found == sorted(pages.clone());
            assert!(all || (added.is_err() && found == sorted(pages[..7].to_vec())));
        });
    });
}

/// Restores whatever can be restored from a disk; nothing of it may be wrong.
fn never_wrong(disk: &MemoryDisk, pages: &[Page], what: &str) {
    let archive = match open(disk) {
        Ok(archive) => archive,
        Err(error) => panic!("{what}: {error}"),
    };
    for snapshot in archive.all_snapshots().unwrap() {
        let Ok(found) = archive.restore(&snapshot) else {
            continue;
        };
        let original = pages
            .iter()
            .find(|page| page.address == found.address && page.moment == found.moment)
            .unwrap_or_else(|| panic!("{what}: {} was never added", found.address));
        assert_eq!(found.body, original.body, "{what}");
    }
}

#[test]
fn a_flipped_byte_or_a_cut_is_never_a_wrong_page() {
    for cold in [false, true] {
        let disk = MemoryDisk::new();
        let pages: Vec<Page> = (0..3).map(|version| page(1, version)).collect();
        add(&open(&disk).unwrap(), &pages).unwrap();
        if cold {
            let options = Options {
                group_bytes: 9000,
                ..Options::default()
            };
            compact::compact(&open(&disk).unwrap(), options, &mut |_| true).unwrap();
        }
        let files = disk.files();
        let (path, bytes) = files.iter().find(|(path, _)| path.starts_with("packs/")).unwrap();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            disk.put(path, flipped);
            never_wrong(&disk, &pages, &format!("byte {at} flipped, cold {cold}"));
            disk.put(path, bytes[..at].to_vec());
            never_wrong(&disk, &pages, &format!("cut at {at}, cold {cold}"));
        }
    }
}

#[test]
fn a_damaged_frame_costs_only_what_it_holds() {
    let disk = MemoryDisk::new();
    // Different articles of different sites: no page rests on another.
    let pages: Vec<Page> = (0..6)
        .map(|n| Page {
            address: format!("https://site-{n}.example/"),
            ..page(n, 1)
        })
        .collect();
    add(&open(&disk).unwrap(), &pages).unwrap();
    let files = disk.files();
    let (path, bytes) = files.iter().find(|(path, _)| path.starts_with("packs/")).unwrap();
    let frames: Vec<usize> = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == b"\xf5Pm\n")
        .map(|(at, _)| at)
        .collect();
    let mut damaged = bytes.clone();
    // The head of the third frame, and the payload of the fifth.
    damaged[frames[2] + 8] ^= 0xff;
    damaged[frames[4] + 300] ^= 0xff;
    disk.put(path, damaged);
    let archive = open(&disk).unwrap();
    assert!(archive.packs().unwrap()[0].damaged);
    let snapshots = archive.all_snapshots().unwrap();
    assert_eq!(snapshots.len(), 6, "all snapshots are still listed");
    let lost: Vec<bool> = snapshots
        .iter()
        .map(|snapshot| archive.restore(snapshot).is_err())
        .collect();
    assert_eq!(lost, [false, false, true, false, true, false]);
    // Adding the pages again heals the archive.
    let unmoved: Vec<Page> = pages
        .iter()
        .map(|page| Page {
            moment: page.moment.map(|moment| Moment(moment.0 + 1)),
            ..page.clone()
        })
        .collect();
    add(&archive, &unmoved).unwrap();
    let archive = open(&disk).unwrap();
    assert!(
        archive
            .all_snapshots()
            .unwrap()
            .iter()
            .all(|snapshot| archive.restore(snapshot).is_ok())
    );
}
