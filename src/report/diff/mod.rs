//! A diff for readers: terminal (inline and side by side), JSON, unified text, one HTML page.

mod json;
mod side_by_side;
mod spans;
mod terminal;
mod unified;

use crate::block::{Block, Document, Mark};
use crate::diff::Change;
use crate::page::Moment;

pub use json::json;
pub use side_by_side::side_by_side;
pub use terminal::{DisplayOptions, terminal};
pub(super) use terminal::{ignored_text, limit_text};
pub use unified::unified;

/// One side of a diff: what is shown about where the blocks came from.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// A file name or a snapshot's name.
    pub name: &'a str,
    /// When the page was fetched, where known.
    pub moment: Option<Moment>,
    /// The page's blocks.
    pub document: &'a Document,
}

/// The block's text, or what stands for it where it has none.
pub(super) fn shown(block: &Block) -> String {
    if !block.text.is_empty() {
        return block.text.clone();
    }
    let image = block.marks.iter().find_map(|mark| match mark {
        Mark::Image { src, alt, .. } if alt.is_empty() => Some(address(src)),
        Mark::Image { alt, .. } => Some(alt.as_str()),
        _ => None,
    });
    match image {
        None => "(no text)".to_owned(),
        Some("") => "(image without an address)".to_owned(),
        Some(image) => format!("(image: {image})"),
    }
}

/// Where the words are the same: what of kind, links, images and emphasis is on the old side only, and
/// what on the new side only.
pub(super) fn marks(change: &Change, old: &[Block], new: &[Block]) -> (Vec<String>, Vec<String>) {
    let list = |indices: &[u32], all: &[Block]| -> Vec<String> {
        indices
            .iter()
            .filter_map(|&index| all.get(index as usize))
            .flat_map(|block| {
                let kind = format!("kind {}", block.kind);
                std::iter::once(kind).chain(block.marks.iter().map(|mark| told(mark, &block.text)))
            })
            .collect()
    };
    let (before, after) = (list(&change.old, old), list(&change.new, new));
    let only = |these: &[String], others: &[String]| -> Vec<String> {
        let missing = these.iter().filter(|mark| !others.contains(mark));
        missing.cloned().collect()
    };
    (only(&before, &after), only(&after, &before))
}

fn told(mark: &Mark, text: &str) -> String {
    let on = |range: &std::ops::Range<u32>| -> String {
        let length = range.end.saturating_sub(range.start) as usize;
        text.chars().skip(range.start as usize).take(length).collect()
    };
    match mark {
        Mark::Link { range, href } if range.is_empty() => format!("link {href}"),
        Mark::Link { range, href } => format!("link {href} on “{}”", on(range)),
        Mark::Image { src, alt, .. } if alt.is_empty() => format!("image {}", address(src)),
        Mark::Image { src, alt, .. } => format!("image {} “{alt}”", address(src)),
        Mark::Emphasis { range, tag } => format!("{tag} on “{}”", on(range)),
    }
}

/// An image's address; of one that holds the image itself only the beginning.
fn address(src: &str) -> &str {
    match src.split_once([',', ';']) {
        Some((head, _)) if head.starts_with("data:") => head,
        _ => src,
    }
}

/// How many characters a change took out and put in: `−3 +12 characters`.
pub(super) fn characters(change: &Change) -> Option<String> {
    let (deleted, inserted) = (change.size.deleted, change.size.inserted);
    match (deleted, inserted) {
        (0, 0) => None,
        (0, _) => Some(format!("+{inserted} characters")),
        (_, 0) => Some(format!("−{deleted} characters")),
        _ => Some(format!("−{deleted} +{inserted} characters")),
    }
}
