//! The WARC, ARC and WACZ files of other tools, damaged ones included: read to the end, within limits.
//! Runs where the corpus is. `cargo test --test it warc_corpus -- --nocapture` prints a line for each.

use std::collections::BTreeMap;
use std::fs;

use pressmark::source::{self, Item, SourceOptions};

use crate::corpus;

#[test]
fn every_file_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut pages = 0;
    let read = corpus::pages("warc", 1, |name, bytes| {
        let path = folder.path().join(name.replace('/', "__"));
        fs::write(&path, bytes).unwrap();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut first = None;
        let options = SourceOptions::default();
        for item in source::open(path.to_str().unwrap(), &options).unwrap() {
            let (word, fault) = match item {
                Item::Page(page, _) => {
                    assert!(page.body.len() <= options.max_page_size);
                    assert!(!page.address.is_empty());
                    pages += 1;
                    ("pages".to_owned(), None)
                }
                Item::Skipped(fault) => (format!("skipped:{}", fault.reason), Some(fault)),
                Item::LeftOut(fault) => (format!("left-out:{}", fault.reason), None),
                Item::Noted(fault) => (format!("noted:{}", fault.reason), Some(fault)),
            };
            *counts.entry(word).or_default() += 1;
            first = first.or(fault);
        }
        let counts: Vec<String> = counts.iter().map(|(word, n)| format!("{word} {n}")).collect();
        let first = first.map(|fault| format!("{:?}: {}", fault.place.at, fault.message));
        println!("{name}\t{}\t{}", counts.join(", "), first.unwrap_or_default());
        fs::remove_file(&path).unwrap();
    });
    assert!(
        read.is_none() || pages > 500,
        "{pages} pages in {read:?} files of the corpus"
    );
}
