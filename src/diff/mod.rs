//! What changed between two block lists: blocks, words, moves, splits, merges, classes.
//!
//! Never: prints.

mod apply;
mod build;
mod candidates;
mod change;
mod class;
mod filter;
mod gram;
mod href;
mod image;
mod keys;
mod link;
mod loose;
mod options;
mod pair;
mod place;
mod script;
mod sequence;
mod stretch;
mod summary;
mod suspect;
mod token;
mod words;

pub use apply::{ApplyError, apply};
pub use change::{Change, Class, Diff, Ignored, Limit, Op, Place, Reason, Size, Suspect, Word, WordOp};
pub use href::leads_to;
pub use image::original_image;
pub use keys::{body_texts, is_revision};
pub use options::{Filter, FilterError, Ignore, Options};
pub use place::{BYLINE, BYLINE_NEAR};
pub use summary::{Count, Summary};
pub use words::words;

use crate::block::Document;

/// What changed between two documents. The same input gives the same answer, always: work is limited
/// by counts, never by a clock, and where a limit was met the answer says so.
#[must_use]
pub fn diff(old: &Document, new: &Document, options: &Options) -> Diff {
    let given = |src: &str| options.image_identity.map(|given| given(src));
    let identity: &dyn Fn(&str) -> String = &|src| original_image(given(src).as_deref().unwrap_or(src));
    let (old_places, new_places) = (place::places(old), place::places(new));
    let old_side = link::Side::new(&old.blocks, &old_places, identity);
    let new_side = link::Side::new(&new.blocks, &new_places, identity);
    let links = link::link(&old_side, &new_side, identity);
    let suspect = suspect::suspect(&old_side, &new_side, &links);
    let mut diff = build::build(&old_side, &new_side, links, identity);
    diff.suspect = suspect;
    if let Some(filter) = options.filter {
        filter.apply(&mut diff, &old.blocks, &new.blocks);
    }
    diff
}

/// The place of every block of a document.
#[must_use]
pub fn places(document: &Document) -> Vec<Place> {
    place::places(document)
}
