//! What another process does to a local archive while a pack is being built: it takes pages out, it holds
//! the catalog.

use std::path::Path;
use std::sync::Arc;

use pressmark::archive::{Archive, ArchiveError, Planned, Snapshot, Writer, WriterOptions};
use pressmark::catalog::blocks::Outline;
use pressmark::compact;
use pressmark::digest::Hash;
use pressmark::disk::LocalDisk;
use pressmark::page::{Moment, Page};
use pressmark::scrub::{self, ScrubEvent, ScrubOptions};

use crate::archive_store::{page, restored, sorted};

/// Larger than what a cache of bodies takes: such a page is read from packs each time.
const LARGE: usize = 17 << 20;

fn open(folder: &Path) -> Archive {
    Archive::create_or_open(Arc::new(LocalDisk::new(folder)))
        .unwrap()
        .0
}

fn large(version: u64) -> Page {
    let mut page = page(1, version);
    page.body.resize(LARGE, b' ');
    page
}

/// Nothing is remembered but what the packs hold.
fn writer(archive: &Archive) -> Writer<'_> {
    let options = WriterOptions {
        base_cache: 0,
        ..WriterOptions::default()
    };
    archive.writer(options).unwrap()
}

#[track_caller]
fn put(writer: &mut Writer<'_>, page: Page) {
    let Planned::Job(job) = writer.plan(page, None).unwrap() else {
        panic!("it is new");
    };
    writer.append(job.encode()).unwrap();
}

/// One page in a pack of its own.
#[track_caller]
fn add(archive: &Archive, page: Page) {
    let mut writer = writer(archive);
    put(&mut writer, page);
    writer.commit().unwrap();
}

fn forget(folder: &Path, address: &str) -> Snapshot {
    let other = open(folder);
    let snapshot = other.snapshots(address).unwrap().remove(0);
    let all = std::slice::from_ref(&snapshot);
    compact::forget(&other, all, "asked to", Moment(0), &mut |_| ()).unwrap();
    assert!(other.restore(&snapshot).is_err());
    snapshot
}

#[test]
fn a_base_that_is_taken_out_is_read_from_the_pack_that_is_kept_open() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path());
    add(&archive, large(1));
    let mut second = writer(&archive);
    put(&mut second, large(2));
    forget(folder.path(), &large(1).address);
    let commit = second.commit().unwrap().unwrap();
    assert_eq!(commit.pages, 1);
    drop(second);
    assert_eq!(restored(&archive), [large(2)]);
    assert_eq!(restored(&open(folder.path())), [large(2)]);
}

#[test]
fn a_body_that_is_taken_out_while_a_record_of_it_is_on_its_way_is_stored_again() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path());
    let elsewhere = |page: Page| Page {
        address: "https://harbour.example/mirror".into(),
        ..page
    };
    for taken in [large(3), page(1, 4)] {
        add(&archive, taken.clone());
        let mut second = writer(&archive);
        put(&mut second, elsewhere(taken.clone()));
        let gone = forget(folder.path(), &taken.address);
        second.commit().unwrap();
        drop(second);
        for archive in [&archive, &open(folder.path())] {
            assert!(archive.snapshots(&taken.address).unwrap().is_empty());
            let kept = archive.snapshots("https://harbour.example/mirror").unwrap();
            let newest = kept.iter().find(|snapshot| snapshot.body == gone.body).unwrap();
            assert_eq!(archive.restore(newest).unwrap(), elsewhere(taken.clone()));
        }
    }
}

#[test]
fn a_page_whose_base_is_nowhere_is_not_taken_for_known() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path());
    for version in [1, 2] {
        add(&archive, page(1, version));
    }
    // As after a crash between the publishing of a pack and that of its replacement.
    let base = archive.snapshots(&page(1, 1).address).unwrap().remove(0);
    archive
        .with_catalog(|catalog| {
            catalog.execute(
                "DELETE FROM pages WHERE prefix = ?1",
                [base.body.prefix().cast_signed()],
            )
        })
        .unwrap();
    let mut again = writer(&archive);
    put(&mut again, page(1, 2));
    assert!(matches!(again.plan(page(1, 2), None).unwrap(), Planned::Known));
    again.commit().unwrap();
    drop(again);
    let newest = archive.newest(&page(1, 2).address).unwrap().unwrap();
    assert_eq!(archive.restore(&newest).unwrap(), page(1, 2));
    assert_eq!(archive.snapshots(&page(1, 2).address).unwrap().len(), 2);
}

#[test]
fn commits_go_on_while_another_process_holds_the_catalog() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path());
    let mut writer = writer(&archive);
    put(&mut writer, large(1));
    writer.commit().unwrap();
    let holder = rusqlite::Connection::open(folder.path().join("catalog.sqlite")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    for version in [2, 3] {
        put(&mut writer, large(version));
        assert!(writer.commit().unwrap().unwrap().catalog_behind);
    }
    holder.execute_batch("ROLLBACK").unwrap();
    put(&mut writer, large(4));
    assert!(!writer.commit().unwrap().unwrap().catalog_behind);
    drop(writer);
    let all: Vec<Page> = (1..=4).map(large).collect();
    assert_eq!(restored(&archive), sorted(all));
}

#[test]
fn a_takedown_beside_a_held_catalog_does_not_pass_for_done() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path());
    add(&archive, page(1, 1));
    let all = archive.snapshots(&page(1, 1).address).unwrap();
    let holder = rusqlite::Connection::open(folder.path().join("catalog.sqlite")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let done = compact::forget(&archive, &all, "asked to", Moment(0), &mut |_| ());
    assert!(matches!(done, Err(ArchiveError::Unfinished)), "{done:?}");
    let done = compact::finish(&archive, &mut |_| ());
    assert!(done.is_err(), "{done:?}");
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(compact::finish(&archive, &mut |_| ()).unwrap(), 1);
    let stats = archive.stats().unwrap();
    assert_eq!((stats.snapshots, stats.tombstones, stats.packs), (0, 1, 1));
}

/// What `scrub` finds in the packs.
fn found(folder: &Path) -> Vec<&'static str> {
    let summary = scrub::scrub(&open(folder), &ScrubOptions::default(), &mut |_| ()).unwrap();
    summary.findings.keys().map(|code| code.as_str()).collect()
}

#[test]
fn a_page_that_is_taken_out_while_it_is_on_its_way_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path());
    let mut slow = writer(&archive);
    put(&mut slow, page(1, 1));
    put(&mut slow, page(2, 1));
    // Meanwhile another process adds the page and takes it out.
    let other = open(folder.path());
    add(&other, page(1, 1));
    forget(folder.path(), &page(1, 1).address);
    slow.commit().unwrap();
    drop(slow);
    assert_eq!(restored(&open(folder.path())), [page(2, 1)]);
    assert!(found(folder.path()).is_empty(), "{:?}", found(folder.path()));
}

#[test]
fn blocks_read_by_another_attribute_than_that_of_the_catalog_are_left_to_be_built() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path());
    add(&archive, page(2, 1));
    archive.declare_attribute("contents-hash").unwrap();
    let mut slow = writer(&archive);
    let planned = slow.plan(page(1, 1), Some(Outline::default())).unwrap();
    let Planned::Job(job) = planned else {
        panic!("it is new");
    };
    slow.append(job.encode()).unwrap();
    // Meanwhile another process builds the catalog from another attribute.
    let mut other = open(folder.path());
    other.clear_blocks().unwrap();
    other.declare_attribute("data-hash").unwrap();
    let built = other.reindex(&mut |_: &Page| Outline::default(), &mut |_, _| ());
    assert_eq!(built.unwrap(), 1);
    slow.commit().unwrap();
    drop(slow);
    assert_eq!(open(folder.path()).unindexed().unwrap(), 1);
}

#[test]
fn a_pack_that_rests_on_what_was_taken_out_goes_when_it_was_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path());
    add(&archive, page(1, 1));
    let mut second = writer(&archive);
    put(&mut second, page(1, 2));
    forget(folder.path(), &page(1, 1).address);
    second.commit().unwrap();
    drop(second);
    assert_eq!(restored(&open(folder.path())), [page(1, 2)]);
    assert!(found(folder.path()).is_empty(), "{:?}", found(folder.path()));
}

#[test]
fn the_blocks_of_a_page_that_is_taken_out_while_it_is_read_are_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = open(folder.path());
    add(&archive, page(1, 1));
    add(&archive, page(2, 1));
    let taken = page(2, 1).address;
    let built = archive.reindex(
        &mut |read: &Page| {
            if read.address == taken {
                forget(folder.path(), &taken);
            }
            Outline::default()
        },
        &mut |_, _| (),
    );
    assert_eq!(built.unwrap(), 1);
    let left: Result<i64, _> = archive.with_catalog(|conn| {
        let without = "SELECT count(*) FROM outlines WHERE snapshot NOT IN (SELECT id FROM snapshots)";
        conn.query_row(without, [], |row| row.get(0))
    });
    assert_eq!(left.unwrap(), 0);
}

#[test]
fn packs_that_are_merged_during_a_scrub_are_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = |n: u64| Page {
        address: format!("https://site-{n}.example/"),
        ..page(n, 1)
    };
    let tiny: Vec<Page> = [page(1, 1)].into_iter().chain((2..8).map(elsewhere)).collect();
    for one in tiny {
        let archive = open(folder.path());
        let mut writer = writer(&archive);
        put(&mut writer, one);
        writer.commit().unwrap();
    }
    // A pack too large to be merged with those holds a page that rests on the first.
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[1]
    });
    let ballast = Page {
        body: noise.take(60_000).collect(),
        ..elsewhere(9)
    };
    {
        let archive = open(folder.path());
        let mut writer = writer(&archive);
        put(&mut writer, page(1, 2));
        put(&mut writer, ballast);
        writer.commit().unwrap();
    }
    let archive = open(folder.path());
    let packs = archive.packs().unwrap();
    assert_eq!(packs.len(), 8);
    let large = packs.iter().max_by_key(|pack| pack.bytes).unwrap();
    archive
        .with_catalog(|catalog| {
            let last = format!("scrubbed {}", large.name);
            catalog.execute("INSERT INTO meta (key, value) VALUES (?1, '1')", [last])
        })
        .unwrap();
    let mut merged = false;
    let summary = scrub::scrub(&archive, &ScrubOptions::default(), &mut |event| {
        if matches!(event, ScrubEvent::Progress { .. }) && !merged {
            merged = true;
            let other = open(folder.path());
            let mut writer = writer(&other);
            put(&mut writer, elsewhere(10));
            writer.commit().unwrap();
        }
    })
    .unwrap();
    assert_eq!(open(folder.path()).packs().unwrap().len(), 2);
    assert!(summary.is_clean(), "{:?}", summary.findings);
}

#[test]
fn nothing_of_a_page_that_was_taken_out_stays_in_the_catalog() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(folder.path());
    let mark = *b"the hash of what the article says";
    let mark: [u8; 32] = mark[..32].try_into().unwrap();
    let mut writer = writer(&archive);
    for version in 1..9 {
        let text_hash = Hash(if version == 1 { mark } else { [7; 32] });
        let outline = Outline {
            text_hash,
            ..Outline::default()
        };
        let Planned::Job(job) = writer.plan(page(1, version), Some(outline)).unwrap() else {
            panic!("it is new");
        };
        writer.append(job.encode()).unwrap();
    }
    writer.commit().unwrap();
    drop(writer);
    forget(folder.path(), &page(1, 1).address);
    drop(archive);
    for entry in walkdir::WalkDir::new(folder.path()) {
        let path = entry.unwrap().into_path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = memchr::memmem::find(&bytes, &mark);
            assert_eq!(found, None, "{}", path.display());
        }
    }
}
