//! Where a block stands: lookups over postings and outlines.

use std::ops::ControlFlow;

use rusqlite::Connection;

use super::CatalogError;
use super::blocks::{Outlines, steps};
use super::near::distance;
use super::outline::{self, OutlineBlock};
use super::postings::{self, Reader, Space};

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

/// A block whose `SimHash` is close to one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near {
    /// Which of the hashes asked for.
    pub query: usize,
    /// Bits that differ.
    pub distance: u32,
    /// A snapshot that holds the block; others may hold it too.
    pub at: Occurrence,
}

/// Answers many lookups over one connection.
#[derive(Debug)]
pub struct Finder<'c> {
    conn: &'c Connection,
    content: Reader,
    declared: Reader,
    outlines: Outlines,
    articles: Vec<i64>,
}

impl<'c> Finder<'c> {
    /// Reads the directory of the postings.
    pub fn open(conn: &'c Connection) -> Result<Self, CatalogError> {
        Ok(Self {
            conn,
            content: Reader::open(conn, Space::Content)?,
            declared: Reader::open(conn, Space::Declared)?,
            outlines: Outlines::default(),
            articles: Vec::new(),
        })
    }

    /// The connection the finder reads from.
    #[must_use]
    pub fn connection(&self) -> &'c Connection {
        self.conn
    }

    /// Ids of the articles that may hold a hash with this prefix, ascending. One in about a
    /// million is named in error; none is missing.
    pub fn articles(&mut self, space: Space, prefix: Prefix) -> Result<&[i64], CatalogError> {
        let reader = match space {
            Space::Content => &mut self.content,
            Space::Declared => &mut self.declared,
        };
        let (low, high) = (postings::key(prefix.low), postings::key(prefix.high));
        reader.articles(self.conn, low, high, &mut self.articles)?;
        Ok(&self.articles)
    }

    /// Calls `each` for every occurrence of a hash with this prefix, by article, then snapshot as
    /// recorded, then position, until it breaks off.
    pub fn occurrences(
        &mut self,
        space: Space,
        prefix: Prefix,
        mut each: impl FnMut(Occurrence) -> ControlFlow<()>,
    ) -> Result<(), CatalogError> {
        self.articles(space, prefix)?;
        for article in std::mem::take(&mut self.articles) {
            for snapshot in steps(self.conn, article)? {
                let blocks = self.outlines.get(self.conn, snapshot)?;
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

    /// The blocks of a snapshot in source order.
    pub fn outline(&mut self, snapshot: i64) -> Result<std::rc::Rc<[OutlineBlock]>, CatalogError> {
        self.outlines.get(self.conn, snapshot)
    }

    /// Calls `each` for every recorded block whose `SimHash` differs from one of `queries` in at most
    /// `limit` bits. Reads all outlines once. A block that many snapshots share is named for at least
    /// one of them, where it was recorded first.
    pub fn near(&self, queries: &[u64], limit: u32, mut each: impl FnMut(Near)) -> Result<(), CatalogError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT article, snapshot, data FROM outlines")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (article, snapshot) = (row.get(0)?, row.get(1)?);
            let data = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            outline::literals(data, |index, block| {
                let Some(near) = block.near else { return };
                for (query, &asked) in queries.iter().enumerate() {
                    let distance = distance(near, asked);
                    if distance <= limit {
                        let at = Occurrence {
                            article,
                            snapshot,
                            index,
                            block: *block,
                        };
                        each(Near { query, distance, at });
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
