//! Writing outlines and postings: what is known of a snapshot's blocks goes into the catalog.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::FxHashSet;

use super::CatalogError;
use super::blocks::Outline;
use super::outline::{self, OutlineBlock};
use super::outlines::{Outlines, number};
use super::postings::{self, Posting, Space};

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

/// Blocks spelled out from which an earlier base is tried, ...
const REVERT_LITERALS: usize = 8;

/// ... and how many steps back.
const REVERTED: i64 = 4;

/// Postings held before they become a run: 16 MB.
const MAX_HELD: usize = 1 << 20;

/// Records the outlines of many snapshots ([`record`]); holds what it has just written, because the
/// next snapshot of an article is written against it, and the postings of all of them, because one
/// long run takes less work than many short ones.
#[derive(Debug)]
pub struct Recorder {
    outlines: Outlines,
    /// By [`Space`].
    postings: [Vec<Posting>; 2],
}

/// Calls `work` with a recorder and puts what it held back into the catalog. All of it belongs into
/// one transaction: where `work` fails the caller must roll back.
pub fn record<T, E: From<CatalogError>>(
    conn: &Connection,
    work: impl FnOnce(&mut Recorder) -> Result<T, E>,
) -> Result<T, E> {
    let mut recorder = Recorder {
        outlines: Outlines::default(),
        postings: [Vec::new(), Vec::new()],
    };
    let done = work(&mut recorder)?;
    recorder.flush(conn)?;
    recorder.outlines.stream.flush(conn)?;
    Ok(done)
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
            (step, Some(base), 0, new_postings(article, blocks, &previous))
        } else {
            let site = site_of(conn, article)?;
            let (base, depth) = self.site_base(conn, site, snapshot, blocks)?;
            (0, base, depth, new_postings(article, blocks, &[]))
        };
        let base_blocks = match base {
            Some(base) => self.outlines.get(conn, base)?,
            None => Arc::from([]),
        };
        let mut base = base;
        let mut encoded = outline::encode(&base_blocks, blocks);
        if encoded.literals.len() >= REVERT_LITERALS {
            for before in before_tip(conn, article, step)? {
                let instead = outline::encode(&self.outlines.get(conn, before)?, blocks);
                if instead.bytes() < encoded.bytes() {
                    (base, encoded) = (Some(before), instead);
                }
            }
        }
        let number = self.outlines.stream.append(conn, encoded.pieces())?;
        conn.prepare_cached(
            "INSERT INTO outlines (snapshot, article, step, base, depth, number) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![snapshot, article, step, base, depth, number.cast_signed()])?;
        self.outlines.keep(snapshot, Arc::clone(blocks));
        for (held, new) in self.postings.iter_mut().zip(new) {
            held.extend(new);
        }
        if self.postings.iter().map(Vec::len).sum::<usize>() > MAX_HELD {
            self.flush(conn)?;
        }
        Ok(())
    }

    fn flush(&mut self, conn: &Connection) -> Result<(), CatalogError> {
        let [content, declared] = std::mem::take(&mut self.postings);
        postings::add(conn, Space::Content, content)?;
        postings::add(conn, Space::Declared, declared)
    }

    /// The page of the site that shares most blocks with `blocks`, and how many bases the new outline
    /// rests on. The new page may itself serve the pages after it.
    fn site_base(
        &mut self,
        conn: &Connection,
        site: i64,
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
        let wanted: FxHashSet<u64> = blocks.iter().map(number).collect();
        let mut best = (0, None, 0);
        for (candidate, depth) in candidates {
            let base = self.outlines.numbers(conn, candidate)?;
            let shared = base.iter().filter(|number| wanted.contains(number)).count();
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

/// Postings of the content keys and of the declared hashes that the snapshot before does not have.
/// The two spaces are kept apart: on a page stamped by `text-v1` a declared hash is a content hash
/// that the snapshot before may have had undeclared.
fn new_postings(article: i64, blocks: &[OutlineBlock], previous: &[OutlineBlock]) -> [Vec<Posting>; 2] {
    let contents: FxHashSet<u64> = previous.iter().map(|block| block.key).collect();
    let declared: FxHashSet<u64> = previous.iter().filter_map(|block| block.declared).collect();
    let posting = |prefix| (postings::key(prefix), article);
    [
        blocks
            .iter()
            .map(|block| block.key)
            .filter(|key| !contents.contains(key))
            .map(posting)
            .collect(),
        blocks
            .iter()
            .filter_map(|block| block.declared)
            .filter(|hash| !declared.contains(hash))
            .map(posting)
            .collect(),
    ]
}

/// Puts the blocks of one snapshot into the catalog; [`record`] is faster for many.
pub fn insert(conn: &Connection, article: i64, snapshot: i64, outline: &Outline) -> Result<(), CatalogError> {
    record(conn, |recorder| recorder.insert(conn, article, snapshot, outline))
}

/// Number of the site of an article, or 0, which is no site's, if it has none.
fn site_of(conn: &Connection, article: i64) -> Result<i64, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT site FROM articles WHERE id = ?1")?
        .query_row([article], |row| row.get(0))
        .optional()?
        .flatten()
        .unwrap_or_default())
}

/// The snapshot that the outline of `step` rests on; `None` if it was removed.
fn base_for_step(conn: &Connection, article: i64, step: i64) -> Result<Option<i64>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT snapshot FROM outlines WHERE article = ?1 AND step = ?2")?
        .query_row([article, step - lowest_digit(step)], |row| row.get(0))
        .optional()?)
}

/// Snapshots before the newest one that the outline of `step` may rest on as well: a revision that undoes
/// others is like the one before them. They lie within the same [`RADIX`] steps, so that no chain becomes
/// longer.
fn before_tip(conn: &Connection, article: i64, step: i64) -> Result<Vec<i64>, CatalogError> {
    let from = (step - REVERTED).max(step / RADIX * RADIX);
    Ok(conn
        .prepare_cached(
            "SELECT snapshot FROM outlines WHERE article = ?1 AND step BETWEEN ?2 AND ?3 ORDER BY step DESC",
        )?
        .query_map([article, from, step - 2], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// The value of the lowest place of `step` to the base [`RADIX`] that is not zero.
fn lowest_digit(step: i64) -> i64 {
    let mut place = 1;
    while step % (place * RADIX) == 0 && place < step {
        place *= RADIX;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
