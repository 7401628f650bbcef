//! What a run did, in numbers.

use std::collections::BTreeMap;

/// Counts of one run. Bytes are those of page bodies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Pages read, stored or not.
    pub pages: u64,
    /// Pages stored as new snapshots.
    pub new: u64,
    /// Pages the archive held already.
    pub known: u64,
    /// Entries that could not be stored.
    pub skipped: u64,
    /// Why, by stable code.
    pub skipped_by_reason: BTreeMap<&'static str, u64>,
    /// Entries that were not asked for: other media types, requests.
    pub left_out: u64,
    /// Why, by stable code.
    pub left_out_by_reason: BTreeMap<&'static str, u64>,
    /// Bytes of all pages read.
    pub raw_bytes: u64,
    /// Bytes of the packs written.
    pub stored_bytes: u64,
    /// Packs written.
    pub packs: u64,
    /// Blocks of all pages read.
    pub blocks: u64,
    /// Blocks of the articles' bodies.
    pub body_blocks: u64,
    /// Declared hashes of all pages read.
    pub declared: Declared,
}

/// Blocks with a declared hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Declared {
    /// All of them.
    pub blocks: u64,
    /// Those whose declared hash is that of their canonical text or form, or of the site's recipe.
    pub reproduced: u64,
}

impl Summary {
    /// Adds one to a reason's count.
    pub(super) fn count(reasons: &mut BTreeMap<&'static str, u64>, reason: &'static str) {
        *reasons.entry(reason).or_default() += 1;
    }
}
