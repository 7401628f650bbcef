//! What changed in a stretch of words that has nothing in common: words and numbers that stand for each
//! other, and of these only the part that differs.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

use super::change::{Word, WordOp};
use super::script::{is_word_character, stands_for_itself};
use super::sequence::heaviest;
use super::token::Token;
use super::words::Sides;

/// In a replaced stretch words are paired with each other if it has at most this many cells.
const CELLS: usize = 1 << 10;

/// In a replaced stretch of several words, two of them stand for each other only if they have at least
/// this many characters in common.
const TELLING: usize = 4;

/// One stretch between matched tokens: a byte range of the text and the tokens in it.
pub(super) type Stretch<'a> = (Range<usize>, &'a [Token]);

/// Writes what changed in a stretch that has no matched token.
pub(super) fn stretch(sides: &Sides, old: &Stretch, new: &Stretch, out: &mut Writer) {
    let (old_text, new_text) = (&sides.old[old.0.clone()], &sides.new[new.0.clone()]);
    if old_text == new_text {
        return out.equal(old_text);
    }
    if old.1.is_empty() || new.1.is_empty() || old.1.len().saturating_mul(new.1.len()) > CELLS {
        return replace_trimmed(old_text, new_text, out);
    }
    let number = |tokens: &[Token]| tokens.iter().any(|token| token.number);
    if !number(old.1) && !number(new.1) {
        let (head, tail) = common_ends(old_text, new_text);
        let bare = |text: &str| !text[head..text.len() - tail].chars().any(is_word_character);
        if bare(old_text) && bare(new_text) {
            return replace_between(old_text, new_text, head, tail, out);
        }
    }
    let (mut old_at, mut new_at) = (old.0.start, new.0.start);
    for (i, j) in similar_pairs(sides, old.1, new.1) {
        let (a, b) = (old.1[i].range(), new.1[j].range());
        replace_trimmed(&sides.old[old_at..a.start], &sides.new[new_at..b.start], out);
        let (old_word, new_word) = (&sides.old[a.clone()], &sides.new[b.clone()]);
        if old.1[i].number || new.1[j].number {
            out.replace(old_word, new_word);
        } else {
            let (head, tail) = common_ends(old_word, new_word);
            replace_between(old_word, new_word, head, tail, out);
        }
        (old_at, new_at) = (a.end, b.end);
    }
    replace_trimmed(&sides.old[old_at..old.0.end], &sides.new[new_at..new.0.end], out);
}

/// Replaces `old` by `new`, leaving white space they begin and end with alike. What is the same on both sides
/// between two words or numbers that stand for each other was no crumb of a rewritten stretch: it stays.
fn replace_trimmed(old: &str, new: &str, out: &mut Writer) {
    if old == new {
        return out.equal(old);
    }
    let head = spaces(&mut old.graphemes(true).zip(new.graphemes(true)));
    let (a, b) = (&old[head..], &new[head..]);
    let tail = spaces(&mut a.graphemes(true).rev().zip(b.graphemes(true).rev()));
    replace_between(old, new, head, tail, out);
}

/// Leading clusters that are a plain space on both sides: one with a mark on it is no such space.
fn spaces<'a>(pairs: &mut dyn Iterator<Item = (&'a str, &'a str)>) -> usize {
    pairs.take_while(|&pair| pair == (" ", " ")).count()
}

fn replace_between(old: &str, new: &str, head: usize, tail: usize, out: &mut Writer) {
    out.equal(&old[..head]);
    out.replace(&old[head..old.len() - tail], &new[head..new.len() - tail]);
    out.equal(&old[old.len() - tail..]);
}

/// Bytes two different texts have in common at the beginning and at the end, whole grapheme clusters
/// of both, not overlapping.
fn common_ends(old: &str, new: &str) -> (usize, usize) {
    let head = common(&mut old.chars(), &mut new.chars())
        .unwrap_or_else(|| clusters(&mut old.graphemes(true).zip(new.graphemes(true))));
    let (a, b) = (&old[head..], &new[head..]);
    let tail = common(&mut a.chars().rev(), &mut b.chars().rev())
        .unwrap_or_else(|| clusters(&mut a.graphemes(true).rev().zip(b.graphemes(true).rev())));
    (head, tail)
}

/// Bytes of equal leading characters; `None` where it takes the tables to say whether a cluster ends
/// there, be it that one side ends and what follows on the other may join what stands before it.
fn common(old: &mut dyn Iterator<Item = char>, new: &mut dyn Iterator<Item = char>) -> Option<usize> {
    let mut length = 0;
    loop {
        match (old.next(), new.next()) {
            (None, None) => return Some(length),
            (Some(a), Some(b)) if a == b && stands_for_itself(a) => length += a.len_utf8(),
            (a, b) => {
                let alone = a.is_none_or(stands_for_itself) && b.is_none_or(stands_for_itself);
                return alone.then_some(length);
            }
        }
    }
}

fn clusters<'a>(pairs: &mut dyn Iterator<Item = (&'a str, &'a str)>) -> usize {
    pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum()
}

/// Pairs tokens of a replaced stretch that stand for each other: a number for a number, a word for
/// one that begins or ends alike. The best such pairs that cross nowhere.
fn similar_pairs(sides: &Sides, old: &[Token], new: &[Token]) -> Vec<(usize, usize)> {
    let alone = old.len() == 1 && new.len() == 1;
    let score = |i: usize, j: usize| {
        likeness(
            alone,
            sides.old.get(old[i].range()).unwrap_or_default(),
            old[i].number,
            sides.new.get(new[j].range()).unwrap_or_default(),
            new[j].number,
        )
    };
    if alone {
        return if score(0, 0) > 0 { vec![(0, 0)] } else { Vec::new() };
    }
    heaviest(old.len(), new.len(), &score)
}

/// How much two tokens are alike, 0 to 12; 0 means they are shown as different whole.
///
/// Where one word stands `alone` in the place of another, it may be a form of it: in scripts that join
/// several grammatical parts to one written word (Hangul above all) any common end counts, so that a
/// particle edit marks the particle; in alphabets half of the longer word. In a longer stretch two words
/// must be nearly the same, for among many words some always begin alike, and a text marked by halves of
/// words cannot be read.
fn likeness(alone: bool, old: &str, old_number: bool, new: &str, new_number: bool) -> u32 {
    if old_number || new_number {
        return if old_number && new_number && old != new {
            6
        } else {
            0
        };
    }
    // Equal tokens between two changes were judged a crumb before; they stay with what surrounds them.
    if old == new {
        return 0;
    }
    let first = |text: &str| text.chars().next().is_some_and(is_word_character);
    if !first(old) || !first(new) {
        return 0;
    }
    let (head, tail) = common_ends(old, new);
    let common = old[..head].chars().count() + old[old.len() - tail..].chars().count();
    let longer = old.chars().count().max(new.chars().count());
    let agglutinative = old.chars().next_back().is_some_and(is_hangul);
    let like = match (alone, agglutinative) {
        (true, true) => common > 0,
        (true, false) | (false, true) => common * 2 >= longer,
        (false, false) => common >= TELLING && common * 3 >= longer * 2,
    };
    if like {
        (common * 12 / longer).max(1) as u32
    } else {
        0
    }
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}')
}

/// Gathers words; between two equal ones at most one deletion and then one insertion.
#[derive(Default)]
pub(super) struct Writer {
    words: Vec<Word>,
    deleted: String,
    inserted: String,
}

impl Writer {
    pub fn equal(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.flush();
        match self.words.last_mut() {
            Some(last) if last.op == WordOp::Equal => last.text.push_str(text),
            _ => self.words.push(Word {
                op: WordOp::Equal,
                text: text.to_owned(),
            }),
        }
    }

    pub fn replace(&mut self, old: &str, new: &str) {
        self.deleted.push_str(old);
        self.inserted.push_str(new);
    }

    fn flush(&mut self) {
        for (op, text) in [
            (WordOp::Delete, &mut self.deleted),
            (WordOp::Insert, &mut self.inserted),
        ] {
            if !text.is_empty() {
                self.words.push(Word {
                    op,
                    text: std::mem::take(text),
                });
            }
        }
    }

    pub fn finish(mut self) -> Vec<Word> {
        self.flush();
        self.words
    }
}
