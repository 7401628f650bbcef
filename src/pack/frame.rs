//! Frames: what a pack is a sequence of.
//!
//! ```text
//! 0     4  magic F5 50 6D 0A
//! 4     1  kind
//! 5     1  codec
//! 6     2  H, length of the head
//! 8     4  number of the frame in the pack, from 0
//! 12    4  S, length of the payload
//! 16    8  first 8 bytes of the BLAKE3 of the payload
//! 24    H  head: tagged fields
//! 24+H  4  first 4 bytes of the BLAKE3 of bytes 0 .. 24+H
//! 28+H  S  payload
//! ```

use rustc_hash::FxHashMap;

use super::codec::{Undecodable, decompress, decompress_group};
use super::field::{Fields, number, put, put_number, put_varint, take_varint};
use super::{Codec, MAX_GROUP_BYTES, MAX_GROUP_PAGES, MAX_PAGE_BYTES, MAX_TABLE_BYTES, PackError, limited};
use crate::digest::Hash;

/// The four bytes every frame begins with.
pub const MAGIC: [u8; 4] = [0xf5, b'P', b'm', b'\n'];

/// Bytes before the head.
pub const FIXED: usize = 24;

/// Bytes of the check after the head.
pub const HEAD_CHECK: usize = 4;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One page body, alone or as a delta.
    Page,
    /// Several page bodies, one after the other: alone, behind a prefix, or as a delta.
    Group,
    /// Records.
    Records,
    /// The page table.
    PageTable,
    /// The directory of the pack.
    Directory,
    /// A kind this reader does not know, of those that may be skipped: 128 and above.
    Other(u8),
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Page => 1,
            Self::Group => 2,
            Self::Records => 3,
            Self::PageTable => 4,
            Self::Directory => 5,
            Self::Other(code) => code,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Page,
            2 => Self::Group,
            3 => Self::Records,
            4 => Self::PageTable,
            5 => Self::Directory,
            128.. => Self::Other(code),
            _ => return None,
        })
    }
}

mod tag {
    pub const RAW_LENGTH: u64 = 1;
    pub const BODY: u64 = 3;
    pub const BASE: u64 = 5;
    pub const DEPTH: u64 = 7;
    pub const LENGTHS: u64 = 9;
    pub const PREFIX: u64 = 11;
    pub const COUNT: u64 = 13;
    pub const GROUP_BASE: u64 = 15;
}

/// A frame without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Offset in the pack, in bytes.
    pub at: u64,
    /// What it holds.
    pub kind: Kind,
    /// How the payload is compressed.
    pub codec: Codec,
    /// Number in the pack, from 0.
    pub number: u32,
    /// Length of the head in bytes.
    pub head_length: u16,
    /// Length of the payload in bytes.
    pub stored: u32,
    /// First eight bytes of the BLAKE3 of the payload.
    pub check: [u8; 8],
    /// Length of the decompressed payload in bytes.
    pub raw: u64,
    /// `Page`: BLAKE3 of the body.
    pub body: Option<Hash>,
    /// `Page`, `Group`: BLAKE3 of the body the payload is a delta against.
    pub base: Option<Hash>,
    /// `Page`, `Group`: delta steps to a body without a base.
    pub depth: u32,
    /// `Group`: lengths of the bodies, in order, in bytes.
    pub lengths: Vec<u32>,
    /// `Group`: offset of the page frame whose body is the prefix, in bytes.
    pub prefix: Option<u64>,
    /// `Records`, `PageTable`: how many entries.
    pub count: u64,
}

/// What the bodies of a group are compressed against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against<'a> {
    /// Nothing but each other.
    Nothing,
    /// The body of the page frame at this offset of the same pack, which has no base.
    Prefix(u64),
    /// A body in any pack, and the depth that its delta has.
    Base(&'a Hash, u32),
}

/// What is said in a frame's head, for writing.
#[derive(Debug, Clone, Default)]
pub struct Head {
    bytes: Vec<u8>,
}

impl Head {
    /// The head of a page frame.
    #[must_use]
    pub fn page(raw: u64, body: &Hash, base: Option<(&Hash, u32)>) -> Self {
        let mut bytes = Vec::with_capacity(80);
        put_number(&mut bytes, tag::RAW_LENGTH, raw);
        put(&mut bytes, tag::BODY, &body.0);
        if let Some((base, depth)) = base {
            put(&mut bytes, tag::BASE, &base.0);
            put_number(&mut bytes, tag::DEPTH, u64::from(depth));
        }
        Self { bytes }
    }

    /// The head of a group frame.
    #[must_use]
    pub fn group(lengths: &[u32], against: Against<'_>) -> Self {
        let mut bytes = Vec::new();
        let raw = lengths.iter().map(|&length| u64::from(length)).sum();
        put_number(&mut bytes, tag::RAW_LENGTH, raw);
        let mut list = Vec::with_capacity(lengths.len() * 3);
        for &length in lengths {
            put_varint(&mut list, u64::from(length));
        }
        put(&mut bytes, tag::LENGTHS, &list);
        match against {
            Against::Nothing => {}
            Against::Prefix(at) => put_number(&mut bytes, tag::PREFIX, at),
            Against::Base(base, depth) => {
                put(&mut bytes, tag::GROUP_BASE, &base.0);
                put_number(&mut bytes, tag::DEPTH, u64::from(depth));
            }
        }
        Self { bytes }
    }

    /// The head of a frame of entries.
    #[must_use]
    pub fn entries(raw: u64, count: u64) -> Self {
        let mut bytes = Vec::new();
        put_number(&mut bytes, tag::RAW_LENGTH, raw);
        put_number(&mut bytes, tag::COUNT, count);
        Self { bytes }
    }
}

/// The first `N` bytes of the BLAKE3 of `bytes`.
#[must_use]
pub fn check<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let hash = blake3::hash(bytes);
    let mut check = [0; N];
    check.copy_from_slice(&hash.as_bytes()[..N]);
    check
}

/// Appends what stands in a frame before its payload, which has so many bytes. `check` is [`check`] of it.
pub fn put_before_payload(
    out: &mut Vec<u8>,
    kind: Kind,
    codec: Codec,
    number: u32,
    head: &Head,
    check: [u8; 8],
    payload: usize,
) -> Result<(), PackError> {
    let head_length = limited(
        "length of a frame's head",
        head.bytes.len() as u64,
        u64::from(u16::MAX),
    )?;
    let stored = limited("length of a frame", payload as u64, u64::from(u32::MAX))?;
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.push(kind.code());
    out.push(codec.code());
    out.extend_from_slice(&(head_length as u16).to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&(stored as u32).to_le_bytes());
    out.extend_from_slice(&check);
    out.extend_from_slice(&head.bytes);
    let head_check: [u8; HEAD_CHECK] = self::check(&out[start..]);
    out.extend_from_slice(&head_check);
    Ok(())
}

impl Frame {
    /// Length of everything before the payload, in bytes.
    #[must_use]
    pub fn before_payload(&self) -> u64 {
        (FIXED + HEAD_CHECK) as u64 + u64::from(self.head_length)
    }

    /// Offset of the payload in the pack, in bytes.
    #[must_use]
    pub fn payload_at(&self) -> u64 {
        self.at + self.before_payload()
    }

    /// Offset of the first byte after the frame.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.payload_at() + u64::from(self.stored)
    }

    /// What the bodies of a group are compressed against.
    #[must_use]
    pub fn against(&self) -> Against<'_> {
        match (self.prefix, &self.base) {
            (Some(at), _) => Against::Prefix(at),
            (None, Some(base)) => Against::Base(base, self.depth),
            (None, None) => Against::Nothing,
        }
    }

    /// Where the body at this place lies in the content of a group, in bytes, half-open; `None` if the group
    /// has no such place.
    #[must_use]
    pub fn body_range(&self, place: u32) -> Option<std::ops::Range<usize>> {
        let place = place as usize;
        let length = *self.lengths.get(place)? as usize;
        let start = self.lengths[..place].iter().map(|&length| length as usize).sum();
        Some(start..start + length)
    }

    /// The body at this place of a page or group frame, from the whole payload and the bytes that it is
    /// compressed against. Not held against any hash.
    pub fn body_at(
        &self,
        payload: &[u8],
        place: u32,
        against: Option<&[u8]>,
    ) -> Result<Vec<u8>, Undecodable> {
        match self.kind {
            Kind::Page if place == 0 => decompress(self.codec, payload, against, self.raw as usize),
            Kind::Group => {
                let range = self.body_range(place).ok_or(Undecodable)?;
                let mut content = decompress_group(payload, against.unwrap_or_default(), range.end)?;
                content.drain(..range.start);
                Ok(content)
            }
            _ => Err(Undecodable),
        }
    }

    /// The bodies of a group, one after the other in `content`, in their order.
    pub fn bodies<'a>(&self, content: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = content;
        self.lengths.iter().map(move |&length| {
            let (body, after) = rest.split_at(rest.len().min(length as usize));
            rest = after;
            body
        })
    }

    /// The hash prefixes of the bodies of a group, in their order, out of all of its pack by frame and place; `None`
    /// if one is missing.
    #[must_use]
    pub fn prefixes(&self, names: &FxHashMap<(u64, u32), u64>) -> Option<Vec<u64>> {
        let places = 0..self.lengths.len() as u32;
        places
            .map(|place| names.get(&(self.at, place)).copied())
            .collect()
    }

    /// Bytes needed to parse a frame whose first [`FIXED`] bytes are given; `None` if they are not the
    /// beginning of a frame.
    #[must_use]
    pub fn needed(fixed: &[u8]) -> Option<usize> {
        let fixed = fixed.get(..FIXED)?;
        if fixed[..4] != MAGIC {
            return None;
        }
        let head = usize::from(u16::from_le_bytes([fixed[6], fixed[7]]));
        Some(FIXED + head + HEAD_CHECK)
    }

    /// Reads a frame from the bytes at offset `at` of a pack; the payload need not be there.
    pub fn parse(bytes: &[u8], at: u64) -> Result<Self, PackError> {
        let damaged = |what| PackError::damaged(at, what);
        let needed = Self::needed(bytes).ok_or(damaged("no frame begins here"))?;
        let bytes = bytes
            .get(..needed)
            .ok_or(damaged("the frame's head is cut short"))?;
        let (checked, head_check) = bytes.split_at(needed - HEAD_CHECK);
        if check::<HEAD_CHECK>(checked) != *head_check {
            return Err(damaged("the frame's head does not match its check"));
        }
        let (fixed, head) = checked.split_at(FIXED);
        let kind = Kind::of(fixed[4])
            .ok_or_else(|| PackError::Newer(format!("frame of kind {} at byte {at}", fixed[4])))?;
        let codec = Codec::of(fixed[5])
            .ok_or_else(|| PackError::Newer(format!("codec {} at byte {at}", fixed[5])))?;
        let word = |from: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&fixed[from..from + 4]);
            u32::from_le_bytes(word)
        };
        let mut payload_check = [0; 8];
        payload_check.copy_from_slice(&fixed[16..24]);
        let mut frame = Self {
            at,
            kind,
            codec,
            number: word(8),
            head_length: head.len() as u16,
            stored: word(12),
            check: payload_check,
            raw: 0,
            body: None,
            base: None,
            depth: 0,
            lengths: Vec::new(),
            prefix: None,
            count: 0,
        };
        frame.read_head(head)?;
        frame.validate()?;
        Ok(frame)
    }

    fn read_head(&mut self, head: &[u8]) -> Result<(), PackError> {
        let at = self.at;
        let malformed = || PackError::damaged(at, "a field of the frame's head is malformed");
        let hash = |value: &[u8]| value.try_into().map(Hash).map_err(|_| malformed());
        if matches!(self.kind, Kind::Other(_)) {
            return Ok(());
        }
        for field in Fields(head) {
            let (tag, value) = field.ok_or_else(malformed)?;
            let as_number = || number(value).ok_or_else(malformed);
            match tag {
                tag::RAW_LENGTH => self.raw = as_number()?,
                tag::BODY => self.body = Some(hash(value)?),
                tag::BASE if self.kind == Kind::Page => self.base = Some(hash(value)?),
                tag::GROUP_BASE if self.kind == Kind::Group => self.base = Some(hash(value)?),
                tag::DEPTH => self.depth = u32::try_from(as_number()?).map_err(|_| malformed())?,
                tag::PREFIX if self.kind == Kind::Group => self.prefix = Some(as_number()?),
                tag::COUNT => self.count = as_number()?,
                tag::LENGTHS => {
                    let mut rest = value;
                    while !rest.is_empty() {
                        let length = take_varint(&mut rest).ok_or_else(malformed)?;
                        self.lengths.push(u32::try_from(length).map_err(|_| malformed())?);
                    }
                }
                tag if tag % 2 == 1 => {
                    return Err(PackError::Newer(format!("field {tag} in the frame at byte {at}")));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Holds what the head says against the limits, before anything is allocated by it.
    fn validate(&self) -> Result<(), PackError> {
        let damaged = |what| PackError::damaged(self.at, what);
        if matches!(self.kind, Kind::Page | Kind::Group) && self.base.is_some() != (self.depth > 0) {
            return Err(damaged("depth and base disagree"));
        }
        match self.kind {
            Kind::Page => {
                limited("length of a page", self.raw, MAX_PAGE_BYTES)?;
                if self.body.is_none() {
                    return Err(damaged("a page without a body hash"));
                }
            }
            Kind::Group => {
                limited("length of a group", self.raw, MAX_GROUP_BYTES)?;
                limited(
                    "bodies in a group",
                    self.lengths.len() as u64,
                    MAX_GROUP_PAGES as u64,
                )?;
                let total: u64 = self.lengths.iter().map(|&length| u64::from(length)).sum();
                if total != self.raw {
                    return Err(damaged("the lengths of a group do not add up"));
                }
                if self.prefix.is_some_and(|prefix| prefix >= self.at) {
                    return Err(damaged("the prefix of a group does not stand before it"));
                }
                if self.prefix.is_some() && self.base.is_some() {
                    return Err(damaged("a group with a prefix and a base"));
                }
            }
            Kind::Records | Kind::PageTable | Kind::Directory => {
                limited("length of a table", self.raw, MAX_TABLE_BYTES)?;
            }
            Kind::Other(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut bytes = Vec::new();
        let head = Head::page(5, &crate::digest::blake3(b"hello"), Some((&Hash([7; 32]), 3)));
        put_before_payload(
            &mut bytes,
            Kind::Page,
            Codec::Stored,
            9,
            &head,
            check(b"hello"),
            5,
        )
        .unwrap();
        bytes.extend_from_slice(b"hello");
        bytes
    }

    #[test]
    fn heads_round_trip() {
        let bytes = sample();
        let frame = Frame::parse(&bytes, 40).unwrap();
        assert_eq!(frame.kind, Kind::Page);
        assert_eq!((frame.number, frame.raw, frame.stored, frame.depth), (9, 5, 5, 3));
        assert_eq!(frame.base, Some(Hash([7; 32])));
        assert_eq!(frame.end(), 40 + bytes.len() as u64);
    }

    fn group(bytes_of: impl FnOnce(&mut Vec<u8>)) -> Result<Frame, PackError> {
        let mut head = Head::group(&[3, 2], Against::Nothing);
        bytes_of(&mut head.bytes);
        let mut bytes = Vec::new();
        put_before_payload(&mut bytes, Kind::Group, Codec::Zstd, 0, &head, check(b""), 0).unwrap();
        Frame::parse(&bytes, 400)
    }

    #[test]
    fn a_group_has_a_base_with_a_depth_or_a_prefix_or_neither() {
        let base = Hash([7; 32]);
        let with_base = |bytes: &mut Vec<u8>| put(bytes, tag::GROUP_BASE, &base.0);
        let with_depth = |bytes: &mut Vec<u8>| put_number(bytes, tag::DEPTH, 2);
        let with_prefix = |bytes: &mut Vec<u8>| put_number(bytes, tag::PREFIX, 32);
        assert_eq!(group(|_| ()).unwrap().against(), Against::Nothing);
        assert_eq!(group(with_prefix).unwrap().against(), Against::Prefix(32));
        let both = |bytes: &mut Vec<u8>| {
            with_base(bytes);
            with_depth(bytes);
        };
        assert_eq!(group(both).unwrap().against(), Against::Base(&base, 2));
        assert!(group(with_base).is_err() && group(with_depth).is_err());
        let all = |bytes: &mut Vec<u8>| {
            both(bytes);
            with_prefix(bytes);
        };
        assert!(group(all).is_err());
    }

    #[test]
    fn every_flipped_byte_of_a_head_is_noticed() {
        let bytes = sample();
        for at in 0..bytes.len() - 5 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(Frame::parse(&flipped, 0).is_err(), "byte {at}");
        }
        for length in 0..bytes.len() - 5 {
            assert!(Frame::parse(&bytes[..length], 0).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn unknown_required_fields_refuse_and_optional_ones_do_not() {
        for (tag, fine) in [(200, true), (201, false)] {
            let mut head = Head::page(0, &Hash([0; 32]), None);
            put(&mut head.bytes, tag, b"later");
            let mut bytes = Vec::new();
            put_before_payload(&mut bytes, Kind::Page, Codec::Stored, 0, &head, check(b""), 0).unwrap();
            let frame = Frame::parse(&bytes, 0);
            assert_eq!(frame.is_ok(), fine);
            assert!(fine || matches!(frame, Err(PackError::Newer(_))));
        }
    }

    #[test]
    fn giant_lengths_are_refused() {
        let head = Head::page(MAX_PAGE_BYTES + 1, &Hash([0; 32]), None);
        let mut bytes = Vec::new();
        put_before_payload(&mut bytes, Kind::Page, Codec::Zstd, 0, &head, check(b""), 0).unwrap();
        assert!(matches!(Frame::parse(&bytes, 0), Err(PackError::Limit { .. })));
    }
}
