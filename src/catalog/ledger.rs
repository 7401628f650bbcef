//! The ledger of declared hashes: what the publisher's own hashes testify, though the rule behind
//! them may be unknown. Per site every pair of declared hash and content hash (form hash where the
//! text is empty) with the snapshots that show it.
//!
//! It has no tables of its own: outlines hold both hashes of every block, and the postings of declared
//! hashes tell which articles to look into. So it is rebuilt with them, from the pages alone.

use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::{FxHashMap, FxHashSet};

use super::CatalogError;
use super::blocks::{Finder, OutlineBlock, Outlines, Prefix, Space, steps};

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
    /// The site; `None` asks only the page's own article.
    pub site: Option<&'a str>,
    /// Article id in the catalog, if the archive knows the article.
    pub article: Option<i64>,
    /// Snapshot id of the page itself, if it is in the archive: it is no witness of its own.
    pub snapshot: Option<i64>,
}

/// Answers what the archive testifies about declared hashes.
#[derive(Debug)]
pub struct Ledger {
    finder: Finder,
    sites: FxHashMap<i64, Option<String>>,
}

impl Ledger {
    /// Reads the directory of the postings.
    pub fn open(conn: &Connection) -> Result<Self, CatalogError> {
        Ok(Self {
            finder: Finder::open(conn)?,
            sites: FxHashMap::default(),
        })
    }

    /// What other snapshots testify about a block; `None` if it declares no hash.
    ///
    /// A conflict outweighs a rehash, a rehash outweighs consistency. A block without text goes by
    /// its form, and conflicts over it count only within the article: a publisher who hashes texts
    /// declares one and the same hash for all figures without captions.
    pub fn witness(
        &mut self,
        conn: &Connection,
        seen: Seen<'_>,
        block: &OutlineBlock,
    ) -> Result<Option<Witness>, CatalogError> {
        let Some(declared) = block.declared else {
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
            if !same_article && (seen.site.is_none() || self.site(conn, occurrence.article)? != seen.site) {
                continue;
            }
            let same = occurrence.block.key == block.key && occurrence.block.empty == block.empty;
            if same {
                consistent.push(occurrence.snapshot);
            } else if same_article || !(block.empty && occurrence.block.empty) {
                conflict.push(occurrence.snapshot);
            }
        }
        let mut rehashed = Vec::new();
        if let Some(article) = seen.article.filter(|_| conflict.is_empty()) {
            let agreeing: FxHashSet<i64> = consistent.iter().copied().collect();
            for snapshot in steps(conn, article)? {
                let other = |other: &OutlineBlock| {
                    other.key == block.key && other.declared.is_some_and(|hash| hash != declared)
                };
                if Some(snapshot) != seen.snapshot
                    && !agreeing.contains(&snapshot)
                    && self.finder.outline(conn, snapshot)?.iter().any(other)
                {
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

/// Sorts snapshots by moment, then id; each once.
fn by_moment(conn: &Connection, snapshots: Vec<i64>) -> Result<Vec<i64>, CatalogError> {
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
    keyed.dedup();
    Ok(keyed.into_iter().map(|(_, snapshot)| snapshot).collect())
}

/// One pair of declared hash and content hash on a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Prefix of the declared hash.
    pub declared: u64,
    /// Prefix of the content hash, or of the form hash where the text is empty.
    pub key: u64,
    /// Whether the text is empty.
    pub empty: bool,
    /// Prefix of the id of the block that showed the pair first, if it has one.
    pub id: Option<u32>,
    /// Article that showed the pair first.
    pub article: i64,
    /// Snapshot that showed it first, by moment.
    pub first: i64,
    /// Snapshot that showed it last, by moment.
    pub last: i64,
}

/// Whether a site's declared hashes go by the text alone: counts of texts that stand, declared, in two
/// or more of its articles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Salt {
    /// Texts that carry the same declared hash wherever they stand. One such text rules out a salt
    /// that differs by article.
    pub equal: u64,
    /// Texts that carry different declared hashes in different articles.
    pub different: u64,
}

/// What a site's declared hashes show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SiteLedger {
    /// Every pair, by declared hash, then content.
    pub pairs: Vec<Pair>,
    /// Equal texts in different articles.
    pub salt: Salt,
}

/// Reads every pair of declared hash and content hash that a site shows.
pub fn site(conn: &Connection, site: &str) -> Result<SiteLedger, CatalogError> {
    let mut statement = conn.prepare_cached(
        "SELECT article, snapshots.id, moment FROM snapshots JOIN articles ON articles.id = article
         WHERE site = ?1 ORDER BY article, moment, snapshots.id",
    )?;
    let snapshots: Vec<(i64, i64, Option<i64>)> = statement
        .query_map(params![site], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let mut outlines = Outlines::default();
    let mut pairs: FxHashMap<_, (Pair, [Option<i64>; 2])> = FxHashMap::default();
    // Text to the first article and declared hash seen, whether another article held it, and whether
    // any of them declared otherwise.
    let mut texts: FxHashMap<u64, (i64, u64, bool, bool)> = FxHashMap::default();
    for (article, snapshot, moment) in snapshots {
        let blocks = match outlines.get(conn, snapshot) {
            Ok(blocks) => blocks,
            Err(CatalogError::NoOutline(_)) => continue,
            Err(error) => return Err(error),
        };
        for block in &*blocks {
            let Some(declared) = block.declared else { continue };
            let (pair, moments) = pairs
                .entry((declared, block.key, block.empty))
                .or_insert_with(|| {
                    let pair = Pair {
                        declared,
                        key: block.key,
                        empty: block.empty,
                        id: block.id,
                        article,
                        first: snapshot,
                        last: snapshot,
                    };
                    (pair, [moment, moment])
                });
            if (moment, snapshot) < (moments[0], pair.first) {
                (pair.article, pair.first, pair.id, moments[0]) = (article, snapshot, block.id, moment);
            }
            if (moment, snapshot) > (moments[1], pair.last) {
                (pair.last, moments[1]) = (snapshot, moment);
            }
            if !block.empty {
                let text = texts
                    .entry(block.key)
                    .or_insert((article, declared, false, false));
                if text.0 != article {
                    text.2 = true;
                    text.3 |= text.1 != declared;
                }
            }
        }
    }
    let mut salt = Salt::default();
    for (_, _, elsewhere, differs) in texts.into_values() {
        salt.equal += u64::from(elsewhere && !differs);
        salt.different += u64::from(elsewhere && differs);
    }
    let mut pairs: Vec<Pair> = pairs.into_values().map(|(pair, _)| pair).collect();
    pairs.sort_unstable_by_key(|pair| (pair.declared, pair.key, pair.empty));
    Ok(SiteLedger { pairs, salt })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{Block, Document};
    use crate::catalog::blocks::tests::{block, record, tables};

    const DAILY: &str = "daily.example";

    fn declared(text: &str, declared: &str) -> Block {
        Block {
            declared: Some(declared.into()),
            ..block(text)
        }
    }

    fn page(blocks: &[Block]) -> Document {
        Document {
            blocks: blocks.to_vec(),
            ..Document::default()
        }
    }

    /// The testimony about a block of a page that is not in the archive.
    fn ask(conn: &Connection, article: i64, block: &Block) -> (Testimony, Vec<i64>) {
        let seen = Seen {
            site: Some(DAILY),
            article: Some(article),
            snapshot: None,
        };
        let block = OutlineBlock::of(block);
        let witness = Ledger::open(conn)
            .unwrap()
            .witness(conn, seen, &block)
            .unwrap()
            .unwrap();
        assert_eq!(witness.total, witness.snapshots.len());
        (witness.testimony, witness.snapshots)
    }

    #[test]
    fn testimonies_name_the_snapshots_that_give_them() {
        let catalog = tables();
        let conn = catalog.connection();
        let (h1, h2, h3) = ("11".repeat(32), "22".repeat(32), "33".repeat(32));
        record(
            conn,
            DAILY,
            1,
            1,
            &page(&[declared("one", &h1), declared("two", &h2)]),
        );
        record(
            conn,
            DAILY,
            1,
            2,
            &page(&[declared("one", &h1), declared("two", &h2)]),
        );
        record(conn, "other.example", 9, 9, &page(&[declared("elsewhere", &h3)]));
        assert_eq!(
            ask(conn, 1, &declared("one", &h1)),
            (Testimony::Consistent, vec![1, 2])
        );
        assert_eq!(
            ask(conn, 5, &declared("one", &h1)),
            (Testimony::Consistent, vec![1, 2])
        );
        assert_eq!(
            ask(conn, 1, &declared("One", &h1)),
            (Testimony::Conflict, vec![1, 2])
        );
        assert_eq!(
            ask(conn, 5, &declared("One", &h1)),
            (Testimony::Conflict, vec![1, 2])
        );
        assert_eq!(
            ask(conn, 1, &declared("one", &h3)),
            (Testimony::Rehashed, vec![1, 2])
        );
        assert_eq!(
            ask(conn, 5, &declared("one", &h3)),
            (Testimony::First, vec![]),
            "other article, other site"
        );
        let undeclared = OutlineBlock::of(&block("one"));
        assert_eq!(
            Ledger::open(conn)
                .unwrap()
                .witness(conn, Seen::default(), &undeclared)
                .unwrap(),
            None
        );
    }

    #[test]
    fn a_snapshot_is_no_witness_of_its_own() {
        let catalog = tables();
        let conn = catalog.connection();
        let block = declared("one", &"11".repeat(32));
        record(conn, DAILY, 1, 1, &page(std::slice::from_ref(&block)));
        let seen = Seen {
            site: Some(DAILY),
            article: Some(1),
            snapshot: Some(1),
        };
        let witness = |seen| {
            Ledger::open(conn)
                .unwrap()
                .witness(conn, seen, &OutlineBlock::of(&block))
                .unwrap()
                .unwrap()
                .testimony
        };
        assert_eq!(witness(seen), Testimony::First);
        assert_eq!(
            witness(Seen {
                snapshot: None,
                ..seen
            }),
            Testimony::Consistent
        );
    }

    #[test]
    fn two_paragraphs_of_one_text_may_bear_two_hashes() {
        let catalog = tables();
        let conn = catalog.connection();
        let twice = [
            declared("same", &"11".repeat(32)),
            declared("same", &"22".repeat(32)),
        ];
        record(conn, DAILY, 1, 1, &page(&twice));
        for block in &twice {
            assert_eq!(ask(conn, 1, block).0, Testimony::Consistent);
        }
    }

    #[test]
    fn figures_without_caption_go_by_their_form_and_conflict_only_within_the_article() {
        let catalog = tables();
        let conn = catalog.connection();
        let hash = "44".repeat(32);
        let figure = |form: &str| Block {
            form_hash: crate::digest::sha256(form.as_bytes()),
            ..declared("", &hash)
        };
        record(conn, DAILY, 1, 1, &page(&[figure("a.jpg")]));
        assert_eq!(ask(conn, 1, &figure("a.jpg")).0, Testimony::Consistent);
        assert_eq!(ask(conn, 1, &figure("b.jpg")).0, Testimony::Conflict);
        assert_eq!(ask(conn, 2, &figure("b.jpg")).0, Testimony::First);
    }

    #[test]
    fn a_site_lists_its_pairs_and_what_they_say_about_a_salt() {
        let catalog = tables();
        let conn = catalog.connection();
        let (h1, h2, h3) = ("11".repeat(32), "22".repeat(32), "33".repeat(32));
        // Recorded out of order of time: snapshot 7 before 3.
        record(conn, DAILY, 1, 7, &page(&[declared("one", &h1)]));
        record(
            conn,
            DAILY,
            1,
            3,
            &page(&[declared("one", &h1), declared("salted", &h2)]),
        );
        record(
            conn,
            DAILY,
            2,
            8,
            &page(&[declared("one", &h1), declared("salted", &h3)]),
        );
        let ledger = site(conn, DAILY).unwrap();
        assert_eq!(
            ledger.salt,
            Salt {
                equal: 1,
                different: 1
            }
        );
        assert_eq!(ledger.pairs.len(), 3);
        let pair = &ledger.pairs[0];
        assert_eq!((pair.article, pair.first, pair.last), (1, 3, 8));
        assert_eq!(site(conn, "none.example").unwrap(), SiteLedger::default());
    }
}
