//! What changed between two block lists: blocks, words, moves, splits, merges, classes.
//!
//! Never: prints.
