//! Whatever is thrown at the command line: a clear message with file and place, the rest goes on, the
//! summary counts it, the exit code says so.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::command::{command, pressmark, pressmark_with_input, repository};

#[test]
fn a_folder_of_bad_pages_is_added_as_far_as_possible() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    fs::create_dir(&pages).unwrap();
    fs::write(pages.join("good.html"), "<title>t</title><p>A good page.").unwrap();
    fs::write(pages.join("empty.html"), "").unwrap();
    fs::write(pages.join("picture.html"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap();
    fs::write(pages.join("nul.html"), b"<p>a\0b</p>\0\0").unwrap();
    fs::write(pages.join("truncated.html"), b"<meta charset=utf-8><p>caf\xc3").unwrap();
    fs::write(
        pages.join("wrong.html"),
        b"<meta charset=shift_jis><p>\xb0\xa1\xb3\xaa",
    )
    .unwrap();
    fs::write(pages.join("no-hash.html"), "<p contents-hash='what is this'>text").unwrap();
    std::os::unix::fs::symlink(&pages, pages.join("loop")).unwrap();
    let run = pressmark(folder.path(), &["add", "--json", "pages"]).expect_code(1);
    let lines = run.json();
    let summary = lines.last().unwrap();
    assert_eq!(summary["new"], 5, "{summary}\n{}", run.err);
    assert!(summary["skipped"].as_u64().unwrap() >= 2, "{summary}");
    assert_eq!(summary["skipped_by_reason"]["empty"], 1);
    assert_eq!(summary["skipped_by_reason"]["not-html"], 1);
    for name in ["empty.html", "picture.html"] {
        assert!(run.err.contains(name), "{}", run.err);
    }
}

#[test]
fn broken_lines_of_a_stream_are_told_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let input = concat!(
        "{\"url\":\"https://a.example/1\",\"html\":\"<p>one\"}\n",
        "{\"url\":\n",
        "{\"html\":\"<p>no address\"}\n",
        "{\"url\":\"https://a.example/2\",\"path\":\"gone.html\"}\n",
        "{\"url\":\"https://a.example/3\",\"fetched_at\":\"yesterday\",\"html\":\"<p>three\"}\n",
        "{\"url\":\"https://a.example/4\",\"html\":\"<p>four\"}\n",
    );
    let run = pressmark_with_input(folder.path(), &["add", "--json", "-"], input.as_bytes()).expect_code(1);
    let summary = run.json().pop().unwrap();
    assert_eq!(
        (&summary["new"], &summary["skipped"]),
        (&Value::from(2), &Value::from(4))
    );
    for line in ["line 2", "line 3", "line 4", "line 5"] {
        assert!(run.err.contains(line), "{line} is not named:\n{}", run.err);
    }
}

#[test]
fn huge_and_deep_pages_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let deep = "<div>".repeat(1_000_000) + "deep";
    fs::write(folder.path().join("deep.html"), deep).unwrap();
    let line = format!("<p>{}", "word ".repeat(10_000_000));
    fs::write(folder.path().join("line.html"), line).unwrap();
    let run = pressmark(folder.path(), &["add", "--json", "deep.html", "line.html"]).expect_code(0);
    assert_eq!(run.json().pop().unwrap()["new"], 2);
    let hashes = pressmark(folder.path(), &["hash", "--json", "deep.html"])
        .expect_code(0)
        .json();
    assert_eq!(hashes[0]["text"], "deep");
}

#[test]
fn what_cannot_be_done_exits_with_two_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["list"], "no archive"),
        (&["cat", "https://nowhere.example/"], "no archive"),
        (&["add", "missing"], "missing"),
        (&["hash", "missing.html"], "missing.html"),
        (&["hash", "--recipe", "md5-of-luck", "-"], "recipe"),
        (&["diff", "a.html", "b.html"], "a.html"),
        (&["check", "--allow", "everything", "-"], "everything"),
        (&["frobnicate"], "frobnicate"),
        (&["add"], "SOURCE"),
    ];
    for (arguments, said) in cases {
        let run = pressmark(folder.path(), arguments).expect_code(2);
        assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
        assert!(!run.err.contains("panicked"), "{}", run.err);
    }
    assert!(!folder.path().join("articles.pressmark").exists());
}

#[test]
fn an_unknown_address_says_where_to_look() {
    let folder = tempfile::tempdir().unwrap();
    let pages = repository("archive/pages");
    pressmark(folder.path(), &["add", pages.to_str().unwrap()]).expect_code(0);
    let run = pressmark(folder.path(), &["cat", "https://nowhere.example/"]).expect_code(2);
    assert!(run.err.contains("pressmark list"), "{}", run.err);
    let run = pressmark(
        folder.path(),
        &[
            "cat",
            "https://www.echo-varnon.example/communes/saint-aubrac/halle-votation@7",
        ],
    );
    assert!(
        run.expect_code(2).err.contains("1 snapshot"),
        "a number that does not exist"
    );
}

#[test]
fn an_address_cannot_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let address = "https://press.example/\u{1b}]0;mine\u{7}\u{9b}2J";
    let text = "Twelve boats were lost off the northern coast in the storm, the harbour office said.";
    let later = text.replace("Twelve", "Thirteen");
    let mut stream = String::new();
    for (day, text) in [(1, text), (2, later.as_str())] {
        let html = format!("<!doctype html><title>Storm</title><article><p>{text}</article>");
        let moment = format!("2026-05-0{day}T06:00:00Z");
        let line = serde_json::json!({"url": address, "fetched_at": moment, "html": html});
        stream.push_str(&line.to_string());
        stream.push('\n');
    }
    let added = pressmark_with_input(folder.path(), &["add", "-"], stream.as_bytes()).expect_code(0);
    let found = pressmark(folder.path(), &["find", "--text", text]).expect_code(0);
    let edits = pressmark(folder.path(), &["log", "--edits"]).expect_code(0);
    let unknown = pressmark(folder.path(), &["log", "https://press.example/\u{1b}[2J"]).expect_code(2);
    for run in [added, found, edits, unknown] {
        let said = run.out + &run.err;
        assert!(said.contains("press.example"), "{said:?}");
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{said:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let pages = repository("archive/pages");
    let mut child = command(folder.path())
        .args(["hash", "--json", pages.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn what_was_added_does_not_depend_on_who_listens() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    fs::create_dir(&pages).unwrap();
    fs::write(pages.join("a.html"), "<p>A page that is kept.").unwrap();
    fs::write(pages.join("b.html"), "").unwrap();
    for arguments in [&["add", "pages"][..], &["add", "--json", "pages"]] {
        let mut child = command(folder.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(1),
            "the empty page is told: {arguments:?}"
        );
        let listed = pressmark(folder.path(), &["list"]).expect_code(0);
        assert!(listed.out.contains("a.html"), "{}", listed.out);
    }
}

#[test]
fn a_check_of_nothing_does_not_pass() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    pressmark(folder.path(), &["check", "empty"]).expect_code(1);
    // One name that is wrong does not keep the other page from being checked.
    fs::write(
        folder.path().join("a.html"),
        "<p contents-hash=\"no digest\">Text.",
    )
    .unwrap();
    let run = pressmark(folder.path(), &["check", "typo.html", "a.html"]).expect_code(2);
    assert!(
        run.out.contains("malformed") && run.err.contains("typo.html"),
        "{}{}",
        run.out,
        run.err
    );
}

#[test]
fn a_file_with_several_pages_is_not_taken_for_its_first() {
    let folder = tempfile::tempdir().unwrap();
    let line = |n: u32| format!("{{\"url\":\"https://a.example/{n}\",\"html\":\"<p>Page {n}.</p>\"}}\n");
    fs::write(folder.path().join("one.ndjson"), line(1)).unwrap();
    fs::write(folder.path().join("two.ndjson"), line(1) + &line(2)).unwrap();
    pressmark(folder.path(), &["site", "test", "one.ndjson"]).expect_code(0);
    let run = pressmark(folder.path(), &["diff", "one.ndjson", "two.ndjson"]).expect_code(2);
    assert!(run.err.contains("several pages"), "{}", run.err);
}

#[test]
fn a_diff_of_one_name_tells_what_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.html"), "<p>A page.").unwrap();
    let run = pressmark(folder.path(), &["diff", "typo.html"]).expect_code(2);
    assert!(run.err.contains("there is no archive"), "{}", run.err);
    let run = pressmark(folder.path(), &["diff", "a.html"]).expect_code(2);
    assert!(run.err.contains("name a second page"), "{}", run.err);
}

#[test]
fn without_a_terminal_there_are_no_colours_and_no_bars() {
    let folder = tempfile::tempdir().unwrap();
    let pages = repository("archive/pages");
    let run = pressmark(folder.path(), &["add", pages.to_str().unwrap()]).expect_code(0);
    assert!(
        !run.out.contains('\u{1b}') && run.err.is_empty(),
        "{}{}",
        run.out,
        run.err
    );
    let address = "https://www.haedam-news.example/v/20260312093004117";
    let plain = pressmark(folder.path(), &["diff", address]).expect_code(1);
    assert!(!plain.out.contains('\u{1b}'));
    let coloured = pressmark(folder.path(), &["diff", "--color", "always", address]).expect_code(1);
    assert!(coloured.out.contains("\u{1b}["));
}

#[test]
fn a_folder_without_permission_is_told_and_the_rest_goes_in() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("pages/closed");
    fs::create_dir_all(&closed).unwrap();
    fs::write(folder.path().join("pages/a.html"), "<p>open").unwrap();
    fs::write(closed.join("b.html"), "<p>closed").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).unwrap();
    let readable = fs::read_dir(&closed).is_ok();
    let run = pressmark(folder.path(), &["add", "--json", "pages"]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    if readable {
        println!("skipped: this user may read everything");
        return;
    }
    let run = run.expect_code(1);
    assert_eq!(run.json().pop().unwrap()["new"], 1);
    assert!(run.err.contains("closed"), "{}", run.err);
}

#[test]
fn a_snapshot_that_is_lost_does_not_end_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let address = "https://harbour.example/report";
    let hours = 6..10;
    for hour in hours.clone() {
        // Each in a pack of its own, and too short to be the base of another.
        let line = serde_json::json!({
            "url": address,
            "fetched_at": format!("2026-03-01T{hour:02}:00:00Z"),
            "html": format!("<p>The ferry left at {hour}."),
        });
        pressmark_with_input(folder, &["add", "-"], line.to_string().as_bytes()).expect_code(0);
    }
    // The second page is damaged.
    let text = b"left at 7.";
    let packs = walkdir::WalkDir::new(folder.join("articles.pressmark/packs"));
    let (path, mut bytes) = packs
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .find(|(_, bytes)| memchr::memmem::find(bytes, text).is_some())
        .expect("so short a page is stored as it is");
    let at = memchr::memmem::find(&bytes, text).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();

    let log = pressmark(folder, &["log", "--json", address]).expect_code(1);
    let lost: Vec<bool> = log.json().iter().map(|line| line["lost"] == true).collect();
    assert_eq!(lost, [false, true, false, false]);
    assert!(log.err.contains("cannot be restored"), "{}", log.err);
    let rows = pressmark(folder, &["log", address]).expect_code(1);
    assert_eq!(rows.out.lines().count(), 1 + hours.count(), "{}", rows.out);
    let edits = pressmark(folder, &["log", "--json", "--edits"]).expect_code(1);
    let told: Vec<u64> = edits
        .json()
        .iter()
        .filter_map(|line| line["n"].as_u64())
        .collect();
    assert_eq!(told, [3, 4]);
    let blame = pressmark(folder, &["blame", "--json", address]).expect_code(1);
    assert_eq!(blame.json()[0]["text"], "The ferry left at 9.");
    let page = pressmark(folder, &["diff", "--html", address]).expect_code(1);
    assert!(page.out.contains("</html>"));
}
