//! WACZ: a zip file with WARCs under `archive/`, perhaps with other WACZ files inside.

use std::collections::VecDeque;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use zip::CompressionMethod;

use super::body::Listed;
use super::input::{Origin, Progress};
use super::records::Records;
use super::revisit::Section;
use super::{At, Fault, Item, Reason, Source, SourceOptions};
use crate::warc::Stream;

/// First bytes of a zip file.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// How deep WACZ files may stand inside one another.
const MAX_DEPTH: usize = 3;

/// Most entries of one WACZ read.
const MAX_ENTRIES: usize = 1_000_000;

/// One WARC in a WACZ.
struct Entry {
    name: String,
    section: Section,
    method: CompressionMethod,
}

/// Opens a WACZ file.
pub(super) fn open(path: &Path, progress: Progress, options: &SourceOptions) -> Source {
    let whole = Section {
        path: path.to_owned(),
        start: 0,
        length: None,
    };
    let mut entries = VecDeque::new();
    let mut faults = VecDeque::new();
    let name = path.to_string_lossy().into_owned();
    list(&name, &whole, 0, &mut entries, &mut faults);
    if entries.is_empty() && faults.is_empty() {
        faults.push_back(Fault::new(
            super::Place::whole(path),
            Reason::Unsupported,
            "a zip file without WARCs under archive/; only WACZ files can be added",
        ));
    }
    Source {
        entries: Box::new(Entries {
            waiting: entries,
            faults,
            current: None,
            progress: progress.clone(),
            options: options.clone(),
        }),
        progress,
        options: options.clone(),
    }
}

/// Lists the WARCs of a WACZ and of those inside it.
fn list(
    name: &str,
    section: &Section,
    depth: usize,
    entries: &mut VecDeque<Entry>,
    faults: &mut VecDeque<Fault>,
) {
    let place = super::Place {
        file: name.into(),
        at: At::Whole,
    };
    let mut archive = match section.open().map_err(Into::into).and_then(zip::ZipArchive::new) {
        Ok(archive) => archive,
        Err(error) => {
            faults.push_back(Fault::new(
                place,
                Reason::Damaged,
                format!(
                    "cannot be read as a zip file: {error}; unpack it with another tool and add the WARCs"
                ),
            ));
            return;
        }
    };
    // Without its own list of files, a zip file is read by that of a WACZ inside it.
    if archive.offset() > 0 {
        faults.push_back(Fault::new(
            place.clone(),
            Reason::Damaged,
            "the list of files at its end is missing or cut off; unpack it with another tool and add the WARCs",
        ));
    }
    for index in 0..archive.len().min(MAX_ENTRIES) {
        let entry = match archive.by_index_raw(index) {
            Ok(entry) => entry,
            Err(error) => {
                faults.push_back(Fault::new(place.clone(), Reason::Damaged, error.to_string()));
                continue;
            }
        };
        let inner = entry
            .name()
            .map_or_else(|_| format!("entry {index}"), std::borrow::Cow::into_owned);
        let lower = inner.to_ascii_lowercase();
        let bare = lower
            .strip_suffix(".gz")
            .or_else(|| lower.strip_suffix(".zst"))
            .unwrap_or(&lower);
        let is_warc = [".warc", ".arc"].iter().any(|end| bare.ends_with(end));
        let is_wacz = Path::new(bare).extension().is_some_and(|end| end == "wacz");
        if !is_warc && !is_wacz {
            continue;
        }
        let full = format!("{name}/{inner}");
        if entry.encrypted() {
            faults.push_back(Fault::new(
                super::Place {
                    file: full.as_str().into(),
                    at: At::Whole,
                },
                Reason::Unsupported,
                "is encrypted",
            ));
            continue;
        }
        let Some(data_start) = entry.data_start() else {
            continue;
        };
        let inside = Section {
            path: section.path.clone(),
            start: section.start + data_start,
            length: Some(entry.compressed_size()),
        };
        let method = entry.compression();
        if is_warc {
            entries.push_back(Entry {
                name: full,
                section: inside,
                method,
            });
        } else if depth < MAX_DEPTH && method == CompressionMethod::Stored {
            list(&full, &inside, depth + 1, entries, faults);
        } else {
            faults.push_back(Fault::new(
                super::Place {
                    file: full.as_str().into(),
                    at: At::Whole,
                },
                Reason::Unsupported,
                "a WACZ inside a WACZ can only be read where it is stored uncompressed; unpack it first",
            ));
        }
    }
}

struct Entries {
    waiting: VecDeque<Entry>,
    faults: VecDeque<Fault>,
    current: Option<Box<dyn Iterator<Item = Listed> + Send>>,
    progress: Progress,
    options: SourceOptions,
}

impl Iterator for Entries {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        loop {
            if let Some(fault) = self.faults.pop_front() {
                return Some(Listed::ready(Item::Skipped(fault)));
            }
            if let Some(current) = &mut self.current {
                if let Some(listed) = current.next() {
                    return Some(listed);
                }
                self.current = None;
            }
            let entry = self.waiting.pop_front()?;
            match self.records(&entry) {
                Ok(records) => self.current = Some(records),
                Err(fault) => self.faults.push_back(fault),
            }
        }
    }
}

impl Entries {
    fn records(&self, entry: &Entry) -> Result<Box<dyn Iterator<Item = Listed> + Send>, Fault> {
        let origin = Origin {
            file: entry.name.as_str().into(),
            folder: std::path::PathBuf::new(),
            path: None,
        };
        let whole = origin.place(At::Whole);
        let raw = match entry.section.open() {
            Ok(raw) => self.progress.counted(raw),
            Err(error) => return Err(Fault::unreadable(whole, &error)),
        };
        let (reader, section): (Box<dyn Read + Send>, _) = match entry.method {
            CompressionMethod::Stored => (Box::new(raw), Some(Arc::new(entry.section.clone()))),
            CompressionMethod::Deflated => (Box::new(flate2::read::DeflateDecoder::new(raw)), None),
            other => {
                return Err(Fault::new(
                    whole,
                    Reason::Unsupported,
                    format!("compressed by {other} inside the zip file; unpack it first"),
                ));
            }
        };
        Ok(Box::new(Records::new(
            Stream::new(reader),
            origin,
            section,
            self.options.clone(),
        )))
    }
}
