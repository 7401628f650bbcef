//! Every kind of tampering: which verdict and which witness is right, and what is not covered.

use std::sync::Arc;

use pressmark::archive::{Archive, Planned, WriterOptions};
use pressmark::catalog::blocks::Outline;
use pressmark::catalog::ledger::Testimony;
use pressmark::check::{Evidence, Testified, Verdict, check, structure};
use pressmark::digest::{blake3, sha256};
use pressmark::disk::MemoryDisk;
use pressmark::html::{ReadOptions, read};
use pressmark::label::{Reader, Rules};
use pressmark::page::{Moment, Page};
use pressmark::recipe::{DEFAULT_ATTRIBUTE, PageInput, Recipe, builtin, builtins, stamp};

const ARTICLE: &str = r#"<!doctype html><meta charset=utf-8><title>등대섬 소식</title><section dmcf-sid="Sx1">
<p dmcf-pid="p1" dmcf-ptype="general">등대섬에 배가 하루 네 번 들어온다. 지난해보다 두 번 늘었다.</p>
<p dmcf-pid="p2" dmcf-ptype="general">Captain Han said the pier &quot;holds&quot; in winds up to 17 m/s.</p>
<h3 dmcf-pid="h1" dmcf-ptype="h3">새 부두는 내년 봄에</h3>
<p dmcf-pid="p3" dmcf-ptype="general">주민 312명 가운데 208명이 서명했다.</p>
<figure dmcf-pid="f1" dmcf-ptype="figure"><img src="/i/pier.jpg" alt=""><figcaption>옛 부두, 1974년</figcaption></figure>
<figure dmcf-pid="f2" dmcf-ptype="figure"><img src="/i/boat.jpg" alt="배"></figure>
<figure dmcf-pid="f3" dmcf-ptype="figure"><img src="/i/gull.jpg" alt=""><figcaption>난간 위의 갈매기 세 마리</figcaption></figure>
<p dmcf-pid="p4" dmcf-ptype="general">The ferry office answers from 8 to 18, on Sundays from 10.</p>
</section>"#;

const ADDRESS: &str = "https://island.example/news/lighthouse";

fn stamped(recipe: &str) -> String {
    let document = read(ARTICLE.as_bytes(), &ReadOptions::default());
    let page = PageInput::new(ARTICLE.as_bytes(), &document);
    let read = |bytes: &[u8]| read(bytes, &ReadOptions::default());
    let wanted = |_: usize, block: &pressmark::block::Block| block.id.is_some();
    let stamped = stamp(page, builtin(recipe).unwrap(), wanted, read).unwrap();
    assert_eq!(stamped.stamped, 8);
    String::from_utf8(stamped.bytes).unwrap()
}

fn snapshot(html: &str, minute: i64) -> Page {
    Page {
        address: ADDRESS.into(),
        moment: Some(Moment(1_750_000_000_000_000_000 + minute * 60_000_000_000)),
        status: Some(200),
        body: html.as_bytes().to_vec(),
        ..Page::default()
    }
}

/// An archive that holds these pages, with their blocks in the catalog.
fn archive(pages: &[Page]) -> Archive {
    let (archive, _) = Archive::create_or_open(Arc::new(MemoryDisk::new())).unwrap();
    let mut writer = archive.writer(WriterOptions::default()).unwrap();
    for page in pages {
        let document = read(&page.body, &ReadOptions::default());
        let outline = Outline::of(&document, blake3(&page.body));
        if let Planned::Job(job) = writer.plan(page.clone(), Some(outline)).unwrap() {
            writer.append(job.encode()).unwrap();
        }
    }
    let commit = writer.commit().unwrap().unwrap();
    assert!(!commit.catalog_behind);
    drop(writer);
    assert_eq!(archive.unindexed().unwrap(), 0);
    archive
}

fn testimonies(archive: &Archive, html: &str) -> Vec<Option<Testified>> {
    let reader = Reader::new(Rules::builtin(), DEFAULT_ATTRIBUTE);
    let document = read(html.as_bytes(), &ReadOptions::default());
    pressmark::check::testimonies(archive, &reader, ADDRESS, None, &document)
        .unwrap()
        .blocks
}

/// One way of tampering with the stamped article.
struct Case {
    name: &'static str,
    /// Recipe the article was stamped by.
    recipe: &'static str,
    tamper: fn(&str) -> String,
    /// Whether only that recipe is asked. Where two recipes give the same for the original, as `text-v1`
    /// and `text-raw-v1` do for a text in NFC, the more tolerant one still reproduces the hash.
    alone: bool,
    /// Ids of the blocks that must stand out, each with its verdict and witness. Every other block
    /// must be reproduced and consistent.
    expected: &'static [(&'static str, Verdict, Option<Testimony>)],
    /// Blocks missing, repeated and moved against the snapshot in the archive: not covered without
    /// one.
    structure: (usize, usize, usize),
}

fn swap(html: &str, one: &str, other: &str) -> String {
    html.replace(one, "\u{1}")
        .replace(other, one)
        .replace('\u{1}', other)
}

fn element(html: &str, id: &str) -> String {
    html.lines()
        .find(|line| line.contains(&format!("dmcf-pid=\"{id}\"")))
        .unwrap()
        .to_owned()
}

fn hash(html: &str, id: &str) -> String {
    let element = element(html, id);
    let at = element.find("contents-hash=\"").unwrap() + "contents-hash=\"".len();
    element[at..at + 64].to_owned()
}

fn spell_the_quote_otherwise(html: &str) -> String {
    html.replace("&quot;", "&#34;")
}

/// NFD instead of NFC.
fn take_letters_apart(html: &str) -> String {
    html.replace(
        "등대섬에",
        "\u{1103}\u{1173}\u{11bc}\u{1103}\u{1162}\u{1109}\u{1165}\u{11b7}\u{110b}\u{1166}",
    )
}

fn replace_the_image(html: &str) -> String {
    html.replace("/i/pier.jpg", "/i/ruin.jpg")
}

const CASES: &[Case] = &[
    Case {
        name: "untouched",
        alone: false,
        recipe: "text-v1",
        tamper: str::to_owned,
        expected: &[],
        structure: (0, 0, 0),
    },
    Case {
        name: "text changed under an unchanged declared hash",
        alone: false,
        recipe: "text-v1",
        tamper: |html| html.replace("하루 네 번", "하루 다섯 번"),
        expected: &[("p1", Verdict::Altered, Some(Testimony::Conflict))],
        structure: (0, 0, 0),
    },
    Case {
        name: "hash changed under unchanged text",
        alone: false,
        recipe: "text-v1",
        tamper: |html| html.replace(&hash(html, "p3"), &sha256(b"forged").to_string()),
        expected: &[("p3", Verdict::Altered, Some(Testimony::Rehashed))],
        structure: (1, 0, 0),
    },
    Case {
        name: "hash and text both changed, consistently",
        alone: false,
        recipe: "text-v1",
        tamper: |html| {
            let text = "주민 312명 가운데 288명이 서명했다.";
            html.replace(&hash(html, "p3"), &sha256(text.as_bytes()).to_string())
                .replace("주민 312명 가운데 208명이 서명했다.", text)
        },
        // Whoever can write the hash can write any text: the archive alone has another witness.
        expected: &[("p3", Verdict::Reproduced, Some(Testimony::First))],
        structure: (1, 0, 0),
    },
    Case {
        name: "paragraph removed",
        alone: false,
        recipe: "text-v1",
        tamper: |html| html.replace(&element(html, "p2"), ""),
        expected: &[],
        structure: (1, 0, 0),
    },
    Case {
        name: "paragraphs swapped",
        alone: false,
        recipe: "text-v1",
        tamper: |html| swap(html, &element(html, "p1"), &element(html, "p4")),
        expected: &[],
        structure: (0, 0, 2),
    },
    Case {
        name: "paragraph duplicated",
        alone: false,
        recipe: "text-v1",
        tamper: |html| {
            let twice = element(html, "p4").repeat(2);
            html.replace(&element(html, "p4"), &twice)
        },
        expected: &[],
        structure: (0, 1, 0),
    },
    Case {
        name: "hashes of two paragraphs exchanged",
        alone: false,
        recipe: "text-v1",
        tamper: |html| swap(html, &hash(html, "p1"), &hash(html, "p4")),
        expected: &[
            ("p1", Verdict::Altered, Some(Testimony::Conflict)),
            ("p4", Verdict::Altered, Some(Testimony::Conflict)),
        ],
        structure: (0, 0, 2),
    },
    Case {
        name: "homoglyph: Cyrillic а for Latin a",
        alone: false,
        recipe: "text-v1",
        tamper: |html| html.replace("Captain", "C\u{430}ptain"),
        expected: &[("p2", Verdict::Altered, Some(Testimony::Conflict))],
        structure: (0, 0, 0),
    },
    Case {
        name: "zero-width space put in",
        alone: false,
        recipe: "text-v1",
        tamper: |html| html.replace("ferry", "fer\u{200b}ry"),
        expected: &[("p4", Verdict::Altered, Some(Testimony::Conflict))],
        structure: (0, 0, 0),
    },
    Case {
        name: "reference spelled otherwise, which text-v1 does not see",
        alone: false,
        recipe: "text-v1",
        tamper: spell_the_quote_otherwise,
        expected: &[],
        structure: (0, 0, 0),
    },
    Case {
        name: "reference spelled otherwise, which inner-html-v1 sees",
        alone: false,
        recipe: "inner-html-v1",
        tamper: spell_the_quote_otherwise,
        expected: &[("p2", Verdict::Altered, Some(Testimony::Consistent))],
        structure: (0, 0, 0),
    },
    Case {
        name: "NFD instead of NFC, which text-v1 does not see",
        alone: false,
        recipe: "text-v1",
        tamper: take_letters_apart,
        expected: &[],
        structure: (0, 0, 0),
    },
    Case {
        name: "NFD instead of NFC, which text-raw-v1 sees",
        alone: true,
        recipe: "text-raw-v1",
        tamper: take_letters_apart,
        expected: &[("p1", Verdict::Altered, Some(Testimony::Consistent))],
        structure: (0, 0, 0),
    },
    Case {
        name: "image replaced under the same caption, which text-v1 does not see",
        alone: false,
        recipe: "text-v1",
        tamper: replace_the_image,
        expected: &[],
        structure: (0, 0, 0),
    },
    Case {
        name: "image replaced under the same caption, which form-v1 sees",
        alone: false,
        recipe: "form-v1",
        tamper: replace_the_image,
        expected: &[("f1", Verdict::Altered, Some(Testimony::Consistent))],
        structure: (0, 0, 0),
    },
    Case {
        name: "image without caption replaced",
        alone: false,
        recipe: "form-v1",
        tamper: |html| html.replace("/i/boat.jpg", "/i/storm.jpg"),
        expected: &[("f2", Verdict::Altered, Some(Testimony::Conflict))],
        structure: (0, 0, 0),
    },
    Case {
        name: "attribute taken away",
        alone: false,
        recipe: "text-v1",
        tamper: |html| html.replace(&format!(" contents-hash=\"{}\"", hash(html, "p3")), ""),
        expected: &[("p3", Verdict::Undeclared, None)],
        structure: (1, 0, 0),
    },
    Case {
        name: "attribute made unreadable",
        alone: false,
        recipe: "text-v1",
        tamper: |html| html.replace(&hash(html, "p3"), "see note"),
        expected: &[("p3", Verdict::Malformed, Some(Testimony::Rehashed))],
        structure: (1, 0, 0),
    },
];

#[test]
fn each_kind_of_tampering_has_its_verdict_and_its_witness() {
    for case in CASES {
        let original = stamped(case.recipe);
        let html = (case.tamper)(&original);
        if case.name != "untouched" {
            assert_ne!(html, original, "{}: nothing was done", case.name);
        }
        let document = read(html.as_bytes(), &ReadOptions::default());
        let page = PageInput::new(html.as_bytes(), &document);
        let recipes: Vec<Recipe> = if case.alone {
            vec![builtin(case.recipe).unwrap().clone()]
        } else {
            builtins().to_vec()
        };
        let report = check(page, &recipes, &Evidence::default());
        let archive = archive(&[snapshot(&original, 0)]);
        let testified = testimonies(&archive, &html);
        for (at, block) in document.blocks.iter().enumerate() {
            let Some(id) = block.id.as_deref() else { continue };
            let exception = case.expected.iter().find(|(other, ..)| *other == id);
            let (verdict, witness) = match exception {
                Some(&(_, verdict, witness)) => (verdict, witness),
                // The hash of empty text stands over any figure: it is never a key.
                None if block.declared.as_deref() == Some(&*sha256(b"").to_string()) => {
                    (Verdict::Reproduced, None)
                }
                None => (Verdict::Reproduced, Some(Testimony::Consistent)),
            };
            assert_eq!(report.blocks[at].verdict, verdict, "{}: {id}", case.name);
            let said = testified[at].as_ref().map(|one| one.testimony);
            assert_eq!(said, witness, "{}: {id}", case.name);
        }
        let before = read(original.as_bytes(), &ReadOptions::default());
        let found = structure(&before, &document);
        let counts = (found.missing.len(), found.repeated.len(), found.moved.len());
        assert_eq!(counts, case.structure, "{}", case.name);
    }
}

#[test]
fn hashes_of_an_unknown_rule_are_unproven_and_still_bear_witness() {
    let mut html = stamped("text-v1");
    for id in ["p1", "p2", "h1", "p3", "f1", "f2", "f3", "p4"] {
        let secret = blake3(format!("{id} and a secret").as_bytes()).to_string();
        html = html.replacen(&hash(&html, id), &secret, 1);
    }
    let verdicts = |html: &str| {
        let document = read(html.as_bytes(), &ReadOptions::default());
        check(
            PageInput::new(html.as_bytes(), &document),
            builtins(),
            &Evidence::default(),
        )
    };
    let report = verdicts(&html);
    assert_eq!((report.summary.unproven, report.summary.declared()), (8, 8));
    assert!(!report.summary.passes(&[]) && report.summary.passes(&[Verdict::Unproven]));

    let archive = archive(&[snapshot(&html, 0), snapshot(&(html.clone() + "\n"), 9)]);
    let said = testimonies(&archive, &html);
    assert!(
        said.iter()
            .flatten()
            .all(|one| one.testimony == Testimony::Consistent)
    );

    let tampered = html.replace("208명", "209명");
    let report = verdicts(&tampered);
    assert_eq!(report.summary.unproven, 8, "no verdict is guessed");
    let said = testimonies(&archive, &tampered);
    let conflict: Vec<&Testified> = said
        .iter()
        .flatten()
        .filter(|one| one.testimony == Testimony::Conflict)
        .collect();
    assert_eq!(conflict.len(), 1);
    let named: Vec<(&str, u64)> = conflict[0]
        .snapshots
        .iter()
        .map(|snapshot| (snapshot.address.as_str(), snapshot.n))
        .collect();
    assert_eq!(named, [(ADDRESS, 1), (ADDRESS, 2)]);
}

#[test]
fn altered_needs_two_different_blocks_of_the_same_kind_on_page_or_site() {
    let text = |words: &str, hash: &str, kind: &str| {
        format!("<p dmcf-ptype={kind} contents-hash=\"{hash}\">{words}</p>")
    };
    let good = |words: &str, kind: &str| text(words, &sha256(words.as_bytes()).to_string(), kind);
    let bad = |kind: &str| text("changed", &sha256(b"original").to_string(), kind);
    let verdict = |html: &str, site: &Evidence| {
        let document = read(html.as_bytes(), &ReadOptions::default());
        let report = check(PageInput::new(html.as_bytes(), &document), builtins(), site);
        report.blocks.last().unwrap().verdict
    };
    let none = Evidence::default();
    let one = good("eins", "general");
    let two = one.clone() + &good("zwei", "general");
    assert_eq!(
        verdict(&(one.clone() + &bad("general")), &none),
        Verdict::Unproven
    );
    // The same block twice is one witness, and another ptype is another rule.
    assert_eq!(
        verdict(&(one.repeat(2) + &bad("general")), &none),
        Verdict::Unproven
    );
    assert_eq!(verdict(&(two.clone() + &bad("quote")), &none), Verdict::Unproven);
    assert_eq!(verdict(&(two.clone() + &bad("general")), &none), Verdict::Altered);
    // Another page of the site may hold the proof.
    let document = read(two.as_bytes(), &ReadOptions::default());
    let site = pressmark::check::evidence(PageInput::new(two.as_bytes(), &document), builtins());
    assert_eq!(verdict(&bad("general"), &site), Verdict::Altered);
    assert_eq!(verdict(&bad("quote"), &site), Verdict::Unproven);
    // The hash of empty text stands over any image: it proves no rule.
    let image = |name: &str| {
        let hash = sha256(b"");
        format!(
            "<figure dmcf-ptype=figure contents-hash={hash}><img src=\"https://img.example/{name}\"></figure>"
        )
    };
    let captioned = format!(
        "<figure dmcf-ptype=figure contents-hash={}><img src=c.jpg><figcaption>Quay</figcaption></figure>",
        sha256(b"by another rule")
    );
    assert_eq!(
        verdict(&(image("a.jpg") + &image("b.jpg") + &captioned), &none),
        Verdict::Unproven
    );
}

#[test]
fn an_integrity_token_is_well_formed_whichever_recipes_are_tried() {
    for token in [
        "sha256-RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=",
        "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb",
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    ] {
        let html = format!("<p contents-hash=\"{token}\">eins</p>");
        let document = read(html.as_bytes(), &ReadOptions::default());
        let page = PageInput::new(html.as_bytes(), &document);
        for recipes in [builtins(), &[]] {
            let report = check(page, recipes, &Evidence::default());
            assert_eq!(report.blocks[0].verdict, Verdict::Unproven, "{token}");
        }
    }
    let html = "<p contents-hash=\"sha384-AAAA\">eins</p>";
    let document = read(html.as_bytes(), &ReadOptions::default());
    let page = PageInput::new(html.as_bytes(), &document);
    let report = check(page, builtins(), &Evidence::default());
    assert_eq!(report.blocks[0].verdict, Verdict::Malformed);
}
