//! Archives of every format version ever released are read, by this program and by a second reader.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use pressmark::archive::Archive;
use pressmark::compact::{self, Options};
use pressmark::digest::{blake3, to_hex};
use pressmark::disk::LocalDisk;
use pressmark::pack::codec::Codec;
use pressmark::pack::{PackBuilder, Record, SnapshotRecord};
use pressmark::page::{Moment, Page};
use serde_json::{Value, json};

use crate::archive_store::{add, page};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("archive/stores")
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What the second reader prints for a snapshot.
fn line(page: &Page) -> Value {
    json!({
        "address": page.address,
        "moment": page.moment.map(|moment| moment.0),
        "status": page.status,
        "headers": page.headers,
        "metadata": page.metadata,
        "body": blake3(&page.body).to_string(),
        "length": page.body.len(),
    })
}

fn expected(store: &Path) -> Vec<Value> {
    let text = fs::read_to_string(store.join("expected.ndjson")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn found(archive: &Archive) -> Vec<Value> {
    let snapshots = archive.all_snapshots().unwrap();
    snapshots
        .iter()
        .map(|snapshot| line(&archive.restore(snapshot).unwrap()))
        .collect()
}

#[test]
fn archives_of_every_version_are_read() {
    let mut versions = 0;
    for entry in fs::read_dir(root()).unwrap() {
        let store = entry.unwrap().path();
        if !store.is_dir() {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        copy(&store.join("packs"), &dir.path().join("packs"));
        let archive = Archive::open(Arc::new(LocalDisk::new(dir.path()))).unwrap();
        assert_eq!(found(&archive), expected(&store), "{}", store.display());
        versions += 1;
    }
    assert!(versions >= 2);
}

#[test]
fn a_second_reader_written_from_the_document_agrees() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_format.py");
    let modules = Command::new("python3")
        .args(["-c", "import zstandard, blake3"])
        .output();
    if !modules.is_ok_and(|output| output.status.success()) {
        println!("skipped: needs python3 with the modules zstandard and blake3");
        return;
    }
    let stores = ["v1", "v1-groups"].map(|name| root().join(name));
    for (store, scan) in stores
        .iter()
        .flat_map(|store| [(store, &[][..]), (store, &["--scan"][..])])
    {
        let output = Command::new("python3")
            .arg(&script)
            .arg(store)
            .args(scan)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines, expected(store));
    }
}

/// One pack of one page, as `docs/format.md` shows it.
fn example() -> Vec<u8> {
    let body = b"<p>Tide tables</p>\n";
    let hash = blake3(body);
    let mut builder = PackBuilder::new(Vec::new(), false).unwrap();
    builder
        .page(&hash, body.len() as u64, None, Codec::Stored, body)
        .unwrap();
    builder.record(Record::Snapshot(SnapshotRecord {
        address: "https://harbour.example/tides".into(),
        moment: Some(Moment(1_700_000_000_000_000_000)),
        body: hash,
        length: body.len() as u64,
        status: Some(200),
        ..SnapshotRecord::default()
    }));
    builder.finish().unwrap().out
}

#[test]
fn the_worked_example_is_what_is_written() {
    let document = include_str!("../../docs/format.md");
    let (_, example_of_document) = document.split_once("## Worked example").unwrap();
    let hex: String = example_of_document
        .lines()
        .filter_map(|line| {
            line.split_once("  ")
                .filter(|(at, _)| at.len() == 4 && at.bytes().all(|b| b.is_ascii_hexdigit()))
        })
        .flat_map(|(_, rest)| {
            rest.split("  ")
                .next()
                .unwrap()
                .chars()
                .filter(|c| !c.is_whitespace())
        })
        .collect();
    assert_eq!(hex, to_hex(&example()));
}

/// Run by hand when the format has changed: `cargo test -- --ignored write_the_reference`. The store `v1` was written
/// before groups could have a base.
#[test]
#[ignore = "writes a reference archive, once for each change of the format"]
fn write_the_reference() {
    let bytes = example();
    for (index, chunk) in bytes.chunks(16).enumerate() {
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = chunk
            .iter()
            .map(|&byte| {
                if (32..127).contains(&byte) {
                    char::from(byte)
                } else {
                    '.'
                }
            })
            .collect();
        println!("{:04x}  {:<47}  {text}", index * 16, hex.join(" "));
    }
    let store = root().join("v1-groups");
    assert!(!store.exists(), "reference archives are never edited");
    let dir = tempfile::tempdir().unwrap();
    let archive = Archive::create_or_open(Arc::new(LocalDisk::new(dir.path())))
        .unwrap()
        .0;
    // Compacted groups with a prefix, then groups and a page with bases in them, a page found again, one that was not found,
    // one without moment and status but with metadata, an incompressible one, and a takedown.
    let cold: Vec<Page> = (0..8)
        .flat_map(|version| (1..3).map(move |article| page(article, version)))
        .collect();
    add(&archive, &cold).unwrap();
    let options = Options {
        group_bytes: 20_000,
        ..Options::default()
    };
    compact::compact(&archive, options, &mut |_| true).unwrap();
    let mut hot: Vec<Page> = (8..20).map(|version| page(1, version)).collect();
    let again = Page {
        moment: Some(Moment(1_800_000_000_000_000_000)),
        ..page(1, 19)
    };
    let missing = Page {
        status: Some(404),
        ..page(3, 1)
    };
    let mut bare = page(4, 1);
    (bare.moment, bare.status, bare.headers) = (None, None, Vec::new());
    bare.metadata.insert("crawler".into(), "self-written 1.0".into());
    let mut noise = page(5, 1);
    noise.body = (0..100_u32).flat_map(|n| blake3(&n.to_le_bytes()).0).collect();
    hot.push(again);
    add(&archive, &hot).unwrap();
    for alone in [missing, bare, noise, page(1, 20)] {
        add(&archive, &[alone]).unwrap();
    }
    // A group at depth 3, and one of another article, which a takedown takes a page out of.
    add(
        &archive,
        &(21..24).map(|version| page(1, version)).collect::<Vec<_>>(),
    )
    .unwrap();
    add(
        &archive,
        &(8..12).map(|version| page(2, version)).collect::<Vec<_>>(),
    )
    .unwrap();
    let taken = archive.snapshots(&page(2, 0).address).unwrap().remove(9);
    compact::forget(
        &archive,
        &[taken],
        "reference takedown",
        Moment(1_800_000_000_000_000_001),
        &mut |_| (),
    )
    .unwrap();
    copy(&dir.path().join("packs"), &store.join("packs"));
    let lines: Vec<String> = found(&archive).iter().map(Value::to_string).collect();
    fs::write(store.join("expected.ndjson"), lines.join("\n") + "\n").unwrap();
}
