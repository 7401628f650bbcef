//! Damaged archives, one for every code of `docs/checks.md`, and archives that must be refused.
//!
//! `archive/damaged/<code>-<what>/` is an archive without a catalog. Where the fault comes after the
//! archive was opened, `then.txt` tells it, one step a line: `sql STATEMENT` on the catalog, `directory
//! PATH` puts a directory in the place of a file, `remove PATH` removes it and opens the archive again, `replace PATH FILE` puts a file of the specimen there.
//! Specimens are only ever added: `cargo test --test it make_specimens -- --ignored` writes those that
//! are missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pressmark::archive::{Archive, ArchiveError, Planned, WriterOptions, layout};
use pressmark::catalog::blocks::Outline;
use pressmark::digest::{Hash, blake3};
use pressmark::disk::{Disk, LocalDisk, MemoryDisk};
use pressmark::label::{Reader, Rules, article_hash};
use pressmark::pack::codec::{compress, compress_group};
use pressmark::pack::frame::Kind;
use pressmark::pack::scan::{Piece, scan};
use pressmark::pack::{Against, Frame, Pack, PackBuilder, Record, SnapshotRecord, Tombstone};
use pressmark::page::Page;
use pressmark::scrub::{Code, Finding, RepairEvent, ScrubEvent, ScrubOptions, ScrubSummary, repair, scrub};

use crate::command::{pressmark, repository};

const ADDRESS: &str = "https://www.corrinlantern.example/harbour/ferry-inquiry-report";

fn reader() -> Reader {
    Reader::new(Rules::builtin(), "contents-hash")
}

/// Page `n` of the sample article with three revisions.
fn page(n: u32) -> Page {
    Page {
        address: ADDRESS.to_owned(),
        moment: format!("2026-02-17T1{n}:00:00Z").parse().ok(),
        status: Some(200),
        body: fs::read(repository(&format!("archive/pages/ferry-inquiry/{n}.html"))).unwrap(),
        ..Page::default()
    }
}

fn add(archive: &Archive, pages: &[u32]) {
    let mut writer = archive.writer(WriterOptions::default()).unwrap();
    for &n in pages {
        let page = page(n);
        let document = reader().read(&page);
        let outline = Outline::of(&document, article_hash(&document));
        if let Planned::Job(job) = writer.plan(page, Some(outline)).unwrap() {
            writer.append(job.encode()).unwrap();
        }
    }
    writer.commit().unwrap();
}

fn reindex(archive: &mut Archive) {
    archive
        .reindex(
            &mut |page| {
                let document = reader().read(page);
                Outline::of(&document, article_hash(&document))
            },
            &mut |_, _| (),
        )
        .unwrap();
}

/// The packs of an archive to which these groups of pages were added, each as one commit.
fn packs_of(commits: &[&[u32]]) -> BTreeMap<String, Vec<u8>> {
    let disk = MemoryDisk::new();
    let (archive, _) = Archive::create_or_open(Arc::new(disk.clone())).unwrap();
    for pages in commits {
        add(&archive, pages);
    }
    drop(archive);
    disk.files()
        .into_iter()
        .filter(|(path, _)| path.starts_with(layout::PACKS))
        .collect()
}

/// A pack built by hand: its path and bytes.
fn pack_of(build: impl FnOnce(&mut PackBuilder<Vec<u8>>)) -> (String, Vec<u8>) {
    let mut builder = PackBuilder::new(Vec::new(), false).unwrap();
    build(&mut builder);
    let finished = builder.finish().unwrap();
    (layout::pack_path(&finished.name), finished.out)
}

fn whole(builder: &mut PackBuilder<Vec<u8>>, named: &Hash, body: &[u8]) {
    let compressed = compress(body, None, 3);
    builder
        .page(
            named,
            body.len() as u64,
            None,
            compressed.codec,
            &compressed.payload,
        )
        .unwrap();
}

fn snapshot(page: &Page) -> Record {
    Record::Snapshot(SnapshotRecord::of(page, blake3(&page.body)))
}

/// The frames of a pack's bytes.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    let disk = MemoryDisk::new();
    disk.put("pack", bytes.to_vec());
    let pack = Pack::open(disk.open("pack").unwrap()).unwrap();
    scan(&pack)
        .map(|piece| match piece {
            Piece::Frame(frame) => frame,
            Piece::Damage { why, .. } => panic!("{why}"),
        })
        .collect()
}

/// Flips a bit of the payload of the first frame of a kind.
fn flip_payload(bytes: &mut [u8], kind: Kind) {
    let frame = frames(bytes)
        .into_iter()
        .find(|frame| frame.kind == kind)
        .unwrap();
    bytes[frame.payload_at() as usize + frame.stored as usize / 2] ^= 1;
}

/// Files of a specimen, by path.
type Files = BTreeMap<String, Vec<u8>>;

/// An archive of one pack with two revisions, after `damage` was done to its bytes.
fn damaged(damage: impl FnOnce(&mut Vec<u8>)) -> Files {
    let mut files = packs_of(&[&[1, 2]]);
    damage(files.values_mut().next().unwrap());
    files
}

fn then(mut files: Files, steps: &str) -> Files {
    files.insert("then.txt".to_owned(), steps.as_bytes().to_vec());
    files
}

/// A whole archive and what happens to its catalog.
fn catalog(sql: &str) -> Files {
    then(packs_of(&[&[1, 2]]), &format!("sql {sql}\n"))
}

/// Every specimen by its directory name.
fn specimens() -> BTreeMap<&'static str, Files> {
    let mut all: BTreeMap<&str, Files> = BTreeMap::new();
    let other = layout::pack_path(&blake3(b"another name"));
    let renamed = packs_of(&[&[1, 2]])
        .into_values()
        .map(|bytes| (other.clone(), bytes));
    all.insert("P01-renamed", renamed.collect());
    all.insert("P02-header", damaged(|bytes| bytes[12] ^= 1));
    all.insert(
        "P03-cut-in-footer",
        damaged(|bytes| bytes.truncate(bytes.len() - 20)),
    );
    all.insert("P04-table", damaged(|bytes| flip_payload(bytes, Kind::PageTable)));
    all.insert(
        "P05-frame-head",
        damaged(|bytes| {
            let second = frames(bytes)[1].at as usize;
            bytes[second..second + 24].fill(0);
        }),
    );
    all.insert("P06-payload", damaged(|bytes| flip_payload(bytes, Kind::Page)));
    let [one, two] = [page(1), page(2)];
    let wrong = pack_of(|pack| {
        whole(pack, &blake3(&one.body), &two.body);
        pack.record(snapshot(&one));
    });
    all.insert("P07-other-body", [wrong].into());
    let mut files = packs_of(&[&[1], &[2]]);
    let base = files
        .iter()
        .find(|(_, bytes)| frames(bytes).iter().all(|frame| frame.base.is_none()))
        .map(|(path, _)| path.clone());
    files.remove(&base.unwrap());
    all.insert("P08-base-gone", files);
    all.insert("P09-records", damaged(|bytes| flip_payload(bytes, Kind::Records)));
    let files = packs_of(&[&[1, 2]]);
    let path = files.keys().next().unwrap().clone();
    let mut newer = files.clone();
    newer.insert("newer.pack".to_owned(), newer_pack());
    all.insert("P10-newer", then(newer, &format!("replace {path} newer.pack\n")));
    all.insert("P11-unreadable", then(files, &format!("directory {path}\n")));
    let files = packs_of(&[&[1], &[2]]);
    let second = blake3(&page(2).body);
    let path = files
        .iter()
        .find(|(_, bytes)| frames(bytes).iter().any(|frame| frame.body == Some(second)))
        .map(|(path, _)| path.clone())
        .unwrap();
    all.insert("P12-gone", then(files, &format!("remove {path}\n")));
    let record_only = pack_of(|pack| pack.record(snapshot(&one)));
    all.insert("S01-body-gone", [record_only].into());
    let mut files = packs_of(&[&[1]]);
    let stone = Tombstone {
        key: ADDRESS.to_owned(),
        body: blake3(&one.body),
        reason: "taken out in another copy of the archive".to_owned(),
        moment: None,
    };
    files.extend([pack_of(|pack| pack.record(Record::Tombstone(stone)))]);
    all.insert("S02-taken-out-and-stored", files);
    let first_page = "at = (SELECT min(at) FROM pages)";
    all.insert(
        "C01-page-unknown",
        catalog(&format!("DELETE FROM pages WHERE {first_page}")),
    );
    let moved = format!("UPDATE pages SET at = at + 1 WHERE {first_page}");
    all.insert("C02-page-elsewhere", catalog(&moved));
    let newest = "snapshot = (SELECT max(snapshot) FROM outlines)";
    all.insert(
        "C03-no-outline",
        catalog(&format!("DELETE FROM outlines WHERE {newest}")),
    );
    let cut = "UPDATE outline_data SET data = substr(data, 1, length(data) - 1)";
    all.insert("C04-outline-cut", catalog(cut));
    let oldest = "SELECT base, number FROM outlines ORDER BY snapshot LIMIT 1";
    let swapped = format!("UPDATE outlines SET (base, number) = ({oldest}) WHERE {newest}");
    all.insert("C05-other-outline", catalog(&swapped));
    let schema = |from: &str, to: &str| {
        format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '{from}', '{to}') \
             WHERE name = 'meta'; PRAGMA writable_schema = RESET;"
        )
    };
    let (strict, loose) = ("value TEXT NOT NULL", "value TEXT");
    let null = format!(
        "{} INSERT INTO meta (key) VALUES ('null'); {}",
        schema(strict, loose),
        schema(loose, strict)
    );
    all.insert("C06-null-in-meta", catalog(&null));
    all.insert("C07-no-postings", catalog("DELETE FROM postings"));
    let mut files = packs_of(&[&[1]]);
    files.insert(format!("{}/notes.txt", layout::PACKS), b"not a pack\n".to_vec());
    all.insert("F01-stray-file", files);
    all
}

/// A pack whose header tells a format version that does not exist yet.
fn newer_pack() -> Vec<u8> {
    let mut bytes = packs_of(&[&[1]]).into_values().next().unwrap();
    bytes[8..10].copy_from_slice(&999_u16.to_le_bytes());
    let check: [u8; 8] = pressmark::pack::frame::check(&bytes[..24]);
    bytes[24..32].copy_from_slice(&check);
    bytes
}

/// Archives that must not open, with what the message must say.
fn refused() -> BTreeMap<&'static str, Files> {
    let mut all: BTreeMap<&str, Files> = BTreeMap::new();
    let newer = newer_pack();
    let path = layout::pack_path(&blake3(&newer));
    all.insert("newer-format", [(path, newer)].into());
    let readme = (
        String::from("README.txt"),
        b"A directory without packs.\n".to_vec(),
    );
    all.insert("no-packs", [readme].into());
    all
}

fn write(folder: &Path, files: &Files) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
#[ignore = "writes specimens that are missing into the repository"]
fn make_specimens() {
    for (place, all) in [("archive/damaged", specimens()), ("archive/refused", refused())] {
        for (name, files) in all {
            let folder = repository(place).join(name);
            if !folder.exists() {
                write(&folder, &files);
                println!("wrote {place}/{name}");
            }
        }
    }
}

/// A copy of a directory of the repository that may be written to.
fn copy(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let to = folder.path().join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
    folder
}

/// Opens a specimen and lets happen what `then.txt` says.
fn open(folder: &Path) -> Archive {
    let mut archive = Archive::open(Arc::new(LocalDisk::new(folder))).unwrap();
    reindex(&mut archive);
    let steps = fs::read_to_string(folder.join("then.txt")).unwrap_or_default();
    for step in steps.lines() {
        let (verb, rest) = step.split_once(' ').unwrap();
        match verb {
            "sql" => archive.with_catalog(|conn| conn.execute_batch(rest)).unwrap(),
            "directory" => {
                fs::remove_file(folder.join(rest)).unwrap();
                fs::create_dir(folder.join(rest)).unwrap();
            }
            "remove" => {
                fs::remove_file(folder.join(rest)).unwrap();
                archive = Archive::open(Arc::new(LocalDisk::new(folder))).unwrap();
            }
            "replace" => {
                let (path, file) = rest.split_once(' ').unwrap();
                fs::remove_file(folder.join(path)).unwrap();
                fs::copy(folder.join(file), folder.join(path)).unwrap();
            }
            other => panic!("unknown step {other}"),
        }
    }
    archive
}

fn findings(archive: &Archive) -> (Vec<Finding>, ScrubSummary) {
    let reader = reader();
    let options = ScrubOptions {
        reader: Some(&reader),
        ..ScrubOptions::default()
    };
    let mut findings = Vec::new();
    let summary = scrub(archive, &options, &mut |event| {
        if let ScrubEvent::Finding(finding) = event {
            findings.push(finding);
        }
    })
    .unwrap();
    (findings, summary)
}

fn damaged_folders() -> Vec<(String, PathBuf)> {
    let mut folders: Vec<(String, PathBuf)> = fs::read_dir(repository("archive/damaged"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    folders.sort();
    folders
}

#[test]
fn every_specimen_raises_its_code_and_every_code_has_a_specimen() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (name, folder) in damaged_folders() {
        let code = name.split('-').next().unwrap();
        let folder = copy(&folder);
        let archive = open(folder.path());
        let (findings, summary) = findings(&archive);
        let raised: BTreeSet<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
        assert!(raised.contains(code), "{name} raises {raised:?}: {findings:#?}");
        assert!(!summary.is_clean());
        let catalog_only = code.starts_with('C') || code.starts_with('F');
        assert!(
            !catalog_only || summary.snapshots_lost == 0,
            "{name}: {findings:#?}"
        );
        for finding in findings.iter().filter(|finding| finding.snapshot.is_some()) {
            let told = finding.message.contains("lost") || finding.message.contains("whole");
            assert!(told, "{name}: {}", finding.message);
        }
        seen.insert(code.to_owned());
    }
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    assert_eq!(seen, codes);
}

#[test]
fn repair_leaves_only_what_cannot_be_repaired_and_keeps_every_original() {
    for (name, source) in damaged_folders() {
        let code = name.split('-').next().unwrap();
        let folder = copy(&source);
        let mut archive = open(folder.path());
        let before = readable(&archive);
        let originals: Vec<Vec<u8>> = packs_in(folder.path());
        let mut events = Vec::new();
        let summary = repair(&mut archive, &reader(), &mut |event| events.push(event)).unwrap();
        let left: Vec<&str> = summary.after.findings.keys().map(|code| code.as_str()).collect();
        let unrepairable = ["P08", "P10", "P11", "S01", "S02"];
        let allowed = |left: &&&str| !unrepairable.contains(left);
        assert_eq!(
            left.iter().find(allowed),
            None,
            "{name} leaves {left:?}: {events:#?}"
        );
        // Lost pages stay known as lost; nothing else is left of a pack's fault.
        if code.starts_with('C') || ["P01", "P02", "P03", "P04", "F01"].contains(&code) {
            assert!(summary.after.is_clean(), "{name} leaves {left:?}");
        }
        let after = readable(&archive);
        assert!(before.is_subset(&after), "{name}: repair lost {before:?}");
        let kept = files_below(folder.path());
        for original in originals {
            assert!(kept.contains(&original), "{name}: an original is gone");
        }
        // A second repair finds nothing more to do.
        let again = repair(&mut archive, &reader(), &mut |_| ()).unwrap();
        assert_eq!(again.mended + again.put_aside, 0, "{name} is mended twice");
    }
}

/// Moments and body hashes of the snapshots that can be restored.
fn readable(archive: &Archive) -> BTreeSet<(String, Hash)> {
    archive
        .all_snapshots()
        .unwrap()
        .into_iter()
        .filter_map(|snapshot| {
            let page = archive.restore(&snapshot).ok()?;
            assert_eq!(
                blake3(&page.body),
                snapshot.body,
                "restored bytes are never wrong"
            );
            Some((snapshot.moment.unwrap().to_string(), snapshot.body))
        })
        .collect()
}

fn packs_in(folder: &Path) -> Vec<Vec<u8>> {
    files_below(&folder.join(layout::PACKS))
}

fn files_below(folder: &Path) -> Vec<Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| fs::read(entry.path()).unwrap())
        .collect()
}

#[test]
fn refused_archives_say_why() {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(repository("archive/refused")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let folder = copy(&path);
        let error = Archive::open(Arc::new(LocalDisk::new(folder.path()))).unwrap_err();
        let right = match name.as_str() {
            "newer-format" => matches!(error, ArchiveError::Newer(_)),
            "no-packs" => matches!(error, ArchiveError::NotAnArchive(_)),
            other => panic!("no expectation for {other}"),
        };
        assert!(right, "{name}: {error}");
        names.insert(name);
    }
    assert!(refused().keys().all(|name| names.contains(*name)));
}

#[test]
fn a_clean_archive_is_clean_and_a_lost_page_gives_back_the_texts_that_stand_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &packs_of(&[&[1], &[2], &[3]]));
    let mut archive = open(folder.path());
    let (found, summary) = findings(&archive);
    assert_eq!(found, []);
    assert_eq!((summary.snapshots, summary.snapshots_compared), (3, 3));
    assert!(summary.complete && summary.is_clean());

    // The newest page is a delta, alone in its pack; its payload is damaged while the catalog knows it.
    let victim = blake3(&page(3).body);
    let path = packs_of(&[&[1], &[2], &[3]])
        .into_iter()
        .find(|(_, bytes)| frames(bytes).iter().any(|frame| frame.body == Some(victim)))
        .map(|(path, _)| folder.path().join(path))
        .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    flip_payload(&mut bytes, Kind::Page);
    fs::write(&path, bytes).unwrap();
    drop(archive);
    archive = Archive::open(Arc::new(LocalDisk::new(folder.path()))).unwrap();
    let (found, summary) = findings(&archive);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].lost && found[0].code == Code::FramePayload);
    assert_eq!(
        (
            summary.snapshots_lost,
            summary.articles_hit,
            summary.articles_lost
        ),
        (1, 1, 0)
    );

    let mut recovered = None;
    repair(&mut archive, &reader(), &mut |event| {
        if let RepairEvent::Recovered {
            blocks, texts, path, ..
        } = event
        {
            recovered = Some((blocks, texts, path));
        }
    })
    .unwrap();
    let (blocks, texts, path) = recovered.expect("texts were recovered");
    assert!(texts > 0 && texts < blocks);
    let document = reader().read(&page(3));
    let lines = fs::read_to_string(folder.path().join(path)).unwrap();
    assert_eq!(lines.lines().count(), document.blocks.len());
    for (line, block) in lines.lines().zip(&document.blocks) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(text) = line["text"].as_str() {
            assert_eq!(text, block.text);
            assert!(line["from"].as_str().unwrap().starts_with(ADDRESS));
        }
    }
}

#[test]
fn a_scrub_cut_short_goes_on_with_the_packs_it_did_not_reach() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &packs_of(&[&[1], &[2], &[3]]));
    let archive = open(folder.path());
    let mut checked = BTreeSet::new();
    for n in 1..=3_i64 {
        let options = ScrubOptions {
            max_duration: Some(std::time::Duration::ZERO),
            reader: None,
            now: Some(pressmark::page::Moment(n)),
        };
        let summary = scrub(&archive, &options, &mut |_| ()).unwrap();
        assert_eq!(summary.packs_checked, 1);
        assert_eq!(summary.complete, summary.packs == 1);
        checked.insert(archive.with_catalog(|conn| {
            conn.query_row(
                "SELECT count(*) FROM meta WHERE key LIKE 'scrubbed %'",
                [],
                |row| row.get::<_, i64>(0),
            )
            .unwrap()
        }));
    }
    assert_eq!(checked, BTreeSet::from([1, 2, 3]));
}

#[test]
fn a_catalog_that_cannot_be_written_does_not_end_a_scrub() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &packs_of(&[&[1], &[2], &[3]]));
    let archive = open(folder.path());
    archive
        .with_catalog(|conn| conn.pragma_update(None, "query_only", true))
        .unwrap();
    let options = ScrubOptions {
        now: Some(pressmark::page::Moment(1)),
        ..ScrubOptions::default()
    };
    let summary = scrub(&archive, &options, &mut |_| ()).unwrap();
    assert_eq!((summary.packs_checked, summary.is_clean()), (3, true));
}

#[test]
fn pages_of_a_group_that_stand_before_the_damage_are_saved() {
    let pages: Vec<Page> = (0..4_u64)
        .map(|n| {
            let mut text = format!("<title>Page {n}</title>");
            let mut state = n + 1;
            while text.len() < 200_000 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let _ = write!(text, "<p>{:x}</p>", state >> 16);
            }
            Page {
                address: format!("https://www.corrinlantern.example/tides/{n}"),
                moment: "2026-03-01T00:00:00Z".parse().ok(),
                body: text.into_bytes(),
                ..Page::default()
            }
        })
        .collect();
    let bodies: Vec<(Hash, u32)> = pages
        .iter()
        .map(|page| (blake3(&page.body), u32::try_from(page.body.len()).unwrap()))
        .collect();
    let content: Vec<u8> = pages.iter().flat_map(|page| page.body.clone()).collect();
    let (path, mut bytes) = pack_of(|pack| {
        pack.group(
            &bodies,
            Against::Nothing,
            &compress_group(&content, 0, 3).unwrap(),
        )
        .unwrap();
        for page in &pages {
            pack.record(snapshot(page));
        }
    });
    let group = frames(&bytes)
        .into_iter()
        .find(|frame| frame.kind == Kind::Group)
        .unwrap();
    let at = group.payload_at() as usize + group.stored as usize * 7 / 8;
    bytes[at..at + 16].fill(0);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[(path, bytes)].into());
    let mut archive = open(folder.path());
    let (found, summary) = findings(&archive);
    assert!(
        found.iter().all(|finding| finding.code == Code::FramePayload),
        "{found:#?}"
    );
    assert!(summary.snapshots_lost >= 1);
    let summary = repair(&mut archive, &reader(), &mut |_| ()).unwrap();
    assert_eq!(summary.after.snapshots, 4);
    assert_eq!(summary.after.snapshots_lost, 1);
    assert_eq!(readable(&archive).len(), 3);
}

#[test]
fn a_snapshot_whose_two_records_are_damaged_stays_in_the_archive() {
    let one = page(1);
    let mut other = one.clone();
    other.headers = vec![("Server".to_owned(), "mirror".to_owned())];
    let (path, mut bytes) = pack_of(|pack| {
        whole(pack, &blake3(&one.body), &one.body);
        pack.record(snapshot(&one));
        pack.record(snapshot(&other));
    });
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[(path.clone(), bytes.clone())].into());
    drop(open(folder.path()));
    // The catalog knows what stood there.
    flip_payload(&mut bytes, Kind::Records);
    fs::write(folder.path().join(path), bytes).unwrap();
    let mut archive = Archive::open(Arc::new(LocalDisk::new(folder.path()))).unwrap();
    repair(&mut archive, &reader(), &mut |_| ()).unwrap();
    assert_eq!(readable(&archive).len(), 1);
}

#[test]
fn a_pack_that_vanished_is_told_until_it_is_back_or_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| pressmark(folder.path(), &[&["-A", "a"], arguments].concat());
    let files = packs_of(&[&[1], &[2], &[3]]);
    write(&folder.path().join("a"), &files);
    assert_eq!(run(&["scrub"]).expect_code(0).err, "");
    // The newest page: nothing rests on it.
    let newest = blake3(&page(3).body);
    let holds = |bytes: &[u8]| frames(bytes).iter().any(|frame| frame.body == Some(newest));
    let (path, bytes) = files.iter().find(|(_, bytes)| holds(bytes)).unwrap();
    let path = folder.path().join("a").join(path);
    fs::remove_file(&path).unwrap();
    for _ in 0..2 {
        let listed = run(&["log", ADDRESS]).expect_code(0);
        assert!(
            listed
                .err
                .contains("a: 1 pack missing, with 1 snapshot that no other pack holds"),
            "{}",
            listed.err
        );
    }
    let found = run(&["scrub", "--json"]).expect_code(1).json();
    assert_eq!((&found[0]["code"], found.len()), (&"P12".into(), 2));
    fs::write(&path, bytes).unwrap();
    assert_eq!(run(&["scrub"]).expect_code(0).err, "");
    fs::remove_file(&path).unwrap();
    run(&["repair"]).expect_code(0);
    assert_eq!(run(&["scrub"]).expect_code(0).err, "");
}

#[test]
fn packs_that_were_replaced_or_taken_out_elsewhere_are_not_missed() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| pressmark(folder.path(), &[&["-A", "a"], arguments].concat());
    write(&folder.path().join("a"), &packs_of(&[&[1], &[2], &[3]]));
    run(&["scrub"]).expect_code(0);
    let catalog = folder.path().join("a").join(layout::CATALOG);
    for command in [&["compact"][..], &["forget", "--reason", "asked", ADDRESS]] {
        // The same happens where another machine did it and the packs were synchronised.
        let before = fs::read(&catalog).unwrap();
        run(command).expect_code(0);
        for entry in fs::read_dir(folder.path().join("a")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().starts_with(layout::CATALOG) {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        fs::write(&catalog, before).unwrap();
        let scrubbed = run(&["scrub"]).expect_code(0);
        assert_eq!(scrubbed.err, "", "{command:?}");
    }
}
