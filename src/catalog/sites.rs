//! The ledger of one site as a whole: every pair of declared hash and content hash, and what the pairs
//! say about the publisher's rule.

use rusqlite::{Connection, params};
use rustc_hash::{FxHashMap, FxHashSet};

use super::CatalogError;
use super::blocks::Outlines;
use super::ledger::key;

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
    /// Every pair, by declared hash, then content. The hash of empty text is never one.
    pub pairs: Vec<Pair>,
    /// Declared hashes that stand over different contents: tampering, or our bug. As for
    /// [`Testimony::Conflict`](super::ledger::Testimony), blocks without text count within an article.
    pub conflicts: u64,
    /// Equal texts in different articles.
    pub salt: Salt,
}

/// Reads every pair of declared hash and content hash that a site shows; `None` is the site of pages
/// without a host.
pub fn site(conn: &Connection, site: Option<&str>) -> Result<SiteLedger, CatalogError> {
    let mut statement = conn.prepare_cached(
        "SELECT article, snapshots.id, moment FROM snapshots JOIN articles ON articles.id = article
         WHERE site IS ?1 ORDER BY article, moment, snapshots.id",
    )?;
    let snapshots: Vec<(i64, i64, Option<i64>)> = statement
        .query_map(params![site], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let mut outlines = Outlines::default();
    let mut pairs: FxHashMap<_, (Pair, [Option<i64>; 2])> = FxHashMap::default();
    // Text to the first article and declared hash seen, whether another article held it, and whether
    // any of them declared otherwise.
    let mut texts: FxHashMap<u64, (i64, u64, bool, bool)> = FxHashMap::default();
    // Declared hash to the content seen first; for blocks without text, by article.
    let mut contents: FxHashMap<(u64, Option<i64>), (u64, bool)> = FxHashMap::default();
    let mut conflicts: FxHashSet<u64> = FxHashSet::default();
    for (article, snapshot, moment) in snapshots {
        let blocks = match outlines.get(conn, snapshot) {
            Ok(blocks) => blocks,
            Err(CatalogError::NoOutline(_)) => continue,
            Err(error) => return Err(error),
        };
        for block in &*blocks {
            let Some(declared) = key(block) else { continue };
            let content = (block.key, block.empty);
            let first = *contents.entry((declared, None)).or_insert(content);
            let own = *contents.entry((declared, Some(article))).or_insert(content);
            if own != content || (first != content && !(first.1 && block.empty)) {
                conflicts.insert(declared);
            }
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
    Ok(SiteLedger {
        pairs,
        conflicts: conflicts.len() as u64,
        salt,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use crate::catalog::blocks::tests::{declared, page, record, tables};

    const DAILY: &str = "daily.example";

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
        let ledger = site(conn, Some(DAILY)).unwrap();
        assert_eq!(
            ledger.salt,
            Salt {
                equal: 1,
                different: 1
            }
        );
        assert_eq!((ledger.pairs.len(), ledger.conflicts), (3, 0));
        let pair = &ledger.pairs[0];
        assert_eq!((pair.article, pair.first, pair.last), (1, 3, 8));
        assert_eq!(site(conn, Some("none.example")).unwrap(), SiteLedger::default());
    }

    #[test]
    fn a_site_counts_hashes_that_stand_over_different_contents() {
        let catalog = tables();
        let conn = catalog.connection();
        let (h1, h2, h3) = ("11".repeat(32), "22".repeat(32), "33".repeat(32));
        let figure = |form: &str, hash: &str| Block {
            form_hash: crate::digest::sha256(form.as_bytes()),
            ..declared("", hash)
        };
        let nothing = crate::digest::sha256(b"").to_string();
        let first = [
            declared("one", &h1),
            figure("a.jpg", &h2),
            figure("a.jpg", &h3),
            figure("a.jpg", &nothing),
        ];
        record(conn, DAILY, 1, 1, &page(&first));
        record(conn, DAILY, 2, 2, &page(&[figure("b.jpg", &h2)]));
        assert_eq!(site(conn, Some(DAILY)).unwrap().conflicts, 0);
        let second = [
            declared("uno", &h1),
            figure("a.jpg", &h2),
            figure("c.jpg", &h3),
            declared("x", &nothing),
        ];
        record(conn, DAILY, 1, 3, &page(&second));
        let ledger = site(conn, Some(DAILY)).unwrap();
        assert_eq!(ledger.conflicts, 2, "{:?}", ledger.pairs);
    }
}
