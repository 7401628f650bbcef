//! The block part: which blocks stand in which snapshot, and what hashes they declared.

use rusqlite::Connection;

use super::CatalogError;
use crate::block::Document;
use crate::digest::{Hash, sha256};

/// Tables of the block part, made together with those of [`super::schema`].
pub const TABLES: &str = "";

/// What the catalog keeps of a document: small enough to hold for every page of a pack that is being
/// written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// Keys of the blocks in source order.
    pub blocks: Vec<u64>,
    /// The article hash: SHA-256 over the text hashes of the body blocks that have text.
    pub text_hash: Hash,
    /// SHA-256 over the form hashes of all body blocks.
    pub form_hash: Hash,
}

impl Outline {
    /// What the catalog keeps of `document`.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let body = || document.blocks.iter().filter(|block| block.body);
        let texts = body().filter(|block| !block.text.is_empty());
        let texts: Vec<u8> = texts.flat_map(|block| block.text_hash.0).collect();
        let forms: Vec<u8> = body().flat_map(|block| block.form_hash.0).collect();
        Self {
            blocks: document.blocks.iter().map(|block| block.key().prefix()).collect(),
            text_hash: sha256(&texts),
            form_hash: sha256(&forms),
        }
    }
}

/// Records the outlines of many snapshots; lives no longer than the transaction.
#[derive(Debug, Default)]
pub struct Recorder {}

impl Recorder {
    /// Puts the blocks of one snapshot into the catalog. Snapshots of an article mostly arrive in
    /// order of their moments, but need not. A snapshot that is already there stays as it is.
    pub fn insert(
        &mut self,
        _conn: &Connection,
        _article: i64,
        _snapshot: i64,
        _outline: &Outline,
    ) -> Result<(), CatalogError> {
        Ok(())
    }
}

/// Takes the blocks of snapshots that are gone out of the catalog.
pub fn remove(_conn: &Connection, _article: i64, _snapshots: &[i64]) -> Result<(), CatalogError> {
    Ok(())
}
