//! The outline of a snapshot: its blocks in source order, each reduced to what revisions are
//! compared and paragraphs are found by. Plain data and its encoding; no SQL here.
//!
//! An outline is written against a *base* outline as a list of operations: copy blocks of the base,
//! copy blocks written earlier in this outline, or spell blocks out (literals). Revisions of one
//! article and pages of one template share nearly all blocks, so the cost follows what changed. It is written in
//! lanes, for what is alike to stand side by side:
//!
//! ```text
//! lane 0     operations
//! operation  varint n; n & 3 is the verb, n >> 2 the number of blocks less one
//!   0 literal    that many blocks spelled out
//!   1 base       varint: zigzag of (position in the base - the position after the last base copy)
//!   2 earlier    varint: distance back in this outline, at least 1
//!   3 nothing    the only operation of an outline without blocks, which must not look like one that was taken out;
//!                the number is 0
//! and for every block that is spelled out
//! lane 1     u8: kind (bits 0-4), body (5), has marks (6), has flags (7)
//!            [u8 flags: empty text (0), declared hash (1), id (2)]
//! lane 2     varint code points of the text
//! lane 3     u64 key, [u64 MinHash, for a body block of at least NEAR_MINIMUM code points], [u16 form],
//!            [u64 declared], [u32 id]
//! ```
//! Integers are little-endian.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHashMap;

use super::near::{NEAR_MINIMUM, remembered};
use crate::block::{Block, Kind};
use crate::digest::sha256;

/// Blocks an outline may hold; more is taken for damage.
pub const MAX_BLOCKS: usize = 1 << 24;

/// Positions of one block in the base that are tried for the longest copy.
const CANDIDATES: usize = 8;

/// One block as the catalog knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutlineBlock {
    /// Which element the block is.
    pub kind: Kind,
    /// Whether the block was labelled as the article's body when it was recorded.
    pub body: bool,
    /// Whether the canonical text is empty, so that `key` is a form hash.
    pub empty: bool,
    /// Length of the canonical text in code points.
    pub length: u32,
    /// First eight bytes, big-endian, of the content hash, or of the form hash where the text is
    /// empty. Equal keys are a hint that must be confirmed against the page.
    pub key: u64,
    /// [`minhash`] of the text of a body block of at least [`NEAR_MINIMUM`] code points.
    pub near: Option<u64>,
    /// First two bytes, big-endian, of the form hash of a block with text and with links, images or
    /// emphasis; `None` where the form follows from kind and text, or is the key. Of 65,536 changes of
    /// form one goes unseen here; the snapshot's whole form hash sees those of the body.
    pub form: Option<u16>,
    /// [`declared_prefix`] of the declared hash, if the block has one.
    pub declared: Option<u64>,
    /// First four bytes, big-endian, of the SHA-256 of the block's id (`dmcf-pid`), if it has one.
    pub id: Option<u32>,
}

impl OutlineBlock {
    /// Reduces a block to what the catalog keeps.
    #[must_use]
    pub fn of(block: &Block) -> Self {
        let empty = block.text.is_empty();
        let length = u32::try_from(block.text.chars().count()).unwrap_or(u32::MAX);
        Self {
            kind: block.kind,
            body: block.body,
            empty,
            length,
            key: block.key().prefix(),
            near: (block.body && length >= NEAR_MINIMUM)
                .then(|| remembered(block.key().prefix(), &block.text)),
            form: (!empty && !block.marks.is_empty()).then(|| (block.form_hash.prefix() >> 48) as u16),
            declared: block.declared.as_deref().map(declared_prefix),
            id: block.id.as_deref().map(id_prefix),
        }
    }

    /// Whether two blocks have the same canonical form, as far as the kept digits tell.
    #[must_use]
    pub fn same_form(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.key == other.key
            && self.empty == other.empty
            && self.form == other.form
    }
}

/// Equal blocks have equal keys, but not the other way round: one text may stand on a page a hundred thousand
/// times with a declared hash, an id or links of its own each time.
impl Hash for OutlineBlock {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.key);
        let id = u64::from(self.id.unwrap_or_default()).rotate_left(32);
        let form = u64::from(self.form.unwrap_or_default());
        state.write_u64(self.declared.unwrap_or_default() ^ id ^ form);
    }
}

/// The key of a declared hash: its first sixteen digits as a number where it is hex throughout and
/// has as many, else the first eight bytes of the SHA-256 of what was declared.
#[must_use]
pub fn declared_prefix(declared: &str) -> u64 {
    let declared = declared.trim();
    let hex = declared.bytes().all(|byte| byte.is_ascii_hexdigit());
    declared
        .get(..16)
        .filter(|_| hex)
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .unwrap_or_else(|| sha256(declared.as_bytes()).prefix())
}

/// First four bytes, big-endian, of the SHA-256 of a block's id.
#[must_use]
pub fn id_prefix(id: &str) -> u32 {
    (sha256(id.as_bytes()).prefix() >> 32) as u32
}

/// The bytes are no outline: damage, or a catalog of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed outline")]
pub struct MalformedOutline;

/// Lanes of an encoded outline.
pub const LANES: usize = 4;

/// Bytes of an encoded outline, at most: more than [`MAX_BLOCKS`] blocks can have.
pub const MAX_BYTES: usize = MAX_BLOCKS * 40;

/// The lanes of one or several encoded outlines.
pub type Lanes = [Vec<u8>; LANES];

/// What one encoded outline has in each lane.
pub type Pieces<'a> = [&'a [u8]; LANES];

/// Places of the lanes.
const OPERATIONS: usize = 0;
const KINDS: usize = 1;
const LENGTHS: usize = 2;
const HASHES: usize = 3;

/// The operation of an outline without blocks.
const NOTHING: u8 = 3;

/// An encoded outline.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// What it has in each lane.
    pub lanes: Lanes,
    /// Positions of the blocks that were spelled out, ascending.
    pub literals: Vec<u32>,
}

impl Encoded {
    /// What it has in each lane.
    #[must_use]
    pub fn pieces(&self) -> Pieces<'_> {
        self.lanes.each_ref().map(Vec::as_slice)
    }

    /// Bytes of all lanes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lanes.iter().map(Vec::len).sum()
    }
}

/// Writes `blocks` against `base`, which may be empty.
#[must_use]
pub fn encode(base: &[OutlineBlock], blocks: &[OutlineBlock]) -> Encoded {
    let positions = Positions::of(base);
    let mut earlier: FxHashMap<&OutlineBlock, u32> = FxHashMap::default();
    let mut encoded = Encoded::default();
    let mut expected = 0_usize;
    let mut at = 0;
    let mut literal_from = 0;
    while at < blocks.len() {
        let in_base = longest(base, &blocks[at..], expected, positions.of_block(&blocks[at]));
        let (from_self, start) = match earlier.get(&blocks[at]) {
            Some(&start) => {
                let start = start as usize;
                // The copy may run into what it has just written, as in LZ77.
                let length = blocks[at..]
                    .iter()
                    .zip(&blocks[start..])
                    .take_while(|(new, old)| new == old)
                    .count();
                (length, start)
            }
            None => (0, 0),
        };
        let length = in_base.0.max(from_self);
        if length == 0 {
            earlier.insert(&blocks[at], at as u32);
            at += 1;
            continue;
        }
        put_literals(&mut encoded, blocks, literal_from, at);
        if in_base.0 >= from_self {
            let operations = &mut encoded.lanes[OPERATIONS];
            put_varint(operations, ((length as u64 - 1) << 2) | 1);
            put_varint(
                operations,
                zigzag((in_base.1 as u64).wrapping_sub(expected as u64).cast_signed()),
            );
            expected = in_base.1 + length;
        } else {
            let operations = &mut encoded.lanes[OPERATIONS];
            put_varint(operations, ((length as u64 - 1) << 2) | 2);
            put_varint(operations, (at - start) as u64);
        }
        for (offset, block) in blocks[at..at + length].iter().enumerate() {
            earlier.entry(block).or_insert((at + offset) as u32);
        }
        at += length;
        literal_from = at;
    }
    put_literals(&mut encoded, blocks, literal_from, at);
    if blocks.is_empty() {
        encoded.lanes[OPERATIONS].push(NOTHING);
    }
    encoded
}

/// Where the blocks of a base stand.
struct Positions<'a> {
    first: FxHashMap<&'a OutlineBlock, u32>,
    /// For every position the next one of an equal block.
    next: Vec<Option<u32>>,
}

impl<'a> Positions<'a> {
    fn of(base: &'a [OutlineBlock]) -> Self {
        let mut first = FxHashMap::default();
        first.reserve(base.len());
        let mut next = vec![None; base.len()];
        for (position, block) in base.iter().enumerate().rev() {
            next[position] = first.insert(block, position as u32);
        }
        Self { first, next }
    }

    /// The first positions of a block, ascending.
    fn of_block(&self, block: &OutlineBlock) -> impl Iterator<Item = u32> {
        let first = self.first.get(block).copied();
        std::iter::successors(first, |&position| self.next[position as usize]).take(CANDIDATES)
    }
}

/// Length and position of the longest run of `base` that `blocks` starts with.
fn longest(
    base: &[OutlineBlock],
    blocks: &[OutlineBlock],
    expected: usize,
    positions: impl Iterator<Item = u32>,
) -> (usize, usize) {
    let run = |start: usize| {
        base.get(start..).map_or(0, |rest| {
            rest.iter()
                .zip(blocks)
                .take_while(|(old, new)| old == new)
                .count()
        })
    };
    let mut best = (run(expected), expected);
    for position in positions {
        let length = run(position as usize);
        if length > best.0 {
            best = (length, position as usize);
        }
    }
    best
}

fn put_literals(encoded: &mut Encoded, blocks: &[OutlineBlock], from: usize, to: usize) {
    if from == to {
        return;
    }
    put_varint(&mut encoded.lanes[OPERATIONS], (to - from - 1) as u64 * 4);
    for (offset, block) in blocks[from..to].iter().enumerate() {
        encoded.literals.push((from + offset) as u32);
        put_block(&mut encoded.lanes, block);
    }
}

fn put_block([_, kinds, lengths, hashes]: &mut Lanes, block: &OutlineBlock) {
    let flags =
        u8::from(block.empty) | u8::from(block.declared.is_some()) << 1 | u8::from(block.id.is_some()) << 2;
    kinds.push(
        block.kind as u8
            | u8::from(block.body) << 5
            | u8::from(block.form.is_some()) << 6
            | u8::from(flags != 0) << 7,
    );
    if flags != 0 {
        kinds.push(flags);
    }
    put_varint(lengths, u64::from(block.length));
    hashes.extend_from_slice(&block.key.to_le_bytes());
    if let Some(near) = block.near {
        hashes.extend_from_slice(&near.to_le_bytes());
    }
    if let Some(form) = block.form {
        hashes.extend_from_slice(&form.to_le_bytes());
    }
    if let Some(declared) = block.declared {
        hashes.extend_from_slice(&declared.to_le_bytes());
    }
    if let Some(id) = block.id {
        hashes.extend_from_slice(&id.to_le_bytes());
    }
}

/// Reads an outline back; `base` must be the one it was written against.
pub fn decode(base: &[OutlineBlock], pieces: Pieces<'_>) -> Result<Vec<OutlineBlock>, MalformedOutline> {
    let mut blocks: Vec<OutlineBlock> = Vec::new();
    if pieces[OPERATIONS] == [NOTHING] {
        return Ok(blocks);
    }
    let mut input = Input(pieces);
    let mut expected = 0_u64;
    while input.goes_on() {
        let (verb, count) = input.operation()?;
        if blocks.len() + count > MAX_BLOCKS {
            return Err(MalformedOutline);
        }
        match verb {
            0 => {
                for _ in 0..count {
                    blocks.push(input.block()?);
                }
            }
            1 => {
                let start = expected
                    .checked_add_signed(unzigzag(input.varint(OPERATIONS)?))
                    .ok_or(MalformedOutline)?;
                expected = start.checked_add(count as u64).ok_or(MalformedOutline)?;
                let range = usize::try_from(start).map_err(|_| MalformedOutline)?
                    ..usize::try_from(expected).map_err(|_| MalformedOutline)?;
                blocks.extend_from_slice(base.get(range).ok_or(MalformedOutline)?);
            }
            _ => {
                let back = usize::try_from(input.varint(OPERATIONS)?).map_err(|_| MalformedOutline)?;
                let start = blocks
                    .len()
                    .checked_sub(back)
                    .filter(|_| back > 0)
                    .ok_or(MalformedOutline)?;
                for position in start..start + count {
                    let block = *blocks.get(position).ok_or(MalformedOutline)?;
                    blocks.push(block);
                }
            }
        }
    }
    input.end()?;
    Ok(blocks)
}

/// Calls `each` with position and block of every literal, without the base.
pub fn literals(
    pieces: Pieces<'_>,
    mut each: impl FnMut(u32, &OutlineBlock),
) -> Result<(), MalformedOutline> {
    if pieces[OPERATIONS] == [NOTHING] {
        return Ok(());
    }
    let mut input = Input(pieces);
    let mut position = 0_usize;
    while input.goes_on() {
        let (verb, count) = input.operation()?;
        if position + count > MAX_BLOCKS {
            return Err(MalformedOutline);
        }
        if verb == 0 {
            for offset in 0..count {
                each((position + offset) as u32, &input.block()?);
            }
        } else {
            input.varint(OPERATIONS)?;
        }
        position += count;
    }
    input.end()
}

/// What is left of the pieces.
struct Input<'a>(Pieces<'a>);

impl Input<'_> {
    fn goes_on(&self) -> bool {
        !self.0[OPERATIONS].is_empty()
    }

    /// After the last operation nothing may be left.
    fn end(&self) -> Result<(), MalformedOutline> {
        let read = self.0.iter().all(|piece| piece.is_empty());
        read.then_some(()).ok_or(MalformedOutline)
    }

    /// Verb and number of blocks.
    fn operation(&mut self) -> Result<(u8, usize), MalformedOutline> {
        let n = self.varint(OPERATIONS)?;
        let count = usize::try_from(n >> 2).map_err(|_| MalformedOutline)?;
        match (n & 3) as u8 {
            verb @ 0..=2 if count < MAX_BLOCKS => Ok((verb, count + 1)),
            _ => Err(MalformedOutline),
        }
    }

    fn block(&mut self) -> Result<OutlineBlock, MalformedOutline> {
        let [first] = self.take(KINDS)?;
        let flags = if first & 0x80 == 0 {
            0
        } else {
            self.take::<1>(KINDS)?[0]
        };
        let kind = Kind::ALL.get(usize::from(first & 0x1f));
        let length = u32::try_from(self.varint(LENGTHS)?).map_err(|_| MalformedOutline)?;
        let body = first & 0x20 != 0;
        Ok(OutlineBlock {
            kind: *kind.ok_or(MalformedOutline)?,
            body,
            empty: flags & 1 != 0,
            length,
            key: u64::from_le_bytes(self.take(HASHES)?),
            near: (body && length >= NEAR_MINIMUM)
                .then(|| self.take(HASHES).map(u64::from_le_bytes))
                .transpose()?,
            form: (first & 0x40 != 0)
                .then(|| self.take(HASHES).map(u16::from_le_bytes))
                .transpose()?,
            declared: (flags & 2 != 0)
                .then(|| self.take(HASHES).map(u64::from_le_bytes))
                .transpose()?,
            id: (flags & 4 != 0)
                .then(|| self.take(HASHES).map(u32::from_le_bytes))
                .transpose()?,
        })
    }

    fn take<const N: usize>(&mut self, lane: usize) -> Result<[u8; N], MalformedOutline> {
        let (taken, rest) = self.0[lane].split_first_chunk().ok_or(MalformedOutline)?;
        self.0[lane] = rest;
        Ok(*taken)
    }

    fn varint(&mut self, lane: usize) -> Result<u64, MalformedOutline> {
        let (value, rest) = take_varint(self.0[lane]).ok_or(MalformedOutline)?;
        self.0[lane] = rest;
        Ok(value)
    }
}

/// Appends a number as LEB128: seven bits a byte, the lowest first.
pub(super) fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Reads a LEB128 number of at most ten bytes and what follows it.
pub(super) fn take_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        let digits = u64::from(byte & 0x7f);
        if index == 9 && digits > 1 {
            return None;
        }
        value |= digits << (7 * index);
        if byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests;
