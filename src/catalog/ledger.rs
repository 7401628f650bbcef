//! The ledger of declared hashes: what the publisher's own hashes testify, though the rule behind
//! them may be unknown. Per site every pair of declared hash and content hash (form hash where the
//! text is empty) with the snapshots that show it.
//!
//! It has no tables of its own: outlines hold both hashes of every block, and the postings of declared
//! hashes tell which articles to look into. So it is rebuilt with them, from the pages alone.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

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
        // Postings go by a part of a key, and may name an article by what was taken out of it, or by what its
        // number stood for before: the outlines tell.
        let mut named: Vec<(i64, usize)> = counts
            .into_iter()
            .filter(|(_, count)| 2 * count > declared.len())
            .collect();
        named.sort_unstable_by_key(|&(article, count)| (Reverse(count), article));
        let mut best: Option<(i64, usize)> = None;
        for (article, count) in named {
            if best.is_some_and(|(_, shown)| shown >= count) {
                break;
            }
            let shown = self.shown(conn, article, &declared)?;
            if 2 * shown > declared.len() && best.is_none_or(|(_, most)| shown > most) {
                best = Some((article, shown));
            }
        }
        Ok(best.map(|(article, _)| article))
    }

    /// How many of these declared hashes an article shows.
    fn shown(
        &mut self,
        conn: &Connection,
        article: i64,
        declared: &FxHashSet<u64>,
    ) -> Result<usize, CatalogError> {
        let mut shown: FxHashSet<u64> = FxHashSet::default();
        for snapshot in steps(conn, article)? {
            for block in &*self.finder.outline(conn, snapshot)? {
                shown.extend(block.declared.filter(|hash| declared.contains(hash)));
            }
            if shown.len() == declared.len() {
                break;
            }
        }
        Ok(shown.len())
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
        Ok(self.witnesses(conn, seen, page)?.into_iter().nth(index).flatten())
    }

    /// [`Ledger::witness`] for every block of a page, in order. Each outline is looked at once for all of
    /// them.
    pub fn witnesses(
        &mut self,
        conn: &Connection,
        seen: Seen<'_>,
        page: &[OutlineBlock],
    ) -> Result<Vec<Option<Witness>>, CatalogError> {
        let here = Here::of(page, self.nothing);
        let mut articles: BTreeSet<i64> = seen.article.into_iter().collect();
        for &declared in here.contents.keys() {
            articles.extend(
                self.finder
                    .articles(conn, Space::Declared, Prefix::exact(declared))?,
            );
        }
        let mut cases: FxHashMap<(u64, Content), Said> = FxHashMap::default();
        let mut rehashed = vec![Sighted::default(); page.len()];
        for article in articles {
            let same_article = Some(article) == seen.article;
            let other_site = seen.site.is_some() && self.site(conn, article)? != seen.site;
            if !same_article && other_site {
                continue;
            }
            for snapshot in steps(conn, article)? {
                if Some(snapshot) == seen.snapshot {
                    continue;
                }
                let blocks = self.finder.outline(conn, snapshot)?;
                let shown = here.shown_by(&blocks);
                if shown.is_empty() && !same_article {
                    continue;
                }
                let at = (moment(conn, snapshot)?, snapshot);
                for (&declared, shown) in &shown {
                    // A text conflicts with all but itself, a block without one with texts alone, unless it is
                    // of the same article.
                    let any_text = shown.iter().any(|(_, empty)| !empty);
                    for &content in here.contents.get(&declared).into_iter().flatten() {
                        let said = cases.entry((declared, content)).or_default();
                        let same = shown.contains(&content);
                        if same {
                            said.consistent.note(at);
                        }
                        let other = shown.len() > usize::from(same);
                        if other && (same_article || !content.1 || any_text) {
                            said.conflict.note(at);
                        }
                    }
                }
                if same_article {
                    let there = There::of(&blocks, &here);
                    for (index, block) in page.iter().enumerate() {
                        let Some(declared) = key(block, self.nothing) else {
                            continue;
                        };
                        let agrees = shown
                            .get(&declared)
                            .is_some_and(|shown| shown.contains(&content_of(block)));
                        if !agrees && there.rehashes(&here, block, here.nth[index], declared) {
                            rehashed[index].note(at);
                        }
                    }
                }
            }
        }
        let witness = |(block, rehashed): (&OutlineBlock, Sighted)| {
            let said = cases.get(&(key(block, self.nothing)?, content_of(block)));
            let (conflict, consistent) = said.map_or_else(Default::default, |said| {
                (said.conflict.clone(), said.consistent.clone())
            });
            let (testimony, sighted) = if conflict.total > 0 {
                (Testimony::Conflict, conflict)
            } else if rehashed.total > 0 {
                (Testimony::Rehashed, rehashed)
            } else if consistent.total > 0 {
                (Testimony::Consistent, consistent)
            } else {
                (Testimony::First, Sighted::default())
            };
            Some(Witness {
                testimony,
                snapshots: sighted.named.into_iter().map(|(_, snapshot)| snapshot).collect(),
                total: sighted.total,
            })
        };
        Ok(page.iter().zip(rehashed).map(witness).collect())
    }

    fn site(&mut self, conn: &Connection, article: i64) -> Result<Option<&str>, CatalogError> {
        if let Entry::Vacant(unknown) = self.sites.entry(article) {
            let site = conn
                .prepare_cached("SELECT name FROM articles a JOIN sites s ON s.id = a.site WHERE a.id = ?1")?
                .query_row([article], |row| row.get(0))
                .optional()?;
            unknown.insert(site);
        }
        Ok(self.sites.get(&article).and_then(Option::as_deref))
    }
}

/// The declared hash of a block, unless it is that of empty text.
pub(super) fn key(block: &OutlineBlock, nothing: &Nothing) -> Option<u64> {
    block.declared.filter(|declared| !nothing.contains(declared))
}

/// Key, and whether it is that of a form.
type Content = (u64, bool);

fn content_of(block: &OutlineBlock) -> Content {
    (block.key, block.empty)
}

/// Snapshots that say something: the first [`NAMED`] by moment, then number, and how many there are.
#[derive(Debug, Clone, Default)]
struct Sighted {
    named: Vec<(Option<i64>, i64)>,
    total: usize,
}

impl Sighted {
    /// Takes note of a snapshot, given once.
    fn note(&mut self, at: (Option<i64>, i64)) {
        self.total += 1;
        let place = self.named.partition_point(|known| *known < at);
        if place < NAMED {
            self.named.insert(place, at);
            self.named.truncate(NAMED);
        }
    }
}

/// What is said of one content under one declared hash.
#[derive(Debug, Default)]
struct Said {
    consistent: Sighted,
    conflict: Sighted,
}

/// A page as it is held against others. It may show one content in thousands of blocks, so that what it
/// says of each content is gathered once.
struct Here {
    /// By declared hash: what stands under it.
    contents: FxHashMap<u64, FxHashSet<Content>>,
    /// For every block, how many with its content stand before it.
    nth: Vec<usize>,
    /// How many blocks of each content there are.
    counts: FxHashMap<Content, usize>,
    /// Ids of the blocks of each content.
    ids: FxHashSet<(Content, u32)>,
}

impl Here {
    fn of(page: &[OutlineBlock], nothing: &Nothing) -> Self {
        let mut here = Self {
            contents: FxHashMap::default(),
            nth: Vec::with_capacity(page.len()),
            counts: FxHashMap::default(),
            ids: FxHashSet::default(),
        };
        for block in page {
            let content = content_of(block);
            let count = here.counts.entry(content).or_default();
            here.nth.push(*count);
            *count += 1;
            here.ids.extend(block.id.map(|id| (content, id)));
            if let Some(declared) = key(block, nothing) {
                here.contents.entry(declared).or_default().insert(content);
            }
        }
        here
    }

    /// What another page shows under the declared hashes of this one.
    fn shown_by(&self, blocks: &[OutlineBlock]) -> FxHashMap<u64, FxHashSet<Content>> {
        let mut shown: FxHashMap<u64, FxHashSet<Content>> = FxHashMap::default();
        for block in blocks {
            if let Some(declared) = block
                .declared
                .filter(|declared| self.contents.contains_key(declared))
            {
                shown.entry(declared).or_default().insert(content_of(block));
            }
        }
        shown
    }
}

/// What a block bears.
type IdAndDeclared = (Option<u32>, Option<u64>);

/// Another page of the article: its blocks of the contents that stand here.
#[derive(Default)]
struct There {
    /// The blocks of each content, in order.
    places: FxHashMap<Content, Vec<IdAndDeclared>>,
    /// By content and id: a declared hash, and whether there is another.
    by_id: FxHashMap<(Content, u32), (Option<u64>, bool)>,
}

impl There {
    fn of(blocks: &[OutlineBlock], here: &Here) -> Self {
        let mut there = Self::default();
        for block in blocks {
            let content = content_of(block);
            if !here.counts.contains_key(&content) {
                continue;
            }
            let places = there.places.entry(content).or_default();
            places.push((block.id, block.declared));
            if let Some(id) = block.id {
                let (first, others) = there.by_id.entry((content, id)).or_default();
                *others |= first.is_some() && block.declared.is_some() && *first != block.declared;
                *first = first.or(block.declared);
            }
        }
        there
    }

    /// Whether the same block declares another hash there. Two blocks of equal content on two pages of an
    /// article are the same block if they bear one id, or both are the nth with this content. A block whose
    /// id stands on the other page is that one and no other.
    fn rehashes(&self, here: &Here, block: &OutlineBlock, nth: usize, declared: u64) -> bool {
        let content = content_of(block);
        let by_id = block.id.and_then(|id| self.by_id.get(&(content, id)));
        if let Some((first, others)) = by_id {
            return *others || first.is_some_and(|hash| hash != declared);
        }
        let place = self.places.get(&content).and_then(|places| places.get(nth));
        place.is_some_and(|(id, hash)| {
            id.is_none_or(|id| !here.ids.contains(&(content, id)))
                && hash.is_some_and(|hash| hash != declared)
        })
    }
}

fn moment(conn: &Connection, snapshot: i64) -> Result<Option<i64>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT moment FROM snapshots WHERE id = ?1")?
        .query_row([snapshot], |row| row.get(0))
        .optional()?
        .flatten())
}

#[cfg(test)]
mod tests;
