//! Texts of lost pages from other pages that show the same blocks.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;
use serde_json::json;

use super::name_of;
use crate::archive::{Archive, ArchiveError};
use crate::block::Document;
use crate::catalog::CatalogError;
use crate::catalog::blocks::{self, Finder, OutlineBlock, Prefix, Space};
use crate::catalog::snapshots;
use crate::label::Reader;

/// Other articles looked into for one block.
const ARTICLES: usize = 64;

/// What could be saved of a lost page.
pub(super) struct Recovered {
    /// One line of JSON for each block, in order.
    pub lines: String,
    /// Blocks of the page.
    pub blocks: u64,
    /// Blocks with text whose text was found.
    pub texts: u64,
}

/// The blocks of a lost snapshot, with the text of those that another snapshot shows; `None` where the
/// catalog does not know its blocks.
pub(super) fn recover(
    archive: &Archive,
    reader: &Reader,
    snapshot: i64,
) -> Result<Option<Recovered>, ArchiveError> {
    let outline = match archive.with_catalog(|conn| blocks::outline(conn, snapshot)) {
        Ok(outline) => outline,
        Err(CatalogError::NoOutline(_) | CatalogError::Malformed { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut recovered = Recovered {
        lines: String::new(),
        blocks: outline.len() as u64,
        texts: 0,
    };
    let mut finder = archive.with_catalog(Finder::open)?;
    let mut documents: FxHashMap<i64, Option<Document>> = FxHashMap::default();
    for (index, block) in outline.iter().enumerate() {
        let found = elsewhere(archive, reader, &mut finder, &mut documents, snapshot, block)?;
        recovered.texts += u64::from(found.is_some() && !block.empty);
        let (text, from) = found.unzip();
        let line = json!({
            "index": index,
            "kind": block.kind.as_str(),
            "body": block.body,
            "hash_prefix": format!("{:016x}", block.key),
            "text": text,
            "from": from,
        });
        recovered.lines.push_str(&line.to_string());
        recovered.lines.push('\n');
    }
    Ok(Some(recovered))
}

/// Text and place of a block with the same key in a page that can be read.
fn elsewhere(
    archive: &Archive,
    reader: &Reader,
    finder: &mut Finder,
    documents: &mut FxHashMap<i64, Option<Document>>,
    lost: i64,
    block: &OutlineBlock,
) -> Result<Option<(String, String)>, ArchiveError> {
    let (stands, _) = archive
        .with_catalog(|conn| finder.stands(conn, Space::Content, &[Prefix::exact(block.key)], ARTICLES))?;
    for stand in stands {
        for at in [stand.first, stand.last] {
            if at.snapshot == lost {
                continue;
            }
            if let Entry::Vacant(unread) = documents.entry(at.snapshot) {
                let known = archive.with_catalog(|conn| snapshots::bare(conn, at.snapshot))?;
                let page = known.and_then(|known| archive.restore(&known).ok());
                unread.insert(page.map(|page| reader.read(&page)));
            }
            let document = documents.get(&at.snapshot).and_then(Option::as_ref);
            let other = document.and_then(|document| document.blocks.get(at.index as usize));
            if let Some(other) = other
                && other.key().prefix() == block.key
                && let Some((_, name)) = name_of(archive, at.snapshot)?
            {
                return Ok(Some((other.text.clone(), name.to_string())));
            }
        }
    }
    Ok(None)
}
