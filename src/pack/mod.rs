//! The pack file: frames, tables, footer, zstd, deltas. `docs/format.md` describes every byte.
//!
//! Never: knows what a page means.
//!
//! [`field`] are the tagged fields everything extensible is made of, [`frame`] the frames a pack is
//! a sequence of, [`record`] what is said about snapshots, [`codec`] the compression, [`build`]
//! writes a pack, [`read`] reads one by its footer, [`scan`] reads one without trusting anything.

pub mod build;
pub mod codec;
pub mod field;
pub mod frame;
pub mod read;
pub mod record;
pub mod scan;

pub use build::{Finished, PackBuilder, PlacedRecord};
pub use codec::{Codec, Compressed};
pub use frame::{Against, Frame, Kind};
pub use read::{Directory, Pack, TableRow};
pub use record::{Record, SnapshotRecord, Tombstone};

/// The format version this pressmark writes, and the newest it reads.
pub const FORMAT: u16 = 1;

/// Most bytes a page body may have.
pub const MAX_PAGE_BYTES: u64 = 64 << 20;

/// Most bytes the bodies of one group frame may have together.
pub const MAX_GROUP_BYTES: u64 = 64 << 20;

/// Most bodies in one group frame.
pub const MAX_GROUP_PAGES: usize = 8192;

/// Most bytes one frame of records, one table or one directory may have when decompressed.
pub const MAX_TABLE_BYTES: u64 = 64 << 20;

/// Most records in a pack that has fewer bytes than records.
pub const MAX_ALIKE_RECORDS: u64 = 1 << 18;

/// Most bytes of a pack: offsets in tables have four bytes.
pub const MAX_PACK_BYTES: u64 = u32::MAX as u64;

/// Deepest delta that is followed.
pub const MAX_DEPTH: u32 = 96;

/// What is wrong with a pack or a part of it.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Reading failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The file does not begin as a pack does.
    #[error("not a pack")]
    NotAPack,
    /// A newer pressmark wrote this.
    #[error("needs a newer pressmark: {0}")]
    Newer(String),
    /// Bytes at this offset are not what they must be.
    #[error("damaged at byte {at}: {what}")]
    Damaged {
        /// Offset in the pack, in bytes.
        at: u64,
        /// What was found.
        what: &'static str,
    },
    /// A limit of the format is exceeded.
    #[error("{what}: {value} is over the limit of {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// What was met.
        value: u64,
        /// The limit.
        limit: u64,
    },
}

impl PackError {
    /// Damage at an offset.
    #[must_use]
    pub fn damaged(at: u64, what: &'static str) -> Self {
        Self::Damaged { at, what }
    }

    /// Whether the file itself is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == std::io::ErrorKind::NotFound)
    }
}

/// Refuses values over a limit.
pub(crate) fn limited(what: &'static str, value: u64, limit: u64) -> Result<u64, PackError> {
    if value > limit {
        return Err(PackError::Limit { what, value, limit });
    }
    Ok(value)
}
