//! Gathering: pages that are planned together share frames. A page goes into the group of what it
//! resembles as long as there is room. Within a group zstd finds by itself what a page repeats of those
//! before it; a frame of its own would need its base read in first, which costs as much as the page, and
//! tables of its own.

use std::io::Write;

use rustc_hash::FxHashMap;

use super::bases::{Base, Candidate, Choice};
use super::cache::Body;
use crate::digest::Hash;
use crate::pack::codec::{Codec, comes_back, compress_all};
use crate::pack::{Against, PackBuilder, PackError};

/// Bytes of the bodies in a group, at most, unless it is one body: what a restore decodes for one page, and
/// what damage to one frame can cost.
pub(super) const GROUP_BYTES: u64 = 2 << 20;

/// The same for a group that a revision joins: a restore of one decodes a chain of groups.
pub(super) const REVISIONS_BYTES: u64 = 1 << 20;

/// Bodies in a group, at most: their lengths stand in the head of the frame, which has 64 KiB.
const GROUP_BODIES: usize = 1024;

/// The groups of the pages that are being planned.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// Number of the first of `open`; numbers never come again.
    first: u64,
    open: Vec<Group>,
}

/// Bodies that become one frame.
#[derive(Debug)]
pub(super) struct Group {
    base: Option<Base>,
    /// In the order in which they came.
    members: Vec<Member>,
    bytes: u64,
    /// Index, among the pages planned together, of the one that began it.
    pub begun_by: usize,
}

/// A new body and the key of its article.
#[derive(Debug)]
pub(super) struct Member {
    pub hash: Hash,
    pub body: Body,
    pub article: String,
}

/// Bodies as they are written: one has a page frame, several have a group frame.
#[derive(Debug)]
pub(super) struct EncodedFrame {
    /// Each with its length in bytes.
    pub bodies: Vec<(Hash, u32)>,
    /// The base and the depth of what rests on it.
    pub base: Option<(Hash, u32)>,
    pub codec: Codec,
    pub payload: Vec<u8>,
}

impl Gathering {
    /// The index in `open` of the group with this number; `None` if it was closed.
    fn index(&self, number: u64) -> Option<usize> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        (index < self.open.len()).then_some(index)
    }

    /// Whether the group takes a body of this length in bytes, and has `limit` bytes at most with it. One that
    /// was closed does not.
    pub fn has_room(&self, number: u64, length: u64, limit: u64) -> bool {
        let group = self.index(number).map(|index| &self.open[index]);
        group.is_some_and(|group| group.bytes + length <= limit && group.members.len() < GROUP_BODIES)
    }

    /// Puts a body into the group that was chosen, or into one of its own: what it and the first of its group are
    /// as bases. `by` is the index of its page among those planned together.
    pub fn put(&mut self, choice: Choice, member: Member, by: usize) -> (Candidate, Candidate) {
        let (joined, base) = match choice {
            Choice::Join(number) => (self.index(number), None),
            Choice::Begin(base) => (None, base),
        };
        let index = joined.unwrap_or_else(|| {
            self.open.push(Group {
                base,
                members: Vec::new(),
                bytes: 0,
                begun_by: by,
            });
            self.open.len() - 1
        });
        let number = self.first + index as u64;
        let group = &mut self.open[index];
        let newest = member.hash;
        group.bytes += member.body.len() as u64;
        group.members.push(member);
        let first = &group.members[0];
        (
            group.candidate(number, newest, group.bytes),
            group.candidate(number, first.hash, first.body.len() as u64),
        )
    }

    /// Closes all groups.
    pub fn close(&mut self) -> Vec<Group> {
        self.first += self.open.len() as u64;
        std::mem::take(&mut self.open)
    }
}

impl Group {
    /// A body up to whose end so many bytes of the group are decoded.
    fn candidate(&self, number: u64, body: Hash, bytes: u64) -> Candidate {
        let (depth, cost) = self.base.as_ref().map_or((0, 0), |base| (base.depth, base.cost));
        Candidate {
            body,
            depth,
            cost: cost + bytes,
            group: Some(number),
        }
    }

    /// [`encode`] of the bodies: those of one article stand together, as what is nearest is found best. The first
    /// stays the first, because others rest on it.
    pub fn encode(mut self, level: i32) -> Vec<EncodedFrame> {
        let mut articles: FxHashMap<String, usize> = FxHashMap::default();
        self.members.sort_by_cached_key(|member| {
            let next = articles.len();
            *articles.entry(member.article.clone()).or_insert(next)
        });
        let members = self.members.iter();
        let bodies: Vec<(Hash, &[u8])> = members
            .map(|member| (member.hash, member.body.as_slice()))
            .collect();
        encode(&bodies, self.base.as_ref(), level)
    }
}

/// Compresses bodies as one frame against a base, decodes the result again and compares it. What does not come
/// back the same is stored as it is, each body in a frame of its own.
pub(super) fn encode(bodies: &[(Hash, &[u8])], base: Option<&Base>, level: i32) -> Vec<EncodedFrame> {
    let content: Vec<&[u8]> = bodies.iter().map(|(_, body)| *body).collect();
    let against = base.map(|base| base.body.as_slice());
    let made = compress_all(&content, against, level);
    let against = against.filter(|_| made.uses_base);
    let named = bodies.iter().map(|(hash, body)| (*hash, body.len() as u32));
    // The payload of a group is always zstd.
    let can_be_one = made.codec == Codec::Zstd || bodies.len() == 1;
    if can_be_one && comes_back(&made, against, &content) {
        let base = base.filter(|_| made.uses_base);
        return vec![EncodedFrame {
            bodies: named.collect(),
            base: base.map(|base| (base.hash, base.depth)),
            codec: made.codec,
            payload: made.payload,
        }];
    }
    named
        .zip(bodies)
        .map(|(named, (_, body))| EncodedFrame {
            bodies: vec![named],
            base: None,
            codec: Codec::Stored,
            payload: body.to_vec(),
        })
        .collect()
}

impl EncodedFrame {
    /// Appends the frame to a pack; its offset there, in bytes.
    pub fn put<W: Write>(&self, pack: &mut PackBuilder<W>) -> Result<u64, PackError> {
        let base = self.base.as_ref().map(|(hash, depth)| (hash, *depth));
        match &self.bodies[..] {
            [(hash, length)] => pack.page(hash, u64::from(*length), base, self.codec, &self.payload),
            bodies => {
                let against = base.map_or(Against::Nothing, |(base, depth)| Against::Base(base, depth));
                pack.group(bodies, against, &self.payload)
            }
        }
    }
}
