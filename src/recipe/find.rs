//! The finder: which recipe of the space reproduces the declared hashes of these pages.

use std::collections::BTreeMap;

use super::content::PageInput;
use super::declared::Declared;
use super::hash::{Hasher, places};
use super::rule::Recipe;
use super::search::search;
use super::space::{Space, Target};

/// Most different kinds of digest (length, spelling) that one search takes on.
const MAX_TARGETS: usize = 4;

/// Most recipes a report names.
const MAX_FOUND: usize = 16;

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
    /// Recipes tried: compositions of steps, message and digest.
    pub recipes: u64,
    /// Digests compared: recipes that give the same bytes for a block share them.
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
    /// How many other recipes of the space are known to give the same on these pages.
    pub equals: u64,
}

impl Found {
    /// Whether the recipe reproduces every block with a well-formed declared hash.
    #[must_use]
    pub fn fits_all(&self) -> bool {
        self.missed.is_empty()
    }

    /// Gives a recipe of the space a name of its own, so that several may stand side by side, and a
    /// note that says what it was found to fit.
    fn christen(&mut self, declared: usize) {
        if self.recipe.name == super::space::NAMELESS {
            let identity = self.recipe.identity().to_string();
            self.recipe.name = format!("found-{}", &identity[..8]);
            self.recipe.note = format!(
                "Found by search: gives {} of {declared} declared hashes.",
                self.reproduced.len()
            );
        }
    }

    /// What decides between recipes that fit the same blocks: the fewest parts win.
    fn effort(&self) -> usize {
        let recipe = &self.recipe;
        let plain = super::builtins().iter().any(|one| one.is_same_rule(recipe));
        usize::from(!plain)
            + usize::from(!recipe.reads_content()) * 8
            + recipe.steps.len()
            + recipe.message.parts().len() * 2
            + recipe.key.as_ref().map_or(0, |key| key.parts().len() * 2)
            + recipe.digest.operations().len() * 2
            + usize::from(recipe.encoding != super::Encoding::Utf8)
    }
}

/// A block to be reproduced.
#[derive(Debug, Clone)]
pub(crate) struct Aim<'a> {
    pub place: BlockRef,
    pub page: PageInput<'a>,
    pub declared: Declared,
    /// Place among the declared blocks of its page, and the declared hash before it.
    pub around: (usize, &'a str),
}

impl Aim<'_> {
    /// Length of what tells this block from another: its text, or what is inside it where it has none.
    fn length(&self) -> usize {
        let block = &self.page.document.blocks[self.place.block];
        if block.text.is_empty() {
            self.page.source(block.inner.clone()).len()
        } else {
            block.text.len()
        }
    }
}

/// Whether two of these blocks differ in text, length and declared hash: only then is a recipe that
/// reproduces them more than a coincidence.
pub(crate) fn is_proof(aims: &[Aim<'_>], reproduced: &[usize]) -> bool {
    let mut known = reproduced
        .iter()
        .filter_map(|&at| aims.get(at))
        .map(|aim| (aim.length(), aim.declared.digest.as_slice()));
    let Some((length, digest)) = known.next() else {
        return false;
    };
    // Texts of different lengths are different texts. If no two blocks differ in length and hash at
    // once, then all of them are equal in one of the two; so each need be held against the first alone.
    let (mut lengths, mut digests) = (false, false);
    known.any(|(other_length, other_digest)| {
        lengths |= other_length != length;
        digests |= other_digest != digest;
        lengths && digests
    })
}

/// Searches the built-in recipes, `options.known` and then the space for recipes that reproduce the
/// declared hashes of `pages`. `progress` is called now and then with the number of recipes tried.
#[must_use]
pub fn find(pages: &[PageInput<'_>], options: &FindOptions, progress: &dyn Fn(u64)) -> FindReport {
    let mut report = FindReport::default();
    let mut aims = Vec::new();
    for (at, page) in pages.iter().enumerate() {
        let places = places(page);
        for (index, block) in page.document.blocks.iter().enumerate() {
            let Some(declared) = &block.declared else { continue };
            let place = BlockRef {
                page: at,
                block: index,
            };
            match Declared::read(declared) {
                Some(declared) => {
                    report.declared.push(place);
                    aims.push(Aim {
                        place,
                        page: *page,
                        declared,
                        around: places.get(index).copied().unwrap_or_default(),
                    });
                }
                None => report.malformed.push(place),
            }
        }
    }
    let mut found: Vec<Found> = Vec::new();
    for recipe in options.known.iter().chain(super::builtins()) {
        report.recipes += 1;
        report.digests += aims.len() as u64;
        found.extend(held_against(recipe.clone(), &aims, 0));
    }
    progress(report.recipes);

    let mut targets: BTreeMap<Target, usize> = BTreeMap::new();
    for aim in &aims {
        *targets.entry(Target::of(&aim.declared)).or_default() += 1;
    }
    let mut targets: Vec<(Target, usize)> = targets.into_iter().collect();
    targets.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    for (target, _) in targets.into_iter().take(MAX_TARGETS) {
        let space = Space::new(pages, target);
        report.space += space.len();
        let of_target: Vec<Aim<'_>> = aims
            .iter()
            .filter(|aim| Target::of(&aim.declared) == target)
            .cloned()
            .collect();
        // Blocks stand in order in `reproduced`: a page may have hundreds of thousands of them.
        let fits = |found: &Found| {
            let gives = |aim: &Aim<'_>| found.reproduced.binary_search(&aim.place).is_ok();
            of_target.iter().all(gives)
        };
        if !options.go_on && found.iter().any(fits) {
            continue;
        }
        let before = report.recipes;
        let outcome = search(&space, &of_target, options, &|tried| progress(before + tried));
        report.recipes += outcome.recipes;
        report.digests += outcome.digests;
        report.probes.extend(outcome.probes);
        for (recipe, equals) in outcome.recipes_found {
            found.extend(held_against(recipe, &aims, equals));
        }
    }
    report.found = best(found);
    for one in &mut report.found {
        one.christen(aims.len());
    }
    progress(report.recipes);
    report
}

/// The recipe with the blocks it reproduces, if these are a proof.
fn held_against(recipe: Recipe, aims: &[Aim<'_>], equals: u64) -> Option<Found> {
    let mut hits = Vec::new();
    let mut missed = Vec::new();
    let mut from = 0;
    while let Some(first) = aims.get(from) {
        let hasher = Hasher::new(&recipe, first.page);
        let same = aims[from..]
            .iter()
            .take_while(|aim| aim.place.page == first.place.page)
            .count();
        for (at, aim) in aims.iter().enumerate().skip(from).take(same) {
            if hasher
                .hash(aim.place.block)
                .is_some_and(|hash| hash.agrees(&aim.declared))
            {
                hits.push(at);
            } else {
                missed.push(aim.place);
            }
        }
        from += same;
    }
    is_proof(aims, &hits).then(|| Found {
        recipe,
        reproduced: hits.iter().map(|&at| aims[at].place).collect(),
        missed,
        equals,
    })
}

/// The recipes worth naming: the one that fits most first, then those that add a block.
fn best(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|one| (std::cmp::Reverse(one.reproduced.len()), one.effort()));
    let gives = |one: &Found, place: &BlockRef| one.reproduced.binary_search(place).is_ok();
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if let Some(like) = kept.iter_mut().find(|like| like.reproduced == one.reproduced) {
            like.equals += 1 + one.equals;
            continue;
        }
        let adds = one
            .reproduced
            .iter()
            .any(|place| !kept.iter().any(|other| gives(other, place)));
        if adds && kept.len() < MAX_FOUND {
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::{ReadOptions, read};

    #[test]
    fn a_proof_is_two_blocks_that_differ_in_length_and_hash() {
        let (one, two) = ("11".repeat(32), "22".repeat(32));
        let blocks = [("aa", &one), ("cc", &one), ("aa", &two), ("b", &one)];
        let raw: Vec<String> = blocks
            .iter()
            .map(|(text, hash)| format!("<p contents-hash={hash}>{text}</p>"))
            .collect();
        let raw = raw.concat();
        let document = read(raw.as_bytes(), &ReadOptions::default());
        let page = PageInput::new(raw.as_bytes(), &document);
        let aims: Vec<Aim<'_>> = blocks
            .iter()
            .enumerate()
            .map(|(block, (_, hash))| Aim {
                place: BlockRef { page: 0, block },
                page,
                declared: Declared::read(hash).unwrap(),
                around: (0, ""),
            })
            .collect();
        assert!(is_proof(&aims, &[2, 3]));
        assert!(is_proof(&aims, &[0, 1, 2, 3]), "third and fourth");
        for none in [&[][..], &[0][..], &[0, 1, 2][..], &[0, 1, 3][..]] {
            assert!(!is_proof(&aims, none), "{none:?}");
        }
    }
}
