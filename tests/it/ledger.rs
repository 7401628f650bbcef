//! The ledger as a user meets it: what the archive's snapshots say about hashes whose rule nobody
//! knows, on a page shaped like the best known ones: fifteen declared blocks, no recipe that fits.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use pressmark::digest::{blake3, sha256};
use serde_json::{Value, json};

use crate::command::{Run, pressmark};

const ADDRESS: &str = "https://news.island.example/v/20260711064512345";
const OTHER: &str = "https://news.island.example/v/20260712070000001";

/// Element, `dmcf-ptype` and inside of the blocks of an article.
const BLOCKS: [(&str, &str, &str); 15] = [
    (
        "p",
        "general",
        "[섬신문 한바다 기자] 등대섬 나루가 스무 해 만에 새 부두를 얻는다.",
    ),
    (
        "figure",
        "figure",
        "<img data-org-src=\"https://img.island.example/pier.jpg\" alt=\"\"><figcaption>옛 부두에서 바라본 \
         나루. [사진=섬신문]</figcaption>",
    ),
    (
        "p",
        "general",
        "군은 내년 3월부터 14억 원을 들여 부두를 60미터 늘린다.",
    ),
    (
        "p",
        "general",
        "“배가 하루 네 번 들어오면 아이들이 뭍 학교에 다닐 수 있다”고 이장은 말했다.",
    ),
    (
        "p",
        "general",
        "The ferry company says two more boats are <b>ready to sail</b> once the pier is long enough.",
    ),
    ("h3", "h3", "주민 셋 가운데 둘 찬성"),
    ("p", "general", "주민 312명 가운데 208명이 찬성 서명을 했다."),
    ("p", "general", "반대한 이들은 어장이 좁아진다고 걱정한다."),
    ("p", "general", "군은 어장 자리를 북쪽으로 옮기는 안을 내놓았다."),
    ("h3", "h3", "공사는 봄에"),
    ("p", "general", "공사는 봄에 시작해 가을 태풍 전에 끝난다."),
    ("p", "general", "그동안 배는 동쪽 방파제에 댄다."),
    (
        "figure",
        "figure",
        "<img data-org-src=\"https://img.island.example/boat.jpg\" alt=\"\">",
    ),
    ("p", "general", "표값은 그대로다."),
    ("address", "general", "/한바다 기자(bada@island.example)"),
];

/// The article; every block declares what a rule unknown to us gives: `secret` goes into it.
fn article(secret: &str) -> String {
    let mut html = String::from(
        "<!doctype html><meta charset=utf-8><title>등대섬 새 부두</title>\n<p>작성일 07-11 목록</p>\n\
         <section dmcf-sid=\"bT7\">\n",
    );
    for (number, (tag, kind, inside)) in BLOCKS.iter().enumerate() {
        let hash = blake3(format!("{secret} {number}").as_bytes());
        // Writing to a string cannot fail.
        let _ = writeln!(
            html,
            "<{tag} contents-hash=\"{hash}\" dmcf-pid=\"id{number:02}\" dmcf-ptype=\"{kind}\">{inside}</{tag}>"
        );
    }
    html + "</section>\n<p>Copyright</p>\n"
}

fn add(folder: &Path, address: &str, moment: &str, html: &str) {
    let line = json!({"url": address, "fetched_at": moment, "html": html});
    fs::write(folder.join("page.ndjson"), format!("{line}\n")).unwrap();
    pressmark(folder, &["-A", "a", "add", "--json", "page.ndjson"]).expect_code(0);
}

/// The lines of `check --json` about blocks, and the summary.
fn check(folder: &Path, name: &str) -> (Vec<Value>, Value) {
    let run = pressmark(folder, &["-A", "a", "check", "--json", name]);
    let mut lines = run.json();
    let summary = lines.pop().unwrap();
    (lines, summary)
}

/// The witness of every block, each once, with the numbers of the snapshots named.
fn witnesses(lines: &[Value]) -> Vec<(String, Vec<u64>)> {
    let mut all: Vec<(String, Vec<u64>)> = lines
        .iter()
        .map(|line| {
            let named = line["witness_snapshots"].as_array();
            let numbers = named.into_iter().flatten();
            (
                line["witness"].as_str().unwrap_or("null").to_owned(),
                numbers.map(|snapshot| snapshot["n"].as_u64().unwrap()).collect(),
            )
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

fn of(witness: &str, numbers: &[u64]) -> (String, Vec<u64>) {
    (witness.to_owned(), numbers.to_vec())
}

#[test]
fn an_unknown_rule_is_unproven_then_consistent_then_in_conflict() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let html = article("secret");
    fs::write(folder.join("page.html"), &html).unwrap();

    // Without an archive: fifteen verdicts, no witness, and what is not covered is said.
    let run = pressmark(folder, &["check", "--json", "page.html"]).expect_code(1);
    let mut lines = run.json();
    let summary = lines.pop().unwrap();
    assert_eq!(
        (&summary["blocks"], &summary["unproven"], &summary["undeclared"]),
        (&json!(17), &json!(15), &json!(2))
    );
    assert_eq!(summary["structure"], "not covered");
    assert_eq!(lines.len(), 15);
    assert_eq!(witnesses(&lines), [of("null", &[])]);
    let text = pressmark(folder, &["check", "page.html"]).expect_code(1).out;
    assert!(
        text.contains("not covered") && text.contains("recipe find"),
        "{text}"
    );
    pressmark(folder, &["check", "--allow", "unproven", "page.html"]).expect_code(0);

    add(folder, ADDRESS, "2026-07-11T07:00:00Z", &html);
    let (lines, _) = check(folder, ADDRESS);
    assert_eq!(lines.len(), 15);
    assert_eq!(witnesses(&lines), [of("first", &[])]);
    add(folder, ADDRESS, "2026-07-11T09:00:00Z", &html);
    let (lines, summary) = check(folder, ADDRESS);
    assert_eq!(witnesses(&lines), [of("consistent", &[1])]);
    assert_eq!(summary["unproven"], 15);

    // One syllable under the same declared hash.
    let tampered = html.replace("북쪽으로", "남쪽으로");
    assert_ne!(tampered, html);
    add(folder, ADDRESS, "2026-07-12T09:00:00Z", &tampered);
    let conflict = |name: &str| {
        let (lines, _) = check(folder, name);
        assert_eq!(
            witnesses(&lines),
            [of("conflict", &[1, 2]), of("consistent", &[1, 2])],
            "{name}"
        );
        let line = lines.iter().find(|line| line["witness"] == "conflict").unwrap();
        assert_eq!(line["id"], "id08");
        assert_eq!(line["witness_snapshots"][1]["address"], ADDRESS);
        assert_eq!(line["witness_snapshots"][1]["time"], "2026-07-11T09:00:00Z");
    };
    conflict(ADDRESS);
    // Both are named in full, however narrow the terminal.
    let run = pressmark(folder, &["-A", "a", "check", ADDRESS]).expect_code(1);
    let words: Vec<&str> = run.out.split_whitespace().collect();
    let told = format!("conflict with {ADDRESS}@1, {ADDRESS}@2");
    let told: Vec<&str> = told.split_whitespace().collect();
    assert!(
        words.windows(told.len()).any(|window| window == told),
        "{}",
        run.out
    );

    // The older snapshots disagree with the newest, and the one before is in order.
    let (lines, _) = check(folder, &format!("{ADDRESS}@1"));
    assert_eq!(
        witnesses(&lines),
        [of("conflict", &[3]), of("consistent", &[2, 3])]
    );

    // The ledger comes back from the packs alone.
    fs::remove_file(folder.join("a/catalog.sqlite")).unwrap();
    conflict(ADDRESS);
    pressmark(folder, &["-A", "a", "reindex"]).expect_code(0);
    conflict(ADDRESS);
}

#[test]
fn a_file_is_held_against_the_article_that_shows_its_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let html = article("secret");
    add(folder, ADDRESS, "2026-07-11T07:00:00Z", &html);
    add(folder, ADDRESS, "2026-07-11T09:00:00Z", &html);
    let tampered = html.replace("208명", "280명");
    fs::write(folder.join("copy.html"), &tampered).unwrap();
    let (lines, summary) = check(folder, "copy.html");
    assert_eq!(
        witnesses(&lines),
        [of("conflict", &[1, 2]), of("consistent", &[1, 2])]
    );
    assert_eq!(summary["structure"], json!({"compared": 1, "changed": []}));
    // Hashes that the archive never saw are first, whatever the page says.
    fs::write(folder.join("new.html"), article("another secret")).unwrap();
    let (lines, summary) = check(folder, "new.html");
    assert_eq!(witnesses(&lines), [of("first", &[])]);
    assert_eq!(summary["structure"], json!({"compared": 0, "changed": []}));
}

#[test]
fn removal_repetition_and_order_are_told_with_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let html = article("secret");
    add(folder, ADDRESS, "2026-07-11T07:00:00Z", &html);
    let lines: Vec<&str> = html.lines().collect();
    let at = |id: &str| lines.iter().position(|line| line.contains(id)).unwrap();
    let mut changed = lines.clone();
    changed.swap(at("id02"), at("id03"));
    changed.insert(at("id13") + 1, lines[at("id13")]);
    changed.remove(at("id07"));
    let changed = changed.join("\n");
    fs::write(folder.join("page.html"), &changed).unwrap();
    let run = pressmark(folder, &["check", "page.html"]).expect_code(1);
    assert!(run.out.contains("not covered"), "{}", run.out);

    let said = |name: &str| {
        let (_, summary) = check(folder, name);
        let structure = &summary["structure"];
        assert_eq!(structure["compared"], 1);
        let changed = &structure["changed"][0];
        assert_eq!(changed["against"]["n"], 1);
        assert_eq!(changed["missing"].as_array().unwrap().len(), 1);
        assert_eq!(
            changed["missing"][0]["text"],
            "반대한 이들은 어장이 좁아진다고 걱정한다."
        );
        assert_eq!(changed["repeated"].as_array().unwrap().len(), 1);
        assert_eq!(changed["moved"].as_array().unwrap().len(), 1);
    };
    said("page.html");
    add(folder, ADDRESS, "2026-07-11T08:00:00Z", &changed);
    said(ADDRESS);
    let run = pressmark(folder, &["-A", "a", "check", ADDRESS]).expect_code(1);
    for part in ["missing block 8 of it", "repeated as block", "moved to block"] {
        assert!(run.out.contains(part), "{part} in\n{}", run.out);
    }
    let run = pressmark(folder, &["-A", "a", "check", &format!("{ADDRESS}@1")]).expect_code(1);
    assert!(run.out.contains("no snapshot before"), "{}", run.out);
}

#[test]
fn a_rehash_is_one_within_an_article_only_and_salts_are_counted_by_site() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let html = article("secret");
    add(folder, ADDRESS, "2026-07-11T07:00:00Z", &html);
    // The publisher hashes one block anew: same article, same block, same text.
    let old = blake3(b"secret 13").to_string();
    let new = blake3(b"new secret 13").to_string();
    let rehashed = html.replace(&old, &new);
    add(folder, ADDRESS, "2026-07-12T07:00:00Z", &rehashed);
    let (lines, _) = check(folder, ADDRESS);
    assert_eq!(witnesses(&lines), [of("consistent", &[1]), of("rehashed", &[1])]);
    let line = lines.iter().find(|line| line["witness"] == "rehashed").unwrap();
    assert_eq!(line["text"], "표값은 그대로다.");

    // Another article repeats two paragraphs: one under the same hash, one under another.
    let same = blake3(b"secret 11").to_string();
    let other = blake3(b"elsewhere").to_string();
    let page = format!(
        "<p contents-hash=\"{same}\">그동안 배는 동쪽 방파제에 댄다.</p>\
         <p contents-hash=\"{other}\">주민 312명 가운데 208명이 찬성 서명을 했다.</p>"
    );
    add(folder, OTHER, "2026-07-13T07:00:00Z", &page);
    let (lines, _) = check(folder, OTHER);
    assert_eq!(witnesses(&lines), [of("consistent", &[1, 2]), of("first", &[])]);

    let run = pressmark(folder, &["-A", "a", "check", "--all", "--json"]).expect_code(1);
    let site = &run.json()[0];
    let expected = json!({
        "type": "site",
        "site": "news.island.example",
        "pages": 3,
        "blocks": 36,
        "unproven": 32,
        "undeclared": 4,
        "recipe": null,
        "first": "2026-07-11T07:00:00Z",
        "last": "2026-07-13T07:00:00Z",
        "pairs": 17,
        "conflicts": 0,
        "equal_texts_equal_hashes": 1,
        "equal_texts_different_hashes": 1,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&site[key], value, "{key} of {site}");
    }
    let text = pressmark(folder, &["-A", "a", "check", "--all"])
        .expect_code(1)
        .out;
    for part in [
        "news.island.example  3 pages, 36 blocks",
        "32 unproven, 4 undeclared",
        "no known recipe",
        "first seen 2026-07-11, last seen 2026-07-13",
        "1 with equal hashes, 1 with different ones",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn figures_without_text_go_by_their_form_and_the_hash_of_nothing_is_no_witness() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let html = article("secret");
    let nothing = sha256(b"").to_string();
    let html = html.replace(
        "</section>",
        &format!("<figure contents-hash=\"{nothing}\"><img src=\"/n.jpg\"></figure></section>"),
    );
    add(folder, ADDRESS, "2026-07-11T07:00:00Z", &html);
    let replaced = html.replace("boat.jpg", "storm.jpg").replace("/n.jpg", "/m.jpg");
    add(folder, ADDRESS, "2026-07-12T07:00:00Z", &replaced);
    let (lines, _) = check(folder, ADDRESS);
    let conflicts: Vec<&Value> = lines
        .iter()
        .filter(|line| line["witness"] == "conflict")
        .collect();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(
        (&conflicts[0]["id"], &conflicts[0]["text"]),
        (&json!("id12"), &json!(""))
    );
    assert_eq!(lines.last().unwrap()["witness"], Value::Null);
    // In another article the same hash over another picture proves nothing.
    let hash = blake3(b"secret 12").to_string();
    let page = format!("<p>Other</p><figure contents-hash=\"{hash}\"><img src=\"/else.jpg\"></figure>");
    add(folder, OTHER, "2026-07-13T07:00:00Z", &page);
    let (lines, _) = check(folder, OTHER);
    assert_eq!(witnesses(&lines), [of("first", &[])]);
    let run = pressmark(folder, &["-A", "a", "check", "--all", "--json"]).expect_code(1);
    assert_eq!(run.json()[0]["conflicts"], 1);
}

#[test]
fn a_found_recipe_is_kept_as_a_site_rule_and_used_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // A rule of our own that no built-in recipe is.
    let recipe = "name = \"ours\"\nscope = \"text\"\nsteps = [\"collapse-white-space\", \"trim\"]\n\
                  message = \"{attribute:dmcf-pid}:{content}\"\ndigest = [\"sha-256\"]\n";
    fs::write(folder.join("ours.toml"), recipe).unwrap();
    fs::write(folder.join("plain.html"), article("secret")).unwrap();
    let stamped = pressmark(folder, &["stamp", "--recipe", "ours.toml", "plain.html"]).expect_code(0);
    let html = stamped.out;
    add(folder, ADDRESS, "2026-07-11T07:00:00Z", &html);
    let run = pressmark(folder, &["-A", "a", "check", "--json", ADDRESS]).expect_code(1);
    assert_eq!(run.json().pop().unwrap()["unproven"], 15);

    // A file tells no host; the archive's own snapshot does.
    fs::write(folder.join("page.html"), &html).unwrap();
    let run = pressmark(folder, &["-A", "a", "recipe", "find", "--keep", "page.html"]).expect_code(2);
    assert!(run.err.contains("--keep="), "{}", run.err);
    let run = pressmark(folder, &["-A", "a", "recipe", "find", "--keep", ADDRESS]).expect_code(0);
    assert!(run.out.contains("reproduces 15 of 15"), "{}", run.out);
    assert!(run.err.contains("kept for news.island.example"), "{}", run.err);
    let rules = fs::read_to_string(folder.join("a/sites.toml")).unwrap();
    assert!(rules.contains("[site.recipe]"), "{rules}");

    let used = |run: Run| {
        let lines = run.expect_code(0).json();
        let (summary, blocks) = lines.split_last().unwrap();
        assert_eq!(summary["reproduced"], 15);
        assert!(
            blocks[0]["recipe"].as_str().unwrap().starts_with("found-"),
            "{}",
            blocks[0]
        );
    };
    used(pressmark(folder, &["-A", "a", "check", "--json", ADDRESS]));
    let run = pressmark(folder, &["-A", "a", "check", "--all", "--json"]).expect_code(0);
    let site = &run.json()[0];
    assert_eq!(
        (&site["recipe_reproduces"], &site["reproduced"]),
        (&json!(15), &json!(15))
    );
    let shown = pressmark(folder, &["-A", "a", "site", "show", "news.island.example"]).expect_code(0);
    assert!(shown.out.contains("{attribute:dmcf-pid}"), "{}", shown.out);
    // Kept once; what was found is what --recipe accepts, too.
    let again = pressmark(folder, &["-A", "a", "recipe", "find", "--keep", ADDRESS]).expect_code(0);
    assert!(again.err.contains("has this recipe already"), "{}", again.err);
    assert_eq!(fs::read_to_string(folder.join("a/sites.toml")).unwrap(), rules);
    fs::write(folder.join("found.toml"), &again.out).unwrap();
    used(pressmark(
        folder,
        &["check", "--json", "--recipe", "found.toml", "page.html"],
    ));

    // From now on a changed word is no longer unproven.
    add(
        folder,
        ADDRESS,
        "2026-07-12T07:00:00Z",
        &html.replace("14억", "41억"),
    );
    let (lines, summary) = check(folder, ADDRESS);
    assert_eq!(
        (&summary["altered"], &summary["reproduced"]),
        (&json!(1), &json!(14))
    );
    let line = lines.iter().find(|line| line["verdict"] == "altered").unwrap();
    assert_eq!(line["witness"], "conflict");
}

#[test]
fn a_site_rule_may_name_a_file_beside_it_and_a_bad_one_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    add(folder, ADDRESS, "2026-07-11T07:00:00Z", &article("secret"));
    let rule = |recipe: &str| {
        fs::write(
            folder.join("a/sites.toml"),
            format!("[[site]]\nhosts = [\"news.island.example\"]\n{recipe}\n"),
        )
        .unwrap();
        pressmark(folder, &["-A", "a", "check", "--json", ADDRESS])
    };
    fs::write(
        folder.join("a/dense.toml"),
        "name = \"dense\"\nscope = \"text\"\nsteps = [\"drop-spaces\"]",
    )
    .unwrap();
    let lines = rule("recipe = \"dense.toml\"").expect_code(1).json();
    assert_eq!(lines[0]["recipe"], "dense-v1");
    let run = rule("recipe = \"nowhere.toml\"").expect_code(2);
    assert!(
        run.err.contains("sites.toml") && run.err.contains("nowhere.toml"),
        "{}",
        run.err
    );
    let run = rule("[site.recipe]\nname = \"x\"\nscope = \"everything\"").expect_code(2);
    assert!(
        run.err.contains("sites.toml") && run.err.contains("everything"),
        "{}",
        run.err
    );
}

#[test]
fn site_test_tells_which_rule_labelled_what_and_who_told_the_title() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    add(folder, ADDRESS, "2026-07-11T07:00:00Z", &article("secret"));
    fs::write(
        folder.join("a/sites.toml"),
        "[[site]]\nhosts = [\"*.island.example\"]\narticle = [\"section[dmcf-sid]\"]\n\
         byline = [\"address\"]\nignore = [\"h3\"]\n",
    )
    .unwrap();
    let run = pressmark(folder, &["-A", "a", "site", "test", "--json", ADDRESS]).expect_code(0);
    let mut lines = run.json();
    let summary = lines.pop().unwrap();
    assert_eq!(
        (&summary["rule"], &summary["body"], &summary["blocks"]),
        (&json!("*.island.example"), &json!(13), &json!(17))
    );
    assert_eq!(summary["byline"]["text"], "/한바다 기자(bada@island.example)");
    assert_eq!(summary["byline"]["by"], "rule \"address\" of *.island.example");
    assert_eq!(summary["title"]["by"], "the page's <title>");
    assert_eq!(lines[6]["by"], "ignored");
    let text = pressmark(folder, &["-A", "a", "site", "test", ADDRESS])
        .expect_code(0)
        .out;
    for part in ["13 of 17 blocks are the body", "byline    rule", "rule: article"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn every_way_to_find_a_paragraph() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let html = article("secret");
    add(folder, ADDRESS, "2026-07-11T07:00:00Z", &html);
    add(folder, ADDRESS, "2026-07-12T07:00:00Z", &html);
    let text = "공사는 봄에 시작해 가을 태풍 전에 끝난다.";
    add(
        folder,
        OTHER,
        "2026-07-13T07:00:00Z",
        &format!("<p>다른 소식</p><p>{text}</p>"),
    );
    let find = |arguments: &[&str]| {
        let all: Vec<&str> = ["-A", "a", "find", "--json"]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        pressmark(folder, &all)
    };
    let hash = sha256(text.as_bytes()).to_string();
    for form in [&[text][..], &["--text", text], &[&hash], &[&hash[..8]]] {
        let lines = find(form).expect_code(0).json();
        assert_eq!(lines.len(), 2, "{form:?}");
        assert_eq!(lines[0]["first"]["address"], ADDRESS);
        assert_eq!(
            (&lines[0]["snapshots"], &lines[0]["last"]["n"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(lines[1]["first"]["address"], OTHER);
        assert_eq!(lines[1]["text"], text);
    }
    let declared = blake3(b"secret 10").to_string();
    for form in [&declared[..], &declared[..8]] {
        let lines = find(&["--declared", form]).expect_code(0).json();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["declared"], declared);
    }
    find(&["never written anywhere"]).expect_code(1);
    find(&["ffffffffffff"]).expect_code(1);
    let run = find(&["abc123"]).expect_code(2);
    assert!(run.err.contains("at least 8"), "{}", run.err);
    let run = find(&["nowhere"]).expect_code(2);
    assert!(run.err.contains("--text"), "{}", run.err);

    // A page: which of its paragraphs are there, and where first.
    fs::write(
        folder.join("page.html"),
        format!("<p>아무도 쓰지 않은 문장</p><p>{text}</p>"),
    )
    .unwrap();
    for page in ["page.html", OTHER] {
        let lines = find(&[page]).expect_code(0).json();
        let known = lines.iter().find(|line| line["text"] == text).unwrap();
        assert_eq!((&known["index"], &known["articles"]), (&json!(1), &json!(2)));
        assert_eq!(known["first"]["address"], ADDRESS);
        assert_eq!(known["first"]["n"], 1);
    }
    assert_eq!(find(&["page.html"]).json().len(), 1);

    // Near: a number changed, and the difference is shown.
    let near = "군은 내년 3월부터 15억 원을 들여 부두를 60미터 늘린다.";
    let lines = find(&["--near", near]).expect_code(0).json();
    assert_eq!(lines[0]["first"]["address"], ADDRESS);
    assert!(lines[0]["similarity"].as_f64().unwrap() > 0.8);
    let changed: Vec<&Value> = lines[0]["words"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|word| word["op"] != "equal")
        .collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
    let run = pressmark(folder, &["-A", "a", "find", "--near", near]).expect_code(0);
    assert!(run.out.contains("{+14+}"), "{}", run.out);
    fs::write(folder.join("near.html"), format!("<p>{near}</p>")).unwrap();
    assert_eq!(find(&["--near", "near.html"]).expect_code(0).json().len(), 1);
    find(&[
        "--near",
        "아주 다른 이야기가 여기에 서른 글자 넘게 적혀 있어 가까운 것이 없다.",
    ])
    .expect_code(1);
}

#[test]
fn the_hash_of_nothing_is_no_key_by_any_algorithm_in_any_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let nothing = [
        "d41d8cd98f00b204e9800998ecf8427e",
        "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    ];
    let page = |texts: &str| -> String {
        let blocks: Vec<String> = nothing
            .iter()
            .enumerate()
            .map(|(n, hash)| format!("<p contents-hash=\"{hash}\">{texts} {n}</p>"))
            .collect();
        blocks.concat()
    };
    add(folder, ADDRESS, "2026-07-11T07:00:00Z", &page("eins"));
    add(folder, ADDRESS, "2026-07-12T07:00:00Z", &page("zwei"));
    let (lines, _) = check(folder, ADDRESS);
    assert_eq!(lines.len(), nothing.len());
    assert_eq!(witnesses(&lines), [of("null", &[])]);
    let run = pressmark(folder, &["-A", "a", "check", "--all", "--json"]).expect_code(1);
    let site = &run.json()[0];
    assert_eq!((&site["pairs"], &site["conflicts"]), (&json!(0), &json!(0)));
    // Nor does it tell where a page without an address comes from.
    fs::write(folder.join("copy.html"), page("drei")).unwrap();
    let (_, summary) = check(folder, "copy.html");
    assert_eq!(summary["structure"], json!({"compared": 0, "changed": []}));
}

#[test]
fn an_archive_passes_as_its_only_page_does() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    add(
        folder,
        ADDRESS,
        "2026-07-11T07:00:00Z",
        "<p>Nothing is declared here.</p>",
    );
    for (allowed, code) in [("undeclared", 0), ("unproven", 1)] {
        pressmark(folder, &["-A", "a", "check", "--allow", allowed, ADDRESS]).expect_code(code);
        pressmark(folder, &["-A", "a", "check", "--all", "--allow", allowed]).expect_code(code);
    }
    let html = article("secret");
    add(folder, OTHER, "2026-07-11T07:00:00Z", &html);
    for (allowed, code) in [("undeclared", 1), ("unproven", 0)] {
        pressmark(folder, &["-A", "a", "check", "--all", "--allow", allowed]).expect_code(code);
    }
}

#[test]
fn an_error_page_between_two_revisions_hides_no_removal() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = article("key");
    let last = whole.rfind("<address").unwrap();
    let last_gone = format!("{}</section>", &whole[..last]);
    let mut lines = String::new();
    for (n, status, html) in [
        (1, 200, whole.as_str()),
        (2, 503, "<p>Back soon.</p>"),
        (3, 200, last_gone.as_str()),
    ] {
        let line = json!({"url": ADDRESS, "fetched_at": format!("2026-07-1{n}T06:00:00Z"), "status": status, "html": html});
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    fs::write(folder.join("crawl.ndjson"), lines).unwrap();
    pressmark(folder, &["-A", "a", "add", "crawl.ndjson"]).expect_code(0);
    let missing = |name: &str| {
        let run = pressmark(folder, &["-A", "a", "check", "--json", name]);
        let summary = run.json().pop().unwrap();
        let changed = &summary["structure"]["changed"][0];
        assert_eq!(changed["against"]["n"], 1, "{summary}");
        changed["missing"].as_array().unwrap().len()
    };
    assert_eq!(missing(&format!("{ADDRESS}@3")), 1);
}
