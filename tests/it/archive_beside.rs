//! What another process does to a local archive while a pack is being built: it takes pages out, it holds
//! the catalog.

use std::path::Path;
use std::sync::Arc;

use pressmark::archive::{Archive, Planned, Snapshot, Writer, WriterOptions};
use pressmark::compact;
use pressmark::disk::LocalDisk;
use pressmark::page::{Moment, Page};

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
    let mut first = writer(&archive);
    put(&mut first, large(1));
    first.commit().unwrap();
    drop(first);
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
        let mut first = writer(&archive);
        put(&mut first, taken.clone());
        first.commit().unwrap();
        drop(first);
        let mut second = writer(&archive);
        put(&mut second, elsewhere(taken.clone()));
        let gone = forget(folder.path(), &taken.address);
        second.commit().unwrap();
        drop(second);
        for archive in [&archive, &open(folder.path())] {
            assert!(archive.restore(&gone).is_err());
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
        let mut writer = writer(&archive);
        put(&mut writer, page(1, version));
        writer.commit().unwrap();
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
    // The second of these rests on a body of a pack that the catalog has not heard of.
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
