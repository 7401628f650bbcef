use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;
use crate::catalog::Catalog;
use crate::catalog::blocks::{Outline, OutlineBlock, insert};
use crate::page::Moment;

/// Documents held in memory; those that are missing count as damaged.
struct Books {
    catalog: Catalog,
    documents: BTreeMap<i64, Rc<Document>>,
}

impl Shelf for Books {
    fn catalog<R>(&self, ask: impl FnOnce(&rusqlite::Connection) -> R) -> R {
        ask(self.catalog.connection())
    }

    fn document(&mut self, snapshot: i64) -> Result<Option<Rc<Document>>, SearchError> {
        Ok(self.documents.get(&snapshot).cloned())
    }

    fn moment(&mut self, snapshot: i64) -> Result<Option<Moment>, SearchError> {
        Ok(Some(Moment(snapshot)))
    }
}

fn block(text: &str) -> Block {
    Block {
        text: text.to_owned(),
        body: true,
        text_hash: sha256(text.as_bytes()),
        declared: text.strip_prefix("declared ").map(Into::into),
        ..Block::default()
    }
}

const STORM: &str = "In the storm 12 boats were lost off the northern coast, the harbour office said.";
const STORM_LATER: &str = "In the storm 17 boats were lost off the northern coast, the harbour office said.";

/// Three articles: 1 with snapshots 1 and 3, 2 with snapshot 2, 3 with snapshot 4.
fn archive() -> Books {
    let pages: [(i64, i64, &[&str]); 4] = [
        (1, 1, &["Harbour news", STORM, "declared 4d0c216a09018144"]),
        (2, 2, &["Harbour news", "A quiet day."]),
        (1, 3, &["Harbour news", STORM_LATER, STORM]),
        (3, 4, &["Harbour news", STORM, "declared 99b245e5"]),
    ];
    let catalog = Catalog::in_memory().unwrap();
    let mut documents = BTreeMap::new();
    for (article, snapshot, texts) in pages {
        let document = Document {
            blocks: texts.iter().map(|text| block(text)).collect(),
            ..Document::default()
        };
        let outline = Outline::of(&document, Hash::default());
        insert(catalog.connection(), article, snapshot, &outline).unwrap();
        catalog
            .connection()
            .execute(
                "INSERT INTO snapshots (id, article, moment, body, length) VALUES (?1, ?2, ?1, x'', 0)",
                [snapshot, article],
            )
            .unwrap();
        documents.insert(snapshot, Rc::new(document));
    }
    Books { catalog, documents }
}

/// Article, first and last snapshot, index in the first, number of snapshots.
fn places(found: &[Hit]) -> Vec<(i64, i64, i64, u32, u64)> {
    found
        .iter()
        .map(|hit| {
            (
                hit.first.article,
                hit.first.snapshot,
                hit.last.snapshot,
                hit.first.index,
                hit.snapshots,
            )
        })
        .collect()
}

#[test]
fn a_paragraph_is_found_by_hash_digits_and_text() {
    let mut search = Search::new(archive()).unwrap();
    let hash = sha256(STORM.as_bytes()).to_string();
    let expected = [(1, 1, 3, 1, 2), (3, 4, 4, 1, 1)];
    for query in [
        Query::Text(STORM),
        Query::Content(&hash),
        Query::Content(&hash[..8]),
    ] {
        let found = search.find(query).unwrap();
        assert_eq!(places(&found.hits), expected, "{query:?}");
        assert!(!found.more);
        assert_eq!(found.hits[0].block.as_ref().unwrap().text, STORM);
    }
    // Right in the first sixteen digits, wrong after them: confirmed against the page, and refused.
    let other = format!("{}{}", &hash[..63], if hash.ends_with('0') { '1' } else { '0' });
    assert!(search.find(Query::Content(&other)).unwrap().hits.is_empty());
    assert!(search.find(Query::Text("never written")).unwrap().hits.is_empty());
    assert!(matches!(
        search.find(Query::Content("4d0c")),
        Err(SearchError::NoHash(_))
    ));
    assert!(matches!(
        search.find(Query::Text("")),
        Err(SearchError::EmptyText)
    ));
}

#[test]
fn declared_hashes_are_found_as_declared() {
    let mut search = Search::new(archive()).unwrap();
    for asked in ["4d0c216a09018144", "4D0C216A"] {
        let found = search.find(Query::Declared(asked)).unwrap();
        assert_eq!(places(&found.hits), [(1, 1, 1, 2, 1)]);
    }
    assert!(
        search
            .find(Query::Declared("4d0c216a09018145"))
            .unwrap()
            .hits
            .is_empty()
    );
    // A whole hash shorter than a key has a key of its own.
    let found = search.find(Query::Declared("99b245e5")).unwrap();
    assert_eq!(places(&found.hits), [(3, 4, 4, 2, 1)]);
}

#[test]
fn a_page_is_told_which_of_its_paragraphs_are_known_and_where_first() {
    let mut search = Search::new(archive()).unwrap();
    let page = Document {
        blocks: ["Not seen before", "Harbour news", STORM_LATER]
            .map(block)
            .to_vec(),
        ..Document::default()
    };
    let found = search.page(&page).unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|hit| (hit.index, hit.first.first.snapshot, hit.articles, hit.snapshots))
        .collect();
    assert_eq!(told, [(1, 1, 3, 4), (2, 3, 1, 1)]);
}

#[test]
fn a_page_that_cannot_be_restored_is_named_without_its_block() {
    let mut books = archive();
    books.documents.remove(&4);
    let mut search = Search::new(books).unwrap();
    let found = search.find(Query::Text(STORM)).unwrap();
    assert_eq!(found.hits.len(), 2);
    assert!(found.hits[1].block.is_none());
}

#[test]
fn a_near_paragraph_is_told_though_the_page_that_showed_it_first_is_lost() {
    let mut books = archive();
    books.documents.remove(&1);
    let mut search = Search::new(books).unwrap();
    let asked = "In the storm 12 boats were lost off the southern coast, the harbour office said.";
    let found = search.near(&[asked]).unwrap();
    assert!(found.iter().any(|hit| hit.text == STORM), "{found:?}");
}

#[test]
fn near_paragraphs_are_told_with_their_texts() {
    let mut search = Search::new(archive()).unwrap();
    let asked = "In the storm 12 boats were lost off the southern coast, the harbour office said.";
    let found = search.near(&["short", asked]).unwrap();
    let texts: Vec<_> = found.iter().map(|hit| (hit.query, hit.text.as_str())).collect();
    assert_eq!(texts, [(1, STORM), (1, STORM_LATER)]);
    assert_eq!(places(&found[0].hits), [(1, 1, 3, 1, 2), (3, 4, 4, 1, 1)]);
    let found = search.near(&[STORM]).unwrap();
    assert_eq!(found.len(), 1, "the paragraph itself is not near");
}

/// Counts how often it is asked for a document, and for a moment.
struct Counted {
    books: Books,
    documents: usize,
    moments: usize,
}

impl Counted {
    fn new(books: Books) -> Self {
        Self {
            books,
            documents: 0,
            moments: 0,
        }
    }
}

impl Shelf for Counted {
    fn catalog<R>(&self, ask: impl FnOnce(&rusqlite::Connection) -> R) -> R {
        self.books.catalog(ask)
    }

    fn document(&mut self, snapshot: i64) -> Result<Option<Rc<Document>>, SearchError> {
        self.documents += 1;
        self.books.document(snapshot)
    }

    fn moment(&mut self, snapshot: i64) -> Result<Option<Moment>, SearchError> {
        self.moments += 1;
        self.books.moment(snapshot)
    }
}

#[test]
fn a_content_that_fills_a_page_is_looked_up_once() {
    let mut search = Search::new(Counted::new(archive())).unwrap();
    let mut blocks = vec![block("Harbour news"); 1000];
    blocks.insert(500, block(STORM));
    let document = Document {
        blocks,
        ..Document::default()
    };
    let hits = search.page(&document).unwrap();
    assert_eq!(hits.len(), 1001);
    for (at, hit) in hits.iter().enumerate() {
        assert_eq!(hit.index, at);
        assert_eq!(hit.articles, if at == 500 { 2 } else { 3 });
    }
    assert_eq!(search.shelf.documents, 2, "one for each content");
}

#[test]
fn of_a_content_that_stands_everywhere_only_the_oldest_sightings_are_kept() {
    let stand = |snapshot: i64| Stand {
        query: 0,
        first: occurrence(snapshot),
        moment: Some(1000 - snapshot),
        last: occurrence(snapshot),
        snapshots: 2,
    };
    let mut sightings = Sightings::default();
    (0..1000).map(stand).for_each(|stand| sightings.note(stand));
    assert_eq!((sightings.articles, sightings.snapshots), (1000, 2000));
    let oldest: Vec<i64> = sightings
        .oldest
        .iter()
        .map(|stand| stand.first.snapshot)
        .collect();
    assert_eq!(oldest, [999, 998, 997, 996]);
}

fn occurrence(snapshot: i64) -> Occurrence {
    Occurrence {
        article: snapshot,
        snapshot,
        index: 0,
        block: OutlineBlock::of(&block("everywhere")),
    }
}

#[test]
fn lines_of_a_list_that_are_near_to_one_another_are_looked_up_once() {
    let mut search = Search::new(Counted::new(archive())).unwrap();
    let asked: Vec<String> = (20..220)
        .map(|boats| STORM.replace("12", &boats.to_string()))
        .collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let found = search.near(&asked).unwrap();
    // Both storms for nearly each; a signature misses one in a hundred.
    assert!(found.len() > 360, "{}", found.len());
    assert_eq!(search.shelf.moments, 3, "one for each article and text");
}
