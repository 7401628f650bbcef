//! Choosing what a new page is compressed against.
//!
//! A page joins the group of what it resembles, if that is being gathered and has room: of the newest body of
//! its article, or of the most similar one among the last pages of its site. Else it begins a group.
//!
//! The groups of an article are numbered in the order in which they begin. Number i rests on the newest body
//! of the article in number i - RADIX^k, where RADIX^k is the largest power that divides i: a restore follows
//! at most RADIX - 1 steps for each digit of i, and only one body of each power must be remembered. What an
//! earlier run stored counts as a group for each body.
//!
//! A group that an article's first body begins rests on the first page in the group of the most similar one of
//! its site: that is as good a base, and read without decoding the group.

use std::collections::{HashMap, VecDeque};

use rustc_hash::FxHashSet;

use super::cache::Body;
use super::gather::{GROUP_BYTES, Gathering, REVISIONS_BYTES};
use super::{Archive, ArchiveError, held};
use crate::catalog::blocks::Outline;
use crate::catalog::snapshots;
use crate::digest::Hash;
use crate::pack::{MAX_DEPTH, codec};
use crate::page::site;

/// Measured on 6,346 revisions at level 3 with a frame for each page, raw bytes over stored ones: 2 gives 43.6, 8
/// gives 47.2, 16 gives 48.8.
const RADIX: u64 = 16;

/// Powers of [`RADIX`] that are told apart: 16 million groups of one article.
const LEVELS: usize = 6;

/// Bytes decoded for one restore, at most, before the group grows: at 2 GB/s that is 12 ms.
const MAX_CHAIN_BYTES: u64 = 24 << 20;

/// The same for an article's first body: pages that only share a template take longer to decode than
/// revisions, and its own revisions need room.
const MAX_FIRST_BYTES: u64 = 4 << 20;

/// Deepest an article's first body may lie.
const MAX_FIRST_DEPTH: u32 = 32;

/// Pages of a site that are looked at for a base.
const SITE_PAGES: u32 = 32;

/// Block keys remembered of a page: the smallest ones, so that two pages that share blocks share keys.
const SKETCH: usize = 96;

/// Articles and sites remembered between pages. Forgetting one costs a look into the catalog.
const MAX_REMEMBERED: usize = 8192;

/// A body that may become a base.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub body: Hash,
    /// Its own depth.
    pub depth: u32,
    /// Bytes that are decoded to read it, itself included; an estimate for what an earlier run stored.
    pub cost: u64,
    /// The number of its group, if this writer gathered it.
    pub group: Option<u64>,
}

/// What is remembered of an article.
#[derive(Debug, Default)]
struct Article {
    /// Number of the next group.
    next: u64,
    /// For each power of [`RADIX`]: the newest body in the newest group whose number it divides.
    levels: Vec<Candidate>,
    /// The body that was added last, for sources without moments.
    newest: Option<Hash>,
}

/// A page of a site.
#[derive(Debug)]
struct SitePage {
    /// The first body of its group, or itself if an earlier run stored it.
    first: Candidate,
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
    /// Depth of what rests on it.
    pub depth: u32,
    /// Bytes that are decoded to read it.
    pub cost: u64,
}

/// Where a new body goes.
#[derive(Debug)]
pub(super) enum Choice {
    /// Into the group of this number, which has room.
    Join(u64),
    /// Into a group of its own, that others may join.
    Begin(Option<Base>),
}

/// Whether a page of `length` bytes may rest on a body: it then lies at `deepest` at most, and a restore of it
/// decodes `limit` bytes at most. Two steps are allowed whatever their length.
fn is_near(candidate: &Candidate, length: u64, deepest: u32, limit: u64) -> bool {
    candidate.depth < deepest && (candidate.depth < 2 || candidate.cost + length <= limit)
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
    // Without branches that depend on the keys, which nobody could foretell.
    let (mut at, mut other_at, mut count) = (0, 0, 0);
    while let (Some(key), Some(known)) = (one.get(at), other.get(other_at)) {
        count += usize::from(key == known);
        at += usize::from(key <= known);
        other_at += usize::from(known <= key);
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

    /// Chooses where a page that may be a revision goes. `body_of` gives the bytes of a body, if they
    /// can be had; `refused` names bodies that were taken out.
    pub fn choose(
        &mut self,
        archive: &Archive,
        key: &str,
        page: (&str, u64, Option<&Outline>),
        refused: &FxHashSet<Hash>,
        gathering: &Gathering,
        body_of: &mut dyn FnMut(&Hash) -> Option<Body>,
    ) -> Result<Choice, ArchiveError> {
        let (address, length, outline) = page;
        let article = self.article(archive, key)?;
        let mut candidates: Vec<Candidate> = Vec::new();
        let (mut deepest, mut limit) = (MAX_DEPTH, MAX_CHAIN_BYTES);
        if article.next > 0 {
            if let Some(group) = article.levels.first().and_then(|newest| newest.group)
                && gathering.has_room(group, length, REVISIONS_BYTES)
            {
                return Ok(Choice::Join(group));
            }
            // The next higher powers lie less deep: they serve where the first is too deep or lost.
            candidates.extend(article.levels.iter().skip(level_of(article.next)).cloned());
        } else if let Some(pages) = self.site(archive, address)? {
            (deepest, limit) = (MAX_FIRST_DEPTH, MAX_FIRST_BYTES);
            let keys = sketch(outline);
            let mut ranked: Vec<(usize, usize, usize)> = pages
                .iter()
                .enumerate()
                .map(|(index, page)| {
                    let alike = shared(&keys, &page.sketch);
                    (alike, common_prefix(address, &page.address), index)
                })
                .collect();
            ranked.sort_unstable_by(|one, other| other.cmp(one));
            let best = ranked.first().map(|(_, _, index)| &pages[*index].first);
            if let Some(group) = best.and_then(|best| best.group)
                && gathering.has_room(group, length, GROUP_BYTES)
            {
                return Ok(Choice::Join(group));
            }
            let ranked = ranked.iter().take(3);
            candidates.extend(ranked.map(|(_, _, index)| pages[*index].first.clone()));
        }
        for candidate in candidates {
            if !is_near(&candidate, length, deepest, limit) || refused.contains(&candidate.body) {
                continue;
            }
            if let Some(body) = body_of(&candidate.body)
                && codec::can_be_base(&body)
            {
                return Ok(Choice::Begin(Some(Base {
                    hash: candidate.body,
                    body,
                    depth: candidate.depth + 1,
                    cost: candidate.cost,
                })));
            }
        }
        Ok(Choice::Begin(None))
    }

    /// Whether nothing of the article was added yet.
    pub fn is_new(&mut self, archive: &Archive, key: &str) -> Result<bool, ArchiveError> {
        Ok(self.article(archive, key)?.next == 0)
    }

    /// Remembers a page that was planned, with the first body of its group; the bodies that nothing will rest on any
    /// more. `placed` is `None` if its body is stored already.
    pub fn remember(
        &mut self,
        archive: &Archive,
        key: &str,
        page: (&str, &Hash, Option<&Outline>),
        placed: Option<(Candidate, Candidate)>,
    ) -> Result<Vec<Hash>, ArchiveError> {
        let (address, body, outline) = page;
        let article = self.article(archive, key)?;
        article.newest = Some(*body);
        let Some((newest, first)) = placed else {
            return Ok(Vec::new());
        };
        let is_first = article.next == 0;
        let mut done = article.put(newest.clone());
        let pages = site(address).and_then(|site| self.sites.get_mut(&site));
        for page in pages.into_iter().flatten() {
            // A body whose copy was lost lies elsewhere now, perhaps deeper.
            if page.first.body == *body {
                page.first = newest.clone();
            }
            done.retain(|done| *done != page.first.body);
        }
        if is_first && let Some(pages) = self.site(archive, address)? {
            if pages.len() >= SITE_PAGES as usize {
                pages.pop_front();
            }
            pages.push_back(SitePage {
                first,
                address: address.to_owned(),
                sketch: sketch(outline),
            });
        }
        Ok(done)
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
            let candidate = Candidate::load(archive, bodies[number as usize])?;
            article.levels.push(candidate);
        }
        Ok(article)
    }

    /// Takes a body in as the newest; the bodies that are no candidates any more.
    fn put(&mut self, candidate: Candidate) -> Vec<Hash> {
        if self.next == 0 {
            // Every power divides 0.
            self.levels = vec![candidate; LEVELS];
            self.next = 1;
            return Vec::new();
        }
        // As among the pages of the site: what was stored again lies elsewhere.
        for known in &mut self.levels {
            if known.body == candidate.body {
                *known = candidate.clone();
            }
        }
        let newest = self.levels.first().and_then(|newest| newest.group);
        if candidate.group.is_none() || candidate.group != newest {
            self.next += 1;
        }
        let levels = match self.next - 1 {
            0 => LEVELS,
            number => level_of(number) + 1,
        };
        let (replaced, kept) = self.levels.split_at_mut(levels.min(LEVELS));
        let is_kept = |body: &Hash| kept.iter().any(|kept| kept.body == *body);
        let mut done: Vec<Hash> = replaced.iter().map(|candidate| candidate.body).collect();
        done.dedup();
        done.retain(|body| *body != candidate.body && !is_kept(body));
        replaced.fill(candidate);
        done
    }
}

impl Candidate {
    /// A body that an earlier run stored. One that lies nowhere has no depth; it will not be found as a base
    /// either.
    fn load(archive: &Archive, body: Hash) -> Result<Self, ArchiveError> {
        let places = archive.places(&body)?;
        let place = places.first();
        // The first body of a group is read as fast as one with a frame of its own.
        let step = place.map_or(0, |place| match place.place {
            0 => place.length,
            _ => archive.bytes_before(place).unwrap_or_default() + place.length,
        });
        let depth = place.map_or(MAX_DEPTH, |place| place.depth);
        Ok(Self {
            body,
            depth,
            cost: step * (u64::from(depth) + 1),
            group: None,
        })
    }
}

fn load_site(archive: &Archive, site: &str) -> Result<VecDeque<SitePage>, ArchiveError> {
    let found = snapshots::of_site(held(&archive.catalog).connection(), site, SITE_PAGES)?;
    let mut pages = VecDeque::new();
    for (address, body) in found.into_iter().rev() {
        let first = Candidate::load(archive, body)?;
        if first.depth < MAX_DEPTH {
            pages.push_back(SitePage {
                first,
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
            article.put(Candidate {
                body: hash,
                depth,
                cost: 0,
                group: Some(number),
            });
            depths.push(depth);
        }
        assert!(depths.iter().all(|depth| *depth <= 4 * 15));
        assert_eq!(depths[4095], 45);
    }

    #[test]
    fn bodies_that_no_level_holds_any_more_are_done() {
        let mut article = Article::default();
        let body = |number: u64| {
            let mut hash = Hash([0; 32]);
            hash.0[..8].copy_from_slice(&number.to_be_bytes());
            hash
        };
        let mut put = |number: u64, group: u64| {
            article.put(Candidate {
                body: body(number),
                depth: 0,
                cost: 0,
                group: Some(group),
            })
        };
        for number in 0..16_u64 {
            let before = number.checked_sub(1).filter(|before| *before > 0);
            assert_eq!(put(number, number), Vec::from_iter(before.map(body)));
        }
        // Number 0 stands for the higher powers, and body 17 takes the place of 16 in both levels.
        assert_eq!(put(16, 16), [body(15)]);
        assert_eq!(put(17, 16), [body(16)]);
        assert_eq!(put(18, 17), []);
        assert_eq!(put(19, 18), [body(18)]);
    }

    #[test]
    fn what_is_costly_to_read_is_no_base() {
        let candidate = |depth, cost| Candidate {
            body: Hash([0; 32]),
            depth,
            cost,
            group: None,
        };
        let near = |depth, cost, length| is_near(&candidate(depth, cost), length, MAX_DEPTH, MAX_CHAIN_BYTES);
        assert!(near(95, 96, 1) && !near(96, 96, 1));
        assert!(near(22, 23 << 20, 1 << 20) && !near(23, 24 << 20, 1 << 20));
        assert!(near(1, 128 << 20, 64 << 20), "a giant page may rest on another");
        assert!(!near(2, 192 << 20, 64 << 20));
    }

    #[test]
    fn bodies_of_one_group_have_one_number() {
        let mut article = Article::default();
        for (byte, group) in [(1, 7), (2, 7), (3, 8), (4, 8), (5, 9)] {
            article.put(Candidate {
                body: Hash([byte; 32]),
                depth: 0,
                cost: 0,
                group: Some(group),
            });
        }
        assert_eq!(article.next, 3);
        let of_level = |level: usize| article.levels[level].body.0[0];
        assert_eq!((of_level(0), of_level(1)), (5, 2));
    }

    #[test]
    fn shared_counts_equal_keys() {
        assert_eq!(shared(&[1, 3, 5, 7], &[2, 3, 4, 7, 9]), 2);
        assert_eq!(shared(&[], &[1]), 0);
    }
}
