//! The search of a space: distinct texts and messages are digested on a few blocks, and what hits is
//! held against all.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::find::{Aim, BlockRef, FindOptions, is_proof};
use super::hash::Hasher;
use super::memo::{Filled, Texts, Values};
use super::rule::Recipe;
use super::space::{Form, Layer, Space};
use super::tree::Tree;

/// Most hits of one layer on one block that are looked into.
const MAX_HITS: usize = 4096;

/// Most blocks on which recipes that hit are compared with each other.
const MAX_COMPARED: usize = 48;

/// Most blocks outside the compared ones that are added to them at once, because a recipe misses them.
const MAX_ADDED: usize = 16;

/// Most times that recipes which hit are compared again, on more blocks.
const MAX_REFINED: usize = 4;

/// Most forms that share the text which hit and are compared with each other, the simplest first.
const MAX_ALIKE: usize = 20_000;

/// Most candidates that are handed out for one layer and block.
const MAX_CANDIDATES: usize = 32;

/// Messages around one text that a thread takes at once.
const CHUNK: usize = 32;

/// Time between two reports of progress.
const BEAT: Duration = Duration::from_millis(50);

/// What a search gives.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub recipes: u64,
    pub digests: u64,
    pub probes: Vec<BlockRef>,
    /// Recipes that reproduced at least two different blocks, and how many others gave the same.
    pub recipes_found: Vec<(Recipe, u64)>,
}

/// A text and a message that gave a declared hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Hit {
    text: u32,
    message: usize,
    chain: usize,
}

pub(crate) fn search(
    space: &Space,
    aims: &[Aim<'_>],
    options: &FindOptions,
    progress: &dyn Fn(u64),
) -> Outcome {
    let mut outcome = Outcome::default();
    let probes = probes(aims, options.probes.max(1));
    outcome.probes = probes.iter().map(|&at| aims[at].place).collect();
    let mut texts: Vec<Texts<'_>> = aims
        .iter()
        .map(|aim| Texts::new(aim.page, aim.place.block))
        .collect();
    let mut values: Vec<Values<'_>> = aims
        .iter()
        .map(|aim| Values::new(aim.page, aim.place.block, aim.around))
        .collect();
    let mut compared = compared(aims, &probes);
    let declared: FxHashSet<&[u8]> = aims.iter().map(|aim| aim.declared.digest.as_slice()).collect();

    for layer in &space.layers {
        let tree = Tree::new(&layer.chains);
        for (round, &probe) in probes.iter().enumerate() {
            let ids: Vec<u32> = layer
                .forms
                .iter()
                .map(|&form| texts[probe].id(space, form))
                .collect();
            let mut distinct = ids.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let (messages, members) = classes(layer, &mut values[probe]);
            let before = outcome.recipes;
            let work = Work {
                texts: &texts[probe],
                charset: aims[probe].page.document.charset.name,
                distinct: &distinct,
                messages: &messages,
                tree: &tree,
                declared: &declared,
            };
            let counted = if round == 0 { layer.len() } else { 0 };
            let (hits, digests) = work.run(options.threads, &|done, all| {
                progress(before + counted / all.max(1) * done);
            });
            outcome.digests += digests;
            outcome.recipes += counted;
            if hits.is_empty() {
                continue;
            }
            let mut refined = 0;
            let (found, fits_all) = loop {
                let round = Round {
                    space,
                    layer,
                    aims,
                    ids: &ids,
                    members: &members,
                    compared: &compared,
                };
                let found = round.candidates(&hits, &mut texts, &mut values);
                // Recipes that are alike on the compared blocks count as one. If the one that stands for
                // them misses a block outside, another of them may give it, so that block must tell.
                let best = found.first();
                let missed = best
                    .map(|(recipe, ..)| missed_beyond(aims, recipe, &compared))
                    .unwrap_or_default();
                if missed.is_empty() || refined == MAX_REFINED {
                    let fits = best.is_some_and(|found| found.2 == compared.len());
                    let fits_all = fits && missed.is_empty();
                    break (found, fits_all);
                }
                refined += 1;
                compared.extend(missed);
                compared.sort_unstable();
            };
            outcome
                .recipes_found
                .extend(found.into_iter().map(|(recipe, equals, _)| (recipe, equals)));
            if fits_all && !options.go_on {
                return outcome;
            }
        }
    }
    outcome
}

/// The blocks every recipe is tried on, short ones with text first: two of the element that occurs
/// most, then one of each other, then more.
fn probes(aims: &[Aim<'_>], count: usize) -> Vec<usize> {
    let block = |at: usize| &aims[at].page.document.blocks[aims[at].place.block];
    let mut order: Vec<usize> = (0..aims.len()).collect();
    order.sort_by_key(|&at| (block(at).text.is_empty(), block(at).inner.len(), at));
    // The same block on several pages is one witness.
    let mut seen = FxHashSet::default();
    order.retain(|&at| seen.insert((block(at).key(), aims[at].declared.digest.clone())));
    let group = |at: usize| {
        (
            block(at).kind,
            block(at).attribute("dmcf-ptype").unwrap_or_default(),
        )
    };
    let mut sizes: FxHashMap<_, usize> = FxHashMap::default();
    for &at in &order {
        *sizes.entry(group(at)).or_default() += 1;
    }
    let most = sizes.values().copied().max().unwrap_or(0);
    let mut taken: FxHashMap<_, usize> = FxHashMap::default();
    let mut ranked: Vec<(usize, usize)> = Vec::new();
    for (place, &at) in order.iter().enumerate() {
        let size = sizes.get(&group(at)).copied().unwrap_or(0);
        let nth = taken.entry(group(at)).or_default();
        // The largest group's second block ranks with the first ones of the others.
        let rank = if size == most && *nth < 2 { 0 } else { *nth + 1 };
        *nth += 1;
        ranked.push((rank * order.len() + place, at));
    }
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, at)| at).take(count).collect()
}

/// The blocks on which recipes that hit are compared: the probes, and others by turns.
fn compared(aims: &[Aim<'_>], probes: &[usize]) -> Vec<usize> {
    let mut compared: BTreeSet<usize> = probes.iter().copied().collect();
    let stride = aims.len().div_ceil(MAX_COMPARED).max(1);
    compared.extend((0..aims.len()).step_by(stride));
    compared.into_iter().collect()
}

/// The first blocks outside the compared ones whose declared hash the recipe does not give.
fn missed_beyond(aims: &[Aim<'_>], recipe: &Recipe, compared: &[usize]) -> Vec<usize> {
    aims.chunk_by(|one, next| one.place.page == next.place.page)
        .flat_map(|page| {
            let hasher = Hasher::new(recipe, page[0].page);
            page.iter().map(move |aim| {
                let hash = hasher.hash(aim.place.block);
                hash.is_some_and(|hash| hash.agrees(&aim.declared))
            })
        })
        .enumerate()
        .filter(|(at, gives)| !gives && compared.binary_search(at).is_err())
        .map(|(at, _)| at)
        .take(MAX_ADDED)
        .collect()
}

/// The layer's envelopes for one block, equal ones together: the messages, and which envelopes each
/// stands for.
fn classes(layer: &Layer, values: &mut Values<'_>) -> (Vec<Filled>, Vec<Vec<usize>>) {
    let mut index: FxHashMap<Filled, usize> = FxHashMap::default();
    let mut messages = Vec::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (at, envelope) in layer.envelopes.iter().enumerate() {
        let filled = values.fill(envelope);
        let class = *index.entry(filled.clone()).or_insert_with(|| {
            messages.push(filled);
            members.push(Vec::new());
            messages.len() - 1
        });
        members[class].push(at);
    }
    (messages, members)
}

/// Everything the threads share while one layer is tried on one block.
struct Work<'a> {
    texts: &'a Texts<'a>,
    charset: &'a str,
    distinct: &'a [u32],
    messages: &'a [Filled],
    tree: &'a Tree,
    declared: &'a FxHashSet<&'a [u8]>,
}

impl Work<'_> {
    /// Digests every message around every text. `progress` hears how many portions of how many are
    /// done.
    fn run(&self, threads: Option<usize>, progress: &dyn Fn(u64, u64)) -> (Vec<Hit>, u64) {
        let per_text = self.messages.len().div_ceil(CHUNK).max(1);
        let portions = self.distinct.len() * per_text;
        let threads = threads
            .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
            .unwrap_or(1)
            .clamp(1, portions.max(1));
        let next = AtomicUsize::new(0);
        let digests = AtomicU64::new(0);
        let running = AtomicUsize::new(threads);
        let hits = Mutex::new(Vec::new());
        let main = std::thread::current();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let _leave = Leave {
                        running: &running,
                        main: &main,
                    };
                    let mut own = Vec::new();
                    let mut counted = 0;
                    loop {
                        let portion = next.fetch_add(1, Ordering::Relaxed);
                        let Some(&text) = self.distinct.get(portion / per_text) else {
                            break;
                        };
                        self.portion(text, portion % per_text * CHUNK, &mut own, &mut counted);
                    }
                    digests.fetch_add(counted, Ordering::Relaxed);
                    if let Ok(mut hits) = hits.lock() {
                        hits.extend(own);
                    }
                });
            }
            while running.load(Ordering::Acquire) > 0 {
                std::thread::park_timeout(BEAT);
                let done = next.load(Ordering::Relaxed).min(portions);
                progress(done as u64, portions as u64);
            }
        });
        let mut hits = hits.into_inner().unwrap_or_default();
        hits.sort_unstable();
        hits.truncate(MAX_HITS);
        (hits, digests.into_inner())
    }

    /// Digests the messages from number `from` on around one text.
    fn portion(&self, id: u32, from: usize, hits: &mut Vec<Hit>, digests: &mut u64) {
        let mut text = String::new();
        let mut bytes = Vec::new();
        let content = self.texts.text(id);
        for (at, message) in self.messages.iter().enumerate().skip(from).take(CHUNK) {
            message.message(content, self.charset, &mut text, &mut bytes);
            self.tree.run(message.key(), &bytes, &mut |chain, digest| {
                *digests += 1;
                // Any declared hash counts, so that hashes which changed places still tell.
                if self.declared.contains(digest) {
                    hits.push(Hit {
                        text: id,
                        message: at,
                        chain,
                    });
                }
            });
        }
    }
}

/// Tells the waiting thread that a worker is gone, also when it panics.
struct Leave<'a> {
    running: &'a AtomicUsize,
    main: &'a std::thread::Thread,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::Release);
        self.main.unpark();
    }
}

/// One layer tried on one block, with hits.
struct Round<'a> {
    space: &'a Space,
    layer: &'a Layer,
    aims: &'a [Aim<'a>],
    /// The id of the block's text under each form of the layer.
    ids: &'a [u32],
    /// The envelopes each message stands for.
    members: &'a [Vec<usize>],
    compared: &'a [usize],
}

impl Round<'_> {
    /// The recipes behind the hits that reproduce at least two different blocks, those that give
    /// the same on the compared blocks counted together: recipe, how many others, blocks reproduced.
    fn candidates(
        &self,
        hits: &[Hit],
        texts: &mut [Texts<'_>],
        values: &mut [Values<'_>],
    ) -> Vec<(Recipe, u64, usize)> {
        // By the blocks reproduced: the simplest recipe and how many there are.
        let mut best: FxHashMap<Vec<usize>, (usize, Recipe, u64)> = FxHashMap::default();
        let mut forms_of: FxHashMap<u32, Vec<(Form, u64, Vec<u32>)>> = FxHashMap::default();
        let mut envelopes_of: FxHashMap<usize, Vec<(usize, u64, Vec<Filled>)>> = FxHashMap::default();
        let (mut text, mut bytes) = (String::new(), Vec::new());
        for hit in hits {
            let forms = forms_of
                .entry(hit.text)
                .or_insert_with(|| self.forms(hit.text, texts));
            let envelopes = envelopes_of
                .entry(hit.message)
                .or_insert_with(|| self.envelopes(hit.message, values));
            let chain = &self.layer.chains[hit.chain];
            for (form, alike, ids) in forms.iter() {
                for (envelope, same, filled) in envelopes.iter() {
                    let mut reproduced = Vec::new();
                    for ((&at, &id), filled) in self.compared.iter().zip(ids).zip(filled) {
                        let aim = &self.aims[at];
                        let charset = aim.page.document.charset.name;
                        filled.message(texts[at].text(id), charset, &mut text, &mut bytes);
                        let digest = chain.run(filled.key(), &bytes);
                        if digest.as_bytes() == aim.declared.digest {
                            reproduced.push(at);
                        }
                    }
                    if !is_proof(self.aims, &reproduced) {
                        continue;
                    }
                    let recipe = self.space.compose(*form, &self.layer.envelopes[*envelope], chain);
                    let effort = effort(&recipe);
                    let count = alike * same;
                    match best.entry(reproduced) {
                        std::collections::hash_map::Entry::Vacant(free) => {
                            free.insert((effort, recipe, count));
                        }
                        std::collections::hash_map::Entry::Occupied(mut taken) => {
                            let (least, simplest, total) = taken.get_mut();
                            *total += count;
                            if effort < *least {
                                *least = effort;
                                *simplest = recipe;
                            }
                        }
                    }
                }
            }
        }
        let mut found: Vec<(Recipe, u64, usize)> = best
            .into_iter()
            .map(|(reproduced, (_, recipe, count))| (recipe, count - 1, reproduced.len()))
            .collect();
        found.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.to_toml().cmp(&b.0.to_toml())));
        found.truncate(MAX_CANDIDATES);
        found
    }

    /// The forms that give this text, those that agree on all compared blocks together: the
    /// simplest, how many, and the ids of their texts.
    fn forms(&self, text: u32, texts: &mut [Texts<'_>]) -> Vec<(Form, u64, Vec<u32>)> {
        let mut classes: FxHashMap<Vec<u32>, (Form, u64)> = FxHashMap::default();
        let weight = |form: &Form| form.choices.iter().filter(|&&choice| choice != 0).count();
        let all = self.layer.forms.iter().zip(self.ids);
        let mut alike: Vec<Form> = all
            .filter(|(_, id)| **id == text)
            .map(|(form, _)| *form)
            .collect();
        if alike.len() > MAX_ALIKE {
            // A short plain text is the same under half of the forms. The simplest ones of every base are
            // kept, not every form of the first bases.
            alike.sort_by_key(weight);
            alike.truncate(MAX_ALIKE);
        }
        for form in &alike {
            let ids = self
                .compared
                .iter()
                .map(|&at| texts[at].id(self.space, *form))
                .collect();
            classes
                .entry(ids)
                .and_modify(|(simplest, count)| {
                    *count += 1;
                    if (weight(form), *form) < (weight(simplest), *simplest) {
                        *simplest = *form;
                    }
                })
                .or_insert((*form, 1));
        }
        let mut classes: Vec<_> = classes
            .into_iter()
            .map(|(ids, (form, count))| (form, count, ids))
            .collect();
        classes.sort_unstable();
        classes
    }

    /// The same for the envelopes that give this message.
    fn envelopes(&self, message: usize, values: &mut [Values<'_>]) -> Vec<(usize, u64, Vec<Filled>)> {
        let mut classes: FxHashMap<Vec<Filled>, (usize, u64)> = FxHashMap::default();
        for &envelope in &self.members[message] {
            let filled = self
                .compared
                .iter()
                .map(|&at| values[at].fill(&self.layer.envelopes[envelope]))
                .collect();
            classes
                .entry(filled)
                .and_modify(|(_, count)| *count += 1)
                .or_insert((envelope, 1));
        }
        let mut classes: Vec<_> = classes
            .into_iter()
            .map(|(filled, (envelope, count))| (envelope, count, filled))
            .collect();
        classes.sort_unstable_by_key(|(envelope, ..)| *envelope);
        classes
    }
}

fn effort(recipe: &Recipe) -> usize {
    usize::from(!recipe.reads_content()) * 8 + recipe.steps.len() + recipe.message.parts().len() * 2
}
