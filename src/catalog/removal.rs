//! Taking blocks out of the catalog: outlines that rest on those that go are written anew.

use std::sync::Arc;

use rusqlite::{Connection, params};
use rustc_hash::FxHashSet;

use super::outlines::{Outlines, row, steps};
use super::postings::{self, Posting, Space};
use super::{CatalogError, outline, stream};

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
         DELETE FROM posting_stale; DELETE FROM meta WHERE key = 'attribute';",
    )?;
    Ok(())
}
