//! WARC, ARC and WACZ bytes made here, read as sources: every format, and every kind of damage.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use pressmark::page::Page;
use pressmark::source::{self, At, Fault, Item, Reason, Revisits, SourceOptions};
use pressmark::warc::digest::{Algorithm, declare};
use pressmark::warc::{Reader, Stream};

const HTML: &str = "<html><title>눈</title><p>밤새 눈이 내렸다.</p></html>";

/// A WARC record with a right length.
pub fn record(fields: &[(&str, &str)], block: &[u8]) -> Vec<u8> {
    let mut bytes = b"WARC/1.0\r\n".to_vec();
    for (name, value) in fields {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", block.len()).as_bytes());
    bytes.extend_from_slice(block);
    bytes.extend_from_slice(b"\r\n\r\n");
    bytes
}

pub fn http(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut block =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n{headers}\r\n").into_bytes();
    block.extend_from_slice(body);
    block
}

fn response(n: u32, block: &[u8]) -> Vec<u8> {
    let target = format!("https://news.example/{n}");
    let date = format!("2025-08-31T06:{:02}:{:02}Z", n / 60, n % 60);
    record(
        &[
            ("WARC-Type", "response"),
            ("WARC-Target-URI", &target),
            ("WARC-Date", &date),
            ("Content-Type", "application/http; msgtype=response"),
        ],
        block,
    )
}

pub fn page_text(n: u32) -> String {
    // Enough that a record is more than one gzip block would hide.
    format!(
        "<html><p>기사 {n}</p>{}</html>",
        "<p>눈이 내렸다.</p>".repeat(20 + n as usize % 7)
    )
}

pub fn plain_response(n: u32) -> Vec<u8> {
    response(n, &http("", page_text(n).as_bytes()))
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

pub struct Read {
    pub pages: Vec<(Page, At)>,
    pub skipped: Vec<Fault>,
    pub left_out: Vec<Fault>,
    pub noted: Vec<Fault>,
}

impl Read {
    pub fn addresses(&self) -> Vec<u32> {
        self.pages
            .iter()
            .map(|(page, _)| page.address.rsplit('/').next().unwrap().parse().unwrap())
            .collect()
    }

    fn skipped(&self) -> Vec<(At, Reason)> {
        self.skipped
            .iter()
            .map(|fault| (fault.place.at, fault.reason))
            .collect()
    }

    pub fn noted(&self) -> Vec<Reason> {
        self.noted.iter().map(|fault| fault.reason).collect()
    }
}

pub fn read_file(path: &Path, options: &SourceOptions) -> Read {
    let mut read = Read {
        pages: Vec::new(),
        skipped: Vec::new(),
        left_out: Vec::new(),
        noted: Vec::new(),
    };
    for item in source::open(path.to_str().unwrap(), options).unwrap() {
        match item {
            Item::Page(page, place) => read.pages.push((*page, place.at)),
            Item::Skipped(fault) => read.skipped.push(fault),
            Item::LeftOut(fault) => read.left_out.push(fault),
            Item::Noted(fault) => read.noted.push(fault),
        }
    }
    read
}

pub fn read(bytes: &[u8]) -> Read {
    read_with(bytes, &SourceOptions::default())
}

fn read_with(bytes: &[u8], options: &SourceOptions) -> Read {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crawl.warc");
    fs::write(&path, bytes).unwrap();
    read_file(&path, options)
}

#[test]
fn every_compression_gives_the_same_pages() {
    let records: Vec<Vec<u8>> = (0..40).map(plain_response).collect();
    let plain = records.concat();
    let dictionary = zstd::dict::from_samples(&records, 4096).unwrap();
    let mut with_dictionary = b"\x5d\x2a\x4d\x18".to_vec();
    with_dictionary.extend_from_slice(&u32::try_from(dictionary.len()).unwrap().to_le_bytes());
    with_dictionary.extend_from_slice(&dictionary);
    let packed_dictionary = zst(&dictionary);
    let mut with_packed_dictionary = b"\x5d\x2a\x4d\x18".to_vec();
    with_packed_dictionary.extend_from_slice(&u32::try_from(packed_dictionary.len()).unwrap().to_le_bytes());
    with_packed_dictionary.extend_from_slice(&packed_dictionary);
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap();
    for record in &records {
        let frame = compressor.compress(record).unwrap();
        with_dictionary.extend_from_slice(&frame);
        with_packed_dictionary.extend_from_slice(&frame);
    }
    let each =
        |pack: fn(&[u8]) -> Vec<u8>| -> Vec<u8> { records.iter().flat_map(|record| pack(record)).collect() };
    // Blocks of 1000 bytes: members that end in the middle of records.
    let across: Vec<u8> = plain.chunks(1000).flat_map(gzip).collect();
    for (name, bytes) in [
        ("plain", plain.clone()),
        ("gzip, a member each", each(gzip)),
        ("gzip, one member", gzip(&plain)),
        ("gzip, members across records", across),
        ("zstd, a frame each", each(zst)),
        ("zstd, one frame", zst(&plain)),
        ("zstd with dictionary", with_dictionary),
        ("zstd with packed dictionary", with_packed_dictionary),
    ] {
        let read = read(&bytes);
        assert_eq!(read.addresses(), (0..40).collect::<Vec<_>>(), "{name}");
        assert!(
            read.skipped.is_empty() && read.noted.is_empty(),
            "{name}: {:?}",
            read.skipped
        );
        for (n, (page, _)) in (0..).zip(&read.pages) {
            assert_eq!(page.body, page_text(n).as_bytes(), "{name}");
            assert_eq!(page.status, Some(200));
            assert_eq!(page.http_charset(), Some("utf-8"));
        }
        let moment = read.pages[7].0.moment.unwrap();
        assert_eq!(moment.to_string(), "2025-08-31T06:00:07Z", "{name}");
    }
}

#[test]
fn a_cut_or_damaged_file_yields_every_good_record_and_a_finding() {
    for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zst)] {
        let members: Vec<Vec<u8>> = (0..30).map(|n| pack(&plain_response(n))).collect();
        let whole = members.concat();
        let starts: Vec<u64> = members
            .iter()
            .scan(0, |at, member| {
                let start = *at;
                *at += member.len() as u64;
                Some(start)
            })
            .collect();

        let cut = read(&whole[..whole.len() - 20]);
        assert_eq!(cut.addresses(), (0..29).collect::<Vec<_>>(), "{name}");
        assert_eq!(
            cut.skipped(),
            [(At::Offset(starts[29]), Reason::Truncated)],
            "{name}"
        );

        for victim in [0, 11, 28] {
            let mut damaged = whole.clone();
            let middle = starts[victim] as usize + members[victim].len() / 2;
            for byte in &mut damaged[middle..middle + 8] {
                *byte ^= 0xa5;
            }
            let read = read(&damaged);
            let good: Vec<u32> = (0..30).filter(|n| *n as usize != victim).collect();
            assert_eq!(read.addresses(), good, "{name} {victim}");
            assert_eq!(read.skipped.len(), 1, "{name} {victim}: {:?}", read.skipped);
            assert_eq!(
                read.skipped[0].place.at,
                At::Offset(starts[victim]),
                "{name} {victim}"
            );
        }

        let mut garbage = members[..10].concat();
        garbage.extend_from_slice(b"\x1f\x8bno member at all \x28\xb5\x2f\xfd neither");
        garbage.extend_from_slice(&members[10..].concat());
        let read = read(&garbage);
        assert_eq!(read.addresses(), (0..30).collect::<Vec<_>>(), "{name}");
        assert!(!read.skipped.is_empty(), "{name}");
    }
}

#[test]
fn damage_in_a_plain_file_costs_one_record() {
    let records: Vec<Vec<u8>> = (0..10).map(plain_response).collect();
    let broken_header = |change: fn(String) -> String| {
        let mut bytes = Vec::new();
        for (n, record) in records.iter().enumerate() {
            if n == 4 {
                let text = String::from_utf8(record.clone()).unwrap();
                bytes.extend_from_slice(change(text).as_bytes());
            } else {
                bytes.extend_from_slice(record);
            }
        }
        read(&bytes)
    };
    let without_4: Vec<u32> = (0..10).filter(|n| *n != 4).collect();

    let read = broken_header(|text| text.replace("Content-Length:", "Content-Langth:"));
    assert_eq!(read.addresses(), without_4);
    assert_eq!(read.skipped[0].reason, Reason::BadHeader);

    let read = broken_header(|text| text.replace("Content-Length: ", "Content-Length: x"));
    assert_eq!(read.addresses(), without_4);

    let read = broken_header(|text| text.replacen("WARC/1.0", "WARC/one", 1));
    assert_eq!(read.addresses(), without_4);

    let read = broken_header(|text| format!("so much for that\r\n{text}"));
    assert_eq!(read.addresses(), (0..10).collect::<Vec<_>>());
    assert_eq!(read.skipped[0].reason, Reason::Garbage);

    let read = broken_header(|text| text.replace("WARC-Target-URI", "X-Target-URI"));
    assert_eq!(read.addresses(), without_4);
    assert_eq!(read.skipped[0].reason, Reason::NoUrl);
}

#[test]
fn a_wrong_length_is_noticed_and_the_next_record_is_found() {
    let good = plain_response(1);
    let text = String::from_utf8(good.clone()).unwrap();
    let at = text.find("Content-Length: ").unwrap() + 16;
    let length: usize = text[at..].split('\r').next().unwrap().parse().unwrap();
    let with = |length: usize| {
        let wrong = text.replacen(
            &text[at..at + text[at..].find('\r').unwrap()],
            &length.to_string(),
            1,
        );
        [
            plain_response(0),
            wrong.into_bytes(),
            plain_response(2),
            plain_response(3),
        ]
        .concat()
    };
    // Too long: the next record tells where this one ends, and nothing is lost.
    let read_long = read(&with(length + 400));
    assert_eq!(read_long.addresses(), [0, 1, 2, 3]);
    assert_eq!(read_long.noted(), [Reason::BadLength]);
    assert_eq!(read_long.pages[1].0.body, page_text(1).as_bytes());
    // Too short: what is declared is kept, with a note, and the reader finds the next record.
    let read_short = read(&with(length - 30));
    assert_eq!(read_short.addresses(), [0, 1, 2, 3]);
    assert_eq!(read_short.noted(), [Reason::BadLength]);
    // In a compressed member of its own, the member tells.
    let wrong = text.replacen(&length.to_string(), &(length + 9).to_string(), 1);
    let bytes = [gzip(wrong.as_bytes()), gzip(&plain_response(2))].concat();
    let read_member = read(&bytes);
    assert_eq!(read_member.addresses(), [1, 2]);
    assert_eq!(read_member.noted(), [Reason::BadLength]);
    // Absurdly long: the record cannot be read, and that is said.
    let read_absurd = read(&with(usize::MAX / 2));
    assert_eq!(read_absurd.addresses(), [0]);
    assert_eq!(read_absurd.skipped[0].reason, Reason::TooLarge);
}

#[test]
fn a_page_that_did_not_come_whole_is_kept_and_noted() {
    let whole = HTML.len();
    let announced = |length: usize| {
        response(
            1,
            &http(&format!("Content-Length: {length}\r\n"), HTML.as_bytes()),
        )
    };
    assert_eq!(read(&announced(whole)).noted(), []);
    let short = read(&announced(whole + 1));
    assert_eq!(short.addresses(), [1]);
    assert_eq!(short.noted(), [Reason::BadLength]);

    let truncated = record(
        &[
            ("WARC-Type", "response"),
            ("WARC-Target-URI", "https://news.example/2"),
            ("WARC-Date", "2025-08-31T06:00:00Z"),
            ("WARC-Truncated", "length"),
            ("Content-Type", "application/http; msgtype=response"),
        ],
        &http("", HTML.as_bytes()),
    );
    let truncated = read(&truncated);
    assert_eq!(truncated.addresses(), [2]);
    assert_eq!(truncated.noted(), [Reason::Truncated]);
}

#[test]
fn a_page_cut_out_of_a_large_block_holds_only_itself() {
    let head = "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://news.example/1\r\n\
                WARC-Date: 2025-08-31T06:00:00Z\r\nContent-Length: 4000000\r\n\r\n";
    let mut bytes = [head.as_bytes(), &http("", b"<p>1</p>"), b"\r\n\r\n"].concat();
    bytes.extend_from_slice(&plain_response(2));
    bytes.resize(bytes.len() + 5_000_000, b' ');
    let read = read(&bytes);
    assert_eq!(read.addresses(), [1, 2]);
    for (page, _) in &read.pages {
        assert!(page.body.capacity() < 1 << 16, "{} bytes", page.body.capacity());
    }
}

#[test]
fn records_that_all_reach_to_the_same_end_are_not_read_again_and_again() {
    let mut bytes = b"WARC/1.0\r\nContent-Length: 4000000\r\n\r\n".repeat(20_000);
    bytes.resize(bytes.len() + 5_000_000, b' ');
    let mut reader = Reader::new(Stream::new(bytes.as_slice()));
    let mut read = 0;
    while let Some(record) = reader.next_record() {
        if record.is_ok() {
            reader.read_block(8 << 20).unwrap();
            read += 1;
        }
    }
    assert!(
        (60..80).contains(&read),
        "{read} blocks of 4 MB, 256 MiB of them twice"
    );
}

#[test]
fn codings_are_taken_off_and_lies_about_them_noted() {
    let page = page_text(5);
    let chunked = |body: &[u8]| {
        let mut chunks = Vec::new();
        for chunk in body.chunks(100) {
            chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            chunks.extend_from_slice(chunk);
            chunks.extend_from_slice(b"\r\n");
        }
        chunks.extend_from_slice(b"0\r\n\r\n");
        chunks
    };
    let mut brotlied = Vec::new();
    brotli::CompressorWriter::new(&mut brotlied, 4096, 5, 20)
        .write_all(page.as_bytes())
        .unwrap();
    let both = "Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n";
    let gzipped = gzip(page.as_bytes());
    for (headers, body, notes) in [
        ("Transfer-Encoding: chunked\r\n", chunked(page.as_bytes()), vec![]),
        (both, chunked(&gzipped), vec![]),
        ("Content-Encoding: br\r\n", brotlied, vec![]),
        ("Content-Encoding: zstd\r\n", zst(page.as_bytes()), vec![]),
        ("Content-Encoding: gzip\r\n", page.clone().into_bytes(), vec![]),
        (both, page.clone().into_bytes(), vec![Reason::BadChunks]),
        (
            "Transfer-Encoding: chunked\r\n",
            {
                let mut cut = chunked(page.as_bytes());
                cut.truncate(cut.len() - 5);
                cut
            },
            vec![Reason::BadChunks],
        ),
    ] {
        let read = read(&response(5, &http(headers, &body)));
        assert_eq!(read.pages.len(), 1, "{headers}: {:?}", read.skipped);
        assert_eq!(read.pages[0].0.body, page.as_bytes(), "{headers}");
        assert_eq!(read.noted(), notes, "{headers}");
    }
    let cut = read(&response(5, &http("Content-Encoding: gzip\r\n", &gzipped[..60])));
    assert_eq!(cut.skipped[0].reason, Reason::BadEncoding);
    let unknown = read(&response(5, &http("Content-Encoding: compress\r\n", b"\x1f\x9d")));
    assert_eq!(unknown.skipped[0].reason, Reason::BadEncoding);
}

#[test]
fn bombs_are_refused_at_the_limit() {
    let options = SourceOptions {
        max_page_size: 1 << 20,
        ..SourceOptions::default()
    };
    let bomb = gzip(&vec![b'<'; 30 << 20]);
    let inside = response(1, &http("Content-Encoding: gzip\r\n", &bomb));
    let outside = response(2, &http("", &vec![b'<'; 30 << 20]));
    let bytes = [gzip(&inside), gzip(&outside), gzip(&plain_response(3))].concat();
    let read = read_with(&bytes, &options);
    assert_eq!(read.addresses(), [3]);
    let reasons: Vec<Reason> = read.skipped.iter().map(|fault| fault.reason).collect();
    assert_eq!(reasons, [Reason::TooLarge, Reason::TooLarge]);
    assert!(read.skipped[0].message.contains("--max-page-size"));
}

#[test]
fn the_meaning_of_a_payload_digest_is_told() {
    let page = page_text(1);
    let packed = gzip(page.as_bytes());
    let with = |digest: &str, headers: &str, body: &[u8]| {
        let bytes = record(
            &[
                ("WARC-Type", "response"),
                ("WARC-Target-URI", "<https://news.example/1>"),
                ("WARC-Date", "2025-08-31T06:00:00Z"),
                ("WARC-Payload-Digest", digest),
                ("Content-Type", "application/http"),
            ],
            &http(headers, body),
        );
        read(&bytes)
    };
    let coded = "Content-Encoding: gzip\r\n";
    let wire = declare(Algorithm::Sha1, &packed).to_string();
    let decoded = declare(Algorithm::Sha256, page.as_bytes()).to_string();
    for (digest, meaning) in [(&wire, "wire"), (&decoded, "decoded")] {
        let read = with(digest, coded, &packed);
        assert_eq!(read.pages[0].0.metadata["warc"]["payload-digest-of"], meaning);
        assert_eq!(read.pages[0].0.address, "https://news.example/1");
        assert_eq!(read.noted(), []);
    }
    let other = declare(Algorithm::Sha1, b"something else").to_string();
    let read = with(&other, coded, &packed);
    assert_eq!(read.pages.len(), 1);
    assert_eq!(read.noted(), [Reason::DigestMismatch]);
    assert!(
        !read.pages[0].0.metadata["warc"]
            .as_object()
            .unwrap()
            .contains_key("payload-digest-of")
    );
}

fn revisit(n: u32, refers_to: u32, head: &[u8]) -> Vec<u8> {
    let target = format!("https://news.example/{n}");
    let original = format!("https://news.example/{refers_to}");
    let date = format!("2025-08-31T06:{:02}:{:02}Z", refers_to / 60, refers_to % 60);
    record(
        &[
            ("WARC-Type", "revisit"),
            ("WARC-Target-URI", &target),
            ("WARC-Date", "2025-09-01T00:00:00Z"),
            ("WARC-Refers-To-Target-URI", &original),
            ("WARC-Refers-To-Date", &date),
        ],
        head,
    )
}

#[test]
fn revisits_find_their_originals() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Seen: again\r\n\r\n";
    let image = record(
        &[
            ("WARC-Type", "response"),
            ("WARC-Target-URI", "https://news.example/3"),
            ("WARC-Date", "2025-08-31T06:00:03Z"),
            ("Content-Type", "application/http"),
        ],
        b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG",
    );
    let records = [
        plain_response(1),
        image,
        plain_response(2),
        revisit(10, 1, head),
        revisit(11, 2, b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        revisit(12, 3, b""),
        revisit(13, 99, head),
    ];
    for bytes in [
        records.concat(),
        records.iter().flat_map(|record| gzip(record)).collect(),
        gzip(&records.concat()),
        records.iter().flat_map(|record| zst(record)).collect(),
    ] {
        let read = read(&bytes);
        assert_eq!(read.addresses(), [1, 2, 10, 11]);
        assert_eq!(read.pages[2].0.body, page_text(1).as_bytes());
        assert_eq!(read.pages[2].0.header("x-seen"), Some("again"));
        assert_eq!(
            read.pages[2].0.moment.unwrap().to_string(),
            "2025-09-01T00:00:00Z"
        );
        assert_eq!(read.pages[3].0.body, page_text(2).as_bytes());
        assert_eq!(
            read.pages[3].0.status,
            Some(200),
            "not modified: the original's answer stands"
        );
        let left: Vec<Reason> = read.left_out.iter().map(|fault| fault.reason).collect();
        assert_eq!(left, [Reason::MediaType, Reason::MediaType]);
        assert_eq!(read.skipped.len(), 1);
        assert_eq!(read.skipped[0].reason, Reason::UnresolvedRevisit);
    }
    // The archive is asked for what no earlier record holds.
    let options = SourceOptions {
        revisits: Revisits::with_archive(|revisit| {
            Ok((revisit.address == "https://news.example/99").then(|| Page {
                body: b"<p>from the archive</p>".to_vec(),
                status: Some(200),
                ..Page::default()
            }))
        }),
        ..SourceOptions::default()
    };
    let read = read_with(&records.concat(), &options);
    assert_eq!(read.addresses(), [1, 2, 10, 11, 13]);
    assert_eq!(read.pages[4].0.body, b"<p>from the archive</p>");
}

#[test]
fn a_revisit_that_only_names_a_record_finds_that_record() {
    let capture = |kind: &str, id: u32, more: (&str, &str), block: &[u8]| {
        let id = format!("<urn:uuid:{id}>");
        let fields = [
            ("WARC-Type", kind),
            ("WARC-Record-ID", &*id),
            ("WARC-Target-URI", "https://news.example/1"),
            ("WARC-Date", "2025-08-31T06:00:00Z"),
            ("Content-Type", "application/http; msgtype=response"),
            more,
        ];
        record(&fields, block)
    };
    let none = ("X-None", "");
    let records = [
        capture("response", 1, none, &http("", b"<p>one</p>")),
        capture("response", 2, none, &http("", b"<p>two</p>")),
        capture("revisit", 3, ("WARC-Refers-To", "<urn:uuid:1>"), b""),
        capture("revisit", 4, ("WARC-Refers-To-Target-URI", ""), b""),
    ];
    for bytes in [
        records.concat(),
        records.iter().flat_map(|record| gzip(record)).collect(),
        gzip(&records.concat()),
    ] {
        let read = read(&bytes);
        assert!(read.skipped.is_empty(), "{:?}", read.skipped);
        let bodies: Vec<&[u8]> = read.pages.iter().map(|(page, _)| &*page.body).collect();
        assert_eq!(
            bodies,
            [b"<p>one</p>", b"<p>two</p>", b"<p>one</p>", b"<p>two</p>"]
        );
    }
}

#[test]
fn a_revisit_finds_an_original_in_another_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.warc.gz"), gzip(&plain_response(1))).unwrap();
    fs::write(folder.path().join("b.warc.gz.open"), gzip(&revisit(2, 1, b""))).unwrap();
    let read = read_file(folder.path(), &SourceOptions::default());
    assert_eq!(read.addresses(), [1, 2]);
    assert_eq!(read.pages[1].0.body, page_text(1).as_bytes());
}

#[test]
fn only_what_was_asked_for_is_taken() {
    let other = |kind: &str, content_type: &str, block: &[u8]| {
        record(
            &[
                ("WARC-Type", kind),
                ("WARC-Target-URI", "https://news.example/7"),
                ("WARC-Date", "2025-08-31"),
                ("Content-Type", content_type),
            ],
            block,
        )
    };
    let json = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}";
    let bytes = [
        other("warcinfo", "application/warc-fields", b"software: none\r\n"),
        other("request", "application/http", b"GET / HTTP/1.1\r\n\r\n"),
        other("response", "application/http", json),
        other("resource", "text/html", HTML.as_bytes()),
        other(
            "response",
            "application/http",
            b"HTTP/1.1 301 Moved\r\nContent-Type: text/html\r\nLocation: /8\r\n\r\n",
        ),
        other(
            "response",
            "application/http",
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        ),
        other(
            "response",
            "application/http",
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n%PDF-1.7",
        ),
        other("response", "application/http", b"no header"),
        other("resource", "text/html", b""),
    ]
    .concat();
    let read_default = read(&bytes);
    let statuses: Vec<Option<u16>> = read_default.pages.iter().map(|(page, _)| page.status).collect();
    assert_eq!(statuses, [None, Some(301)]);
    let left: Vec<Reason> = read_default.left_out.iter().map(|fault| fault.reason).collect();
    assert_eq!(
        left,
        [
            Reason::RecordType,
            Reason::RecordType,
            Reason::MediaType,
            Reason::NotHtml
        ]
    );
    let reasons: Vec<Reason> = read_default.skipped.iter().map(|fault| fault.reason).collect();
    assert_eq!(reasons, [Reason::Empty, Reason::BadHttp, Reason::Empty]);
    let options = SourceOptions {
        media_types: vec!["*".to_owned()],
        ..SourceOptions::default()
    };
    assert_eq!(read_with(&bytes, &options).pages.len(), 3);
}

#[test]
fn a_resource_keeps_the_charset_its_record_declares() {
    let resource = record(
        &[
            ("WARC-Type", "resource"),
            ("WARC-Target-URI", "https://news.example/1"),
            ("WARC-Date", "2025-08-31T06:00:00Z"),
            ("Content-Type", "text/html; charset=euc-kr"),
        ],
        b"<p>\xb4\xab</p>",
    );
    let read = read(&resource);
    assert_eq!(read.pages[0].0.http_charset(), Some("euc-kr"));
}

#[test]
fn arc_files_are_read() {
    let arc = |address: &str, content_type: &str, block: &[u8]| {
        let mut bytes = format!(
            "{address} 192.0.2.1 20010203040506 {content_type} {}\n",
            block.len()
        )
        .into_bytes();
        bytes.extend_from_slice(block);
        bytes.push(b'\n');
        bytes
    };
    let version = b"1 0 Archiver\nURL IP-address Archive-date Content-type Archive-length\n";
    let records = [
        arc("filedesc://old.arc", "text/plain", version),
        arc(
            "http://news.example/1",
            "text/html",
            b"HTTP/1.0 200 OK\nContent-Type: text/html\n\n<p>one</p>",
        ),
        arc(
            "http://news.example/a b/2",
            "text/html",
            b"<p>no header at all</p>",
        ),
        arc(
            "http://news.example/x.gif",
            "image/gif",
            b"HTTP/1.0 200 OK\nContent-Type: image/gif\n\nGIF89a",
        ),
        arc("dns:news.example", "text/dns", b"192.0.2.1"),
        arc(
            "http://news.example/3",
            "text/html",
            b"HTTP/1.0 200 OK\nContent-Type: text/html\n\n<p>three</p>",
        ),
    ];
    for bytes in [
        records.concat(),
        records.iter().flat_map(|record| gzip(record)).collect(),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.arc.gz");
        fs::write(&path, &bytes).unwrap();
        let read = read_file(&path, &SourceOptions::default());
        assert_eq!(read.addresses(), [1, 2, 3]);
        assert_eq!(read.pages[0].0.body, b"<p>one</p>");
        assert_eq!(
            read.pages[0].0.moment.unwrap().to_string(),
            "2001-02-03T04:05:06Z"
        );
        assert_eq!(read.pages[1].0.body, b"<p>no header at all</p>");
        assert_eq!((read.left_out.len(), read.skipped.len()), (3, 0));
    }
}

#[test]
fn the_warcs_in_a_wacz_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &Path, entries: &[(&str, Vec<u8>, zip::CompressionMethod)]| {
        let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
        for (name, bytes, method) in entries {
            let options = zip::write::SimpleFileOptions::default().compression_method(*method);
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
    };
    let inner = folder.path().join("inner.zip");
    let stored = zip::CompressionMethod::Stored;
    write(
        &inner,
        &[("archive/in.warc.gz", gzip(&plain_response(3)), stored)],
    );
    let path = folder.path().join("crawl.wacz");
    write(
        &path,
        &[
            ("datapackage.json", b"{}".to_vec(), stored),
            ("archive/a.warc.gz", gzip(&plain_response(1)), stored),
            (
                "archive/b.warc",
                [plain_response(2), revisit(9, 1, b"")].concat(),
                zip::CompressionMethod::Deflated,
            ),
            ("archive/inner.wacz", fs::read(&inner).unwrap(), stored),
        ],
    );
    let read = read_file(&path, &SourceOptions::default());
    assert_eq!(read.addresses(), [1, 2, 9, 3]);
    assert!(read.skipped.is_empty(), "{:?}", read.skipped);
    assert_eq!(
        read.noted(),
        [Reason::NoPackage, Reason::BadJson],
        "nothing says what belongs in it"
    );

    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 100]).unwrap();
    let read = read_file(&path, &SourceOptions::default());
    assert_eq!(read.skipped[0].reason, Reason::Damaged);
    // Without the list at its end the files are read as they stand, here the one inside as well.
    assert_eq!(read.addresses(), [1, 2, 9, 3]);
    assert_eq!(read.skipped.len(), 1, "{:?}", read.skipped);

    // Cut off inside of the second WARC.
    let second = b"archive/b.warc";
    let at = whole
        .windows(second.len())
        .position(|name| name == second)
        .unwrap();
    fs::write(&path, &whole[..at + second.len() + 40]).unwrap();
    let read = read_file(&path, &SourceOptions::default());
    assert_eq!(read.addresses(), [1]);
    assert_eq!(read.skipped[0].reason, Reason::Damaged);
}

/// Writes a zip file of these entries, stored as they are.
pub fn zip_file(path: &Path, entries: &[(&str, Vec<u8>)]) {
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in entries {
        zip.start_file(*name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn hashes_and_indexes_of_a_wacz_are_held_against_its_files() {
    use pressmark::digest::sha256;
    use serde_json::json;

    let (one, two) = (gzip(&plain_response(1)), gzip(&plain_response(2)));
    let warc = [one.clone(), two.clone()].concat();
    let line = |n: u32, offset: usize| {
        let url = format!("https://news.example/{n}");
        let rest = json!({"url": url, "offset": offset.to_string(), "filename": "a.warc.gz"});
        format!("example,news)/{n} 20250831060000 {rest}\n")
    };
    let good = [line(1, 0), line(2, one.len())].concat();
    let write = |lines: &str, say: &dyn Fn(&mut serde_json::Value)| {
        let blocks = gzip(lines.as_bytes());
        let block =
            json!({"offset": 0, "length": blocks.len(), "digest": format!("sha256:{}", sha256(&blocks))});
        let index =
            format!("!meta 0 {{\"filename\": \"index.cdx.gz\"}}\nexample,news)/1 20250831060000 {block}\n");
        let files = [
            ("archive/a.warc.gz", warc.clone()),
            ("indexes/index.cdx.gz", blocks),
            ("indexes/index.idx", index.into_bytes()),
        ];
        let resources: Vec<_> = files
            .iter()
            .map(|(path, bytes)| {
                json!({"path": path, "bytes": bytes.len(), "hash": format!("sha256:{}", sha256(bytes))})
            })
            .collect();
        let mut package = json!({"resources": resources});
        say(&mut package);
        let package = package.to_string().into_bytes();
        let digest = json!({"path": "datapackage.json", "hash": format!("sha256:{}", sha256(&package))});
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wacz");
        let mut entries = files.to_vec();
        entries.push(("datapackage.json", package));
        entries.push(("datapackage-digest.json", digest.to_string().into_bytes()));
        zip_file(&path, &entries);
        let read = read_file(&path, &SourceOptions::default());
        assert_eq!(read.addresses(), [1, 2], "{:?}", read.skipped);
        assert_eq!(read.skipped, []);
        read.noted
            .iter()
            .map(|fault| {
                let file = fault
                    .place
                    .file
                    .split_once("x.wacz")
                    .unwrap()
                    .1
                    .trim_start_matches('/')
                    .to_owned();
                (file, fault.place.at, fault.reason)
            })
            .collect::<Vec<_>>()
    };
    let found = |file: &str, at: At, reason: Reason| (file.to_owned(), at, reason);
    assert_eq!(write(&good, &|_| {}), []);
    assert_eq!(
        write(&good, &|package| package["resources"][0]["hash"] =
            json!("sha256:00")),
        [found("archive/a.warc.gz", At::Whole, Reason::BadDigest)],
        "no digest"
    );
    assert_eq!(
        write(&good, &|package| package["resources"][1]["hash"] =
            serde_json::Value::Null),
        [found("indexes/index.cdx.gz", At::Whole, Reason::BadDigest)]
    );
    assert_eq!(
        write(&good, &|package| {
            package["resources"][1].as_object_mut().unwrap().remove("hash");
        }),
        [found("indexes/index.cdx.gz", At::Whole, Reason::DigestUnchecked)]
    );
    let other = format!("sha256:{}", sha256(b"other"));
    for (n, path) in [(0, "archive/a.warc.gz"), (2, "indexes/index.idx")] {
        assert_eq!(
            write(&good, &|package| package["resources"][n]["hash"] = json!(other)),
            [found(path, At::Whole, Reason::DigestMismatch)]
        );
    }
    assert_eq!(
        write(&good, &|package| package["resources"][1]["bytes"] = json!(7)),
        [found("indexes/index.cdx.gz", At::Whole, Reason::BadLength)]
    );
    assert_eq!(
        write(&good, &|package| package["resources"][1]["path"] =
            json!("indexes/gone.cdx")),
        [found("datapackage.json", At::Whole, Reason::Vanished)]
    );
    let wrong = [line(1, one.len()), line(2, 7), good].concat();
    assert_eq!(
        write(&wrong, &|_| {}),
        [
            found("indexes/index.cdx.gz", At::Line(1), Reason::IndexMismatch),
            found("indexes/index.cdx.gz", At::Line(2), Reason::IndexMismatch),
        ]
    );
    assert_eq!(
        write(&line(1, 0), &|_| {}),
        [found("archive/a.warc.gz", At::Whole, Reason::IndexMismatch)],
        "the second record is in no index"
    );
}

#[test]
fn blocks_of_an_index_that_lie_on_top_of_one_another_are_not_all_read() {
    use pressmark::digest::sha256;

    let mut noise = 1_u64;
    let mut block = b"\x1f\x8b".to_vec();
    block.extend((0..200_000).map(|_| {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise as u8
    }));
    let line = serde_json::json!({
        "offset": 0, "length": block.len(), "digest": format!("sha256:{}", sha256(&block)),
    });
    let index = format!("example,news)/1 20250831060000 {line}\n").repeat(5);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wacz");
    zip_file(
        &path,
        &[
            ("archive/a.warc.gz", gzip(&plain_response(1))),
            ("indexes/index.cdx.gz", block),
            ("indexes/index.idx", index.into_bytes()),
        ],
    );
    let read = read_file(&path, &SourceOptions::default());
    assert_eq!(read.addresses(), [1]);
    let told = read
        .noted
        .iter()
        .filter(|fault| fault.message.contains("on top of one another"));
    assert_eq!(told.count(), 4);
}

#[test]
fn many_redirects_and_duplicates_are_no_trouble() {
    let redirect = |n: u32| {
        let mut block = b"HTTP/1.1 302 Found\r\nContent-Type: text/html\r\nLocation: /next\r\n\r\n".to_vec();
        block.extend_from_slice(b"<p>moved</p>");
        response(n % 3600, &block)
    };
    let mut bytes = Vec::new();
    for n in 0..100_000 {
        bytes.extend_from_slice(&redirect(n));
    }
    let read = read(&bytes);
    assert_eq!(read.pages.len(), 100_000);
    assert!(read.pages.iter().all(|(page, _)| page.status == Some(302)));
}

#[test]
fn any_cut_and_any_flipped_byte_ends_well() {
    let records: Vec<u8> = (0..4)
        .flat_map(|n| gzip(&response(n, &http("", HTML.as_bytes()))))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.warc.gz");
    for at in (0..records.len()).step_by(3) {
        fs::write(&path, &records[..at]).unwrap();
        let cut = read_file(&path, &SourceOptions::default());
        assert!(cut.pages.len() < 4);
        let mut flipped = records.clone();
        flipped[at] ^= 0x10;
        fs::write(&path, &flipped).unwrap();
        let flipped = read_file(&path, &SourceOptions::default());
        assert!(
            flipped.pages.len() >= 2,
            "byte {at}: {} pages",
            flipped.pages.len()
        );
    }
}

/// Inputs that mutations start from: every format and compression.
fn seeds() -> Vec<Vec<u8>> {
    let page = http(
        "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        b"5\r\nabcde\r\n0\r\n\r\n",
    );
    let records = [
        plain_response(1),
        response(2, &page),
        revisit(3, 1, b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        response(4, &http("Content-Encoding: br\r\n", b"\x0b\x02\x80abc\x03")),
    ];
    let arc = b"filedesc://x.arc 192.0.2.1 20010203040506 text/plain 5\n1 0 A\nhttp://a.example/ 192.0.2.1 20010203040506 text/html 3\n<p>\n";
    vec![
        records.concat(),
        records.iter().flat_map(|record| gzip(record)).collect(),
        records.iter().flat_map(|record| zst(record)).collect(),
        gzip(&records.concat()),
        arc.to_vec(),
        [gzip(arc), gzip(arc)].concat(),
        br#"{"url":"https://a.example/","fetched_at":"2025-01-01T00:00:00Z","html":"<p>a"}"#.to_vec(),
    ]
}

/// What a reader makes of an input, in words. Reading ahead changes nothing but the time it takes.
fn told(stream: Stream<&[u8]>) -> Vec<String> {
    let mut reader = Reader::new(stream);
    let mut told = Vec::new();
    while let Some(record) = reader.next_record() {
        told.push(match record {
            Ok(record) => format!("{record:?} {:?}", reader.read_block(1 << 16)),
            Err(damage) => format!("{damage:?}"),
        });
    }
    told
}

/// `PRESSMARK_ROUNDS` sets the number of mutated inputs; the default is quick.
#[test]
fn mutated_inputs_end_without_a_panic_and_within_limits() {
    let rounds: u64 = std::env::var("PRESSMARK_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(2000);
    let seeds = seeds();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        // xorshift64: the same inputs every time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let options = SourceOptions {
        max_page_size: 1 << 16,
        ..SourceOptions::default()
    };
    for _ in 0..rounds {
        let mut bytes = seeds[next(seeds.len())].clone();
        for _ in 0..=next(6) {
            let at = next(bytes.len());
            match next(5) {
                0 => bytes[at] = next(256) as u8,
                1 => bytes[at] ^= 1 << next(8),
                2 => bytes.truncate(at + 1),
                3 => {
                    let end = (at + next(40)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = next(bytes.len());
                    bytes.splice(to..to, piece);
                }
                _ => {
                    let end = (at + next(20)).min(bytes.len() - 1);
                    bytes.drain(at..end.max(at));
                }
            }
        }
        let length = bytes.len();
        assert_eq!(told(Stream::new(&*bytes)), told(Stream::at_rest(&*bytes)));
        let mut items = 0;
        for item in source::from_reader("-", std::io::Cursor::new(bytes), &options) {
            items += 1;
            assert!(items <= length + 16, "more items than bytes");
            if let Item::Page(page, _) = item {
                assert!(page.body.len() <= options.max_page_size);
            }
        }
    }
}
