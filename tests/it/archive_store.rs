//! Pages in, the same bytes out: over restarts, compaction, takedown and merged archives.

use std::sync::Arc;

use pressmark::archive::{Archive, ArchiveError, Planned, WriterOptions};
use pressmark::block::Block;
use pressmark::catalog::blocks::{Outline, OutlineBlock};
use pressmark::compact::{self, Options};
use pressmark::digest::{Hash, blake3};
use pressmark::disk::{Disk, LocalDisk, MemoryDisk};
use pressmark::page::{Moment, Page};
use proptest::prelude::*;

use crate::command::pressmark_with_input;

/// A self-written page: `version` changes a few words of article `article`.
pub fn page(article: u64, version: u64) -> Page {
    let mut body =
        format!("<!doctype html><title>Report {article}</title><body><h1>Harbour report {article}</h1>\n");
    for paragraph in 0..30 {
        let edit = if paragraph == version % 30 { version } else { 0 };
        let line = format!(
            "<p>Paragraph {paragraph} of article {article}: the ferry carried {} people, {} crates and {} dogs to the \
             island before the fog came in; 항구 소식 {edit}.</p>\n",
            paragraph * 7 + article,
            paragraph * 31 + edit,
            paragraph % 5,
        );
        body.push_str(&line);
    }
    Page {
        address: format!("https://harbour.example/report/{article}"),
        moment: Some(Moment(
            1_700_000_000_000_000_000 + version.cast_signed() * 60_000_000_000,
        )),
        status: Some(200),
        headers: vec![("Content-Type".into(), "text/html; charset=utf-8".into())],
        body: body.into_bytes(),
        ..Page::default()
    }
}

/// Adds pages, planned together, in one commit; how many were new.
pub fn add(archive: &Archive, pages: &[Page]) -> Result<usize, ArchiveError> {
    let mut writer = archive.writer(WriterOptions::default())?;
    let mut new = 0;
    let together = pages.iter().map(|page| (page.clone().into(), None)).collect();
    for planned in writer.plan_together(together) {
        if let Planned::Job(job) = planned? {
            writer.append(job.encode())?;
            new += 1;
        }
    }
    writer.commit()?;
    Ok(new)
}

/// Every snapshot, restored, in the order of addresses and moments.
pub fn restored(archive: &Archive) -> Vec<Page> {
    let snapshots = archive.all_snapshots().unwrap();
    snapshots
        .iter()
        .map(|snapshot| archive.restore(snapshot).unwrap())
        .collect()
}

/// Pages in the order in which `restored` gives them.
pub fn sorted(mut pages: Vec<Page>) -> Vec<Page> {
    pages.sort_by(|one, other| (&one.address, one.moment).cmp(&(&other.address, other.moment)));
    pages
}

pub fn open(disk: &MemoryDisk) -> Archive {
    Archive::create_or_open(Arc::new(disk.clone())).unwrap().0
}

fn never(_: compact::Progress) {}

#[test]
fn pages_come_back_and_adding_them_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(LocalDisk::new(dir.path().join("a.pressmark")));
    let pages: Vec<Page> = (0..40).flat_map(|v| (0..3).map(move |a| page(a, v))).collect();
    let (archive, created) = Archive::create_or_open(disk.clone()).unwrap();
    assert!(created);
    assert_eq!(add(&archive, &pages).unwrap(), 120);
    assert_eq!(add(&archive, &pages).unwrap(), 0);
    let (archive, created) = Archive::create_or_open(disk.clone()).unwrap();
    assert!(!created);
    assert_eq!(add(&archive, &pages).unwrap(), 0);
    assert_eq!(restored(&archive), sorted(pages.clone()));
    let stats = archive.stats().unwrap();
    assert_eq!(
        (stats.articles, stats.snapshots, stats.revisions, stats.packs),
        (3, 120, 120, 1)
    );
    assert!(stats.ratio() > 10.0, "{stats:?}");
    drop(archive);
    std::fs::remove_file(dir.path().join("a.pressmark/catalog.sqlite")).unwrap();
    assert_eq!(restored(&Archive::open(disk).unwrap()), sorted(pages));
}

#[test]
fn pages_asked_for_together_come_in_the_order_asked_for() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let mut pages: Vec<Page> = (0..20).flat_map(|v| (0..5).map(move |a| page(a, v))).collect();
    // Large enough that not all can be read ahead.
    for article in 5..9 {
        let mut large = page(article, 0);
        large.body = large.body.repeat(20_000_000 / large.body.len());
        pages.push(large);
    }
    add(&archive, &pages).unwrap();
    let quick = Options {
        level: 1,
        ..Options::default()
    };
    for _ in 0..2 {
        let mut asked = archive.all_snapshots().unwrap();
        asked.sort_by_key(|snapshot| snapshot.body);
        asked.push(asked[7].clone());
        let mut got: Vec<(Hash, Page)> = Vec::new();
        archive
            .restore_each(&asked, &mut |snapshot, page| {
                got.push((snapshot.body, page));
                Ok::<(), ArchiveError>(())
            })
            .unwrap();
        let bodies: Vec<Hash> = asked.iter().map(|snapshot| snapshot.body).collect();
        assert_eq!(got.iter().map(|(body, _)| *body).collect::<Vec<_>>(), bodies);
        assert!(got.iter().all(|(body, page)| blake3(&page.body) == *body));
        compact::compact(&archive, quick, &mut |_| true).unwrap();
    }
}

/// While a pack is on its way to the disk the next is built: pages may rest on it, and on pages that were
/// planned before it was sealed and are appended after.
#[test]
fn the_next_pack_is_built_while_one_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(LocalDisk::new(dir.path().join("a.pressmark")));
    let (archive, _) = Archive::create_or_open(disk.clone()).unwrap();
    // Without a cache, so that every base is read from where it lies.
    let options = WriterOptions {
        base_cache: 0,
        ..WriterOptions::default()
    };
    let mut writer = archive.writer(options).unwrap();
    let mut committer = archive.committer();
    let mut pages = Vec::new();
    for round in 0..4 {
        let versions = round * 5..round * 5 + 5;
        let mut jobs: Vec<_> = versions
            .map(|version| {
                pages.push(page(1, version));
                match writer.plan(page(1, version), None).unwrap() {
                    Planned::Job(job) => job,
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        let late = jobs.split_off(3);
        for job in jobs {
            writer.append(job.encode()).unwrap();
        }
        let sealed = writer.seal().unwrap().unwrap();
        assert!(
            matches!(writer.seal(), Err(ArchiveError::OutOfOrder)),
            "one at a time"
        );
        for known in &pages {
            assert!(matches!(
                writer.plan(known.clone(), None).unwrap(),
                Planned::Known
            ));
        }
        let committed = committer
            .commit(&sealed, &mut |hash| writer.remembered(hash))
            .unwrap();
        for job in late {
            writer.append(job.encode()).unwrap();
        }
        let commit = writer.settle(sealed, committed);
        assert!(!commit.catalog_behind);
        assert_eq!(commit.pages, if round == 0 { 3 } else { 5 });
        for known in &pages {
            assert!(matches!(
                writer.plan(known.clone(), None).unwrap(),
                Planned::Known
            ));
        }
    }
    assert_eq!(writer.commit().unwrap().unwrap().pages, 2);
    assert!(writer.commit().unwrap().is_none());
    drop(writer);
    assert_eq!(restored(&archive), sorted(pages.clone()));
    assert!(
        archive.stats().unwrap().ratio() > 5.0,
        "pages rest on each other across packs"
    );
    assert_eq!(restored(&Archive::open(disk).unwrap()), sorted(pages));
}

/// The catalog has forgotten the base before the commit looks for it: it is still in memory.
#[test]
fn a_base_taken_out_before_the_commit_is_taken_from_memory() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let mut writer = archive.writer(WriterOptions::default()).unwrap();
    for version in 0..2 {
        writer.commit().unwrap();
        let Planned::Job(job) = writer.plan(page(1, version), None).unwrap() else {
            panic!("it is new");
        };
        writer.append(job.encode()).unwrap();
    }
    let base = archive.snapshots(&page(1, 0).address).unwrap().remove(0);
    let other = open(&disk);
    compact::forget(
        &other,
        std::slice::from_ref(&base),
        "asked to",
        Moment(0),
        &mut never,
    )
    .unwrap();
    assert!(
        archive.restore(&base).is_err(),
        "this brings the catalog up to date"
    );
    assert_eq!(writer.commit().unwrap().unwrap().pages, 1);
    drop(writer);
    assert_eq!(restored(&archive), [page(1, 1)]);
}

#[test]
fn what_was_parsed_is_in_the_catalog_after_the_commit() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let mut writer = archive.writer(WriterOptions::default()).unwrap();
    for version in 0..3 {
        let outline = Outline {
            text_hash: Hash([u8::from(version > 0); 32]),
            ..Outline::default()
        };
        if let Planned::Job(job) = writer.plan(page(1, version), Some(outline)).unwrap() {
            writer.append(job.encode()).unwrap();
        }
    }
    assert!(!writer.commit().unwrap().unwrap().catalog_behind);
    drop(writer);
    assert_eq!(archive.unindexed().unwrap(), 0);
    let revisions: Vec<bool> = archive
        .snapshots(&page(1, 0).address)
        .unwrap()
        .iter()
        .map(|snapshot| snapshot.revision)
        .collect();
    assert_eq!(revisions, [true, true, false]);
    let mut reopened = open(&disk);
    assert_eq!(
        reopened.unindexed().unwrap(),
        3,
        "the block part is not in the packs"
    );
    let mut parsed = 0;
    let parse = &mut |_: &Page| {
        parsed += 1;
        Outline::default()
    };
    assert_eq!(reopened.reindex(parse, &mut |_, _| ()).unwrap(), 3);
    assert_eq!((parsed, reopened.unindexed().unwrap()), (3, 0));
}

#[test]
fn a_damaged_catalog_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(LocalDisk::new(dir.path()));
    let pages: Vec<Page> = (0..5).map(|v| page(1, v)).collect();
    let (archive, _) = Archive::create_or_open(disk.clone()).unwrap();
    add(&archive, &pages).unwrap();
    drop(archive);
    let catalog = dir.path().join("catalog.sqlite");
    let whole = std::fs::read(&catalog).unwrap();
    for length in [0, 1, 100, 4096, whole.len() / 2] {
        let _ = std::fs::remove_file(dir.path().join("catalog.sqlite-wal"));
        std::fs::write(&catalog, &whole[..length]).unwrap();
        assert_eq!(
            restored(&Archive::open(disk.clone()).unwrap()),
            sorted(pages.clone()),
            "cut at {length}"
        );
    }
    let _ = std::fs::remove_file(dir.path().join("catalog.sqlite-wal"));
    std::fs::write(
        &catalog,
        b"this is no database, but it is longer than a header of one".repeat(100),
    )
    .unwrap();
    assert_eq!(restored(&Archive::open(disk).unwrap()), sorted(pages));
}

#[test]
fn a_catalog_that_cannot_be_written_is_held_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(LocalDisk::new(dir.path()));
    std::fs::create_dir(dir.path().join("catalog.sqlite")).unwrap();
    let pages: Vec<Page> = (0..5).map(|v| page(1, v)).collect();
    let (archive, _) = Archive::create_or_open(disk.clone()).unwrap();
    assert_eq!(add(&archive, &pages).unwrap(), 5);
    assert_eq!(restored(&Archive::open(disk).unwrap()), sorted(pages));
}

#[test]
fn same_bytes_later_are_a_record_without_a_blob() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let first = page(1, 0);
    let mut later = first.clone();
    later.moment = Some(Moment(first.moment.unwrap().0 + 1));
    let mut unmoved = first.clone();
    unmoved.moment = None;
    assert_eq!(
        add(&archive, &[first.clone(), later.clone(), unmoved]).unwrap(),
        2
    );
    let snapshots = archive.snapshots(&first.address).unwrap();
    assert_eq!(snapshots.len(), 2);
    assert!(snapshots[0].revision && !snapshots[1].revision);
    assert_eq!(archive.packs().unwrap()[0].pages, 1);
}

#[test]
fn a_page_of_which_too_much_is_said_costs_no_other_page() {
    let folder = tempfile::tempdir().unwrap();
    let line = |n: u32, note: &str| {
        format!("{{\"url\":\"https://a.example/{n}\",\"html\":\"<p>{n}\",\"note\":\"{note}\"}}\n")
    };
    let lines = [
        line(1, "short"),
        line(2, &"long ".repeat(4 << 20)),
        line(3, "short"),
    ];
    let run = pressmark_with_input(folder.path(), &["add", "--json", "-"], lines.concat().as_bytes());
    let run = run.expect_code(1);
    assert!(run.err.contains("line 2"), "{}", run.err);
    let summary = run.json().pop().unwrap();
    assert_eq!((&summary["new"], &summary["skipped"]), (&2.into(), &1.into()));
}

#[test]
fn a_page_of_which_too_many_things_are_said_costs_no_other_page() {
    // Commas in a key, and commas that are escaped: no value of the line has many parts.
    let notes = [
        format!("\"{}\":1", ",".repeat(5 << 20)),
        format!("\"note\":\"{}\"", "\\u002c".repeat(5 << 20)),
    ];
    for note in notes {
        let folder = tempfile::tempdir().unwrap();
        let line = |n: u32, note: &str| {
            format!("{{\"url\":\"https://a.example/{n}\",\"html\":\"<p>{n}\",{note}}}\n")
        };
        let lines = [line(1, "\"note\":1"), line(2, &note), line(3, "\"note\":1")];
        let run = pressmark_with_input(folder.path(), &["add", "-"], lines.concat().as_bytes());
        let run = run.expect_code(1);
        assert!(run.err.contains("line 2"), "{}", run.err);
        for n in [1, 3] {
            let address = format!("https://a.example/{n}");
            pressmark_with_input(folder.path(), &["cat", &address], b"").expect_code(0);
        }
        pressmark_with_input(folder.path(), &["scrub"], b"").expect_code(0);
    }
}

#[test]
fn pages_of_very_many_blocks_fill_a_pack_soon() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let mut writer = archive.writer(WriterOptions::default()).unwrap();
    // One list for all of them: what is counted is what it would be.
    let outline = Outline {
        blocks: vec![OutlineBlock::of(&Block::default()); 1 << 18].into(),
        ..Outline::default()
    };
    let mut pages = 0;
    while !writer.is_full() {
        let Planned::Job(job) = writer.plan(page(pages, 1), Some(outline.clone())).unwrap() else {
            panic!("it is new");
        };
        writer.append(job.encode()).unwrap();
        pages += 1;
        assert!(pages <= 8, "half a gigabyte is held for the catalog");
    }
}

#[test]
fn other_statuses_are_kept_but_are_no_revisions() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let mut gone = page(1, 7);
    gone.status = Some(404);
    let pages = [page(1, 1), gone, page(1, 20)];
    assert_eq!(add(&archive, &pages).unwrap(), 3);
    let revisions: Vec<bool> = archive
        .snapshots(&pages[0].address)
        .unwrap()
        .iter()
        .map(|s| s.revision)
        .collect();
    assert_eq!(revisions, [true, false, true]);
    assert_eq!(restored(&archive), sorted(pages.to_vec()));
}

#[test]
fn interleaved_articles_cost_hardly_more_than_one_at_a_time() {
    let (together, apart) = (MemoryDisk::new(), MemoryDisk::new());
    let by_time: Vec<Page> = (0..30).flat_map(|v| (0..20).map(move |a| page(a, v))).collect();
    let by_article: Vec<Page> = (0..20).flat_map(|a| (0..30).map(move |v| page(a, v))).collect();
    add(&open(&together), &by_time).unwrap();
    add(&open(&apart), &by_article).unwrap();
    let size = |disk: &MemoryDisk| open(disk).stats().unwrap().stored_bytes as f64;
    // Heads of frames count in pages so small: what is interleaved has one for every article.
    assert!(
        size(&together) < size(&apart) * 1.1,
        "{} {}",
        size(&together),
        size(&apart)
    );
}

#[test]
fn one_page_per_process_ends_with_few_packs() {
    let disk = MemoryDisk::new();
    let mut pages = Vec::new();
    for version in 0..200 {
        pages.push(page(version % 3, version));
        assert_eq!(add(&open(&disk), &pages[pages.len() - 1..]).unwrap(), 1);
    }
    let archive = open(&disk);
    assert_eq!(restored(&archive), sorted(pages));
    let stats = archive.stats().unwrap();
    assert!(stats.packs < 20, "{stats:?}");
}

#[test]
fn packs_of_two_archives_make_one() {
    let (one, other) = (MemoryDisk::new(), MemoryDisk::new());
    let left: Vec<Page> = (0..20).map(|v| page(1, v)).collect();
    let right: Vec<Page> = (10..30).map(|v| page(1, v)).rev().collect();
    add(&open(&one), &left).unwrap();
    add(&open(&other), &right).unwrap();
    for (path, bytes) in other.files() {
        one.put(&path, bytes);
    }
    let archive = open(&one);
    let all: Vec<Page> = (0..30).map(|v| page(1, v)).collect();
    assert_eq!(restored(&archive), sorted(all.clone()));
    compact::compact(&archive, Options::default(), &mut |_| true).unwrap();
    assert_eq!(restored(&open(&one)), sorted(all));
}

#[test]
fn records_that_differ_in_their_headers_alone_are_all_kept() {
    let (one, other) = (MemoryDisk::new(), MemoryDisk::new());
    let first = page(1, 1);
    let mut second = first.clone();
    second.headers.push(("Server".into(), "mirror".into()));
    add(&open(&one), &[first.clone(), page(1, 2)]).unwrap();
    add(&open(&other), &[second, page(1, 3)]).unwrap();
    for (path, bytes) in other.files() {
        one.put(&path, bytes);
    }
    let archive = open(&one);
    let quick = Options {
        level: 3,
        ..Options::default()
    };
    compact::compact(&archive, quick, &mut |_| true).unwrap();
    assert!(archive.packs().unwrap().iter().all(|pack| pack.cold));
    assert_eq!(archive.packs().unwrap()[0].records, 4);
    // Takedown of another page writes the compacted pack anew, and so does a record that comes back.
    let taken = archive.snapshots(&first.address).unwrap().remove(1);
    let taken = std::slice::from_ref(&taken);
    compact::forget(&archive, taken, "asked for", Moment(5), &mut never).unwrap();
    for (path, bytes) in other.files() {
        one.put(&path, bytes);
    }
    let archive = open(&one);
    compact::compact(&archive, quick, &mut |_| true).unwrap();
    assert!(archive.packs().unwrap().iter().all(|pack| pack.cold));
    assert_eq!(restored(&archive).len(), 2);
}

#[test]
fn compaction_keeps_every_page_and_makes_it_smaller() {
    let disk = MemoryDisk::new();
    let mut pages: Vec<Page> = (0..60).flat_map(|v| (0..4).map(move |a| page(a, v))).collect();
    let archive = open(&disk);
    for part in pages.chunks(50) {
        add(&archive, part).unwrap();
    }
    let ids: Vec<i64> = archive.all_snapshots().unwrap().iter().map(|s| s.id).collect();
    let before = archive.stats().unwrap();
    // Small groups, so that there are several, with a prefix.
    let options = Options {
        group_bytes: 60_000,
        ..Options::default()
    };
    let mut calls = 0;
    let summary = compact::compact(&archive, options, &mut |_| {
        calls += 1;
        true
    })
    .unwrap();
    assert_eq!(summary.pages, 240);
    assert!(calls >= 240);
    let free: i64 = archive.with_catalog(|conn| {
        conn.pragma_query_value(None, "freelist_count", |row| row.get(0))
            .unwrap()
    });
    assert_eq!(free, 0, "the catalog gives back what it no longer needs");
    let after = archive.stats().unwrap();
    assert!(after.stored_bytes < before.stored_bytes, "{before:?} {after:?}");
    assert_eq!(after.packs, 1);
    assert_eq!(
        archive
            .all_snapshots()
            .unwrap()
            .iter()
            .map(|s| s.id)
            .collect::<Vec<_>>(),
        ids
    );
    assert_eq!(restored(&archive), sorted(pages.clone()));
    let later: Vec<Page> = (60..70).map(|v| page(1, v)).collect();
    add(&archive, &later).unwrap();
    pages.extend(later);
    assert_eq!(restored(&open(&disk)), sorted(pages.clone()));
    assert_eq!(
        compact::compact(&archive, options, &mut |_| true)
            .unwrap()
            .packs_before,
        1
    );
    assert_eq!(restored(&open(&disk)), sorted(pages));
    assert_eq!(
        compact::compact(&archive, options, &mut |_| true)
            .unwrap()
            .packs_before,
        0,
        "nothing is left to do"
    );
}

#[test]
fn pages_that_are_large_alone_do_not_make_one_giant_pack() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    // What cannot be compressed: 70 pages of as many sites, more than a pack takes.
    let large = |n: u64| {
        let mut state = n + 1;
        let words = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state ^ (state >> 29)).to_le_bytes()
        });
        Page {
            address: format!("https://site-{n}.example/"),
            body: words.take(1 << 17).flatten().collect(),
            ..page(n, 1)
        }
    };
    for part in 0..7 {
        let pages: Vec<Page> = (part * 10..part * 10 + 10).map(large).collect();
        assert_eq!(add(&archive, &pages).unwrap(), 10);
    }
    let options = Options {
        level: 1,
        group_bytes: 1 << 20,
        all: false,
    };
    let summary = compact::compact(&archive, options, &mut |_| true).unwrap();
    assert_eq!((summary.pages, summary.packs_after), (70, 2));
    let all = archive.all_snapshots().unwrap();
    assert!(all.iter().all(|snapshot| archive.restore(snapshot).is_ok()));
}

#[test]
fn a_stopped_compaction_goes_on_where_it_was() {
    let disk = MemoryDisk::new();
    let pages: Vec<Page> = (0..40).flat_map(|v| (0..6).map(move |a| page(a, v))).collect();
    let archive = open(&disk);
    add(&archive, &pages).unwrap();
    let options = Options {
        group_bytes: 60_000,
        ..Options::default()
    };
    let mut left = 100;
    let summary = compact::compact(&archive, options, &mut |_| {
        left -= 1;
        left > 0
    })
    .unwrap();
    assert!(summary.stopped);
    assert_eq!(restored(&open(&disk)), sorted(pages.clone()));
    let archive = open(&disk);
    let rest = compact::compact(&archive, options, &mut |_| true).unwrap();
    assert!(rest.pages < 170, "{rest:?}");
    assert_eq!(restored(&open(&disk)), sorted(pages));
    assert!(archive.packs().unwrap().iter().all(|pack| pack.cold));
}

#[test]
fn what_is_forgotten_stays_forgotten() {
    for cold in [false, true] {
        let disk = MemoryDisk::new();
        let archive = open(&disk);
        let pages: Vec<Page> = (0..40).map(|v| page(1, v)).collect();
        add(&archive, &pages).unwrap();
        let old_files = disk.files();
        if cold {
            compact::compact(&archive, Options::default(), &mut |_| true).unwrap();
        }
        // The first version is the base or the prefix of many.
        let snapshots = archive.snapshots(&pages[0].address).unwrap();
        let taken = [snapshots[0].clone(), snapshots[16].clone()];
        let done = compact::forget(&archive, &taken, "court order 7", Moment(5), &mut never).unwrap();
        assert_eq!((done.snapshots, done.bodies), (2, 2));
        let mut left = pages.clone();
        left.remove(16);
        left.remove(0);
        assert_eq!(restored(&archive), sorted(left.clone()));
        for (path, _) in disk.files() {
            assert!(
                !old_files.contains_key(&path) || !path.starts_with("packs"),
                "{path} still holds the bytes"
            );
        }
        assert_eq!(
            add(&archive, &pages).unwrap(),
            0,
            "what was taken out is not taken again"
        );
        // Old packs copied back in do not undo it, and the bytes go again.
        for (path, bytes) in &old_files {
            disk.put(path, bytes.clone());
        }
        let archive = open(&disk);
        assert_eq!(restored(&archive), sorted(left.clone()));
        assert!(compact::finish(&archive, &mut never).unwrap() > 0);
        assert!(disk.files().keys().all(|path| !old_files.contains_key(path)));
        assert_eq!(restored(&open(&disk)), sorted(left.clone()));
        compact::compact(
            &archive,
            Options {
                all: true,
                ..Options::default()
            },
            &mut |_| true,
        )
        .unwrap();
        let archive = open(&disk);
        assert_eq!(restored(&archive), sorted(left));
        assert_eq!(add(&archive, &pages).unwrap(), 0, "tombstones survive compaction");
    }
}

#[test]
fn a_read_only_archive_is_read_and_not_written() {
    let disk = MemoryDisk::new();
    let pages: Vec<Page> = (0..3).map(|v| page(1, v)).collect();
    add(&open(&disk), &pages).unwrap();
    disk.set_read_only(true);
    let archive = Archive::open(Arc::new(disk)).unwrap();
    assert_eq!(restored(&archive), sorted(pages));
    assert!(matches!(
        archive.writer(WriterOptions::default()),
        Err(ArchiveError::ReadOnly)
    ));
    assert!(matches!(
        compact::compact(&archive, Options::default(), &mut |_| true),
        Err(ArchiveError::ReadOnly)
    ));
}

#[test]
fn a_pack_retired_under_a_reader_is_found_elsewhere() {
    let disk = MemoryDisk::new();
    let pages: Vec<Page> = (0..10).map(|v| page(1, v)).collect();
    add(&open(&disk), &pages).unwrap();
    let reader = open(&disk);
    compact::compact(&open(&disk), Options::default(), &mut |_| true).unwrap();
    assert_eq!(restored(&reader), sorted(pages.clone()));
    // The same where both share a catalog, and the other one has told it already.
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(LocalDisk::new(dir.path()));
    let reader = Archive::create_or_open(disk.clone()).unwrap().0;
    add(&reader, &pages[..9]).unwrap();
    for _ in 0..3 {
        let other = Archive::open(disk.clone()).unwrap();
        let options = Options {
            all: true,
            ..Options::default()
        };
        compact::compact(&other, options, &mut |_| true).unwrap();
        assert_eq!(restored(&reader), sorted(pages[..9].to_vec()));
    }
    assert_eq!(add(&reader, &pages).unwrap(), 1);
    assert_eq!(restored(&reader), sorted(pages));
}

#[test]
fn a_writer_stopped_while_others_compact_and_merge_loses_nothing() {
    let disk = MemoryDisk::new();
    let old: Vec<Page> = (0..4).map(|v| page(1, v)).collect();
    add(&open(&disk), &old).unwrap();
    let stopped = open(&disk);
    let mut writer = stopped.writer(WriterOptions::default()).unwrap();
    let new: Vec<Page> = (4..8).map(|v| page(1, v)).collect();
    let mut encoded = Vec::new();
    for page in &new {
        let Planned::Job(job) = writer.plan(page.clone(), None).unwrap() else {
            panic!()
        };
        encoded.push(job.encode());
    }
    // Meanwhile the packs it read its bases from are replaced, twice, and many tiny ones come.
    compact::compact(&open(&disk), Options::default(), &mut |_| true).unwrap();
    let others: Vec<Page> = (0..10).map(|v| page(2, v)).collect();
    for page in &others {
        add(&open(&disk), std::slice::from_ref(page)).unwrap();
    }
    let everything = Options {
        all: true,
        ..Options::default()
    };
    compact::compact(&open(&disk), everything, &mut |_| true).unwrap();
    for page in encoded {
        writer.append(page).unwrap();
    }
    writer.commit().unwrap().unwrap();
    drop(writer);
    let all = [old, new, others].concat();
    assert_eq!(restored(&stopped), sorted(all.clone()));
    assert_eq!(restored(&open(&disk)), sorted(all));
}

#[test]
fn a_writer_whose_bases_are_taken_out_stores_whole_pages() {
    let disk = MemoryDisk::new();
    let first = page(1, 0);
    add(&open(&disk), std::slice::from_ref(&first)).unwrap();
    let slow = open(&disk);
    let mut writer = slow.writer(WriterOptions::default()).unwrap();
    let Planned::Job(job) = writer.plan(page(1, 1), None).unwrap() else {
        panic!()
    };
    writer.append(job.encode()).unwrap();
    let other = open(&disk);
    let snapshots = other.snapshots(&first.address).unwrap();
    compact::forget(&other, &snapshots, "asked for", Moment(5), &mut never).unwrap();
    writer.commit().unwrap().unwrap();
    drop(writer);
    assert_eq!(restored(&open(&disk)), [page(1, 1)]);
    assert!(compact::finish(&open(&disk), &mut never).is_ok());
    assert_eq!(restored(&open(&disk)), [page(1, 1)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_bytes_come_back(
        bodies in prop::collection::vec((0_u8..3, any::<Option<i32>>(), prop::collection::vec(any::<u8>(), 0..3000), any::<Option<u16>>()), 1..30),
        chunk in 1_usize..10,
        compacted in any::<bool>(),
    ) {
        let disk = MemoryDisk::new();
        let mut kept: Vec<Page> = Vec::new();
        for part in bodies.chunks(chunk) {
            let archive = open(&disk);
            for (article, moment, body, status) in part {
                let new = Page {
                    address: format!("http://Any.example/{article}"),
                    moment: moment.map(|moment| Moment(i64::from(moment))),
                    status: *status,
                    body: body.clone(),
                    ..Page::default()
                };
                if add(&archive, std::slice::from_ref(&new)).unwrap() == 1 {
                    kept.push(new);
                }
            }
            if compacted {
                compact::compact(&archive, Options { level: 3, ..Options::default() }, &mut |_| true).unwrap();
            }
        }
        let key = |page: &Page| (page.address.clone(), page.moment, page.body.clone(), page.status);
        let mut found: Vec<_> = restored(&open(&disk)).iter().map(key).collect();
        let mut expected: Vec<_> = kept.iter().map(key).collect();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}
