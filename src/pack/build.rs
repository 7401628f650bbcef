//! Writing a pack: header, frames, records, tables, footer.

use std::io::Write;

use super::codec::{self, Codec, Compressed};
use super::field::put_number;
use super::frame::{Against, Frame, Head, Kind, check, put_before_payload};
use super::record::Record;
use super::{FORMAT, MAX_PACK_BYTES, PackError, limited};
use crate::digest::Hash;

/// The eight bytes every pack begins with.
pub const PACK_MAGIC: [u8; 8] = *b"\x8aPMPACK\n";

/// The eight bytes the footer begins with.
pub const FOOTER_MAGIC: [u8; 8] = *b"\x8aPMFOOT\n";

/// Length of the header, and of the footer, in bytes.
pub const HEADER: usize = 32;
/// Length of the footer in bytes.
pub const FOOTER: usize = 40;

/// Records gathered in one frame, in bytes before compression. A restore decodes one such frame for
/// headers and metadata, so it is small.
const RECORDS_FRAME: usize = 128 << 10;

/// zstd level of records and tables: they are few bytes, written once.
const TABLE_LEVEL: i32 = 12;

pub(super) mod directory_tag {
    pub const FRAMES: u64 = 2;
    pub const PAGES: u64 = 4;
    pub const RECORDS: u64 = 6;
    pub const RECORDS_AT: u64 = 1;
    pub const PAGE_TABLE_AT: u64 = 3;
    pub const COLD: u64 = 8;
}

/// Where a record came to lie.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedRecord {
    /// Offset of its frame in the pack, in bytes.
    pub at: u64,
    /// Place in the frame, counted from 0.
    pub place: u32,
    /// The record.
    pub record: Record,
    /// Index in the order in which records were given to the builder.
    pub given: usize,
}

/// Where a body came to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedPage {
    /// First eight bytes of the body's BLAKE3, big-endian.
    pub prefix: u64,
    /// Offset of its frame in the pack, in bytes.
    pub at: u64,
    /// Place in the frame, counted from 0.
    pub place: u32,
    /// Delta steps to a body without a base.
    pub depth: u32,
    /// Length of the body in bytes.
    pub length: u64,
    /// BLAKE3 of the base, if the body is a delta.
    pub base: Option<Hash>,
}

/// A pack that is complete.
#[derive(Debug)]
pub struct Finished<W> {
    /// What the bytes were written to.
    pub out: W,
    /// BLAKE3 of all bytes: the pack's name.
    pub name: Hash,
    /// Length in bytes.
    pub length: u64,
    /// Its bodies, in the order of the file.
    pub pages: Vec<PlacedPage>,
    /// Its records, in the order of the file.
    pub records: Vec<PlacedRecord>,
}

/// Builds one pack.
#[derive(Debug)]
pub struct PackBuilder<W> {
    out: W,
    hasher: blake3::Hasher,
    offset: u64,
    frames: u32,
    cold: bool,
    pages: Vec<PlacedPage>,
    records: Vec<Record>,
    buffer: Vec<u8>,
}

impl<W: Write> PackBuilder<W> {
    /// Begins a pack. `cold` is a remark that `compact` made it.
    pub fn new(out: W, cold: bool) -> Result<Self, PackError> {
        let mut builder = Self {
            out,
            hasher: blake3::Hasher::new(),
            offset: 0,
            frames: 0,
            cold,
            pages: Vec::new(),
            records: Vec::new(),
            buffer: Vec::new(),
        };
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(&PACK_MAGIC);
        header.extend_from_slice(&FORMAT.to_le_bytes());
        header.extend_from_slice(&(HEADER as u16).to_le_bytes());
        header.resize(HEADER - 8, 0);
        let header_check: [u8; 8] = check(&header);
        header.extend_from_slice(&header_check);
        builder.write(&header)?;
        Ok(builder)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        limited(
            "length of a pack",
            self.offset + bytes.len() as u64,
            MAX_PACK_BYTES,
        )?;
        self.out.write_all(bytes)?;
        self.hasher.update(bytes);
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn frame(
        &mut self,
        kind: Kind,
        codec: Codec,
        head: &Head,
        check: [u8; 8],
        payload: &[u8],
    ) -> Result<u64, PackError> {
        let at = self.offset;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        put_before_payload(&mut buffer, kind, codec, self.frames, head, check, payload.len())?;
        self.write(&buffer)?;
        self.write(payload)?;
        self.buffer = buffer;
        self.frames += 1;
        Ok(at)
    }

    /// Appends one body; the offset of its frame. `base` names the base and the body's own depth.
    pub fn page(
        &mut self,
        body: &Hash,
        raw: u64,
        base: Option<(&Hash, u32)>,
        codec: Codec,
        payload: &[u8],
    ) -> Result<u64, PackError> {
        let head = Head::page(raw, body, base);
        let at = self.frame(Kind::Page, codec, &head, check(payload), payload)?;
        self.pages.push(PlacedPage {
            prefix: body.prefix(),
            at,
            place: 0,
            depth: base.map_or(0, |(_, depth)| depth),
            length: raw,
            base: base.map(|(base, _)| *base),
        });
        Ok(at)
    }

    /// Appends several bodies, each with its length in bytes, as one group; the offset of the frame.
    pub fn group(
        &mut self,
        bodies: &[(Hash, u32)],
        against: Against<'_>,
        payload: &[u8],
    ) -> Result<u64, PackError> {
        let lengths: Vec<u32> = bodies.iter().map(|(_, length)| *length).collect();
        let head = Head::group(&lengths, against);
        let at = self.frame(Kind::Group, Codec::Zstd, &head, check(payload), payload)?;
        let (base, depth) = match against {
            Against::Base(base, depth) => (Some(*base), depth),
            Against::Nothing | Against::Prefix(_) => (None, 0),
        };
        for (place, (body, length)) in bodies.iter().enumerate() {
            self.pages.push(PlacedPage {
                prefix: body.prefix(),
                at,
                place: place as u32,
                depth,
                length: u64::from(*length),
                base,
            });
        }
        Ok(at)
    }

    /// Appends a frame of bodies of another pack as it is; its offset. `hashes` are those of its bodies, in their
    /// order, and `against` is what the frame says, with the offset of a prefix in this pack.
    pub fn copy(
        &mut self,
        frame: &Frame,
        hashes: &[Hash],
        against: Against<'_>,
        payload: &[u8],
    ) -> Result<u64, PackError> {
        if let (Kind::Page, Some(body)) = (frame.kind, &frame.body) {
            let base = frame.base.as_ref().map(|base| (base, frame.depth));
            return self.page(body, frame.raw, base, frame.codec, payload);
        }
        let bodies: Vec<(Hash, u32)> = hashes
            .iter()
            .copied()
            .zip(frame.lengths.iter().copied())
            .collect();
        self.group(&bodies, against, payload)
    }

    /// Takes a record in; records are written, sorted, when the pack is finished.
    pub fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Bytes written so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.offset
    }

    /// Number of bodies so far.
    #[must_use]
    pub fn page_count(&self) -> usize {
        self.pages.len()
    }

    /// Number of records so far.
    #[must_use]
    pub fn record_count(&self) -> usize {
        self.records.len()
    }

    /// What the pack is written to.
    #[must_use]
    pub fn out(&self) -> &W {
        &self.out
    }

    /// Writes records, tables, directory and footer.
    pub fn finish(mut self) -> Result<Finished<W>, PackError> {
        let (records, records_at) = self.write_records()?;
        let table_at = self.write_page_table()?;
        let mut directory = Vec::new();
        for at in records_at {
            put_number(&mut directory, directory_tag::RECORDS_AT, at);
        }
        put_number(&mut directory, directory_tag::PAGE_TABLE_AT, table_at);
        put_number(&mut directory, directory_tag::FRAMES, u64::from(self.frames) + 1);
        put_number(&mut directory, directory_tag::PAGES, self.pages.len() as u64);
        put_number(&mut directory, directory_tag::RECORDS, records.len() as u64);
        put_number(&mut directory, directory_tag::COLD, u64::from(self.cold));
        let directory_at = self.entries(Kind::Directory, &directory, 1)?;
        let mut footer = Vec::with_capacity(FOOTER);
        footer.extend_from_slice(&FOOTER_MAGIC);
        footer.extend_from_slice(&directory_at.to_le_bytes());
        footer.extend_from_slice(&(self.offset + FOOTER as u64).to_le_bytes());
        footer.extend_from_slice(&FORMAT.to_le_bytes());
        footer.resize(FOOTER - 8, 0);
        let footer_check: [u8; 8] = check(&footer);
        footer.extend_from_slice(&footer_check);
        self.write(&footer)?;
        self.out.flush()?;
        Ok(Finished {
            out: self.out,
            name: Hash(*self.hasher.finalize().as_bytes()),
            length: self.offset,
            pages: self.pages,
            records,
        })
    }

    fn write_records(&mut self) -> Result<(Vec<PlacedRecord>, Vec<u64>), PackError> {
        let mut given: Vec<(usize, Record)> = std::mem::take(&mut self.records)
            .into_iter()
            .enumerate()
            .collect();
        given.sort_by(|(_, one), (_, other)| one.sort_key().cmp(&other.sort_key()));
        let mut placed: Vec<PlacedRecord> = Vec::with_capacity(given.len());
        let mut offsets = Vec::new();
        let mut bytes = Vec::new();
        let mut first = 0;
        for (index, record) in given {
            record.put(&mut bytes)?;
            placed.push(PlacedRecord {
                at: self.offset,
                place: (placed.len() - first) as u32,
                record,
                given: index,
            });
            if bytes.len() >= RECORDS_FRAME {
                offsets.push(self.entries(Kind::Records, &bytes, (placed.len() - first) as u64)?);
                bytes.clear();
                first = placed.len();
            }
        }
        if !bytes.is_empty() {
            offsets.push(self.entries(Kind::Records, &bytes, (placed.len() - first) as u64)?);
        }
        Ok((placed, offsets))
    }

    /// The page table by columns: prefixes ascending, then offsets, then places.
    fn write_page_table(&mut self) -> Result<u64, PackError> {
        let mut rows: Vec<(u64, u64, u32)> = self
            .pages
            .iter()
            .map(|page| (page.prefix, page.at, page.place))
            .collect();
        rows.sort_unstable();
        let mut table = Vec::with_capacity(rows.len() * 16);
        for (prefix, _, _) in &rows {
            table.extend_from_slice(&prefix.to_be_bytes());
        }
        for (_, at, _) in &rows {
            table.extend_from_slice(&(*at as u32).to_le_bytes());
        }
        for (_, _, place) in &rows {
            table.extend_from_slice(&place.to_le_bytes());
        }
        self.entries(Kind::PageTable, &table, rows.len() as u64)
    }

    fn entries(&mut self, kind: Kind, bytes: &[u8], count: u64) -> Result<u64, PackError> {
        let Compressed { codec, payload, .. } = codec::compress(bytes, None, TABLE_LEVEL);
        let head = Head::entries(bytes.len() as u64, count);
        self.frame(kind, codec, &head, check(&payload), &payload)
    }
}
