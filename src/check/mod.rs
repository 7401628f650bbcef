//! Declared hashes against recipes and ledger.
//!
//! Never: fixes.
