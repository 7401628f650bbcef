//! What changed between two block lists: blocks, words, moves, splits, merges, classes.
//!
//! Never: prints.

mod change;
mod image;
mod options;

pub use change::{Change, Class, Diff, Ignored, Limit, Op, Place, Reason, Size, Suspect, Word, WordOp};
pub use image::original_image;
pub use options::{Filter, FilterError, Ignore, Options};
