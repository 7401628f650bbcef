//! A chunk: encoded outlines that lie together. What is alike in them, the verbs, the kinds, the lengths, stands
//! side by side in lanes of its own, which zstd makes small; hashes it can only find again.
//!
//! ```text
//! chunk      varint number of outlines, then one part with the lengths of their pieces (for every outline a
//!            varint for each lane), then one part for each lane with the pieces one after the other
//! part       varint length, varint length as stored, the bytes: a zstd frame if it is shorter, else as they are
//! ```

use zstd_safe::{CCtx, DCtx};

use super::outline::{LANES, Lanes, MAX_BYTES, Pieces, put_varint, take_varint};

/// Level of zstd.
const LEVEL: i32 = 3;

/// Bytes that an outline takes beside its pieces.
const ENDS: usize = size_of::<[usize; LANES]>();

/// Bytes of the lengths of all pieces, at most: those of 52,000 outlines, more than [`super::stream`] puts into a row.
const MAX_LENGTHS: usize = 1 << 20;

/// Encoded outlines, each known by its place, counted from 0.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Where the pieces of each outline end in the lanes.
    ends: Vec<[usize; LANES]>,
    lanes: Lanes,
}

impl Chunk {
    /// Number of outlines, those that were blanked included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of memory it takes: empty outlines take some as well, so that they cannot be without number.
    pub fn bytes(&self) -> usize {
        self.lanes.iter().map(Vec::len).sum::<usize>() + self.len() * ENDS
    }

    /// Adds an outline behind the others.
    pub fn push(&mut self, pieces: Pieces<'_>) {
        for (lane, piece) in self.lanes.iter_mut().zip(pieces) {
            lane.extend_from_slice(piece);
        }
        self.ends.push(self.lanes.each_ref().map(Vec::len));
    }

    /// Adds all outlines of another behind these.
    pub fn append(&mut self, other: &Self) {
        for place in 0..other.len() {
            self.push(other.get(place).unwrap_or_default());
        }
    }

    /// The pieces of an outline, all empty if it was blanked; `None` if there are fewer outlines.
    pub fn get(&self, place: usize) -> Option<Pieces<'_>> {
        let end = self.ends.get(place)?;
        let start = self.start(place);
        Some(std::array::from_fn(|lane| {
            &self.lanes[lane][start[lane]..end[lane]]
        }))
    }

    /// Takes the pieces of an outline out; those after it keep their places.
    pub fn blank(&mut self, place: usize) {
        let Some(&end) = self.ends.get(place) else {
            return;
        };
        let start = self.start(place);
        for (lane, bytes) in self.lanes.iter_mut().enumerate() {
            bytes.drain(start[lane]..end[lane]);
            for later in &mut self.ends[place..] {
                later[lane] -= end[lane] - start[lane];
            }
        }
    }

    fn start(&self, place: usize) -> [usize; LANES] {
        match place.checked_sub(1) {
            Some(before) => self.ends[before],
            None => [0; LANES],
        }
    }

    /// The bytes of the chunk.
    pub fn encode(&self) -> Vec<u8> {
        let mut lengths = Vec::new();
        for place in 0..self.len() {
            for piece in self.get(place).unwrap_or_default() {
                put_varint(&mut lengths, piece.len() as u64);
            }
        }
        let mut out = Vec::new();
        put_varint(&mut out, self.len() as u64);
        let mut context = CCtx::create();
        for part in std::iter::once(&lengths).chain(&self.lanes) {
            let mut made = Vec::with_capacity(zstd_safe::compress_bound(part.len()));
            let smaller = context
                .compress(&mut made, part, LEVEL)
                .is_ok_and(|length| length < part.len());
            let stored = if smaller { &made } else { part };
            put_varint(&mut out, part.len() as u64);
            put_varint(&mut out, stored.len() as u64);
            out.extend_from_slice(stored);
        }
        out
    }

    /// Reads a chunk back; `None` if the bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (count, mut rest) = take_varint(bytes)?;
        let mut context = DCtx::create();
        let mut part = |most: usize| -> Option<Vec<u8>> {
            let (length, after) = take_varint(rest)?;
            let (stored, after) = take_varint(after)?;
            let (stored, after) = after.split_at_checked(usize::try_from(stored).ok()?)?;
            rest = after;
            let length = usize::try_from(length).ok().filter(|length| *length <= most)?;
            if length == stored.len() {
                return Some(stored.to_vec());
            }
            let size = zstd_safe::get_frame_content_size(stored).ok()?;
            size.filter(|size| *size == length as u64)?;
            let mut content = Vec::with_capacity(length);
            context.decompress(&mut content, stored).ok()?;
            (content.len() == length).then_some(content)
        };
        let lengths = part(MAX_LENGTHS)?;
        let mut lanes = Lanes::default();
        let mut left = MAX_BYTES;
        for lane in &mut lanes {
            *lane = part(left)?;
            left -= lane.len();
        }
        let mut ends = Vec::with_capacity(usize::try_from(count).ok()?.min(lengths.len() / LANES));
        let mut end = [0_usize; LANES];
        let mut lengths = &lengths[..];
        for _ in 0..count {
            for end in &mut end {
                let (length, after) = take_varint(lengths)?;
                lengths = after;
                *end = end.checked_add(usize::try_from(length).ok()?)?;
            }
            ends.push(end);
        }
        let whole = rest.is_empty() && lengths.is_empty() && end == lanes.each_ref().map(Vec::len);
        whole.then_some(Self { ends, lanes })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece() -> impl Strategy<Value = [Vec<u8>; LANES]> {
        let lane = || prop::collection::vec(0_u8..4, 0..90);
        [lane(), lane(), lane(), lane()]
    }

    fn borrowed(pieces: &[Vec<u8>; LANES]) -> Pieces<'_> {
        pieces.each_ref().map(Vec::as_slice)
    }

    proptest! {
        #[test]
        fn chunks_come_back_whatever_was_blanked(
            outlines in prop::collection::vec(piece(), 0..9),
            gone in prop::collection::vec(0_usize..9, 0..4),
        ) {
            let mut chunk = Chunk::default();
            for outline in &outlines {
                chunk.push(borrowed(outline));
            }
            for &place in &gone {
                chunk.blank(place);
            }
            let mut double = chunk.clone();
            double.append(&chunk);
            let read = Chunk::decode(&double.encode());
            prop_assert_eq!(read.as_ref(), Some(&double));
            for place in 0..2 * outlines.len() {
                let outline = place % outlines.len();
                let expected = if gone.contains(&outline) {
                    Pieces::default()
                } else {
                    borrowed(&outlines[outline])
                };
                prop_assert_eq!(double.get(place), Some(expected));
            }
            prop_assert_eq!(double.get(2 * outlines.len()), None);
        }

        #[test]
        fn any_bytes_are_a_chunk_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Chunk::decode(&bytes);
        }

        #[test]
        fn a_chunk_that_was_cut_is_refused(outlines in prop::collection::vec(piece(), 1..5), cut in 1_usize..400) {
            let mut chunk = Chunk::default();
            for outline in &outlines {
                chunk.push(borrowed(outline));
            }
            let bytes = chunk.encode();
            prop_assert_eq!(Chunk::decode(&bytes[..bytes.len() - cut.min(bytes.len())]), None);
        }
    }
}
