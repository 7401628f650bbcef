//! The block part of the catalog against the pages.

use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _};

use super::Code;
use crate::archive::{Archive, ArchiveError};
use crate::block::{Block, Document};
use crate::catalog::CatalogError;
use crate::catalog::blocks::{Finder, OutlineBlock, Prefix, Space};
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
    let mut held = finder.lock().unwrap_or_else(PoisonError::into_inner);
    let outline = archive.with_catalog(|conn| {
        // All of it from one state: another process may take the snapshot out, or one that it rests on.
        let state = conn.unchecked_transaction()?;
        let built: Option<bool> = state
            .prepare_cached("SELECT text_hash IS NOT NULL FROM snapshots WHERE id = ?1")?
            .query_row([snapshot], |row| row.get(0))
            .optional()?;
        if built == Some(true) {
            held.outline_anew(&state, snapshot).map(Some)
        } else {
            Ok(None)
        }
    });
    drop(held);
    let outline = match outline {
        // It was taken out meanwhile, or `reindex` was not run yet: nothing is promised, so nothing is broken.
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
        let Some(article) = article_of(conn, snapshot)? else {
            return Ok(None);
        };
        for (index, block) in outline.iter().enumerate() {
            let articles = finder.articles(conn, Space::Content, Prefix::exact(block.key))?;
            if articles.binary_search(&article).is_err() {
                // With a snapshot that is taken out go its keys.
                let stays = article_of(conn, snapshot)?.is_some();
                return Ok::<_, CatalogError>(stays.then_some(index));
            }
        }
        Ok(None)
    })?)
}

/// The article of a snapshot; `None` if it was taken out.
fn article_of(conn: &Connection, snapshot: i64) -> Result<Option<i64>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT article FROM snapshots WHERE id = ?1")?
        .query_row([snapshot], |row| row.get(0))
        .optional()?)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::disk::MemoryDisk;
    use crate::label::Rules;

    #[test]
    fn a_snapshot_that_was_taken_out_meanwhile_is_no_fault() {
        let (archive, _) = Archive::create_or_open(Arc::new(MemoryDisk::new())).unwrap();
        let reader = Reader::new(Rules::builtin(), "contents-hash");
        let finder = Mutex::new(archive.with_catalog(Finder::open).unwrap());
        let fault = compare(&archive, &reader, &finder, 7, &Page::default()).unwrap();
        assert!(fault.is_none());
    }
}
