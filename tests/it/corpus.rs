//! Finds the corpus of real pages: the folder in `PRESSMARK_CORPUS`, or `../shared/corpus` beside the
//! checkout; unpacked, or as `.tar.zst` files.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where the set `name` (`articles`, `revisions`, `sites`) is: a folder or a `.tar.zst` file.
fn find(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("PRESSMARK_CORPUS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    given.into_iter().chain([beside]).find_map(|root| {
        [
            root.join(name).join("public"),
            root.join(name),
            root.join(format!("{name}.tar.zst")),
        ]
        .into_iter()
        .find(|path| path.exists())
    })
}

/// Calls `each` with the name and the bytes of every `step`-th page of a set of the corpus, in order
/// of their names in a folder, of their places in a tar file. The number of pages; `None`, and a line
/// that says so, without the corpus.
pub fn pages(set: &str, step: usize, mut each: impl FnMut(&str, Vec<u8>)) -> Option<usize> {
    let Some(path) = find(set) else {
        eprintln!("SKIPPED: no corpus; set PRESSMARK_CORPUS to the folder that holds it");
        return None;
    };
    let mut seen = 0;
    if path.is_dir() {
        let mut files = Vec::new();
        walk(&path, &mut files);
        for file in files.iter().step_by(step) {
            let name = file.strip_prefix(&path).unwrap().to_string_lossy();
            each(&name, fs::read(file).unwrap());
            seen += 1;
        }
    } else {
        let mut decoder = zstd::Decoder::new(File::open(&path).unwrap()).unwrap();
        decoder.window_log_max(27).unwrap();
        let mut archive = tar::Archive::new(decoder);
        let mut at = 0;
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            if !entry.header().entry_type().is_file() || name.ends_with(".ndjson") {
                continue;
            }
            at += 1;
            if (at - 1) % step == 0 {
                let mut page = Vec::new();
                entry.read_to_end(&mut page).unwrap();
                each(&name, page);
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "no page in {}", path.display());
    Some(seen)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_none_or(|extension| extension != "ndjson") {
            files.push(path);
        }
    }
}
