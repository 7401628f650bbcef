//! WACZ: a zip file with WARCs under `archive/`, perhaps with other WACZ files inside. What it says
//! about itself, hashes and indexes, is held against what is read.

mod entry;
mod index;
mod package;
mod standing;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use zip::CompressionMethod;

use super::body::Listed;
use super::input::{Origin, Progress};
use super::offsets::Offsets;
use super::records::Records;
use super::section::Section;
use super::{At, Fault, Item, Place, Reason, Source, SourceOptions};
use crate::warc::Stream;
use entry::{Entry, Hashing};
use package::Package;

/// First bytes of a zip file.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// How deep WACZ files may stand inside one another.
const MAX_DEPTH: usize = 3;

/// Most bytes held of the lists of files of a WACZ and of those inside it. Where entries lie on top of one
/// another, a few kilobytes list millions.
const MAX_LISTED: usize = 512 << 20;

/// Bytes counted for every entry beside its names.
const ENTRY_COST: usize = 512;

/// What is done with the entries, one after the other.
enum Step {
    /// A WARC of a package is read.
    Warc { package: usize, entry: Entry },
    /// A package whose WARCs were read is held against what it says about itself.
    Check { package: usize },
}

/// Opens a WACZ file.
pub(super) fn open(path: &Path, progress: Progress, options: &SourceOptions) -> Source {
    let whole = Section {
        path: path.to_owned(),
        start: 0,
        length: None,
    };
    let mut listing = Listing::default();
    let name = path.to_string_lossy().into_owned();
    listing.list(&name, &whole, 0);
    let holds_warcs = listing.steps.iter().any(|step| matches!(step, Step::Warc { .. }));
    if !holds_warcs && listing.faults.is_empty() {
        listing.steps.clear();
        listing.faults.push_back(Fault::new(
            Place::whole(path),
            Reason::Unsupported,
            "a zip file without WARCs under archive/; only WACZ files can be added",
        ));
    }
    let entries = Entries {
        steps: listing.steps,
        packages: listing.packages,
        ready: listing.faults.into_iter().map(Item::Skipped).collect(),
        current: None,
        progress: progress.clone(),
        options: options.clone(),
    };
    Source::new(entries, progress, options.clone())
}

/// The entries of a WACZ and of those inside it.
#[derive(Default)]
struct Listing {
    steps: VecDeque<Step>,
    packages: Vec<Package>,
    faults: VecDeque<Fault>,
    /// Bytes held so far, about.
    held: usize,
}

impl Listing {
    fn fault(&mut self, file: &str, reason: Reason, message: impl Into<String>) {
        let place = Place {
            file: file.into(),
            at: At::Whole,
        };
        self.faults.push_back(Fault::new(place, reason, message));
    }

    fn list(&mut self, name: &str, section: &Section, depth: usize) {
        let opened = section.open().map_err(Into::into).and_then(zip::ZipArchive::new);
        // Without its own list of files, a zip file is read by that of a WACZ inside it.
        if !matches!(&opened, Ok(archive) if archive.offset() == 0) {
            let standing = standing::files(name, section);
            if !standing.is_empty() {
                self.fault(
                    name,
                    Reason::Damaged,
                    "the list of files at its end is missing or cut off; its files are read as they stand, as far as they go",
                );
                let package = self.package(name);
                for entry in standing {
                    self.plan(package, entry, depth);
                }
                self.steps.push_back(Step::Check { package });
                return;
            }
        }
        let mut archive = match opened {
            Ok(archive) => archive,
            Err(error) => {
                let message = format!(
                    "cannot be read as a zip file: {error}; unpack it with another tool and add the WARCs"
                );
                self.fault(name, Reason::Damaged, message);
                return;
            }
        };
        if archive.offset() > 0 {
            self.fault(
                name,
                Reason::Damaged,
                "the list of files at its end is missing or cut off; unpack it with another tool and add the WARCs",
            );
        }
        let package = self.package(name);
        for index in 0..archive.len() {
            self.held += ENTRY_COST + name.len();
            if self.held > MAX_LISTED {
                let left = archive.len() - index;
                let message = format!(
                    "lists too many files, {left} are not read; unpack it with another tool and add the WARCs"
                );
                self.fault(name, Reason::Unsupported, message);
                break;
            }
            let listed = match archive.by_index_raw(index) {
                Ok(listed) => listed,
                Err(error) => {
                    self.fault(name, Reason::Damaged, error.to_string());
                    continue;
                }
            };
            let path = listed
                .name()
                .map_or_else(|_| format!("entry {index}"), std::borrow::Cow::into_owned);
            let Some(data_start) = listed.data_start().filter(|_| !listed.is_dir()) else {
                continue;
            };
            let entry = Entry {
                name: format!("{name}/{path}"),
                section: Section {
                    path: section.path.clone(),
                    start: section.start + data_start,
                    length: Some(listed.compressed_size()),
                },
                method: listed.compression(),
                length: listed.size(),
                path,
            };
            let encrypted = listed.encrypted();
            drop(listed);
            if encrypted {
                if Kind::of(&entry.path) != Kind::Other {
                    self.fault(&entry.name, Reason::Unsupported, "is encrypted");
                }
                continue;
            }
            self.plan(package, entry, depth);
        }
        self.steps.push_back(Step::Check { package });
    }

    fn package(&mut self, name: &str) -> usize {
        self.packages.push(Package::new(name));
        self.packages.len() - 1
    }

    /// Plans what is done with an entry.
    fn plan(&mut self, package: usize, entry: Entry, depth: usize) {
        // Once to be read and once to be checked.
        self.held += 2 * (entry.name.len() + entry.path.len());
        self.packages[package].entries.push(entry.clone());
        match Kind::of(&entry.path) {
            Kind::Warc => self.steps.push_back(Step::Warc { package, entry }),
            Kind::Wacz if depth < MAX_DEPTH && entry.method == CompressionMethod::Stored => {
                self.list(&entry.name, &entry.section, depth + 1);
            }
            Kind::Wacz => self.fault(
                &entry.name,
                Reason::Unsupported,
                "a WACZ inside a WACZ can only be read where it is stored uncompressed; unpack it first",
            ),
            Kind::Other => {}
        }
    }
}

/// What an entry is by its name.
#[derive(PartialEq, Eq)]
enum Kind {
    Warc,
    Wacz,
    Other,
}

impl Kind {
    fn of(path: &str) -> Self {
        let lower = path.to_ascii_lowercase();
        let bare = lower
            .strip_suffix(".gz")
            .or_else(|| lower.strip_suffix(".zst"))
            .unwrap_or(&lower);
        if [".warc", ".arc"].iter().any(|end| bare.ends_with(end)) {
            Self::Warc
        } else if Path::new(bare).extension().is_some_and(|end| end == "wacz") {
            Self::Wacz
        } else {
            Self::Other
        }
    }
}

struct Entries {
    steps: VecDeque<Step>,
    packages: Vec<Package>,
    ready: VecDeque<Item>,
    current: Option<Current>,
    progress: Progress,
    options: SourceOptions,
}

/// A WARC being read.
struct Current {
    package: usize,
    entry: Entry,
    records: Box<dyn Iterator<Item = Listed> + Send>,
    hashing: Arc<Mutex<Hashing>>,
    offsets: Offsets,
}

impl Iterator for Entries {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Listed::ready(item));
            }
            if let Some(current) = &mut self.current {
                if let Some(listed) = current.records.next() {
                    return Some(listed);
                }
                self.finish();
                continue;
            }
            match self.steps.pop_front()? {
                Step::Warc { package, entry } => match self.begin(package, entry) {
                    Ok(current) => self.current = Some(current),
                    Err(fault) => self.ready.push_back(Item::Skipped(fault)),
                },
                Step::Check { package } => {
                    let findings = self.packages[package].check();
                    self.ready.extend(findings.into_iter().map(Item::Noted));
                }
            }
        }
    }
}

impl Entries {
    fn begin(&self, package: usize, entry: Entry) -> Result<Current, Fault> {
        let origin = Origin {
            file: entry.name.as_str().into(),
            folder: PathBuf::new(),
            path: None,
        };
        let hashing = Arc::new(Mutex::new(Hashing::default()));
        let opened = entry.open_counted(&self.progress)?;
        let reader = Hashing::over(opened, &hashing);
        // Records of an entry that is compressed as a whole cannot be read again by their offset.
        let again = (entry.method == CompressionMethod::Stored).then(|| Arc::new(entry.section.clone()));
        let offsets = Offsets::with_room(self.packages[package].index.room());
        let records = Records::new(Stream::at_rest(reader), origin, again, self.options.clone())
            .telling(offsets.clone());
        Ok(Current {
            package,
            entry,
            records: Box::new(records),
            hashing,
            offsets,
        })
    }

    /// Keeps for the check of the package what was learned of a WARC.
    fn finish(&mut self) {
        let Some(current) = self.current.take() else {
            return;
        };
        drop(current.records);
        let Ok(mut hashing) = current.hashing.lock() else {
            return;
        };
        let hash = std::mem::take(&mut *hashing).finish(&current.entry);
        self.packages[current.package].read(&current.entry, hash, current.offsets);
    }
}
