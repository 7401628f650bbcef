//! Verdicts over an archive, summed up by site.

use std::collections::BTreeMap;

use super::verdict::{CheckReport, Summary};
use crate::digest::Hash;
use crate::page::Moment;
use crate::recipe::Recipe;

/// What the pages of one site show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SiteSummary {
    /// Pages checked.
    pub pages: usize,
    /// Verdicts over all of them.
    pub summary: Summary,
    /// Moment of the oldest and of the newest page with a declared hash, where known.
    pub first: Option<Moment>,
    /// See `first`.
    pub last: Option<Moment>,
    /// Declared blocks reproduced, by the recipe's identity.
    fits: BTreeMap<Hash, usize>,
}

impl SiteSummary {
    /// Counts one page. `recipes` are those the report refers to.
    pub fn count(&mut self, report: &CheckReport, recipes: &[Recipe], moment: Option<Moment>) {
        self.pages += 1;
        self.summary.add(&report.summary);
        if report.summary.declared() > 0 {
            self.first = self.first.into_iter().chain(moment).min();
            self.last = self.last.into_iter().chain(moment).max();
        }
        for fit in &report.fits {
            if let Some(recipe) = recipes.get(fit.recipe) {
                *self.fits.entry(recipe.identity()).or_default() += fit.reproduced.len();
            }
        }
    }

    /// The recipe among `recipes` that reproduces most of the site's declared blocks, with how many.
    #[must_use]
    pub fn fitting<'a>(&self, recipes: &'a [Recipe]) -> Option<(&'a Recipe, usize)> {
        recipes
            .iter()
            .rev()
            .filter_map(|recipe| Some((recipe, *self.fits.get(&recipe.identity())?)))
            .max_by_key(|(_, reproduced)| *reproduced)
    }
}
