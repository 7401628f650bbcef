//! The ledger of declared hashes: what the publisher's own hashes testify, though the rule behind
//! them may be unknown. Per site every pair of declared hash and content hash (form hash where the
//! text is empty) with the snapshots that show it.
//!
//! It has no tables of its own: outlines hold both hashes of every block, and the postings of declared
//! hashes tell which articles to look into. So it is rebuilt with them, from the pages alone.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _};
use rustc_hash::{FxHashMap, FxHashSet};

use super::CatalogError;
use super::blocks::{Finder, OutlineBlock, Prefix, Space};
use super::outlines::steps;
pub use super::sites::{Salt, SiteLedger, site};

/// The attribute that the declared hashes of all outlines were read from; `None` while there are no
/// outlines.
pub fn attribute(conn: &Connection) -> Result<Option<String>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT value FROM meta WHERE key = 'attribute' AND EXISTS (SELECT 1 FROM outlines)")?
        .query_row([], |row| row.get(0))
        .optional()?)
}

/// Takes note of that attribute, before the first outline is recorded.
pub fn note_attribute(conn: &Connection, attribute: &str) -> Result<(), CatalogError> {
    conn.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES ('attribute', ?1)")?
        .execute([attribute])?;
    Ok(())
}

/// Snapshots named for one testimony; further ones are only counted.
pub const NAMED: usize = 16;

/// What the archive's other snapshots testify about one declared hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Testimony {
    /// No other snapshot of the site shows this declared hash.
    First,
    /// Others show the same declared hash over the same content.
    Consistent,
    /// Another shows the same declared hash over different content: tampering, or our bug.
    Conflict,
    /// Another snapshot of the same article shows the same content under a different declared hash.
    Rehashed,
}

impl Testimony {
    /// The word used in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Consistent => "consistent",
            Self::Conflict => "conflict",
            Self::Rehashed => "rehashed",
        }
    }
}

/// A testimony and the snapshots that give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What they say.
    pub testimony: Testimony,
    /// Ids of snapshots that say so, oldest moment first, at most [`NAMED`]; none for
    /// [`Testimony::First`].
    pub snapshots: Vec<i64>,
    /// How many say so.
    pub total: usize,
}

/// The page a block is read from, while its witnesses are sought.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen<'a> {
    /// The site; `None` asks all sites, for a page without a host may be of any.
    pub site: Option<&'a str>,
    /// Article id in the catalog, if the archive knows the article.
    pub article: Option<i64>,
    /// Snapshot id of the page itself, if it is in the archive: it is no witness of its own.
    pub snapshot: Option<i64>,
}

/// Keys of the declared hashes that stand for empty text, by every rule: such a hash stands over
/// anything, and so is no key of the ledger.
pub type Nothing = FxHashSet<u64>;

/// Answers what the archive testifies about declared hashes.
#[derive(Debug)]
pub struct Ledger<'n> {
    finder: Finder,
    sites: FxHashMap<i64, Option<String>>,
    nothing: &'n Nothing,
}

impl<'n> Ledger<'n> {
    /// Reads the directory of the postings.
    pub fn open(conn: &Connection, nothing: &'n Nothing) -> Result<Self, CatalogError> {
        Ok(Self {
            finder: Finder::open(conn)?,
            sites: FxHashMap::default(),
            nothing,
        })
    }

    /// The article that shows most of a page's declared hashes, if it shows more than half of them:
    /// where a page comes from that does not tell its address.
    pub fn article_of(
        &mut self,
        conn: &Connection,
        page: &[OutlineBlock],
    ) -> Result<Option<i64>, CatalogError> {
        let declared: FxHashSet<u64> = page.iter().filter_map(|block| key(block, self.nothing)).collect();
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        for &hash in &declared {
            for &article in self.finder.articles(conn, Space::Declared, Prefix::exact(hash))? {
                *counts.entry(article).or_default() += 1;
            }
        }
        Ok(counts
            .into_iter()
            .filter(|(_, count)| 2 * count > declared.len())
            .max_by_key(|(article, count)| (*count, Reverse(*article)))
            .map(|(article, _)| article))
    }

    /// What other snapshots testify about the block at `index` of a page; `None` if it declares no
    /// hash, or that of empty text, which stands over anything and so is never a key.
    ///
    /// A conflict outweighs a rehash, a rehash outweighs consistency. A block without text goes by
    /// its form, and conflicts over it count only within the article: a publisher who hashes texts
    /// declares one and the same hash for all figures without captions.
    pub fn witness(
        &mut self,
        conn: &Connection,
        seen: Seen<'_>,
        page: &[OutlineBlock],
        index: usize,
    ) -> Result<Option<Witness>, CatalogError> {
        let Some(block) = page.get(index) else {
            return Ok(None);
        };
        let Some(declared) = key(block, self.nothing) else {
            return Ok(None);
        };
        let (mut consistent, mut conflict) = (Vec::new(), Vec::new());
        let mut occurrences = Vec::new();
        self.finder
            .occurrences(conn, Space::Declared, Prefix::exact(declared), |occurrence| {
                if Some(occurrence.snapshot) != seen.snapshot {
                    occurrences.push(occurrence);
                }
                ControlFlow::Continue(())
            })?;
        for occurrence in occurrences {
            let same_article = Some(occurrence.article) == seen.article;
            let other_site = seen.site.is_some() && self.site(conn, occurrence.article)? != seen.site;
            if !same_article && other_site {
                continue;
            }
            let same = same_content(&occurrence.block, block);
            if same {
                consistent.push(occurrence.snapshot);
            } else if same_article || !(block.empty && occurrence.block.empty) {
                conflict.push(occurrence.snapshot);
            }
        }
        let mut rehashed = Vec::new();
        if let Some(article) = seen.article.filter(|_| conflict.is_empty()) {
            let agreeing: FxHashSet<i64> = consistent.iter().copied().collect();
            let here = Here::of(page, index);
            for snapshot in steps(conn, article)? {
                if Some(snapshot) == seen.snapshot || agreeing.contains(&snapshot) {
                    continue;
                }
                if here.is_rehashed(&self.finder.outline(conn, snapshot)?, declared) {
                    rehashed.push(snapshot);
                }
            }
        }
        let (testimony, snapshots) = if !conflict.is_empty() {
            (Testimony::Conflict, conflict)
        } else if !rehashed.is_empty() {
            (Testimony::Rehashed, rehashed)
        } else if !consistent.is_empty() {
            (Testimony::Consistent, consistent)
        } else {
            (Testimony::First, Vec::new())
        };
        let mut snapshots = by_moment(conn, snapshots)?;
        let total = snapshots.len();
        snapshots.truncate(NAMED);
        Ok(Some(Witness {
            testimony,
            snapshots,
            total,
        }))
    }

    fn site(&mut self, conn: &Connection, article: i64) -> Result<Option<&str>, CatalogError> {
        if let Entry::Vacant(unknown) = self.sites.entry(article) {
            let site = conn
                .prepare_cached("SELECT site FROM articles WHERE id = ?1")?
                .query_row([article], |row| row.get(0))
                .optional()?
                .flatten();
            unknown.insert(site);
        }
        Ok(self.sites.get(&article).and_then(Option::as_deref))
    }
}

/// The declared hash of a block, unless it is that of empty text.
pub(super) fn key(block: &OutlineBlock, nothing: &Nothing) -> Option<u64> {
    block.declared.filter(|declared| !nothing.contains(declared))
}

fn same_content(one: &OutlineBlock, other: &OutlineBlock) -> bool {
    one.key == other.key && one.empty == other.empty
}

/// A block of a page, as it is looked for on other pages of the article. A page may show one content in
/// thousands of blocks, so that what its page says of it is gathered once.
struct Here<'p> {
    block: &'p OutlineBlock,
    /// Blocks with this content before it.
    nth: usize,
    /// Ids of the page's blocks with this content.
    ids: FxHashSet<u32>,
}

impl<'p> Here<'p> {
    fn of(page: &'p [OutlineBlock], index: usize) -> Self {
        let block = &page[index];
        let alike = |other: &&OutlineBlock| same_content(other, block);
        Self {
            block,
            nth: page[..index].iter().filter(alike).count(),
            ids: page.iter().filter(alike).filter_map(|other| other.id).collect(),
        }
    }

    /// Whether the same block declares another hash on the page of these blocks. Two blocks of equal
    /// content on two pages of an article are the same block if they bear one id, or both are the nth
    /// with this content. A block whose id stands on the other page is that one and no other.
    fn is_rehashed(&self, blocks: &[OutlineBlock], declared: u64) -> bool {
        let id = self.block.id;
        let alike = |other: &&OutlineBlock| same_content(other, self.block);
        let stands = id.is_some() && blocks.iter().filter(alike).any(|other| other.id == id);
        blocks.iter().filter(alike).enumerate().any(|(nth, other)| {
            let by_id = id.is_some() && other.id == id;
            let by_place = !stands && nth == self.nth && other.id.is_none_or(|id| !self.ids.contains(&id));
            (by_id || by_place) && other.declared.is_some_and(|hash| hash != declared)
        })
    }
}

/// Sorts snapshots by moment, then id; each once.
fn by_moment(conn: &Connection, mut snapshots: Vec<i64>) -> Result<Vec<i64>, CatalogError> {
    // A snapshot stands here once for every block that testifies; the catalog is asked once for each.
    snapshots.sort_unstable();
    snapshots.dedup();
    let mut keyed = Vec::with_capacity(snapshots.len());
    for snapshot in snapshots {
        let moment: Option<i64> = conn
            .prepare_cached("SELECT moment FROM snapshots WHERE id = ?1")?
            .query_row([snapshot], |row| row.get(0))
            .optional()?
            .flatten();
        keyed.push((moment, snapshot));
    }
    keyed.sort_unstable();
    Ok(keyed.into_iter().map(|(_, snapshot)| snapshot).collect())
}

#[cfg(test)]
mod tests;
