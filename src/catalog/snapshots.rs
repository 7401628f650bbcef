//! Articles and their snapshots.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::CatalogError;
use crate::digest::{Hash, blake3};
use crate::page::{Moment, article_key, site};

/// One snapshot of an article, as `log` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Number in the catalog. It survives compaction, not a rebuild of the catalog.
    pub id: i64,
    /// Number of the article in the catalog.
    pub article: i64,
    /// Place among the article's snapshots by moment, counted from 1.
    pub n: u64,
    /// The address as given when the page was added.
    pub address: String,
    /// When the page was fetched, where known.
    pub moment: Option<Moment>,
    /// BLAKE3 of the body.
    pub body: Hash,
    /// Length of the body in bytes.
    pub length: u64,
    /// HTTP status, where known.
    pub status: Option<u16>,
    /// The article hash; `None` until the block part of the catalog was built for this snapshot.
    pub article_hash: Option<Hash>,
    /// Whether the ordered list of body-block texts differs from that of the snapshot before. Where
    /// the block part is not built: whether the bytes differ.
    pub revision: bool,
    /// Whether the texts are equal but links, images or emphasis of the body differ.
    pub form_change: bool,
}

impl Snapshot {
    /// Whether the snapshot may stand as a revision of its article: status 200 or unknown.
    #[must_use]
    pub fn counts_as_revision(&self) -> bool {
        self.status.is_none_or(|status| status == 200)
    }
}

/// One article, as `list` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleSummary {
    /// Number in the catalog.
    pub id: i64,
    /// The article key.
    pub key: String,
    /// The address of the newest snapshot, as given.
    pub address: String,
    /// Number of snapshots, whatever their status.
    pub snapshots: u64,
    /// Number of revisions.
    pub revisions: u64,
    /// Sum of the bodies' lengths in bytes.
    pub raw_bytes: u64,
    /// The oldest moment, where any is known.
    pub first: Option<Moment>,
    /// The newest moment, where any is known.
    pub last: Option<Moment>,
}

/// What is known of a snapshot when it enters the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot<'a> {
    /// The address as given.
    pub address: &'a str,
    /// When the page was fetched.
    pub moment: Option<Moment>,
    /// BLAKE3 of the body.
    pub body: Hash,
    /// Length of the body in bytes.
    pub length: u64,
    /// HTTP status.
    pub status: Option<u16>,
}

/// The first eight bytes of a hash as the number `SQLite` stores.
#[must_use]
pub fn prefix(hash: &Hash) -> i64 {
    hash.prefix().cast_signed()
}

fn hash_of(bytes: &[u8]) -> Option<Hash> {
    Some(Hash(bytes.try_into().ok()?))
}

/// What articles are found by.
fn hash_of_key(key: &str) -> i32 {
    ((blake3(key.as_bytes()).prefix() >> 32) as u32).cast_signed()
}

/// The number of the article with this key.
pub fn article(connection: &Connection, key: &str) -> Result<Option<i64>, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT id FROM articles WHERE hash = ?1 AND key = ?2")?;
    let id = statement.query_row(params![hash_of_key(key), key], |row| row.get(0));
    Ok(id.optional()?)
}

/// The number of a site.
pub(super) fn site_number(connection: &Connection, name: &str) -> Result<Option<i64>, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT id FROM sites WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

/// Puts an article in, and its site if that is new; the article's number.
pub(super) fn add_article(
    connection: &Connection,
    key: &str,
    site: Option<&str>,
) -> Result<i64, CatalogError> {
    let site = match site {
        None => None,
        Some(name) => match site_number(connection, name)? {
            None => {
                connection
                    .prepare_cached("INSERT INTO sites (name) VALUES (?1)")?
                    .execute([name])?;
                Some(connection.last_insert_rowid())
            }
            known => known,
        },
    };
    connection
        .prepare_cached("INSERT INTO articles (hash, key, site) VALUES (?1, ?2, ?3)")?
        .execute(params![hash_of_key(key), key, site])?;
    Ok(connection.last_insert_rowid())
}

/// The number of the article an address belongs to, made if it is new.
pub fn article_for(tx: &Transaction<'_>, address: &str) -> Result<i64, CatalogError> {
    let key = article_key(address);
    if let Some(id) = article(tx, &key)? {
        return Ok(id);
    }
    add_article(tx, &key, site(address).as_deref())
}

/// The snapshot of this identity in an article.
pub fn find(
    connection: &Connection,
    article: i64,
    address: &str,
    moment: Option<Moment>,
    body: &Hash,
) -> Result<Option<i64>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.id FROM snapshots s JOIN articles a ON a.id = s.article
         WHERE s.article = ?1 AND s.moment IS ?2 AND s.body = ?3 AND coalesce(s.address, a.key) = ?4",
    )?;
    let id = statement.query_row(
        params![article, moment.map(|moment| moment.0), &body.0[..], address],
        |row| row.get(0),
    );
    Ok(id.optional()?)
}

/// Puts a snapshot in, unless its identity is there already; its article, its number and whether it
/// is new.
pub fn add(tx: &Transaction<'_>, new: &NewSnapshot<'_>) -> Result<(i64, i64, bool), CatalogError> {
    let article = article_for(tx, new.address)?;
    if let Some(id) = find(tx, article, new.address, new.moment, &new.body)? {
        return Ok((article, id, false));
    }
    // Nearly every address is its own key; only the others are worth a column.
    let address = (article_key(new.address) != new.address).then_some(new.address);
    tx.prepare_cached(
        "INSERT INTO snapshots (article, moment, body, length, status, address)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        article,
        new.moment.map(|moment| moment.0),
        &new.body.0[..],
        new.length.cast_signed(),
        new.status,
        address,
    ])?;
    Ok((article, tx.last_insert_rowid(), true))
}

/// Records the hashes over the body blocks of a snapshot.
pub fn set_hashes(
    tx: &Transaction<'_>,
    snapshot: i64,
    article_hash: &Hash,
    form_hash: &Hash,
) -> Result<(), CatalogError> {
    tx.prepare_cached("UPDATE snapshots SET text_hash = ?2, form_hash = ?3 WHERE id = ?1")?
        .execute(params![snapshot, &article_hash.0[..], &form_hash.0[..8]])?;
    Ok(())
}

/// Snapshots for which the block part is not built, in order of article and moment, so that each
/// finds its predecessor there.
pub fn without_blocks(connection: &Connection) -> Result<Vec<i64>, CatalogError> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM snapshots WHERE text_hash IS NULL ORDER BY article, moment, id")?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// A row of `snapshots`, with what is needed to tell revisions.
struct SnapshotRow {
    snapshot: Snapshot,
    form_hash: Option<Vec<u8>>,
}

const COLUMNS: &str = "s.id, s.article, coalesce(s.address, a.key), s.moment, s.body, s.length, s.status,
    s.text_hash, s.form_hash";

fn row_of(row: &Row<'_>) -> rusqlite::Result<SnapshotRow> {
    let body: Vec<u8> = row.get(4)?;
    let text: Option<Vec<u8>> = row.get(7)?;
    Ok(SnapshotRow {
        snapshot: Snapshot {
            id: row.get(0)?,
            article: row.get(1)?,
            n: 0,
            address: row.get(2)?,
            moment: row.get::<_, Option<i64>>(3)?.map(Moment),
            body: hash_of(&body).unwrap_or_default(),
            length: row.get::<_, i64>(5)?.cast_unsigned(),
            status: row.get(6)?,
            article_hash: text.as_deref().and_then(hash_of),
            revision: false,
            form_change: false,
        },
        form_hash: row.get(8)?,
    })
}

/// Tells the revisions among the snapshots of one article, given in order of their moments and only
/// those that may be one. `H` is a hash or enough of it.
#[derive(Debug)]
pub(super) struct Teller<H, F> {
    before: Option<(Option<H>, H, Option<F>)>,
}

impl<H, F> Default for Teller<H, F> {
    fn default() -> Self {
        Self { before: None }
    }
}

impl<H: PartialEq, F: PartialEq> Teller<H, F> {
    /// Whether the next snapshot is a revision, and whether its form alone changed. Where the article
    /// hash is not known on both sides, the bodies are held against each other.
    pub fn tell(&mut self, article_hash: Option<H>, body: H, form: Option<F>) -> (bool, bool) {
        let (same_text, same_form) = match &self.before {
            None => (false, false),
            Some((Some(text), _, form_before)) if article_hash.is_some() => {
                (article_hash.as_ref() == Some(text), *form_before == form)
            }
            Some((_, body_before, _)) => (body == *body_before, true),
        };
        self.before = Some((article_hash, body, form));
        (!same_text, same_text && !same_form)
    }
}

/// Numbers the snapshots of one article, which come in order of their moments, and tells revisions
/// and form changes from what stands before each.
fn tell_revisions(rows: Vec<SnapshotRow>) -> Vec<Snapshot> {
    let mut teller = Teller::default();
    let mut snapshots = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        let SnapshotRow {
            mut snapshot,
            form_hash,
        } = row;
        snapshot.n = index as u64 + 1;
        if snapshot.counts_as_revision() {
            (snapshot.revision, snapshot.form_change) =
                teller.tell(snapshot.article_hash, snapshot.body, form_hash);
        }
        snapshots.push(snapshot);
    }
    snapshots
}

/// All snapshots of an article, ordered by moment; those without one come first, as they arrived.
pub fn of_article(connection: &Connection, article: i64) -> Result<Vec<Snapshot>, CatalogError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM snapshots s JOIN articles a ON a.id = s.article
         WHERE s.article = ?1 ORDER BY s.moment, s.id"
    ))?;
    let rows = statement.query_map([article], row_of)?;
    Ok(tell_revisions(rows.collect::<Result<_, _>>()?))
}

/// One snapshot by its number, with its place among the others.
pub fn by_id(connection: &Connection, id: i64) -> Result<Option<Snapshot>, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT article FROM snapshots WHERE id = ?1")?;
    let Some(article) = statement.query_row([id], |row| row.get(0)).optional()? else {
        return Ok(None);
    };
    let snapshots = of_article(connection, article)?;
    Ok(snapshots.into_iter().find(|snapshot| snapshot.id == id))
}

/// One snapshot by its number, without its place among the others and what follows from that.
pub fn bare(connection: &Connection, id: i64) -> Result<Option<Snapshot>, CatalogError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM snapshots s JOIN articles a ON a.id = s.article WHERE s.id = ?1"
    ))?;
    let row = statement.query_row([id], row_of).optional()?;
    Ok(row.map(|row| row.snapshot))
}

/// Forgets the hashes over body blocks of all snapshots.
pub fn clear_hashes(tx: &Transaction<'_>) -> Result<(), CatalogError> {
    tx.execute("UPDATE snapshots SET text_hash = NULL, form_hash = NULL", [])?;
    Ok(())
}

/// Number of snapshots.
pub fn count(connection: &Connection) -> Result<u64, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM snapshots")?;
    Ok(statement
        .query_row([], |row| row.get::<_, i64>(0))?
        .cast_unsigned())
}

/// Whether any snapshot has this body.
pub fn has_body(connection: &Connection, body: &Hash) -> Result<bool, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM snapshots WHERE body = ?1 LIMIT 1")?;
    Ok(statement
        .query_row([&body.0[..]], |_| Ok(()))
        .optional()?
        .is_some())
}

/// Bodies of an article that may be revisions, each once, in the order in which they were added.
pub fn bodies_in_order(connection: &Connection, article: i64) -> Result<Vec<Hash>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT body, min(id) FROM snapshots
         WHERE article = ?1 AND (status IS NULL OR status = 200) GROUP BY body ORDER BY min(id)",
    )?;
    let rows = statement.query_map([article], |row| row.get::<_, Vec<u8>>(0))?;
    let mut bodies = Vec::new();
    for row in rows {
        bodies.extend(hash_of(&row?));
    }
    Ok(bodies)
}

/// The body of the newest snapshot of an article.
pub fn newest_body(connection: &Connection, article: i64) -> Result<Option<Hash>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT body FROM snapshots WHERE article = ?1 ORDER BY moment DESC, id DESC LIMIT 1",
    )?;
    let body: Option<Vec<u8>> = statement.query_row([article], |row| row.get(0)).optional()?;
    Ok(body.as_deref().and_then(hash_of))
}

/// Keys and newest bodies of the articles of a site, the last ones that were added.
pub fn of_site(connection: &Connection, site: &str, limit: u32) -> Result<Vec<(String, Hash)>, CatalogError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.key, (SELECT body FROM snapshots s WHERE s.article = a.id
            AND (s.status IS NULL OR s.status = 200) ORDER BY s.id DESC LIMIT 1)
         FROM articles a WHERE a.site = ?1 ORDER BY a.id DESC LIMIT ?2",
    )?;
    let Some(site) = site_number(connection, site)? else {
        return Ok(Vec::new());
    };
    let rows = statement.query_map(params![site, limit], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, Option<Vec<u8>>>(1)?))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (key, body) = row?;
        if let Some(body) = body.as_deref().and_then(hash_of) {
            found.push((key, body));
        }
    }
    Ok(found)
}

/// While it is held, all that is read is of one state of the catalog, whatever other processes write.
fn one_state(connection: &Connection) -> Result<Option<Transaction<'_>>, CatalogError> {
    let begin = || connection.unchecked_transaction();
    Ok(connection.is_autocommit().then(begin).transpose()?)
}

/// Calls `each` with the key and the snapshots of every article, in order of the keys.
pub fn for_each_article(
    connection: &Connection,
    mut each: impl FnMut(&str, Vec<Snapshot>),
) -> Result<(), CatalogError> {
    let _state = one_state(connection)?;
    let mut articles = keys(connection)?;
    articles.sort_unstable_by(|one, other| one.1.cmp(&other.1));
    for (article, key) in articles {
        let snapshots = of_article(connection, article)?;
        if !snapshots.is_empty() {
            each(&key, snapshots);
        }
    }
    Ok(())
}

/// Calls `each` with the snapshots of every article, in order of their numbers.
pub fn for_each_history(
    connection: &Connection,
    mut each: impl FnMut(Vec<Snapshot>),
) -> Result<(), CatalogError> {
    let _state = one_state(connection)?;
    let mut statement = connection.prepare("SELECT id FROM articles ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let snapshots = of_article(connection, row.get(0)?)?;
        if !snapshots.is_empty() {
            each(snapshots);
        }
    }
    Ok(())
}

/// Number and key of every article.
pub fn keys(connection: &Connection) -> Result<Vec<(i64, String)>, CatalogError> {
    let mut statement = connection.prepare("SELECT id, key FROM articles")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn articles_whose_keys_have_one_hash_are_told_apart() {
        let mut known = HashMap::new();
        let mut keys = (0_u32..).map(|n| format!("https://tide.example/{n}"));
        let (one, other) = keys
            .find_map(|key| {
                let before = known.insert(hash_of_key(&key), key.clone())?;
                Some((before, key))
            })
            .unwrap();
        assert_ne!(one, other);
        let mut catalog = Catalog::in_memory().unwrap();
        let tx = catalog.write().unwrap();
        assert_eq!(article_for(&tx, &one).unwrap(), 1);
        assert_eq!(article(&tx, &other).unwrap(), None);
        assert_eq!(article_for(&tx, &other).unwrap(), 2);
        assert_eq!(article_for(&tx, &one).unwrap(), 1);
        assert_eq!(article(&tx, &other).unwrap(), Some(2));
    }
}
