use std::collections::BTreeSet;

use super::*;

fn open() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(super::super::blocks::TABLES).unwrap();
    conn
}

fn scrambled(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 38
}

#[test]
fn chunks_fill_a_database_page_and_no_more() {
    let conn = open();
    // Dense first, then sparse, then articles in numbers that need many bits.
    let dense = (0..20_000).map(|n| (n, 1));
    let sparse = (1..20_000_u64).map(|n| (20_000 + n * 199_999, n.cast_signed() % 5000));
    let wide = (1..3000).map(|n| (u64::from(u32::MAX) - n, i64::MAX >> (n % 7)));
    let all: Vec<Posting> = dense.chain(sparse).chain(wide).collect();
    add(&conn, Space::Content, all.clone()).unwrap();
    let lengths: Vec<u32> = conn
        .prepare("SELECT length(data) FROM postings ORDER BY chunk")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(lengths.iter().all(|length| *length as usize <= CHUNK));
    let full = lengths
        .iter()
        .filter(|length| **length as usize > CHUNK * 9 / 10)
        .count();
    assert!(full * 4 > lengths.len() * 3, "{lengths:?}");
    let mut reader = Reader::open(&conn, Space::Content).unwrap();
    let mut articles = Vec::new();
    for (key, article) in all.into_iter().step_by(97) {
        reader.articles(&conn, key, key, &mut articles).unwrap();
        assert!(articles.contains(&article), "{key}");
    }
}

#[test]
fn every_posting_is_found_through_all_merges_and_nothing_else_is() {
    let conn = open();
    let mut truth: BTreeSet<Posting> = BTreeSet::new();
    for article in 0..700_i64 {
        // Key 7 is a template block that every article holds.
        let postings: Vec<Posting> = (0..9)
            .map(|n| (scrambled((article.cast_unsigned() * 5 + n) % 1000), article))
            .chain([(7, article)])
            .collect();
        truth.extend(&postings);
        add(&conn, Space::Content, postings).unwrap();
    }
    let runs = runs_of(&conn, Space::Content, None).unwrap();
    assert!(runs.len() < LOWEST_FAN + FAN, "{} runs", runs.len());
    let mut reader = Reader::open(&conn, Space::Content).unwrap();
    let mut articles = Vec::new();
    for key in (0..1000).map(scrambled).chain([7, 8]) {
        reader.articles(&conn, key, key, &mut articles).unwrap();
        let expected: Vec<i64> = truth
            .range((key, i64::MIN)..=(key, i64::MAX))
            .map(|p| p.1)
            .collect();
        assert_eq!(articles, expected);
    }
    let (low, high) = (scrambled(3), scrambled(3) + (1 << 28));
    reader.articles(&conn, low, high, &mut articles).unwrap();
    let expected: BTreeSet<i64> = truth
        .range((low, i64::MIN)..=(high, i64::MAX))
        .map(|p| p.1)
        .collect();
    assert!(articles.iter().eq(expected.iter()));
    Reader::open(&conn, Space::Declared)
        .unwrap()
        .articles(&conn, 0, u64::MAX, &mut articles)
        .unwrap();
    assert!(articles.is_empty());
}

#[test]
fn chunks_that_are_empty_or_out_of_order_are_damage() {
    for damage in [
        "UPDATE postings SET data = x'00000000' WHERE chunk = 2",
        "UPDATE postings SET key = (SELECT min(key) FROM postings) + 1 WHERE chunk = 2",
    ] {
        let conn = open();
        let postings = (0..4000).map(|n| (scrambled(n), 1)).collect();
        add(&conn, Space::Content, postings).unwrap();
        assert_eq!(conn.execute(damage, []).unwrap(), 1);
        let rewritten = rewrite(&conn, Space::Content, |_| true);
        assert!(
            matches!(
                rewritten,
                Err(CatalogError::Malformed {
                    table: "postings",
                    ..
                })
            ),
            "{damage}"
        );
    }
}

#[test]
fn a_rewrite_drops_what_is_refused() {
    let conn = open();
    for article in 0..50 {
        add(&conn, Space::Content, vec![(1, article), (2, article)]).unwrap();
    }
    rewrite(&conn, Space::Content, |(_, article)| article % 2 == 0).unwrap();
    let mut articles = Vec::new();
    Reader::open(&conn, Space::Content)
        .unwrap()
        .articles(&conn, 1, 1, &mut articles)
        .unwrap();
    assert!(articles.iter().copied().eq((0..50).step_by(2)));
    assert_eq!(runs_of(&conn, Space::Content, None).unwrap().len(), 1);
}

#[test]
fn a_reader_that_was_opened_before_a_merge_misses_nothing() {
    let conn = open();
    let key_of = |article: u64, n: u64| scrambled((article + 1) * 12_345 + n);
    let put = |article: u64| {
        let postings = (0..20)
            .map(|n| (key_of(article, n), article.cast_signed()))
            .collect();
        add(&conn, Space::Content, postings).unwrap();
    };
    let fan = LOWEST_FAN as u64;
    for article in 0..fan - 1 {
        put(article);
    }
    let mut reader = Reader::open(&conn, Space::Content).unwrap();
    // A merge, and new runs whose chunks get the numbers of those that were merged.
    for article in fan - 1..2 * fan - 1 {
        put(article);
    }
    let mut articles = Vec::new();
    for article in 0..fan - 1 {
        for n in 0..20 {
            let key = key_of(article, n);
            reader.articles(&conn, key, key, &mut articles).unwrap();
            assert!(articles.contains(&article.cast_signed()), "{key} of {article}");
        }
    }
}
