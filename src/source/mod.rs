//! Where pages come from: directory, file, WARC, NDJSON stream.
//!
//! [`open`] turns one argument of the command line into an iterator of [`Item`]s: pages with the
//! [`Place`] they came from, and faults with the place they stand at. A fault never ends the rest.
//! The cheap half (walking, reading lines) and the dear half (reading the files they name) come
//! apart in [`Source::next_listed`] and [`Listed::read`], so that bodies can be read on another thread.
//!
//! Never: stores.

mod body;
mod fault;
mod folder;
mod input;
mod kept;
mod line;
mod ndjson;
mod offsets;
mod options;
mod original;
mod payload;
mod records;
mod revisit;
mod section;
mod wacz;

use std::path::Path;

pub use body::{Listed, looks_like_html};
pub use fault::{At, Fault, Place, Reason, SourceError};
pub use input::Progress;
pub use options::{DEFAULT_MAX_PAGE_SIZE, KeyMap, SourceOptions};
pub use revisit::{Revisit, Revisits};

use crate::page::Page;

/// What a source yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A page, and where it stands in the input.
    Page(Box<Page>, Place),
    /// Input that should have been a page and could not be read as one.
    Skipped(Fault),
    /// Input that is no page by what was asked for: a WARC's requests, images, scripts. Counted, no
    /// fault of the input.
    LeftOut(Fault),
    /// Something is wrong although a page was read: a digest that does not fit, a truncated record.
    Noted(Fault),
}

/// An opened source: an iterator of items that can be sent to another thread.
pub struct Source {
    entries: Box<dyn Iterator<Item = Listed> + Send>,
    progress: Progress,
    options: SourceOptions,
    /// What follows the notes about it.
    ready: std::collections::VecDeque<Item>,
}

impl Source {
    fn new(
        entries: impl Iterator<Item = Listed> + Send + 'static,
        progress: Progress,
        options: SourceOptions,
    ) -> Self {
        Self {
            entries: Box::new(entries),
            progress,
            options,
            ready: std::collections::VecDeque::new(),
        }
    }

    /// How far the reading is; a handle that can be kept while the source itself is on another thread.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// The next item with its body perhaps not read yet; [`Listed::read`] completes it, on any thread
    /// and in any order.
    pub fn next_listed(&mut self) -> Option<Listed> {
        self.entries.next()
    }

    /// The options the source was opened with, for [`Listed::read`].
    #[must_use]
    pub fn options(&self) -> &SourceOptions {
        &self.options
    }
}

impl Iterator for Source {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if let Some(item) = self.ready.pop_front() {
            return Some(item);
        }
        let (notes, item) = self.entries.next()?.read(&self.options);
        self.ready.extend(notes.into_iter().map(Item::Noted));
        self.ready.push_back(item);
        self.ready.pop_front()
    }
}

/// Reads a stream that somebody else opened; `name` stands in places. What it holds is told by its
/// first bytes.
pub fn from_reader(
    name: &str,
    reader: impl std::io::Read + Send + 'static,
    options: &SourceOptions,
) -> Source {
    input::stream(name, Box::new(reader), options)
}

/// Opens what one argument names: a directory, a file, or `-` for standard input.
///
/// A directory that holds `index.ndjson` is that file; any other is walked in sorted order. What a
/// file is (WARC, ARC, WACZ, NDJSON, a page; gzip or zstd around all but WACZ) is told by its first bytes,
/// and where those tell nothing, by its name.
pub fn open(argument: &str, options: &SourceOptions) -> Result<Source, SourceError> {
    if argument == "-" {
        return Ok(input::standard_input(options));
    }
    let path = Path::new(argument);
    let unreadable = |error| SourceError::Open {
        path: argument.to_owned(),
        error,
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        let index = path.join(folder::INDEX);
        if index.is_file() {
            return input::lazy(&index, options).map_err(unreadable);
        }
        return folder::open(path, options).map_err(unreadable);
    }
    input::lazy(path, options).map_err(unreadable)
}
