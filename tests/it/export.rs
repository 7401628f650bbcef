//! What goes out comes in again: every export format over self-made snapshots.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use pressmark::digest::blake3;
use pressmark::export::{
    FilesExport, NdjsonContent, NdjsonExport, Outgoing, WaczExport, WaczOptions, WarcExport, WarcOptions,
    write_cdxj,
};
use pressmark::page::Page;
use pressmark::source::{self, Item, SourceOptions};
use pressmark::warc::{Compression, Reader, Stream};

fn outgoing(page: Page) -> Outgoing {
    Outgoing {
        body: blake3(&page.body),
        n: 1,
        revision: true,
        document: Some(pressmark::html::read(
            &page.body,
            &pressmark::html::ReadOptions::default(),
        )),
        page,
        ..Outgoing::default()
    }
}

fn pages() -> Vec<Outgoing> {
    let page = |address: &str, moment: &str, status: Option<u16>, headers: &[(&str, &str)], body: &[u8]| {
        outgoing(Page {
            address: address.to_owned(),
            moment: moment.parse().ok(),
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.to_vec(),
            ..Page::default()
        })
    };
    let html = [("Content-Type", "text/html; charset=utf-8")];
    let coded = [
        ("Content-Type", "text/html"),
        ("Content-Encoding", "gzip"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "17"),
        ("X-Odd", "two\r\nlines"),
    ];
    let mut all = vec![
        page(
            "https://news.example/1?b=2&a=1",
            "2025-08-31T06:01:39Z",
            Some(200),
            &html,
            "<p>하나</p>".as_bytes(),
        ),
        page(
            "https://news.example/1?b=2&a=1",
            "2025-08-31T07:00:00.5Z",
            Some(200),
            &html,
            "<p>하나 더</p>".as_bytes(),
        ),
        page(
            "https://news.example/2",
            "2025-08-31T08:00:00Z",
            Some(200),
            &coded,
            b"<p>two</p>",
        ),
        page(
            "https://other.example/",
            "2025-08-31T09:00:00Z",
            Some(200),
            &html,
            "<p>하나</p>".as_bytes(),
        ),
        page(
            "https://news.example/gone",
            "2025-08-31T09:00:00Z",
            Some(404),
            &html,
            b"<p>gone</p>",
        ),
        page(
            "file:pages/a b.html",
            "2001-02-03T04:05:06Z",
            None,
            &[("Content-Type", "text/html")],
            b"<p>\xff\xfe latin \xe9</p>",
        ),
        page(
            "https://news.example/when",
            "",
            Some(200),
            &html,
            b"<p>no moment</p>",
        ),
    ];
    all[2].page.metadata = serde_json::from_str(
        r#"{"warc":{"WARC-Payload-Digest":"sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ","payload-digest-of":"wire"},"editor":"someone"}"#,
    )
    .unwrap();
    all
}

type Identity = (String, Option<String>, Option<u16>, Vec<u8>);

fn identity(page: &Page) -> Identity {
    (
        page.address.clone(),
        page.moment.map(|moment| moment.to_string()),
        page.status,
        page.body.clone(),
    )
}

fn read(path: &Path) -> Vec<Page> {
    let mut pages = Vec::new();
    for item in source::open(path.to_str().unwrap(), &SourceOptions::default()).unwrap() {
        match item {
            Item::Page(page, _) => pages.push(*page),
            Item::LeftOut(_) => {}
            other => panic!("{other:?}"),
        }
    }
    pages
}

fn identities<'a>(pages: impl IntoIterator<Item = &'a Page>) -> Vec<Identity> {
    pages.into_iter().map(identity).collect()
}

fn expected() -> Vec<Identity> {
    identities(pages().iter().map(|outgoing| &outgoing.page))
}

fn warc(options: &WarcOptions) -> (Vec<u8>, Vec<pressmark::export::CdxjLine>) {
    let (mut export, mut plan) = WarcExport::new(Vec::new(), options.clone());
    for outgoing in pages() {
        export.put(&plan.plan(outgoing).pack().unwrap()).unwrap();
    }
    export.finish().unwrap()
}

#[test]
fn a_warc_gives_the_same_snapshots_back() {
    let folder = tempfile::tempdir().unwrap();
    for compression in [Compression::None, Compression::Gzip(6), Compression::Zstd(3)] {
        for revisit in [false, true] {
            let options = WarcOptions {
                compression,
                revisit,
                ..WarcOptions::default()
            };
            let (bytes, lines) = warc(&options);
            assert_eq!(bytes, warc(&options).0, "an export can be repeated byte for byte");
            let path = folder.path().join("out.warc");
            fs::write(&path, &bytes).unwrap();
            let back = read(&path);
            assert_eq!(identities(&back), expected(), "{compression:?} {revisit}");
            // Codings moved, length recomputed, the digest of the wire kept.
            let coded = &back[2];
            assert_eq!(coded.header("X-Archive-Orig-Content-Encoding"), Some("gzip"));
            assert_eq!(coded.header("Content-Encoding"), None);
            assert_eq!(coded.header("Content-Length"), Some("10"));
            assert_eq!(coded.header("X-Odd"), Some("two  lines"));
            let kept = &coded.metadata["warc"];
            assert_eq!(
                kept["X-Archive-Orig-WARC-Payload-Digest"],
                "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
            );
            assert_eq!(kept["payload-digest-of"], "wire");

            // Every line of the index leads to its record.
            let mut revisits = 0;
            for line in &lines {
                let mut stream = Stream::new(Cursor::new(&bytes));
                stream.seek_to(line.offset.parse().unwrap()).unwrap();
                let record = Reader::new(stream).next_record().unwrap().unwrap();
                assert_eq!(record.target(), Some(line.url.as_str()));
                assert_eq!(
                    record.fields.get("WARC-Payload-Digest"),
                    Some(line.digest.as_str())
                );
                revisits += usize::from(line.mime == "warc/revisit");
            }
            assert_eq!(revisits, usize::from(revisit));

            // Out again: what was exported once is exported the same.
            let (mut again, mut plan) = WarcExport::new(Vec::new(), options.clone());
            for page in back {
                again.put(&plan.plan(outgoing(page)).pack().unwrap()).unwrap();
            }
            let path = folder.path().join("again.warc");
            fs::write(&path, again.finish().unwrap().0).unwrap();
            assert_eq!(identities(&read(&path)), expected());
        }
    }
}

#[test]
fn a_page_whose_answer_a_revisit_cannot_tell_goes_out_whole() {
    let page = |n: u32, status: Option<u16>, body: &[u8]| {
        outgoing(Page {
            address: format!("https://news.example/{n}"),
            moment: "2025-08-31T06:01:39Z".parse().ok(),
            status,
            headers: vec![("Content-Type".to_owned(), format!("text/html; n={n}"))],
            body: body.to_vec(),
            ..Page::default()
        })
    };
    let all = [
        page(1, Some(200), b"<p>one</p>"),
        page(2, None, b"<p>one</p>"),
        page(3, Some(304), b"<p>one</p>"),
        page(4, Some(404), b"<p>one</p>"),
        page(5, Some(301), b""),
        page(6, Some(304), b""),
    ];
    let options = WarcOptions {
        revisit: true,
        ..WarcOptions::default()
    };
    let (mut export, mut plan) = WarcExport::new(Vec::new(), options);
    for outgoing in &all {
        export.put(&plan.plan(outgoing.clone()).pack().unwrap()).unwrap();
    }
    let (bytes, lines) = export.finish().unwrap();
    let revisits = lines.iter().filter(|line| line.mime == "warc/revisit");
    assert_eq!(revisits.count(), 1, "the one with status 404");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.warc.gz");
    fs::write(&path, bytes).unwrap();
    let back = read(&path);
    assert_eq!(
        identities(&back),
        identities(all.iter().map(|outgoing| &outgoing.page))
    );
    for (page, sent) in back.iter().zip(&all).filter(|(page, _)| page.status.is_some()) {
        assert_eq!(page.header("Content-Type"), sent.page.header("Content-Type"));
    }
}

#[test]
fn cdxj_lines_are_sorted_and_complete() {
    let (_, lines) = warc(&WarcOptions::default());
    let mut out = Vec::new();
    write_cdxj(&lines, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), lines.len());
    assert!(rows.is_sorted());
    let first = rows
        .iter()
        .find(|row| row.starts_with("example,news)/1?a=1&b=2 20250831060139 "))
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(&first[first.find('{').unwrap()..]).unwrap();
    assert_eq!(json["mime"], "text/html");
    assert_eq!(json["status"], "200");
    assert_eq!(json["filename"], "pressmark.warc.gz");
}

#[test]
fn a_wacz_gives_the_same_snapshots_back_and_its_hashes_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.wacz");
    let file = fs::File::create(&path).unwrap();
    let (mut export, mut plan) = WaczExport::new(file, WaczOptions::default()).unwrap();
    for outgoing in pages() {
        export.put(&plan.plan(outgoing).pack().unwrap()).unwrap();
    }
    export.finish().unwrap();
    assert_eq!(identities(&read(&path)), expected());

    let mut zip = zip::ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
    let mut entry = |name: &str| {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut zip.by_name(name).unwrap(), &mut bytes).unwrap();
        bytes
    };
    let package: serde_json::Value = serde_json::from_slice(&entry("datapackage.json")).unwrap();
    let resources = package["resources"].as_array().unwrap();
    assert_eq!(resources.len(), 4);
    for resource in resources {
        let bytes = entry(resource["path"].as_str().unwrap());
        assert_eq!(resource["bytes"], bytes.len());
        let hash = format!("sha256:{}", pressmark::digest::sha256(&bytes));
        assert_eq!(resource["hash"], hash);
    }
    let pages_list = String::from_utf8(entry("pages/pages.jsonl")).unwrap();
    assert_eq!(
        pages_list.lines().count(),
        1 + 6,
        "the page with status 404 is no page to start from"
    );
}

#[test]
fn files_give_the_same_snapshots_back() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("tree");
    let mut export = FilesExport::new(&out).unwrap();
    for outgoing in pages() {
        export.add(&outgoing).unwrap();
    }
    export.finish().unwrap();
    assert!(out.join("news.example/2/20250831080000.html").is_file());
    let back = read(&out);
    assert_eq!(identities(&back), expected());
    assert_eq!(back[2].metadata["editor"], "someone");
    assert!(
        FilesExport::new(&out).is_err(),
        "an old export is not written over"
    );
}

#[test]
fn ndjson_holds_blocks_text_or_whole_pages() {
    let write = |content, body_only| {
        let mut export = NdjsonExport::new(Vec::new(), content, body_only);
        for outgoing in pages() {
            export.add(&outgoing).unwrap();
        }
        export.finish().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.ndjson");
    fs::write(&path, write(NdjsonContent::Pages, false)).unwrap();
    assert_eq!(identities(&read(&path)), expected());

    let blocks = write(NdjsonContent::Blocks, false);
    let first: serde_json::Value =
        serde_json::from_slice(blocks.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    let block = &first["blocks"][0];
    assert_eq!(block["text"], "하나");
    assert_eq!(block["kind"], "p");
    assert_eq!(
        block["hash"],
        pressmark::digest::sha256("하나".as_bytes()).to_string()
    );
    let texts = write(NdjsonContent::Text, false);
    let lines: BTreeMap<String, String> = texts
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let value: serde_json::Value = serde_json::from_slice(line).unwrap();
            (
                value["url"].as_str().unwrap().to_owned(),
                value["text"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert_eq!(lines["https://news.example/2"], "two");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_tables_hold_every_row() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use pressmark::export::parquet::ParquetExport;

    let folder = tempfile::tempdir().unwrap();
    let (snapshots, blocks) = (folder.path().join("s.parquet"), folder.path().join("b.parquet"));
    let create = |path| fs::File::create(path).unwrap();
    let mut export = ParquetExport::new(create(&snapshots), create(&blocks), false).unwrap();
    for outgoing in pages() {
        export.add(&outgoing).unwrap();
    }
    export.finish().unwrap();
    let rows = |path| {
        let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
        reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let snapshot_rows = rows(&snapshots);
    assert_eq!(snapshot_rows.len(), pages().len());
    assert!(
        snapshot_rows[0].contains("url_surtkey: \"example,news)/1?a=1&b=2\""),
        "{}",
        snapshot_rows[0]
    );
    assert!(
        snapshot_rows[6].contains("fetch_time: null"),
        "{}",
        snapshot_rows[6]
    );
    let count: usize = pages()
        .iter()
        .map(|o| o.document.as_ref().unwrap().blocks.len())
        .sum();
    assert_eq!(rows(&blocks).len(), count);
}
