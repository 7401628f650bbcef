//! When each pack was checked last: rows of the catalog's `meta`, lost with it.

use crate::archive::{Archive, ArchiveError};
use crate::catalog::CatalogError;
use crate::catalog::packs::{self, PackRow};
use crate::digest::Hash;
use crate::page::Moment;

const KEY: &str = "scrubbed ";

/// The packs, those never checked first, then by the time of their last check.
pub(super) fn oldest_first(archive: &Archive) -> Result<Vec<PackRow>, ArchiveError> {
    let mut rows = archive.with_catalog(|conn| {
        let mut rows = Vec::new();
        for pack in packs::all(conn)? {
            let checked: Option<i64> = conn
                .prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1")
                .and_then(|mut statement| {
                    let mut found = statement.query([format!("{KEY}{}", pack.name)])?;
                    found.next()?.map(|row| row.get(0)).transpose()
                })
                .map_err(CatalogError::from)?;
            rows.push((checked, pack));
        }
        Ok::<_, CatalogError>(rows)
    })?;
    rows.sort_by_key(|(checked, pack)| (*checked, pack.name));
    Ok(rows.into_iter().map(|(_, pack)| pack).collect())
}

/// Remembers that a pack was checked. A catalog that another process holds, or that cannot be written to
/// (a full disk), forgets it: that must not end a scrub.
pub(super) fn remember(archive: &Archive, pack: &Hash, now: Moment) -> Result<(), ArchiveError> {
    let written = archive.with_catalog(|conn| {
        conn.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
            rusqlite::params![format!("{KEY}{pack}"), now.0.to_string()],
        )
        .map_err(CatalogError::from)
    });
    match written {
        Err(error) if error.is_busy() || error.is_unwritable() => Ok(()),
        other => Ok(other.map(drop)?),
    }
}
