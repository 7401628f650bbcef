//! Sources over real directories, files and streams, good and bad.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use pressmark::page::Page;
use pressmark::source::{self, At, Fault, Item, KeyMap, Reason, SourceOptions};

const PAGE: &[u8] = "<html><p>눈이 내렸다.</p></html>".as_bytes();

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn read(argument: &Path, options: &SourceOptions) -> (Vec<(Page, At)>, Vec<Fault>) {
    let mut pages = Vec::new();
    let mut faults = Vec::new();
    for item in source::open(argument.to_str().unwrap(), options).unwrap() {
        match item {
            Item::Page(page, place) => pages.push((*page, place.at)),
            Item::Skipped(fault) | Item::LeftOut(fault) | Item::Noted(fault) => faults.push(fault),
        }
    }
    (pages, faults)
}

fn reasons(faults: &[Fault]) -> Vec<(At, Reason)> {
    faults
        .iter()
        .map(|fault| (fault.place.at, fault.reason))
        .collect()
}

#[test]
fn a_directory_is_walked_in_sorted_order() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.html", "a/z.HTM", "a/b.html", "notes.txt", "c.html"] {
        write(folder.path(), name, PAGE);
    }
    let (pages, faults) = read(folder.path(), &SourceOptions::default());
    assert_eq!(
        reasons(&faults),
        [(At::Whole, Reason::FileType)],
        "notes.txt is counted"
    );
    let addresses: Vec<&str> = pages.iter().map(|(page, _)| page.address.as_str()).collect();
    assert_eq!(
        addresses,
        ["file:a/b.html", "file:a/z.HTM", "file:b.html", "file:c.html"]
    );
    assert!(
        pages
            .iter()
            .all(|(page, _)| page.body == PAGE && page.moment.is_some())
    );

    let options = SourceOptions {
        base_url: Some("https://news.example/x/".to_owned()),
        ..SourceOptions::default()
    };
    let (pages, _) = read(folder.path(), &options);
    assert_eq!(pages[0].0.address, "https://news.example/x/a/b.html");
}

#[test]
fn bad_files_are_faults_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "0-empty.html", b"");
    write(folder.path(), "1-text.html", b"no markup here, 1 < 2\0\x01");
    write(folder.path(), "2-big.html", &[b'<', b'p', b'>'].repeat(2000));
    write(folder.path(), "3-nul.html", b"\0\0<p>\0text</p>");
    write(folder.path(), "9-good.html", PAGE);
    let options = SourceOptions {
        max_page_size: 4096,
        ..SourceOptions::default()
    };
    let (pages, faults) = read(folder.path(), &options);
    let found: BTreeMap<String, Reason> = faults
        .iter()
        .map(|fault| {
            let name = fault.place.file.rsplit('/').next().unwrap().to_owned();
            (name, fault.reason)
        })
        .collect();
    let expected = [
        ("0-empty.html", Reason::Empty),
        ("1-text.html", Reason::NotHtml),
        ("2-big.html", Reason::TooLarge),
    ];
    assert_eq!(
        found,
        expected.map(|(name, reason)| (name.to_owned(), reason)).into()
    );
    let addresses: Vec<&str> = pages.iter().map(|(page, _)| page.address.as_str()).collect();
    assert_eq!(addresses, ["file:3-nul.html", "file:9-good.html"]);
    assert!(faults[2].to_string().contains("--max-page-size"));
}

#[cfg(unix)]
#[test]
fn link_loops_pipes_and_vanishing_files_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a/good.html", PAGE);
    write(folder.path(), "z/gone.html", PAGE);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("b-dangling.html")).unwrap();
    let pipe = folder.path().join("c-pipe.html");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );

    let mut opened = source::open(folder.path().to_str().unwrap(), &SourceOptions::default()).unwrap();
    let mut listed = Vec::new();
    while let Some(entry) = opened.next_listed() {
        listed.push(entry);
    }
    fs::remove_file(folder.path().join("z/gone.html")).unwrap();
    let mut pages = 0;
    let mut found = Vec::new();
    for entry in listed {
        match entry.read(opened.options()).1 {
            Item::Page(..) => pages += 1,
            Item::Skipped(fault) => found.push(fault.reason),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pages, 1);
    assert_eq!(
        found,
        [
            Reason::LinkLoop,
            Reason::Vanished,
            Reason::NotAFile,
            Reason::Vanished
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_directory_without_permission_is_a_fault() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a/secret.html", PAGE);
    write(folder.path(), "b.html", PAGE);
    let closed = folder.path().join("a");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(&closed).is_ok() {
        eprintln!("SKIPPED: this user may read every directory");
        return;
    }
    let (pages, faults) = read(folder.path(), &SourceOptions::default());
    assert_eq!(pages.len(), 1);
    assert_eq!(reasons(&faults), [(At::Whole, Reason::Permission)]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_index_is_read_instead_of_the_walk() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "one.html", PAGE);
    write(folder.path(), "not-listed.html", PAGE);
    let index = concat!(
        r#"{"url":"https://a.example/1","fetched_at":"2025-08-31T15:00:00+09:00","path":"one.html","site":7}"#,
        "\n",
        r#"{"url":"https://a.example/2","path":"absent.html"}"#,
        "\n",
        r#"{"url":"https://a.example/3","path":"../one.html"}"#,
        "\n",
    );
    write(folder.path(), "index.ndjson", index.as_bytes());
    let (pages, faults) = read(folder.path(), &SourceOptions::default());
    assert_eq!(pages.len(), 1);
    let page = &pages[0].0;
    assert_eq!(page.moment.unwrap().to_string(), "2025-08-31T06:00:00Z");
    assert_eq!(page.body, PAGE);
    assert_eq!(page.metadata["site"], 7);
    assert_eq!(
        reasons(&faults),
        [
            (At::Line(2), Reason::Vanished),
            (At::Line(3), Reason::PathOutside)
        ]
    );
    assert!(faults[0].message.contains("absent.html"), "{}", faults[0]);
}

#[test]
fn every_broken_line_is_named_and_the_rest_goes_on() {
    let lines: &[(&str, Option<Reason>)] = &[
        (
            r#"{"url":"https://a.example/","html":"<p>글\u0000\ud55c</p>"}"#,
            None,
        ),
        ("", None),
        (
            r#"{"url":"https://a.example/","html":"<p>"#,
            Some(Reason::BadJson),
        ),
        ("[1]", Some(Reason::BadJson)),
        ("\u{1}\u{0}", Some(Reason::BadJson)),
        (r#"{"html":"<p>a"}"#, Some(Reason::NoUrl)),
        (r#"{"url":7,"html":"<p>a"}"#, Some(Reason::NoUrl)),
        (r#"{"url":"","html":"<p>a"}"#, Some(Reason::NoUrl)),
        (r#"{"url":"a:b"}"#, Some(Reason::NoBody)),
        (
            r#"{"url":"a:b","html":"<p>","path":"x"}"#,
            Some(Reason::TwoBodies),
        ),
        (r#"{"url":"a:b","html":""}"#, Some(Reason::Empty)),
        (
            r#"{"url":"a:b","html":"plain\u0000\u0001"}"#,
            Some(Reason::NotHtml),
        ),
        (
            r#"{"url":"a:b","html":"<p>","fetched_at":"soon"}"#,
            Some(Reason::BadTime),
        ),
        (
            r#"{"url":"a:b","html":"<p>","status":"many"}"#,
            Some(Reason::BadValue),
        ),
        (r#"{"url":"a:b","body_base64":"!!"}"#, Some(Reason::BadBase64)),
        (
            r#"{"url":"a:b","path":"/etc/hostname"}"#,
            Some(Reason::PathOutside),
        ),
        (r#"{"url":"a:b","html":"<p>"} trailing"#, Some(Reason::BadJson)),
        (
            r#"{"url":"a:b","body_base64":"PHA-8J-Ygg==","status":404,"headers":{"Content-Type":"text/html; charset=utf-8"},"fetched_at":null}"#,
            None,
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let text = lines
        .iter()
        .map(|(line, _)| *line)
        .collect::<Vec<_>>()
        .join("\r\n");
    write(folder.path(), "crawl.jsonl", text.as_bytes());
    let (pages, faults) = read(&folder.path().join("crawl.jsonl"), &SourceOptions::default());
    let expected: Vec<(At, Reason)> = (1..)
        .zip(lines)
        .filter_map(|(n, (_, reason))| reason.map(|reason| (At::Line(n), reason)))
        .collect();
    assert_eq!(reasons(&faults), expected);
    assert_eq!(pages.len(), 2);
    assert_eq!(pages[0].0.body, "<p>글\0한</p>".as_bytes());
    assert_eq!(pages[1].0.body, "<p>😂".as_bytes());
    assert_eq!(pages[1].0.status, Some(404));
    assert_eq!(pages[1].0.http_charset(), Some("utf-8"));
    assert_eq!(pages[1].1, At::Line(18));
}

#[test]
fn keys_can_have_other_names() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "crawl.ndjson",
        br#"{"link":"https://a.example/","body":"<p>a","html":"kept as metadata"}"#,
    );
    let options = SourceOptions {
        map: KeyMap::parse("url=link,html=body").unwrap(),
        ..SourceOptions::default()
    };
    let (pages, faults) = read(&folder.path().join("crawl.ndjson"), &options);
    assert_eq!(faults, []);
    assert_eq!(pages[0].0.body, b"<p>a");
    assert_eq!(pages[0].0.metadata["html"], "kept as metadata");
}

#[test]
fn compression_is_told_by_content_and_damage_keeps_what_stands_before() {
    let folder = tempfile::tempdir().unwrap();
    let line = |n: u32| format!("{{\"url\":\"https://a.example/{n}\",\"html\":\"<p>{n}</p>\"}}\n");
    let (first, second): (String, String) = ((0..500).map(line).collect(), (500..900).map(line).collect());
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    write(folder.path(), "a", &[gzip(&first), gzip(&second)].concat());
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    write(folder.path(), "b", &[zstd(&first), zstd(&second)].concat());
    for name in ["a", "b"] {
        let (pages, faults) = read(&folder.path().join(name), &SourceOptions::default());
        assert_eq!((pages.len(), faults.len()), (900, 0), "{name}");
    }
    let whole = fs::read(folder.path().join("a")).unwrap();
    write(folder.path(), "cut", &whole[..whole.len() - 300]);
    let (pages, faults) = read(&folder.path().join("cut"), &SourceOptions::default());
    assert!((500..900).contains(&pages.len()), "{}", pages.len());
    assert_eq!(faults.last().unwrap().reason, Reason::Damaged);
    write(folder.path(), "page.html.gz", &gzip("<p>one page</p>"));
    let (pages, _) = read(&folder.path().join("page.html.gz"), &SourceOptions::default());
    assert_eq!(pages[0].0.body, b"<p>one page</p>");
}

#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = br#"{"url":"a:b","html":""#.to_vec();
    text.resize(9 << 20, b'x');
    text.extend_from_slice(b"\n{\"url\":\"a:c\",\"html\":\"<p>after\"}\n");
    write(folder.path(), "long.ndjson", &text);
    let options = SourceOptions {
        max_page_size: 1 << 20,
        ..SourceOptions::default()
    };
    let (pages, faults) = read(&folder.path().join("long.ndjson"), &options);
    assert_eq!(reasons(&faults), [(At::Line(1), Reason::LineTooLong)]);
    assert_eq!(pages[0].0.body, b"<p>after");
}

#[test]
fn what_is_not_there_is_an_error_of_the_argument() {
    let missing = Path::new("no-such-directory/at-all");
    let Err(error) = source::open(missing.to_str().unwrap(), &SourceOptions::default()) else {
        panic!("opened what is not there");
    };
    assert!(error.to_string().contains("no-such-directory/at-all"), "{error}");
}
