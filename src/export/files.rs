//! Snapshots as files: a tree by address and time, with an `index.ndjson` that `add` reads back.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value, json};

use super::{Outgoing, ndjson};
use crate::digest::{blake3, to_hex};
use crate::page::Moment;

/// The file that lists the others.
const INDEX: &str = "index.ndjson";

/// The name of a file whose moment is not known.
const UNKNOWN: &str = "unknown";

/// Longest name of one directory, in bytes; longer parts are cut and get a hash.
const MAX_NAME: usize = 120;

/// Most directories one address becomes; what is deeper is joined into the last.
const MAX_DEPTH: usize = 24;

/// Writes snapshots into a directory.
pub struct FilesExport {
    root: PathBuf,
    index: BufWriter<File>,
    used: FxHashSet<u64>,
    /// The number that the next file of the same address and second is told apart by.
    copies: FxHashMap<u64, u64>,
}

impl FilesExport {
    /// Makes the directory, which must be new or empty.
    pub fn new(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        fs::create_dir_all(&root)?;
        if fs::read_dir(&root)?.next().is_some() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("{} is not empty; name a new directory", root.display()),
            ));
        }
        let index = BufWriter::new(File::create(root.join(INDEX))?);
        Ok(Self {
            root,
            index,
            used: FxHashSet::default(),
            copies: FxHashMap::default(),
        })
    }

    /// Writes one snapshot.
    pub fn add(&mut self, outgoing: &Outgoing) -> io::Result<()> {
        let page = &outgoing.page;
        let folder = folder(&page.address);
        let time = page
            .moment
            .map_or_else(|| UNKNOWN.to_owned(), Moment::fourteen_digits);
        let mut path = format!("{folder}/{time}.html");
        // The same second, or http beside https: the names are told apart by a number.
        let key = |path: &str| blake3(path.to_lowercase().as_bytes()).prefix();
        let copy = self.copies.entry(key(&path)).or_insert(2);
        while !self.used.insert(key(&path)) {
            path = format!("{folder}/{time}-{copy}.html");
            *copy += 1;
        }
        fs::create_dir_all(self.root.join(&folder))?;
        fs::write(self.root.join(&path), &page.body)?;
        let mut line = Map::new();
        line.insert("url".to_owned(), json!(page.address));
        line.insert("fetched_at".to_owned(), json!(page.moment));
        line.insert("path".to_owned(), json!(path));
        ndjson::described(outgoing, &mut line);
        serde_json::to_writer(&mut self.index, &Value::Object(line))?;
        self.index.write_all(b"\n")
    }

    /// Ends the index.
    pub fn finish(mut self) -> io::Result<()> {
        self.index.flush()
    }
}

/// The directory of an address, relative, with `/` between its parts. Never leads out: every part is
/// a plain name.
fn folder(address: &str) -> String {
    let rest = match address.split_once("://") {
        Some((_, rest)) => rest.to_owned(),
        None => address.replacen(':', "/", 1),
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest.as_str(), None),
    };
    let mut parts: Vec<String> = path
        .splitn(MAX_DEPTH, '/')
        .filter(|part| !part.is_empty())
        .map(name)
        .collect();
    if let Some(query) = query {
        parts.push(name(&format!("?{query}")));
    }
    if parts.is_empty() {
        parts.push("_".to_owned());
    }
    parts.join("/")
}

/// Whether a file of the export may bear this name: then no directory does, or neither could be made
/// where the other stands.
fn is_name_of_a_file(name: &str) -> bool {
    let name = name.to_lowercase();
    let Some(stem) = name.strip_suffix(".html") else {
        return name == INDEX;
    };
    let time = stem.split_once('-').map_or(stem, |(time, _)| time);
    time == UNKNOWN || (time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A part of an address as the name of a directory.
fn name(part: &str) -> String {
    let mut name = String::with_capacity(part.len());
    let dotless = is_name_of_a_file(part);
    for letter in part.chars() {
        let plain = letter.is_alphanumeric() || "-_.,~=&+@!()".contains(letter);
        if plain && !(letter == '.' && (dotless || name.is_empty())) {
            name.push(letter);
        } else {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                name.push_str(percent_encoding::percent_encode_byte(byte));
            }
        }
    }
    if name.len() > MAX_NAME {
        let hash = to_hex(&blake3(part.as_bytes()).0[..4]);
        let mut end = MAX_NAME - hash.len() - 1;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
        name.push('~');
        name.push_str(&hash);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Page;

    #[test]
    fn addresses_become_plain_names() {
        for (address, expected) in [
            ("https://news.example/a/b.html", "news.example/a/b.html"),
            ("https://news.example:8080/", "news.example%3A8080"),
            ("https://news.example/?a=1&b=/x", "news.example/%3Fa=1&b=%2Fx"),
            ("https://news.example/../../etc", "news.example/%2E./%2E./etc"),
            ("file:pages/기사.html", "file/pages/기사.html"),
            ("https:///", "_"),
            ("a\\b\0c", "a%5Cb%00c"),
            ("https://index.ndjson/a", "index%2Endjson/a"),
            ("https://news.example/Unknown.HTML", "news.example/Unknown%2EHTML"),
            (
                "https://news.example/20250831060139-2.html",
                "news.example/20250831060139-2%2Ehtml",
            ),
            ("https://news.example/2025.html", "news.example/2025.html"),
        ] {
            assert_eq!(folder(address), expected, "{address}");
        }
        let long = folder(&format!("https://news.example/{}", "가".repeat(500)));
        assert!(long.split('/').all(|part| part.len() <= MAX_NAME), "{long}");
        assert_ne!(
            long,
            folder(&format!("https://news.example/{}", "가".repeat(501)))
        );
    }

    #[test]
    fn a_directory_never_stands_where_a_file_must() {
        let folder = tempfile::tempdir().unwrap();
        let mut export = FilesExport::new(folder.path()).unwrap();
        let addresses = [
            "https://news.example/",
            "https://news.example/unknown.html",
            "https://index.ndjson/a",
        ];
        for address in addresses {
            for body in ["one", "two", "three"] {
                let page = Page {
                    address: address.to_owned(),
                    body: body.into(),
                    ..Page::default()
                };
                let outgoing = Outgoing {
                    page,
                    ..Outgoing::default()
                };
                export.add(&outgoing).unwrap();
            }
        }
        export.finish().unwrap();
        let read = |path: &str| fs::read(folder.path().join(path)).unwrap();
        assert_eq!(read("news.example/unknown.html"), b"one");
        assert_eq!(read("news.example/unknown-3.html"), b"three");
        assert_eq!(read("news.example/unknown%2Ehtml/unknown-2.html"), b"two");
        assert_eq!(read("index%2Endjson/a/unknown.html"), b"one");
    }
}
