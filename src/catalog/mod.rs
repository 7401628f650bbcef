//! The rebuildable index: articles, snapshots, block occurrences, declared-hash ledger.
//!
//! Never: is ever the only copy of anything.
//!
//! [`schema`] holds the tables and their version, [`packs`] which packs were read in and where their
//! pages and records lie, [`snapshots`] articles and snapshots, [`blocks`] what stands in them,
//! [`ledger`] what the declared hashes among them testify. Everything but `blocks` is rebuilt from the
//! packs alone; `blocks` needs the pages parsed again.

mod bits;
pub mod blocks;
mod chunk;
mod finder;
pub mod ledger;
mod near;
mod outline;
mod outlines;
pub mod overview;
pub mod packs;
mod postings;
mod recorder;
mod removal;
pub mod schema;
mod sites;
pub mod snapshots;
mod stream;

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};

/// How long a statement waits for another process that is writing to the catalog.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection.
const STATEMENTS: usize = 128;

/// The catalog could not do what was asked. It can always be deleted: it is rebuilt from the packs.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// `SQLite` reports an error.
    #[error("catalog.sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The catalog was written by another version of pressmark.
    #[error("catalog.sqlite has tables of version {0}; delete it, it will be rebuilt")]
    OtherVersion(i64),
    /// A row does not hold what was written to it.
    #[error("catalog.sqlite: row {row} of {table} is damaged; run `pressmark reindex`")]
    Malformed {
        /// The table.
        table: &'static str,
        /// The row's number.
        row: i64,
    },
    /// The blocks of a snapshot are not in the catalog yet.
    #[error("catalog.sqlite: the blocks of snapshot {0} are missing; run `pressmark reindex`")]
    NoOutline(i64),
}

impl CatalogError {
    /// Whether another process holds the catalog: what was to be written can be caught up later.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(
            self,
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, _))
                if matches!(
                    code.code,
                    rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked
                )
        )
    }

    /// Whether the catalog cannot be kept where it is: full disk, no permission, failing medium. One in
    /// memory serves as well.
    #[must_use]
    pub fn is_unwritable(&self) -> bool {
        matches!(
            self,
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, _))
                if matches!(
                    code.code,
                    rusqlite::ErrorCode::DiskFull
                        | rusqlite::ErrorCode::ReadOnly
                        | rusqlite::ErrorCode::CannotOpen
                        | rusqlite::ErrorCode::PermissionDenied
                        | rusqlite::ErrorCode::SystemIoFailure
                )
        )
    }

    /// Whether the file is damaged or of an unknown version: it should be rebuilt.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        match self {
            Self::OtherVersion(_) | Self::Malformed { .. } => true,
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, _)) => matches!(
                code.code,
                rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase
            ),
            Self::Sqlite(_) | Self::NoOutline(_) => false,
        }
    }
}

/// One connection to the catalog of an archive.
#[derive(Debug)]
pub struct Catalog {
    connection: Connection,
}

impl Catalog {
    /// Opens the catalog file, making it if it is missing.
    pub fn open(path: &Path) -> Result<Self, CatalogError> {
        Self::prepare(Connection::open(path)?)
    }

    /// A catalog in memory, for read-only media and tests.
    pub fn in_memory() -> Result<Self, CatalogError> {
        Self::prepare(Connection::open_in_memory()?)
    }

    /// A second connection to the same file; `None` for a catalog in memory, or where the file cannot be
    /// opened again.
    #[must_use]
    pub fn again(&self) -> Option<Self> {
        let path = self.connection.path().filter(|path| !path.is_empty())?;
        Self::open(Path::new(path)).ok()
    }

    fn prepare(mut connection: Connection) -> Result<Self, CatalogError> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Plans must not depend on bound values: without this, some statements are compiled anew each
        // time they are bound, which costs more than running them.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        schema::prepare(&mut connection)?;
        Ok(Self { connection })
    }

    /// The connection, for the queries of this room's modules and of the rooms above.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Writes the file anew without the room that deleted rows left, and with it what stood in them, and
    /// empties the log. Fails while another process uses it, and where the medium has no room for a second
    /// copy; nothing is lost then.
    pub fn shrink(&self) -> Result<(), CatalogError> {
        self.connection.execute_batch("VACUUM")?;
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Begins a transaction that writes. Waits up to [`BUSY_TIMEOUT`] for other writers.
    pub fn write(&mut self) -> Result<Transaction<'_>, CatalogError> {
        Ok(self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}
