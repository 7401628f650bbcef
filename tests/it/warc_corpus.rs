//! The WARC, ARC and WACZ files of other tools, damaged ones included: read to the end, within limits.
//! Runs where the corpus is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pressmark::source::{self, Item, SourceOptions};

/// The unpacked `warc/public` or `warc` folder of the corpus, if it is there.
fn corpus() -> Option<PathBuf> {
    let given = std::env::var_os("PRESSMARK_CORPUS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let found = given.into_iter().chain([beside]).find_map(|root| {
        ["warc/public", "warc"]
            .iter()
            .map(|folder| root.join(folder))
            .find(|folder| folder.is_dir())
    });
    if found.is_none() {
        eprintln!("SKIPPED: no unpacked warc folder; set PRESSMARK_CORPUS to the unpacked corpus");
    }
    found
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn every_file_is_read_to_its_end() {
    let Some(folder) = corpus() else {
        return;
    };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    let mut pages = 0;
    for path in &paths {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut first = None;
        let options = SourceOptions::default();
        for item in source::open(path.to_str().unwrap(), &options).unwrap() {
            let (word, fault) = match item {
                Item::Page(page, _) => {
                    assert!(page.body.len() <= options.max_page_size);
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
        let name = path.strip_prefix(&folder).unwrap().display();
        let counts: Vec<String> = counts.iter().map(|(word, n)| format!("{word} {n}")).collect();
        println!(
            "{name}\t{}\t{}",
            counts.join(", "),
            first.map(|f| f.to_string()).unwrap_or_default()
        );
    }
    assert!(pages > 0, "no page in {}", folder.display());
}
