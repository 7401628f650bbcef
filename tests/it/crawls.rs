//! Crawler output through the real command: revisits, dry runs, kills, round trips.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::command::{Run, pressmark, pressmark_with_input};

const FIRST: &str = "<html><title>제방</title><p>제방이 사흘 만에 다시 열렸다.</p></html>";
const SECOND: &str = "<html><title>제방</title><p>제방이 나흘 만에 다시 열렸다.</p></html>";

fn record(fields: &[(&str, &str)], block: &[u8]) -> Vec<u8> {
    let mut bytes = b"WARC/1.1\r\n".to_vec();
    for (name, value) in fields {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", block.len()).as_bytes());
    bytes.extend_from_slice(block);
    bytes.extend_from_slice(b"\r\n\r\n");
    bytes
}

fn sha1(bytes: &[u8]) -> String {
    pressmark::warc::digest::declare(pressmark::warc::digest::Algorithm::Sha1, bytes).to_string()
}

fn response(address: &str, date: &str, html: &str) -> Vec<u8> {
    let block = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}");
    record(
        &[
            ("WARC-Type", "response"),
            ("WARC-Target-URI", address),
            ("WARC-Date", date),
            ("WARC-Payload-Digest", &sha1(html.as_bytes())),
            ("Content-Type", "application/http; msgtype=response"),
        ],
        block.as_bytes(),
    )
}

/// A revisit of `address` with these further fields and this HTTP header.
fn revisit(address: &str, date: &str, more: &[(&str, &str)], head: &str) -> Vec<u8> {
    let mut fields = vec![
        ("WARC-Type", "revisit"),
        ("WARC-Target-URI", address),
        ("WARC-Date", date),
        ("Content-Type", "application/http; msgtype=response"),
    ];
    fields.extend_from_slice(more);
    record(&fields, head.as_bytes())
}

const AGAIN: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nX-Seen: again\r\n\r\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn summary(run: &Run) -> Value {
    run.json().pop().unwrap()
}

fn counts(summary: &Value) -> [u64; 4] {
    ["pages", "new", "known", "skipped"].map(|key| summary[key].as_u64().unwrap())
}

/// Address, moment, hash of the bytes and status of every snapshot.
fn snapshots(folder: &Path) -> Vec<(String, String, String, Option<u64>)> {
    pressmark(folder, &["export", "ndjson"])
        .expect_code(0)
        .json()
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            (
                text("url"),
                text("fetched_at"),
                text("raw"),
                line["status"].as_u64(),
            )
        })
        .collect()
}

const A: &str = "https://news.example/a";
const B: &str = "https://news.example/b";

/// A WARC of one page, `1.warc`.
fn write_one(folder: &Path) {
    let page = response(A, "2025-08-31T06:00:00Z", FIRST);
    fs::write(folder.join("1.warc"), page).unwrap();
}

#[test]
fn revisits_alone_are_resolved_by_the_archive_of_an_earlier_process() {
    let folder = tempfile::tempdir().unwrap();
    let first = [
        gzip(&response(A, "2025-08-31T06:00:00Z", FIRST)),
        gzip(&response(A, "2025-08-31T07:00:00Z", SECOND)),
        gzip(&response(B, "2025-08-31T07:30:00Z", FIRST)),
    ]
    .concat();
    fs::write(folder.path().join("1.warc.gz"), first).unwrap();
    let run = pressmark(folder.path(), &["add", "--json", "1.warc.gz"]).expect_code(0);
    assert_eq!(counts(&summary(&run)), [3, 3, 0, 0]);

    let digest = sha1(FIRST.as_bytes());
    let second = [
        // By address and time, the way of WARC 1.1.
        revisit(
            "https://news.example/a-moved",
            "2025-09-01T00:00:00Z",
            &[
                ("WARC-Refers-To-Target-URI", A),
                ("WARC-Refers-To-Date", "2025-08-31T07:00:00Z"),
                ("WARC-Payload-Digest", &sha1(SECOND.as_bytes())),
            ],
            AGAIN,
        ),
        // By digest alone, the way of WARC 1.0: not the newest snapshot of the address.
        revisit(
            A,
            "2025-09-01T01:00:00Z",
            &[("WARC-Payload-Digest", &digest)],
            AGAIN,
        ),
        // Not modified, and nothing else said: the newest one before it.
        revisit(
            B,
            "2025-09-01T02:00:00Z",
            &[],
            "HTTP/1.1 304 Not Modified\r\n\r\n",
        ),
        // Another address with the same bytes.
        revisit(B, "2025-09-01T03:00:00Z", &[("WARC-Payload-Digest", &digest)], ""),
        // The named snapshot has another digest: it is not the original.
        revisit(
            B,
            "2025-09-01T04:00:00Z",
            &[
                ("WARC-Refers-To-Target-URI", A),
                ("WARC-Refers-To-Date", "2025-08-31T07:00:00Z"),
                ("WARC-Payload-Digest", &sha1(b"something else")),
            ],
            AGAIN,
        ),
        // Nowhere.
        revisit("https://news.example/c", "2025-09-01T05:00:00Z", &[], AGAIN),
    ];
    let whole: Vec<u8> = second.iter().flat_map(|record| gzip(record)).collect();
    fs::write(folder.path().join("2.warc.gz"), &whole).unwrap();
    let dry = pressmark(folder.path(), &["add", "--json", "--dry-run", "2.warc.gz"]).expect_code(1);
    assert_eq!(counts(&summary(&dry)), [4, 4, 0, 2]);
    let run = pressmark(folder.path(), &["add", "--json", "2.warc.gz"]).expect_code(1);
    let told = summary(&run);
    assert_eq!(counts(&told), [4, 4, 0, 2]);
    assert_eq!(told["skipped_by_reason"]["unresolved-revisit"], 2);
    assert!(
        run.err.contains("add the file that holds it first"),
        "{}",
        run.err
    );

    let cat = |name: &str| pressmark(folder.path(), &["cat", name]).expect_code(0).out;
    assert_eq!(cat("https://news.example/a-moved"), SECOND);
    assert_eq!(cat(&format!("{A}@2025-09-01T01:00")), FIRST);
    assert_eq!(
        cat(&format!("{B}@2025-09-01T02:00")),
        FIRST,
        "the newest before it"
    );
    assert_eq!(cat(&format!("{B}@2025-09-01T03:00")), FIRST);
    // The bytes were there: nothing but records was stored.
    assert_eq!(snapshots(folder.path()).len(), 7);
    let again = pressmark(folder.path(), &["add", "--json", "1.warc.gz", "2.warc.gz"]).expect_code(1);
    assert_eq!(counts(&summary(&again)), [7, 0, 7, 2]);
}

#[test]
fn revisits_of_what_cannot_be_read_twice_are_resolved() {
    let pages: Vec<(String, String)> = (0..300)
        .map(|n| {
            (
                format!("https://news.example/{n}"),
                format!("{FIRST}<p>{n}번째</p>"),
            )
        })
        .collect();
    let mut records = Vec::new();
    for (n, (address, html)) in pages.iter().enumerate() {
        let date = format!("2025-08-31T{:02}:{:02}:00Z", n / 60, n % 60);
        records.extend_from_slice(&response(address, &date, html));
    }
    for (n, (address, _)) in pages.iter().enumerate() {
        let date = format!("2025-08-31T{:02}:{:02}:00Z", n / 60, n % 60);
        let named = [
            ("WARC-Refers-To-Target-URI", address.as_str()),
            ("WARC-Refers-To-Date", &date),
        ];
        let named: &[_] = if n % 2 == 0 { &named } else { &[] };
        records.extend_from_slice(&revisit(address, "2025-09-01T00:00:00Z", named, AGAIN));
    }
    for (name, input) in [("stream", records.clone()), ("one member", gzip(&records))] {
        let folder = tempfile::tempdir().unwrap();
        let run = pressmark_with_input(folder.path(), &["add", "--json", "-"], &input).expect_code(0);
        assert_eq!(counts(&summary(&run)), [600, 600, 0, 0], "{name}");
        let file = folder.path().join("x.warc.gz");
        fs::write(&file, &input).unwrap();
        let run = pressmark(folder.path(), &["add", "--json", "x.warc.gz"]).expect_code(0);
        assert_eq!(counts(&summary(&run)), [600, 0, 600, 0], "{name}");
    }
}

#[test]
fn a_dry_run_reads_everything_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let image = record(
        &[
            ("WARC-Type", "response"),
            ("WARC-Target-URI", "https://news.example/i.png"),
            ("WARC-Date", "2025-08-31T06:00:00Z"),
            ("WARC-Payload-Digest", &sha1(b"another image")),
            ("Content-Type", "application/http"),
        ],
        b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG",
    );
    let mut bytes = [
        gzip(&response(A, "2025-08-31T06:00:00Z", FIRST)),
        gzip(&response(A, "2025-08-31T06:00:00Z", FIRST)),
        gzip(&image),
        gzip(&response(B, "2025-08-31T06:00:00Z", SECOND)),
    ]
    .concat();
    bytes.truncate(bytes.len() - 30);
    fs::write(folder.path().join("x.warc.gz"), &bytes).unwrap();
    let run = pressmark(folder.path(), &["add", "--dry-run", "--json", "x.warc.gz"]).expect_code(1);
    let told = summary(&run);
    assert_eq!(told["dry_run"], true);
    assert_eq!(counts(&told), [2, 1, 1, 1]);
    assert_eq!(told["left_out_by_reason"]["media-type"], 1);
    assert_eq!(told["skipped_by_reason"]["truncated"], 1);
    assert_eq!(
        told["noted_by_reason"]["digest-mismatch"], 1,
        "of what was left out, too"
    );
    assert_eq!(told["raw_bytes"], 2 * FIRST.len());
    assert!(told.get("stored_bytes").is_none());
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no archive was made"
    );

    pressmark(folder.path(), &["add", "x.warc.gz"]).expect_code(1);
    let before = fs::read_dir(folder.path().join("articles.pressmark/packs"))
        .unwrap()
        .count();
    let run = pressmark(folder.path(), &["add", "--dry-run", "x.warc.gz"]).expect_code(1);
    assert!(run.out.contains("nothing was written"), "{}", run.out);
    assert!(run.out.contains("2: 0 would be new, 2 known"), "{}", run.out);
    assert_eq!(
        fs::read_dir(folder.path().join("articles.pressmark/packs"))
            .unwrap()
            .count(),
        before
    );
}

#[test]
fn an_export_is_compressed_as_its_name_says() {
    let folder = tempfile::tempdir().unwrap();
    write_one(folder.path());
    pressmark(folder.path(), &["add", "1.warc"]).expect_code(0);
    for (name, magic) in [
        ("x.warc.gz", b"\x1f\x8b".as_slice()),
        ("x.warc.zst", b"\x28\xb5\x2f\xfd"),
    ] {
        pressmark(folder.path(), &["export", "warc", "-o", name]).expect_code(0);
        let written = fs::read(folder.path().join(name)).unwrap();
        assert!(written.starts_with(magic), "{name}");
    }
}

#[test]
fn exports_take_only_options_that_mean_something() {
    let folder = tempfile::tempdir().unwrap();
    write_one(folder.path());
    pressmark(folder.path(), &["add", "1.warc"]).expect_code(0);
    for (arguments, says) in [
        (&["warc", "--body-only"][..], "it goes with ndjson"),
        (
            &["files", "-o", "x", "--revisit"],
            "it goes with warc, wacz, cdxj",
        ),
        (&["warc", "--title", "x"], "it goes with wacz"),
        (
            &["wacz", "-o", "x", "--compression", "zstd"],
            "it goes with warc, cdxj",
        ),
        (&["warc", "--level", "10"], "is not from 1 to 9"),
        (
            &["warc", "--compression", "zstd", "--level", "23"],
            "is not from 1 to 22",
        ),
        (&["wacz"], "name it with --output"),
        (&["warc", "--from", "yesterday"], "is not a time"),
        (&["warc", "--address", "a[b"], "is no address pattern"),
    ] {
        let run = pressmark(folder.path(), &[&["export"], arguments].concat()).expect_code(2);
        assert!(run.err.contains(says), "{arguments:?}: {}", run.err);
        assert!(run.out.is_empty(), "{arguments:?}: {}", run.out);
    }
    let run = pressmark(
        folder.path(),
        &["export", "warc", "-o", "x", "--host", "other.example"],
    )
    .expect_code(1);
    assert!(run.err.contains("no snapshot fits"), "{}", run.err);
    assert!(!folder.path().join("x").exists());
    let run = pressmark(folder.path(), &["export", "warc", "-o", "x.warc.gz"]).expect_code(0);
    assert!(run.out.starts_with("1 snapshot, "), "{}", run.out);
    // Nothing on a pipe but the result.
    let run = pressmark(folder.path(), &["export", "warc", "--compression", "none"]).expect_code(0);
    assert!(
        run.out.starts_with("WARC/1.1") && run.err.is_empty(),
        "{}",
        run.err
    );
}

/// In, out, in again: the same snapshots, bytes, dates; the original payload digest where the body was
/// not encoded.
#[test]
fn a_warc_goes_round() {
    let folder = tempfile::tempdir().unwrap();
    let packed = gzip(SECOND.as_bytes());
    let mut coded = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n".to_vec();
    coded.extend_from_slice(&packed);
    let coded = record(
        &[
            ("WARC-Type", "response"),
            ("WARC-Target-URI", B),
            ("WARC-Date", "2025-08-31T07:00:00.25Z"),
            ("WARC-Payload-Digest", &sha1(&packed)),
            ("Content-Type", "application/http; msgtype=response"),
        ],
        &coded,
    );
    let first = [
        gzip(&response(A, "2025-08-31T06:00:00Z", FIRST)),
        gzip(&coded),
        gzip(&revisit(
            A,
            "2025-09-01T00:00:00Z",
            &[("WARC-Payload-Digest", &sha1(FIRST.as_bytes()))],
            AGAIN,
        )),
    ]
    .concat();
    fs::write(folder.path().join("1.warc.gz"), first).unwrap();
    pressmark(folder.path(), &["add", "1.warc.gz"]).expect_code(0);
    let before = snapshots(folder.path());
    assert_eq!(before.len(), 3);
    for options in [&[][..], &["--revisit"]] {
        let out = [&["export", "warc", "-o", "2.warc.gz"], options].concat();
        pressmark(folder.path(), &out).expect_code(0);
        let other = tempfile::tempdir().unwrap();
        fs::copy(folder.path().join("2.warc.gz"), other.path().join("2.warc.gz")).unwrap();
        pressmark(other.path(), &["add", "2.warc.gz"]).expect_code(0);
        assert_eq!(snapshots(other.path()), before, "{options:?}");
        let warc = pressmark(other.path(), &["export", "warc", "--compression", "none"])
            .expect_code(0)
            .out;
        assert!(warc.contains(&format!("WARC-Payload-Digest: {}", sha1(FIRST.as_bytes()))));
        assert!(warc.contains(&format!("X-Archive-Orig-WARC-Payload-Digest: {}", sha1(&packed))));
        assert!(warc.contains("X-Archive-Orig-Content-Encoding: gzip"));
    }
}

#[test]
fn a_media_type_that_fits_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_one(folder.path());
    for refused in ["text/*", "html", "text/html; charset=utf-8", ""] {
        let run = pressmark(folder.path(), &["add", "--media-type", refused, "1.warc"]).expect_code(2);
        assert!(run.err.contains("media type"), "{}", run.err);
    }
    for taken in ["*", "TEXT/HTML,text/plain"] {
        let run = pressmark(
            folder.path(),
            &["add", "--dry-run", "--json", "--media-type", taken, "1.warc"],
        );
        assert_eq!(run.expect_code(0).json().pop().unwrap()["pages"], 1, "{taken}");
    }
}
