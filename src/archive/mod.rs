//! Packs and catalog opened together; the order of writes; bases chosen.
//!
//! Never: parses HTML.
//!
//! [`open`](Archive::open) brings the catalog up to the packs, `read` follows a hash to its bytes, `ahead` many at once,
//! `bases` chooses what a new page is compressed against, `gather` puts pages that are alike into one frame,
//! `writer` builds packs, `commit` and `publish` make them durable, `retire` holds the one function that
//! removes packs. `pack_bodies` tells the hashes of a pack's bodies; `unfinished` and `pinned` read what the
//! catalog does not know.

mod ahead;
mod bases;
mod cache;
mod commit;
mod error;
mod gather;
pub mod layout;
mod mend;
mod merge;
mod open;
mod pack_bodies;
mod pinned;
mod publish;
mod read;
mod retire;
mod takedown;
mod unfinished;
mod writer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use crate::catalog::blocks::{self, Outline};
use crate::catalog::{Catalog, CatalogError, ledger, overview, packs, snapshots};
use crate::digest::Hash;
use crate::disk::Disk;
use crate::pack::{Pack, PackError, Record};
use crate::page::{Page, article_key};

pub use crate::catalog::overview::{Grown, Watermark};
pub use crate::catalog::packs::LostPack;
pub use crate::catalog::snapshots::{ArticleSummary, Snapshot};
pub use cache::Body;
pub use commit::{Commit, Committed, Committer, Sealed};
pub use error::ArchiveError;
pub use open::PackContents;
pub(crate) use publish::TmpFile;
pub use read::Among;
pub use retire::Maintenance;
pub use writer::{Encoded, HashedPage, Job, Planned, Writer, WriterOptions};

/// Packs kept open at a time.
const MAX_OPEN: usize = 128;

/// An open archive. Reading needs no lock and may be done from several threads.
#[derive(Debug)]
pub struct Archive {
    disk: Arc<dyn Disk>,
    catalog: Mutex<Catalog>,
    handles: Mutex<Handles>,
    bodies: Mutex<cache::BodyCache>,
    groups: Mutex<cache::GroupCache>,
    records: Mutex<Option<RecordsFrame>>,
    /// The attribute that was declared last: outlines of packs that are committed are read from it.
    attribute: Mutex<Option<String>>,
    read_only: bool,
}

/// Pack, offset and records of a frame.
type RecordsFrame = (i64, u64, Arc<Vec<Option<Record>>>);

/// Open packs, by their number in the catalog.
#[derive(Debug, Default)]
struct Handles {
    names: HashMap<i64, Hash>,
    open: FxHashMap<i64, Arc<Pack>>,
}

impl Handles {
    fn keep(&mut self, id: i64, pack: Arc<Pack>) {
        if self.open.len() >= MAX_OPEN {
            self.open.clear();
        }
        self.open.insert(id, pack);
    }
}

/// A lock whose holder panicked is taken all the same: what these locks guard is a cache.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pack_limit(what: &'static str, value: u64, limit: u64) -> Result<u64, PackError> {
    crate::pack::limited(what, value, limit)
}

/// Figures about a whole archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Number of articles.
    pub articles: u64,
    /// Number of snapshots.
    pub snapshots: u64,
    /// Number of revisions.
    pub revisions: u64,
    /// Sum of the lengths of the snapshots' bodies, in bytes.
    pub raw_bytes: u64,
    /// Length of all packs, in bytes.
    pub stored_bytes: u64,
    /// Number of packs.
    pub packs: u64,
    /// Length of the catalog, in bytes; 0 if it is in memory.
    pub catalog_bytes: u64,
    /// Number of pages taken out for ever.
    pub tombstones: u64,
}

impl Stats {
    /// Raw bytes for each stored byte; 0 for an empty archive.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.stored_bytes == 0 {
            return 0.0;
        }
        self.raw_bytes as f64 / self.stored_bytes as f64
    }
}

impl Archive {
    /// One line per article, in order of the keys.
    pub fn articles(&self) -> Result<Vec<ArticleSummary>, ArchiveError> {
        Ok(overview::articles(held(&self.catalog).connection())?)
    }

    /// The snapshots of the article this address belongs to, ordered by moment; empty if there is
    /// no such article.
    pub fn snapshots(&self, address: &str) -> Result<Vec<Snapshot>, ArchiveError> {
        let catalog = held(&self.catalog);
        let Some(article) = snapshots::article(catalog.connection(), &article_key(address))? else {
            return Ok(Vec::new());
        };
        Ok(snapshots::of_article(catalog.connection(), article)?)
    }

    /// The snapshots of every article, articles in order of their keys, snapshots of their moments.
    pub fn all_snapshots(&self) -> Result<Vec<Snapshot>, ArchiveError> {
        let mut all = Vec::new();
        snapshots::for_each_article(held(&self.catalog).connection(), |_, snapshots| {
            all.extend(snapshots);
        })?;
        Ok(all)
    }

    /// One snapshot by its number in the catalog.
    pub fn snapshot(&self, id: i64) -> Result<Option<Snapshot>, ArchiveError> {
        Ok(snapshots::by_id(held(&self.catalog).connection(), id)?)
    }

    /// The newest snapshot of the article this address belongs to.
    pub fn newest(&self, address: &str) -> Result<Option<Snapshot>, ArchiveError> {
        Ok(self.snapshots(address)?.pop())
    }

    /// Whether a snapshot of this identity is kept: the same address, moment and bytes; for a page
    /// without a moment, whether the newest snapshot of its article has the same bytes.
    pub fn holds(&self, page: &Page, body: &Hash) -> Result<bool, ArchiveError> {
        let key = article_key(&page.address);
        if page.moment.is_none() {
            let catalog = held(&self.catalog);
            if let Some(article) = snapshots::article(catalog.connection(), &key)?
                && snapshots::newest_body(catalog.connection(), article)? == Some(*body)
            {
                return Ok(true);
            }
        }
        self.has_identity(&key, page, body)
    }

    /// Whether the article with this key has a snapshot of the page's address and moment and of these
    /// bytes.
    pub(crate) fn has_identity(&self, key: &str, page: &Page, body: &Hash) -> Result<bool, ArchiveError> {
        let catalog = held(&self.catalog);
        let Some(article) = snapshots::article(catalog.connection(), key)? else {
            return Ok(false);
        };
        let found = snapshots::find(catalog.connection(), article, &page.address, page.moment, body)?;
        Ok(found.is_some())
    }

    /// Packs that vanished with snapshots no other pack holds.
    pub fn lost_packs(&self) -> Result<Vec<LostPack>, ArchiveError> {
        Ok(packs::lost(held(&self.catalog).connection())?)
    }

    /// No longer tells of the packs that vanished until now.
    pub(crate) fn accept_lost_packs(&self) -> Result<(), ArchiveError> {
        Ok(packs::accept_lost(held(&self.catalog).connection())?)
    }

    /// Figures about the whole archive.
    pub fn stats(&self) -> Result<Stats, ArchiveError> {
        let catalog = held(&self.catalog);
        let totals = overview::totals(catalog.connection())?;
        let mut stats = Stats {
            articles: totals.articles,
            snapshots: totals.snapshots,
            revisions: totals.revisions,
            raw_bytes: totals.raw_bytes,
            ..Stats::default()
        };
        for pack in packs::all(catalog.connection())? {
            stats.packs += 1;
            stats.stored_bytes += pack.bytes;
        }
        stats.tombstones = packs::count_tombstones(catalog.connection())?;
        stats.catalog_bytes = self
            .disk
            .list("")
            .unwrap_or_default()
            .iter()
            .filter(|entry| entry.name.starts_with(layout::CATALOG))
            .map(|entry| entry.length)
            .sum();
        Ok(stats)
    }

    /// The archive as it is now, for [`Archive::since`].
    pub fn watermark(&self) -> Result<Watermark, ArchiveError> {
        Ok(overview::watermark(held(&self.catalog).connection())?)
    }

    /// What came into the archive after a watermark. Costs a look at the articles that were touched.
    pub fn since(&self, watermark: Watermark) -> Result<Grown, ArchiveError> {
        Ok(overview::since(held(&self.catalog).connection(), watermark)?)
    }

    /// Number and key of every article, in no particular order.
    pub(crate) fn article_keys(&self) -> Result<Vec<(i64, String)>, ArchiveError> {
        Ok(snapshots::keys(held(&self.catalog).connection())?)
    }

    /// The snapshots of an article by its number in the catalog, ordered by moment.
    pub(crate) fn snapshots_of(&self, article: i64) -> Result<Vec<Snapshot>, ArchiveError> {
        Ok(snapshots::of_article(held(&self.catalog).connection(), article)?)
    }

    /// Number of snapshots for which the block part of the catalog is not built; [`Archive::reindex`]
    /// builds it.
    pub fn unindexed(&self) -> Result<u64, ArchiveError> {
        let catalog = held(&self.catalog);
        Ok(snapshots::without_blocks(catalog.connection())?.len() as u64)
    }

    /// The packs that were read in.
    pub fn packs(&self) -> Result<Vec<packs::PackRow>, ArchiveError> {
        Ok(packs::all(held(&self.catalog).connection())?)
    }

    /// Number of snapshots.
    pub(crate) fn snapshot_count(&self) -> Result<u64, ArchiveError> {
        Ok(snapshots::count(held(&self.catalog).connection())?)
    }

    /// The packs in which the record of a snapshot lies.
    pub(crate) fn record_packs(&self, snapshot: i64) -> Result<Vec<i64>, ArchiveError> {
        let rows = packs::records(held(&self.catalog).connection(), snapshot)?;
        Ok(rows.into_iter().map(|row| row.pack).collect())
    }

    /// Forgets what was decoded, so that nothing of a page that was taken out stays in memory.
    pub(crate) fn drop_decoded(&self) {
        *held(&self.bodies) = cache::BodyCache::new(open::BODY_CACHE);
        *held(&self.groups) = cache::GroupCache::default();
        *held(&self.records) = None;
    }

    /// Works with the catalog's connection; nothing else can use the catalog meanwhile.
    pub fn with_catalog<T>(&self, work: impl FnOnce(&rusqlite::Connection) -> T) -> T {
        work(held(&self.catalog).connection())
    }

    /// Takes out of the catalog what deleted snapshots left there: keys of their blocks, and rows in room
    /// that was not used again.
    pub(crate) fn tidy_catalog(&self) -> Result<(), ArchiveError> {
        {
            let mut catalog = held(&self.catalog);
            let tx = catalog.write()?;
            blocks::tidy(&tx)?;
            tx.commit().map_err(CatalogError::from)?;
        }
        self.shrink_catalog();
        Ok(())
    }

    /// Gives back the room that deleted rows left in the catalog, if nothing is in the way.
    pub(crate) fn shrink_catalog(&self) {
        // It is a cache: what keeps it from shrinking does no harm.
        let _ = held(&self.catalog).shrink();
    }

    /// To be called before outlines are recorded whose declared hashes are read from `attribute`, or are
    /// asked about. Ledger and search answer from all outlines together, so another attribute than theirs
    /// is refused ([`ArchiveError::OtherAttribute`]). A catalog that cannot be read or is held by another
    /// process refuses nothing: whoever writes the outlines will meet that.
    pub fn declare_attribute(&self, attribute: &str) -> Result<(), ArchiveError> {
        let mut catalog = held(&self.catalog);
        match declare(&mut catalog, attribute) {
            Ok(Some(known)) if known != attribute => Err(ArchiveError::OtherAttribute {
                known,
                asked: attribute.to_owned(),
            }),
            Err(error) if !error.is_busy() && !error.is_unusable() => Err(error.into()),
            _ => {
                *held(&self.attribute) = Some(attribute.to_owned());
                Ok(())
            }
        }
    }

    /// Empties the block part of the catalog, so that [`Archive::reindex`] builds it for every snapshot,
    /// from whatever attribute.
    pub fn clear_blocks(&mut self) -> Result<(), ArchiveError> {
        let mut catalog = held(&self.catalog);
        let tx = catalog.write()?;
        blocks::clear(&tx)?;
        snapshots::clear_hashes(&tx)?;
        tx.commit().map_err(CatalogError::from)?;
        Ok(())
    }

    /// Builds the block part of the catalog for the snapshots that lack it. `parse` turns a page into its
    /// outline, `progress` gets snapshots done and to do. A page that cannot be restored is left out; how
    /// many were built.
    pub fn reindex(
        &mut self,
        parse: &mut dyn FnMut(&Page) -> Outline,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<u64, ArchiveError> {
        let ids = snapshots::without_blocks(held(&self.catalog).connection())?;
        let mut built = 0;
        let (mut outlines, mut blocks) = (Vec::new(), 0);
        for (index, &id) in ids.iter().enumerate() {
            progress(index as u64, ids.len() as u64);
            let row = snapshots::bare(held(&self.catalog).connection(), id)?;
            let Some(snapshot) = row else { continue };
            let Ok(page) = self.restore(&snapshot) else {
                continue;
            };
            let outline = parse(&page);
            blocks += outline.blocks.len();
            outlines.push((snapshot, outline));
            if outlines.len() >= REINDEX_BATCH || blocks >= REINDEX_BLOCKS {
                built += self.record_outlines(&std::mem::take(&mut outlines))?;
                blocks = 0;
            }
        }
        built += self.record_outlines(&outlines)?;
        progress(ids.len() as u64, ids.len() as u64);
        Ok(built)
    }

    /// Puts outlines, each with the snapshot it was read from, into the catalog; how many.
    fn record_outlines(&self, outlines: &[(Snapshot, Outline)]) -> Result<u64, ArchiveError> {
        if outlines.is_empty() {
            return Ok(0);
        }
        let mut catalog = held(&self.catalog);
        let tx = catalog.write()?;
        let built = blocks::record(&tx, |recorder| {
            let mut built = 0;
            for (read, outline) in outlines {
                // It may have been taken out since it was read, and its number given to another snapshot.
                let known = snapshots::bare(&tx, read.id)?;
                if known.is_none_or(|known| known.article != read.article || known.body != read.body) {
                    continue;
                }
                recorder.insert(&tx, read.article, read.id, outline)?;
                snapshots::set_hashes(&tx, read.id, &outline.text_hash, &outline.form_hash)?;
                built += 1;
            }
            Ok::<u64, ArchiveError>(built)
        })?;
        tx.commit().map_err(CatalogError::from)?;
        Ok(built)
    }
}

/// The attribute of the outlines that are there; where there are none, `attribute` is noted.
fn declare(catalog: &mut Catalog, attribute: &str) -> Result<Option<String>, CatalogError> {
    let known = ledger::attribute(catalog.connection())?;
    if known.is_none() {
        let tx = catalog.write()?;
        ledger::note_attribute(&tx, attribute)?;
        tx.commit()?;
    }
    Ok(known)
}

/// Snapshots whose outlines go into the catalog in one transaction.
const REINDEX_BATCH: usize = 256;

/// Blocks in these outlines, at most but for those of the last: 64 bytes each.
const REINDEX_BLOCKS: usize = 1 << 20;
