//! The floor test: no room uses a neighbour on its own floor or a room above.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Room name to floor number, read from the table in `src/lib.rs`.
fn floors() -> BTreeMap<String, usize> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    lib.lines()
        .filter_map(|line| line.strip_prefix("//! floor "))
        .flat_map(|line| {
            let mut words = line.split_whitespace();
            let floor: usize = words.next().unwrap().parse().unwrap();
            words
                .map(move |room| (room.to_owned(), floor))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Rooms named after `crate::` in code, comments left out.
fn rooms_used(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    let without_comments: String = code
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(before, _)| before))
        .collect::<Vec<_>>()
        .join("\n");
    let mut rest = without_comments.as_str();
    while let Some(at) = rest.find("crate::") {
        rest = &rest[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            // `use crate::{a::b, c::{d, e}}`: the first word at depth one of the group.
            let mut depth = 1;
            let mut word = String::new();
            let mut fresh = true;
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => {
                        depth -= 1;
                        if depth == 0 {
                            break;
                        }
                    }
                    ',' if depth == 1 => fresh = true,
                    c if c.is_alphanumeric() || c == '_' => {
                        if depth == 1 && fresh {
                            word.push(c);
                        }
                        continue;
                    }
                    c if c.is_whitespace() => {}
                    _ => {}
                }
                if !word.is_empty() {
                    used.push(std::mem::take(&mut word));
                    fresh = false;
                }
            }
            used.extend((!word.is_empty()).then_some(word));
        } else {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            used.push(rest[..end].to_owned());
        }
    }
    used
}

#[test]
fn every_room_uses_lower_floors_only() {
    let floors = floors();
    assert!(
        floors.len() >= 21,
        "the table in src/lib.rs was not read: {floors:?}"
    );
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut broken = Vec::new();
    let mut rooms_seen = std::collections::BTreeSet::new();
    for file in files {
        let relative = file.strip_prefix(root().join("src")).unwrap().to_owned();
        let first = relative
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy();
        let room = first.trim_end_matches(".rs").to_owned();
        if room == "lib" || room == "main" {
            continue;
        }
        let Some(&floor) = floors.get(&room) else {
            broken.push(format!("{}: room {room} is not in the table", relative.display()));
            continue;
        };
        rooms_seen.insert(room.clone());
        for used in rooms_used(&fs::read_to_string(&file).unwrap()) {
            if used == room {
                continue;
            }
            match floors.get(&used) {
                Some(&other) if other < floor => {}
                Some(&other) => broken.push(format!(
                    "{}: {room} (floor {floor}) uses {used} (floor {other})",
                    relative.display()
                )),
                None => broken.push(format!("{}: crate::{used} is no room", relative.display())),
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert_eq!(
        rooms_seen.len(),
        floors.len(),
        "a room of the table has no source"
    );
}

#[test]
fn the_reader_of_uses_understands_groups() {
    assert_eq!(rooms_used("use crate::page::Page;"), ["page"]);
    assert_eq!(
        rooms_used("use crate::{page::{Page, host}, disk};"),
        ["page", "disk"]
    );
    assert_eq!(
        rooms_used("// crate::cli\nlet x = crate::html::parse(b);"),
        ["html"]
    );
}
