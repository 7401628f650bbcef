//! The block part of the catalog: which blocks stand in which snapshot, and where a block stands.
//!
//! `outlines` holds the ordered blocks of every snapshot, written against the snapshot of the same
//! article that was recorded before it, or, for an article's first, against a similar page of the
//! same site ([`super::outline`]); [`super::recorder`] writes them, [`super::outlines`] reads them,
//! [`super::removal`] takes them out; their bytes lie in `outline_data`, many to a row
//! ([`super::stream`], [`super::chunk`]). `postings` names for every key the articles that hold it
//! ([`super::postings`]). Both are a cache: `reindex` makes them anew from the pages.

use std::sync::Arc;

pub use super::finder::{Finder, Near, Occurrence, Prefix, Stand};
pub use super::near::{NEAR_MAXIMUM, NEAR_MINIMUM, NEAR_SHARED, minhash, shared_bytes};
pub use super::outline::{OutlineBlock, declared_prefix, id_prefix};
pub use super::outlines::{Outlines, outline};
pub use super::postings::Space;
pub use super::recorder::{Recorder, insert, record};
pub use super::removal::{Removal, clear, remove, tidy};
use crate::block::Document;
use crate::digest::{Hash, sha256};

/// Tables of the block part, made together with those of [`super::schema`].
///
/// `step` counts the snapshots of an article in the order in which they were recorded, `base` names
/// the snapshot whose outline this one was written against, `depth` how many bases an article's first
/// outline rests on (0 for all others, but for one that took over the base of a first one that was
/// removed), `number` which outline of `outline_data` is its own ([`super::stream`]). A row there holds the
/// `count` outlines from number `first`, of `bytes` when they are decoded. `outline_sites` remembers the
/// pages of a site that may serve as base of the next.
pub const TABLES: &str = "
CREATE TABLE outlines (
    snapshot INTEGER PRIMARY KEY,
    article INTEGER NOT NULL,
    step INTEGER NOT NULL,
    base INTEGER,
    depth INTEGER NOT NULL,
    number INTEGER NOT NULL
);
CREATE TABLE outline_data (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX outlines_article ON outlines (article, step);
CREATE INDEX outlines_base ON outlines (base) WHERE depth > 0;
CREATE TABLE outline_sites (
    site INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    PRIMARY KEY (site, snapshot)
) WITHOUT ROWID;
CREATE TABLE posting_runs (
    run INTEGER PRIMARY KEY AUTOINCREMENT,
    space INTEGER NOT NULL,
    level INTEGER NOT NULL
);
CREATE TABLE postings (
    chunk INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    key INTEGER NOT NULL,
    article INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX postings_key ON postings (run, key, article);
CREATE TABLE posting_stale (
    article INTEGER PRIMARY KEY
);
";

/// What the catalog keeps of a document: small enough to hold for every page of a pack that is being
/// written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// The blocks in source order, as in [`Document::blocks`].
    pub blocks: Arc<[OutlineBlock]>,
    /// The article hash. Two snapshots of an article with different article hashes are different
    /// revisions.
    pub text_hash: Hash,
    /// SHA-256 over the form hashes, 32 bytes each, of all body blocks. Where it alone differs, the
    /// form changed.
    pub form_hash: Hash,
}

impl Outline {
    /// What the catalog keeps of a labelled `document`. `article_hash` is the labeller's
    /// (`label::article_hash`), which carries its version. Where no block is labelled as body all
    /// count for the form, so that a page whose label failed still has form changes.
    #[must_use]
    pub fn of(document: &Document, article_hash: Hash) -> Self {
        let labelled = document.blocks.iter().any(|block| block.body);
        let forms: Vec<u8> = document
            .blocks
            .iter()
            .filter(|block| block.body || !labelled)
            .flat_map(|block| block.form_hash.0)
            .collect();
        Self {
            blocks: document.blocks.iter().map(OutlineBlock::of).collect(),
            text_hash: article_hash,
            form_hash: sha256(&forms),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::ops::ControlFlow;

    use rusqlite::{Connection, params};

    use super::*;
    use crate::block::{Block, Mark};
    use crate::catalog::outlines::row;
    use crate::catalog::stream::Stream;
    use crate::catalog::{Catalog, CatalogError};

    /// An empty catalog in memory.
    pub fn tables() -> Catalog {
        Catalog::in_memory().unwrap()
    }

    pub fn block(text: &str) -> Block {
        Block {
            text: text.to_owned(),
            text_hash: sha256(text.as_bytes()),
            form_hash: sha256(format!("p\n{text}\n").as_bytes()),
            body: true,
            ..Block::default()
        }
    }

    pub fn document(texts: &[&str]) -> Document {
        Document {
            blocks: texts.iter().map(|text| block(text)).collect(),
            ..Document::default()
        }
    }

    pub fn declared(text: &str, declared: &str) -> Block {
        Block {
            declared: Some(declared.into()),
            ..block(text)
        }
    }

    pub fn page(blocks: &[Block]) -> Document {
        Document {
            blocks: blocks.to_vec(),
            ..Document::default()
        }
    }

    /// Records a document as a snapshot of an article of the site.
    pub fn record(conn: &Connection, site: &str, article: i64, snapshot: i64, document: &Document) {
        conn.execute("INSERT OR IGNORE INTO sites (name) VALUES (?1)", [site])
            .unwrap();
        conn.execute(
            "INSERT OR IGNORE INTO articles (id, hash, key, site)
             VALUES (?1, ?1, ?1, (SELECT id FROM sites WHERE name = ?2))",
            params![article, site],
        )
        .unwrap();
        conn.execute(
            "INSERT OR IGNORE INTO snapshots (id, article, moment, body, length) VALUES (?1, ?2, ?3, x'', 0)",
            params![snapshot, article, snapshot * 10],
        )
        .unwrap();
        insert(conn, article, snapshot, &Outline::of(document, Hash::default())).unwrap();
    }

    /// Takes the blocks of snapshots of an article out.
    pub fn take_out(conn: &Connection, article: i64, snapshots: &[i64]) {
        remove(conn, |removal| removal.take(conn, article, snapshots)).unwrap();
    }

    /// Bytes of the outline of a snapshot, before they are compressed.
    fn bytes(conn: &Connection, snapshot: i64) -> usize {
        let number = row(conn, snapshot).unwrap().unwrap().1;
        let mut stream = Stream::default();
        let pieces = stream.read(conn, number).unwrap().unwrap();
        pieces.iter().map(|piece| piece.len()).sum()
    }

    fn found(conn: &Connection, text: &str) -> Vec<(i64, u32)> {
        let mut found = Vec::new();
        let prefix = Prefix::exact(sha256(text.as_bytes()).prefix());
        Finder::open(conn)
            .unwrap()
            .occurrences(conn, Space::Content, prefix, |at| {
                found.push((at.snapshot, at.index));
                ControlFlow::Continue(())
            })
            .unwrap();
        found
    }

    /// A deterministic walk of edits over paragraphs.
    fn history(revisions: usize) -> Vec<Document> {
        let mut texts: Vec<String> = (0..40)
            .map(|n| format!("paragraph number {n} as first written"))
            .collect();
        (0..revisions)
            .map(|n| {
                let at = n * 7 % texts.len();
                match n % 4 {
                    0 => texts[at] = format!("paragraph {at} as edited in {n}"),
                    1 => texts.insert(at, format!("an inserted paragraph, {n}")),
                    2 => drop(texts.remove(at)),
                    _ => texts.swap(0, at),
                }
                document(&texts.iter().map(String::as_str).collect::<Vec<_>>())
            })
            .collect()
    }

    #[test]
    fn a_revision_that_undoes_others_costs_next_to_nothing() {
        let catalog = tables();
        let conn = catalog.connection();
        let whole = history(1).remove(0);
        let blanked = document(&["nothing is left of it"]);
        for (snapshot, document) in (1..).zip([&whole, &blanked, &blanked, &whole, &blanked]) {
            record(conn, "a.example", 1, snapshot, document);
        }
        let stored = |snapshot: i64| (row(conn, snapshot).unwrap().unwrap().0, bytes(conn, snapshot));
        assert!(stored(1).1 > 400);
        let (base, length) = stored(4);
        assert_eq!(base, Some(1));
        assert!(length < 8, "{length}");
        // Where the page before serves, it is the base.
        assert_eq!(stored(3).0, Some(2));
        assert_eq!(
            outline(conn, 4).unwrap(),
            *Outline::of(&whole, Hash::default()).blocks
        );
    }

    #[test]
    fn every_outline_of_a_long_history_is_read_back_and_found() {
        let catalog = tables();
        let conn = catalog.connection();
        let history = history(300);
        for (snapshot, document) in (1..).zip(&history) {
            record(conn, "a.example", 1, snapshot, document);
        }
        for (snapshot, document) in (1..).zip(&history) {
            assert_eq!(
                outline(conn, snapshot).unwrap(),
                *Outline::of(document, Hash::default()).blocks
            );
        }
        for wanted in [
            "paragraph 28 as edited in 4",
            "an inserted paragraph, 297",
            "paragraph number 3 as first written",
        ] {
            let expected: Vec<(i64, u32)> = (1..)
                .zip(&history)
                .flat_map(|(snapshot, document)| {
                    (0..)
                        .zip(&document.blocks)
                        .filter(|(_, block)| block.text == wanted)
                        .map(move |(index, _)| (snapshot, index))
                })
                .collect();
            assert!(!expected.is_empty());
            assert_eq!(found(conn, wanted), expected);
        }
        assert!(found(conn, "never written").is_empty());
        let bytes: usize = (1..=300).map(|snapshot| bytes(conn, snapshot)).sum();
        assert!(
            bytes / 300 < 120,
            "{} bytes for each revision of 40 blocks",
            bytes / 300
        );
    }

    #[test]
    fn removal_leaves_every_other_outline_whole_and_no_key_behind() {
        let catalog = tables();
        let conn = catalog.connection();
        let history = history(140);
        for (snapshot, document) in (1..).zip(&history) {
            record(conn, "a.example", 1, snapshot, document);
        }
        // Another article of the site rests on the first.
        record(conn, "a.example", 2, 1000, &history[0]);
        let gone = [1, 2, 64, 65, 66, 140];
        take_out(conn, 1, &gone);
        for (snapshot, document) in (1..).zip(&history).chain([(1000, &history[0])]) {
            if gone.contains(&snapshot) {
                assert!(matches!(outline(conn, snapshot), Err(CatalogError::NoOutline(_))));
            } else {
                assert_eq!(
                    outline(conn, snapshot).unwrap(),
                    *Outline::of(document, Hash::default()).blocks
                );
            }
        }
        take_out(conn, 1, &(1..=140).collect::<Vec<_>>());
        take_out(conn, 2, &[1000]);
        tidy(conn).unwrap();
        let left: i64 = conn
            .query_row(
                "SELECT (SELECT count(*) FROM outlines) + (SELECT count(*) FROM postings)",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(left, 0);
    }

    #[test]
    fn removal_in_any_order_leaves_the_outlines_of_a_whole_site_readable() {
        let catalog = tables();
        let conn = catalog.connection();
        let history = history(40);
        // Eight articles of one site, by turns; the first outline of each rests on another article's.
        let mut left: Vec<(i64, i64)> = (0..40).map(|n| (n % 8, n)).collect();
        for ((article, snapshot), document) in left.iter().zip(&history) {
            record(conn, "a.example", *article, *snapshot, document);
        }
        let foreign: i64 = conn
            .query_row(
                "SELECT count(*) FROM outlines o JOIN outlines b ON b.snapshot = o.base
                 WHERE o.article <> b.article",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(foreign, 7);
        // The oldest of an article, so that its second takes over a base of another article; then others.
        for round in 0..left.len() {
            let at = if round < 12 {
                round % 3
            } else {
                round * 7 % left.len()
            };
            let (article, snapshot) = left.remove(at);
            take_out(conn, article, &[snapshot]);
            for (_, snapshot) in &left {
                let document = &history[usize::try_from(*snapshot).unwrap()];
                assert_eq!(
                    outline(conn, *snapshot).unwrap(),
                    *Outline::of(document, Hash::default()).blocks,
                    "{snapshot} after {round}"
                );
            }
        }
    }

    #[test]
    fn giant_outlines_by_turns_are_written_and_read_back() {
        let catalog = tables();
        let conn = catalog.connection();
        // Two of these are more than what is kept decoded.
        let giant = |n: u32| {
            let block = |n: u32| OutlineBlock::of(&block(&format!("paragraph {n}")));
            let mut blocks = vec![block(0); 1 << 18];
            blocks[0] = block(n);
            blocks.push(block(n));
            Outline {
                blocks: blocks.into(),
                ..Outline::default()
            }
        };
        super::record(conn, |recorder| {
            for n in 0..6_u32 {
                let article = i64::from(n % 2);
                recorder.insert(conn, article, i64::from(n), &giant(n + 1))?;
            }
            Ok::<_, CatalogError>(())
        })
        .unwrap();
        for n in 0..6_u32 {
            assert_eq!(outline(conn, i64::from(n)).unwrap(), *giant(n + 1).blocks);
        }
    }

    #[test]
    fn pages_of_a_template_cost_what_is_theirs() {
        let catalog = tables();
        let conn = catalog.connection();
        for n in 0..100 {
            let mut document = history(1).remove(0);
            document
                .blocks
                .insert(20, block(&format!("the only paragraph of page {n}")));
            record(conn, "a.example", n, n, &document);
        }
        let bytes: usize = (1..100).map(|snapshot| bytes(conn, snapshot)).sum();
        assert!(bytes / 99 < 40, "{} bytes for each page", bytes / 99);
        assert_eq!(found(conn, "the only paragraph of page 57"), [(57, 20)]);
        assert_eq!(found(conn, "paragraph number 9 as first written").len(), 100);
    }

    #[test]
    fn the_form_hash_sees_forms_of_the_body_only() {
        let old = document(&["one", "two", ""]);
        let mut outside = old.clone();
        outside.blocks.push(Block {
            body: false,
            ..block("advertisement")
        });
        let mut linked = old.clone();
        linked.blocks[0].marks.push(Mark::Emphasis {
            range: 0..3,
            tag: "b",
        });
        linked.blocks[0].form_hash = sha256(b"other form");
        let [old, outside, linked] = [old, outside, linked].map(|d| Outline::of(&d, Hash([7; 32])));
        assert_eq!(old.text_hash, Hash([7; 32]));
        assert_eq!(old.form_hash, outside.form_hash);
        assert_ne!(old.form_hash, linked.form_hash);
        assert!(old.blocks[1].same_form(&linked.blocks[1]));
        assert!(!old.blocks[0].same_form(&linked.blocks[0]));
    }

    #[test]
    fn near_paragraphs_are_found_by_their_minhash() {
        let catalog = tables();
        let conn = catalog.connection();
        record(
            conn,
            "a.example",
            1,
            1,
            &document(&["In the storm 12 boats were lost off the northern coast, the harbour office said."]),
        );
        record(
            conn,
            "a.example",
            2,
            2,
            &document(&[
                "The museum opens its doors again in spring, with a new hall for children and schools.",
            ]),
        );
        let asked =
            minhash("In the storm 21 boats were lost off the northern coast, the harbour office said.");
        let mut hits = Vec::new();
        Finder::open(conn)
            .unwrap()
            .near(conn, &[asked], NEAR_SHARED, |hit| hits.push(hit.at.snapshot))
            .unwrap();
        assert_eq!(hits, [1]);
    }

    #[test]
    fn a_declared_hash_that_was_a_content_hash_before_is_found() {
        let catalog = tables();
        let conn = catalog.connection();
        let plain = document(&["one", "two"]);
        let mut stamped = plain.clone();
        stamped.blocks[0].declared = Some(stamped.blocks[0].text_hash.to_string().into());
        // The other way round: a hash that was declared first stands over its own text later.
        let mut foreign = document(&["three"]);
        foreign.blocks[0].declared = Some(sha256(b"four").to_string().into());
        record(conn, "a.example", 1, 1, &plain);
        record(conn, "a.example", 1, 2, &stamped);
        record(conn, "a.example", 2, 3, &foreign);
        record(conn, "a.example", 2, 4, &document(&["four"]));
        let mut finder = Finder::open(conn).unwrap();
        let mut articles = |space, text: &str| {
            let prefix = Prefix::exact(sha256(text.as_bytes()).prefix());
            finder.articles(conn, space, prefix).unwrap().to_vec()
        };
        assert_eq!(articles(Space::Declared, "one"), [1]);
        assert_eq!(articles(Space::Content, "one"), [1]);
        assert!(articles(Space::Declared, "two").is_empty());
        assert_eq!(articles(Space::Declared, "four"), [2]);
        assert_eq!(articles(Space::Content, "four"), [2]);
    }
}
