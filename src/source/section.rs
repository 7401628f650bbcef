//! Parts of files that can be opened again.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

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
