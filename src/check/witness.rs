//! Witnesses: what the archive's other snapshots say about the declared hashes of a page.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::CheckError;
use crate::block::{Block, Document};
use crate::catalog::blocks::OutlineBlock;
use crate::catalog::ledger::{Ledger, Seen, Testimony};
use crate::catalog::snapshots::{self, Snapshot};
use crate::digest::{Hash, sha256};

/// What other snapshots say about one block's declared hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testified {
    /// What they say.
    pub testimony: Testimony,
    /// The snapshots that show it, oldest first; the first
    /// [`crate::catalog::ledger::NAMED`] of them.
    pub snapshots: Vec<Snapshot>,
    /// How many show it.
    pub total: usize,
}

/// The witnesses of every block of a page, in order: `None` for a block that declares nothing, or
/// that declares the hash of empty text, which stands over anything and so is never a key.
pub fn witnesses(
    catalog: &Connection,
    document: &Document,
    seen: Seen<'_>,
) -> Result<Vec<Option<Testified>>, CheckError> {
    let mut ledger = Ledger::open(catalog)?;
    let nothing = sha256(b"");
    // A snapshot's place among its article's others is told by all of them: each article is read once.
    let mut articles: BTreeMap<i64, Vec<Snapshot>> = BTreeMap::new();
    let mut witnesses = Vec::with_capacity(document.blocks.len());
    for block in &document.blocks {
        if is_hash(block, &nothing) {
            witnesses.push(None);
            continue;
        }
        let witness = ledger.witness(catalog, seen, &OutlineBlock::of(block))?;
        let Some(witness) = witness else {
            witnesses.push(None);
            continue;
        };
        let mut named = Vec::with_capacity(witness.snapshots.len());
        for id in witness.snapshots {
            named.extend(snapshot(catalog, &mut articles, id)?);
        }
        witnesses.push(Some(Testified {
            testimony: witness.testimony,
            snapshots: named,
            total: witness.total,
        }));
    }
    Ok(witnesses)
}

/// Whether the block declares this hash.
fn is_hash(block: &Block, hash: &Hash) -> bool {
    block
        .declared
        .as_deref()
        .and_then(|declared| declared.trim_ascii().parse::<Hash>().ok())
        .is_some_and(|declared| declared == *hash)
}

fn snapshot(
    catalog: &Connection,
    articles: &mut BTreeMap<i64, Vec<Snapshot>>,
    id: i64,
) -> Result<Option<Snapshot>, CheckError> {
    let known = articles.values().flatten().find(|snapshot| snapshot.id == id);
    if let Some(known) = known {
        return Ok(Some(known.clone()));
    }
    let Some(found) = snapshots::by_id(catalog, id)? else {
        return Ok(None);
    };
    articles.insert(found.article, snapshots::of_article(catalog, found.article)?);
    Ok(Some(found))
}
