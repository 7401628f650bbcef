//! Verdicts: what recipes say about each declared hash, never a guess.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::nothing::NOTHING;
use crate::block::Block;
use crate::catalog::blocks::declared_prefix;
use crate::digest::Hash;
use crate::recipe::{ContentHash, Declared, Hasher, PageInput, Recipe};

/// How many different blocks of one group a recipe must reproduce before a block it does not
/// reproduce is called altered.
pub const MIN_EVIDENCE: usize = 2;

/// What the recipes say about one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// A recipe gives the declared hash.
    Reproduced,
    /// A recipe reproduces at least two different blocks of the same element and `dmcf-ptype` on
    /// this page or site, but not this one.
    Altered,
    /// No recipe fits.
    Unproven,
    /// The block has no declared hash.
    Undeclared,
    /// The declared hash is no digest: neither 64 hex digits, nor an integrity token, nor of the length
    /// and spelling that a recipe tried yields.
    Malformed,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 5] = [
        Self::Reproduced,
        Self::Altered,
        Self::Unproven,
        Self::Undeclared,
        Self::Malformed,
    ];

    /// The word used in reports and by `--allow`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Altered => "altered",
            Self::Unproven => "unproven",
            Self::Undeclared => "undeclared",
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// One block's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockCheck {
    /// Index in [`crate::block::Document::blocks`].
    pub block: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// The recipe behind the verdict, as an index into the recipes given: the one that reproduces
    /// the block, or for an altered block the one that reproduces its neighbours.
    pub recipe: Option<usize>,
    /// The block's hash by that recipe, or by the first recipe given where there is none.
    pub hash: Option<ContentHash>,
}

/// Verdicts counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Blocks of the page.
    pub blocks: usize,
    /// Blocks by verdict.
    pub reproduced: usize,
    /// Blocks by verdict.
    pub altered: usize,
    /// Blocks by verdict.
    pub unproven: usize,
    /// Blocks by verdict.
    pub undeclared: usize,
    /// Blocks by verdict.
    pub malformed: usize,
}

impl Summary {
    /// Counts one block.
    pub fn count(&mut self, verdict: Verdict) {
        self.blocks += 1;
        match verdict {
            Verdict::Reproduced => self.reproduced += 1,
            Verdict::Altered => self.altered += 1,
            Verdict::Unproven => self.unproven += 1,
            Verdict::Undeclared => self.undeclared += 1,
            Verdict::Malformed => self.malformed += 1,
        }
    }

    /// Adds another page's counts.
    pub fn add(&mut self, other: &Self) {
        self.blocks += other.blocks;
        self.reproduced += other.reproduced;
        self.altered += other.altered;
        self.unproven += other.unproven;
        self.undeclared += other.undeclared;
        self.malformed += other.malformed;
    }

    /// How many blocks got this verdict.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Reproduced => self.reproduced,
            Verdict::Altered => self.altered,
            Verdict::Unproven => self.unproven,
            Verdict::Undeclared => self.undeclared,
            Verdict::Malformed => self.malformed,
        }
    }

    /// Blocks with a declared hash, well-formed or not.
    #[must_use]
    pub fn declared(&self) -> usize {
        self.blocks - self.undeclared
    }

    /// Whether a check passes: something is declared, and every declared block is reproduced, save
    /// for the verdicts in `allowed`. A page that declares nothing passes if `undeclared` is allowed.
    #[must_use]
    pub fn passes(&self, allowed: &[Verdict]) -> bool {
        let bad = [Verdict::Altered, Verdict::Unproven, Verdict::Malformed]
            .into_iter()
            .filter(|verdict| !allowed.contains(verdict))
            .any(|verdict| self.of(verdict) > 0);
        !bad && (self.declared() > 0 || allowed.contains(&Verdict::Undeclared))
    }
}

/// How far one recipe fits a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Index into the recipes given.
    pub recipe: usize,
    /// Declared blocks it reproduces.
    pub reproduced: Vec<usize>,
    /// Declared blocks it does not reproduce, malformed ones left out.
    pub missed: Vec<usize>,
}

/// The verdicts of one page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// One entry for every block of the page, in order.
    pub blocks: Vec<BlockCheck>,
    /// The verdicts counted.
    pub summary: Summary,
    /// Recipes that reproduce at least one block, the one that reproduces most first.
    pub fits: Vec<Fit>,
}

/// Element and `dmcf-ptype`: blocks of one group are hashed by one rule.
type Group = (String, String);

/// What is known from pages of one site: which different blocks of which group each recipe
/// reproduces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// By the recipe's identity and the group: the keys of blocks reproduced. No more than
    /// [`MIN_EVIDENCE`] are kept of each.
    seen: BTreeMap<(Hash, Group), BTreeSet<Hash>>,
}

impl Evidence {
    fn note(&mut self, recipe: Hash, group: &Group, key: Hash) {
        let keys = self.seen.entry((recipe, group.clone())).or_default();
        if keys.len() < MIN_EVIDENCE {
            keys.insert(key);
        }
    }

    fn suffices(&self, recipe: Hash, group: &Group) -> bool {
        self.seen
            .get(&(recipe, group.clone()))
            .is_some_and(|keys| keys.len() >= MIN_EVIDENCE)
    }

    /// Takes over what another page or archive has shown.
    pub fn merge(&mut self, other: &Self) {
        for ((recipe, group), keys) in &other.seen {
            for key in keys {
                self.note(*recipe, group, *key);
            }
        }
    }
}

fn group(page: &PageInput<'_>, block: &Block) -> Group {
    (
        page.tag(block),
        block.attribute("dmcf-ptype").unwrap_or_default().to_owned(),
    )
}

/// What one recipe gives for the declared blocks of a page.
struct Trial {
    /// By position in the list of declared blocks: the hash, and whether it is the declared one.
    hashes: Vec<(Option<ContentHash>, bool)>,
}

fn trials(page: PageInput<'_>, declared: &[(usize, Option<Declared>)], recipes: &[Recipe]) -> Vec<Trial> {
    recipes
        .iter()
        .map(|recipe| {
            let hasher = Hasher::new(recipe, page);
            let hashes = declared
                .iter()
                .map(|(index, read)| {
                    let hash = hasher.hash(*index);
                    let agrees = match (&hash, read) {
                        (Some(hash), Some(read)) => hash.agrees(read),
                        _ => false,
                    };
                    (hash, agrees)
                })
                .collect();
            Trial { hashes }
        })
        .collect()
}

fn declared(page: &PageInput<'_>) -> Vec<(usize, Option<Declared>)> {
    page.document
        .blocks
        .iter()
        .enumerate()
        .filter_map(|(index, block)| Some((index, Declared::read(block.declared.as_deref()?))))
        .collect()
}

fn noted(
    page: &PageInput<'_>,
    declared: &[(usize, Option<Declared>)],
    recipes: &[Recipe],
    trials: &[Trial],
) -> Evidence {
    let mut evidence = Evidence::default();
    for (recipe, trial) in recipes.iter().zip(trials) {
        let identity = recipe.identity();
        for ((index, _), (_, agrees)) in declared.iter().zip(&trial.hashes) {
            let block = &page.document.blocks[*index];
            // The hash of empty text stands over anything: it shows nothing about the rule.
            let of_nothing = |declared: &str| NOTHING.contains(&declared_prefix(declared));
            if *agrees && !block.declared.as_deref().is_some_and(of_nothing) {
                evidence.note(identity, &group(page, block), block.key());
            }
        }
    }
    evidence
}

/// What a page shows about the recipes of its site, to be given to [`check`] for its other pages.
#[must_use]
pub fn evidence(page: PageInput<'_>, recipes: &[Recipe]) -> Evidence {
    let declared = declared(&page);
    noted(&page, &declared, recipes, &trials(page, &declared, recipes))
}

/// Holds the declared hashes of a page against recipes. `site` is what other pages of the site have
/// shown; the page's own blocks count without being asked for.
///
/// Verdicts are about blocks one by one: that a block was removed, repeated or moved is not seen
/// here.
#[must_use]
pub fn check(page: PageInput<'_>, recipes: &[Recipe], site: &Evidence) -> CheckReport {
    let declared = declared(&page);
    let trials = trials(page, &declared, recipes);
    let mut known = site.clone();
    known.merge(&noted(&page, &declared, recipes, &trials));
    let identities: Vec<Hash> = recipes.iter().map(Recipe::identity).collect();

    let mut report = CheckReport::default();
    for (recipe, trial) in trials.iter().enumerate() {
        let mut fit = Fit {
            recipe,
            reproduced: Vec::new(),
            missed: Vec::new(),
        };
        for ((index, read), (_, agrees)) in declared.iter().zip(&trial.hashes) {
            if *agrees {
                fit.reproduced.push(*index);
            } else if read.is_some() {
                fit.missed.push(*index);
            }
        }
        if !fit.reproduced.is_empty() {
            report.fits.push(fit);
        }
    }
    report
        .fits
        .sort_by_key(|fit| std::cmp::Reverse(fit.reproduced.len()));

    let mut position = 0;
    for (index, block) in page.document.blocks.iter().enumerate() {
        let (verdict, recipe) = match &block.declared {
            None => (Verdict::Undeclared, None),
            Some(value) => {
                let at = position;
                position += 1;
                let read = declared.get(at).and_then(|(_, read)| read.as_ref());
                let reproducing = trials
                    .iter()
                    .position(|trial| trial.hashes.get(at).is_some_and(|(_, agrees)| *agrees));
                if let Some(recipe) = reproducing {
                    (Verdict::Reproduced, Some(recipe))
                } else if !is_well_formed(value, read, recipes) {
                    (Verdict::Malformed, None)
                } else {
                    let group = group(&page, block);
                    // Without a hash of the block nothing is said against it.
                    let given = |recipe: usize| {
                        let trial = trials.get(recipe).and_then(|trial| trial.hashes.get(at));
                        trial.is_some_and(|(hash, _)| hash.is_some())
                    };
                    let mut rules = identities.iter().enumerate();
                    match rules.position(|(recipe, &one)| given(recipe) && known.suffices(one, &group)) {
                        Some(recipe) => (Verdict::Altered, Some(recipe)),
                        None => (Verdict::Unproven, None),
                    }
                }
            }
        };
        let hash = match &block.declared {
            Some(_) => trials
                .get(recipe.unwrap_or(0))
                .and_then(|trial| trial.hashes.get(position - 1))
                .and_then(|(hash, _)| hash.clone()),
            None => recipes
                .first()
                .and_then(|recipe| crate::recipe::hash(recipe, page, index)),
        };
        report.summary.count(verdict);
        report.blocks.push(BlockCheck {
            block: index,
            verdict,
            recipe,
            hash,
        });
    }
    report
}

/// Whether the value is 64 hex digits, an integrity token, or of the length and spelling that one of
/// the recipes yields.
fn is_well_formed(value: &str, read: Option<&Declared>, recipes: &[Recipe]) -> bool {
    Declared::is_content_hash(value.trim_ascii())
        || read.is_some_and(|read| read.algorithm.is_some())
        || read.is_some_and(|read| {
            recipes.iter().any(|recipe| {
                recipe.digest.output_len() == read.digest.len() && recipe.spelling == read.spelling
            })
        })
}
