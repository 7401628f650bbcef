//! Revisit records: where their originals stand, in earlier records or in the archive.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use crate::page::{Moment, Page};
use crate::warc::digest::Declared;

/// Most earlier records remembered; beyond it only the archive resolves a revisit. About 40 bytes each.
const MAX_REMEMBERED: usize = 4_000_000;

/// What a revisit record says about its original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revisit {
    /// The original's address: `WARC-Refers-To-Target-URI`, else the revisit's own.
    pub address: String,
    /// The original's moment: `WARC-Refers-To-Date`.
    pub moment: Option<Moment>,
    /// The original's payload digest.
    pub digest: Option<Declared>,
}

type Archive = dyn Fn(&Revisit) -> Option<Page> + Send + Sync;

/// Where the originals of revisits stand: a table of earlier records, shared by every clone, and the
/// archive if one was given.
#[derive(Clone, Default)]
pub struct Revisits {
    earlier: Arc<Mutex<FxHashMap<u64, Earlier>>>,
    archive: Option<Arc<Archive>>,
}

impl fmt::Debug for Revisits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Revisits").finish_non_exhaustive()
    }
}

impl Revisits {
    /// Asks `archive` for originals that no earlier record holds.
    #[must_use]
    pub fn with_archive(archive: impl Fn(&Revisit) -> Option<Page> + Send + Sync + 'static) -> Self {
        Self {
            earlier: Arc::default(),
            archive: Some(Arc::new(archive)),
        }
    }

    /// Asks the archive.
    pub(super) fn ask_archive(&self, revisit: &Revisit) -> Option<Page> {
        self.archive.as_ref()?(revisit)
    }

    pub(super) fn remember(&self, keys: impl Iterator<Item = u64>, earlier: &Earlier) {
        if let Ok(mut table) = self.earlier.lock() {
            for key in keys {
                if table.len() < MAX_REMEMBERED {
                    table.entry(key).or_insert_with(|| earlier.clone());
                }
            }
        }
    }

    pub(super) fn find(&self, key: u64) -> Option<Earlier> {
        self.earlier.lock().ok()?.get(&key).cloned()
    }
}

/// An earlier record.
#[derive(Debug, Clone)]
pub(super) struct Earlier {
    /// Where to open it; `None` if its input cannot be opened again.
    pub(super) section: Option<Arc<Section>>,
    /// Offset of its member in the section.
    pub(super) offset: u64,
    /// Whether it was taken in as a page.
    pub(super) page: bool,
}

/// The key of an address and moment in the table of earlier records.
pub(super) fn place_key(address: &str, moment: Moment) -> u64 {
    crate::digest::blake3(format!("{address}\n{}", moment.seconds()).as_bytes()).prefix()
}

/// A part of a file that holds a WARC: all of it, or an entry of a WACZ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) path: PathBuf,
    pub(super) start: u64,
    /// Bytes; `None` up to the end of the file.
    pub(super) length: Option<u64>,
}

impl Section {
    pub(super) fn open(&self) -> io::Result<SectionReader> {
        let mut file = File::open(&self.path)?;
        let length = match self.length {
            Some(length) => length,
            None => file.metadata()?.len().saturating_sub(self.start),
        };
        if self.start > 0 {
            file.seek(SeekFrom::Start(self.start))?;
        }
        Ok(SectionReader {
            file,
            start: self.start,
            length,
            at: 0,
        })
    }
}

/// Reads a part of a file as if it were one.
#[derive(Debug)]
pub(super) struct SectionReader {
    file: File,
    start: u64,
    length: u64,
    at: u64,
}

impl Read for SectionReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.file.read(&mut buffer[..wanted])?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for SectionReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        }
        .ok_or(io::ErrorKind::InvalidInput)?;
        let absolute = self
            .start
            .checked_add(target)
            .ok_or(io::ErrorKind::InvalidInput)?;
        self.file.seek(SeekFrom::Start(absolute))?;
        self.at = target;
        Ok(target)
    }
}
