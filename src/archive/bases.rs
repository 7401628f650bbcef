//! Choosing what a new page is compressed against.
//!
//! The bodies of an article are numbered in the order in which they are added. Number i rests on
//! number i - RADIX^k, where RADIX^k is the largest power that divides i: a restore follows at most
//! RADIX - 1 steps for each digit of i, and only the newest body of each power must be remembered. An
//! article's first body rests on the most similar one among the last pages of its site.

use std::collections::{HashMap, VecDeque};

use rustc_hash::FxHashSet;

use super::cache::Body;
use super::{Archive, ArchiveError, held};
use crate::catalog::blocks::Outline;
use crate::catalog::snapshots;
use crate::digest::Hash;
use crate::pack::{MAX_DEPTH, codec};
use crate::page::site;

/// Measured on 6,346 revisions at level 3: 2 gives 43.6, 8 gives 47.2, 16 gives 48.8.
const RADIX: u64 = 16;

/// Powers of [`RADIX`] that are told apart: 16 million bodies of one article.
const LEVELS: usize = 6;

/// Bytes decoded for one restore, at most: at 2 GB/s that is 12 ms.
const MAX_CHAIN_BYTES: u64 = 24 << 20;

/// Deepest an article's first body may lie, so that its revisions have room.
const MAX_FIRST_DEPTH: u32 = 32;

/// Pages of a site that are looked at for a base.
const SITE_PAGES: u32 = 32;

/// Block keys remembered of a page: the smallest ones, so that two pages that share blocks share keys.
const SKETCH: usize = 96;

/// Articles and sites remembered between pages. Forgetting one costs a look into the catalog.
const MAX_REMEMBERED: usize = 8192;

/// A body that may become a base.
#[derive(Debug, Clone)]
struct Candidate {
    body: Hash,
    depth: u32,
}

/// What is remembered of an article.
#[derive(Debug, Default)]
struct Article {
    /// Number of the next body.
    next: u64,
    /// For each power of [`RADIX`]: the newest body whose number it divides.
    levels: Vec<Candidate>,
    /// The body that was added last, for sources without moments.
    newest: Option<Hash>,
}

/// A page of a site.
#[derive(Debug)]
struct SitePage {
    candidate: Candidate,
    address: String,
    sketch: Vec<u64>,
}

/// What is remembered for choosing bases.
#[derive(Debug, Default)]
pub(super) struct Bases {
    articles: HashMap<String, Article>,
    sites: HashMap<String, VecDeque<SitePage>>,
}

/// A chosen base.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub hash: Hash,
    pub body: Body,
    /// Depth of the page that rests on it.
    pub depth: u32,
}

/// Deepest a page of this length may lie.
fn depth_limit(length: u64) -> u32 {
    let steps = MAX_CHAIN_BYTES / length.max(1);
    u32::try_from(steps).unwrap_or(MAX_DEPTH).clamp(2, MAX_DEPTH)
}

/// The power of [`RADIX`] that body number `number` rests on: the exponent.
fn level_of(number: u64) -> usize {
    let mut level = 0;
    let mut number = number;
    while number > 0 && number.is_multiple_of(RADIX) {
        number /= RADIX;
        level += 1;
    }
    level
}

fn sketch(outline: Option<&Outline>) -> Vec<u64> {
    let Some(outline) = outline else { return Vec::new() };
    let mut keys: Vec<u64> = outline.blocks.iter().map(|block| block.key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.truncate(SKETCH);
    keys
}

/// How many keys of two sorted lists are the same.
fn shared(one: &[u64], other: &[u64]) -> usize {
    let (mut at, mut count) = (0, 0);
    for key in one {
        while other.get(at).is_some_and(|known| known < key) {
            at += 1;
        }
        count += usize::from(other.get(at) == Some(key));
    }
    count
}

fn common_prefix(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

impl Bases {
    /// The body of the article that was added last.
    pub fn newest(&mut self, archive: &Archive, key: &str) -> Result<Option<Hash>, ArchiveError> {
        Ok(self.article(archive, key)?.newest)
    }

    fn article(&mut self, archive: &Archive, key: &str) -> Result<&mut Article, ArchiveError> {
        if !self.articles.contains_key(key) {
            if self.articles.len() >= MAX_REMEMBERED {
                self.articles.clear();
            }
            let article = Article::load(archive, key)?;
            self.articles.insert(key.to_owned(), article);
        }
        Ok(self.articles.entry(key.to_owned()).or_default())
    }

    fn site(
        &mut self,
        archive: &Archive,
        address: &str,
    ) -> Result<Option<&mut VecDeque<SitePage>>, ArchiveError> {
        let Some(site) = site(address) else {
            return Ok(None);
        };
        if !self.sites.contains_key(&site) {
            if self.sites.len() >= MAX_REMEMBERED {
                self.sites.clear();
            }
            let pages = load_site(archive, &site)?;
            self.sites.insert(site.clone(), pages);
        }
        Ok(self.sites.get_mut(&site))
    }

    /// Chooses a base for a page that may be a revision. `body_of` gives the bytes of a body, if they
    /// can be had; `refused` names bodies that were taken out.
    pub fn choose(
        &mut self,
        archive: &Archive,
        key: &str,
        page: (&str, u64, Option<&Outline>),
        refused: &FxHashSet<Hash>,
        body_of: &mut dyn FnMut(&Hash) -> Option<Body>,
    ) -> Result<Option<Base>, ArchiveError> {
        let (address, length, outline) = page;
        let article = self.article(archive, key)?;
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut limit = depth_limit(length);
        if article.next > 0 {
            // The next higher powers lie less deep: they serve where the first is too deep or lost.
            candidates.extend(article.levels.iter().skip(level_of(article.next)).cloned());
        } else if let Some(pages) = self.site(archive, address)? {
            limit = limit.min(MAX_FIRST_DEPTH);
            let keys = sketch(outline);
            let mut ranked: Vec<(usize, usize, usize)> = pages
                .iter()
                .enumerate()
                .filter(|(_, page)| page.candidate.depth < limit)
                .map(|(index, page)| {
                    let alike = shared(&keys, &page.sketch);
                    (alike, common_prefix(address, &page.address), index)
                })
                .collect();
            ranked.sort_unstable_by(|one, other| other.cmp(one));
            candidates.extend(
                ranked
                    .iter()
                    .take(3)
                    .map(|(_, _, index)| pages[*index].candidate.clone()),
            );
        }
        for candidate in candidates {
            if candidate.depth + 1 > limit || refused.contains(&candidate.body) {
                continue;
            }
            if let Some(body) = body_of(&candidate.body)
                && codec::can_be_base(&body)
            {
                return Ok(Some(Base {
                    hash: candidate.body,
                    body,
                    depth: candidate.depth + 1,
                }));
            }
        }
        Ok(None)
    }

    /// Remembers a page that was planned. `depth` is `None` if its body is stored already.
    pub fn remember(
        &mut self,
        archive: &Archive,
        key: &str,
        page: (&str, &Hash, Option<&Outline>),
        depth: Option<u32>,
    ) -> Result<(), ArchiveError> {
        let (address, body, outline) = page;
        let article = self.article(archive, key)?;
        article.newest = Some(*body);
        let Some(depth) = depth else { return Ok(()) };
        let candidate = Candidate { body: *body, depth };
        let first = article.next == 0;
        article.put(candidate.clone());
        if first && let Some(pages) = self.site(archive, address)? {
            if pages.len() >= SITE_PAGES as usize {
                pages.pop_front();
            }
            pages.push_back(SitePage {
                candidate,
                address: address.to_owned(),
                sketch: sketch(outline),
            });
        }
        Ok(())
    }
}

impl Article {
    fn load(archive: &Archive, key: &str) -> Result<Self, ArchiveError> {
        let mut article = Self::default();
        let (bodies, newest) = {
            let catalog = held(&archive.catalog);
            let Some(id) = snapshots::article(catalog.connection(), key)? else {
                return Ok(article);
            };
            (
                snapshots::bodies_in_order(catalog.connection(), id)?,
                snapshots::newest_body(catalog.connection(), id)?,
            )
        };
        article.newest = newest;
        article.next = bodies.len() as u64;
        let Some(last) = article.next.checked_sub(1) else {
            return Ok(article);
        };
        for level in 0..LEVELS {
            let power = RADIX.pow(level as u32);
            let number = last / power * power;
            let body = bodies[number as usize];
            // A body that lies nowhere has no depth; it will not be found as a base either.
            let depth = archive
                .places(&body)?
                .first()
                .map_or(MAX_DEPTH, |place| place.depth);
            article.levels.push(Candidate { body, depth });
        }
        Ok(article)
    }

    fn put(&mut self, candidate: Candidate) {
        if self.next == 0 {
            // Every power divides 0.
            self.levels = vec![candidate; LEVELS];
        } else {
            let levels = level_of(self.next) + 1;
            self.levels
                .iter_mut()
                .take(levels)
                .for_each(|known| *known = candidate.clone());
        }
        self.next += 1;
    }
}

fn load_site(archive: &Archive, site: &str) -> Result<VecDeque<SitePage>, ArchiveError> {
    let found = snapshots::of_site(held(&archive.catalog).connection(), site, SITE_PAGES)?;
    let mut pages = VecDeque::new();
    for (address, body) in found.into_iter().rev() {
        if let Some(place) = archive.places(&body)?.first() {
            pages.push_back(SitePage {
                candidate: Candidate {
                    body,
                    depth: place.depth,
                },
                address,
                sketch: Vec::new(),
            });
        }
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_with_the_digits_of_the_number() {
        let mut article = Article::default();
        let mut depths: Vec<u32> = Vec::new();
        for number in 0..5000_u64 {
            let depth = if number == 0 {
                0
            } else {
                let base = &article.levels[level_of(number).min(article.levels.len() - 1)];
                let base_number = u64::from_be_bytes(base.body.0[..8].try_into().unwrap());
                assert_eq!(base_number, number - RADIX.pow(level_of(number) as u32));
                base.depth + 1
            };
            let mut hash = Hash([0; 32]);
            hash.0[..8].copy_from_slice(&number.to_be_bytes());
            article.put(Candidate { body: hash, depth });
            depths.push(depth);
        }
        assert!(depths.iter().all(|depth| *depth <= 4 * 15));
        assert_eq!(depths[4095], 45);
    }

    #[test]
    fn large_pages_lie_less_deep() {
        assert_eq!(depth_limit(1), MAX_DEPTH);
        assert_eq!(depth_limit(1 << 20), 24);
        assert_eq!(depth_limit(64 << 20), 2);
    }

    #[test]
    fn shared_counts_equal_keys() {
        assert_eq!(shared(&[1, 3, 5, 7], &[2, 3, 4, 7, 9]), 2);
        assert_eq!(shared(&[], &[1]), 0);
    }
}
