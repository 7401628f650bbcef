//! Packs are replaced while another process lists them, one directory after the other.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pressmark::archive::{Archive, Snapshot};
use pressmark::compact::{self, Options};
use pressmark::digest::Hash;
use pressmark::disk::{Disk, Entry, Lock, MemoryDisk, ReadAt, WriteFile};
use pressmark::page::Page;

use crate::archive_store::{add, open, page, restored, sorted};

/// A disk on which, once it is armed, a compaction runs just before a directory of packs is listed.
#[derive(Debug)]
struct Restless {
    disk: MemoryDisk,
    armed: AtomicBool,
}

impl Disk for Restless {
    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>> {
        self.disk.open(path)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        self.disk.create(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn list(&self, dir: &str) -> io::Result<Vec<Entry>> {
        if dir.starts_with("packs/") && self.armed.swap(false, Ordering::SeqCst) {
            compact::compact(&open(&self.disk), Options::default(), &mut |_| true).unwrap();
        }
        self.disk.list(dir)
    }

    fn create_dir(&self, dir: &str) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn Lock>>> {
        self.disk.try_lock(path)
    }

    fn is_read_only(&self) -> bool {
        self.disk.is_read_only()
    }

    fn local_root(&self) -> Option<&Path> {
        self.disk.local_root()
    }
}

#[test]
fn a_pack_replaced_while_packs_are_listed_costs_no_snapshot() {
    let disk = MemoryDisk::new();
    let pages: Vec<Page> = (0..5).map(|version| page(1, version)).collect();
    add(&open(&disk), &pages).unwrap();
    let restless = Arc::new(Restless {
        disk,
        armed: AtomicBool::new(false),
    });
    let archive = Archive::open(restless.clone()).unwrap();
    let nowhere = Snapshot {
        body: Hash([9; 32]),
        ..archive.all_snapshots().unwrap().remove(0)
    };
    restless.armed.store(true, Ordering::SeqCst);
    assert!(archive.restore(&nowhere).is_err(), "it looks for packs once more");
    assert!(!restless.armed.load(Ordering::SeqCst));
    assert_eq!(restored(&archive), sorted(pages));
}
