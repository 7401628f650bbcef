//! Verdicts over an archive, summed up by site.

use std::collections::BTreeMap;
use std::thread;

use super::CheckError;
use super::nothing::NOTHING;
use super::verdict::{CheckReport, Evidence, Summary, Verdict, check, evidence};
use crate::archive::{Archive, Snapshot};
use crate::block::Document;
use crate::catalog::ledger::{self, SiteLedger};
use crate::digest::Hash;
use crate::label::Reader;
use crate::page::{Moment, Page, host};
use crate::pool;
use crate::recipe::{PageInput, Recipe};

/// The recipes that the pages of each site are held against. `None` is the site of pages without a
/// host.
pub type Recipes = BTreeMap<Option<String>, Vec<Recipe>>;

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
    /// What the declared hashes of all its snapshots show together.
    pub ledger: SiteLedger,
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

/// What a survey has come to.
#[derive(Debug)]
pub enum Step<'a> {
    /// One more snapshot was read. Each is read twice: what one page proves about a recipe counts for
    /// all pages of its site.
    Read,
    /// A snapshot that could not be read, and so is not counted.
    Failed(&'a Snapshot, CheckError),
}

/// What the pages of an archive show, summed up by site. `None` is the site of pages without a host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// The sites.
    pub sites: BTreeMap<Option<String>, SiteSummary>,
}

impl Survey {
    /// Verdicts over all pages.
    #[must_use]
    pub fn total(&self) -> Summary {
        let mut total = Summary::default();
        for site in self.sites.values() {
            total.add(&site.summary);
        }
        total
    }

    /// Pages checked.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.sites.values().map(|site| site.pages).sum()
    }

    /// Whether the archive passes as one page would ([`Summary::passes`]): something is declared in it,
    /// and every declared block is reproduced, save for the verdicts in `allowed`.
    #[must_use]
    pub fn passes(&self, allowed: &[Verdict]) -> bool {
        self.total().passes(allowed)
    }
}

/// Checks every snapshot of the archive and sums up by site. `recipes` holds those of every site that
/// the snapshots are of.
pub fn survey(
    archive: &Archive,
    reader: &Reader,
    snapshots: &[Snapshot],
    recipes: &Recipes,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<Survey, CheckError> {
    let recipes_of = |site: &Option<String>| recipes.get(site).map_or(&[][..], Vec::as_slice);
    let read = |snapshot: &Snapshot| -> Result<(Page, Document), CheckError> {
        let page = archive.restore(snapshot)?;
        let document = reader.read(&page);
        Ok((page, document))
    };
    let mut proofs: BTreeMap<Option<String>, Evidence> = BTreeMap::new();
    thread::scope(|scope| {
        let found = pool::ordered(scope, pool::cores(), snapshots.iter(), |snapshot| {
            let (page, document) = read(snapshot).ok()?;
            let site = host(&snapshot.address);
            let proof = evidence(input(&page, &document, reader), recipes_of(&site));
            Some((site, proof))
        });
        for found in found {
            tell(Step::Read);
            if let Some((site, proof)) = found {
                proofs.entry(site).or_default().merge(&proof);
            }
        }
    });
    let mut sites: BTreeMap<Option<String>, SiteSummary> = BTreeMap::new();
    let none = Evidence::default();
    thread::scope(|scope| {
        let reports = pool::ordered(scope, pool::cores(), snapshots.iter(), |snapshot| {
            let site = host(&snapshot.address);
            let report = read(snapshot).map(|(page, document)| {
                let known = proofs.get(&site).unwrap_or(&none);
                check(input(&page, &document, reader), recipes_of(&site), known)
            });
            (snapshot, site, report)
        });
        for (snapshot, site, report) in reports {
            tell(Step::Read);
            match report {
                Ok(report) => {
                    let recipes = recipes_of(&site);
                    let summary = sites.entry(site.clone()).or_default();
                    summary.count(&report, recipes, snapshot.moment);
                }
                Err(error) => tell(Step::Failed(snapshot, error)),
            }
        }
    });
    for (site, summary) in &mut sites {
        summary.ledger = archive.with_catalog(|catalog| ledger::site(catalog, site.as_deref(), &NOTHING))?;
    }
    Ok(Survey { sites })
}

fn input<'a>(page: &'a Page, document: &'a Document, reader: &'a Reader) -> PageInput<'a> {
    PageInput {
        address: Some(&page.address),
        attribute: reader.declared_attribute(),
        ..PageInput::new(&page.body, document)
    }
}
