//! Takedowns as they are asked for at the command line: what was interrupted is finished, and nothing else goes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::command::{pressmark, pressmark_with_input};

const ADDRESS: &str = "https://harbour.example/report";

/// Adds versions of the page, one an hour.
fn add(folder: &Path, hours: std::ops::Range<u32>) {
    let lines: Vec<String> = hours
        .map(|hour| {
            let line = json!({
                "url": ADDRESS,
                "fetched_at": format!("2026-03-01T{hour:02}:00:00Z"),
                "html": format!("<p>The ferry of {hour} o'clock.<p>It carried goats."),
            });
            line.to_string()
        })
        .collect();
    pressmark_with_input(folder, &["add", "-"], lines.join("\n").as_bytes()).expect_code(0);
}

/// The packs of the archive with their bytes.
fn packs(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    walkdir::WalkDir::new(folder.join("articles.pressmark/packs"))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

fn write(files: &[(PathBuf, Vec<u8>)]) {
    for (path, bytes) in files {
        fs::write(path, bytes).unwrap();
    }
}

fn snapshots(folder: &Path) -> usize {
    pressmark(folder, &["log", "--json", ADDRESS]).json().len()
}

#[test]
fn what_is_left_of_a_takedown_goes_when_it_is_asked_for_again() {
    for again in [
        &["forget", ADDRESS, "--reason", "asked for"][..],
        &["forget", "--finish"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        add(folder, 6..8);
        let old = packs(folder);
        pressmark(folder, &["forget", ADDRESS, "--reason", "asked for"]).expect_code(0);
        // As after an interruption: the tombstones are written, the bytes are still there.
        write(&old);
        let run = pressmark(folder, &["scrub"]).expect_code(1);
        assert!(run.out.contains("S02"), "{}", run.out);
        pressmark(folder, again).expect_code(0);
        assert!(old.iter().all(|(path, _)| !path.exists()));
        pressmark(folder, &["scrub"]).expect_code(0);
    }
}

#[test]
fn the_same_words_said_twice_take_out_one_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    add(folder, 6..8);
    let before = snapshots(folder);
    let seven = format!("{ADDRESS}@2026-03-01T07:00");
    pressmark(folder, &["forget", &seven, "--reason", "asked for"]).expect_code(0);
    assert_eq!(snapshots(folder), before - 1);
    let run = pressmark(folder, &["forget", &seven, "--reason", "asked for"]).expect_code(2);
    assert!(run.err.contains("no snapshot is of this time"), "{}", run.err);
    assert_eq!(snapshots(folder), before - 1, "the one before it stays");
}

#[test]
fn what_dead_processes_left_goes_with_a_takedown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    add(folder, 6..8);
    // As if a compaction had been killed a moment ago.
    let left = folder.join("articles.pressmark/tmp/4711-0.pack");
    fs::write(&left, b"<p>The ferry of 6 o'clock.").unwrap();
    pressmark(folder, &["forget", ADDRESS, "--reason", "asked for"]).expect_code(0);
    assert!(!left.exists());
}

#[test]
fn a_copy_that_repair_put_aside_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    add(folder, 6..8);
    let mut damaged = packs(folder);
    let bytes = &mut damaged[0].1;
    let frames: Vec<usize> = memchr::memmem::find_iter(bytes, b"\xf5Pm\n").collect();
    // The last byte of the first page: the second is whole, and the copy holds both.
    bytes[frames[1] - 1] ^= 1;
    write(&damaged);
    pressmark(folder, &["repair"]).expect_code(1);
    let seven = format!("{ADDRESS}@2026-03-01T07:00");
    let run = pressmark(folder, &["forget", &seven, "--reason", "asked for"]).expect_code(1);
    assert!(run.err.contains("quarantine"), "{}", run.err);
    let aside = folder.join("articles.pressmark/quarantine");
    fs::remove_dir_all(&aside).unwrap();
    pressmark(folder, &["forget", "--finish"]).expect_code(0);
    // A copy that cannot even be opened is named, too.
    #[cfg(unix)]
    {
        fs::create_dir(&aside).unwrap();
        std::os::unix::fs::symlink("nowhere", aside.join("x.pack")).unwrap();
        let run = pressmark(folder, &["forget", "--finish"]).expect_code(1);
        assert!(run.err.contains("x.pack"), "{}", run.err);
    }
}

#[test]
fn a_record_that_comes_back_is_found_where_the_bytes_may_stay() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let line = |address: &str| json!({"url": address, "html": "<p>The ferry sank."}).to_string() + "\n";
    pressmark_with_input(folder, &["add", "-"], line(ADDRESS).as_bytes()).expect_code(0);
    let old = packs(folder);
    let mirror = line("https://mirror.example/report");
    pressmark_with_input(folder, &["add", "-"], mirror.as_bytes()).expect_code(0);
    pressmark(folder, &["forget", ADDRESS, "--reason", "asked for"]).expect_code(0);
    pressmark(folder, &["scrub"]).expect_code(0);
    write(&old);
    let run = pressmark(folder, &["scrub"]).expect_code(1);
    assert!(run.out.contains("S02"), "{}", run.out);
    pressmark(folder, &["forget", "--finish"]).expect_code(0);
    pressmark(folder, &["scrub"]).expect_code(0);
    pressmark(folder, &["cat", "https://mirror.example/report"]).expect_code(0);
}

#[test]
fn a_lost_page_keeps_neither_takedown_nor_compaction_from_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let line = |address: &str, hour: u32, text: &str| {
        let line = json!({
            "url": address,
            "fetched_at": format!("2026-03-01T{hour:02}:00:00Z"),
            "html": format!("<p>{}<p>Told at {hour}.", text.repeat(20)),
        });
        line.to_string() + "\n"
    };
    let other = "https://quay.example/notice";
    let report = |hour| line(ADDRESS, hour, "The ferry carried goats, sheep and the mail. ");
    pressmark_with_input(folder, &["add", "-"], report(6).as_bytes()).expect_code(0);
    let mut damaged = packs(folder);
    let mut input: String = (7..10).map(report).collect();
    input += &line(other, 6, "Fish is sold on the quay until it is gone. ");
    pressmark_with_input(folder, &["add", "-"], input.as_bytes()).expect_code(0);
    // The last byte of the first page, on which the later ones rest.
    let bytes = &mut damaged[0].1;
    let frames: Vec<usize> = memchr::memmem::find_iter(bytes, b"\xf5Pm\n").collect();
    bytes[frames[1] - 1] ^= 1;
    write(&damaged);
    let run = pressmark(folder, &["forget", other, "--reason", "asked for"]).expect_code(2);
    assert!(run.err.contains("pressmark repair"), "{}", run.err);
    pressmark(folder, &["repair"]).expect_code(1);
    fs::remove_dir_all(folder.join("articles.pressmark/quarantine")).unwrap();
    pressmark(folder, &["forget", "--finish"]).expect_code(0);
    let run = pressmark(folder, &["scrub"]).expect_code(1);
    assert!(run.out.contains("P08") && !run.out.contains("S02"), "{}", run.out);

    for _ in 0..2 {
        let run = pressmark(folder, &["compact", "--json"]).expect_code(0);
        assert_eq!(run.json()[0]["lost"], 3, "{}", run.out);
        let run = pressmark(folder, &["scrub"]).expect_code(1);
        assert!(run.out.contains("P08"), "{}", run.out);
    }
    // What was lost is found again, and with it what rests on it.
    pressmark_with_input(folder, &["add", "-"], report(6).as_bytes()).expect_code(0);
    pressmark(folder, &["scrub"]).expect_code(0);
    let run = pressmark(folder, &["compact", "--json"]).expect_code(0);
    assert_eq!(run.json()[0]["lost"], 0, "{}", run.out);
    assert_eq!(snapshots(folder), 4);
    pressmark(folder, &["scrub"]).expect_code(0);
}
