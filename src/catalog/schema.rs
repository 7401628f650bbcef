//! The tables of the catalog and their version.

use rusqlite::{Connection, TransactionBehavior};

use super::{CatalogError, blocks};

/// Version of the tables below and of those in [`blocks`]. Any change of theirs raises it; a catalog
/// of another version is dropped and rebuilt.
pub const VERSION: i64 = 10;

/// Numbers of packs are never used twice: other processes may still have the old one open. `pages`
/// says where the bodies lie, `records` where the snapshot records lie; both may name
/// several copies. `snapshots.body` is the whole BLAKE3 of the body; prefixes are the first eight
/// bytes as a signed big-endian number. The records of a pack are those of snapshots numbered from `first` to
/// `last`: numbers are given pack by pack as packs are added, so that the range takes the place of an index; the few
/// packs that `compact` made may span all. `articles.hash` is
/// the first four bytes of the key's BLAKE3, as a signed big-endian number: an index of whole keys would hold
/// each of them a second time. `lost_packs`
/// remembers packs that vanished with snapshots no other pack holds. `meta` tells under `attribute` where
/// declared hashes were read from.
const TABLES: &str = "
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE packs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name BLOB NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    records INTEGER NOT NULL,
    cold INTEGER NOT NULL,
    damaged INTEGER NOT NULL,
    first INTEGER,
    last INTEGER
);
CREATE TABLE lost_packs (
    name BLOB PRIMARY KEY,
    snapshots INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE pages (
    prefix INTEGER NOT NULL,
    pack INTEGER NOT NULL,
    at INTEGER NOT NULL,
    place INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    length INTEGER NOT NULL,
    base INTEGER,
    PRIMARY KEY (prefix, pack, at, place)
) WITHOUT ROWID;
CREATE INDEX pages_pack ON pages (pack);
CREATE TABLE articles (
    id INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,
    key TEXT NOT NULL,
    site INTEGER
);
CREATE INDEX articles_hash ON articles (hash);
CREATE INDEX articles_site ON articles (site);
CREATE TABLE sites (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY,
    article INTEGER NOT NULL,
    moment INTEGER,
    body BLOB NOT NULL,
    length INTEGER NOT NULL,
    status INTEGER,
    address TEXT,
    text_hash BLOB,
    form_hash BLOB
);
CREATE INDEX snapshots_article ON snapshots (article, moment);
CREATE INDEX snapshots_unindexed ON snapshots (article, moment) WHERE text_hash IS NULL;
CREATE TABLE records (
    snapshot INTEGER NOT NULL,
    pack INTEGER NOT NULL,
    at INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (snapshot, pack, at, place)
) WITHOUT ROWID;
CREATE TABLE tombstones (
    prefix INTEGER NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    reason TEXT NOT NULL,
    moment INTEGER,
    pack INTEGER NOT NULL,
    at INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (prefix, key, pack, at, place)
) WITHOUT ROWID;
";

/// Makes the tables of a new catalog; refuses one of another version.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), CatalogError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == VERSION {
        return settings(connection);
    }
    if version != 0 {
        return Err(CatalogError::OtherVersion(version));
    }
    settings(connection)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        tx.execute_batch(TABLES)?;
        tx.execute_batch(blocks::TABLES)?;
        tx.pragma_update(None, "user_version", VERSION)?;
    }
    tx.commit()?;
    Ok(())
}

/// The catalog is a cache: after a power cut an older state of it is as good as the newest, so
/// `NORMAL` suffices; the packs are what is synced.
fn settings(connection: &Connection) -> Result<(), CatalogError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -16384)?;
    Ok(())
}
