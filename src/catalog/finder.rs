//! Where a block stands: lookups over postings and outlines.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::CatalogError;
use super::near::shared_bytes;
use super::outline::{self, OutlineBlock};
use super::outlines::{Outlines, steps};
use super::postings::{self, Reader, Space};
use super::stream::Stream;

/// Leading digits of a hash, as a range of eight-byte prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    low: u64,
    high: u64,
}

impl Prefix {
    /// Hex digits that are needed at least.
    pub const DIGITS: usize = 8;

    /// The prefix of a whole hash.
    #[must_use]
    pub fn exact(prefix: u64) -> Self {
        Self {
            low: prefix,
            high: prefix,
        }
    }

    /// Reads leading hex digits of either case, at least [`Prefix::DIGITS`]; those after the
    /// sixteenth are not looked at. `None` if there are fewer, or others.
    #[must_use]
    pub fn of_digits(digits: &str) -> Option<Self> {
        let hex = digits.len() >= Self::DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let digits = digits.get(..digits.len().min(16)).filter(|_| hex)?;
        let open = 4 * (16 - digits.len()) as u32;
        let low = u64::from_str_radix(digits, 16).ok()?.checked_shl(open)?;
        Some(Self {
            low,
            high: low | 1_u64.checked_shl(open)?.wrapping_sub(1),
        })
    }

    /// Whether an eight-byte prefix starts with these digits.
    #[must_use]
    pub fn holds(&self, prefix: u64) -> bool {
        (self.low..=self.high).contains(&prefix)
    }
}

/// One place where a block stands, by the catalog; to be confirmed against the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// Article id in the catalog.
    pub article: i64,
    /// Snapshot id in the catalog.
    pub snapshot: i64,
    /// Index of the block in its document.
    pub index: u32,
    /// What the catalog knows of the block.
    pub block: OutlineBlock,
}

/// A block of an article, from the first snapshot that holds it to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// Which of the prefixes asked for.
    pub query: usize,
    /// Where it stands in the snapshot of the oldest moment.
    pub first: Occurrence,
    /// That moment, where known: nanoseconds since the epoch.
    pub moment: Option<i64>,
    /// Where it stands in the snapshot of the newest moment.
    pub last: Occurrence,
    /// Snapshots of the article that hold it.
    pub snapshots: u64,
}

/// A block whose `MinHash` shares bytes with one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near {
    /// Which of the hashes asked for.
    pub query: usize,
    /// Bytes of the two signatures that are equal, of eight.
    pub shared: u32,
    /// A snapshot that holds the block; others may hold it too.
    pub at: Occurrence,
}

/// Answers many lookups; keeps what it has read of postings and outlines. Every call gets the
/// connection anew, so that a finder can outlive the lock around it; it must be of the same catalog.
#[derive(Debug)]
pub struct Finder {
    content: Reader,
    declared: Reader,
    outlines: Outlines,
    articles: Vec<i64>,
}

impl Finder {
    /// Reads the directory of the postings.
    pub fn open(conn: &Connection) -> Result<Self, CatalogError> {
        Ok(Self {
            content: Reader::open(conn, Space::Content)?,
            declared: Reader::open(conn, Space::Declared)?,
            outlines: Outlines::default(),
            articles: Vec::new(),
        })
    }

    /// Ids of the articles that may hold a hash with this prefix, ascending; postings go by a part of it. None is
    /// missing.
    pub fn articles(
        &mut self,
        conn: &Connection,
        space: Space,
        prefix: Prefix,
    ) -> Result<&[i64], CatalogError> {
        let reader = match space {
            Space::Content => &mut self.content,
            Space::Declared => &mut self.declared,
        };
        let (low, high) = (postings::key(prefix.low), postings::key(prefix.high));
        reader.articles(conn, low, high, &mut self.articles)?;
        Ok(&self.articles)
    }

    /// Calls `each` for every occurrence of a hash with this prefix, by article, then snapshot as
    /// recorded, then position, until it breaks off.
    pub fn occurrences(
        &mut self,
        conn: &Connection,
        space: Space,
        prefix: Prefix,
        mut each: impl FnMut(Occurrence) -> ControlFlow<()>,
    ) -> Result<(), CatalogError> {
        self.articles(conn, space, prefix)?;
        for article in std::mem::take(&mut self.articles) {
            for snapshot in steps(conn, article)? {
                let blocks = self.outlines.get(conn, snapshot)?;
                for (index, block) in (0_u32..).zip(blocks.iter()) {
                    let held = match space {
                        Space::Content => prefix.holds(block.key),
                        Space::Declared => block.declared.is_some_and(|declared| prefix.holds(declared)),
                    };
                    let occurrence = Occurrence {
                        article,
                        snapshot,
                        index,
                        block: *block,
                    };
                    if held && each(occurrence).is_break() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Where blocks with these prefixes stand: one entry for every prefix, article and block, by
    /// article. At most `limit` articles are looked into for each prefix, those recorded first;
    /// returns the indices of the prefixes for which more may hold it.
    pub fn stands(
        &mut self,
        conn: &Connection,
        space: Space,
        prefixes: &[Prefix],
        limit: usize,
    ) -> Result<(Vec<Stand>, Vec<usize>), CatalogError> {
        let mut stands = Vec::new();
        let more = self.each_stand(conn, space, prefixes, limit, |stand| stands.push(stand))?;
        Ok((stands, more))
    }

    /// [`Finder::stands`] one by one: the blocks of a template stand in every article of a site.
    pub fn each_stand(
        &mut self,
        conn: &Connection,
        space: Space,
        prefixes: &[Prefix],
        limit: usize,
        mut each: impl FnMut(Stand),
    ) -> Result<Vec<usize>, CatalogError> {
        let mut wanted: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        let mut more = Vec::new();
        for (query, prefix) in prefixes.iter().enumerate() {
            let articles = self.articles(conn, space, *prefix)?;
            for &article in articles.iter().take(limit) {
                wanted.entry(article).or_default().push(query);
            }
            if articles.len() > limit {
                more.push(query);
            }
        }
        let mut stands = Vec::new();
        for (article, queries) in wanted {
            self.stands_in(conn, space, prefixes, article, &queries, &mut stands)?;
            stands.drain(..).for_each(&mut each);
        }
        Ok(more)
    }

    fn stands_in(
        &mut self,
        conn: &Connection,
        space: Space,
        prefixes: &[Prefix],
        article: i64,
        queries: &[usize],
        stands: &mut Vec<Stand>,
    ) -> Result<(), CatalogError> {
        let mut exact: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
        let mut open: Vec<usize> = Vec::new();
        for &query in queries {
            let prefix = prefixes[query];
            if prefix.low == prefix.high {
                exact.entry(prefix.low).or_default().push(query);
            } else {
                open.push(query);
            }
        }
        let mut places: FxHashMap<(usize, u64, Option<u64>), usize> = FxHashMap::default();
        for (snapshot, moment) in by_moment(conn, article)? {
            let blocks = self.outlines.get(conn, snapshot)?;
            for (index, block) in (0_u32..).zip(blocks.iter()) {
                let hash = match space {
                    Space::Content => block.key,
                    Space::Declared => match block.declared {
                        Some(declared) => declared,
                        None => continue,
                    },
                };
                let by_range = open.iter().filter(|query| prefixes[**query].holds(hash));
                for &query in exact.get(&hash).into_iter().flatten().chain(by_range) {
                    let here = Occurrence {
                        article,
                        snapshot,
                        index,
                        block: *block,
                    };
                    let declared = block.declared.filter(|_| space == Space::Declared);
                    let place = *places.entry((query, block.key, declared)).or_insert_with(|| {
                        stands.push(Stand {
                            query,
                            first: here,
                            moment,
                            last: here,
                            snapshots: 1,
                        });
                        stands.len() - 1
                    });
                    if stands[place].last.snapshot != snapshot {
                        stands[place].last = here;
                        stands[place].snapshots += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// The blocks of a snapshot in source order.
    pub fn outline(&mut self, conn: &Connection, snapshot: i64) -> Result<Arc<[OutlineBlock]>, CatalogError> {
        self.outlines.get(conn, snapshot)
    }

    /// [`Outlines::get_anew`].
    pub fn outline_anew(
        &mut self,
        conn: &Connection,
        snapshot: i64,
    ) -> Result<Arc<[OutlineBlock]>, CatalogError> {
        self.outlines.get_anew(conn, snapshot)
    }

    /// Calls `each` for every recorded block whose [`minhash`](super::blocks::minhash) shares at least
    /// `least` bytes with one of `queries`. Reads all outlines once. A block that many snapshots share
    /// is named for at least one of them, where it was recorded first.
    pub fn near(
        &self,
        conn: &Connection,
        queries: &[u64],
        least: u32,
        mut each: impl FnMut(Near),
    ) -> Result<(), CatalogError> {
        // All of it from one state: another process may write an outline anew under another number.
        let state = conn.unchecked_transaction()?;
        let mut outlines: Vec<(u64, i64, i64)> = state
            .prepare_cached("SELECT number, article, snapshot FROM outlines")?
            .query_map([], |row| {
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?, row.get(2)?))
            })?
            .collect::<Result<_, _>>()?;
        // As they lie, so that every row is decoded once.
        outlines.sort_unstable();
        let mut stream = Stream::default();
        for (number, article, snapshot) in outlines {
            let Some(pieces) = stream.read(&state, number)? else {
                continue;
            };
            outline::literals(pieces, |index, block| {
                let Some(near) = block.near else { return };
                // Without a branch in it this loop is vectorised; few blocks go on from here.
                let most = |most: u32, asked: &u64| most.max(shared_bytes(near, *asked));
                if queries.iter().fold(0, most) < least {
                    return;
                }
                for (query, &asked) in queries.iter().enumerate() {
                    let shared = shared_bytes(near, asked);
                    if shared >= least {
                        let at = Occurrence {
                            article,
                            snapshot,
                            index,
                            block: *block,
                        };
                        each(Near { query, shared, at });
                    }
                }
            })
            .map_err(|_| CatalogError::Malformed {
                table: "outlines",
                row: snapshot,
            })?;
        }
        Ok(())
    }
}

/// Snapshots of an article that have an outline, with their moments, oldest moment first; those without a
/// moment first.
fn by_moment(conn: &Connection, article: i64) -> Result<Vec<(i64, Option<i64>)>, CatalogError> {
    Ok(conn
        .prepare_cached(
            "SELECT snapshot, moment FROM outlines LEFT JOIN snapshots ON id = snapshot
             WHERE outlines.article = ?1 ORDER BY moment, snapshot",
        )?
        .query_map([article], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_read_eight_digits_and_more() {
        let whole = "4d0c216a09018144215331804680db0c81702d456f63604b7092d46e707b3e47";
        assert_eq!(
            Prefix::of_digits(whole),
            Some(Prefix::exact(0x4d0c_216a_0901_8144))
        );
        let short = Prefix::of_digits("4D0C216a").unwrap();
        assert!(short.holds(0x4d0c_216a_0000_0000) && short.holds(0x4d0c_216a_ffff_ffff));
        assert!(!short.holds(0x4d0c_216b_0000_0000));
        for refused in ["4d0c216", "4d0c216x", "", "가나다라마바사아"] {
            assert_eq!(Prefix::of_digits(refused), None, "{refused}");
        }
    }
}
