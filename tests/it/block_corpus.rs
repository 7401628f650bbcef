//! What the block part of the catalog costs on the corpus, and whether every outline comes back. Long,
//! so only on demand: `cargo test --release --test it block_corpus -- --ignored --nocapture`.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pressmark::catalog::blocks::{self, Outline};
use pressmark::catalog::{Catalog, snapshots};
use pressmark::html::{self, ReadOptions};
use pressmark::label::{self, Rules};
use pressmark::page::{article_key, host};

/// The unpacked corpus; `None` without it.
fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("PRESSMARK_CORPUS").map(PathBuf::from)?;
    folder
        .join("revisions/public/index.ndjson")
        .is_file()
        .then_some(folder)
}

/// Address and file of every page of a set, in the order of its index, or of the paths.
fn pages(set: &Path) -> Vec<(String, PathBuf)> {
    if let Ok(index) = std::fs::read_to_string(set.join("index.ndjson")) {
        return index
            .lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                (
                    line["url"].as_str().unwrap().to_owned(),
                    set.join(line["path"].as_str().unwrap()),
                )
            })
            .collect();
    }
    walkdir::WalkDir::new(set)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(set).unwrap().display().to_string();
            (format!("file:{path}"), entry.path().to_owned())
        })
        .collect()
}

#[test]
#[ignore = "reads the whole corpus"]
fn the_block_part_costs_what_changed() {
    let Some(corpus) = corpus() else {
        println!("skipped: PRESSMARK_CORPUS names no unpacked corpus");
        return;
    };
    let rules = Rules::builtin();
    for set in ["revisions", "sites", "articles"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.sqlite");
        let mut catalog = Catalog::open(&path).unwrap();
        let mut articles: BTreeMap<String, i64> = BTreeMap::new();
        let (mut occurrences, mut raw, mut text) = (0, 0, 0);
        let mut distinct = HashSet::new();
        let [mut reading, mut reducing, mut recording] = [Duration::ZERO; 3];
        let list = pages(&corpus.join(set).join("public"));
        let mut bodies = Vec::new();
        for (batch, chunk) in list.chunks(200).enumerate() {
            let tx = catalog.write().unwrap();
            let mut outlines = Vec::new();
            for (index, (address, file)) in chunk.iter().enumerate() {
                let key = article_key(address);
                let article = snapshots::article_for(&tx, address).unwrap();
                articles.insert(key, article);
                let bytes = std::fs::read(file).unwrap();
                raw += bytes.len();
                let started = Instant::now();
                let mut document = html::read(&bytes, &ReadOptions::default());
                label::label(&mut document, rules.for_host(host(address).as_deref()));
                let hash = label::article_hash(&document);
                reading += started.elapsed();
                let started = Instant::now();
                let outline = Outline::of(&document, hash);
                reducing += started.elapsed();
                occurrences += outline.blocks.len();
                text += document
                    .blocks
                    .iter()
                    .map(|block| block.text.len())
                    .sum::<usize>();
                distinct.extend(outline.blocks.iter().map(|block| block.key));
                let snapshot = i64::try_from(batch * 200 + index).unwrap();
                if snapshot % 97 == 0 {
                    bodies.push((snapshot, outline.blocks.clone()));
                }
                outlines.push((article, snapshot, outline));
            }
            let started = Instant::now();
            blocks::record(&tx, |recorder| {
                outlines.iter().try_for_each(|(article, snapshot, outline)| {
                    recorder.insert(&tx, *article, *snapshot, outline)
                })
            })
            .unwrap();
            tx.commit().unwrap();
            recording += started.elapsed();
        }
        for (snapshot, expected) in bodies {
            assert_eq!(
                blocks::outline(catalog.connection(), snapshot).unwrap(),
                *expected
            );
        }
        let conn = catalog.connection();
        conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let of = |query: &str| conn.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
        println!(
            "{set}: {} snapshots, {} articles, {occurrences} occurrences, {} different blocks, text {:.1} MB of {:.1} MB",
            list.len(),
            articles.len(),
            distinct.len(),
            text as f64 / 1e6,
            raw as f64 / 1e6
        );
        println!(
            "  file {:.2} MB; outlines {:.2} MB, postings {:.2} MB in {} chunks; free pages {}",
            std::fs::metadata(&path).unwrap().len() as f64 / 1e6,
            of("SELECT sum(length(data)) FROM outline_data") as f64 / 1e6,
            of("SELECT sum(length(data)) FROM postings") as f64 / 1e6,
            of("SELECT count(*) FROM postings"),
            of("PRAGMA freelist_count"),
        );
        println!("  read {reading:.2?}, reduce {reducing:.2?}, record {recording:.2?}");
        for (what, filter) in [
            ("first of an article", "step = 0"),
            ("first of a site", "step = 0 AND base IS NULL"),
            ("every 64th", "step > 0 AND step % 64 = 0"),
            ("others", "step % 64 != 0"),
        ] {
            println!(
                "  {what}: {} outlines",
                of(&format!("SELECT count(*) FROM outlines WHERE {filter}"))
            );
        }
    }
}
