//! One file of a WACZ: opened, and hashed on the way.

use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use sha2::Digest as _;
use zip::CompressionMethod;

use super::super::input::Progress;
use super::super::section::Section;
use super::super::{At, Fault, Place, Reason};
use crate::digest::Hash;

/// Bytes read at once of what is only hashed.
const BUFFER: usize = 128 << 10;

/// Where a file of a WACZ lies.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The WACZ's name, `/`, the path.
    pub(super) name: String,
    /// Its path inside the WACZ.
    pub(super) path: String,
    /// Its bytes in the file on disk, perhaps compressed.
    pub(super) section: Section,
    pub(super) method: CompressionMethod,
    /// Declared length in bytes, uncompressed.
    pub(super) length: u64,
}

impl Entry {
    pub(super) fn place(&self, at: At) -> Place {
        Place {
            file: self.name.as_str().into(),
            at,
        }
    }

    /// The name without its folders, as indexes give it.
    pub(super) fn base(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Its bytes, uncompressed.
    pub(super) fn open(&self) -> Result<Box<dyn Read + Send>, Fault> {
        self.opened(|raw| Box::new(raw))
    }

    /// The same, counted as progress of the input.
    pub(super) fn open_counted(&self, progress: &Progress) -> Result<Box<dyn Read + Send>, Fault> {
        self.opened(|raw| Box::new(progress.counted(raw)))
    }

    fn opened(
        &self,
        wrap: impl FnOnce(super::super::section::SectionReader) -> Box<dyn Read + Send>,
    ) -> Result<Box<dyn Read + Send>, Fault> {
        let whole = self.place(At::Whole);
        let raw = self
            .section
            .open()
            .map_err(|error| Fault::unreadable(whole.clone(), &error))?;
        match self.method {
            CompressionMethod::Stored => Ok(wrap(raw)),
            CompressionMethod::Deflated => Ok(Box::new(flate2::read::DeflateDecoder::new(wrap(raw)))),
            other => Err(Fault::new(
                whole,
                Reason::Unsupported,
                format!("compressed by {other} inside the zip file; unpack it first"),
            )),
        }
    }

    /// All of it, if it is not longer than `limit` bytes.
    pub(super) fn read(&self, limit: u64) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        self.open()?
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Fault::unreadable(self.place(At::Whole), &error))?;
        if bytes.len() as u64 > limit {
            return Err(Fault::new(
                self.place(At::Whole),
                Reason::TooLarge,
                format!("longer than the limit of {limit} bytes; it is not checked"),
            ));
        }
        Ok(bytes)
    }

    /// SHA-256 of all of it.
    pub(super) fn hash(&self) -> Option<Hash> {
        Hashing::default().finish(self)
    }
}

/// SHA-256 of what was read of an entry so far.
#[derive(Default)]
pub(super) struct Hashing {
    sha256: sha2::Sha256,
    bytes: u64,
}

impl Hashing {
    /// Hashes what is read through the reader it returns.
    pub(super) fn over(reader: Box<dyn Read + Send>, hashing: &Arc<Mutex<Self>>) -> HashingReader {
        HashingReader {
            reader,
            hashing: Arc::clone(hashing),
        }
    }

    /// The hash of the whole entry: what was not read yet is read now. `None` if that fails.
    pub(super) fn finish(mut self, entry: &Entry) -> Option<Hash> {
        if self.bytes < entry.length {
            let mut reader = entry.open().ok()?;
            io::copy(&mut (&mut reader).take(self.bytes), &mut io::sink()).ok()?;
            let mut buffer = vec![0; BUFFER];
            loop {
                match reader.read(&mut buffer).ok()? {
                    0 => break,
                    read => self.sha256.update(&buffer[..read]),
                }
            }
        }
        Some(Hash(self.sha256.finalize().into()))
    }
}

/// See [`Hashing::over`].
pub(super) struct HashingReader {
    reader: Box<dyn Read + Send>,
    hashing: Arc<Mutex<Hashing>>,
}

impl Read for HashingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if let Ok(mut hashing) = self.hashing.lock() {
            hashing.sha256.update(&buffer[..read]);
            hashing.bytes += read as u64;
        }
        Ok(read)
    }
}
