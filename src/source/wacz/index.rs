//! The indexes of a WACZ, held against the records that were read.

use std::io::{BufRead, Read, Seek, SeekFrom};
use std::path::Path;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use zip::CompressionMethod;

use super::super::offsets::{Offsets, Seen};
use super::super::revisit::address_key;
use super::super::{At, Fault, Reason};
use super::entry::Entry;
use crate::warc::Stream;
use crate::warc::digest::Declared;

/// Longest line of an index, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// Most findings told of one index; the rest are counted.
const MAX_TOLD: usize = 20;

/// Longest block of a compressed index, in bytes.
const MAX_BLOCK: u64 = 64 << 20;

/// Most records remembered of the WARCs of one WACZ, about 50 bytes each.
const MAX_RECORDS: usize = 4 << 20;

/// The records of the WARCs, by file name and offset.
#[derive(Default)]
pub(super) struct Index {
    files: FxHashMap<String, File>,
    /// Records remembered so far.
    count: usize,
}

struct File {
    entry: Entry,
    records: FxHashMap<u64, Seen>,
    /// Whether these are all of its records.
    all: bool,
}

/// A line of CDXJ behind key and timestamp.
#[derive(Deserialize)]
struct Line<'a> {
    url: Option<String>,
    filename: Option<String>,
    #[serde(borrow)]
    offset: Option<Number<'a>>,
}

/// A line of the index of a compressed index.
#[derive(Deserialize)]
struct BlockLine<'a> {
    offset: u64,
    length: u64,
    digest: Option<&'a str>,
    filename: Option<&'a str>,
}

/// The first line of such an index, which names the file the blocks lie in.
#[derive(Deserialize)]
struct Meta {
    filename: Option<String>,
}

/// A number, or one as text, which is how most tools write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number<'a> {
    Number(u64),
    Text(&'a str),
}

impl Number<'_> {
    fn value(&self) -> Option<u64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// Findings of one index, the first of them told and all of them counted.
struct Findings<'f> {
    entry: &'f Entry,
    faults: &'f mut Vec<Fault>,
    count: usize,
}

impl Findings<'_> {
    fn push(&mut self, line: u64, message: String) {
        self.count += 1;
        if self.count <= MAX_TOLD {
            let place = self.entry.place(At::Line(line));
            self.faults
                .push(Fault::new(place, Reason::IndexMismatch, message));
        }
    }

    fn finish(self) {
        if self.count > MAX_TOLD {
            let more = self.count - MAX_TOLD;
            let message = format!("{more} more of its lines do not fit the records");
            self.faults.push(Fault::new(
                self.entry.place(At::Whole),
                Reason::IndexMismatch,
                message,
            ));
        }
    }
}

impl Index {
    /// How many records may still be remembered.
    pub(super) fn room(&self) -> usize {
        MAX_RECORDS.saturating_sub(self.count)
    }

    /// Adds the records of a WARC.
    pub(super) fn add(&mut self, entry: &Entry, offsets: Offsets) {
        let (records, all) = offsets.take();
        self.count += records.len();
        let file = File {
            entry: entry.clone(),
            records,
            all,
        };
        self.files.insert(entry.base().to_owned(), file);
    }

    /// Holds every index among the entries against the records.
    pub(super) fn check(mut self, entries: &[Entry], faults: &mut Vec<Fault>) {
        let mut any = false;
        let mut blocks = Blocks::of(entries);
        for entry in entries {
            let lower = entry.path.to_ascii_lowercase();
            let bare = lower.strip_suffix(".gz").unwrap_or(&lower);
            match Path::new(bare).extension().and_then(|end| end.to_str()) {
                Some("cdxj" | "cdx") => any |= self.check_lines(entry, faults),
                Some("idx") => check_blocks(entry, &mut blocks, faults),
                _ => {}
            }
        }
        if !any {
            return;
        }
        let mut files: Vec<File> = self.files.into_values().collect();
        files.sort_by(|a, b| a.entry.path.cmp(&b.entry.path));
        for File { entry, records, .. } in files {
            let left = records.values().filter(|seen| seen.page && !seen.indexed);
            let count = left.count();
            if count > 0 {
                let message =
                    format!("{count} of its captures are in no index, so replay does not find them");
                faults.push(Fault::new(entry.place(At::Whole), Reason::IndexMismatch, message));
            }
        }
    }

    /// Whether the entry is an index whose lines could be read.
    fn check_lines(&mut self, entry: &Entry, faults: &mut Vec<Fault>) -> bool {
        let input = match entry.open() {
            Ok(input) => input,
            Err(fault) => {
                faults.push(fault);
                return false;
            }
        };
        let mut findings = Findings {
            entry,
            faults,
            count: 0,
        };
        let mut any = false;
        let read = each_line(input, |n, text| {
            let Some(json) = json_of(text) else {
                return;
            };
            any = true;
            let Ok(line) = serde_json::from_str::<Line<'_>>(json) else {
                findings.push(n, "the line is no CDXJ".to_owned());
                return;
            };
            let (Some(name), Some(offset)) = (&line.filename, line.offset.and_then(|offset| offset.value()))
            else {
                findings.push(n, "the line gives no filename or no offset".to_owned());
                return;
            };
            let base = name.rsplit('/').next().unwrap_or(name);
            let Some(file) = self.files.get_mut(base) else {
                findings.push(n, format!("it names the file {name:?}, which is not in the WACZ"));
                return;
            };
            match file.records.get_mut(&offset) {
                None if !file.all => {}
                None => findings.push(n, format!("no record begins at offset {offset} of {name}")),
                Some(seen) => {
                    seen.indexed = true;
                    if line.url.is_some_and(|url| address_key(&url) != seen.address) {
                        findings.push(
                            n,
                            format!("the record at offset {offset} of {name} is of another address"),
                        );
                    }
                }
            }
        });
        findings.finish();
        if let Err(message) = read {
            faults.push(Fault::new(entry.place(At::Whole), Reason::Damaged, message));
        }
        any
    }
}

/// The files that may hold the blocks of compressed indexes.
struct Blocks<'e> {
    files: FxHashMap<&'e str, &'e Entry>,
    /// Bytes that may still be read: blocks that do not lie on top of one another hold no more than the
    /// file on disk.
    left: u64,
}

impl<'e> Blocks<'e> {
    fn of(entries: &'e [Entry]) -> Self {
        let mut files = FxHashMap::default();
        for entry in entries {
            files.entry(entry.path.as_str()).or_insert(entry);
        }
        let on_disk = entries
            .first()
            .and_then(|entry| std::fs::metadata(&entry.section.path).ok());
        Self {
            files,
            left: on_disk.map_or(0, |metadata| metadata.len()),
        }
    }
}

/// Holds the index of a compressed index against its blocks.
fn check_blocks(entry: &Entry, blocks: &mut Blocks<'_>, faults: &mut Vec<Fault>) {
    let input = match entry.open() {
        Ok(input) => input,
        Err(fault) => {
            faults.push(fault);
            return;
        }
    };
    let folder = entry.path.strip_suffix(entry.base()).unwrap_or_default();
    let mut findings = Findings {
        entry,
        faults,
        count: 0,
    };
    let mut all_in = "index.cdx.gz".to_owned();
    let read = each_line(input, |n, text| {
        let Some(json) = json_of(text) else { return };
        if text.starts_with("!meta") {
            let meta = serde_json::from_str(json).ok();
            all_in = meta
                .and_then(|meta: Meta| meta.filename)
                .unwrap_or(all_in.clone());
            return;
        }
        let Ok(line) = serde_json::from_str::<BlockLine<'_>>(json) else {
            findings.push(n, "the line gives no block".to_owned());
            return;
        };
        let path = format!("{folder}{}", line.filename.unwrap_or(&all_in));
        let Some(file) = blocks.files.get(path.as_str()).copied() else {
            findings.push(n, format!("it names the file {path:?}, which is not in the WACZ"));
            return;
        };
        if let Err(message) = check_block(file, &line, &mut blocks.left) {
            findings.push(n, message);
        }
    });
    findings.finish();
    if let Err(message) = read {
        faults.push(Fault::new(entry.place(At::Whole), Reason::Damaged, message));
    }
}

fn check_block(entry: &Entry, line: &BlockLine<'_>, left: &mut u64) -> Result<(), String> {
    let inside = line.offset.checked_add(line.length);
    if entry.method != CompressionMethod::Stored {
        return Ok(()); // Blocks of a file compressed as a whole cannot be reached by anybody.
    }
    if inside.is_none_or(|end| end > entry.length) || line.length > MAX_BLOCK {
        return Err(format!("the block lies outside {}", entry.path));
    }
    let digest = line.digest.and_then(Declared::parse);
    let wanted = if digest.is_some() {
        line.length
    } else {
        line.length.min(2) // Only how it begins can be checked.
    };
    let Some(rest) = left.checked_sub(wanted) else {
        return Err(format!(
            "the block at offset {} of {} is not checked: the blocks hold more than the file, so they lie on top of one another",
            line.offset, entry.path
        ));
    };
    *left = rest;
    let mut bytes = Vec::new();
    let read = entry.section.open().and_then(|mut section| {
        section.seek(SeekFrom::Start(line.offset))?;
        section.take(wanted).read_to_end(&mut bytes)
    });
    if read.is_err() || !bytes.starts_with(b"\x1f\x8b") {
        return Err(format!(
            "no block begins at offset {} of {}",
            line.offset, entry.path
        ));
    }
    if digest.is_some_and(|declared| !declared.fits(&bytes)) {
        return Err(format!(
            "the block at offset {} of {} is not what its digest says",
            line.offset, entry.path
        ));
    }
    Ok(())
}

/// The object behind key and timestamp. The key is an address, which may hold a brace, but no space.
fn json_of(line: &str) -> Option<&str> {
    line.find(" {").map(|at| &line[at + 1..])
}

/// Calls `each` with the number and text of every line; why reading broke off.
fn each_line(input: Box<dyn Read + Send>, mut each: impl FnMut(u64, &str)) -> Result<(), String> {
    let mut input = Stream::new(input);
    let mut line = Vec::new();
    for n in 1.. {
        line.clear();
        let read = (&mut input).take(MAX_LINE).read_until(b'\n', &mut line);
        match read {
            Ok(0) => break,
            Ok(read) if read as u64 == MAX_LINE => {
                return Err(format!(
                    "line {n} is longer than {MAX_LINE} bytes; the rest is not checked"
                ));
            }
            Ok(_) => each(n, String::from_utf8_lossy(&line).trim_end()),
            Err(error) => return Err(format!("line {n}: {error}; the rest is not checked")),
        }
    }
    Ok(())
}
