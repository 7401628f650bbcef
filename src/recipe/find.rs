//! The finder: which recipe of the space reproduces the declared hashes of these pages.

use super::content::PageInput;
use super::declared::Declared;
use super::hash::Hasher;
use super::rule::Recipe;

/// A block of one of the pages given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockRef {
    /// Index of the page among those given.
    pub page: usize,
    /// Index in the page's [`crate::block::Document::blocks`].
    pub block: usize,
}

/// How to search.
#[derive(Debug, Clone)]
pub struct FindOptions {
    /// Recipes tried before the space: the user's, the site's. The built-in ones are always tried.
    pub known: Vec<Recipe>,
    /// How many blocks each recipe of the space is tried on before it is given up.
    pub probes: usize,
    /// Go on through the whole space after a recipe was found that fits every block.
    pub go_on: bool,
    /// Threads to use; `None`: as many as the machine has cores.
    pub threads: Option<usize>,
}

impl Default for FindOptions {
    fn default() -> Self {
        Self {
            known: Vec::new(),
            probes: 3,
            go_on: false,
            threads: None,
        }
    }
}

/// What the search found and how far it went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindReport {
    /// Blocks whose declared hash could be read as a digest, in order.
    pub declared: Vec<BlockRef>,
    /// Blocks whose declared hash is no digest.
    pub malformed: Vec<BlockRef>,
    /// The blocks every recipe of the space was tried on.
    pub probes: Vec<BlockRef>,
    /// Recipes tried.
    pub recipes: u64,
    /// Digests computed: recipes that give the same bytes for a block share one.
    pub digests: u64,
    /// Size of the space for these pages, in recipes.
    pub space: u64,
    /// Recipes found, the one that fits most blocks first. Each reproduces at least two blocks of
    /// different text, length and hash, and some block that none before it reproduces.
    pub found: Vec<Found>,
}

/// A recipe that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The recipe.
    pub recipe: Recipe,
    /// Blocks whose declared hash it gives.
    pub reproduced: Vec<BlockRef>,
    /// Blocks with a well-formed declared hash that it does not give.
    pub missed: Vec<BlockRef>,
    /// How many other recipes of the space give the same on these pages.
    pub equals: u64,
}

impl Found {
    /// Whether the recipe reproduces every block with a well-formed declared hash.
    #[must_use]
    pub fn fits_all(&self) -> bool {
        self.missed.is_empty()
    }
}

/// Searches the built-in recipes, `options.known` and then the space for recipes that reproduce the
/// declared hashes of `pages`. `progress` is called now and then with the number of recipes tried.
#[must_use]
pub fn find(pages: &[PageInput<'_>], options: &FindOptions, progress: &dyn Fn(u64)) -> FindReport {
    let mut report = FindReport::default();
    let mut digests = Vec::new();
    for (at, page) in pages.iter().enumerate() {
        for (index, block) in page.document.blocks.iter().enumerate() {
            let Some(declared) = &block.declared else { continue };
            let place = BlockRef {
                page: at,
                block: index,
            };
            match Declared::read(declared) {
                Some(digest) => {
                    report.declared.push(place);
                    digests.push(digest);
                }
                None => report.malformed.push(place),
            }
        }
    }
    for recipe in super::builtins().iter().chain(&options.known) {
        report.recipes += 1;
        let mut reproduced = Vec::new();
        let mut missed = Vec::new();
        for (at, page) in pages.iter().enumerate() {
            let hasher = Hasher::new(recipe, *page);
            for (place, declared) in report.declared.iter().zip(&digests) {
                if place.page != at {
                    continue;
                }
                report.digests += 1;
                let hit = hasher.hash(place.block).is_some_and(|hash| hash.agrees(declared));
                let list = if hit { &mut reproduced } else { &mut missed };
                list.push(*place);
            }
        }
        if reproduced.len() > 1 {
            report.found.push(Found {
                recipe: recipe.clone(),
                reproduced,
                missed,
                equals: 0,
            });
        }
    }
    progress(report.recipes);
    report
}
