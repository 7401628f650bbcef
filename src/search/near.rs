//! Near-duplicate paragraphs: by `MinHash`, then by the texts themselves.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::{Hit, Search, SearchError, Shelf};
use crate::catalog::blocks::{NEAR_MINIMUM, NEAR_SHARED, Near, Prefix, Space, minhash};
use crate::digest::sha256;

/// Least [`similarity`] of a near-duplicate.
pub const LEAST_SIMILARITY: f64 = 0.6;

/// Different texts compared for one paragraph, those that share most bytes.
const CANDIDATES: usize = 48;

/// Articles looked into for each near text, to tell where it stands first.
const ARTICLES: usize = 64;

/// A paragraph that is nearly the one asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct NearHit {
    /// Which of the texts asked for.
    pub query: usize,
    /// [`similarity`] of the two texts.
    pub similarity: f64,
    /// The text found.
    pub text: String,
    /// Where it stands; one hit for each article.
    pub hits: Vec<Hit>,
    /// Whether more articles may hold it than were looked into, so that it may stand elsewhere before.
    pub more: bool,
}

impl<S: Shelf> Search<S> {
    /// Paragraphs that differ from one of `texts` in a few words or numbers, but are not equal to it,
    /// most similar first. Texts of fewer than [`NEAR_MINIMUM`] code points have no near ones.
    pub fn near(&mut self, texts: &[&str]) -> Result<Vec<NearHit>, SearchError> {
        let mut asked = Vec::new();
        let mut hashes = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            if text.chars().count() >= NEAR_MINIMUM as usize {
                asked.push((index, sha256(text.as_bytes()).prefix()));
                hashes.push(minhash(text));
            }
        }
        // The nearest few different texts for each paragraph, without the paragraph itself.
        let mut candidates: Vec<FxHashMap<u64, Near>> = vec![FxHashMap::default(); hashes.len()];
        self.shelf.catalog(|conn| {
            self.finder.near(conn, &hashes, NEAR_SHARED, |near| {
                let (_, own) = asked[near.query];
                if near.at.block.key != own {
                    let nears = &mut candidates[near.query];
                    nears.entry(near.at.block.key).or_insert(near);
                    if nears.len() > 2 * CANDIDATES {
                        keep_nearest(nears);
                    }
                }
            })
        })?;
        let mut alike = Vec::new();
        let mut known: FxHashMap<String, usize> = FxHashMap::default();
        let mut different: Vec<String> = Vec::new();
        for (query, mut nears) in candidates.into_iter().enumerate() {
            keep_nearest(&mut nears);
            let mut nears: Vec<Near> = nears.into_values().collect();
            // Page by page, so that each is restored once.
            nears.sort_by_key(|near| (near.at.snapshot, near.at.index));
            let (index, _) = asked[query];
            let mut hits = Vec::new();
            for near in nears {
                let Some(text) = self.text_of(&near)? else {
                    continue;
                };
                let similarity = similarity(texts[index], &text);
                if similarity >= LEAST_SIMILARITY && text != texts[index] {
                    hits.push((similarity, text));
                }
            }
            hits.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            for (similarity, text) in hits {
                let number = *known.entry(text).or_insert_with_key(|text| {
                    different.push(text.clone());
                    different.len() - 1
                });
                alike.push((index, similarity, number));
            }
        }
        // The lines of a list may all be near to one another: where each text stands is asked once.
        let prefixes: Vec<Prefix> = different
            .iter()
            .map(|text| Prefix::exact(sha256(text.as_bytes()).prefix()))
            .collect();
        let (stands, more) = self.stands(Space::Content, &prefixes, ARTICLES)?;
        let mut places: Vec<Vec<Hit>> = vec![Vec::new(); different.len()];
        for stand in stands {
            let text = different[stand.query].as_str();
            places[stand.query].extend(self.confirmed(&stand, |block| block.text == text)?);
        }
        for hits in &mut places {
            self.sort(hits)?;
        }
        let found = alike
            .into_iter()
            .map(|(query, similarity, number)| NearHit {
                query,
                similarity,
                text: different[number].clone(),
                hits: places[number].clone(),
                more: more.binary_search(&number).is_ok(),
            })
            .collect();
        Ok(found)
    }

    /// The text of a near block. The catalog names one snapshot of those that show it: where that cannot be
    /// read, another one may.
    fn text_of(&mut self, near: &Near) -> Result<Option<String>, SearchError> {
        if let Some(document) = self.shelf.document(near.at.snapshot)? {
            let block = document.blocks.get(near.at.index as usize);
            return Ok(block.map(|block| block.text.clone()));
        }
        let key = near.at.block.key;
        let (stands, _) = self.stands(Space::Content, &[Prefix::exact(key)], ARTICLES)?;
        for at in stands.iter().flat_map(|stand| [stand.first, stand.last]) {
            let Some(document) = self.shelf.document(at.snapshot)? else {
                continue;
            };
            if let Some(block) = document.blocks.get(at.index as usize)
                && block.key().prefix() == key
            {
                return Ok(Some(block.text.clone()));
            }
        }
        Ok(None)
    }
}

/// Drops all but the [`CANDIDATES`] that share most bytes, of these the first.
fn keep_nearest(nears: &mut FxHashMap<u64, Near>) {
    let mut ranked: Vec<(Reverse<u32>, i64, u32, u64)> = nears
        .iter()
        .map(|(&key, near)| (Reverse(near.shared), near.at.snapshot, near.at.index, key))
        .collect();
    ranked.sort_unstable();
    for (_, _, _, key) in ranked.into_iter().skip(CANDIDATES) {
        nears.remove(&key);
    }
}

/// How alike two texts are, from 0 to 1: twice the number of character 3-grams they share, counted
/// with repetition, over the number both have. Texts of fewer than three characters are alike only if
/// equal.
#[must_use]
pub fn similarity(a: &str, b: &str) -> f64 {
    let (a, b) = (grams(a), grams(b));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let (mut i, mut j, mut shared) = (0, 0, 0_usize);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                shared += 1;
                i += 1;
                j += 1;
            }
        }
    }
    2.0 * shared as f64 / (a.len() + b.len()) as f64
}

fn grams(text: &str) -> Vec<[char; 3]> {
    let characters: Vec<char> = text.chars().collect();
    let mut grams: Vec<[char; 3]> = characters
        .windows(3)
        .map(|window| [window[0], window[1], window[2]])
        .collect();
    grams.sort_unstable();
    grams
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_runs_from_nothing_to_all() {
        assert!((similarity("the same words", "the same words") - 1.0).abs() < 1e-9);
        assert!(similarity("abcdef", "uvwxyz") < 1e-9);
        let near = similarity("twelve boats were lost at sea", "twenty boats were lost at sea");
        assert!(near > LEAST_SIMILARITY && near < 1.0);
        assert!(similarity("ab", "ab") < 1e-9);
    }
}
