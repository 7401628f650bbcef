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
