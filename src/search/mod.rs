//! Where a block stands: exact, near, by page.
//!
//! Never: stores.
//!
//! The catalog answers by eight-byte prefixes; every place that is named here was confirmed against
//! the restored page.

mod near;
mod shelf;

use rustc_hash::FxHashMap;

use crate::archive::ArchiveError;
use crate::block::{Block, Document};
use crate::catalog::CatalogError;
use crate::catalog::blocks::{Finder, Occurrence, Prefix, Space, Stand};
use crate::digest::{Hash, sha256};

pub use near::{LEAST_SIMILARITY, NearHit, similarity};
pub use shelf::{ArchiveShelf, Shelf};

/// Articles looked into for one block. Template blocks of a large site stand in all of its pages.
pub const ARTICLE_LIMIT: usize = 10_000;

/// A search could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The catalog cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The archive cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The text asked for is no hash and no beginning of one.
    #[error(
        "{0:?} is no hash: write at least {digits} of its hex digits, or give the paragraph with --text",
        digits = Prefix::DIGITS
    )]
    NoHash(String),
    /// The text asked for has no characters that count.
    #[error("an empty text stands everywhere; give the paragraph as it reads")]
    EmptyText,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query<'a> {
    /// A content hash, or at least its first eight hex digits.
    Content(&'a str),
    /// A declared hash, or at least its first eight digits where it is hex throughout.
    Declared(&'a str),
    /// The canonical text of a whole paragraph.
    Text(&'a str),
}

/// One block of one article, from the first snapshot that shows it to the last.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Where it stands in the snapshot of the oldest moment.
    pub first: Occurrence,
    /// Where it stands in the snapshot of the newest moment.
    pub last: Occurrence,
    /// Snapshots of the article that show it, by the catalog.
    pub snapshots: u64,
    /// The block as it stands in the first snapshot; `None` where that page cannot be restored, so
    /// that the hit rests on the catalog alone.
    pub block: Option<Block>,
}

/// What was found, oldest first sighting first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The places.
    pub hits: Vec<Hit>,
    /// Whether more than [`ARTICLE_LIMIT`] articles may hold the block, so that some were not
    /// looked into.
    pub more: bool,
}

/// Where one paragraph of a page stands in the archive.
#[derive(Debug, Clone, PartialEq)]
pub struct PageHit {
    /// Index of the block in the page's document.
    pub index: usize,
    /// The oldest sighting.
    pub first: Hit,
    /// Articles that show the block.
    pub articles: u64,
    /// Snapshots that show it.
    pub snapshots: u64,
    /// As in [`Found::more`].
    pub more: bool,
}

/// Answers searches over one archive.
#[derive(Debug)]
pub struct Search<S> {
    finder: Finder,
    shelf: S,
}

/// Sightings of a content that are kept to be confirmed: the oldest. What is found by eight bytes of a hash
/// is next to always what was asked for.
const OLDEST: usize = 4;

/// Where one content of a page stands.
#[derive(Debug, Clone, Default)]
struct Sightings {
    /// The oldest by moment, then number of the snapshot, at most [`OLDEST`].
    oldest: Vec<Stand>,
    /// Articles and snapshots of all of them.
    articles: u64,
    snapshots: u64,
}

impl Sightings {
    fn note(&mut self, stand: Stand) {
        self.articles += 1;
        self.snapshots += stand.snapshots;
        let age = |stand: &Stand| (stand.moment, stand.first.snapshot);
        let place = self.oldest.partition_point(|known| age(known) <= age(&stand));
        if place < OLDEST {
            self.oldest.insert(place, stand);
            self.oldest.truncate(OLDEST);
        }
    }
}

impl<S: Shelf> Search<S> {
    /// A search over what stands on a shelf, such as [`ArchiveShelf`].
    pub fn new(shelf: S) -> Result<Self, SearchError> {
        Ok(Self {
            finder: shelf.catalog(Finder::open)?,
            shelf,
        })
    }

    /// Where a block stands.
    pub fn find(&mut self, query: Query<'_>) -> Result<Found, SearchError> {
        let (space, prefixes) = match query {
            Query::Content(digits) => {
                let prefix = Prefix::of_digits(digits.trim());
                (
                    Space::Content,
                    vec![prefix.ok_or_else(|| SearchError::NoHash(digits.to_owned()))?],
                )
            }
            Query::Declared(declared) => (Space::Declared, declared_ranges(declared)),
            Query::Text("") => return Err(SearchError::EmptyText),
            Query::Text(text) => (
                Space::Content,
                vec![Prefix::exact(sha256(text.as_bytes()).prefix())],
            ),
        };
        let (stands, more) = self.stands(space, &prefixes, ARTICLE_LIMIT)?;
        let mut hits = Vec::with_capacity(stands.len());
        for stand in stands {
            hits.extend(self.confirmed(&stand, |block| matches(query, block))?);
        }
        self.sort(&mut hits)?;
        Ok(Found {
            hits,
            more: !more.is_empty(),
        })
    }

    /// Which paragraphs of a page stand in the archive, and where first. Blocks without text go by
    /// their form.
    pub fn page(&mut self, document: &Document) -> Result<Vec<PageHit>, SearchError> {
        // A table may show one content in thousands of cells, each of which stands in every article that
        // has it: each content is looked up once.
        let mut keys: Vec<Hash> = Vec::new();
        let mut known: FxHashMap<Hash, usize> = FxHashMap::default();
        let mut key_of = Vec::with_capacity(document.blocks.len());
        for block in &document.blocks {
            let key = block.key();
            key_of.push(*known.entry(key).or_insert_with(|| {
                keys.push(key);
                keys.len() - 1
            }));
        }
        let prefixes: Vec<Prefix> = keys.iter().map(|key| Prefix::exact(key.prefix())).collect();
        let mut by_key: Vec<Sightings> = vec![Sightings::default(); keys.len()];
        let finder = &mut self.finder;
        let more = self.shelf.catalog(|conn| {
            finder.each_stand(conn, Space::Content, &prefixes, ARTICLE_LIMIT, |stand| {
                by_key[stand.query].note(stand);
            })
        })?;
        let mut found: Vec<Option<PageHit>> = Vec::with_capacity(keys.len());
        for (query, sightings) in by_key.into_iter().enumerate() {
            let (mut articles, mut snapshots) = (sightings.articles, sightings.snapshots);
            let mut first = None;
            for stand in sightings.oldest {
                // Only the sighting that is named is confirmed; the others are counted by prefix.
                first = self.confirmed(&stand, |block| block.key() == keys[query])?;
                if first.is_some() {
                    break;
                }
                articles -= 1;
                snapshots -= stand.snapshots;
            }
            found.push(first.map(|first| PageHit {
                index: 0,
                first,
                articles,
                snapshots,
                more: more.binary_search(&query).is_ok(),
            }));
        }
        let hits = key_of.into_iter().enumerate().filter_map(|(index, key)| {
            let hit = found.get(key)?.clone()?;
            Some(PageHit { index, ..hit })
        });
        Ok(hits.collect())
    }

    fn stands(
        &mut self,
        space: Space,
        prefixes: &[Prefix],
        limit: usize,
    ) -> Result<(Vec<Stand>, Vec<usize>), SearchError> {
        let finder = &mut self.finder;
        Ok(self
            .shelf
            .catalog(|conn| finder.stands(conn, space, prefixes, limit))?)
    }

    /// The hit, if the page's own block is what was asked for or cannot be read.
    fn confirmed(
        &mut self,
        stand: &Stand,
        asked: impl FnOnce(&Block) -> bool,
    ) -> Result<Option<Hit>, SearchError> {
        let document = self.shelf.document(stand.first.snapshot)?;
        let block = match document {
            Some(document) => match document.blocks.get(stand.first.index as usize) {
                Some(block) if asked(block) => Some(block.clone()),
                _ => return Ok(None),
            },
            None => None,
        };
        Ok(Some(Hit {
            first: stand.first,
            last: stand.last,
            snapshots: stand.snapshots,
            block,
        }))
    }

    fn sort(&mut self, hits: &mut Vec<Hit>) -> Result<(), SearchError> {
        let mut keyed = Vec::with_capacity(hits.len());
        for hit in hits.drain(..) {
            keyed.push((self.shelf.moment(hit.first.snapshot)?, hit));
        }
        keyed.sort_by_key(|(moment, hit)| (*moment, hit.first.snapshot, hit.first.index));
        hits.extend(keyed.into_iter().map(|(_, hit)| hit));
        Ok(())
    }
}

/// A declared hash of hex digits that is given in part goes by them, a whole one of any spelling by its key.
/// A whole one of fewer than sixteen hex digits may be meant as well as a part: its key is not its digits.
fn declared_ranges(declared: &str) -> Vec<Prefix> {
    let key = crate::catalog::blocks::declared_prefix(declared);
    let part = Prefix::of_digits(declared.trim());
    let whole = part
        .is_none_or(|part| !part.holds(key))
        .then(|| Prefix::exact(key));
    part.into_iter().chain(whole).collect()
}

/// Whether a restored block is what the query asks for, to the last digit.
fn matches(query: Query<'_>, block: &Block) -> bool {
    let starts = |whole: &str, digits: &str| {
        let digits = digits.trim();
        whole
            .trim()
            .get(..digits.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(digits))
    };
    match query {
        Query::Content(digits) => starts(&block.key().to_string(), digits),
        Query::Declared(declared) => block
            .declared
            .as_deref()
            .is_some_and(|known| starts(known, declared)),
        Query::Text(text) => block.text == text,
    }
}

#[cfg(test)]
mod tests;
