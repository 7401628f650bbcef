//! Witnesses: what the archive's other snapshots say about the declared hashes of a page.
//!
//! A page from outside the archive is held against the article of its address, or, where the archive
//! does not know the address, against the article that shows most of the page's declared hashes.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::CheckError;
use crate::archive::{Archive, ArchiveError};
use crate::block::{Block, Document};
use crate::catalog::blocks::OutlineBlock;
use crate::catalog::ledger::{Ledger, Seen, Testimony};
use crate::catalog::snapshots::{self, Snapshot};
use crate::label::Reader;
use crate::page::host;

use super::nothing::NOTHING;
use super::structure::{Structure, structure};

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

/// What the archive says about a page as a whole.
#[derive(Debug, Clone, Default)]
pub struct Testimonies {
    /// The witnesses of every block of the page, in order: `None` for a block that declares nothing,
    /// or that declares the hash of empty text, which stands over anything and so is never a key.
    pub blocks: Vec<Option<Testified>>,
    /// How the page stands against the snapshot of its article before it, or, for a page from outside
    /// the archive, against the article's newest; `None` where there is none that can be restored.
    pub structure: Option<Compared>,
}

/// A page held against another snapshot of its article.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The other snapshot.
    pub against: Snapshot,
    /// Its blocks, as far as they are missing on the page, in order.
    pub missing: Vec<Block>,
    /// What became of its declared hashes.
    pub structure: Structure,
}

/// Asks the archive about a page: a snapshot of its own, or a page from outside with its address.
pub fn testimonies(
    archive: &Archive,
    reader: &Reader,
    address: &str,
    snapshot: Option<&Snapshot>,
    document: &Document,
) -> Result<Testimonies, CheckError> {
    let known = match snapshot {
        Some(snapshot) => Some(snapshot.article),
        None => archive.newest(address)?.map(|newest| newest.article),
    };
    let mut site = host(address);
    let (blocks, article) = archive.with_catalog(|catalog| {
        let mut ledger = Ledger::open(catalog, &NOTHING)?;
        let outline: Vec<OutlineBlock> = document.blocks.iter().map(OutlineBlock::of).collect();
        let mut article = known;
        if article.is_none() {
            article = ledger.article_of(catalog, &outline)?;
            if let (None, Some(article)) = (&site, article) {
                site = snapshots::of_article(catalog, article)?
                    .first()
                    .and_then(|snapshot| host(&snapshot.address));
            }
        }
        let seen = Seen {
            site: site.as_deref(),
            article,
            snapshot: snapshot.map(|snapshot| snapshot.id),
        };
        let blocks = asked(catalog, &mut ledger, &outline, seen)?;
        Ok::<_, CheckError>((blocks, article))
    })?;
    let others = match article {
        Some(article) => archive.with_catalog(|catalog| snapshots::of_article(catalog, article))?,
        None => Vec::new(),
    };
    let before = others
        .into_iter()
        .rev()
        // An error page between two revisions has none of their paragraphs.
        .filter(|other| other.counts_as_revision() && snapshot.is_none_or(|snapshot| other.n < snapshot.n));
    Ok(Testimonies {
        blocks,
        structure: compared(archive, reader, before, document)?,
    })
}

/// Holds a page against the first of `others` that can be restored.
fn compared(
    archive: &Archive,
    reader: &Reader,
    others: impl Iterator<Item = Snapshot>,
    document: &Document,
) -> Result<Option<Compared>, CheckError> {
    for against in others {
        let other = match archive.restore(&against) {
            Ok(page) => reader.read(&page),
            Err(ArchiveError::Lost { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let structure = structure(&other, document);
        let missing = structure.missing.iter();
        return Ok(Some(Compared {
            against,
            missing: missing.filter_map(|&at| other.blocks.get(at).cloned()).collect(),
            structure,
        }));
    }
    Ok(None)
}

fn asked(
    catalog: &Connection,
    ledger: &mut Ledger<'_>,
    outline: &[OutlineBlock],
    seen: Seen<'_>,
) -> Result<Vec<Option<Testified>>, CheckError> {
    // A snapshot's place among its article's others is told by all of them: each article is read once.
    let mut known: BTreeMap<i64, Snapshot> = BTreeMap::new();
    let mut witnesses = Vec::with_capacity(outline.len());
    for witness in ledger.witnesses(catalog, seen, outline)? {
        let Some(witness) = witness else {
            witnesses.push(None);
            continue;
        };
        let mut named = Vec::with_capacity(witness.snapshots.len());
        for id in witness.snapshots {
            named.extend(snapshot(catalog, &mut known, id)?);
        }
        witnesses.push(Some(Testified {
            testimony: witness.testimony,
            snapshots: named,
            total: witness.total,
        }));
    }
    Ok(witnesses)
}

/// The snapshot with its number. `known` keeps what was read of each article.
fn snapshot(
    catalog: &Connection,
    known: &mut BTreeMap<i64, Snapshot>,
    id: i64,
) -> Result<Option<Snapshot>, CheckError> {
    if !known.contains_key(&id)
        && let Some(bare) = snapshots::bare(catalog, id)?
    {
        let all = snapshots::of_article(catalog, bare.article)?;
        known.extend(all.into_iter().map(|snapshot| (snapshot.id, snapshot)));
    }
    Ok(known.get(&id).cloned())
}
