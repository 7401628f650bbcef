//! The files of a WACZ that lost the list at its end, by the headers that stand before each of them. The zip
//! crate reads such headers only while it reads every byte of the files between them, and tells no offsets.

use std::io::{Read as _, Seek as _, SeekFrom};

use zip::CompressionMethod;

use super::super::section::Section;
use super::entry::Entry;
use super::{ENTRY_COST, MAGIC, MAX_LISTED};

/// Bytes of a header before the name.
const HEAD: usize = 30;

/// Flag of a file that is encrypted.
const ENCRYPTED: u16 = 1;

/// Flag of a file whose length is told behind it.
const LENGTH_BEHIND: u16 = 8;

/// A length that is told in the extra field.
const LONG: u64 = 0xffff_ffff;

/// The files that stand one after the other from the start of the section, the last perhaps cut off. One
/// whose length is told only behind it is the last, and goes to the end.
pub(super) fn files(name: &str, section: &Section) -> Vec<Entry> {
    let mut entries = Vec::new();
    let Ok(mut reader) = section.open() else {
        return entries;
    };
    let Ok(end) = reader.seek(SeekFrom::End(0)) else {
        return entries;
    };
    let (mut at, mut held) = (0_u64, 0);
    while held < MAX_LISTED && reader.seek(SeekFrom::Start(at)).is_ok() {
        let mut head = [0; HEAD];
        if reader.read_exact(&mut head).is_err() || !head.starts_with(MAGIC) {
            break;
        }
        let short = |from: usize| u16::from_le_bytes([head[from], head[from + 1]]);
        let long = |from: usize| u64::from(short(from)) | u64::from(short(from + 2)) << 16;
        let mut path = vec![0; usize::from(short(26))];
        let mut extra = vec![0; usize::from(short(28))];
        if reader.read_exact(&mut path).is_err() || reader.read_exact(&mut extra).is_err() {
            break;
        }
        let start = at + (HEAD + path.len() + extra.len()) as u64;
        let (length, packed) = lengths(long(22), long(18), &extra);
        let flags = short(6);
        let told = flags & LENGTH_BEHIND == 0 || packed > 0;
        let left = end.saturating_sub(start);
        let method = match short(8) {
            0 => Some(CompressionMethod::Stored),
            8 => Some(CompressionMethod::Deflated),
            _ => None,
        };
        let path = String::from_utf8_lossy(&path).into_owned();
        if let Some(method) = method
            && flags & ENCRYPTED == 0
            && !path.ends_with('/')
        {
            held += ENTRY_COST + 2 * (name.len() + path.len());
            entries.push(Entry {
                name: format!("{name}/{path}"),
                section: Section {
                    path: section.path.clone(),
                    start: section.start + start,
                    length: Some(if told { packed.min(left) } else { left }),
                },
                method,
                length,
                path,
            });
        }
        if !told {
            break;
        }
        at = start.saturating_add(packed);
    }
    entries
}

/// Length and packed length of a file, where they are too long for the header from the extra field.
fn lengths(length: u64, packed: u64, extra: &[u8]) -> (u64, u64) {
    let mut rest = extra;
    while let [id, id_high, size, size_high, tail @ ..] = rest {
        let size = usize::from(u16::from_le_bytes([*size, *size_high]));
        let Some((field, behind)) = tail.split_at_checked(size) else {
            break;
        };
        if u16::from_le_bytes([*id, *id_high]) == 1 {
            let mut numbers = field
                .chunks_exact(8)
                .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()));
            let mut told = |short: u64| match short {
                LONG => numbers.next().unwrap_or(LONG),
                short => short,
            };
            let length = told(length);
            return (length, told(packed));
        }
        rest = behind;
    }
    (length, packed)
}
