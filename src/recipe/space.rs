//! The finder's space: recipes composed of steps, messages and digests, in layers that are products.
//!
//! A recipe of the space is a number, so that a test can take any of them; `docs/recipes.md` tells
//! the sizes.

mod chains;
mod envelopes;
mod forms;
mod values;

use super::algorithm::Algorithm;
use super::chain::Chain;
use super::content::PageInput;
use super::declared::{Declared, Spelling};
use super::rule::Recipe;
use chains::{chains, common_chains, main_chains};
pub(crate) use envelopes::Envelope;
use envelopes::{alone, paired, single};
use forms::{ALL_BUT_WRAP, CORE, DIGESTED, PLAIN, WRAP_DIGESTS, WRAPPED, bases, core_bases, forms};
pub(crate) use forms::{AXES, Base, Form};
use values::{fields, prefixes};

/// Name of a recipe of the space that was not found to fit anything yet.
pub(crate) const NAMELESS: &str = "composed";

/// One product of forms, messages and digests.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// What it adds, for people.
    pub name: &'static str,
    pub forms: Vec<Form>,
    pub envelopes: Vec<Envelope>,
    pub chains: Vec<Chain>,
}

impl Layer {
    /// Recipes in the layer.
    pub fn len(&self) -> u64 {
        self.forms.len() as u64 * self.envelopes.len() as u64 * self.chains.len() as u64
    }
}

/// What a declared hash demands of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Digest length in bytes.
    pub len: usize,
    /// How it is spelled.
    pub spelling: Spelling,
    /// The algorithm, where the spelling names it.
    pub algorithm: Option<Algorithm>,
}

impl Target {
    /// What this declared hash demands.
    #[must_use]
    pub fn of(declared: &Declared) -> Self {
        Self {
            len: declared.digest.len(),
            // Only the integrity spelling says more than how the digest is written.
            spelling: declared.spelling,
            algorithm: declared.algorithm,
        }
    }
}

/// All recipes that the finder searches for some pages and one target.
#[derive(Debug, Clone)]
pub struct Space {
    pub(crate) bases: Vec<Base>,
    pub(crate) layers: Vec<Layer>,
    target: Target,
}

impl Space {
    /// The space for these pages: its values are the attributes their declared blocks carry and what
    /// the pages tell about themselves.
    #[must_use]
    pub fn new(pages: &[PageInput<'_>], target: Target) -> Self {
        let fields = fields(pages);
        let bases = bases(&prefixes(pages));
        let core: Vec<u16> = core_bases(&bases);
        let every: Vec<u16> = (0..bases.len() as u16).collect();
        let chains = chains(target);
        let main = main_chains(target);
        let attribute = pages.first().map_or("", |page| page.attribute);
        let layers = vec![
            Layer {
                name: "every form, digested alone",
                forms: forms(&every, ALL_BUT_WRAP),
                envelopes: alone(),
                chains: chains.clone(),
            },
            Layer {
                name: "one value beside the content, or as key",
                forms: forms(&every, PLAIN),
                envelopes: single(&fields, attribute),
                chains: common_chains(target),
            },
            Layer {
                name: "wrapped content, digested alone",
                forms: forms(&every, WRAPPED)
                    .into_iter()
                    .filter(|form| form.choices[5] != 0)
                    .collect(),
                envelopes: alone(),
                chains,
            },
            Layer {
                name: "one value beside a digest of the content",
                forms: forms(&core, DIGESTED)
                    .into_iter()
                    .filter(|form| usize::from(form.choices[5]) >= WRAP_DIGESTS)
                    .collect(),
                envelopes: single(&fields, attribute),
                chains: main.clone(),
            },
            Layer {
                name: "two values beside the content",
                forms: forms(&core, CORE),
                envelopes: paired(&fields),
                chains: main,
            },
        ];
        Self {
            bases,
            layers,
            target,
        }
    }

    /// Recipes in the space.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.layers.iter().map(Layer::len).sum()
    }

    /// Whether there is no recipe for this target: no digest has its length.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What each layer adds and how many forms, messages and digests it multiplies.
    pub fn layers(&self) -> impl Iterator<Item = (&'static str, usize, usize, usize)> {
        self.layers.iter().map(|layer| {
            (
                layer.name,
                layer.forms.len(),
                layer.envelopes.len(),
                layer.chains.len(),
            )
        })
    }

    /// The recipe of this number, below [`Space::len`].
    #[must_use]
    pub fn recipe(&self, number: u64) -> Option<Recipe> {
        let mut rest = number;
        for layer in &self.layers {
            if rest >= layer.len() {
                rest -= layer.len();
                continue;
            }
            let chains = layer.chains.len() as u64;
            let envelopes = layer.envelopes.len() as u64;
            return Some(self.compose(
                layer.forms[(rest / chains / envelopes) as usize],
                &layer.envelopes[(rest / chains % envelopes) as usize],
                &layer.chains[(rest % chains) as usize],
            ));
        }
        None
    }

    /// The recipe made of these parts.
    pub(crate) fn compose(&self, form: Form, envelope: &Envelope, chain: &Chain) -> Recipe {
        let base = &self.bases[usize::from(form.base)];
        let mut steps = base.steps.clone();
        for (axis, &choice) in AXES.iter().zip(&form.choices) {
            steps.extend_from_slice(axis[usize::from(choice)]);
        }
        Recipe {
            name: NAMELESS.into(),
            version: 1,
            note: String::new(),
            scope: base.scope,
            steps,
            message: envelope.message.clone(),
            encoding: envelope.encoding,
            key: envelope.key.clone(),
            digest: chain.clone(),
            spelling: self.target.spelling,
        }
    }
}

#[cfg(test)]
mod tests;
