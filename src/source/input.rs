//! Files and standard input: the layers of compression taken off, the content told by its first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::body::{self, Listed};
use super::records::Records;
use super::section::Section;
use super::{At, Fault, Item, Place, Reason, Source, SourceOptions, folder, ndjson, wacz};
use crate::page::{Moment, Page};
use crate::warc::{Reader, Stream};

/// How far a source has been read: bytes of a file as it lies on disk, or files of a directory.
#[derive(Debug, Clone)]
pub struct Progress {
    done: Arc<AtomicU64>,
    total: Option<u64>,
    bytes: bool,
}

impl Progress {
    fn bytes(total: Option<u64>) -> Self {
        Self {
            done: Arc::default(),
            total,
            bytes: true,
        }
    }

    pub(super) fn files() -> Self {
        Self {
            done: Arc::default(),
            total: None,
            bytes: false,
        }
    }

    pub(super) fn add(&self, done: u64) {
        self.done.fetch_add(done, Ordering::Relaxed);
    }

    /// A reader that counts here what is read from it.
    pub(super) fn counted<R>(&self, inner: R) -> Counted<R> {
        Counted {
            inner,
            progress: self.clone(),
        }
    }

    /// The same total, nothing read yet.
    fn restarted(&self) -> Self {
        self.done.store(0, Ordering::Relaxed);
        self.clone()
    }

    /// Read so far, in bytes or files.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// All there is, where known before the end.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Whether bytes are counted, else files.
    #[must_use]
    pub fn counts_bytes(&self) -> bool {
        self.bytes
    }
}

/// Counts what is read.
pub(super) struct Counted<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.add(read as u64);
        Ok(read)
    }
}

/// Where an input stands: its name in places, the directory its paths are relative to, and for a
/// file its path.
pub(super) struct Origin {
    pub(super) file: Arc<str>,
    pub(super) folder: PathBuf,
    pub(super) path: Option<PathBuf>,
}

impl Origin {
    pub(super) fn place(&self, at: At) -> Place {
        Place {
            file: self.file.clone(),
            at,
        }
    }
}

/// Opens standard input.
pub(super) fn standard_input(options: &SourceOptions) -> Source {
    stream("-", Box::new(io::stdin()), options)
}

/// Reads a stream that cannot be opened again.
pub(super) fn stream(name: &str, reader: Box<dyn Read + Send>, options: &SourceOptions) -> Source {
    let origin = Origin {
        file: name.into(),
        folder: PathBuf::new(),
        path: None,
    };
    layers(reader, Progress::bytes(None), origin, options)
}

/// A file that is opened when its first item is asked for, so that thousands of them can be named at
/// once. That it can be opened is seen to now.
pub(super) fn lazy(path: &Path, options: &SourceOptions) -> io::Result<Source> {
    let metadata = path.metadata()?;
    if !metadata.is_file() {
        return file(path, options);
    }
    drop(File::open(path)?);
    let progress = Progress::bytes(Some(metadata.len()));
    let entries = Lazy {
        path: Some(path.to_owned()),
        entries: None,
        progress: progress.clone(),
        options: options.clone(),
    };
    Ok(Source::new(entries, progress, options.clone()))
}

struct Lazy {
    /// The file, until it is opened.
    path: Option<PathBuf>,
    entries: Option<Box<dyn Iterator<Item = Listed> + Send>>,
    progress: Progress,
    options: SourceOptions,
}

impl Iterator for Lazy {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        if let Some(path) = self.path.take() {
            match opened(&path, self.progress.clone(), &self.options) {
                Ok(source) => self.entries = Some(source.entries),
                Err(error) => {
                    let fault = Fault::unreadable(Place::whole(&path), &error);
                    return Some(Listed::ready(Item::Skipped(fault)));
                }
            }
        }
        let next = self.entries.as_mut()?.next();
        if next.is_none() {
            self.entries = None;
        }
        next
    }
}

/// Opens a file.
pub(super) fn file(path: &Path, options: &SourceOptions) -> io::Result<Source> {
    let length = path.metadata().ok().filter(std::fs::Metadata::is_file);
    opened(
        path,
        Progress::bytes(length.map(|metadata| metadata.len())),
        options,
    )
}

fn opened(path: &Path, progress: Progress, options: &SourceOptions) -> io::Result<Source> {
    let file = File::open(path)?;
    let origin = Origin {
        file: path.to_string_lossy().into(),
        folder: path.parent().map(Path::to_owned).unwrap_or_default(),
        path: Some(path.to_owned()),
    };
    Ok(layers(Box::new(file), progress, origin, options))
}

/// An input with its compression taken off.
pub(super) type Bytes = Stream<Counted<Box<dyn Read + Send>>>;

/// Enough for every magic, short enough that no live stream holds it back.
const MAGIC: usize = 16;

fn layers(
    reader: Box<dyn Read + Send>,
    progress: Progress,
    origin: Origin,
    options: &SourceOptions,
) -> Source {
    let counted = progress.counted(reader);
    let mut input = match &origin.path {
        // A named pipe has a path too, but is not at rest.
        Some(path) if path.is_file() => Stream::at_rest(counted),
        _ => Stream::new(counted),
    };
    // What cannot be decompressed is reported by whoever reads on, with its place.
    let magic = input.peek(MAGIC).map(<[u8]>::to_vec).unwrap_or_default();
    let entries: Box<dyn Iterator<Item = Listed> + Send> = if magic.starts_with(wacz::MAGIC) {
        let Some(path) = &origin.path else {
            return refused(
                &origin,
                progress,
                options,
                "a zip file cannot be read from standard input; name the file",
            );
        };
        return wacz::open(path, progress.restarted(), options);
    } else if magic.starts_with(LZ4) {
        return refused(
            &origin,
            progress,
            options,
            "LZ4 is not read; compress it with gzip or zstd",
        );
    } else if is_warc(&magic, &origin) {
        let section = origin.path.as_ref().map(|path| {
            Arc::new(Section {
                path: path.clone(),
                start: 0,
                length: None,
            })
        });
        Box::new(Records::new(input, origin, section, options.clone()))
    } else if is_ndjson(&magic, &origin) {
        Box::new(ndjson::Lines::new(input, origin, options.clone()))
    } else {
        Box::new(std::iter::once(single_page(input, &origin, options)))
    };
    Source::new(entries, progress, options.clone())
}

/// First bytes of an LZ4 frame.
const LZ4: &[u8] = b"\x04\x22\x4d\x18";

/// A source that is only a fault.
fn refused(origin: &Origin, progress: Progress, options: &SourceOptions, message: &str) -> Source {
    let fault = Fault::new(origin.place(At::Whole), Reason::Unsupported, message);
    let entries = std::iter::once(Listed::ready(Item::Skipped(fault)));
    Source::new(entries, progress, options.clone())
}

/// A WARC or ARC by its first bytes, or by its name: a damaged one is still looked through.
fn is_warc(magic: &[u8], origin: &Origin) -> bool {
    Reader::<io::Empty>::recognizes(magic) || named(origin, &[".warc", ".arc", ".warc.open", ".arc.open"])
}

/// Whether the name, a compression suffix taken off, ends in one of these.
fn named(origin: &Origin, ends: &[&str]) -> bool {
    let name = origin.file.to_ascii_lowercase();
    let bare = [".open", ".gz", ".zst"]
        .iter()
        .fold(name.as_str(), |name, end| name.strip_suffix(end).unwrap_or(name));
    ends.iter().any(|end| bare.ends_with(end))
}

/// NDJSON if the first byte after white space opens an object, or the name says so, or nobody named
/// it: standard input is NDJSON unless it is something else by its first bytes.
fn is_ndjson(magic: &[u8], origin: &Origin) -> bool {
    let text = magic.strip_prefix(b"\xef\xbb\xbf").unwrap_or(magic);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') {
        return true;
    }
    named(origin, &[".ndjson", ".jsonl", ".json"]) || (origin.path.is_none() && first != Some(&b'<'))
}

/// A file (or standard input) that is one page.
fn single_page(input: Bytes, origin: &Origin, options: &SourceOptions) -> Listed {
    let place = origin.place(At::Whole);
    let limit = options.max_page_size;
    let mut body = Vec::new();
    if let Err(error) = input.take(limit as u64 + 1).read_to_end(&mut body) {
        return Listed::ready(Item::Skipped(read_fault(place, &error)));
    }
    if body.len() > limit {
        return Listed::ready(Item::Skipped(body::too_large(place, limit)));
    }
    let moment = origin
        .path
        .as_ref()
        .and_then(|path| path.metadata().ok()?.modified().ok())
        .and_then(Moment::from_system_time);
    let page = Page {
        address: single_address(origin, options),
        moment,
        body,
        ..Page::default()
    };
    Listed::ready(body::checked(Box::new(page), place))
}

/// The address of a file given by itself: its path as given, without `./`; after a base URL a path
/// that leads up or starts at the root is only its name.
fn single_address(origin: &Origin, options: &SourceOptions) -> String {
    let Some(path) = &origin.path else {
        return options.address(b"-");
    };
    let relative: PathBuf = path
        .components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .collect();
    let leads_out = relative
        .components()
        .any(|part| !matches!(part, std::path::Component::Normal(_)));
    if !leads_out {
        return options.address(&folder::slashed(&relative));
    }
    if options.base_url.is_some() {
        let name = path.file_name().unwrap_or_default();
        return options.address(name.as_encoded_bytes());
    }
    options.address(relative.as_os_str().as_encoded_bytes())
}

/// The fault of input that breaks off: damaged compression, or a reading error.
pub(super) fn read_fault(place: Place, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            damaged(place, error)
        }
        // The zstd library's errors come as `Other`.
        io::ErrorKind::Other => damaged(place, error),
        _ => Fault::unreadable(place, error),
    }
}

fn damaged(place: Place, error: &io::Error) -> Fault {
    Fault::new(
        place,
        Reason::Damaged,
        format!("the compressed data is damaged or cut off here: {error}; what stands before it was read"),
    )
}
