//! Pages in, once: parse, hash, store, commit.
//!
//! Never: decides policy by flag.
