//! The rules by which wikidiff2 aligns paragraphs, re-implemented for comparison.
//!
//! Equal paragraphs by longest common subsequence. In each changed run the old paragraphs are taken in
//! order: the next new one, or the next few joined (up to the largest split allowed), is its partner if
//! the share of common words is high enough, else both are passed. What is left, deleted here and
//! added there, is a move if enough words are common.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation as _;

/// Least share of common words of paragraphs in each other's place.
const CHANGED: f64 = 0.2;
/// Least share of the first part of a split, and of all its parts together.
const SPLIT_FIRST: f64 = 0.1;
const SPLIT_ALL: f64 = 0.6;
/// Least share of common words of a moved paragraph.
const MOVED: f64 = 0.4;
/// With more deleted or added paragraphs than this, moves are not looked for.
const MOVED_MOST: usize = 100;

/// Pairs of old and new paragraphs.
pub fn links(old: &[String], new: &[String], largest_split: usize) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    let (mut deleted, mut added) = (Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    let mut common = lcs(old, new);
    common.push((old.len(), new.len()));
    for (a, b) in common {
        run(
            old,
            new,
            (i, a),
            (j, b),
            largest_split,
            &mut found,
            &mut deleted,
            &mut added,
        );
        if a < old.len() {
            found.push((a as u32, b as u32));
        }
        (i, j) = (a + 1, b + 1);
    }
    if deleted.len() <= MOVED_MOST && added.len() <= MOVED_MOST {
        for i in deleted {
            let best = added
                .iter()
                .enumerate()
                .map(|(at, &j)| (alike(&old[i], &new[j]), at))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((share, at)) = best
                && share > MOVED
            {
                found.push((i as u32, added.remove(at) as u32));
            }
        }
    }
    found
}

#[allow(clippy::too_many_arguments)] // the spans and the three lists of one pass
fn run(
    old: &[String],
    new: &[String],
    of_old: (usize, usize),
    of_new: (usize, usize),
    largest_split: usize,
    found: &mut Vec<(u32, u32)>,
    deleted: &mut Vec<usize>,
    added: &mut Vec<usize>,
) {
    let (mut i, mut j) = (of_old.0, of_new.0);
    while i < of_old.1 && j < of_new.1 {
        let single = alike(&old[i], &new[j]);
        let mut best = (single, 1);
        if single > SPLIT_FIRST {
            for count in 2..=largest_split.min(of_new.1 - j) {
                let share = alike(&old[i], &new[j..j + count].join(" "));
                if share > best.0 && share > SPLIT_ALL {
                    best = (share, count);
                }
            }
        }
        if best.0 > CHANGED {
            found.extend((j..j + best.1).map(|j| (i as u32, j as u32)));
            i += 1;
            j += best.1;
        } else {
            deleted.push(i);
            added.push(j);
            i += 1;
            j += 1;
        }
    }
    deleted.extend(i..of_old.1);
    added.extend(j..of_new.1);
}

/// Share of common words: twice the common ones over all.
fn alike(old: &str, new: &str) -> f64 {
    let words = |text: &str| -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for word in text.split_word_bounds().filter(|word| !word.trim().is_empty()) {
            *counts.entry(word.to_owned()).or_insert(0) += 1;
        }
        counts
    };
    let (a, b) = (words(old), words(new));
    let total: usize = a.values().chain(b.values()).sum();
    let common: usize = a
        .iter()
        .map(|(word, count)| b.get(word).map_or(0, |other| (*count).min(*other)))
        .sum();
    2.0 * common as f64 / total.max(1) as f64
}

fn lcs(old: &[String], new: &[String]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut best = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            best[i * width + j] = if old[i] == new[j] {
                best[(i + 1) * width + j + 1] + 1
            } else {
                best[(i + 1) * width + j].max(best[i * width + j + 1])
            };
        }
    }
    let mut found = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            found.push((i, j));
            i += 1;
            j += 1;
        } else if best[(i + 1) * width + j] >= best[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}
