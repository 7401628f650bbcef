//! Named ways from a block to a content hash, and the finder that searches them.
//!
//! Never: stores.

mod algorithm;
mod builtin;
mod chain;
mod content;
mod declared;
mod encoding;
mod find;
mod hash;
mod markup;
mod memo;
mod message;
mod rule;
mod scope;
mod search;
mod space;
mod stamp;
mod step;
mod tree;

pub use algorithm::Algorithm;
pub use builtin::{builtin, builtins};
pub use chain::{Chain, MAX_CHAIN, Operation};
pub use content::PageInput;
pub use declared::{Declared, Spelling};
pub use encoding::Encoding;
pub use find::{BlockRef, FindOptions, FindReport, Found, find};
pub use hash::{ContentHash, Hasher, hash};
pub use message::{Field, MAX_PARTS, PageValue, Part, Template};
pub use rule::{MAX_RECIPE_FILE, MAX_STEPS, Recipe};
pub use scope::Scope;
pub use space::{Space, Target};
pub use stamp::{Stamped, stamp};
pub use step::Step;

/// The attribute in which publishers we know declare a block's hash.
pub const DEFAULT_ATTRIBUTE: &str = "contents-hash";

/// What can be wrong with a recipe, or with stamping a page by one.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The file is larger than [`MAX_RECIPE_FILE`].
    #[error("a recipe file may have {MAX_RECIPE_FILE} bytes at most")]
    TooLarge,
    /// The file is no TOML, or lacks a key, or has one that means nothing.
    #[error("{0}")]
    Toml(Box<toml::de::Error>),
    /// The name is not made of lower-case letters, digits and `-`.
    #[error("recipe name {0:?}: use 1 to 64 lower-case letters, digits and \"-\"")]
    Name(String),
    /// No such scope.
    #[error("unknown scope {0:?}: one of {names}", names = names(Scope::ALL.iter()))]
    UnknownScope(String),
    /// No such step.
    #[error("unknown step {0:?}: docs/recipes.md lists them; `recipe show` tells those of a recipe")]
    UnknownStep(String),
    /// More steps than a recipe may have.
    #[error("{0} steps: a recipe may have {MAX_STEPS} at most")]
    TooManySteps(usize),
    /// No such value in a message.
    #[error(
        "unknown value {{{0}}} in a message: content, attribute:NAME, ancestor:NAME, tag, index, number, \
         length, bytes, previous-hash, page:address and the like"
    )]
    UnknownField(String),
    /// The message's braces do not match, or it is empty or too long.
    #[error("message {0:?}: braces must match (`{{{{` is a brace), and it must have 1 to {MAX_PARTS} parts")]
    Template(String),
    /// No such encoding.
    #[error("unknown encoding {0:?}: one of {names}", names = names(Encoding::ALL.iter()))]
    UnknownEncoding(String),
    /// No such digest or operation.
    #[error(
        "unknown digest {0:?}: one of {names}, or hex, upper-hex, base64, \"take N\", \"take-last N\" after one",
        names = names(Algorithm::ALL.iter())
    )]
    UnknownDigest(String),
    /// The digest chain does not work.
    #[error("digest: {0}")]
    Chain(&'static str),
    /// No such spelling.
    #[error("unknown spelling {0:?}: one of {names}", names = names(Spelling::ALL.iter()))]
    UnknownSpelling(String),
    /// The attribute's name cannot stand in a start tag.
    #[error("attribute name {0:?}: use ASCII letters, digits, \"-\", \"_\", \":\" and \".\"")]
    AttributeName(String),
    /// A hash by this recipe depends on itself.
    #[error(
        "{recipe} cannot stamp this page: the hash of the block at byte {at} changes when it is written \
         (use a recipe with \"drop-hash\" or \"empty-hash\")"
    )]
    NotStampable {
        /// The recipe's label.
        recipe: String,
        /// Where in the stamped page the block starts.
        at: usize,
    },
}

fn names<T: ToString>(all: impl Iterator<Item = T>) -> String {
    all.map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}
