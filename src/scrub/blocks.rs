//! The block part of the catalog against the pages.

use std::sync::{Mutex, PoisonError};

use super::Code;
use crate::archive::{Archive, ArchiveError};
use crate::block::{Block, Document};
use crate::catalog::CatalogError;
use crate::catalog::blocks::{self, Finder, OutlineBlock, Prefix, Space};
use crate::label::Reader;
use crate::page::Page;

/// Computes the content hashes of a snapshot's page anew, holds them against the catalog and looks every
/// block up; what is wrong, if anything.
pub(super) fn compare(
    archive: &Archive,
    reader: &Reader,
    finder: &Mutex<Finder>,
    snapshot: i64,
    page: &Page,
) -> Result<Option<(Code, String)>, ArchiveError> {
    let outline = archive.with_catalog(|conn| {
        let built: bool = conn
            .prepare_cached("SELECT text_hash IS NOT NULL FROM snapshots WHERE id = ?1")?
            .query_row([snapshot], |row| row.get(0))?;
        built.then(|| blocks::outline(conn, snapshot)).transpose()
    });
    let outline = match outline {
        // `reindex` was not run yet: nothing is promised, so nothing is broken.
        Ok(None) => return Ok(None),
        Ok(Some(outline)) => outline,
        Err(CatalogError::NoOutline(_)) => {
            let message = "its blocks are not in the catalog".to_owned();
            return Ok(Some((Code::OutlineMissing, message)));
        }
        Err(CatalogError::Malformed { table, row }) => {
            let message = format!("its blocks cannot be decoded (row {row} of {table})");
            return Ok(Some((Code::OutlineDamaged, message)));
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(message) = difference(&reader.read(page), &outline) {
        return Ok(Some((Code::OutlineDiffers, message)));
    }
    let unfound = unfound(archive, finder, snapshot, &outline)?;
    Ok(unfound.map(|index| {
        let message = format!("block {index} is not found by its content hash");
        (Code::PostingMissing, message)
    }))
}

/// A block that its content hash does not lead to.
fn unfound(
    archive: &Archive,
    finder: &Mutex<Finder>,
    snapshot: i64,
    outline: &[OutlineBlock],
) -> Result<Option<usize>, ArchiveError> {
    let mut finder = finder.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(archive.with_catalog(|conn| {
        let article: i64 = conn
            .prepare_cached("SELECT article FROM snapshots WHERE id = ?1")?
            .query_row([snapshot], |row| row.get(0))?;
        for (index, block) in outline.iter().enumerate() {
            let articles = finder.articles(conn, Space::Content, Prefix::exact(block.key))?;
            if articles.binary_search(&article).is_err() {
                return Ok::<_, CatalogError>(Some(index));
            }
        }
        Ok(None)
    })?)
}

/// The first difference between the blocks of a page and those in the catalog. Labels are no hashes:
/// the rules that set them may have changed.
fn difference(document: &Document, outline: &[OutlineBlock]) -> Option<String> {
    if document.blocks.len() != outline.len() {
        return Some(format!(
            "the page has {} blocks, the catalog {}",
            document.blocks.len(),
            outline.len()
        ));
    }
    let differs = |(block, known): (&Block, &OutlineBlock)| {
        let found = OutlineBlock::of(block);
        found.key != known.key
            || !found.same_form(known)
            || found.declared != known.declared
            || found.id != known.id
    };
    let index = document.blocks.iter().zip(outline).position(differs)?;
    Some(format!(
        "the content hash of block {index} is not the one in the catalog"
    ))
}
