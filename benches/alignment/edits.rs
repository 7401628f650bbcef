//! Makes pairs of articles with known truth: which old paragraph became which new one.

use std::collections::BTreeSet;

use super::text::Language;

/// A small generator of numbers, the same on every machine (`SplitMix64`).
pub struct Chance(u64);

impl Chance {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True this many times in a hundred.
    pub fn percent(&mut self, often: usize) -> bool {
        self.below(100) < often
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// What was done to an old paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Done {
    /// Nothing.
    Kept,
    /// Some words were changed.
    Edited,
    /// It was cut into several.
    Split,
    /// It was joined with its neighbour.
    Merged,
    /// It was put elsewhere.
    Moved,
    /// It was put elsewhere and edited.
    MovedEdited,
}

/// Two versions of an article and the truth about them.
pub struct Pair {
    /// Old paragraphs.
    pub old: Vec<String>,
    /// New paragraphs.
    pub new: Vec<String>,
    /// Old index, new index, what was done.
    pub links: BTreeSet<(u32, u32, Done)>,
}

/// An article of about `paragraphs` paragraphs of one to four sentences, no sentence twice, and the
/// sentences that are left over.
pub fn article(
    language: &Language,
    paragraphs: usize,
    chance: &mut Chance,
) -> (Vec<Vec<String>>, Vec<String>) {
    let mut left: Vec<&str> = language.sentences.to_vec();
    let mut made = Vec::new();
    // A fifth of the sentences stays back for what will be inserted.
    let keep = language.sentences.len() / 5;
    while made.len() < paragraphs && left.len() > keep {
        let count = (1 + chance.below(4)).min(left.len() - keep);
        made.push(
            (0..count)
                .map(|_| {
                    let at = chance.below(left.len());
                    fill(language, left.swap_remove(at), chance)
                })
                .collect(),
        );
    }
    let rest = left
        .into_iter()
        .map(|sentence| fill(language, sentence, chance))
        .collect();
    (made, rest)
}

fn fill(language: &Language, sentence: &str, chance: &mut Chance) -> String {
    let number = (2 + chance.below(96)).to_string();
    sentence
        .replace("{n}", &number)
        .replace("{w}", chance.pick::<&str>(language.names))
}

/// Two versions of an article: about half of the paragraphs kept, the rest edited (5 to 35 per cent of
/// the words), split, merged, moved, moved and edited or deleted, and foreign ones inserted.
pub fn pair(language: &Language, chance: &mut Chance) -> Pair {
    let (mut paragraphs, mut foreign) = article(language, 14, chance);
    if chance.percent(25) {
        // A paragraph that stands several times, as separators and refrains do.
        let refrain = foreign.pop().into_iter().collect::<Vec<_>>();
        for _ in 0..2 + chance.below(2) {
            let at = chance.below(paragraphs.len() + 1);
            paragraphs.insert(at, refrain.clone());
        }
    }
    let words = vocabulary(language);
    let join = |sentences: &[String]| sentences.join(language.between);
    let old: Vec<String> = paragraphs.iter().map(|sentences| join(sentences)).collect();
    let repeated = |at: usize| old.iter().filter(|other| **other == old[at]).count() > 1;

    let mut new: Vec<(String, Vec<(u32, Done)>)> = Vec::new();
    let mut moved: Vec<(String, Vec<(u32, Done)>)> = Vec::new();
    let mut at = 0;
    while at < paragraphs.len() {
        let source = at as u32;
        let sentences = &paragraphs[at];
        let text = &old[at];
        at += 1;
        let dice = chance.below(100);
        if repeated(source as usize) || dice < 42 {
            new.push((text.clone(), vec![(source, Done::Kept)]));
        } else if dice < 62 {
            let share = 5 + chance.below(31);
            let edited = edit(language, text, share, &words, chance);
            new.push((edited, vec![(source, Done::Edited)]));
        } else if dice < 72 {
            let parts = 2 + chance.below(2);
            for part in split(language, sentences, parts, chance) {
                let part = maybe_edit(language, &part, &words, chance);
                new.push((part, vec![(source, Done::Split)]));
            }
        } else if dice < 80 && at < paragraphs.len() && !repeated(at) {
            let both = [sentences.as_slice(), paragraphs[at].as_slice()].concat();
            let text = maybe_edit(language, &join(&both), &words, chance);
            new.push((text, vec![(source, Done::Merged), (source + 1, Done::Merged)]));
            at += 1;
        } else if dice < 86 {
            moved.push((text.clone(), vec![(source, Done::Moved)]));
        } else if dice < 92 {
            let share = 5 + chance.below(26);
            let edited = edit(language, text, share, &words, chance);
            moved.push((edited, vec![(source, Done::MovedEdited)]));
        }
        // Else it is deleted.
        if chance.percent(8)
            && let Some(sentence) = foreign.pop()
        {
            new.push((sentence, Vec::new()));
        }
    }
    for block in moved {
        let to = chance.below(new.len() + 1);
        new.insert(to, block);
    }
    let links = new
        .iter()
        .enumerate()
        .flat_map(|(j, (_, from))| from.iter().map(move |&(i, done)| (i, j as u32, done)))
        .collect();
    Pair {
        old,
        new: new.into_iter().map(|(text, _)| text).collect(),
        links,
    }
}

fn maybe_edit(language: &Language, text: &str, words: &[String], chance: &mut Chance) -> String {
    if chance.percent(50) {
        return text.to_owned();
    }
    let share = 5 + chance.below(16);
    edit(language, text, share, words, chance)
}

/// Words of a language to put in: of its sentences, or two characters where words are not parted.
fn vocabulary(language: &Language) -> Vec<String> {
    language
        .sentences
        .iter()
        .flat_map(|sentence| units(language, sentence))
        .filter(|unit| !unit.contains('{'))
        .collect()
}

fn units(language: &Language, text: &str) -> Vec<String> {
    if language.spaced {
        return text.split(' ').map(str::to_owned).collect();
    }
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(2).map(|two| two.iter().collect()).collect()
}

/// Changes this per cent of the words, at least one: replaced, deleted or put in.
pub fn edit(
    language: &Language,
    text: &str,
    percent: usize,
    words: &[String],
    chance: &mut Chance,
) -> String {
    let mut units = units(language, text);
    let count = (units.len() * percent / 100).max(1);
    for _ in 0..count {
        if units.len() < 2 {
            break;
        }
        let at = chance.below(units.len());
        match chance.below(4) {
            0 => {
                units.remove(at);
            }
            1 => units.insert(at, chance.pick(words).clone()),
            _ => {
                let word = chance.pick(words).clone();
                units[at] = if word == units[at] {
                    format!("{word}{word}")
                } else {
                    word
                };
            }
        }
    }
    let edited = units.join(if language.spaced { " " } else { "" });
    if edited == text {
        format!("{edited}{edited}")
    } else {
        edited
    }
}

/// Cuts a paragraph into parts, between sentences where it has enough of them.
fn split(language: &Language, sentences: &[String], parts: usize, chance: &mut Chance) -> Vec<String> {
    if sentences.len() < 2 {
        let units = units(language, &sentences[0]);
        let at = units.len() / 3 + chance.below(units.len() / 3 + 1);
        let between = if language.spaced { " " } else { "" };
        return vec![units[..at].join(between), units[at..].join(between)];
    }
    let parts = parts.min(sentences.len());
    let mut cuts = BTreeSet::new();
    while cuts.len() < parts - 1 {
        cuts.insert(1 + chance.below(sentences.len() - 1));
    }
    let mut made = Vec::new();
    let mut from = 0;
    for to in cuts.into_iter().chain([sentences.len()]) {
        made.push(sentences[from..to].join(language.between));
        from = to;
    }
    made
}
