//! What a run did, in numbers.

use std::collections::BTreeMap;

use crate::source::Reason;

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
    /// Findings about entries that were taken or left out all the same: digests, lengths, times.
    pub noted: u64,
    /// What they are, by stable code.
    pub noted_by_reason: BTreeMap<&'static str, u64>,
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
    /// Counts an entry that could not be stored.
    pub(super) fn skip(&mut self, reason: Reason) {
        self.skipped += 1;
        *self.skipped_by_reason.entry(reason.as_str()).or_default() += 1;
    }

    /// Counts a finding.
    pub(super) fn note(&mut self, reason: Reason) {
        self.noted += 1;
        *self.noted_by_reason.entry(reason.as_str()).or_default() += 1;
    }

    /// Counts an entry that was not asked for.
    pub(super) fn leave_out(&mut self, reason: Reason) {
        self.left_out += 1;
        *self.left_out_by_reason.entry(reason.as_str()).or_default() += 1;
    }
}
