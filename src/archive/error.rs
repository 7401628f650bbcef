//! What can go wrong with an archive.

use crate::catalog::CatalogError;
use crate::digest::Hash;
use crate::pack::PackError;

/// What can go wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The catalog cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Reading or writing a file failed.
    #[error("{path}: {error}")]
    Io {
        /// Path inside the archive.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A pack cannot be read or written.
    #[error("pack {name}: {error}")]
    Pack {
        /// BLAKE3 of the pack, its name.
        name: Hash,
        /// What is wrong with it.
        error: PackError,
    },
    /// The pack being built cannot go on.
    #[error("pack being written: {0}")]
    Building(PackError),
    /// There is no archive.
    #[error("no archive in {0}: it has no directory `packs`; `add` makes one")]
    NotAnArchive(String),
    /// A newer pressmark wrote this archive.
    #[error("this archive needs a newer pressmark: {0}")]
    Newer(String),
    /// The page cannot be restored: its bytes, or those of a base, are damaged or gone.
    #[error("{address} (body {body}) cannot be restored: {reason}; `scrub` tells what else is damaged")]
    Lost {
        /// The address.
        address: String,
        /// BLAKE3 of the body.
        body: Hash,
        /// What was met.
        reason: String,
    },
    /// The page is larger than an archive takes.
    #[error("{address}: {length} bytes are more than the {limit} a page may have")]
    TooLarge {
        /// The address.
        address: String,
        /// Length in bytes.
        length: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// What is said about the page is larger than an archive takes.
    #[error("{address}: headers and metadata of {length} bytes are more than the {limit} a record may have")]
    RecordTooLarge {
        /// The address.
        address: String,
        /// Length of the record in bytes.
        length: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// What is said about the page has more parts than are read again.
    #[error("{address}: headers and metadata of {parts} parts are more than the {limit} a record may have")]
    TooManyParts {
        /// The address.
        address: String,
        /// Parts of the record: headers, and commas and opening brackets and braces in metadata.
        parts: u64,
        /// The limit.
        limit: u64,
    },
    /// The archive lies on a read-only medium.
    #[error("the archive is read-only")]
    ReadOnly,
    /// Another process maintains the archive.
    #[error("another process is compacting, repairing or taking pages out; try again when it is done")]
    Locked,
    /// Pages are taken out, but another process held the catalog, so that their bytes are still there.
    #[error(
        "another process holds the catalog; the pages are hidden from the next command on, `pressmark forget --finish` removes their bytes"
    )]
    Unfinished,
    /// A page that stays could not be read back from the packs that stay, so nothing was removed.
    #[error("body {body} cannot be read back from the packs that stay ({reason}); nothing was removed")]
    NotReadBack {
        /// BLAKE3 of the body.
        body: Hash,
        /// What was met.
        reason: String,
    },
    /// The catalog has its declared hashes from another attribute than the one asked for.
    #[error(
        "its declared hashes were read from the attribute {known}, not from {asked}; name --attr {known}, or read them anew with `reindex --attr {asked}`"
    )]
    OtherAttribute {
        /// The attribute in use.
        known: String,
        /// The attribute asked for.
        asked: String,
    },
    /// Pages were encoded or appended in another order than planned, or a pack was closed while a body in it
    /// lacks its record.
    #[error("pages must be appended in the order in which they were planned, and all that share a frame")]
    OutOfOrder,
}

impl ArchiveError {
    pub(crate) fn io(path: &str, error: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            error,
        }
    }

    pub(crate) fn pack(name: &Hash, error: PackError) -> Self {
        match error {
            PackError::Newer(what) => Self::Newer(what),
            error => Self::Pack { name: *name, error },
        }
    }
}
