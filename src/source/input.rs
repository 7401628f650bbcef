//! Files and standard input: the layers of compression taken off, the content told by its first bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::body::{self, Listed};
use super::{At, Fault, Item, Place, Reason, Source, SourceError, SourceOptions, folder, ndjson};
use crate::page::{Moment, Page};

/// Bytes read at once.
const BUFFER: usize = 128 << 10;

/// Largest zstd window accepted, as a power of two: 128 MiB, what `zstd --long` writes by default.
const MAX_WINDOW_LOG: u32 = 27;

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
struct Counted<R> {
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
pub(super) fn standard_input(options: &SourceOptions) -> Result<Source, SourceError> {
    let origin = Origin {
        file: "-".into(),
        folder: PathBuf::new(),
        path: None,
    };
    let progress = Progress::bytes(None);
    layers(io::stdin(), progress, origin, options).map_err(|error| SourceError::Open {
        path: "-".to_owned(),
        error,
    })
}

/// Opens a file.
pub(super) fn file(path: &Path, options: &SourceOptions) -> io::Result<Source> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let origin = Origin {
        file: path.to_string_lossy().into(),
        folder: path.parent().map(Path::to_owned).unwrap_or_default(),
        path: Some(path.to_owned()),
    };
    let progress = Progress::bytes(metadata.is_file().then_some(metadata.len()));
    layers(file, progress, origin, options)
}

type Bytes = Box<dyn BufRead + Send>;

fn layers(
    reader: impl Read + Send + 'static,
    progress: Progress,
    origin: Origin,
    options: &SourceOptions,
) -> io::Result<Source> {
    let counted = Counted {
        inner: reader,
        progress: progress.clone(),
    };
    let (magic, raw) = peek(Box::new(BufReader::with_capacity(BUFFER, counted)));
    let (magic, input): (Vec<u8>, Bytes) = if magic.starts_with(b"\x1f\x8b") {
        peek(Box::new(BufReader::with_capacity(
            BUFFER,
            MultiGzDecoder::new(raw),
        )))
    } else if magic.starts_with(b"\x28\xb5\x2f\xfd") {
        let mut decoder = zstd::Decoder::with_buffer(raw)?;
        decoder.window_log_max(MAX_WINDOW_LOG)?;
        peek(Box::new(BufReader::with_capacity(BUFFER, decoder)))
    } else {
        (magic, raw)
    };
    let entries: Box<dyn Iterator<Item = Listed> + Send> = if is_ndjson(&magic, &origin) {
        Box::new(ndjson::Lines::new(input, origin, options.clone()))
    } else {
        Box::new(std::iter::once(single_page(input, &origin, options)))
    };
    Ok(Source {
        entries,
        progress,
        options: options.clone(),
    })
}

/// Enough for every magic, short enough that no live stream holds it back.
const MAGIC: u64 = 16;

/// The first bytes of a reader, and a reader that still yields them.
fn peek(mut reader: Bytes) -> (Vec<u8>, Bytes) {
    let mut magic = Vec::new();
    let outcome = reader.by_ref().take(MAGIC).read_to_end(&mut magic);
    // What cannot be decompressed is reported by whoever reads on, with its place.
    let rest: Bytes = match outcome {
        Ok(_) => reader,
        Err(error) => Box::new(BufReader::new(Broken(Some(error)))),
    };
    let whole = io::Cursor::new(magic.clone()).chain(rest);
    (magic, Box::new(whole))
}

/// A reader that fails once, then is at its end.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// NDJSON if the first byte after white space opens an object, or the name says so, or nobody named
/// it: standard input is NDJSON unless it is something else by its first bytes.
fn is_ndjson(magic: &[u8], origin: &Origin) -> bool {
    let text = magic.strip_prefix(b"\xef\xbb\xbf").unwrap_or(magic);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') {
        return true;
    }
    let name = origin.file.to_ascii_lowercase();
    let bare = name
        .strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"))
        .unwrap_or(&name);
    let named = [".ndjson", ".jsonl", ".json"]
        .iter()
        .any(|end| bare.ends_with(end));
    named || (origin.path.is_none() && first != Some(&b'<'))
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
