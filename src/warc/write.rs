//! Writes records, each compressed by itself so that it can be read alone.

use std::io::{self, Write};
use std::sync::Mutex;

use libdeflater::{CompressionLvl, Compressor};

use super::digest::{Algorithm, Declared};
use crate::page::Moment;

/// How each record is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// One gzip member each, level 1 to 9.
    Gzip(u32),
    /// One zstd frame each, level 1 to 22.
    Zstd(i32),
}

/// A record to be written. Its length and block digest are computed.
#[derive(Debug, Clone, Default)]
pub struct Draft<'a> {
    /// `WARC-Type`.
    pub kind: &'a str,
    /// `WARC-Record-ID` without angle brackets.
    pub id: &'a str,
    /// `WARC-Date`.
    pub date: Moment,
    /// `WARC-Target-URI`.
    pub target: Option<&'a str>,
    /// `Content-Type` of the block.
    pub content_type: &'a str,
    /// Further fields, after the ones above.
    pub fields: &'a [(&'a str, &'a str)],
    /// The block, in parts.
    pub block: &'a [&'a [u8]],
}

/// Where a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Bytes before it in the output.
    pub offset: u64,
    /// Its bytes in the output, compressed.
    pub length: u64,
}

/// Makes the bytes of records; on any thread, several at a time.
pub struct Packer {
    compression: Compression,
    /// Compressors not in use.
    spare: Mutex<Vec<Compressor>>,
}

/// The bytes of a record, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed(Vec<u8>);

impl Packer {
    /// Compresses every record like this.
    #[must_use]
    pub fn new(compression: Compression) -> Self {
        Self {
            compression,
            spare: Mutex::default(),
        }
    }

    /// Lays out and compresses one record.
    pub fn pack(&self, draft: &Draft<'_>) -> io::Result<Packed> {
        let plain = lay_out(draft);
        Ok(Packed(match self.compression {
            Compression::None => plain,
            Compression::Gzip(level) => self.gzip(&plain, level)?,
            Compression::Zstd(level) => zstd::bulk::compress(&plain, level.clamp(1, 22))?,
        }))
    }

    fn gzip(&self, plain: &[u8], level: u32) -> io::Result<Vec<u8>> {
        let spare = self.spare.lock().ok().and_then(|mut spare| spare.pop());
        let level = CompressionLvl::new(level.clamp(1, 9).cast_signed()).unwrap_or_default();
        let mut compressor = spare.unwrap_or_else(|| Compressor::new(level));
        let mut packed = vec![0; compressor.gzip_compress_bound(plain.len())];
        let length = compressor
            .gzip_compress(plain, &mut packed)
            .map_err(|error| io::Error::other(error.to_string()))?;
        packed.truncate(length);
        if let Ok(mut spare) = self.spare.lock() {
            spare.push(compressor);
        }
        Ok(packed)
    }
}

/// Writes the records of one WARC 1.1 file.
pub struct Writer<W> {
    out: W,
    offset: u64,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`, from its present position on.
    pub fn new(out: W) -> Self {
        Self { out, offset: 0 }
    }

    /// Writes one record.
    pub fn write(&mut self, packed: &Packed) -> io::Result<Written> {
        self.out.write_all(&packed.0)?;
        let written = Written {
            offset: self.offset,
            length: packed.0.len() as u64,
        };
        self.offset += written.length;
        Ok(written)
    }

    /// Ends the file and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// The bytes of a record, uncompressed.
fn lay_out(draft: &Draft<'_>) -> Vec<u8> {
    let length: usize = draft.block.iter().map(|part| part.len()).sum();
    let mut to = Vec::with_capacity(length + 1024);
    to.extend_from_slice(b"WARC/1.1\r\n");
    put_field(&mut to, "WARC-Type", draft.kind);
    put_field(&mut to, "WARC-Record-ID", &format!("<{}>", draft.id));
    put_field(&mut to, "WARC-Date", &draft.date.to_string());
    if let Some(target) = draft.target {
        put_field(&mut to, "WARC-Target-URI", target);
    }
    for (name, value) in draft.fields {
        put_field(&mut to, name, value);
    }
    put_field(&mut to, "WARC-Block-Digest", &sha1(draft.block).to_string());
    if !draft.content_type.is_empty() {
        put_field(&mut to, "Content-Type", draft.content_type);
    }
    put_field(&mut to, "Content-Length", &length.to_string());
    to.extend_from_slice(b"\r\n");
    for part in draft.block {
        to.extend_from_slice(part);
    }
    to.extend_from_slice(b"\r\n\r\n");
    to
}

/// Appends `name: value` and a line end. Line ends and NULs inside become spaces, so that no value
/// can begin a line of its own.
pub fn put_field(to: &mut Vec<u8>, name: &str, value: &str) {
    let put = |to: &mut Vec<u8>, text: &str| {
        to.extend(text.bytes().map(|byte| match byte {
            b'\r' | b'\n' | 0 => b' ',
            other => other,
        }));
    };
    put(to, name);
    to.extend_from_slice(b": ");
    put(to, value);
    to.extend_from_slice(b"\r\n");
}

/// SHA-1 of several parts.
fn sha1(parts: &[&[u8]]) -> Declared {
    use sha1::Digest as _;
    let mut hasher = sha1::Sha1::new();
    for part in parts {
        hasher.update(part);
    }
    Declared {
        algorithm: Algorithm::Sha1,
        bytes: hasher.finalize().to_vec(),
    }
}
