//! A diff for readers: terminal (inline and side by side), JSON, unified text, one HTML page.

mod json;
mod side_by_side;
mod spans;
mod terminal;
mod unified;

use crate::block::Document;
use crate::page::Moment;

pub use json::json;
pub use side_by_side::side_by_side;
pub use terminal::{DisplayOptions, terminal};
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
