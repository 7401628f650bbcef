//! The rebuildable index: articles, snapshots, block occurrences, declared-hash ledger.
//!
//! Never: is ever the only copy of anything.
