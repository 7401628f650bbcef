//! A diff for readers: terminal (inline and side by side), JSON, unified text, one HTML page.

mod json;
mod side_by_side;
mod spans;
mod terminal;
mod unified;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::block::{Block, Document, Mark};
use crate::diff::{Change, Op, leads_to, original_image};
use crate::page::Moment;

pub use json::json;
pub use side_by_side::side_by_side;
pub(super) use spans::marked;
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

/// Marks of one side of a change that are told; of more only their number is.
const TOLD: usize = 100;

/// Characters that are quoted of the text a mark stands on.
const QUOTED: usize = 80;

/// What of kind, links, images and emphasis is on the old side only, and what on the new side only. Where the
/// words differ as well, marks stand elsewhere for that alone, so only where links lead and which images
/// there are is told. Nothing of blocks that are wholly new or gone.
pub(super) fn marks(change: &Change, old: &[Block], new: &[Block]) -> (Vec<String>, Vec<String>) {
    if matches!(change.op, Op::Insert | Op::Delete) {
        return (Vec::new(), Vec::new());
    }
    let placed = change.words.is_empty();
    let (before, after) = (listed(&change.old, old, placed), listed(&change.new, new, placed));
    (missing(&before, &after), missing(&after, &before))
}

/// What a mark is compared by: its sort, address or tag, other text, and place.
type Key<'a> = (u8, Cow<'a, str>, &'a str, Range<u32>);

/// A mark, or the kind of its block. It is spelled out only if it is told: thousands of marks may stand on
/// the same long text.
struct Listed<'a> {
    key: Key<'a>,
    block: &'a Block,
    mark: Option<&'a Mark>,
}

fn listed<'a>(indices: &[u32], all: &'a [Block], placed: bool) -> Vec<Listed<'a>> {
    let blocks = indices.iter().filter_map(|&index| all.get(index as usize));
    blocks
        .flat_map(|block| {
            let kind = placed.then(|| Listed {
                key: (0, Cow::Borrowed(block.kind.as_str()), "", 0..0),
                block,
                mark: None,
            });
            let marks = block.marks.iter().filter_map(move |mark| {
                Some(Listed {
                    key: if placed {
                        key(mark)
                    } else {
                        key_without_place(mark)?
                    },
                    block,
                    mark: Some(mark),
                })
            });
            kind.into_iter().chain(marks)
        })
        .collect()
}

fn key(mark: &Mark) -> Key<'_> {
    match mark {
        Mark::Link { range, href } => (1, Cow::Borrowed(href.as_str()), "", range.clone()),
        Mark::Image { src, alt, .. } => (2, Cow::Borrowed(src.as_str()), alt.as_str(), 0..0),
        Mark::Emphasis { range, tag } => (3, Cow::Borrowed(*tag), "", range.clone()),
    }
}

/// The same for marks whose words may be others: by what a diff compares addresses by where no site rule says
/// more, so that a link or image that is only written in another way is not told.
fn key_without_place(mark: &Mark) -> Option<Key<'_>> {
    match mark {
        Mark::Link { href, .. } => Some((1, leads_to(href), "", 0..0)),
        Mark::Image { src, alt, .. } => Some((2, Cow::Owned(original_image(src)), alt.as_str(), 0..0)),
        Mark::Emphasis { .. } => None,
    }
}

/// What stands in `these` more often than in `others`.
fn missing<'a>(these: &[Listed<'a>], others: &[Listed<'a>]) -> Vec<String> {
    let mut left: HashMap<&Key<'a>, usize> = HashMap::new();
    for other in others {
        *left.entry(&other.key).or_default() += 1;
    }
    let only: Vec<&Listed<'a>> = these
        .iter()
        .filter(|one| match left.get_mut(&one.key) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .collect();
    let mut told: Vec<String> = only.iter().take(TOLD).map(|one| one.told()).collect();
    if only.len() > TOLD {
        told.push(format!("{} more", only.len() - TOLD));
    }
    told
}

impl Listed<'_> {
    fn told(&self) -> String {
        self.mark.map_or_else(
            || format!("kind {}", self.block.kind),
            |mark| told(mark, &self.block.text),
        )
    }
}

fn told(mark: &Mark, text: &str) -> String {
    let on = |range: &Range<u32>| -> String {
        let length = range.end.saturating_sub(range.start) as usize;
        let characters = text.chars().skip(range.start as usize);
        let mut quoted: String = characters.take(length.min(QUOTED)).collect();
        if length > QUOTED {
            quoted.push('…');
        }
        quoted
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
