//! What a newcomer types, in the order of the README: the samples in, and every question about them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{pressmark, pressmark_with_input, repository};

const FERRY: &str = "https://www.corrinlantern.example/harbour/ferry-inquiry-report";
const WATER: &str = "https://www.haedam-news.example/v/20260312093004117";
const SEEDS: &str = "https://www.haedam-news.example/v/20260405070000219";
const AUDIT: &str = "https://www.corrinlantern.example/council/audit-pool-roof";

/// A folder with an archive of the sample pages in it.
fn with_samples() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pages = repository("archive/pages");
    let run = pressmark(folder.path(), &["add", pages.to_str().unwrap()]).expect_code(0);
    assert!(
        run.out.contains("made the archive articles.pressmark"),
        "{}",
        run.out
    );
    assert!(run.out.contains("next:"), "{}", run.out);
    folder
}

/// The lines of `archive/pages/index.ndjson`: address, moment, file.
fn index() -> Vec<(String, String, String)> {
    let text = fs::read_to_string(repository("archive/pages/index.ndjson")).unwrap();
    text.lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let of = |key: &str| line[key].as_str().unwrap().to_owned();
            (of("url"), of("fetched_at"), of("path"))
        })
        .collect()
}

fn json(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    pressmark(folder, arguments).json()
}

#[test]
fn add_tells_in_json_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let pages = repository("archive/pages");
    let pages = pages.to_str().unwrap();
    let run = pressmark(folder.path(), &["add", "--json", pages]).expect_code(0);
    let lines = run.json();
    let summary = lines.last().unwrap();
    let count = index().len() as u64;
    assert_eq!(summary["type"], "summary");
    for (key, expected) in [("pages", count), ("new", count), ("known", 0), ("skipped", 0)] {
        assert_eq!(summary[key], expected, "{key}");
    }
    let committed = &lines[0];
    assert_eq!(committed["type"], "committed");
    assert_eq!(committed["pages"], count);
    assert_eq!(committed["through"]["line"], count);
    assert_eq!(committed["pack"].as_str().unwrap().len(), 64);
    assert!(summary["stored_bytes"].as_u64().unwrap() * 3 < summary["raw_bytes"].as_u64().unwrap());
    // One declared hash is tampered with, all others are reproduced.
    assert_eq!(
        summary["declared"].as_u64().unwrap() - summary["reproduced"].as_u64().unwrap(),
        1
    );

    let again = pressmark(folder.path(), &["add", "--json", pages]).expect_code(0);
    let summary = again.json().pop().unwrap();
    assert_eq!(
        (&summary["new"], &summary["known"]),
        (&Value::from(0), &Value::from(count))
    );
    assert_eq!(summary["stored_bytes"], 0);
}

#[test]
fn every_page_comes_back_byte_for_byte() {
    let folder = with_samples();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for (address, moment, path) in index() {
        let n = seen.entry(address.clone()).or_default();
        *n += 1;
        let raw = fs::read(repository("archive/pages").join(path)).unwrap();
        for name in [format!("{address}@{n}"), format!("{address}@{moment}")] {
            let restored = crate::command::command(folder.path())
                .args(["cat", &name])
                .output()
                .unwrap();
            assert!(restored.status.success(), "{name}");
            assert!(restored.stdout == raw, "{name} differs");
        }
    }
}

#[test]
fn list_and_stats_agree_with_the_index() {
    let folder = with_samples();
    let articles: std::collections::BTreeSet<String> =
        index().into_iter().map(|(address, ..)| address).collect();
    let list = json(folder.path(), &["list", "--json"]);
    assert_eq!(list.len(), articles.len());
    assert_eq!(
        list.iter()
            .map(|line| line["snapshots"].as_u64().unwrap())
            .sum::<u64>(),
        index().len() as u64
    );
    let ferry = list.iter().find(|line| line["address"] == FERRY).unwrap();
    assert_eq!(
        (&ferry["snapshots"], &ferry["revisions"]),
        (&Value::from(3), &Value::from(3))
    );
    assert_eq!(ferry["first"], "2026-02-17T11:04:51Z");
    let stats = json(folder.path(), &["stats", "--json"]).pop().unwrap();
    assert_eq!(stats["articles"], articles.len() as u64);
    assert_eq!(stats["snapshots"], index().len() as u64);
    assert!(stats["ratio"].as_f64().unwrap() > 3.0);
    assert_eq!(pressmark(folder.path(), &["list", "*nowhere*"]).code, 1);
    // Without a terminal addresses are whole.
    let shown = pressmark(folder.path(), &["list"]).expect_code(0).out;
    for address in &articles {
        assert!(
            shown.lines().any(|line| line.ends_with(address.as_str())),
            "{shown}"
        );
    }
    let page = "https://www.corrinlantern.example/council/audit-pool-roof@1";
    let shown = pressmark(folder.path(), &["find", page]).expect_code(0).out;
    assert!(
        shown.contains(&format!("first 2026-02-17 {FERRY}@1\n")),
        "{shown}"
    );
}

#[test]
fn log_tells_revisions_from_form_changes() {
    let folder = with_samples();
    let log = json(folder.path(), &["log", "--json", WATER]);
    let revisions: Vec<bool> = log
        .iter()
        .map(|line| line["revision"].as_bool().unwrap())
        .collect();
    assert_eq!(revisions, [true, true, true]);
    assert_eq!(log[1]["class"], "numeric");
    let log = json(folder.path(), &["log", "--json", SEEDS]);
    assert_eq!(log[1]["revision"], false);
    assert_eq!(log[1]["form_change"], true);
    assert_eq!(log[1]["class"], "link");
    assert_eq!(log[0]["raw"].as_str().unwrap().len(), 64);
    let text = pressmark(folder.path(), &["log", WATER]).expect_code(0).out;
    assert!(text.contains("numeric"), "{text}");
}

#[test]
fn filters_of_log_apply_to_detection() {
    let folder = with_samples();
    let log = json(folder.path(), &["log", "--json", "--place", "caption", FERRY]);
    assert_eq!(log[1]["revision"], false, "only captions count: {}", log[1]);
    assert!(log[1]["ignored"].as_u64().unwrap() > 0);
    let edits = json(folder.path(), &["log", "--json", "--edits"]);
    assert!(
        edits
            .iter()
            .any(|edit| edit["op"] == "split" && edit["address"] == FERRY)
    );
    assert!(
        edits
            .iter()
            .any(|edit| edit["class"] == "numeric" && edit["address"] == WATER)
    );
}

#[test]
fn diff_shows_numbers_moves_splits_and_merges() {
    let folder = with_samples();
    let run = pressmark(
        folder.path(),
        &["diff", "--json", &format!("{FERRY}@1"), &format!("{FERRY}@2")],
    );
    let diff = run.expect_code(1).json().pop().unwrap();
    let ops: Vec<&str> = diff["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["op"].as_str().unwrap())
        .collect();
    assert!(ops.contains(&"split") && ops.contains(&"merge"), "{ops:?}");
    let run = pressmark(
        folder.path(),
        &["diff", &format!("{WATER}@1"), &format!("{WATER}@2")],
    )
    .expect_code(1);
    assert!(run.out.contains("[-42-]{+47+}"), "{}", run.out);
    let third = pressmark(folder.path(), &["diff", "--json", WATER])
        .expect_code(1)
        .json()
        .pop()
        .unwrap();
    assert!(
        third["changes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["op"] == "move")
    );
    let same = pressmark(folder.path(), &["diff", "--json", WATER, WATER])
        .expect_code(0)
        .json()
        .pop()
        .unwrap();
    assert_eq!(same["changes"], Value::Array(Vec::new()));
}

#[test]
fn diff_of_files_needs_no_archive() {
    let folder = tempfile::tempdir().unwrap();
    let page = |n: u8| repository(&format!("archive/pages/talbruecke/{n}.html"));
    let (old, new) = (page(1), page(2));
    let files = [old.to_str().unwrap(), new.to_str().unwrap()];
    for form in ["terminal", "unified", "json", "html"] {
        let run = pressmark(folder.path(), &["diff", "--format", form, files[0], files[1]]).expect_code(1);
        assert!(run.out.contains("260.000"), "{form}: {}", run.out);
    }
    assert!(!folder.path().join("articles.pressmark").exists());
}

#[test]
fn check_finds_the_tampered_paragraph_and_no_other() {
    let folder = with_samples();
    let pages = repository("archive/pages");
    let run = pressmark(folder.path(), &["check", "--json", pages.to_str().unwrap()]).expect_code(1);
    let lines = run.json();
    let (summary, blocks) = lines.split_last().unwrap();
    assert_eq!(summary["altered"], 1, "{summary}");
    assert_eq!(
        (&summary["unproven"], &summary["malformed"]),
        (&Value::from(0), &Value::from(0))
    );
    let altered: Vec<&Value> = blocks
        .iter()
        .filter(|line| line["verdict"] == "altered")
        .collect();
    assert!(altered[0]["text"].as_str().unwrap().contains("142,000"));
    pressmark(folder.path(), &["check", AUDIT]).expect_code(1);
    pressmark(folder.path(), &["check", &format!("{AUDIT}@1")]).expect_code(0);
    let plain =
        pressmark_with_input(folder.path(), &["check", "-"], b"<p>No hash here at all.").expect_code(1);
    assert!(plain.out.contains("declares no content hashes"), "{}", plain.out);
    pressmark_with_input(
        folder.path(),
        &["check", "--allow", "undeclared", "-"],
        b"<p>No hash.",
    )
    .expect_code(0);
}

#[test]
fn stamp_makes_a_page_that_checks() {
    let folder = tempfile::tempdir().unwrap();
    let page = "<article><h1>Market day</h1><p>The stalls open at 7.<p>They close at 12.</article>";
    for recipe in ["text-v1", "form-v1"] {
        let stamped = pressmark_with_input(
            folder.path(),
            &["stamp", "--recipe", recipe, "-"],
            page.as_bytes(),
        );
        let stamped = stamped.expect_code(0).out;
        assert!(stamped.contains("contents-hash=\""), "{stamped}");
        let run = pressmark_with_input(folder.path(), &["check", "-", "--json"], stamped.as_bytes());
        let summary = run.expect_code(0).json().pop().unwrap();
        assert!(summary["reproduced"].as_u64().unwrap() >= 3, "{summary}");
    }
}

#[test]
fn hash_prints_the_keys_of_the_design() {
    let folder = tempfile::tempdir().unwrap();
    let run = pressmark_with_input(
        folder.path(),
        &["hash", "--json", "-"],
        b"<p>one</p><p contents-hash=x>two</p>",
    );
    let lines = run.expect_code(0).json();
    assert_eq!(lines.len(), 2);
    for key in [
        "page", "index", "kind", "range", "body", "text", "hash", "recipe", "declared",
    ] {
        assert!(lines[0].get(key).is_some(), "{key} is missing");
    }
    assert_eq!(lines[0]["range"], serde_json::json!([0, 10]));
    assert_eq!(lines[0]["declared"], Value::Null);
    assert_eq!(lines[1]["declared"], "x");
    assert_eq!(
        lines[0]["hash"],
        "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    );
}

#[test]
fn reindex_gives_the_same_answers() {
    let folder = with_samples();
    let questions: [&[&str]; 3] = [
        &["list", "--json"],
        &["log", "--json", FERRY],
        &["log", "--json", "--edits"],
    ];
    let before: Vec<String> = questions
        .iter()
        .map(|q| pressmark(folder.path(), q).out)
        .collect();
    fs::remove_file(folder.path().join("articles.pressmark/catalog.sqlite")).unwrap();
    let lazily: Vec<String> = questions
        .iter()
        .map(|q| pressmark(folder.path(), q).out)
        .collect();
    assert_eq!(before, lazily);
    pressmark(folder.path(), &["reindex"]).expect_code(0);
    let after: Vec<String> = questions
        .iter()
        .map(|q| pressmark(folder.path(), q).out)
        .collect();
    assert_eq!(before, after);
}

#[test]
fn a_stream_is_added_and_committed_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..10)
        .map(|n| format!("{{\"url\":\"https://a.example/{n}\",\"fetched_at\":\"2026-01-01T00:00:0{n}Z\",\"html\":\"<p>page {n}\"}}\n"))
        .collect();
    let run = pressmark_with_input(
        folder.path(),
        &["add", "--json", "--commit-every", "4", "-"],
        lines.concat().as_bytes(),
    );
    let lines = run.expect_code(0).json();
    let committed: Vec<&Value> = lines.iter().filter(|line| line["type"] == "committed").collect();
    let pages: Vec<u64> = committed.iter().map(|c| c["pages"].as_u64().unwrap()).collect();
    assert_eq!(pages, [4, 4, 2], "{lines:?}");
    assert_eq!(committed.last().unwrap()["through"]["line"], 10);
}

/// What waits when the source ends is committed while the last pages are encoded, if it is much.
#[test]
fn the_last_pages_have_a_commit_of_their_own_after_many() {
    let text = "<p>".to_owned() + &"The ferry left at noon. ".repeat(1 << 16);
    for (pages, commits) in [(52, &[48, 4][..]), (20, &[16, 4]), (15, &[15])] {
        let folder = tempfile::tempdir().unwrap();
        let lines: Vec<String> = (0..pages)
            .map(|n| {
                let html = format!("<title>{n}</title>{}", &text[..1 << 20]);
                serde_json::json!({ "url": format!("https://a.example/{n}"), "html": html }).to_string()
                    + "\n"
            })
            .collect();
        let run = pressmark_with_input(folder.path(), &["add", "--json", "-"], lines.concat().as_bytes());
        let lines = run.expect_code(0).json();
        let committed = lines.iter().filter(|line| line["type"] == "committed");
        let made: Vec<u64> = committed.map(|line| line["pages"].as_u64().unwrap()).collect();
        assert_eq!(made, commits);
    }
}

#[test]
fn a_page_is_acknowledged_in_time_while_its_source_is_silent() {
    for time in ["0s", "1s"] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_pressmark"))
            .args(["add", "-", "--json", "--commit-every", time])
            .current_dir(folder.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let output = std::io::BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in std::io::BufRead::lines(output) {
                let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
                if line["type"] == "committed" {
                    tell.send(line["through"]["line"].clone()).unwrap();
                }
            }
        });
        // Silence before the first page, too.
        for page in 1..3 {
            std::thread::sleep(std::time::Duration::from_millis(500));
            let line = format!("{{\"url\":\"https://a.example/{page}\",\"html\":\"<p>page {page}\"}}\n");
            std::io::Write::write_all(&mut input, line.as_bytes()).unwrap();
            let through = told.recv_timeout(std::time::Duration::from_mins(1));
            assert_eq!(through, Ok(page.into()), "every {time}");
        }
        drop(input);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn completions_and_manual_are_there() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = pressmark(folder.path(), &["completions", shell])
            .expect_code(0)
            .out;
        assert!(script.contains("recipe"), "{shell}");
    }
    assert!(
        pressmark(folder.path(), &["man"])
            .expect_code(0)
            .out
            .contains(".TH pressmark")
    );
    assert!(
        pressmark(folder.path(), &["man", "add"])
            .expect_code(0)
            .out
            .contains("commit")
    );
}

#[test]
fn tables_that_do_not_go_to_a_terminal_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let address = format!("https://harbour.example/{}/report", "very-long-name/".repeat(12));
    let line = serde_json::json!({ "url": address, "html": "<p>The ferry left." }).to_string();
    pressmark_with_input(folder, &["add", "-"], line.as_bytes()).expect_code(0);
    for arguments in [&["list"][..], &["log", address.as_str()]] {
        let run = pressmark(folder, arguments).expect_code(0);
        assert!(run.out.contains(&address), "{}", run.out);
    }
}

#[test]
fn an_article_of_error_pages_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let address = "https://harbour.example/gone";
    let line = serde_json::json!({ "url": address, "html": "<p>Gone.", "status": 404 }).to_string();
    pressmark_with_input(folder, &["add", "-"], line.as_bytes()).expect_code(0);
    let run = pressmark(folder, &["log", address]).expect_code(0);
    assert!(run.err.contains("--any-status"), "{}", run.err);
}
