//! Which blocks are the article's body; site rules.
//!
//! Never: decides what is stored.

mod body;
mod builtin;
mod explain;
mod facts;
mod hashes;
mod home;
mod images;
mod known;
mod lead;
mod measure;
mod outline;
mod overrides;
mod phrases;
mod reader;
mod rules;
mod selector;
mod words;

pub use explain::{Reason, explain};
pub use facts::{Fact, facts};
pub use hashes::{article_hash, page_text_hash};
pub use images::{ImageRule, image_identity};
pub use overrides::{Override, overrides};
pub use reader::Reader;
pub use rules::{Rules, SiteRecipe, SiteRule, recipe_entry, with_attribute};
pub use selector::{Selector, SelectorError};

use crate::block::Document;

/// Version of the labelling rules. Article hashes carry it, because another labeller may take other
/// blocks for the body.
pub const LABELLER: &str = "label-v1";

/// A fault in a file of site rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// The text is no TOML, or holds a key or a type that site rules do not know.
    #[error("site rules, line {line}: {message}")]
    Toml {
        /// Line in the rules, counted from 1.
        line: usize,
        /// What the TOML reader found, the key included.
        message: String,
    },
    /// The value of a key is not what the key asks for.
    #[error("site rules, line {line}, key `{key}`: {message}")]
    Value {
        /// Line in the rules, counted from 1.
        line: usize,
        /// The key, such as `article`.
        key: &'static str,
        /// What is wrong and what would be right.
        message: String,
    },
}

/// Labels every block as body or not, and lets the rule override the page's title, byline and time.
///
/// Only [`Block::body`](crate::block::Block::body), `headline`, `title`, `byline` and `published`
/// change. The time is linear in the number of blocks and containers.
pub fn label(document: &mut Document, rule: &SiteRule) {
    let verdicts = body::decide(document, rule);
    for (block, verdict) in document.blocks.iter_mut().zip(verdicts) {
        block.body = verdict.body;
    }
    overrides::apply(document, rule);
}
