//! Digests that records declare, and damage: what a revisit may take for its original, and what is noted.

use pressmark::source::{Reason, SourceOptions};
use pressmark::warc::digest::{Algorithm, declare};

use crate::warc::{gzip, http, page_text, read, read_file, record, zip_file};

fn sha1(bytes: &[u8]) -> String {
    declare(Algorithm::Sha1, bytes).to_string()
}

/// A response that declares the digest of `meant`, with further fields.
fn response(n: u32, body: &[u8], meant: &[u8], more: &[(&str, &str)]) -> Vec<u8> {
    let target = format!("https://news.example/{n}");
    let digest = sha1(meant);
    let mut fields = vec![
        ("WARC-Type", "response"),
        ("WARC-Target-URI", &*target),
        ("WARC-Date", "2025-08-31T06:00:00Z"),
        ("WARC-Payload-Digest", &*digest),
        ("Content-Type", "application/http; msgtype=response"),
    ];
    fields.extend_from_slice(more);
    record(&fields, &http("", body))
}

/// A revisit of whatever has the digest of `meant`.
fn revisit(n: u32, meant: &[u8], more: &[(&str, &str)]) -> Vec<u8> {
    let target = format!("https://news.example/{n}");
    let digest = sha1(meant);
    let mut fields = vec![
        ("WARC-Type", "revisit"),
        ("WARC-Target-URI", &*target),
        ("WARC-Date", "2025-09-02T06:00:00Z"),
        ("WARC-Payload-Digest", &*digest),
    ];
    fields.extend_from_slice(more);
    record(&fields, b"")
}

#[test]
fn a_revisit_takes_no_original_whose_payload_is_damaged() {
    let good = page_text(1).into_bytes();
    let mut bad = good.clone();
    bad[20] ^= 1;
    let damaged = response(1, &bad, &good, &[]);
    for packed in [false, true] {
        let whole = |records: &[Vec<u8>]| {
            let records = records.concat();
            if packed { gzip(&records) } else { records }
        };
        let alone = read(&whole(&[damaged.clone(), revisit(2, &good, &[])]));
        assert_eq!(alone.addresses(), [1]);
        assert_eq!(alone.noted(), [Reason::DigestMismatch]);
        assert_eq!(alone.skipped.len(), 1);
        assert_eq!(alone.skipped[0].reason, Reason::UnresolvedRevisit);

        let copy = response(3, &good, &good, &[]);
        let copied = read(&whole(&[damaged.clone(), copy, revisit(2, &good, &[])]));
        assert_eq!(copied.addresses(), [1, 3, 2], "{packed}");
        assert_eq!(copied.pages[2].0.body, good);
        assert_eq!(
            copied.pages[2].0.metadata["warc"]["payload-digest-of"], "wire",
            "of this page too the digest is checked"
        );
    }
}

#[test]
fn the_revisit_of_a_record_that_could_not_be_read_is_no_page_left_out() {
    let html = page_text(1).into_bytes();
    let mut damaged = gzip(&response(1, &html, &html, &[]));
    let at = damaged.len() - 6;
    damaged[at] ^= 0xff;
    damaged[at - 20] ^= 0xff;
    let bytes = [damaged.clone(), gzip(&revisit(2, &html, &[]))].concat();
    let alone = read(&bytes);
    assert_eq!(alone.pages.len(), 0);
    assert_eq!(alone.left_out, []);
    assert_eq!(alone.skipped[1].reason, Reason::UnresolvedRevisit);

    let copy = gzip(&response(3, &html, &html, &[]));
    let copied = read(&[damaged, copy, gzip(&revisit(2, &html, &[]))].concat());
    assert_eq!(copied.addresses(), [3, 2]);
    assert_eq!(copied.pages[1].0.body, html);
}

#[test]
fn damage_late_in_a_large_member_costs_only_what_stands_there() {
    let mut noise = 1_u64;
    let records: Vec<u8> = (0..500)
        .flat_map(|n| {
            let words: Vec<String> = (0..250)
                .map(|_| {
                    noise ^= noise << 13;
                    noise ^= noise >> 7;
                    noise ^= noise << 17;
                    format!("{noise:016x}")
                })
                .collect();
            let text = words.concat();
            let html = format!("<html><p>{text}</p></html>").into_bytes();
            response(n, &html, &html, &[])
        })
        .collect();
    assert!(records.len() > 2 << 20);
    let mut bytes = gzip(&records);
    let at = bytes.len() - 3000;
    for byte in &mut bytes[at..at + 60] {
        *byte ^= 0xff;
    }
    let read = read(&bytes);
    assert!(read.pages.len() > 460, "{} pages", read.pages.len());
    assert!(!read.skipped.is_empty());
}

#[test]
fn a_block_digest_is_checked_beside_a_payload_digest_and_in_revisits() {
    let html = page_text(1).into_bytes();
    let wrong = sha1(b"something else");
    let right = sha1(&http("", &html));
    let wrong = [("WARC-Block-Digest", wrong.as_str())];
    let right = [("WARC-Block-Digest", right.as_str())];
    assert_eq!(read(&response(1, &html, &html, &right)).noted(), []);
    assert_eq!(
        read(&response(1, &html, &html, &wrong)).noted(),
        [Reason::DigestMismatch]
    );
    let first = response(1, &html, &html, &[]);
    let found = read(&[first.clone(), revisit(2, &html, &wrong)].concat());
    assert_eq!(found.addresses(), [1, 2]);
    assert_eq!(found.noted(), [Reason::DigestMismatch]);
    let unreadable = [("WARC-Block-Digest", "sha1:x")];
    let found = read(&[first, revisit(2, &html, &unreadable)].concat());
    assert_eq!(found.noted(), [Reason::BadDigest]);
}

#[test]
fn an_address_with_a_brace_is_found_in_the_index_of_a_wacz() {
    let html = page_text(1).into_bytes();
    let url = "https://news.example/a{b}";
    let target = [
        ("WARC-Type", "response"),
        ("WARC-Target-URI", url),
        ("WARC-Date", "2025-08-31T06:00:00Z"),
        ("Content-Type", "application/http; msgtype=response"),
    ];
    let line = serde_json::json!({"url": url, "offset": "0", "filename": "a.warc"});
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wacz");
    zip_file(
        &path,
        &[
            ("archive/a.warc", record(&target, &http("", &html))),
            (
                "indexes/index.cdxj",
                format!("example,news)/a{{b}} 20250831060000 {line}\n").into_bytes(),
            ),
        ],
    );
    let read = read_file(&path, &SourceOptions::default());
    assert_eq!(read.pages.len(), 1);
    assert_eq!(read.noted(), [Reason::NoPackage]);
}
