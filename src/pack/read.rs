//! Reading a pack: by its footer, or a frame whose place is known.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::build::{FOOTER, FOOTER_MAGIC, HEADER, PACK_MAGIC, directory_tag};
use super::codec;
use super::field::{Fields, number};
use super::frame::{FIXED, Frame, Kind, check};
use super::record::Record;
use super::{FORMAT, MAX_ALIKE_RECORDS, PackError, limited};
use crate::disk::{ReadAt, read_at};

/// Bytes read at once in the hope that they hold a whole frame.
const FIRST_READ: u64 = 4096;

/// An open pack.
#[derive(Debug, Clone)]
pub struct Pack {
    file: Arc<dyn ReadAt>,
    length: u64,
}

/// What the directory of a pack tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// Number of frames, the directory included.
    pub frames: u64,
    /// Number of bodies.
    pub pages: u64,
    /// Number of records.
    pub records: u64,
    /// Offsets of the records frames, in bytes.
    pub records_at: Vec<u64>,
    /// Offset of the page table, in bytes.
    pub page_table_at: u64,
    /// Whether `compact` made the pack.
    pub cold: bool,
    /// Offset of the directory itself, in bytes.
    pub at: u64,
}

/// A row of the page table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableRow {
    /// First eight bytes of the body's BLAKE3, big-endian.
    pub prefix: u64,
    /// Offset of its frame, in bytes.
    pub at: u64,
    /// Place in the frame, counted from 0.
    pub place: u32,
}

fn u64_at(bytes: &[u8], from: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[from..from + 8]);
    u64::from_le_bytes(eight)
}

impl Pack {
    /// Opens a pack: its header is checked, nothing else is read.
    pub fn open(file: Arc<dyn ReadAt>) -> Result<Self, PackError> {
        let length = file.len()?;
        if length < HEADER as u64 {
            return Err(PackError::damaged(length, "the file ends in its header"));
        }
        let header = read_at(&*file, 0, HEADER)?;
        if header[..8] != PACK_MAGIC {
            return Err(PackError::NotAPack);
        }
        let (checked, header_check) = header.split_at(HEADER - 8);
        if check::<8>(checked) != *header_check {
            return Err(PackError::damaged(0, "the header does not match its check"));
        }
        let version = u16::from_le_bytes([header[8], header[9]]);
        if version > FORMAT {
            return Err(PackError::Newer(format!("pack of format {version}")));
        }
        Ok(Self { file, length })
    }

    /// A pack whose header is not looked at, for reading what is left of a damaged one.
    pub fn open_damaged(file: Arc<dyn ReadAt>) -> Result<Self, PackError> {
        let length = file.len()?;
        Ok(Self { file, length })
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of the file as they are. What fails is tried once more: an error that passes must not be
    /// taken for damage.
    pub fn bytes(&self, at: u64, length: usize) -> Result<Vec<u8>, PackError> {
        let read = read_at(&*self.file, at, length).or_else(|_| read_at(&*self.file, at, length));
        Ok(read?)
    }

    /// Refuses so many records in the whole pack: records that differ take several bytes each, and those that
    /// do not are no use to anybody but whoever wants the memory of the reader.
    pub fn limit_records(&self, records: usize) -> Result<(), PackError> {
        let limit = self.length.max(MAX_ALIKE_RECORDS);
        limited("records in a pack", records as u64, limit).map(drop)
    }

    /// The directory, found through the footer.
    pub fn directory(&self) -> Result<Directory, PackError> {
        let at = self.length.saturating_sub(FOOTER as u64);
        let damaged = |what| PackError::damaged(at, what);
        if at < HEADER as u64 {
            return Err(damaged("the file is too short for a footer"));
        }
        let footer = self.bytes(at, FOOTER)?;
        let (checked, footer_check) = footer.split_at(FOOTER - 8);
        if footer[..8] != FOOTER_MAGIC || check::<8>(checked) != *footer_check {
            return Err(damaged("no footer stands at the end"));
        }
        let version = u16::from_le_bytes([footer[24], footer[25]]);
        if version > FORMAT {
            return Err(PackError::Newer(format!("footer of format {version}")));
        }
        if u64_at(&footer, 16) != self.length {
            return Err(damaged("the footer tells another length of the pack"));
        }
        let directory_at = u64_at(&footer, 8);
        let (frame, payload) = self.content(directory_at)?;
        if frame.kind != Kind::Directory {
            return Err(PackError::damaged(directory_at, "no directory stands here"));
        }
        read_directory(&payload, directory_at)
    }

    /// The frame at an offset, without its payload.
    pub fn frame(&self, at: u64) -> Result<Frame, PackError> {
        Ok(self.frame_and_more(at)?.0)
    }

    /// The frame and the bytes that were read from its start on.
    fn frame_and_more(&self, at: u64) -> Result<(Frame, Vec<u8>), PackError> {
        let left = self.length.saturating_sub(at);
        if left < FIXED as u64 {
            return Err(PackError::damaged(at, "the pack ends where a frame should begin"));
        }
        let mut bytes = self.bytes(at, left.min(FIRST_READ) as usize)?;
        let needed = Frame::needed(&bytes).ok_or(PackError::damaged(at, "no frame begins here"))?;
        if needed > bytes.len() {
            if needed as u64 > left {
                return Err(PackError::damaged(at, "the frame's head is cut short"));
            }
            bytes = self.bytes(at, needed)?;
        }
        let frame = Frame::parse(&bytes, at)?;
        if frame.end() > self.length {
            return Err(PackError::damaged(at, "the frame is cut short"));
        }
        Ok((frame, bytes))
    }

    /// The payload of a frame as stored, held against its check.
    pub fn payload(&self, at: u64) -> Result<(Frame, Vec<u8>), PackError> {
        let (frame, mut bytes) = self.frame_and_more(at)?;
        let before = frame.before_payload() as usize;
        let payload = if bytes.len() >= before + frame.stored as usize {
            bytes.truncate(before + frame.stored as usize);
            bytes.drain(..before);
            bytes
        } else {
            self.bytes(frame.payload_at(), frame.stored as usize)?
        };
        if check::<8>(&payload) != frame.check {
            return Err(PackError::damaged(at, "the payload does not match its check"));
        }
        Ok((frame, payload))
    }

    /// The decompressed payload of a frame of records, a table or a directory.
    pub fn content(&self, at: u64) -> Result<(Frame, Vec<u8>), PackError> {
        let (frame, payload) = self.payload(at)?;
        if !matches!(frame.kind, Kind::Records | Kind::PageTable | Kind::Directory) {
            return Err(PackError::damaged(at, "another kind of frame stands here"));
        }
        let content = codec::decompress(frame.codec, &payload, None, frame.raw as usize)
            .map_err(|_| PackError::damaged(at, "the payload cannot be decompressed"))?;
        Ok((frame, content))
    }

    /// The records of a records frame.
    pub fn records(&self, at: u64) -> Result<Vec<Option<Record>>, PackError> {
        let (frame, content) = self.content(at)?;
        if frame.kind != Kind::Records {
            return Err(PackError::damaged(at, "no records stand here"));
        }
        Record::read_all(&content, at)
    }

    /// The hash prefixes of the bodies by frame and place, as the page table names them.
    pub fn names(&self) -> Result<FxHashMap<(u64, u32), u64>, PackError> {
        let rows = self.page_table(self.directory()?.page_table_at)?;
        Ok(rows
            .into_iter()
            .map(|row| ((row.at, row.place), row.prefix))
            .collect())
    }

    /// The rows of the page table at an offset.
    pub fn page_table(&self, at: u64) -> Result<Vec<TableRow>, PackError> {
        let (frame, content) = self.content(at)?;
        let count = content.len() / 16;
        if frame.kind != Kind::PageTable || content.len() % 16 != 0 || frame.count != count as u64 {
            return Err(PackError::damaged(at, "no page table stands here"));
        }
        let (prefixes, rest) = content.split_at(count * 8);
        let (offsets, places) = rest.split_at(count * 4);
        let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Ok(prefixes
            .chunks_exact(8)
            .zip(offsets.chunks_exact(4))
            .zip(places.chunks_exact(4))
            .map(|((prefix, at), place)| TableRow {
                prefix: u64_at(prefix, 0).swap_bytes(),
                at: u64::from(word(at)),
                place: word(place),
            })
            .collect())
    }
}

fn read_directory(bytes: &[u8], at: u64) -> Result<Directory, PackError> {
    let malformed = || PackError::damaged(at, "the directory is malformed");
    let mut directory = Directory {
        at,
        ..Directory::default()
    };
    for field in Fields(bytes) {
        let (tag, value) = field.ok_or_else(malformed)?;
        let as_number = || number(value).ok_or_else(malformed);
        match tag {
            directory_tag::FRAMES => directory.frames = as_number()?,
            directory_tag::PAGES => directory.pages = as_number()?,
            directory_tag::RECORDS => directory.records = as_number()?,
            directory_tag::RECORDS_AT => directory.records_at.push(as_number()?),
            directory_tag::PAGE_TABLE_AT => directory.page_table_at = as_number()?,
            directory_tag::COLD => directory.cold = as_number()? != 0,
            tag if tag % 2 == 1 => {
                return Err(PackError::Newer(format!("field {tag} of the directory")));
            }
            _ => {}
        }
    }
    Ok(directory)
}
