//! WARC, WACZ, Parquet, NDJSON, CDXJ and files, to any `Write`.
//!
//! Each format takes [`Outgoing`] snapshots one by one, in the order given, and holds no more than one
//! of them (the CDXJ lines and what `--revisit` needs are kept, about 300 bytes a snapshot). The
//! output depends on what goes in and on nothing else: no clock, no random ids.
//!
//! Never: reads the network.

mod cdxj;
mod files;
mod ndjson;
mod restored;
mod selection;
mod surt;
mod wacz;
mod warc;

#[cfg(feature = "parquet")]
pub mod parquet;

use std::io;

pub use cdxj::{CdxjLine, write_cdxj};
pub use files::FilesExport;
pub use ndjson::{NdjsonContent, NdjsonExport};
pub use restored::{chosen, restored};
pub use selection::Selection;
pub use surt::surt;
pub use wacz::{WaczExport, WaczOptions};
pub use warc::{PackedSnapshot, Planned, WarcExport, WarcOptions, WarcPlan};

use crate::block::Document;
use crate::digest::Hash;
use crate::page::Page;

/// A snapshot on its way out of the archive.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outgoing {
    /// The restored page.
    pub page: Page,
    /// Place among the article's snapshots by moment, counted from 1.
    pub n: u64,
    /// BLAKE3 of the body.
    pub body: Hash,
    /// Whether the text changed against the snapshot before.
    pub revision: bool,
    /// The article hash, where known.
    pub article_hash: Option<Hash>,
    /// The page cut into labelled blocks; only formats with blocks need it.
    pub document: Option<Document>,
}

/// An export could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Writing failed.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
    /// A pattern of the selection is no glob.
    #[error("{pattern:?} is no address pattern: {message}; write something like https://news.example/*")]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong.
        message: String,
    },
    /// The zip file of a WACZ could not be written.
    #[error("cannot write the WACZ: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// The Parquet file could not be written.
    #[cfg(feature = "parquet")]
    #[error("cannot write Parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}
