//! The pack file: frames, tables, footer, zstd, deltas.
//!
//! Never: knows what a page means.
