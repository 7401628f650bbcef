//! The block part of the catalog against the pages.

use super::{Code, Finding, Run, name_of};
use crate::archive::ArchiveError;
use crate::block::{Block, Document};
use crate::catalog::CatalogError;
use crate::catalog::blocks::{self, Finder, OutlineBlock, Prefix, Space};
use crate::digest::Hash;
use crate::page::Page;

impl Run<'_> {
    /// Computes the content hashes of a snapshot's page anew and holds them against the catalog, and
    /// looks every block up.
    pub(super) fn blocks(
        &mut self,
        finder: &mut Finder,
        pack: Hash,
        snapshot: i64,
        page: &Page,
    ) -> Result<(), ArchiveError> {
        let Some(reader) = self.reader else {
            return Ok(());
        };
        let archive = self.archive;
        let outline = archive.with_catalog(|conn| {
            let built: bool = conn
                .prepare_cached("SELECT text_hash IS NOT NULL FROM snapshots WHERE id = ?1")?
                .query_row([snapshot], |row| row.get(0))?;
            built.then(|| blocks::outline(conn, snapshot)).transpose()
        });
        self.summary.snapshots_compared += 1;
        let (code, message) = match outline {
            // `reindex` was not run yet: nothing is promised, so nothing is broken.
            Ok(None) => return Ok(()),
            Err(CatalogError::NoOutline(_)) => (
                Code::OutlineMissing,
                "its blocks are not in the catalog".to_owned(),
            ),
            Err(CatalogError::Malformed { table, row }) => (
                Code::OutlineDamaged,
                format!("its blocks cannot be decoded (row {row} of {table})"),
            ),
            Err(error) => return Err(error.into()),
            Ok(Some(outline)) => {
                let document = reader.read(page);
                if let Some(message) = difference(&document, &outline) {
                    (Code::OutlineDiffers, message)
                } else {
                    let Some(message) = self.unfound(finder, snapshot, &outline)? else {
                        return Ok(());
                    };
                    (Code::PostingMissing, message)
                }
            }
        };
        let (article, name) = name_of(archive, snapshot)?.unzip();
        self.report(Finding {
            code,
            pack: Some(pack),
            article,
            snapshot: name,
            lost: false,
            message: format!("{message}; the page itself is whole"),
        });
        Ok(())
    }

    /// A block that its content hash does not lead to.
    fn unfound(
        &mut self,
        finder: &mut Finder,
        snapshot: i64,
        outline: &[OutlineBlock],
    ) -> Result<Option<String>, ArchiveError> {
        let unfound = self.archive.with_catalog(|conn| {
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
        })?;
        Ok(unfound.map(|index| format!("block {index} is not found by its content hash")))
    }
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
