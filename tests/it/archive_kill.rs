//! Real processes killed at random moments: every acknowledged page comes back byte for byte.
//!
//! `PRESSMARK_KILLS` sets the number of rounds; the default is a few.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pressmark::archive::Archive;
use pressmark::disk::LocalDisk;
use pressmark::page::Page;
use serde_json::{Value, json};

use crate::archive_store::page;

const PAGES: u64 = 60;

fn spawn(archive: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_pressmark"))
        .arg("-A")
        .arg(archive)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn line(page: &Page) -> String {
    let value = json!({
        "url": page.address,
        "fetched_at": page.moment.unwrap().to_string(),
        "html": String::from_utf8(page.body.clone()).unwrap(),
    });
    format!("{value}\n")
}

/// Feeds pages to a writer that is killed after a while; the pages it acknowledged.
fn feed(archive: &Path, pages: &[Page], life: Duration) -> Vec<Page> {
    let mut child = spawn(archive, &["add", "-", "--json", "--commit-every", "7"]);
    let mut input = child.stdin.take().unwrap();
    let lines: Vec<String> = pages.iter().map(line).collect();
    let feeder = thread::spawn(move || {
        for line in lines {
            // The other end may be dead already.
            if input.write_all(line.as_bytes()).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    });
    let mut output = child.stdout.take().unwrap();
    let listener = thread::spawn(move || {
        let mut text = Vec::new();
        let _ = output.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    thread::sleep(life);
    let _ = child.kill();
    child.wait().unwrap();
    feeder.join().unwrap();
    let through = listener
        .join()
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["type"] == "committed")
        .filter_map(|line| line["through"]["line"].as_u64())
        .max()
        .unwrap_or(0);
    pages[..through as usize].to_vec()
}

#[test]
fn what_was_acknowledged_survives_being_killed() {
    let rounds: u64 = std::env::var("PRESSMARK_KILLS").map_or(4, |rounds| rounds.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("a.pressmark");
    let mut acknowledged: BTreeMap<(String, i64), Page> = BTreeMap::new();
    let mut random = 88_172_645_463_325_252_u64;
    let mut delay = |most: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        Duration::from_millis(random % most)
    };
    for round in 0..rounds {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let first = round * PAGES;
                let pages = (first..first + PAGES).map(|version| page(writer * 3 + version % 3, version));
                let (pages, archive, life) = (pages.collect::<Vec<_>>(), archive.clone(), delay(400));
                thread::spawn(move || feed(&archive, &pages, life))
            })
            .collect();
        let compactor = (round % 2 == 1).then(|| {
            let (archive, start, life) = (archive.clone(), delay(200), delay(300));
            thread::spawn(move || {
                thread::sleep(start);
                let mut child = spawn(&archive, &["compact"]);
                thread::sleep(life);
                let _ = child.kill();
                child.wait().unwrap();
            })
        });
        for writer in writers {
            for page in writer.join().unwrap() {
                let key = (page.address.clone(), page.moment.unwrap().0);
                acknowledged.insert(key, page);
            }
        }
        if let Some(compactor) = compactor {
            compactor.join().unwrap();
        }
        if round % 25 == 0 || round + 1 == rounds {
            check(&archive, &acknowledged);
        }
    }
    println!("{rounds} rounds, {} pages acknowledged", acknowledged.len());
    if archive.join("packs").exists() {
        let scrub = spawn(&archive, &["scrub", "--json"]).wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&scrub.stdout).into_owned();
        assert!(!text.contains("\"type\":\"finding\""), "{text}");
    }
}

/// Sends a signal by its name, as a shell would.
#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

fn remember(expected: &mut BTreeMap<(String, i64), Page>, pages: &[Page]) {
    for page in pages {
        expected.insert((page.address.clone(), page.moment.unwrap().0), page.clone());
    }
}

/// A writer and a reader are stopped at some moment, the archive is written anew under them, twice, and
/// tiny packs are added and merged; when they go on, all they acknowledge and give out is right. The
/// maintainer may be refused while a stopped process holds a lock, but then it says so.
#[cfg(unix)]
#[test]
fn processes_stopped_while_the_archive_is_rewritten_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("a.pressmark");
    let old: Vec<Page> = (0..40).map(|version| page(version % 4, version)).collect();
    assert_eq!(feed(&archive, &old, Duration::from_secs(2)).len() % 7, 40 % 7);
    let mut expected: BTreeMap<(String, i64), Page> = BTreeMap::new();
    remember(&mut expected, &old);
    let mut refused = 0;
    let rounds: u64 = std::env::var("PRESSMARK_STOPS").map_or(4, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        let first = 100 + round * 50;
        let new: Vec<Page> = (first..first + 28)
            .map(|version| page(version % 5, version))
            .collect();
        let mut writer = spawn(&archive, &["add", "-", "--json", "--commit-every", "7"]);
        let mut input = writer.stdin.take().unwrap();
        let lines: Vec<String> = new.iter().map(line).collect();
        let feeder = thread::spawn(move || {
            for line in lines {
                input.write_all(line.as_bytes()).unwrap();
                thread::sleep(Duration::from_millis(2));
            }
        });
        let mut reader = spawn(&archive, &["export", "ndjson"]);
        let mut output = reader.stdout.take().unwrap();
        let listener = thread::spawn(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).unwrap();
            text
        });
        thread::sleep(Duration::from_millis(3 + round * 17 % 60));
        signal(&writer, "STOP");
        signal(&reader, "STOP");
        for version in 0..9 {
            let single = page(7, first + version);
            let mut child = spawn(&archive, &["add", "-", "--json"]);
            child
                .stdin
                .take()
                .unwrap()
                .write_all(line(&single).as_bytes())
                .unwrap();
            if child.wait().unwrap().success() {
                remember(&mut expected, &[single]);
            } else {
                refused += 1;
            }
        }
        for arguments in [&["compact"][..], &["compact", "--all"]] {
            refused += u64::from(!spawn(&archive, arguments).wait().unwrap().success());
        }
        signal(&writer, "CONT");
        signal(&reader, "CONT");
        feeder.join().unwrap();
        assert!(writer.wait().unwrap().success(), "the writer goes on");
        assert!(reader.wait().unwrap().success(), "the reader goes on");
        remember(&mut expected, &new);
        let read = listener.join().unwrap();
        assert!(
            read.lines().count() >= 40,
            "the reader gave out what was there when it began"
        );
        check(&archive, &expected);
    }
    println!("{rounds} rounds, {} pages, {refused} refused", expected.len());
    let scrub = spawn(&archive, &["scrub", "--json"]).wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&scrub.stdout).into_owned();
    assert!(!text.contains("\"type\":\"finding\""), "{text}");
}

fn check(archive: &Path, acknowledged: &BTreeMap<(String, i64), Page>) {
    if !archive.join("packs").exists() {
        assert!(acknowledged.is_empty());
        return;
    }
    let archive = Archive::open(Arc::new(LocalDisk::new(archive))).unwrap();
    let mut found = 0;
    for snapshot in archive.all_snapshots().unwrap() {
        let page = archive.restore(&snapshot).unwrap();
        let key = (page.address.clone(), page.moment.unwrap().0);
        if let Some(original) = acknowledged.get(&key) {
            assert_eq!(page.body, original.body);
            found += 1;
        }
    }
    assert_eq!(found, acknowledged.len(), "every acknowledged page is there");
}
