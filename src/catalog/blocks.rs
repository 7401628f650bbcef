//! The block part of the catalog: which blocks stand in which snapshot, and where a block stands.
//!
//! `outlines` holds the ordered blocks of every snapshot, written against the snapshot of the same
//! article that was recorded before it, or, for an article's first, against a similar page of the
//! same site ([`super::outline`]). `postings` names for every key the articles that hold it
//! ([`super::postings`]). Both are a cache: `reindex` makes them anew from the pages.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::{FxHashMap, FxHashSet};

pub use super::finder::{Finder, Near, Occurrence, Prefix, Stand};
pub use super::near::{NEAR_MAXIMUM, NEAR_MINIMUM, NEAR_SHARED, minhash, shared_bytes};
pub use super::outline::{OutlineBlock, declared_prefix, id_prefix};
pub use super::postings::Space;
use super::postings::{self, Posting};
use super::{CatalogError, outline, stream};
use crate::block::Document;
use crate::digest::{Hash, sha256};

/// Tables of the block part, made together with those of [`super::schema`].
///
/// `step` counts the snapshots of an article in the order in which they were recorded, `base` names
/// the snapshot whose outline this one was written against, `depth` how many bases an article's first
/// outline rests on, `start` and `length` which bytes of `outline_data` are its own
/// ([`super::stream`]). `outline_sites` remembers the pages of a site that may serve as base of the next.
pub const TABLES: &str = "
CREATE TABLE outlines (
    snapshot INTEGER PRIMARY KEY,
    article INTEGER NOT NULL,
    step INTEGER NOT NULL,
    base INTEGER,
    depth INTEGER NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL
);
CREATE TABLE outline_data (
    chunk INTEGER PRIMARY KEY,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX outlines_article ON outlines (article, step);
CREATE TABLE outline_sites (
    site TEXT NOT NULL,
    snapshot INTEGER NOT NULL,
    PRIMARY KEY (site, snapshot)
) WITHOUT ROWID;
CREATE TABLE posting_runs (
    run INTEGER PRIMARY KEY,
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

/// Outlines follow the one before them, but every `RADIX`th follows the one `RADIX` before it, every
/// `RADIX * RADIX`th the one that far before it, and so on: decoding one of n outlines of an article
/// takes at most `RADIX` steps for every digit of n.
const RADIX: i64 = 64;

/// Bases that an article's first outline may rest on.
const SITE_DEPTH: i64 = 32;

/// Pages of a site that are tried as base of an article's first outline.
const SITE_CANDIDATES: i64 = 12;

/// A base must share one of this many blocks with the page written against it.
const LEAST_SHARED: usize = 24;

/// Bases followed before the catalog is called damaged.
const CHAIN_LIMIT: usize = 4096;

/// Bytes reserved for an outline before it is read.
const MAX_DATA: usize = 1 << 20;

/// Decoded blocks kept by [`Outlines`]: about 32 MB.
const CACHED_BLOCKS: usize = 1 << 19;

/// What the catalog keeps of a document: small enough to hold for every page of a pack that is being
/// written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// The blocks in source order, as in [`Document::blocks`].
    pub blocks: Vec<OutlineBlock>,
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

/// Records the outlines of many snapshots; holds what it has just written, because the next
/// snapshot of an article is written against it. It lives no longer than the transaction: after a
/// rollback it must be dropped.
#[derive(Debug, Default)]
pub struct Recorder {
    outlines: Outlines,
}

impl Recorder {
    /// Puts the blocks of one snapshot into the catalog. Snapshots of an article mostly arrive in
    /// order of their moments, but need not. A snapshot that is already there stays as it is.
    pub fn insert(
        &mut self,
        conn: &Connection,
        article: i64,
        snapshot: i64,
        outline: &Outline,
    ) -> Result<(), CatalogError> {
        let known = conn
            .prepare_cached("SELECT 1 FROM outlines WHERE snapshot = ?1")?
            .exists([snapshot])?;
        if known {
            return Ok(());
        }
        let blocks = &outline.blocks;
        let tip: Option<(i64, i64)> = conn
            .prepare_cached(
                "SELECT snapshot, step FROM outlines WHERE article = ?1 ORDER BY step DESC LIMIT 1",
            )?
            .query_row([article], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (step, base, depth, new) = if let Some((tip, tip_step)) = tip {
            let previous = self.outlines.get(conn, tip)?;
            let step = tip_step + 1;
            let base = base_for_step(conn, article, step)?.unwrap_or(tip);
            let known: FxHashSet<u64> = previous
                .iter()
                .flat_map(|block| [Some(block.key), block.declared])
                .flatten()
                .collect();
            (step, Some(base), 0, new_postings(article, blocks, &known))
        } else {
            let site = site_of(conn, article)?.unwrap_or_default();
            let (base, depth) = self.site_base(conn, &site, snapshot, blocks)?;
            (
                0,
                base,
                depth,
                new_postings(article, blocks, &FxHashSet::default()),
            )
        };
        let base_blocks = match base {
            Some(base) => self.outlines.get(conn, base)?,
            None => Arc::from([]),
        };
        let data = outline::encode(&base_blocks, blocks).bytes;
        let start = stream::append(conn, &data)?.cast_signed();
        conn.prepare_cached(
            "INSERT INTO outlines (snapshot, article, step, base, depth, start, length)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            snapshot,
            article,
            step,
            base,
            depth,
            start,
            data.len() as u32
        ])?;
        self.outlines.keep(snapshot, Arc::from(&blocks[..]));
        let [content, declared] = new;
        postings::add(conn, Space::Content, content)?;
        postings::add(conn, Space::Declared, declared)
    }

    /// The page of the site that shares most blocks with `blocks`, and how many bases the new outline
    /// rests on. The new page may itself serve the pages after it.
    fn site_base(
        &mut self,
        conn: &Connection,
        site: &str,
        snapshot: i64,
        blocks: &[OutlineBlock],
    ) -> Result<(Option<i64>, i64), CatalogError> {
        let candidates: Vec<(i64, i64)> = conn
            .prepare_cached(
                "SELECT snapshot, depth FROM outline_sites JOIN outlines USING (snapshot)
                 WHERE site = ?1 AND depth < ?2 ORDER BY snapshot DESC",
            )?
            .query_map(params![site, SITE_DEPTH], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let wanted: FxHashSet<&OutlineBlock> = blocks.iter().collect();
        let mut best = (0, None, 0);
        for (candidate, depth) in candidates {
            let base = self.outlines.get(conn, candidate)?;
            let shared = base.iter().filter(|block| wanted.contains(block)).count();
            if shared > best.0 {
                best = (shared, Some(candidate), depth + 1);
            }
        }
        let (shared, base, depth) = best;
        // A page that shares little starts afresh, so that chains end where a site's template does.
        let (base, depth) = if shared * LEAST_SHARED >= blocks.len() {
            (base, depth)
        } else {
            (None, 0)
        };
        if depth < SITE_DEPTH {
            conn.prepare_cached("INSERT OR IGNORE INTO outline_sites (site, snapshot) VALUES (?1, ?2)")?
                .execute(params![site, snapshot])?;
            conn.prepare_cached(
                "DELETE FROM outline_sites WHERE site = ?1 AND snapshot <= (
                     SELECT snapshot FROM outline_sites WHERE site = ?1
                     ORDER BY snapshot DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![site, SITE_CANDIDATES])?;
        }
        Ok((base, depth))
    }
}

/// Postings of the keys that are not in `known`.
fn new_postings(article: i64, blocks: &[OutlineBlock], known: &FxHashSet<u64>) -> [Vec<Posting>; 2] {
    let new = |prefix: &u64| !known.contains(prefix);
    let posting = |prefix| (postings::key(prefix), article);
    [
        blocks
            .iter()
            .map(|block| block.key)
            .filter(new)
            .map(posting)
            .collect(),
        blocks
            .iter()
            .filter_map(|block| block.declared)
            .filter(new)
            .map(posting)
            .collect(),
    ]
}

/// Puts the blocks of one snapshot into the catalog; see [`Recorder::insert`], which is faster for
/// many.
pub fn insert(conn: &Connection, article: i64, snapshot: i64, outline: &Outline) -> Result<(), CatalogError> {
    Recorder::default().insert(conn, article, snapshot, outline)
}

/// Takes the blocks of snapshots that are gone out of the catalog. Outlines that rest on theirs are
/// written anew; [`tidy`] takes their keys out of the postings.
pub fn remove(conn: &Connection, article: i64, snapshots: &[i64]) -> Result<(), CatalogError> {
    let mut outlines = Outlines::default();
    for &snapshot in snapshots {
        let Some((base, start, length)) = row(conn, snapshot)? else {
            continue;
        };
        let base_blocks = match base {
            Some(base) => outlines.get(conn, base)?,
            None => Arc::from([]),
        };
        let dependents: Vec<i64> = conn
            .prepare_cached("SELECT snapshot FROM outlines WHERE base = ?1")?
            .query_map([snapshot], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for dependent in dependents {
            let old = row(conn, dependent)?;
            let data = outline::encode(&base_blocks, &outlines.get(conn, dependent)?).bytes;
            let start = stream::append(conn, &data)?.cast_signed();
            conn.prepare_cached(
                "UPDATE outlines SET base = ?2, start = ?3, length = ?4 WHERE snapshot = ?1",
            )?
            .execute(params![dependent, base, start, data.len() as u32])?;
            if let Some((_, start, length)) = old {
                stream::erase(conn, start, u64::from(length))?;
            }
        }
        conn.prepare_cached("DELETE FROM outlines WHERE snapshot = ?1")?
            .execute([snapshot])?;
        stream::erase(conn, start, u64::from(length))?;
        conn.prepare_cached("DELETE FROM outline_sites WHERE snapshot = ?1")?
            .execute([snapshot])?;
    }
    conn.prepare_cached("INSERT OR IGNORE INTO posting_stale (article) VALUES (?1)")?
        .execute([article])?;
    Ok(())
}

/// Takes the keys out of the postings that [`remove`] left behind. They harm no lookup, so this is
/// done once after many removals; it reads all postings.
pub fn tidy(conn: &Connection) -> Result<(), CatalogError> {
    let stale: Vec<i64> = conn
        .prepare_cached("SELECT article FROM posting_stale")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if stale.is_empty() {
        return Ok(());
    }
    let mut outlines = Outlines::default();
    let mut kept: [FxHashSet<Posting>; 2] = Default::default();
    for &article in &stale {
        for snapshot in steps(conn, article)? {
            for block in &*outlines.get(conn, snapshot)? {
                kept[0].insert((postings::key(block.key), article));
                kept[1].extend(block.declared.map(|declared| (postings::key(declared), article)));
            }
        }
    }
    let stale: FxHashSet<i64> = stale.into_iter().collect();
    for (space, kept) in [Space::Content, Space::Declared].into_iter().zip(kept) {
        postings::rewrite(conn, space, |posting| {
            !stale.contains(&posting.1) || kept.contains(&posting)
        })?;
    }
    conn.execute("DELETE FROM posting_stale", [])?;
    Ok(())
}

/// Empties the block part.
pub fn clear(conn: &Connection) -> Result<(), CatalogError> {
    conn.execute_batch(
        "DELETE FROM outlines; DELETE FROM outline_data; DELETE FROM outline_sites; DELETE FROM postings; DELETE FROM posting_runs;
         DELETE FROM posting_stale;",
    )?;
    Ok(())
}

/// The blocks of a snapshot in source order, without reading its page.
pub fn outline(conn: &Connection, snapshot: i64) -> Result<Vec<OutlineBlock>, CatalogError> {
    Ok(Outlines::default().get(conn, snapshot)?.to_vec())
}

/// Snapshots of an article that have an outline, in the order in which they were recorded.
pub(super) fn steps(conn: &Connection, article: i64) -> Result<Vec<i64>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT snapshot FROM outlines WHERE article = ?1 ORDER BY step")?
        .query_map([article], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// Base, start and length of an outline.
fn row(conn: &Connection, snapshot: i64) -> Result<Option<(Option<i64>, u64, u32)>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT base, start, length FROM outlines WHERE snapshot = ?1")?
        .query_row([snapshot], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?))
        })
        .optional()?)
}

fn site_of(conn: &Connection, article: i64) -> Result<Option<String>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT site FROM articles WHERE id = ?1")?
        .query_row([article], |row| row.get(0))
        .optional()?
        .flatten())
}

/// The snapshot that the outline of `step` rests on; `None` if it was removed.
fn base_for_step(conn: &Connection, article: i64, step: i64) -> Result<Option<i64>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT snapshot FROM outlines WHERE article = ?1 AND step = ?2")?
        .query_row([article, step - lowest_digit(step)], |row| row.get(0))
        .optional()?)
}

/// The value of the lowest place of `step` to the base [`RADIX`] that is not zero.
fn lowest_digit(step: i64) -> i64 {
    let mut place = 1;
    while step % (place * RADIX) == 0 && place < step {
        place *= RADIX;
    }
    place
}

/// Reads outlines and keeps those it has read, within a bound.
#[derive(Debug, Default)]
pub struct Outlines {
    stream: stream::Reader,
    kept: FxHashMap<i64, Arc<[OutlineBlock]>>,
    blocks: usize,
}

impl Outlines {
    /// The blocks of a snapshot in source order.
    pub fn get(&mut self, conn: &Connection, snapshot: i64) -> Result<Arc<[OutlineBlock]>, CatalogError> {
        let malformed = |row| CatalogError::Malformed {
            table: "outlines",
            row,
        };
        let mut pending: Vec<(i64, Vec<u8>)> = Vec::new();
        let mut next = Some(snapshot);
        let mut blocks: Arc<[OutlineBlock]> = Arc::from([]);
        while let Some(wanted) = next {
            if let Some(known) = self.kept.get(&wanted) {
                blocks = Arc::clone(known);
                break;
            }
            if pending.len() == CHAIN_LIMIT {
                return Err(malformed(snapshot));
            }
            let (base, start, length) = row(conn, wanted)?.ok_or(CatalogError::NoOutline(wanted))?;
            let mut data = Vec::with_capacity((length as usize).min(MAX_DATA));
            self.stream.read(conn, start, length as usize, &mut data)?;
            pending.push((wanted, data));
            next = base;
        }
        while let Some((wanted, data)) = pending.pop() {
            blocks = outline::decode(&blocks, &data)
                .map_err(|_| malformed(wanted))?
                .into();
            self.keep(wanted, Arc::clone(&blocks));
        }
        Ok(blocks)
    }

    fn keep(&mut self, snapshot: i64, blocks: Arc<[OutlineBlock]>) {
        if self.blocks > CACHED_BLOCKS {
            self.kept.clear();
            self.blocks = 0;
        }
        self.blocks += blocks.len();
        self.kept.insert(snapshot, blocks);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::block::{Block, Mark};
    use crate::catalog::Catalog;

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

    /// Records a document as a snapshot of an article of the site.
    pub fn record(conn: &Connection, site: &str, article: i64, snapshot: i64, document: &Document) {
        conn.execute(
            "INSERT OR IGNORE INTO articles (id, key, site) VALUES (?1, ?1, ?2)",
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
                Outline::of(document, Hash::default()).blocks
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
        let bytes: i64 = conn
            .query_row("SELECT sum(length) FROM outlines", [], |row| row.get(0))
            .unwrap();
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
        remove(conn, 1, &gone).unwrap();
        for (snapshot, document) in (1..).zip(&history).chain([(1000, &history[0])]) {
            if gone.contains(&snapshot) {
                assert!(matches!(outline(conn, snapshot), Err(CatalogError::NoOutline(_))));
            } else {
                assert_eq!(
                    outline(conn, snapshot).unwrap(),
                    Outline::of(document, Hash::default()).blocks
                );
            }
        }
        remove(conn, 1, &(1..=140).collect::<Vec<_>>()).unwrap();
        remove(conn, 2, &[1000]).unwrap();
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
        let bytes: i64 = conn
            .query_row("SELECT sum(length) FROM outlines WHERE snapshot > 0", [], |row| {
                row.get(0)
            })
            .unwrap();
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
    fn steps_rest_on_few_bases() {
        for step in [1, 63, 64, 65, 4095, 4096, 4097, 300_000] {
            let (mut at, mut depth) = (step, 0);
            while at > 0 {
                at -= lowest_digit(at);
                depth += 1;
            }
            assert_eq!(at, 0);
            assert!(depth <= 63 * 4, "{step} rests on {depth}");
        }
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
}
