//! From a block to its content hash by a recipe.

use std::fmt;

use super::algorithm::Algorithm;
use super::content::{Around, PageInput};
use super::declared::{Declared, Spelling};
use super::message::Field;
use super::rule::Recipe;
use super::scope::Scope;
use super::{builtin, step::Step};

/// A block's digest by a recipe, with its spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentHash {
    /// The digest.
    pub digest: Vec<u8>,
    /// How the recipe spells it.
    pub spelling: Spelling,
    algorithm: Option<Algorithm>,
}

impl ContentHash {
    /// Whether a declared hash says the same: equal digest bytes, and the same algorithm where the
    /// declared hash names one. Case and padding of the spelling do not count.
    #[must_use]
    pub fn agrees(&self, declared: &Declared) -> bool {
        self.digest == declared.digest
            && (declared.algorithm.is_none() || declared.algorithm == self.algorithm)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.spelling.spell(&self.digest, self.algorithm))
    }
}

/// What the blocks of a page may come to, each with all that is inside it, in times the page, for
/// recipes that read source. Real pages stay below 3; elements with declared hashes that are nested
/// thousands deep would let one page keep `check` busy for hours.
const MAX_OVERLAP: usize = 32;

/// How a recipe's hash is come by.
enum Way {
    /// It is the block's own `text_hash`.
    TextHash,
    /// It is the block's own `form_hash`.
    FormHash,
    /// By the recipe's steps.
    Steps,
}

/// One recipe over the blocks of one page.
pub struct Hasher<'a> {
    recipe: &'a Recipe,
    page: PageInput<'a>,
    way: Way,
    /// For each block its place among the declared ones and the declared hash before it; empty if
    /// the recipe does not ask.
    places: Vec<(usize, &'a str)>,
    /// Blocks from this index on have no hash: the ones before them overlap too much.
    end: usize,
}

impl<'a> Hasher<'a> {
    /// Prepares to hash blocks of `page` by `recipe`.
    #[must_use]
    pub fn new(recipe: &'a Recipe, page: PageInput<'a>) -> Self {
        let way = if recipe.is_same_rule(builtin::text_v1()) {
            Way::TextHash
        } else if recipe.is_same_rule(builtin::form_v1()) {
            Way::FormHash
        } else {
            Way::Steps
        };
        let asks = |field: &Field| {
            recipe.message.uses(field) || recipe.key.as_ref().is_some_and(|key| key.uses(field))
        };
        let places = if asks(&Field::Index) || asks(&Field::Number) || asks(&Field::PreviousHash) {
            places(&page)
        } else {
            Vec::new()
        };
        Self {
            recipe,
            page,
            way,
            places,
            end: readable(recipe.scope, &page),
        }
    }

    /// The content hash of the block at this index; `None` if there is no such block, or if the recipe
    /// reads source and the blocks up to this one, with all inside each, come to more than 32 times the
    /// page.
    #[must_use]
    pub fn hash(&self, index: usize) -> Option<ContentHash> {
        let block = self.page.document.blocks.get(index)?;
        if index >= self.end {
            return None;
        }
        let digest = match self.way {
            Way::TextHash => block.text_hash.0.to_vec(),
            Way::FormHash => block.form_hash.0.to_vec(),
            Way::Steps => {
                let content = self.content(index);
                let (ordinal, previous) = self.places.get(index).copied().unwrap_or((0, ""));
                let around = Around {
                    content: &content,
                    ordinal,
                    previous,
                };
                let charset = self.page.document.charset.name;
                let encoding = self.recipe.encoding;
                let value = |field: &Field| self.page.value(field, block, &around);
                let message = encoding.encode(self.recipe.message.fill(value), charset);
                let key = self
                    .recipe
                    .key
                    .as_ref()
                    .map(|key| encoding.encode(key.fill(value), charset));
                self.recipe
                    .digest
                    .run(key.as_deref(), &message)
                    .as_bytes()
                    .to_vec()
            }
        };
        Some(ContentHash {
            digest,
            spelling: self.recipe.spelling,
            algorithm: self.recipe.digest.algorithm(),
        })
    }

    /// The block's content: its scope after all steps.
    #[must_use]
    pub fn content(&self, index: usize) -> String {
        if self.recipe.scope == Scope::Nothing {
            return String::new();
        }
        steps(
            self.page.content(index, self.recipe.scope),
            &self.recipe.steps,
            self.page.attribute,
        )
    }
}

/// How many blocks, from the first on, a recipe of this scope reads.
fn readable(scope: Scope, page: &PageInput<'_>) -> usize {
    let blocks = &page.document.blocks;
    if !matches!(scope, Scope::InnerHtml | Scope::OuterHtml | Scope::ImageSource) {
        return blocks.len();
    }
    let mut left = page.raw.len().saturating_mul(MAX_OVERLAP);
    let beyond = blocks.iter().position(|block| {
        let length = block.range.len();
        let fits = length <= left;
        left = left.saturating_sub(length);
        !fits
    });
    beyond.unwrap_or(blocks.len())
}

/// Runs steps one after the other.
pub(crate) fn steps(content: String, steps: &[Step], attribute: &str) -> String {
    steps
        .iter()
        .fold(content, |text, step| step.apply(&text, attribute))
}

/// For each block its place among the declared blocks and the declared hash of the one before. A
/// block without a declared hash takes the place the next declared block has.
pub(crate) fn places<'a>(page: &PageInput<'a>) -> Vec<(usize, &'a str)> {
    let mut place = (0, "");
    page.document
        .blocks
        .iter()
        .map(|block| {
            let here = place;
            if let Some(declared) = &block.declared {
                place = (here.0 + 1, &**declared);
            }
            here
        })
        .collect()
}

/// The content hash of one block; for many blocks of a page use a [`Hasher`].
#[must_use]
pub fn hash(recipe: &Recipe, page: PageInput<'_>, index: usize) -> Option<ContentHash> {
    Hasher::new(recipe, page).hash(index)
}
