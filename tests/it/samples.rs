//! The sample pages are what `archive/pages/README.md` says of them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use pressmark::block::{Block, CharsetSource, Document, Kind};
use pressmark::html::{self, ReadOptions};

/// The one page whose text was changed under its hash, and what stands there now.
const TAMPERED: (&str, &str) = ("council-audit/2.html", "£142,000");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("archive/pages")
}

/// Paths of the index, in its order.
fn index() -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder().join("index.ndjson")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn paths() -> Vec<String> {
    index()
        .iter()
        .map(|entry| entry["path"].as_str().unwrap().to_owned())
        .collect()
}

fn read(path: &str) -> Document {
    html::read(
        &std::fs::read(folder().join(path)).unwrap(),
        &ReadOptions::default(),
    )
}

/// The blocks that declare a hash.
fn stamped(path: &str) -> Vec<Block> {
    read(path)
        .blocks
        .into_iter()
        .filter(|block| block.declared.is_some())
        .collect()
}

/// What changed from one page to the next among the stamped blocks, told by their ids.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    inserted: usize,
    deleted: usize,
    edited: usize,
    /// Only links, images or emphasis differ.
    reformed: usize,
    /// The blocks that stay stand in another order.
    moved: bool,
}

fn changes(old: &str, new: &str) -> Changes {
    let (old, new) = (stamped(old), stamped(new));
    let by_id: HashMap<_, _> = old
        .iter()
        .map(|block| (block.id.clone().unwrap(), block))
        .collect();
    let mut changes = Changes::default();
    for block in &new {
        match by_id.get(block.id.as_ref().unwrap()) {
            None => changes.inserted += 1,
            Some(before) if before.text != block.text => changes.edited += 1,
            Some(before) if before.form_hash != block.form_hash => changes.reformed += 1,
            Some(_) => {}
        }
    }
    let ids = |blocks: &[Block]| {
        blocks
            .iter()
            .map(|block| block.id.clone().unwrap())
            .collect::<Vec<_>>()
    };
    let (old_ids, new_ids) = (ids(&old), ids(&new));
    changes.deleted = old_ids.iter().filter(|id| !new_ids.contains(id)).count();
    let stay = |one: &[Box<str>], other: &[Box<str>]| {
        one.iter()
            .filter(|id| other.contains(id))
            .cloned()
            .collect::<Vec<_>>()
    };
    changes.moved = stay(&old_ids, &new_ids) != stay(&new_ids, &old_ids);
    changes
}

#[test]
fn every_declared_hash_is_that_of_the_text_but_the_tampered_one() {
    let mut stamped_blocks = 0;
    let mut misfits = Vec::new();
    for path in paths() {
        for block in stamped(&path) {
            stamped_blocks += 1;
            if block.declared.as_deref() != Some(&block.text_hash.to_string()) {
                misfits.push((path.clone(), block.text));
            }
        }
    }
    assert!(stamped_blocks > 250, "{stamped_blocks}");
    assert_eq!(misfits.len(), 1, "{misfits:?}");
    assert_eq!(misfits[0].0, TAMPERED.0);
    assert!(misfits[0].1.contains(TAMPERED.1));
}

#[test]
fn index_names_every_page_once_and_in_time_order() {
    let index = index();
    let moments: Vec<_> = index
        .iter()
        .map(|entry| entry["fetched_at"].as_str().unwrap())
        .collect();
    assert!(moments.is_sorted());
    let named: BTreeSet<_> = paths().into_iter().collect();
    assert_eq!(named.len(), index.len());
    let mut found = BTreeSet::new();
    for article in std::fs::read_dir(folder()).unwrap().map(Result::unwrap) {
        if article.file_type().unwrap().is_dir() {
            for page in std::fs::read_dir(article.path()).unwrap().map(Result::unwrap) {
                let article = article.file_name().into_string().unwrap();
                found.insert(format!("{article}/{}", page.file_name().into_string().unwrap()));
            }
        }
    }
    assert_eq!(named, found);
    assert!(
        index
            .iter()
            .all(|entry| entry["url"].as_str().unwrap().contains(".example/"))
    );
}

#[test]
fn articles_are_articles() {
    let mut languages = BTreeSet::new();
    for path in paths() {
        let page = read(&path);
        let stamped = page
            .blocks
            .iter()
            .filter(|block| block.declared.is_some())
            .count();
        let wanted = if path.starts_with("drain") { 5 } else { 8 };
        assert!(stamped >= wanted, "{path}: {stamped} stamped blocks");
        assert!(
            page.blocks.len() > stamped + 3,
            "{path}: a page is more than its body"
        );
        assert!(page.title.is_some() && page.headline.is_some(), "{path}");
        assert!(page.byline.is_some() && page.published.is_some(), "{path}");
        assert!(page.canonical.is_some(), "{path}");
        let shown: Vec<_> = page.blocks.iter().map(|block| block.text.as_str()).collect();
        assert!(
            !shown.join("\n").contains("not text"),
            "{path}: a script's text is shown"
        );
        languages.extend(page.language);
    }
    for language in ["ko", "en-GB", "de", "fr", "ja", "ar", "zh-Hant"] {
        assert!(languages.contains(language), "{language}");
    }
}

#[test]
fn one_article_is_in_euc_kr_and_beyond() {
    for path in ["fish-auction/1.html", "fish-auction/2.html"] {
        let page = read(path);
        assert_eq!(
            (page.charset.name, page.charset.source),
            ("EUC-KR", CharsetSource::Meta)
        );
        assert!(!page.charset.had_errors);
        assert!(
            page.blocks.iter().any(|block| block.text.contains("찦차")),
            "a syllable only CP949 has"
        );
    }
}

#[test]
fn messy_page_keeps_all_its_blocks() {
    let page = read("drain/1.html");
    let count = |kind| page.blocks.iter().filter(|block| block.kind == kind).count();
    assert_eq!(
        (count(Kind::Td), count(Kind::Th), count(Kind::Caption)),
        (15, 3, 1)
    );
    assert_eq!(count(Kind::Li), 6);
    assert_eq!(count(Kind::Blockquote), 1);
    let has = |kind, text: &str| {
        page.blocks
            .iter()
            .any(|block| block.kind == kind && block.text == text)
    };
    assert!(has(Kind::Td, "19½ (incl. tea)"));
    assert!(has(Kind::Li, "the Board, who own the bottom"));
    assert!(has(
        Kind::Text,
        "The gate is leaning on the chapel wall. If it's yours, come & get it, but bring proof and both of the others."
    ));
    assert!(
        page.blocks
            .iter()
            .any(|block| block.kind == Kind::Text && block.text.starts_with("Mrs. Oake’s hens")),
        "a paragraph between br runs"
    );
    assert!(
        !page
            .blocks
            .iter()
            .any(|block| block.text.contains("Next week: the hens")),
        "a comment"
    );
}

#[test]
fn revisions_differ_as_told() {
    let edited = |edited| Changes {
        edited,
        ..Changes::default()
    };
    for (old, new, expected) in [
        ("water-mains/1.html", "water-mains/2.html", edited(3)),
        (
            "water-mains/2.html",
            "water-mains/3.html",
            Changes {
                reformed: 1,
                moved: true,
                ..edited(0)
            },
        ),
        (
            "seed-library/1.html",
            "seed-library/2.html",
            Changes {
                reformed: 1,
                ..edited(0)
            },
        ),
        (
            "storm-live/1.html",
            "storm-live/2.html",
            Changes {
                inserted: 2,
                ..edited(1)
            },
        ),
        (
            "storm-live/2.html",
            "storm-live/3.html",
            Changes {
                inserted: 2,
                deleted: 2,
                ..edited(3)
            },
        ),
        (
            "fish-auction/1.html",
            "fish-auction/2.html",
            Changes {
                inserted: 1,
                ..edited(2)
            },
        ),
        (
            "ferry-inquiry/1.html",
            "ferry-inquiry/2.html",
            Changes {
                inserted: 1,
                deleted: 1,
                ..edited(2)
            },
        ),
        (
            "ferry-inquiry/2.html",
            "ferry-inquiry/3.html",
            Changes {
                inserted: 1,
                moved: true,
                ..edited(1)
            },
        ),
        ("council-audit/1.html", "council-audit/2.html", edited(1)),
        ("talbruecke/1.html", "talbruecke/2.html", edited(2)),
        ("bookmobile/1.html", "bookmobile/2.html", edited(1)),
    ] {
        assert_eq!(changes(old, new), expected, "{old} {new}");
    }
}

#[test]
fn splits_and_merges_lose_nothing() {
    let text = |path: &str, starts: &[&str]| {
        let blocks = stamped(path);
        let find = |start: &&str| {
            blocks
                .iter()
                .find(|block| block.text.starts_with(start))
                .map(|block| block.text.clone())
        };
        starts
            .iter()
            .map(|start| find(start).unwrap_or_else(|| panic!("{path}: {start}")))
            .collect::<Vec<_>>()
            .join(" ")
    };
    // Split: two blocks say what one said.
    assert_eq!(
        text("ferry-inquiry/1.html", &["In a report of 212 pages"]),
        text(
            "ferry-inquiry/2.html",
            &["In a report of 212 pages", "Nobody was seriously hurt."]
        )
    );
    assert_eq!(
        text("fish-auction/1.html", &["수협은 값을 둘러싼"]),
        text("fish-auction/2.html", &["수협은 값을 둘러싼", "전자 경매는 누가"])
    );
    // Merge: one block says what two said.
    assert_eq!(
        text(
            "ferry-inquiry/1.html",
            &["The engineer who signed", "He did not say"]
        ),
        text("ferry-inquiry/2.html", &["The engineer who signed"])
    );
    assert_eq!(
        text("storm-live/2.html", &["기상 관측소는", "시는 낮은 지대에"]),
        text("storm-live/3.html", &["기상 관측소는"])
    );
    // The same sentence stands in two articles.
    assert_eq!(
        text("water-mains/3.html", &["이 시장은"]),
        text("storm-live/3.html", &["이 시장은"])
    );
}
