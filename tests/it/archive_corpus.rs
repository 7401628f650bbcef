//! The whole corpus in and back, hot and cold: bytes, ratio and time of a restore. Run by hand:
//! `PRESSMARK_CORPUS=DIR cargo test --release --test it archive_corpus -- --ignored --nocapture`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pressmark::archive::{Archive, Planned, Snapshot, WriterOptions};
use pressmark::compact::{self, Options};
use pressmark::digest::blake3;
use pressmark::disk::LocalDisk;
use pressmark::page::Page;
use serde_json::Value;

/// Pages of an `index.ndjson`, without their bytes.
fn index(dir: &Path) -> Vec<(Page, PathBuf)> {
    let text = std::fs::read_to_string(dir.join("index.ndjson")).unwrap();
    text.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            let page = Page {
                address: value["url"].as_str().unwrap().to_owned(),
                moment: Some(value["fetched_at"].as_str().unwrap().parse().unwrap()),
                ..Page::default()
            };
            (page, dir.join(value["path"].as_str().unwrap()))
        })
        .collect()
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

/// Restores every snapshot in order, then some at random with an archive that was just opened.
fn read_all(dir: &Path, pages: &[(Page, PathBuf)], what: &str) {
    let open = || Archive::open(Arc::new(LocalDisk::new(dir))).unwrap();
    let archive = open();
    let snapshots = archive.all_snapshots().unwrap();
    assert_eq!(snapshots.len(), pages.len());
    let started = Instant::now();
    let mut bytes = 0;
    for snapshot in &snapshots {
        let page = archive.restore(snapshot).unwrap();
        assert_eq!(blake3(&page.body), snapshot.body);
        bytes += page.body.len();
    }
    let rate = bytes as f64 / started.elapsed().as_secs_f64() / 1e6;
    let mut times = Vec::new();
    for step in 0..snapshots.len() {
        let snapshot: &Snapshot = &snapshots[step * 7919 % snapshots.len()];
        let started = Instant::now();
        archive.restore(snapshot).unwrap();
        times.push(started.elapsed());
    }
    let (half, most) = (percentile(&mut times, 50), percentile(&mut times, 99));
    println!(
        "{what}: in order {rate:.0} MB/s; at random median {half:?}, p99 {most:?}, max {:?}",
        times[times.len() - 1]
    );
    for (page, path) in pages.iter().step_by(7) {
        let found = archive.snapshots(&page.address).unwrap();
        let snapshot = found
            .iter()
            .find(|snapshot| snapshot.moment == page.moment)
            .unwrap();
        assert_eq!(
            archive.restore(snapshot).unwrap().body,
            std::fs::read(path).unwrap()
        );
    }
}

#[test]
#[ignore = "needs the corpus and some minutes"]
fn every_page_comes_back_hot_and_cold() {
    let Ok(corpus) = std::env::var("PRESSMARK_CORPUS") else {
        println!("skipped: PRESSMARK_CORPUS is not set");
        return;
    };
    for (set, hot, cold) in [("revisions", 48.0, 68.0), ("sites", 10.5, 14.0)] {
        let pages = index(&Path::new(&corpus).join(set).join("public"));
        let dir = tempfile::tempdir().unwrap();
        let (archive, _) = Archive::create_or_open(Arc::new(LocalDisk::new(dir.path()))).unwrap();
        let mut writer = archive.writer(WriterOptions::default()).unwrap();
        for together in pages.chunks(128) {
            let read = together.iter().map(|(page, path)| {
                let body = std::fs::read(path).unwrap();
                (Page { body, ..page.clone() }.into(), None)
            });
            for planned in writer.plan_together(read.collect()) {
                if let Planned::Job(job) = planned.unwrap() {
                    writer.append(job.encode()).unwrap();
                }
            }
            if writer.is_full() {
                writer.commit().unwrap();
            }
        }
        writer.commit().unwrap();
        drop(writer);
        let ratio = archive.stats().unwrap().ratio();
        println!("{set}: hot {ratio:.2}");
        assert!(ratio >= hot);
        read_all(dir.path(), &pages, "hot");
        compact::compact(&archive, Options::default(), &mut |_| true).unwrap();
        let ratio = archive.stats().unwrap().ratio();
        println!("{set}: cold {ratio:.2}");
        assert!(ratio >= cold);
        read_all(dir.path(), &pages, "cold");
    }
}
