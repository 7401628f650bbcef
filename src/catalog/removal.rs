//! Taking blocks out of the catalog: outlines that rest on those that go are written anew.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::FxHashSet;

use super::outlines::{Outlines, row, steps};
use super::postings::{self, Posting, Space};
use super::{CatalogError, outline, stream};

/// Takes the blocks of snapshots that are gone out of the catalog: `work` calls [`Removal::take`] for each
/// article. All of it belongs into one transaction: where `work` fails the caller must roll back.
pub fn remove(
    conn: &Connection,
    work: impl FnOnce(&mut Removal) -> Result<(), CatalogError>,
) -> Result<(), CatalogError> {
    let mut removal = Removal::default();
    work(&mut removal)?;
    removal.outlines.stream.flush(conn)
}

/// Holds what it has read and changed, because outlines that go together mostly lie together.
#[derive(Debug, Default)]
pub struct Removal {
    outlines: Outlines,
}

impl Removal {
    /// Takes out the blocks of snapshots of one article. Outlines that rest on theirs are written anew;
    /// [`tidy`] takes their keys out of the postings.
    pub fn take(&mut self, conn: &Connection, article: i64, snapshots: &[i64]) -> Result<(), CatalogError> {
        for (snapshot, step) in newest_first(conn, article, snapshots)? {
            let Some((base, number)) = row(conn, snapshot)? else {
                continue;
            };
            let base_blocks = match base {
                Some(base) => self.outlines.get(conn, base)?,
                None => Arc::from([]),
            };
            for dependent in resting_on(conn, article, snapshot, step)? {
                let old = row(conn, dependent)?;
                let encoded = outline::encode(&base_blocks, &self.outlines.get(conn, dependent)?);
                let new = self.outlines.stream.append(conn, encoded.pieces())?;
                conn.prepare_cached(
                    "UPDATE outlines SET base = ?2, number = ?3,
                         depth = max(depth, (SELECT depth FROM outlines WHERE snapshot = ?4))
                     WHERE snapshot = ?1",
                )?
                .execute(params![dependent, base, new.cast_signed(), snapshot])?;
                if let Some((_, old)) = old {
                    self.outlines.stream.erase(conn, old)?;
                }
            }
            conn.prepare_cached("DELETE FROM outlines WHERE snapshot = ?1")?
                .execute([snapshot])?;
            self.outlines.stream.erase(conn, number)?;
            conn.prepare_cached("DELETE FROM outline_sites WHERE snapshot = ?1")?
                .execute([snapshot])?;
        }
        conn.prepare_cached("INSERT OR IGNORE INTO posting_stale (article) VALUES (?1)")?
            .execute([article])?;
        Ok(())
    }
}

/// Those of the snapshots that have an outline, with their steps, the last one first: what rests on one of
/// them and goes as well is gone by then.
fn newest_first(conn: &Connection, article: i64, snapshots: &[i64]) -> Result<Vec<(i64, i64)>, CatalogError> {
    let mut statement =
        conn.prepare_cached("SELECT step FROM outlines WHERE snapshot = ?1 AND article = ?2")?;
    let mut found = Vec::with_capacity(snapshots.len());
    for &snapshot in snapshots {
        let step = statement
            .query_row([snapshot, article], |row| row.get::<_, i64>(0))
            .optional()?;
        found.extend(step.map(|step| (snapshot, step)));
    }
    found.sort_unstable_by_key(|(_, step)| std::cmp::Reverse(*step));
    Ok(found)
}

/// Outlines written against one: later ones of the article, and of other articles those of which `depth`
/// tells that they rest on another article's.
fn resting_on(conn: &Connection, article: i64, snapshot: i64, step: i64) -> Result<Vec<i64>, CatalogError> {
    let of_article = conn
        .prepare_cached("SELECT snapshot FROM outlines WHERE article = ?1 AND step > ?2 AND base = ?3")?
        .query_map([article, step, snapshot], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    let others = conn
        .prepare_cached("SELECT snapshot FROM outlines WHERE base = ?1 AND depth > 0 AND article <> ?2")?
        .query_map([snapshot, article], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    Ok([of_article, others].concat())
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
    stream::clear(conn)?;
    conn.execute_batch(
        "DELETE FROM outlines; DELETE FROM outline_sites; DELETE FROM postings; DELETE FROM posting_runs;
         DELETE FROM posting_stale; DELETE FROM meta WHERE key = 'attribute';",
    )?;
    Ok(())
}
