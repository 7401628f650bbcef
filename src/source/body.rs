//! Bodies: read from files within a limit, and told from what is no HTML.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::payload::{Capture, Notes};
use super::{Fault, Item, Place, Reason, SourceOptions};
use crate::page::{Moment, Page};

/// An item whose body may still lie in a file of its own.
#[derive(Debug)]
pub struct Listed(Inner);

#[derive(Debug)]
enum Inner {
    Ready(Item),
    File {
        page: Box<Page>,
        path: PathBuf,
        place: Place,
        moment_from_file: bool,
    },
    Capture(Box<Capture>, Place),
}

impl Listed {
    /// A record whose block was read and must be looked into.
    pub(super) fn capture(capture: Capture, place: Place) -> Self {
        Self(Inner::Capture(Box::new(capture), place))
    }

    /// An item that needs no further reading.
    pub(super) fn ready(item: Item) -> Self {
        Self(Inner::Ready(item))
    }

    /// A page whose body is the file at `path`. `moment_from_file`: its moment is the file's
    /// modification time.
    pub(super) fn file(page: Box<Page>, path: PathBuf, place: Place, moment_from_file: bool) -> Self {
        Self(Inner::File {
            page,
            path,
            place,
            moment_from_file,
        })
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> &Place {
        match &self.0 {
            Inner::Ready(Item::Page(_, place)) | Inner::File { place, .. } | Inner::Capture(_, place) => {
                place
            }
            Inner::Ready(Item::Skipped(fault) | Item::LeftOut(fault) | Item::Noted(fault)) => &fault.place,
        }
    }

    /// Reads the body, if it is not read yet. What is noted about it comes first.
    #[must_use]
    pub fn read(self, options: &SourceOptions) -> (Vec<Fault>, Item) {
        let item = match self.0 {
            Inner::Ready(item) => item,
            Inner::Capture(capture, place) => {
                let mut notes = Notes::new();
                let item = match capture.finish(options, &mut notes) {
                    Ok(page) => Item::Page(page, place.clone()),
                    Err(refusal) => refusal.item(place.clone()),
                };
                return (noted(&item, notes, &place), item);
            }
            Inner::File {
                mut page,
                path,
                place,
                moment_from_file,
            } => match read_file(&path, &place, options.max_page_size) {
                Ok((body, moment)) => {
                    if moment_from_file {
                        page.moment = moment;
                    }
                    page.body = body;
                    checked(page, place)
                }
                Err(fault) => Item::Skipped(fault),
            },
        };
        (Vec::new(), item)
    }
}

/// Notes as faults. Where an item could not be read at all, its fault says enough.
pub(super) fn noted(item: &Item, notes: Notes, place: &Place) -> Vec<Fault> {
    if !matches!(item, Item::Page(..) | Item::LeftOut(_)) {
        return Vec::new();
    }
    notes
        .into_iter()
        .map(|(reason, message)| Fault::new(place.clone(), reason, message))
        .collect()
}

/// The bytes of a file and its modification time, if the file is a plain one and not too large.
fn read_file(path: &PathBuf, place: &Place, limit: usize) -> Result<(Vec<u8>, Option<Moment>), Fault> {
    let unreadable = |error: std::io::Error| {
        let mut fault = Fault::unreadable(place.clone(), &error);
        if *place.file != *path.to_string_lossy() {
            fault.message = format!("{}: {}", path.display(), fault.message);
        }
        fault
    };
    // Asked before opening: opening a named pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Fault::new(
            place.clone(),
            Reason::NotAFile,
            format!("{} is not a regular file", path.display()),
        ));
    }
    let moment = metadata.modified().ok().and_then(Moment::from_system_time);
    if metadata.len() > limit as u64 {
        return Err(too_large(place.clone(), limit));
    }
    let mut body = Vec::with_capacity(metadata.len() as usize + 1);
    File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut body))
        .map_err(unreadable)?;
    if body.len() > limit {
        return Err(too_large(place.clone(), limit));
    }
    Ok((body, moment))
}

/// The fault of a page over the limit.
pub(super) fn too_large(place: Place, limit: usize) -> Fault {
    Fault::new(
        place,
        Reason::TooLarge,
        format!("larger than the limit of {limit} bytes; raise it with --max-page-size"),
    )
}

/// The page, unless its body is empty or no HTML.
pub(super) fn checked(page: Box<Page>, place: Place) -> Item {
    if page.body.is_empty() {
        return Item::Skipped(Fault::new(place, Reason::Empty, "the page is empty"));
    }
    if !looks_like_html(&page.body) {
        return Item::Skipped(Fault::new(
            place,
            Reason::NotHtml,
            "not HTML: there is no tag in it, or it starts like another format",
        ));
    }
    Item::Page(page, place)
}

/// First bytes of formats that turn up under a page's name and may hold `<` by chance.
const FOREIGN: &[&[u8]] = &[
    b"%PDF-",
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"BZh",
    b"\xfd7zXZ\0",
    b"7z\xbc\xaf\x27\x1c",
    b"RIFF",
    b"\x7fELF",
    b"\0asm",
    b"wOFF",
    b"wOF2",
    b"SQLite format 3\0",
];

/// Whether bytes start like a known format that is not HTML.
pub(super) fn is_foreign(body: &[u8]) -> bool {
    FOREIGN.iter().any(|magic| body.starts_with(magic))
}

/// Whether bytes may be an HTML document: not the first bytes of a known other format, and a tag,
/// comment or doctype somewhere (in UTF-16 too). Deliberately generous: bad markup is still a page.
#[must_use]
pub fn looks_like_html(body: &[u8]) -> bool {
    if is_foreign(body) {
        return false;
    }
    has_tag(body) || is_plain_text(body)
}

/// Whether there is a tag, comment or doctype anywhere, in UTF-16 too.
pub(super) fn has_tag(body: &[u8]) -> bool {
    memchr::memchr_iter(b'<', body).any(|at| {
        let next = match body.get(at + 1) {
            Some(0) => body.get(at + 2),
            other => other,
        };
        next.is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'!' | b'/' | b'?'))
    })
}

/// Whether the body is text without markup: what a server or a crawler answers when it fails, and
/// what a browser shows as a page of one paragraph.
fn is_plain_text(body: &[u8]) -> bool {
    !body.is_empty()
        && body.iter().all(|&byte| {
            byte >= b' ' && byte != 0x7F || matches!(byte, b'\t' | b'\n' | b'\x0C' | b'\r' | 0x1B)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_other_formats() {
        let utf16le: Vec<u8> = "<p>글".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16be: Vec<u8> = "<p>글".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for page in [
            &b"\0\0<p>a"[..],
            b"text <br> text",
            b"only text, 3 < 4",
            b"<!doctype",
            &utf16le,
            &utf16be,
        ] {
            assert!(looks_like_html(page), "{page:?}");
        }
        for other in [&b""[..], b"no text \0\x01", b"%PDF-1.7 <a>", b"\x1f\x8b<a>"] {
            assert!(!looks_like_html(other), "{other:?}");
        }
    }
}
