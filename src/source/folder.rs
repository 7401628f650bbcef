//! A directory without an index: every page under it, in sorted order.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::body::Listed;
use super::input::{self, Progress};
use super::{Fault, Item, Place, Reason, Source, SourceOptions};
use crate::page::Page;

/// A directory with a file of this name is what the file lists.
pub(super) const INDEX: &str = "index.ndjson";

/// Deepest directory walked into, so that links that lead ever deeper come to an end.
const MAX_DEPTH: usize = 512;

/// Opens a directory to be walked. Links are followed; one that leads back up is a fault.
pub(super) fn open(folder: &Path, options: &SourceOptions) -> io::Result<Source> {
    // A directory that cannot be listed at all is an error of the argument, not a fault inside.
    drop(std::fs::read_dir(folder)?);
    let progress = Progress::files();
    let walk = Walk {
        entries: WalkDir::new(folder)
            .follow_links(true)
            .max_depth(MAX_DEPTH)
            .sort_by_file_name()
            .into_iter(),
        folder: folder.to_owned(),
        options: options.clone(),
        progress: progress.clone(),
        inside: None,
    };
    Ok(Source::new(walk, progress, options.clone()))
}

struct Walk {
    entries: walkdir::IntoIter,
    folder: PathBuf,
    options: SourceOptions,
    progress: Progress,
    /// A container file that is being read.
    inside: Option<Box<dyn Iterator<Item = Listed> + Send>>,
}

impl Iterator for Walk {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        loop {
            if let Some(inside) = &mut self.inside {
                if let Some(listed) = inside.next() {
                    return Some(listed);
                }
                self.inside = None;
            }
            let entry = match self.entries.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Listed::ready(Item::Skipped(walk_fault(&self.folder, &error)))),
            };
            if entry.file_type().is_dir() {
                continue;
            }
            match wanted(&entry) {
                Wanted::Page => {
                    self.progress.add(1);
                    return Some(self.page(entry.into_path()));
                }
                Wanted::Container => {
                    self.progress.add(1);
                    let path = entry.into_path();
                    match input::file(&path, &self.options) {
                        Ok(source) => self.inside = Some(source.entries),
                        Err(error) => {
                            let fault = Fault::unreadable(Place::whole(&path), &error);
                            return Some(Listed::ready(Item::Skipped(fault)));
                        }
                    }
                }
                Wanted::Nothing => {
                    let fault = Fault::new(
                        Place::whole(entry.path()),
                        Reason::FileType,
                        "neither a page nor a WARC by its name; name the file itself to have it read",
                    );
                    return Some(Listed::ready(Item::LeftOut(fault)));
                }
            }
        }
    }
}

impl Walk {
    fn page(&self, path: PathBuf) -> Listed {
        let relative = path.strip_prefix(&self.folder).unwrap_or(&path);
        let page = Box::new(Page {
            address: self.options.address(&slashed(relative)),
            ..Page::default()
        });
        let place = Place::whole(&path);
        Listed::file(page, path, place, true)
    }
}

enum Wanted {
    Page,
    Container,
    Nothing,
}

fn wanted(entry: &DirEntry) -> Wanted {
    let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
    // A crawler's file that is being written, or was when the crawler died.
    let closed = name.strip_suffix(".open").unwrap_or(&name);
    let bare = closed
        .strip_suffix(".gz")
        .or_else(|| closed.strip_suffix(".zst"))
        .unwrap_or(closed);
    let extension = |name: &str| Path::new(name).extension().map(OsStr::to_owned);
    let (whole, inner) = (extension(&name), extension(bare));
    if whole.is_some_and(|e| e == "html" || e == "htm") {
        Wanted::Page
    } else if inner.is_some_and(|e| e == "warc" || e == "arc" || e == "wacz") {
        Wanted::Container
    } else {
        Wanted::Nothing
    }
}

/// The bytes of a relative path with `/` between its parts.
pub(super) fn slashed(path: &Path) -> Vec<u8> {
    let parts: Vec<&[u8]> = path
        .components()
        .map(|part| part.as_os_str().as_encoded_bytes())
        .collect();
    parts.join(&b'/')
}

fn walk_fault(folder: &Path, error: &walkdir::Error) -> Fault {
    let place = Place::whole(error.path().unwrap_or(folder));
    if let Some(ancestor) = error.loop_ancestor() {
        return Fault::new(
            place,
            Reason::LinkLoop,
            format!("a link that leads back to {}; not followed", ancestor.display()),
        );
    }
    match error.io_error() {
        Some(io) => Fault::unreadable(place, io),
        None => Fault::new(place, Reason::Unreadable, error.to_string()),
    }
}
