//! What a publisher wrote into a page's tags, declared hashes, ids and attributes, survives every path
//! through the archive: add, cat, export and in again, compact, repair.

use std::fs;
use std::path::Path;

use pressmark::html::{ReadOptions, read};
use serde_json::{Value, json};

use crate::command::{command, pressmark};

const ADDRESS: &str = "https://press.example/tide?b=2&a=1";

/// Oddly spelled tags, in an encoding where bytes are not characters. `n` makes revisions.
fn page(n: u32) -> Vec<u8> {
    let hash = |seed: &str| pressmark::digest::blake3(format!("{seed} {n}").as_bytes()).to_string();
    let html = format!(
        "<!doctype html><meta charset=euc-kr><title>물때</title><section dmcf-sid=\"Tq1\">\n\
         <P CONTENTS-HASH='{}' DMCF-PID=p1 dmcf-ptype=\"general\" data-x=\"a &amp; b\">물때표 {n}호: 오전 6시 12분</P>\n\
         <p dmcf-pid=\"p2\" contents-hash = \"{}\" class='lead  x' hidden>다음 물때는 저녁이다.\n\
         <h3 contents-hash={} id=h dmcf-pid=\"h1\">안개 &lt;주의&gt;</h3>\n\
         <figure contents-hash=\"{}\" dmcf-pid=f1><img data-org-src=\"https://img.example/a.jpg?x=1&y=2\" src=t.jpg></figure>\n\
         <p contents-hash=\"see note\" dmcf-pid=\"p3\">Not a hash, kept as it is.</p>\n\
         <address contents-hash=\"{}\">/김물결 기자</address></section>",
        hash("one"),
        hash("two").to_uppercase(),
        hash("three"),
        hash("four"),
        hash("five"),
    );
    let (bytes, _, lossy) = encoding_rs::EUC_KR.encode(&html);
    assert!(!lossy);
    bytes.into_owned()
}

/// Declared hash, id and attributes of every block.
type Written = Vec<(Option<String>, Option<String>, Vec<(String, String)>)>;

fn written(raw: &[u8]) -> Written {
    let document = read(raw, &ReadOptions::default());
    let all: Written = document
        .blocks
        .iter()
        .map(|block| {
            let attributes = block.attributes.iter();
            (
                block.declared.as_deref().map(str::to_owned),
                block.id.as_deref().map(str::to_owned),
                attributes
                    .map(|one| (one.name.to_string(), one.value.to_string()))
                    .collect(),
            )
        })
        .collect();
    assert_eq!(all.iter().filter(|(declared, ..)| declared.is_some()).count(), 6);
    all
}

fn snapshots() -> Vec<(String, Vec<u8>)> {
    (1..=3)
        .map(|n| (format!("2026-05-0{n}T06:00:00Z"), page(n)))
        .collect()
}

/// Everything that can be asked of an archive about the three snapshots.
fn ask(folder: &Path, archive: &str, way: &str) -> Vec<Value> {
    let mut lines = Vec::new();
    for (n, (_, raw)) in (1..).zip(snapshots()) {
        let name = format!("{ADDRESS}@{n}");
        let cat = command(folder)
            .args(["-A", archive, "cat", &name])
            .output()
            .unwrap();
        assert!(cat.status.success(), "{way}: cat {name}");
        assert_eq!(written(&cat.stdout), written(&raw), "{way}: {name}");
        assert!(cat.stdout == raw, "{way}: other bytes of {name}");
        let check = pressmark(folder, &["-A", archive, "check", "--json", &name]).expect_code(1);
        lines.extend(check.json());
    }
    for (_, raw) in snapshots() {
        for (declared, ..) in written(&raw) {
            let declared = declared.unwrap_or_default();
            let run = pressmark(
                folder,
                &["-A", archive, "find", "--json", "--declared", &declared],
            );
            let found = run.expect_code(0).json();
            assert_eq!(found[0]["declared"], declared, "{way}");
            lines.push(found[0].clone());
        }
    }
    let site = pressmark(folder, &["-A", archive, "check", "--all", "--json"]);
    lines.extend(site.json());
    lines
}

#[test]
fn declared_hashes_ids_and_attributes_survive_every_path() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("in")).unwrap();
    let mut index = String::new();
    for (n, (moment, raw)) in snapshots().into_iter().enumerate() {
        fs::write(folder.join(format!("in/{n}.html")), raw).unwrap();
        let line = json!({"url": ADDRESS, "fetched_at": moment, "status": 200, "path": format!("{n}.html")});
        index.push_str(&line.to_string());
        index.push('\n');
    }
    fs::write(folder.join("in/index.ndjson"), index).unwrap();
    pressmark(folder, &["-A", "a", "add", "in"]).expect_code(0);
    let added = ask(folder, "a", "add");
    // The ledger speaks: each snapshot declares anew, and one malformed value stays what it is.
    let count = |witness: &str| added.iter().filter(|line| line["witness"] == witness).count();
    assert_eq!((count("rehashed"), count("consistent")), (12, 3), "{added:#?}");

    // Out in every format that can be read in again.
    for (format, path) in [("warc", "out.warc.gz"), ("wacz", "out.wacz"), ("files", "out")] {
        pressmark(folder, &["-A", "a", "export", format, "-o", path]).expect_code(0);
        let again = format!("from-{format}");
        pressmark(folder, &["-A", &again, "add", path]).expect_code(0);
        assert_eq!(ask(folder, &again, format), added, "{format}");
    }
    pressmark(
        folder,
        &["-A", "a", "export", "ndjson", "--pages", "-o", "out.ndjson"],
    )
    .expect_code(0);
    pressmark(folder, &["-A", "from-ndjson", "add", "out.ndjson"]).expect_code(0);
    assert_eq!(ask(folder, "from-ndjson", "ndjson"), added, "ndjson");
    // And as blocks, for other tools.
    pressmark(folder, &["-A", "a", "export", "ndjson", "-o", "blocks.ndjson"]).expect_code(0);
    let blocks = fs::read_to_string(folder.join("blocks.ndjson")).unwrap();
    for (_, raw) in snapshots() {
        for (declared, id, _) in written(&raw) {
            for value in declared.iter().chain(&id) {
                assert!(blocks.contains(value.as_str()), "{value} is not in the blocks");
            }
        }
    }

    pressmark(folder, &["-A", "a", "compact"]).expect_code(0);
    assert_eq!(ask(folder, "a", "compact"), added, "compact");

    // A pack that was cut, mended from its frames.
    let pack = fs::read_dir(folder.join("from-files/packs"))
        .unwrap()
        .flat_map(|entry| fs::read_dir(entry.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .next()
        .unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    bytes.truncate(bytes.len() - 24);
    let mut rights = fs::metadata(&pack).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    rights.set_readonly(false);
    fs::set_permissions(&pack, rights).unwrap();
    fs::write(&pack, bytes).unwrap();
    pressmark(folder, &["-A", "from-files", "scrub"]).expect_code(1);
    pressmark(folder, &["-A", "from-files", "repair"]).expect_code(0);
    pressmark(folder, &["-A", "from-files", "scrub"]).expect_code(0);
    assert_eq!(ask(folder, "from-files", "repair"), added, "repair");
}

/// Pages whose hashes stand under another name than `contents-hash`.
fn summed(n: u32) -> String {
    let paragraph = |text: String| {
        let sum = pressmark::digest::sha256(text.as_bytes());
        let other = pressmark::digest::blake3(text.as_bytes());
        format!("<p data-sum=\"{sum}\" contents-hash=\"{other}\">{text}</p>")
    };
    let lines: String = ["A pilot boat left the quay.", "The lock closed at noon."]
        .iter()
        .map(|line| paragraph(format!("{line} Edition {n}.")))
        .collect();
    format!(
        "<!doctype html><title>Quay</title><article>{lines}{}</article>",
        paragraph("No one was hurt.".to_owned())
    )
}

#[test]
fn an_archive_answers_by_the_attribute_it_was_read_with_and_refuses_another() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("in")).unwrap();
    for n in 1..=2 {
        fs::write(folder.join(format!("in/{n}.html")), summed(n)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let mut all = vec!["-A", "a"];
        all.extend(arguments);
        pressmark(folder, &all)
    };
    let base = "https://quay.example/";
    // A name that was tried in vain does not stick.
    fs::create_dir(folder.join("empty")).unwrap();
    run(&["add", "--attr", "data-sun", "empty"]).expect_code(0);
    run(&["add", "--base-url", base, "--attr", "data-sum", "in/1.html"]).expect_code(0);
    // Without a name the archive's attribute holds: in `add`, `check`, `find` and after.
    run(&["add", "--base-url", base, "in/2.html"]).expect_code(0);
    let page = "https://quay.example/in/2.html";
    let seen = |run: crate::command::Run| {
        let lines = run.json();
        let count = |key: &str, value: &str| lines.iter().filter(|line| line[key] == value).count();
        let reproduced = count("verdict", "reproduced");
        (
            reproduced,
            count("witness", "consistent"),
            count("witness", "first"),
        )
    };
    assert_eq!(seen(run(&["check", "--json", page]).expect_code(0)), (3, 1, 2));
    let shared = pressmark::digest::sha256(b"No one was hurt.").to_string();
    let places = |run: crate::command::Run| run.json().len();
    assert_eq!(
        places(run(&["find", "--json", "--declared", &shared]).expect_code(0)),
        2
    );
    // Another attribute would be answered wrongly: what it declares is not in the ledger.
    for refused in [
        &["check", "--attr", "contents-hash", page][..],
        &["check", "--all", "--attr", "contents-hash"],
        &["find", "--attr", "contents-hash", "--declared", &shared],
        &["log", "--attr", "contents-hash", page],
        &["scrub", "--attr", "contents-hash"],
        &["repair", "--attr", "contents-hash"],
        &["add", "--attr", "contents-hash", "in/1.html"],
    ] {
        let told = run(refused).expect_code(2).err;
        assert!(
            told.contains("reindex --attr contents-hash"),
            "{refused:?}: {told}"
        );
    }
    // It is no secret of the catalog.
    fs::remove_file(folder.join("a/catalog.sqlite")).unwrap();
    assert_eq!(seen(run(&["check", "--json", page]).expect_code(0)), (3, 1, 2));
    run(&["scrub"]).expect_code(0);
    // Read anew, it answers for the other.
    run(&["reindex", "--attr", "contents-hash"]).expect_code(0);
    assert_eq!(seen(run(&["check", "--json", page]).expect_code(1)), (0, 1, 2));
    run(&["find", "--json", "--declared", &shared]).expect_code(1);
    run(&["check", "--attr", "data-sum", page]).expect_code(2);
    run(&["scrub"]).expect_code(0);
}

#[test]
fn more_pages_than_are_kept_are_checked_like_few() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (name, padding) in [("few", 0), ("many", 23 << 20)] {
        fs::create_dir(folder.join(name)).unwrap();
        for n in 1..=3 {
            let page = format!("{}<!--{}-->", summed(n), "-".repeat(padding));
            fs::write(folder.join(format!("{name}/{n}.html")), page).unwrap();
        }
        fs::write(folder.join(format!("{name}/4.html")), "").unwrap();
    }
    let [few, many] = ["few", "many"].map(|name| {
        let run = pressmark(
            &folder.join(name),
            &["check", "--json", "--attr", "data-sum", "."],
        )
        .expect_code(2);
        assert_eq!(run.err.matches("4.html").count(), 1, "{}", run.err);
        run.json()
    });
    assert_eq!(few.len(), 10, "nine blocks and a summary");
    assert_eq!(few, many);
}
