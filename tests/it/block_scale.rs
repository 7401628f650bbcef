//! A million different blocks in the catalog: what lookups and the near scan take. Long, so only on
//! demand: `cargo test --release --test it block_scale -- --ignored --nocapture`.

use std::time::Instant;

use pressmark::block::{Block, Document};
use pressmark::catalog::Catalog;
use pressmark::catalog::blocks::{Finder, NEAR_SHARED, Outline, Prefix, Space, minhash, record};
use pressmark::digest::{Hash, sha256};

const ARTICLES: i64 = 5_000;
const BLOCKS: usize = 200;

/// A paragraph of some 120 characters that no other equals.
fn text(article: i64, index: usize) -> String {
    let mut state = sha256(format!("{article} {index}").as_bytes()).prefix();
    let mut text = String::new();
    while text.len() < 120 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let length = 3 + (state >> 60) as usize % 7;
        text.extend((0..length).map(|n| char::from(b'a' + (state >> (n * 5)) as u8 % 26)));
        text.push(' ');
    }
    text
}

fn document(article: i64) -> Document {
    let block = |index| {
        let text = text(article, index);
        Block {
            text_hash: sha256(text.as_bytes()),
            text,
            body: true,
            ..Block::default()
        }
    };
    Document {
        blocks: (0..BLOCKS).map(block).collect(),
        ..Document::default()
    }
}

#[test]
#[ignore = "builds a catalog of a million blocks"]
fn a_million_blocks_are_looked_up_fast() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.sqlite");
    let started = Instant::now();
    let mut catalog = Catalog::open(&path).unwrap();
    for hundred in 0..ARTICLES / 100 {
        let tx = catalog.write().unwrap();
        record(&tx, |recorder| {
            (hundred * 100..hundred * 100 + 100).try_for_each(|article| {
                let outline = Outline::of(&document(article), Hash::default());
                recorder.insert(&tx, article, article, &outline)
            })
        })
        .unwrap();
        tx.commit().unwrap();
    }
    drop(catalog);
    println!(
        "built in {:.1?}, {:.1} bytes for each block",
        started.elapsed(),
        std::fs::metadata(&path).unwrap().len() as f64 / (ARTICLES as f64 * BLOCKS as f64)
    );

    let started = Instant::now();
    let catalog = Catalog::open(&path).unwrap();
    let conn = catalog.connection();
    let mut finder = Finder::open(conn).unwrap();
    let wanted = Prefix::exact(sha256(text(4321, 77).as_bytes()).prefix());
    let (stands, _) = finder.stands(conn, Space::Content, &[wanted], 10).unwrap();
    let cold = started.elapsed();
    println!("open and first lookup: {cold:.1?}");
    assert_eq!(stands.len(), 1);
    assert_eq!((stands[0].first.article, stands[0].first.index), (4321, 77));

    let prefixes: Vec<Prefix> = (0..200_000_i64)
        .zip(0..200_000_usize)
        .map(|(n, m)| {
            let (article, index) = (n * 7919 % ARTICLES, m * 31 % BLOCKS);
            Prefix::exact(sha256(text(article, index).as_bytes()).prefix())
        })
        .collect();
    let started = Instant::now();
    let mut found = 0;
    for prefix in &prefixes {
        found += finder.articles(conn, Space::Content, *prefix).unwrap().len();
    }
    let rate = prefixes.len() as f64 / started.elapsed().as_secs_f64();
    println!("articles of a key: {rate:.0} lookups/s");
    assert!(found >= prefixes.len());
    let started = Instant::now();
    let (stands, _) = finder.stands(conn, Space::Content, &prefixes, 10).unwrap();
    let rate = prefixes.len() as f64 / started.elapsed().as_secs_f64();
    println!("places of a block, in one call: {rate:.0} lookups/s");
    assert!(stands.len() >= prefixes.len());

    let asked: Vec<u64> = (0..50)
        .map(|index| minhash(&text(77, index).replace('a', "b")))
        .collect();
    let started = Instant::now();
    let mut near = 0;
    finder.near(conn, &asked, NEAR_SHARED, |_| near += 1).unwrap();
    println!(
        "near scan for 50 paragraphs: {:.1?}, {near} candidates",
        started.elapsed()
    );
}
