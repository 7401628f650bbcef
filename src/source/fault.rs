//! Places in the input, and what can be wrong there.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::ser::SerializeMap;

/// Where in the input something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's path as given or found; `-` for standard input.
    pub file: Arc<str>,
    /// Where in the file.
    pub at: At,
}

/// Where in a file something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// The file as a whole.
    Whole,
    /// A line, counted from 1.
    Line(u64),
    /// Bytes from the start of the file as it lies on disk, where the record (or the compressed
    /// member that holds it) begins.
    Offset(u64),
}

impl Place {
    /// A whole file.
    #[must_use]
    pub fn whole(file: &Path) -> Self {
        Self {
            file: file.to_string_lossy().into(),
            at: At::Whole,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file: &str = if &*self.file == "-" {
            "standard input"
        } else {
            &self.file
        };
        match self.at {
            At::Whole => out.write_str(file),
            At::Line(line) => write!(out, "{file}, line {line}"),
            At::Offset(offset) => write!(out, "{file}, offset {offset}"),
        }
    }
}

/// `{"file", "line"}` or `{"file", "offset"}` or `{"file"}`: the form of `through` in commit lines.
impl serde::Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("file", &*self.file)?;
        match self.at {
            At::Whole => {}
            At::Line(line) => map.serialize_entry("line", &line)?,
            At::Offset(offset) => map.serialize_entry("offset", &offset)?,
        }
        map.end()
    }
}

/// A piece of input that is no page, or not quite one, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub place: Place,
    /// Why, for counting.
    pub reason: Reason,
    /// Why, for people, with the next step where there is one. Does not repeat the place.
    pub message: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(place: Place, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            place,
            reason,
            message: message.into(),
        }
    }

    /// The fault of a file that could not be opened or read.
    pub(super) fn unreadable(place: Place, error: &io::Error) -> Self {
        let (reason, message) = match error.kind() {
            io::ErrorKind::NotFound => (
                Reason::Vanished,
                "there is no such file; if it was there when the directory was listed, add it again"
                    .to_owned(),
            ),
            io::ErrorKind::PermissionDenied => (
                Reason::Permission,
                "no permission to read it; change its permissions and add it again".to_owned(),
            ),
            _ => (Reason::Unreadable, format!("cannot be read: {error}")),
        };
        Self::new(place, reason, message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.message)
    }
}

/// Declares [`Reason`] and its codes side by side, so that neither can miss one.
macro_rules! reasons {
    ($($(#[doc = $text:literal])+ $name:ident = $code:literal,)+) => {
        /// Why input was skipped, left out or noted: a stable short code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[doc = $text])+ $name,)+ }

        impl Reason {
            /// The stable code, as counted in summaries.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
        }
    };
}

reasons! {
    /// No bytes at all.
    Empty = "empty",
    /// No tag anywhere, or the first bytes of another format.
    NotHtml = "not-html",
    /// Larger than the largest page taken in.
    TooLarge = "too-large",
    /// Listed or named, but not there.
    Vanished = "vanished",
    /// May not be read.
    Permission = "permission",
    /// Reading failed.
    Unreadable = "unreadable",
    /// A symbolic link that leads to a directory above it.
    LinkLoop = "link-loop",
    /// A directory, device, socket or pipe under a page's name.
    NotAFile = "not-a-file",
    /// An NDJSON line longer than the limit.
    LineTooLong = "line-too-long",
    /// An NDJSON line that is no JSON object.
    BadJson = "bad-json",
    /// No address.
    NoUrl = "no-url",
    /// A moment that is no RFC 3339 time.
    BadTime = "bad-time",
    /// None of `html`, `body_base64`, `path`.
    NoBody = "no-body",
    /// More than one of `html`, `body_base64`, `path`.
    TwoBodies = "two-bodies",
    /// `body_base64` is not Base64.
    BadBase64 = "bad-base64",
    /// Another key whose value has the wrong type.
    BadValue = "bad-value",
    /// `path` leads out of the NDJSON file's directory.
    PathOutside = "path-outside",
    /// Compressed data, or a record, that is damaged.
    Damaged = "damaged",
    /// The input ends inside a record.
    Truncated = "truncated",
    /// Bytes that are no record where one should begin.
    Garbage = "garbage",
    /// A record's header that cannot be read.
    BadHeader = "bad-header",
    /// A record's declared length does not fit what follows.
    BadLength = "bad-length",
    /// An address over the limit.
    BadUrl = "bad-url",
    /// A response without a readable HTTP header.
    BadHttp = "bad-http",
    /// A chunked body whose chunks cannot be read.
    BadChunks = "bad-chunks",
    /// A content coding that cannot be taken off.
    BadEncoding = "bad-encoding",
    /// A declared digest that fits none of the bytes it could mean.
    DigestMismatch = "digest-mismatch",
    /// A declared digest that cannot be read: an unknown algorithm, a wrong length or spelling.
    BadDigest = "bad-digest",
    /// A digest that could not be checked: none is given, or the bytes are over the limit or not at hand.
    DigestUnchecked = "digest-unchecked",
    /// An index line that leads to no record, or a capture in no index.
    IndexMismatch = "index-mismatch",
    /// A WACZ without `datapackage.json`.
    NoPackage = "no-datapackage",
    /// A record of a kind that holds no page: request, metadata, warcinfo.
    RecordType = "record-type",
    /// A file in a directory whose name is that of no page and no WARC.
    FileType = "file-type",
    /// A media type that was not asked for.
    MediaType = "media-type",
    /// A revisit whose original is in no earlier record and not in the archive.
    UnresolvedRevisit = "unresolved-revisit",
    /// A record in several segments.
    Segmented = "segmented",
    /// A container format we do not read.
    Unsupported = "unsupported",
    /// Taken down before, and not taken in again.
    Forgotten = "forgotten",
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// A source could not be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file or directory that was named cannot be opened.
    #[error("{path}: cannot be opened: {error}")]
    Open {
        /// As given.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// A part of `--map` is not `OURS=THEIRS`.
    #[error(
        "{0:?} in --map is not understood; write OURS=THEIRS, such as url=link,html=body, where OURS is \
         one of url, fetched_at, html, body_base64, path, status, headers"
    )]
    Map(String),
}
