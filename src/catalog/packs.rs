//! Which packs were read into the catalog, and where their pages and records lie.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use rustc_hash::{FxHashMap, FxHashSet};

use super::snapshots::{self, prefix};
use super::{CatalogError, blocks};
use crate::digest::Hash;

/// A pack that was read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackRow {
    /// Number in the catalog.
    pub id: i64,
    /// BLAKE3 of the file, its name.
    pub name: Hash,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// Number of page bodies in it.
    pub pages: u64,
    /// Number of records in it.
    pub records: u64,
    /// Whether `compact` made it.
    pub cold: bool,
    /// Whether damage was met when it was read in.
    pub damaged: bool,
}

/// Where the body of a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRow {
    /// The pack's number in the catalog.
    pub pack: i64,
    /// Offset of the frame in the pack, in bytes.
    pub at: u64,
    /// Place in the frame, counted from 0.
    pub place: u32,
    /// Delta steps to a body without a base.
    pub depth: u32,
    /// Length of the body in bytes.
    pub length: u64,
    /// First eight bytes of the base's BLAKE3, if the body is a delta.
    pub base: Option<u64>,
}

/// Where a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRow {
    /// The pack's number in the catalog.
    pub pack: i64,
    /// Offset of the frame in the pack, in bytes.
    pub at: u64,
    /// Place in the frame, counted from 0.
    pub place: u32,
}

/// All packs that were read in.
pub fn all(connection: &Connection) -> Result<Vec<PackRow>, CatalogError> {
    let mut statement =
        connection.prepare_cached("SELECT id, name, bytes, pages, records, cold, damaged FROM packs")?;
    let rows = statement.query_map([], |row| {
        let name: Vec<u8> = row.get(1)?;
        Ok(PackRow {
            id: row.get(0)?,
            name: Hash(name.try_into().unwrap_or_default()),
            bytes: row.get::<_, i64>(2)?.cast_unsigned(),
            pages: row.get::<_, i64>(3)?.cast_unsigned(),
            records: row.get::<_, i64>(4)?.cast_unsigned(),
            cold: row.get(5)?,
            damaged: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Puts a pack in, if it is not there already; its number. Of a damaged one more bodies may be known than before.
pub fn add(tx: &Transaction<'_>, pack: &PackRow) -> Result<i64, CatalogError> {
    tx.prepare_cached(
        "INSERT INTO packs (name, bytes, pages, records, cold, damaged) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (name) DO UPDATE
         SET pages = max(pages, excluded.pages), damaged = min(damaged, excluded.damaged)",
    )?
    .execute(params![
        &pack.name.0[..],
        pack.bytes.cast_signed(),
        pack.pages.cast_signed(),
        pack.records.cast_signed(),
        pack.cold,
        pack.damaged,
    ])?;
    tx.prepare_cached("DELETE FROM lost_packs WHERE name = ?1")?
        .execute([&pack.name.0[..]])?;
    let mut statement = tx.prepare_cached("SELECT id FROM packs WHERE name = ?1")?;
    Ok(statement.query_row([&pack.name.0[..]], |row| row.get(0))?)
}

/// Puts in where a body lies.
pub fn add_page(tx: &Transaction<'_>, key: u64, page: &PageRow) -> Result<(), CatalogError> {
    tx.prepare_cached(
        "INSERT OR IGNORE INTO pages (prefix, pack, at, place, depth, length, base)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        key.cast_signed(),
        page.pack,
        page.at.cast_signed(),
        page.place,
        page.depth,
        page.length.cast_signed(),
        page.base.map(u64::cast_signed),
    ])?;
    Ok(())
}

/// Puts in where a snapshot's record lies.
pub fn add_record(tx: &Transaction<'_>, snapshot: i64, record: &RecordRow) -> Result<(), CatalogError> {
    tx.prepare_cached("INSERT OR IGNORE INTO records (snapshot, pack, at, place) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            snapshot,
            record.pack,
            record.at.cast_signed(),
            record.place
        ])?;
    Ok(())
}

/// Takes note of the least and the greatest number of the snapshots whose records lie in a pack.
pub fn span(tx: &Transaction<'_>, pack: i64, first: i64, last: i64) -> Result<(), CatalogError> {
    tx.prepare_cached(
        "UPDATE packs SET first = min(ifnull(first, ?2), ?2), last = max(ifnull(last, ?3), ?3) WHERE id = ?1",
    )?
    .execute(params![pack, first, last])?;
    Ok(())
}

/// Numbers of the snapshots whose records lie in a pack, ascending, each with the offset of the frame in bytes.
pub fn records_of(connection: &Connection, pack: i64) -> Result<Vec<(i64, u64)>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT r.snapshot, r.at FROM packs p CROSS JOIN records r ON r.snapshot BETWEEN p.first AND p.last
         WHERE p.id = ?1 AND r.pack = ?1 ORDER BY r.snapshot",
    )?;
    let rows = statement.query_map([pack], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every place where a body with this hash may lie, shallowest first. Prefixes can collide: what is
/// read there must be compared with the whole hash.
pub fn pages(connection: &Connection, body: &Hash) -> Result<Vec<PageRow>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT pack, at, place, depth, length, base FROM pages WHERE prefix = ?1 ORDER BY depth",
    )?;
    let rows = statement.query_map([prefix(body)], |row| {
        Ok(PageRow {
            pack: row.get(0)?,
            at: row.get::<_, i64>(1)?.cast_unsigned(),
            place: row.get(2)?,
            depth: row.get(3)?,
            length: row.get::<_, i64>(4)?.cast_unsigned(),
            base: row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every place where the record of a snapshot lies.
pub fn records(connection: &Connection, snapshot: i64) -> Result<Vec<RecordRow>, CatalogError> {
    let mut statement =
        connection.prepare_cached("SELECT pack, at, place FROM records WHERE snapshot = ?1")?;
    let rows = statement.query_map([snapshot], |row| {
        Ok(RecordRow {
            pack: row.get(0)?,
            at: row.get::<_, i64>(1)?.cast_unsigned(),
            place: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A pack that vanished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostPack {
    /// BLAKE3 of the file, its name.
    pub name: Hash,
    /// Snapshots of which no other pack had a record then.
    pub snapshots: u64,
}

/// The packs that vanished with snapshots no other pack holds, until they are there again or
/// [`accept_lost`] is called. A catalog that was made anew knows of none.
pub fn lost(connection: &Connection) -> Result<Vec<LostPack>, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT name, snapshots FROM lost_packs ORDER BY name")?;
    let rows = statement.query_map([], |row| {
        let name: Vec<u8> = row.get(0)?;
        Ok(LostPack {
            name: Hash(name.try_into().unwrap_or_default()),
            snapshots: row.get::<_, i64>(1)?.cast_unsigned(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets the packs that vanished.
pub fn accept_lost(connection: &Connection) -> Result<(), CatalogError> {
    connection.execute("DELETE FROM lost_packs", [])?;
    Ok(())
}

/// Drops packs that vanished, and the snapshots of which no record is left; takes note of what is lost.
pub fn drop_vanished(tx: &Transaction<'_>, packs: &[i64]) -> Result<(), CatalogError> {
    if packs.is_empty() {
        return Ok(());
    }
    gather(tx, packs)?;
    tx.execute_batch(
        "INSERT OR REPLACE INTO lost_packs
         SELECT p.name, count(DISTINCT r.snapshot)
         FROM records r CROSS JOIN packs p ON p.id = r.pack
         WHERE r.snapshot BETWEEN (SELECT min(first) FROM packs WHERE id IN (SELECT id FROM gone))
             AND (SELECT max(last) FROM packs WHERE id IN (SELECT id FROM gone))
         AND +r.pack IN (SELECT id FROM gone) AND NOT EXISTS (
             SELECT 1 FROM records o WHERE o.snapshot = r.snapshot AND +o.pack NOT IN (SELECT id FROM gone))
         GROUP BY p.id;",
    )?;
    drop_gathered(tx)
}

/// Lists packs in the temporary table `gone`.
fn gather(tx: &Transaction<'_>, packs: &[i64]) -> Result<(), CatalogError> {
    tx.execute_batch("CREATE TEMP TABLE IF NOT EXISTS gone (id INTEGER PRIMARY KEY); DELETE FROM gone;")?;
    for pack in packs {
        tx.prepare_cached("INSERT INTO gone VALUES (?1)")?
            .execute([pack])?;
    }
    Ok(())
}

/// Drops packs of which all that matters was read back from others, and the snapshots of which no record is
/// left.
pub fn drop(tx: &Transaction<'_>, packs: &[i64]) -> Result<(), CatalogError> {
    if packs.is_empty() {
        return Ok(());
    }
    gather(tx, packs)?;
    drop_gathered(tx)
}

/// Drops the packs that [`gather`] has listed.
fn drop_gathered(tx: &Transaction<'_>) -> Result<(), CatalogError> {
    tx.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS touched (id INTEGER PRIMARY KEY); DELETE FROM touched;
         INSERT OR IGNORE INTO touched SELECT snapshot FROM records
         WHERE snapshot BETWEEN (SELECT min(first) FROM packs WHERE id IN (SELECT id FROM gone))
             AND (SELECT max(last) FROM packs WHERE id IN (SELECT id FROM gone))
         AND +pack IN (SELECT id FROM gone);
         DELETE FROM pages WHERE pack IN (SELECT id FROM gone);
         DELETE FROM records WHERE snapshot IN (SELECT id FROM touched) AND +pack IN (SELECT id FROM gone);
         DELETE FROM tombstones WHERE pack IN (SELECT id FROM gone);
         DELETE FROM packs WHERE id IN (SELECT id FROM gone);",
    )?;
    let gone = tx
        .prepare_cached(
            "SELECT id, article FROM snapshots WHERE id IN (SELECT id FROM touched)
             AND id NOT IN (SELECT snapshot FROM records WHERE snapshot IN (SELECT id FROM touched))",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    remove_snapshots(tx, gone)
}

/// Removes snapshots (number, article), their blocks, and articles and sites that have none left.
fn remove_snapshots(tx: &Transaction<'_>, mut gone: Vec<(i64, i64)>) -> Result<(), CatalogError> {
    gone.sort_unstable_by_key(|&(snapshot, article)| (article, snapshot));
    let by_article = || gone.chunk_by(|one, other| one.1 == other.1);
    // The last article first: its outlines may rest on those of articles that were there before it.
    blocks::remove(tx, |removal| {
        by_article().rev().try_for_each(|group| {
            let snapshots: Vec<i64> = group.iter().map(|(snapshot, _)| *snapshot).collect();
            removal.take(tx, group[0].1, &snapshots)
        })
    })?;
    for group in by_article() {
        for (snapshot, _) in group {
            tx.prepare_cached("DELETE FROM snapshots WHERE id = ?1")?
                .execute([snapshot])?;
            tx.prepare_cached("DELETE FROM records WHERE snapshot = ?1")?
                .execute([snapshot])?;
        }
        let site: Option<Option<i64>> = tx
            .prepare_cached(
                "DELETE FROM articles WHERE id = ?1
                 AND NOT EXISTS (SELECT 1 FROM snapshots WHERE article = ?1) RETURNING site",
            )?
            .query_row([group[0].1], |row| row.get(0))
            .optional()?;
        if let Some(Some(site)) = site {
            tx.prepare_cached(
                "DELETE FROM sites WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM articles WHERE site = ?1)",
            )?
            .execute([site])?;
        }
    }
    Ok(())
}

/// A page that was taken out for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TombstoneRow {
    /// The article key.
    pub key: String,
    /// BLAKE3 of the body.
    pub body: Hash,
    /// Why.
    pub reason: String,
    /// When it was taken out, nanoseconds since the epoch.
    pub moment: Option<i64>,
    /// Where the tombstone lies.
    pub record: RecordRow,
}

/// Puts tombstones in and hides the snapshots they name.
pub fn add_tombstones(tx: &Transaction<'_>, stones: &[TombstoneRow]) -> Result<(), CatalogError> {
    let mut gone = Vec::new();
    for stone in stones {
        tx.prepare_cached(
            "INSERT OR IGNORE INTO tombstones (prefix, key, body, reason, moment, pack, at, place)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            prefix(&stone.body),
            stone.key,
            &stone.body.0[..],
            stone.reason,
            stone.moment,
            stone.record.pack,
            stone.record.at.cast_signed(),
            stone.record.place,
        ])?;
        if let Some(article) = snapshots::article(tx, &stone.key)? {
            let mut statement =
                tx.prepare_cached("SELECT id FROM snapshots WHERE article = ?1 AND body = ?2")?;
            for snapshot in statement.query_map(params![article, &stone.body.0[..]], |row| row.get(0))? {
                gone.push((snapshot?, article));
            }
        }
    }
    // Two stones may name one page.
    gone.sort_unstable();
    gone.dedup();
    remove_snapshots(tx, gone)
}

/// Whether a tombstone stands for this article key and body.
pub fn is_forgotten(connection: &Connection, key: &str, body: &Hash) -> Result<bool, CatalogError> {
    let mut statement = connection
        .prepare_cached("SELECT 1 FROM tombstones WHERE prefix = ?1 AND key = ?2 AND body = ?3 LIMIT 1")?;
    let found = statement.query_row(params![prefix(body), key, &body.0[..]], |_| Ok(()));
    Ok(found.optional()?.is_some())
}

/// Whether a tombstone stands for any body of this article key.
pub fn has_tombstone(connection: &Connection, key: &str) -> Result<bool, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM tombstones WHERE key = ?1 LIMIT 1")?;
    Ok(statement.query_row([key], |_| Ok(())).optional()?.is_some())
}

/// Whether a tombstone stands for this body under any address: it must not become a base.
pub fn is_refused_as_base(connection: &Connection, body: &Hash) -> Result<bool, CatalogError> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM tombstones WHERE prefix = ?1 AND body = ?2 LIMIT 1")?;
    let found = statement.query_row(params![prefix(body), &body.0[..]], |_| Ok(()));
    Ok(found.optional()?.is_some())
}

/// Whether any tombstone stands at all.
pub fn any_tombstone(connection: &Connection) -> Result<bool, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM tombstones LIMIT 1")?;
    Ok(statement.query_row([], |_| Ok(())).optional()?.is_some())
}

/// Number of different pages taken out for ever.
pub fn count_tombstones(connection: &Connection) -> Result<u64, CatalogError> {
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM (SELECT DISTINCT key, body FROM tombstones)")?;
    let count: i64 = statement.query_row([], |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

/// The bodies a tombstone stands for, under whatever address.
pub fn forgotten_bodies(connection: &Connection) -> Result<Vec<Hash>, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT body FROM tombstones")?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
    let mut bodies = Vec::new();
    for row in rows {
        bodies.extend(<[u8; 32]>::try_from(row?).map(Hash));
    }
    Ok(bodies)
}

/// Every row of the pages of a pack, with the prefix of the body's hash.
pub fn pages_of(connection: &Connection, pack: i64) -> Result<Vec<(u64, PageRow)>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT prefix, at, place, depth, length, base FROM pages WHERE pack = ?1 ORDER BY at, place",
    )?;
    let rows = statement.query_map([pack], |row| {
        let page = PageRow {
            pack,
            at: row.get::<_, i64>(1)?.cast_unsigned(),
            place: row.get(2)?,
            depth: row.get(3)?,
            length: row.get::<_, i64>(4)?.cast_unsigned(),
            base: row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned),
        };
        Ok((row.get::<_, i64>(0)?.cast_unsigned(), page))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The same for a pack by its name; none if it was not read in.
pub fn pages_of_name(connection: &Connection, name: &Hash) -> Result<Vec<(u64, PageRow)>, CatalogError> {
    let id = connection
        .prepare_cached("SELECT id FROM packs WHERE name = ?1")?
        .query_row([&name.0[..]], |row| row.get(0))
        .optional()?;
    id.map_or(Ok(Vec::new()), |id| pages_of(connection, id))
}

/// Bodies that snapshots and tombstones name, by those prefixes of their hashes that are wanted. Looks at
/// every snapshot.
pub fn bodies_by_prefix(
    connection: &Connection,
    prefixes: &[u64],
) -> Result<FxHashMap<u64, Hash>, CatalogError> {
    let wanted: FxHashSet<u64> = prefixes.iter().copied().collect();
    let mut statement =
        connection.prepare_cached("SELECT body FROM snapshots UNION ALL SELECT body FROM tombstones")?;
    let bodies = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
    let mut found = FxHashMap::default();
    for body in bodies {
        let body = Hash(body?.try_into().unwrap_or_default());
        if wanted.contains(&body.prefix()) {
            found.insert(body.prefix(), body);
        }
    }
    Ok(found)
}

/// The deltas that rest on bodies of these packs: their pack, the prefix of the base, their depth. Looks
/// at every page: an index for what is asked so rarely would be a twentieth of the catalog.
pub fn resting_on(connection: &Connection, packs: &[i64]) -> Result<Vec<(i64, u64, u32)>, CatalogError> {
    let mut bases: FxHashSet<u64> = FxHashSet::default();
    for pack in packs {
        bases.extend(pages_of(connection, *pack)?.into_iter().map(|(prefix, _)| prefix));
    }
    let mut statement =
        connection.prepare_cached("SELECT pack, base, depth FROM pages WHERE base IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let base = row.get::<_, i64>(1)?.cast_unsigned();
        if bases.contains(&base) {
            found.push((row.get(0)?, base, row.get(2)?));
        }
    }
    Ok(found)
}

/// Every place where a body with this prefix may lie, shallowest first.
pub fn pages_by_prefix(connection: &Connection, prefix: u64) -> Result<Vec<PageRow>, CatalogError> {
    pages(connection, &Hash::of_prefix(prefix))
}

/// Where the tombstones of a page lie.
pub fn tombstone_places(
    connection: &Connection,
    key: &str,
    body: &Hash,
) -> Result<Vec<RecordRow>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT pack, at, place FROM tombstones WHERE prefix = ?1 AND key = ?2 AND body = ?3",
    )?;
    let rows = statement.query_map(params![prefix(body), key, &body.0[..]], |row| {
        Ok(RecordRow {
            pack: row.get(0)?,
            at: row.get::<_, i64>(1)?.cast_unsigned(),
            place: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The frames in which tombstones lie: pack and offset.
pub fn tombstone_frames(connection: &Connection) -> Result<Vec<(i64, u64)>, CatalogError> {
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT pack, at FROM tombstones ORDER BY pack, at")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::snapshots::NewSnapshot;
    use crate::digest::blake3;

    fn count(tx: &Transaction<'_>, table: &str) -> usize {
        tx.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get::<_, u32>(0)
        })
        .unwrap() as usize
    }

    /// Puts in a pack with the records of these pages.
    fn put(tx: &Transaction<'_>, name: u64, pages: &[u64]) -> i64 {
        let pack = PackRow {
            id: 0,
            name: blake3(&name.to_le_bytes()),
            bytes: 1,
            pages: 0,
            records: pages.len() as u64,
            cold: false,
            damaged: false,
        };
        let id = add(tx, &pack).unwrap();
        for (place, page) in (0..).zip(pages) {
            let new = NewSnapshot {
                address: &format!("https://site{}.example/{}", page % 3, page % 7),
                moment: None,
                body: blake3(&page.to_le_bytes()),
                length: 8,
                status: None,
            };
            let (_, snapshot, _) = snapshots::add(tx, &new).unwrap();
            let row = RecordRow {
                pack: id,
                at: 32,
                place,
            };
            add_record(tx, snapshot, &row).unwrap();
            span(tx, id, snapshot, snapshot).unwrap();
        }
        id
    }

    #[test]
    fn packs_that_go_take_along_what_no_other_holds() {
        let mut catalog = Catalog::in_memory().unwrap();
        let tx = catalog.write().unwrap();
        // Packs as they are added, one that holds all of the first ones, one without records, and one of old and new.
        let mut held: BTreeMap<i64, BTreeSet<u64>> = BTreeMap::new();
        for (name, pages) in [
            (0, vec![0, 1, 2, 3]),
            (1, vec![4, 5, 3]),
            (2, vec![6]),
            (3, (0..7).collect()),
            (4, Vec::new()),
            (5, vec![20, 1, 21]),
        ] {
            held.insert(put(&tx, name, &pages), pages.into_iter().collect());
        }
        let ids: Vec<i64> = held.keys().copied().collect();
        for (gone, lost) in [
            (vec![ids[3], ids[4]], 0),
            (vec![ids[0], ids[2]], 3),
            (vec![ids[5]], 3),
        ] {
            for (&id, pages) in &held {
                let records = records_of(&tx, id).unwrap();
                assert_eq!(records.len(), pages.len());
                assert!(records.is_sorted());
            }
            let before = count(&tx, "snapshots");
            held.retain(|id, _| !gone.contains(id));
            drop_vanished(&tx, &gone).unwrap();
            let left: BTreeSet<u64> = held.values().flatten().copied().collect();
            assert_eq!(count(&tx, "snapshots"), left.len());
            assert_eq!(before - left.len(), lost);
            assert_eq!(count(&tx, "records"), held.values().flatten().count());
            let articles: BTreeSet<(u64, u64)> = left.iter().map(|page| (page % 3, page % 7)).collect();
            assert_eq!(count(&tx, "articles"), articles.len());
            let sites: BTreeSet<u64> = left.iter().map(|page| page % 3).collect();
            assert_eq!(count(&tx, "sites"), sites.len());
        }
        let told: Vec<u64> = lost(&tx).unwrap().iter().map(|pack| pack.snapshots).collect();
        assert_eq!(told.iter().sum::<u64>(), 6, "{told:?}");
    }
}
