//! The ledger of one site as a whole: every pair of declared hash and content hash, and what the pairs
//! say about the publisher's rule.

use rusqlite::Connection;
use rustc_hash::{FxHashMap, FxHashSet};

use super::CatalogError;
use super::blocks::Outlines;
use super::ledger::{Nothing, key};
use super::snapshots::site_number;
use crate::page::host;

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
    /// Different pairs of declared hash and content. The hash of empty text is in none.
    pub pairs: u64,
    /// Declared hashes that stand over different contents: tampering, or our bug. As for
    /// [`Testimony::Conflict`](super::ledger::Testimony), blocks without text count within an article.
    pub conflicts: u64,
    /// Equal texts in different articles.
    pub salt: Salt,
}

/// Sums up the pairs of declared hash and content hash that a site shows; `None` is the site of pages
/// without a host.
pub fn site(conn: &Connection, site: Option<&str>, nothing: &Nothing) -> Result<SiteLedger, CatalogError> {
    let snapshots = match site {
        Some(site) => of_host(conn, site)?,
        None => without_host(conn)?,
    };
    let mut outlines = Outlines::default();
    let mut pairs: FxHashSet<(u64, u64, bool)> = FxHashSet::default();
    // Text to the first article and declared hash seen, whether another article held it, and whether
    // any of them declared otherwise.
    let mut texts: FxHashMap<u64, (i64, u64, bool, bool)> = FxHashMap::default();
    // Declared hash to the content seen first; for blocks without text, by article.
    let mut contents: FxHashMap<(u64, Option<i64>), (u64, bool)> = FxHashMap::default();
    let mut conflicts: FxHashSet<u64> = FxHashSet::default();
    for (article, snapshot) in snapshots {
        let blocks = match outlines.get(conn, snapshot) {
            Ok(blocks) => blocks,
            Err(CatalogError::NoOutline(_)) => continue,
            Err(error) => return Err(error),
        };
        for block in &*blocks {
            let Some(declared) = key(block, nothing) else {
                continue;
            };
            let content = (block.key, block.empty);
            let first = *contents.entry((declared, None)).or_insert(content);
            let own = *contents.entry((declared, Some(article))).or_insert(content);
            if own != content || (first != content && !(first.1 && block.empty)) {
                conflicts.insert(declared);
            }
            pairs.insert((declared, block.key, block.empty));
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
    Ok(SiteLedger {
        pairs: pairs.len() as u64,
        conflicts: conflicts.len() as u64,
        salt,
    })
}

/// Article and number of the snapshots of a site, in order of article and moment.
fn of_host(conn: &Connection, site: &str) -> Result<Vec<(i64, i64)>, CatalogError> {
    Ok(conn
        .prepare_cached(
            "SELECT article, snapshots.id FROM snapshots JOIN articles ON articles.id = article
             WHERE site = ?1 ORDER BY article, moment, snapshots.id",
        )?
        .query_map([site_number(conn, site)?], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?)
}

/// The same for all pages without a host: their directory stands for a site.
fn without_host(conn: &Connection) -> Result<Vec<(i64, i64)>, CatalogError> {
    let mut found = Vec::new();
    let mut articles = conn.prepare_cached("SELECT id, key FROM articles ORDER BY id")?;
    let mut snapshots =
        conn.prepare_cached("SELECT id FROM snapshots WHERE article = ?1 ORDER BY moment, id")?;
    let mut rows = articles.query([])?;
    while let Some(row) = rows.next()? {
        let article: i64 = row.get(0)?;
        let key: String = row.get(1)?;
        if host(&key).is_some() {
            continue;
        }
        for snapshot in snapshots.query_map([article], |row| row.get(0))? {
            found.push((article, snapshot?));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use crate::catalog::blocks::tests::{declared, page, record, tables};
    use crate::catalog::snapshots::add_article;

    const DAILY: &str = "daily.example";

    fn of(conn: &Connection, name: &str) -> SiteLedger {
        let nothing = Nothing::from_iter([crate::digest::sha256(b"").prefix()]);
        site(conn, Some(name), &nothing).unwrap()
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
        let ledger = of(conn, DAILY);
        assert_eq!(
            ledger.salt,
            Salt {
                equal: 1,
                different: 1
            }
        );
        assert_eq!((ledger.pairs, ledger.conflicts), (3, 0));
        assert_eq!(of(conn, "none.example"), SiteLedger::default());
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
        assert_eq!(of(conn, DAILY).conflicts, 0);
        let second = [
            declared("uno", &h1),
            figure("a.jpg", &h2),
            figure("c.jpg", &h3),
            declared("x", &nothing),
        ];
        record(conn, DAILY, 1, 3, &page(&second));
        let ledger = of(conn, DAILY);
        assert_eq!(ledger.conflicts, 2, "{ledger:?}");
    }

    #[test]
    fn pages_without_a_host_are_one_site_whatever_their_directories() {
        let catalog = tables();
        let conn = catalog.connection();
        let hash = "11".repeat(32);
        let pages = [
            (1, "file:a/one.html", Some("file:a")),
            (2, "file:b/two.html", Some("file:b")),
            (3, "file:three.html", None),
            (4, "https://daily.example/a", Some(DAILY)),
        ];
        for (id, key, site) in pages {
            assert_eq!(add_article(conn, key, site).unwrap(), id);
            let text = format!("text of {key}");
            record(conn, "", id, id, &page(&[declared(&text, &hash)]));
        }
        let ledger = site(conn, None, &Nothing::default()).unwrap();
        assert_eq!((ledger.pairs, ledger.conflicts), (3, 1));
        assert_eq!(of(conn, DAILY).pairs, 1);
    }
}
