//! The pages that `diff --html` writes: nothing is loaded from elsewhere, what an article says stays text,
//! every link leads somewhere, and a reader can check what is shown. What takes a browser is checked by
//! `tests/clients/browser`.

use std::collections::{BTreeMap, BTreeSet};

use html5ever::tendril::TendrilSink as _;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use pressmark::digest::sha256;
use serde_json::json;

use crate::command::{pressmark, pressmark_with_input};

const ADDRESS: &str = "https://www.pennard.example/story";
const SCRIPT: &str =
    "The page said <script>alert('mine')</script> & <img src=x onerror=alert(2)> in its text.";
const CLERK: &str = "The clerk read the minutes of the last meeting aloud, as the rules ask him to do.";
const PUMP: &str = "The pump at the lower drain failed on Tuesday and was mended on the following day.";
const VOTE: &str = "Nine members voted for the new sluice, four against it, and one was not in the room.";
const DIKE: &str = "The dike keeper warned that the autumn tides will be higher than those of last year.";

fn page(headline: &str, paragraphs: &[&str], picture: &str) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let body: String = paragraphs
        .iter()
        .map(|text| format!("<p>{}</p>\n", escaped(text)))
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<!doctype html><html lang=\"en\"><title>{0}</title><article><h1>{0}</h1>\n{body}\
         <p>More in <a href=\"javascript:alert(3)\">the minutes</a>.</p>\
         <figure><img src=\"{picture}\" alt=\"&quot;&gt;&lt;script&gt;x()&lt;/script&gt;\"></figure></article></html>",
        escaped(headline)
    )
}

fn archive() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pages = [
        page(
            "A </title><script>alert(1)</script> night",
            &[CLERK, PUMP, VOTE, DIKE],
            "/a.jpg",
        ),
        page(
            "A quiet night",
            &[PUMP, VOTE, DIKE, SCRIPT, CLERK],
            "https://elsewhere.example/b.jpg",
        ),
        page(
            "A quiet night",
            &[PUMP, VOTE.replace("Nine", "Ten").as_str(), SCRIPT, CLERK],
            "//c.example/c.jpg",
        ),
    ];
    let mut stream = String::new();
    for (at, html) in pages.iter().enumerate() {
        let moment = format!("2026-05-0{}T06:00:00Z", at + 1);
        stream.push_str(&json!({"url": ADDRESS, "fetched_at": moment, "html": html}).to_string());
        stream.push('\n');
    }
    pressmark_with_input(folder.path(), &["add", "-"], stream.as_bytes()).expect_code(0);
    folder
}

struct Found {
    ids: Vec<String>,
    targets: BTreeSet<String>,
    tags: BTreeMap<String, usize>,
    text: String,
}

/// Gathers what must hold of every element on the way.
fn check(node: &Handle, found: &mut Found, inside: &str) {
    match &node.data {
        NodeData::Element { name, attrs, .. } => {
            let tag = name.local.to_string();
            *found.tags.entry(tag.clone()).or_default() += 1;
            for attribute in attrs.borrow().iter() {
                let (name, value) = (&*attribute.name.local, attribute.value.to_string());
                assert!(!name.starts_with("on"), "<{tag} {name}={value}>");
                match name {
                    "src" | "srcset" | "action" | "data" | "poster" | "background" | "style" | "ping" => {
                        panic!("<{tag} {name}={value}>")
                    }
                    "href" => {
                        let target = value
                            .strip_prefix('#')
                            .unwrap_or_else(|| panic!("<{tag} href={value}>"));
                        found.targets.insert(target.to_owned());
                    }
                    "id" => found.ids.push(value),
                    _ => {}
                }
            }
            for child in node.children.borrow().iter() {
                check(child, found, &tag);
            }
        }
        NodeData::Text { contents } => match inside {
            "script" | "style" => {
                let code = contents.borrow().to_string();
                for word in [
                    "url(",
                    "@import",
                    "http:",
                    "https:",
                    "fetch(",
                    "XMLHttpRequest",
                    "import(",
                    "eval(",
                ] {
                    assert!(!code.contains(word), "{inside}: {word}");
                }
                assert!(!code.contains("alert"), "{code}");
            }
            _ => found.text.push_str(&contents.borrow()),
        },
        _ => {
            for child in node.children.borrow().iter() {
                check(child, found, inside);
            }
        }
    }
}

fn read(html: &str) -> Found {
    let dom = html5ever::parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(html);
    assert!(dom.errors.borrow().is_empty(), "{:?}", dom.errors.borrow());
    let mut found = Found {
        ids: Vec::new(),
        targets: BTreeSet::new(),
        tags: BTreeMap::new(),
        text: String::new(),
    };
    check(&dom.document, &mut found, "");
    let ids: BTreeSet<String> = found.ids.iter().cloned().collect();
    assert_eq!(ids.len(), found.ids.len(), "an id stands twice");
    let dead: Vec<_> = found.targets.difference(&ids).collect();
    assert!(dead.is_empty(), "links that lead nowhere: {dead:?}");
    for once in ["html", "head", "body", "main", "h1", "script", "style", "title"] {
        assert_eq!(found.tags.get(once), Some(&1), "{once}");
    }
    for never in [
        "img", "iframe", "link", "object", "embed", "form", "base", "video", "svg",
    ] {
        assert_eq!(found.tags.get(never), None, "{never}");
    }
    assert!(html.contains("default-src 'none'"));
    assert!(html.contains("<html lang=\"en\">"));
    found
}

#[test]
fn a_suspect_page_is_not_what_stood_there_before() {
    let folder = tempfile::tempdir().unwrap();
    let whole = |text: &str| format!("<p>{CLERK}</p><p>{text}</p><p>{DIKE}</p>");
    let bodies = [
        whole(PUMP),
        whole(VOTE),
        "<p>Please log in.</p>".to_owned(),
        whole(VOTE),
    ];
    let mut stream = String::new();
    for (at, body) in bodies.iter().enumerate() {
        let html = format!(
            "<!doctype html><title>Sluice</title><h1>The sluice is to be rebuilt</h1><article>{body}</article>"
        );
        let moment = format!("2026-06-0{}T06:00:00Z", at + 1);
        stream.push_str(&json!({"url": MEETING, "fetched_at": moment, "html": html}).to_string());
        stream.push('\n');
    }
    pressmark_with_input(folder.path(), &["add", "-"], stream.as_bytes()).expect_code(0);
    let told = pressmark(folder.path(), &["diff", MEETING, "--json"]).expect_code(1);
    let told = &told.json()[0];
    assert_eq!(told["old"]["name"], format!("{MEETING}@1"));
    assert_eq!(told["new"]["name"], format!("{MEETING}@4"));
    // The suspect page itself is held against the one before it.
    let suspect = format!("{MEETING}@3");
    let told = pressmark(folder.path(), &["diff", &suspect, "--json"]).expect_code(1);
    let told = &told.json()[0];
    assert_eq!(told["old"]["name"], format!("{MEETING}@2"));
    assert_eq!(told["suspect"]["reason"], "shrunk");
}

#[test]
fn a_diff_page_is_complete_in_itself_and_text_stays_text() {
    let folder = archive();
    for (old, new) in [(1, 2), (2, 3), (1, 3)] {
        let names = [format!("{ADDRESS}@{old}"), format!("{ADDRESS}@{new}")];
        let html = pressmark(folder.path(), &["diff", "--html", &names[0], &names[1]])
            .expect_code(1)
            .out;
        let found = read(&html);
        assert!(found.text.contains(SCRIPT) || old == 2, "{}", found.text);
        assert!(found.text.contains("link javascript:alert(3)") || !html.contains("javascript:"));
    }
    let names = [format!("{ADDRESS}@1"), format!("{ADDRESS}@2")];
    let found = read(
        &pressmark(folder.path(), &["diff", "--html", &names[0], &names[1]])
            .expect_code(1)
            .out,
    );
    // A moved block and the place it left name each other.
    assert!(found.text.contains("moved from here"), "{}", found.text);
    assert!(found.text.contains("where it was"));
    // Whoever doubts can check: hash and range of the block on both sides.
    assert!(found.text.contains(&sha256(CLERK.as_bytes()).to_string()));
    assert!(found.text.contains("bytes "));
}

#[test]
fn a_history_page_is_complete_in_itself() {
    let folder = archive();
    let html = pressmark(folder.path(), &["diff", "--html", ADDRESS])
        .expect_code(1)
        .out;
    let found = read(&html);
    assert!(found.text.contains("3 snapshots between"), "{}", found.text);
    assert!(found.text.contains("first snapshot"));
    for id in ["v2", "v3", "timeline", "paragraphs", "edits"] {
        assert!(found.ids.iter().any(|known| known == id), "{id}");
    }
    assert!(found.text.contains(SCRIPT));
}

#[test]
fn what_was_left_out_stands_in_every_form() {
    let folder = archive();
    let pair = [format!("{ADDRESS}@2"), format!("{ADDRESS}@3")];
    let with = |form: &[&str]| {
        let mut arguments = vec!["diff", "--ignore", "image", &pair[0], &pair[1]];
        arguments.extend(form);
        pressmark(folder.path(), &arguments).expect_code(1).out
    };
    for (form, note) in [
        (&[][..], "ignored "),
        (&["--side-by-side"], "ignored "),
        (&["--format", "unified"], "# ignored "),
        (&["--html"], "Ignored "),
        (&["--json"], "\"ignored\":{\"changes\":"),
    ] {
        let out = with(form);
        assert!(out.contains(note), "{form:?}: {out}");
    }
    let html = pressmark(folder.path(), &["diff", "--html", "--ignore", "image", ADDRESS])
        .expect_code(1)
        .out;
    assert!(html.contains("Ignored "), "{html}");
    let log = pressmark(folder.path(), &["log", "--ignore", "image", ADDRESS]).expect_code(0);
    assert!(log.out.contains("ignored"), "{}", log.out);
    let edits = pressmark(folder.path(), &["log", "--json", "--edits", "--ignore", "image"]).expect_code(0);
    assert!(edits.err.contains("ignored"), "{}", edits.err);
}

const MEETING: &str = "https://www.pennard.example/meeting";

/// An article with a byline above it, a counter below it and a mark in its head, added once for each
/// (byline, paragraph, counter).
fn article(versions: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut stream = String::new();
    for (at, (author, paragraph, counter)) in versions.iter().enumerate() {
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta name=\"served\" content=\"{at}\"><title>Sluice</title></head>\
             <body><h1>The sluice is to be rebuilt</h1><p class=\"byline\">By {author}</p>\
             <article><p>{CLERK}</p><p>{paragraph}</p><p>{DIKE}</p></article>\
             <footer><p>{counter}</p></footer></body></html>"
        );
        let moment = format!("2026-06-{:02}T06:00:00Z", at + 1);
        stream.push_str(&json!({"url": MEETING, "fetched_at": moment, "html": html}).to_string());
        stream.push('\n');
    }
    pressmark_with_input(folder.path(), &["add", "-"], stream.as_bytes()).expect_code(0);
    folder
}

/// An article, then a page that asks to log in, then the article again if `back`.
fn interrupted(back: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let whole = format!("<p>{CLERK}</p><p>{PUMP}</p><p>{DIKE}</p>");
    let mut bodies = vec![whole.as_str(), "<p>Please log in.</p>"];
    bodies.extend(back.then_some(whole.as_str()));
    let mut stream = String::new();
    for (at, body) in bodies.iter().enumerate() {
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta name=\"served\" content=\"{at}\"><title>Sluice</title></head>\
             <body><h1>The sluice is to be rebuilt</h1><article>{body}</article></body></html>"
        );
        let moment = format!("2026-06-{:02}T06:00:00Z", at + 1);
        stream.push_str(&json!({"url": MEETING, "fetched_at": moment, "html": html}).to_string());
        stream.push('\n');
    }
    pressmark_with_input(folder.path(), &["add", "-"], stream.as_bytes()).expect_code(0);
    folder
}

#[test]
fn blame_says_which_snapshot_it_leaves_out() {
    let folder = interrupted(false);
    let blame = pressmark(folder.path(), &["blame", MEETING]).expect_code(0);
    assert!(blame.out.contains("left out snapshot 2"), "{}", blame.out);
    let blame = pressmark(folder.path(), &["blame", "--json", MEETING]).expect_code(0);
    assert!(blame.err.contains("left out snapshot 2"), "{}", blame.err);
    let folder = interrupted(true);
    let blame = pressmark(folder.path(), &["blame", MEETING]).expect_code(0);
    assert!(!blame.out.contains("left out"), "{}", blame.out);
}

#[test]
fn the_way_back_from_a_suspect_snapshot_is_told_as_the_log_does() {
    let folder = interrupted(true);
    let log = pressmark(folder.path(), &["log", MEETING]).expect_code(0).out;
    assert!(log.contains("as 1 was"), "{log}");
    let html = pressmark(folder.path(), &["diff", "--html", MEETING])
        .expect_code(1)
        .out;
    let text = read(&html).text;
    assert!(
        text.contains("— as 1 was") && !text.contains("— unchanged"),
        "{text}"
    );
}

#[test]
fn a_history_without_a_change_is_no_finding() {
    let folder = article(&[
        ("Ada Moor", PUMP, "Read 10 times"),
        ("Ada Moor", PUMP, "Read 20 times"),
    ]);
    let html = pressmark(folder.path(), &["diff", "--html", MEETING])
        .expect_code(0)
        .out;
    assert!(read(&html).text.contains("2 snapshots between"));
}

#[test]
fn a_history_shows_changes_outside_the_article_when_asked() {
    let folder = article(&[
        ("Ada Moor", PUMP, "Read 10 times"),
        ("Ada Moor", PUMP, "Read 20 times"),
    ]);
    for asked in [&["--all"][..], &["--place", "outside"]] {
        let mut arguments = vec!["diff", "--html", MEETING];
        arguments.extend(asked);
        let html = pressmark(folder.path(), &arguments).expect_code(1).out;
        let text = read(&html).text;
        assert!(text.contains("1 change outside the article"), "{asked:?}: {text}");
    }
}

#[test]
fn changes_outside_the_article_are_shown_where_that_place_is_named() {
    let folder = article(&[
        ("Ada Moor", PUMP, "Read 10 times"),
        ("Ada Moor", PUMP, "Read 20 times"),
    ]);
    let pair = [format!("{MEETING}@1"), format!("{MEETING}@2")];
    for form in [&["--whole"][..], &["--side-by-side"], &["--format", "unified"]] {
        let mut arguments = vec!["diff", "--place", "outside", &pair[0], &pair[1]];
        arguments.extend(form);
        let out = pressmark(folder.path(), &arguments).expect_code(1).out;
        assert!(out.contains("times") && !out.contains("--all"), "{form:?}: {out}");
    }
}

#[test]
fn a_byline_outside_the_body_is_a_change_of_the_article() {
    let folder = article(&[
        ("Ada Moor", PUMP, "Read 10 times"),
        ("Ada Moor", PUMP, "Read 20 times"),
        ("Ada Moor and Bea Fenn", PUMP, "Read 30 times"),
        ("Ada Moor and Bea Fenn", VOTE, "Read 40 times"),
    ]);
    let edits = pressmark(folder.path(), &["log", "--edits", "--json", MEETING])
        .expect_code(0)
        .out;
    let mut places: Vec<(u64, String)> = edits
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|edit| {
            (
                edit["n"].as_u64().unwrap(),
                edit["place"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    // One paragraph in the place of another is two edits.
    places.dedup();
    assert_eq!(places, [(3, "byline".to_owned()), (4, "body".to_owned())]);
}

#[test]
fn a_character_that_leaves_no_trace_is_shown_by_its_number() {
    let joined = PUMP.replace("lower drain", "lower\u{200b} drain");
    let folder = article(&[("Ada Moor", PUMP, "-"), ("Ada Moor", &joined, "-")]);
    let html = pressmark(folder.path(), &["diff", "--html", MEETING])
        .expect_code(1)
        .out;
    read(&html);
    // Inline and side by side.
    assert_eq!(html.matches("<ins>U+200B</ins>").count(), 2, "{html}");
}

#[test]
fn an_error_page_is_held_against_what_stood_there_before() {
    let folder = tempfile::tempdir().unwrap();
    let gone = "https://www.pennard.example/gone";
    let mut stream = String::new();
    for (at, (address, status, text)) in [
        (MEETING, 200, CLERK),
        (MEETING, 200, PUMP),
        (MEETING, 404, "Not found."),
        (gone, 404, "Not found."),
    ]
    .into_iter()
    .enumerate()
    {
        let html = format!("<!doctype html><title>Sluice</title><article><p>{text}</article>");
        let moment = format!("2026-06-0{}T06:00:00Z", at + 1);
        let line = json!({"url": address, "fetched_at": moment, "status": status, "html": html});
        stream.push_str(&line.to_string());
        stream.push('\n');
    }
    pressmark_with_input(folder.path(), &["add", "-"], stream.as_bytes()).expect_code(0);
    let told = pressmark(folder.path(), &["diff", MEETING, "--json"]).expect_code(1);
    let told = &told.json()[0];
    assert_eq!(told["old"]["name"], format!("{MEETING}@2"));
    assert_eq!(told["new"]["name"], format!("{MEETING}@3"));
    // Without a page to show there is no empty file that looks like one.
    let told = pressmark(folder.path(), &["diff", "--html", gone]).expect_code(2);
    assert!(told.err.contains("status 200"), "{}", told.err);
}

#[test]
fn a_text_runs_in_its_own_direction() {
    let text = "قال الوزير إن العمل في السد سيبدأ في الشهر القادم (رقم 12)!";
    let folder = article(&[
        ("Ada Moor", text, "-"),
        ("Ada Moor", &text.replace("12", "15"), "-"),
    ]);
    let html = pressmark(folder.path(), &["diff", "--html", MEETING])
        .expect_code(1)
        .out;
    read(&html);
    // In the table of paragraphs, inline, and on both sides.
    assert_eq!(html.matches("dir=\"auto\">قال").count(), 4, "{html}");
}

#[test]
fn a_near_paragraph_in_many_articles_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let mut stream = String::new();
    for at in 0..66 {
        let html = format!("<!doctype html><title>Sluice</title><article><p>{VOTE}</article>");
        let line = json!({"url": format!("{MEETING}/{at}"), "html": html});
        stream.push_str(&line.to_string());
        stream.push('\n');
    }
    pressmark_with_input(folder.path(), &["add", "-"], stream.as_bytes()).expect_code(0);
    let asked = VOTE.replace("Nine", "Eight");
    let near = |form: &[&str]| {
        let mut arguments = vec!["find", "--near", "--text", asked.as_str()];
        arguments.extend(form);
        pressmark(folder.path(), &arguments).expect_code(0)
    };
    let hit = &near(&["--json"]).json()[0];
    assert_eq!((&hit["articles"], &hit["more"]), (&json!(64), &json!(true)));
    let told = near(&[]).out;
    assert!(told.contains("and at least 63 more"), "{told}");
}

#[test]
fn a_move_outside_the_article_links_to_no_stub() {
    let folder = tempfile::tempdir().unwrap();
    for (name, first, second) in [("old.html", VOTE, PUMP), ("new.html", PUMP, VOTE)] {
        let html = format!(
            "<!doctype html><html lang=\"en\"><title>Sluice</title><body>\
             <article><h1>The sluice is to be rebuilt</h1><p>{CLERK}</p><p>{DIKE}</p></article>\
             <footer><p>{first}</p><p>{second}</p></footer></body></html>"
        );
        std::fs::write(folder.path().join(name), html).unwrap();
    }
    let html = pressmark(folder.path(), &["diff", "--html", "old.html", "new.html"])
        .expect_code(1)
        .out;
    let text = read(&html).text;
    assert!(text.contains("1 change outside the article"), "{text}");
}

#[test]
fn an_article_named_twice_is_told_once() {
    let folder = article(&[("Ada Moor", PUMP, "-"), ("Ada Moor", VOTE, "-")]);
    let log = |names: &[&str]| {
        let mut arguments = vec!["log", "--edits", "--json"];
        arguments.extend(names);
        pressmark(folder.path(), &arguments).expect_code(0).out
    };
    assert_eq!(log(&[MEETING, MEETING]), log(&[MEETING]));
}

#[test]
fn every_row_of_the_ledger_tells_what_changed() {
    let folder = archive();
    let rows = pressmark(folder.path(), &["log", "--edits", ADDRESS])
        .expect_code(0)
        .out;
    let row = |what: &str| {
        let found = rows.lines().find(|row| row.contains(what));
        found.unwrap_or_else(|| panic!("{what}: {rows}")).to_owned()
    };
    assert!(row("@2 move body").contains("The clerk read"), "{rows}");
    assert!(row("@2 edit caption image").contains("[-image /a.jpg"), "{rows}");
}

#[test]
fn a_history_counts_as_the_log_does_and_links_only_to_what_it_shows() {
    let folder = article(&[
        ("Ada Moor", PUMP, "-"),
        ("Ada Moor", VOTE, "-"),
        ("Ada Moor", PUMP, "-"),
        ("Bea Fenn", PUMP, "-"),
    ]);
    let revisions = pressmark(folder.path(), &["log", "--revisions", "--json", MEETING])
        .expect_code(0)
        .out
        .lines()
        .count();
    let html = pressmark(folder.path(), &["diff", "--html", MEETING])
        .expect_code(1)
        .out;
    let told = format!("{revisions} revisions, 1 form change");
    assert!(read(&html).text.contains(&told), "{told}");
    // What was left out is shown as left out; what is not asked for is not linked.
    for left_out in [&["--ignore", "body"][..], &["--place", "headline"]] {
        let mut arguments = vec!["diff", "--html", MEETING];
        arguments.extend(left_out);
        read(&pressmark(folder.path(), &arguments).out);
    }
}

#[test]
fn what_is_left_out_counts_where_it_leaves_no_revision() {
    let folder = article(&[("Ada Moor", PUMP, "-"), ("Ada Moor", VOTE, "-")]);
    let arguments = ["log", "--revisions", "--ignore", "text", MEETING];
    let log = pressmark(folder.path(), &arguments).expect_code(0).out;
    assert!(log.contains("ignored 2 changes: text 2"), "{log}");
}
