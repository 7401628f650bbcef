//! Figures about all articles, and about what came since a moment of the catalog.
//!
//! Snapshots are read in the order in which they lie in the table, not article by article: in a large
//! catalog a look at every row by way of an index costs ten times as much.

use rusqlite::{Connection, OptionalExtension as _, Row};
use rustc_hash::FxHashMap;

use super::CatalogError;
use super::snapshots::{self, ArticleSummary, Teller};
use crate::page::Moment;

/// How many there are of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Number of articles with a snapshot.
    pub articles: u64,
    /// Number of snapshots.
    pub snapshots: u64,
    /// Number of revisions.
    pub revisions: u64,
    /// Sum of the bodies' lengths in bytes.
    pub raw_bytes: u64,
}

/// What tells the revisions of an article and their size: 80 bytes a snapshot.
struct Light {
    article: i64,
    moment: Option<i64>,
    id: i64,
    length: u64,
    counts: bool,
    text: Option<u64>,
    body: u64,
    form: Option<u64>,
}

/// What [`light`] reads.
const COLUMNS: &str = "id, article, moment, body, length, status, text_hash, form_hash";

fn light(row: &Row<'_>) -> rusqlite::Result<Light> {
    let prefix = |column: usize| -> rusqlite::Result<Option<u64>> {
        let bytes = row.get_ref(column)?.as_blob_or_null()?;
        let start = bytes.and_then(|bytes| bytes.first_chunk::<8>());
        Ok(start.map(|start| u64::from_be_bytes(*start)))
    };
    Ok(Light {
        id: row.get(0)?,
        article: row.get(1)?,
        moment: row.get(2)?,
        body: prefix(3)?.unwrap_or_default(),
        length: row.get::<_, i64>(4)?.cast_unsigned(),
        counts: row.get::<_, Option<u16>>(5)?.is_none_or(|status| status == 200),
        text: prefix(6)?,
        form: prefix(7)?,
    })
}

/// Every snapshot, in order of article, moment and number.
fn all(connection: &Connection) -> Result<Vec<Light>, CatalogError> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM snapshots"))?;
    let mut all: Vec<Light> = statement.query_map([], light)?.collect::<Result<_, _>>()?;
    all.sort_unstable_by_key(|light| (light.article, light.moment, light.id));
    Ok(all)
}

/// Calls `each` with the snapshots of every article that has some above number `above`, in order of moment and number,
/// one article after the other: a run may have touched more than fit into memory.
fn each_touched(
    connection: &Connection,
    above: i64,
    mut each: impl FnMut(&[Light]),
) -> Result<(), CatalogError> {
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM snapshots WHERE article IN (SELECT article FROM snapshots WHERE id > ?1)
         ORDER BY article, moment, id"
    ))?;
    let mut of_article: Vec<Light> = Vec::new();
    for next in statement.query_map([above], light)? {
        let next = next?;
        if of_article.last().is_some_and(|last| last.article != next.article) {
            each(&of_article);
            of_article.clear();
        }
        of_article.push(next);
    }
    if !of_article.is_empty() {
        each(&of_article);
    }
    Ok(())
}

/// The revisions among the snapshots of an article.
fn revisions(of_article: &[Light]) -> impl Iterator<Item = &Light> {
    let mut teller = Teller::default();
    let counting = of_article.iter().filter(|light| light.counts);
    counting.filter(move |light| teller.tell(light.text, light.body, light.form).0)
}

/// Figures about the whole catalog.
pub fn totals(connection: &Connection) -> Result<Totals, CatalogError> {
    let mut totals = Totals::default();
    for article in all(connection)?.chunk_by(|one, next| one.article == next.article) {
        totals.articles += 1;
        totals.snapshots += article.len() as u64;
        totals.revisions += revisions(article).count() as u64;
        totals.raw_bytes += article.iter().map(|light| light.length).sum::<u64>();
    }
    Ok(totals)
}

/// One line per article, in order of the keys.
pub fn articles(connection: &Connection) -> Result<Vec<ArticleSummary>, CatalogError> {
    let mut summaries = Vec::new();
    let mut newest = Vec::new();
    for article in all(connection)?.chunk_by(|one, next| one.article == next.article) {
        let Some(last) = article.last() else { continue };
        newest.push(last.id);
        summaries.push(ArticleSummary {
            id: last.article,
            key: String::new(),
            address: String::new(),
            snapshots: article.len() as u64,
            revisions: revisions(article).count() as u64,
            raw_bytes: article.iter().map(|light| light.length).sum(),
            first: article.iter().find_map(|light| light.moment).map(Moment),
            last: last.moment.map(Moment),
        });
    }
    let mut given: FxHashMap<i64, String> = FxHashMap::default();
    let mut statement = connection.prepare("SELECT id, address FROM snapshots WHERE address IS NOT NULL")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        given.insert(row.get(0)?, row.get(1)?);
    }
    let mut keys: FxHashMap<i64, String> = FxHashMap::default();
    let mut statement = connection.prepare("SELECT id, key FROM articles")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        keys.insert(row.get(0)?, row.get(1)?);
    }
    for (summary, newest) in summaries.iter_mut().zip(newest) {
        summary.key = keys.remove(&summary.id).unwrap_or_default();
        summary.address = given.remove(&newest).unwrap_or_else(|| summary.key.clone());
    }
    summaries.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    Ok(summaries)
}

/// A state of the catalog: what has higher numbers came later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watermark {
    article: i64,
    snapshot: i64,
}

/// The catalog as it is now.
pub fn watermark(connection: &Connection) -> Result<Watermark, CatalogError> {
    let highest = |table: &str| -> Result<i64, CatalogError> {
        let sql = format!("SELECT max(id) FROM {table}");
        let id: Option<Option<i64>> = connection.query_row(&sql, [], |row| row.get(0)).optional()?;
        Ok(id.flatten().unwrap_or_default())
    };
    Ok(Watermark {
        article: highest("articles")?,
        snapshot: highest("snapshots")?,
    })
}

/// What came into the catalog after a [`Watermark`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grown {
    /// Number of articles now.
    pub articles: u64,
    /// Articles that are new.
    pub new_articles: u64,
    /// Revisions that are new.
    pub new_revisions: u64,
    /// The address of the touched article with most revisions, if it has several.
    pub most_edited: Option<String>,
    /// The address of a touched article.
    pub touched: Option<String>,
}

/// What came after `watermark`. It looks at the articles that were touched, not at the others.
pub fn since(connection: &Connection, watermark: Watermark) -> Result<Grown, CatalogError> {
    let count = |sql: &str, above: i64| -> Result<u64, CatalogError> {
        let count: i64 = connection.query_row(sql, [above], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    };
    let mut grown = Grown {
        articles: count("SELECT count(*) FROM articles WHERE id > ?1", i64::MIN)?,
        new_articles: count("SELECT count(*) FROM articles WHERE id > ?1", watermark.article)?,
        ..Grown::default()
    };
    let (mut most, mut most_edited, mut first) = (1, None, None);
    each_touched(connection, watermark.snapshot, |article| {
        let newest = article.last().map(|newest| newest.id);
        first = first.or(newest);
        let is_new = |snapshot: &&Light| snapshot.id > watermark.snapshot;
        grown.new_revisions += revisions(article).filter(is_new).count() as u64;
        let count = revisions(article).count();
        if count > most {
            (most, most_edited) = (count, newest);
        }
    })?;
    let address = |snapshot: Option<i64>| -> Result<Option<String>, CatalogError> {
        let Some(snapshot) = snapshot else { return Ok(None) };
        Ok(snapshots::bare(connection, snapshot)?.map(|snapshot| snapshot.address))
    };
    grown.most_edited = address(most_edited)?;
    grown.touched = address(first)?;
    Ok(grown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::snapshots::NewSnapshot;
    use crate::digest::{Hash, blake3};

    fn put(catalog: &mut Catalog, address: &str, minute: i64, text: u8, status: u16) {
        let tx = catalog.write().unwrap();
        let new = NewSnapshot {
            address,
            moment: Some(Moment(minute * 60_000_000_000)),
            body: blake3(format!("{address} {minute}").as_bytes()),
            length: 100,
            status: Some(status),
        };
        let (_, snapshot, _) = snapshots::add(&tx, &new).unwrap();
        snapshots::set_hashes(&tx, snapshot, &Hash([text; 32]), &Hash([text; 32])).unwrap();
        tx.commit().unwrap();
    }

    #[test]
    fn figures_agree_with_a_look_at_every_article() {
        let mut catalog = Catalog::in_memory().unwrap();
        let versions = [(10, 1, 200), (9, 1, 200), (8, 2, 404), (7, 2, 200), (6, 1, 200)];
        for (minute, text, status) in versions {
            put(&mut catalog, "https://b.example/one#part", minute, text, status);
            put(
                &mut catalog,
                "https://a.example/two",
                minute * 7 % 10,
                text,
                status,
            );
        }
        let conn = catalog.connection();
        let mut expected = Totals::default();
        let mut lines = Vec::new();
        snapshots::for_each_article(conn, |key, snapshots| {
            let revisions = snapshots.iter().filter(|snapshot| snapshot.revision).count() as u64;
            expected.articles += 1;
            expected.snapshots += snapshots.len() as u64;
            expected.revisions += revisions;
            expected.raw_bytes += snapshots.iter().map(|snapshot| snapshot.length).sum::<u64>();
            let newest = snapshots.last().unwrap();
            lines.push((
                key.to_owned(),
                newest.address.clone(),
                revisions,
                snapshots[0].moment,
                newest.moment,
            ));
        })
        .unwrap();
        assert_eq!(totals(conn).unwrap(), expected);
        assert_eq!((expected.articles, expected.snapshots), (2, 10));
        let found: Vec<_> = articles(conn)
            .unwrap()
            .into_iter()
            .map(|line| (line.key, line.address, line.revisions, line.first, line.last))
            .collect();
        assert_eq!(found, lines);
    }

    #[test]
    fn what_came_after_a_watermark_is_told() {
        let mut catalog = Catalog::in_memory().unwrap();
        let nothing = watermark(catalog.connection()).unwrap();
        assert_eq!(since(catalog.connection(), nothing).unwrap(), Grown::default());
        put(&mut catalog, "https://a.example/old", 1, 1, 200);
        put(&mut catalog, "https://a.example/other", 1, 1, 200);
        let before = watermark(catalog.connection()).unwrap();
        put(&mut catalog, "https://a.example/old", 2, 1, 200);
        put(&mut catalog, "https://a.example/old", 3, 2, 200);
        put(&mut catalog, "https://a.example/new", 1, 1, 200);
        let grown = since(catalog.connection(), before).unwrap();
        assert_eq!(
            (grown.articles, grown.new_articles, grown.new_revisions),
            (3, 1, 2)
        );
        assert_eq!(grown.most_edited.as_deref(), Some("https://a.example/old"));
        assert_eq!(grown.touched, grown.most_edited, "the first of those touched");
        let before = watermark(catalog.connection()).unwrap();
        put(&mut catalog, "https://a.example/new", 2, 1, 404);
        let grown = since(catalog.connection(), before).unwrap();
        assert_eq!((grown.new_articles, grown.new_revisions), (0, 0));
        assert_eq!(grown.most_edited, None);
        assert_eq!(grown.touched.as_deref(), Some("https://a.example/new"));
    }
}
