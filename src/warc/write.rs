//! Writes records, each compressed by itself so that it can be read alone.

use std::io::{self, Write};

use flate2::{Compress, FlushCompress, Status};

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

/// Writes the records of one WARC 1.1 file.
pub struct Writer<W> {
    out: W,
    compression: Compression,
    offset: u64,
    deflate: Option<Compress>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`, from its present position on.
    pub fn new(out: W, compression: Compression) -> Self {
        let deflate = match compression {
            Compression::Gzip(level) => Some(Compress::new_gzip(
                flate2::Compression::new(level.clamp(1, 9)),
                15,
            )),
            _ => None,
        };
        Self {
            out,
            compression,
            offset: 0,
            deflate,
            plain: Vec::new(),
            packed: Vec::new(),
        }
    }

    /// Writes one record.
    pub fn write(&mut self, draft: &Draft<'_>) -> io::Result<Written> {
        self.plain.clear();
        self.lay_out(draft);
        self.packed.clear();
        match (&mut self.deflate, self.compression) {
            (Some(deflate), _) => gzip(deflate, &self.plain, &mut self.packed)?,
            (None, Compression::Zstd(level)) => {
                self.packed = zstd::bulk::compress(&self.plain, level.clamp(1, 22))?;
            }
            (None, _) => std::mem::swap(&mut self.plain, &mut self.packed),
        }
        self.out.write_all(&self.packed)?;
        let written = Written {
            offset: self.offset,
            length: self.packed.len() as u64,
        };
        self.offset += written.length;
        Ok(written)
    }

    /// Ends the file and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn lay_out(&mut self, draft: &Draft<'_>) {
        let length: usize = draft.block.iter().map(|part| part.len()).sum();
        self.plain.reserve(length + 1024);
        self.plain.extend_from_slice(b"WARC/1.1\r\n");
        self.field("WARC-Type", draft.kind);
        self.field("WARC-Record-ID", &format!("<{}>", draft.id));
        self.field("WARC-Date", &draft.date.to_string());
        if let Some(target) = draft.target {
            self.field("WARC-Target-URI", target);
        }
        for (name, value) in draft.fields {
            self.field(name, value);
        }
        self.field("WARC-Block-Digest", &sha1(draft.block).to_string());
        if !draft.content_type.is_empty() {
            self.field("Content-Type", draft.content_type);
        }
        self.field("Content-Length", &length.to_string());
        self.plain.extend_from_slice(b"\r\n");
        for part in draft.block {
            self.plain.extend_from_slice(part);
        }
        self.plain.extend_from_slice(b"\r\n\r\n");
    }

    fn field(&mut self, name: &str, value: &str) {
        put_field(&mut self.plain, name, value);
    }
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

fn gzip(deflate: &mut Compress, plain: &[u8], packed: &mut Vec<u8>) -> io::Result<()> {
    deflate.reset();
    packed.reserve(plain.len() / 3 + 512);
    loop {
        let done = deflate.total_in() as usize;
        let status = deflate
            .compress_vec(
                plain.get(done..).unwrap_or_default(),
                packed,
                FlushCompress::Finish,
            )
            .map_err(io::Error::other)?;
        if status == Status::StreamEnd {
            return Ok(());
        }
        packed.reserve(packed.capacity().max(512));
    }
}
