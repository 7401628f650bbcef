//! What changed inside a text: words, numbers, and of a replaced word only the part that differs.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

use super::change::{Word, WordOp};
use super::script::{is_word_character, stands_for_itself};
use super::sequence::align;
use super::token::{Token, tokens};

/// Stretches that are equal between two changes are joined with them if they have at most this many
/// bytes of words, and at most half of what changed on either side.
const CRUMB: u32 = 12;

/// Texts of at least this many tokens on each side are shown as replaced whole if they have too
/// little in common.
const WHOLE_TOKENS: usize = 6;

/// The least share of words two texts must have in common (Dice, by bytes) to be interleaved, unless
/// one is largely contained in the other.
const COMMON: f32 = 0.25;

/// The share of the shorter text that makes it largely contained.
const CONTAINED: f32 = 0.6;

/// In a replaced stretch words are paired with each other if it has at most this many cells.
const CELLS: usize = 1 << 10;

/// What changed between two texts, word by word. The texts of `equal` and `delete` in order are
/// `old`, those of `equal` and `insert` are `new`.
///
/// Words are those of UAX-29, Han and Kana characters each by itself, numbers whole with their sign,
/// separators and per cent. Of two words in each other's place only what differs is marked, by whole
/// grapheme clusters.
#[must_use]
pub fn words(old: &str, new: &str) -> Vec<Word> {
    compare(old, new).words
}

/// The words of a change, and whether repeated words in it were aligned roughly.
pub(super) struct Compared {
    pub words: Vec<Word>,
    /// Whether a stretch was too long and repetitive to be aligned optimally.
    pub rough: bool,
    /// Whether the numbers in both texts are the same.
    pub same_numbers: bool,
}

pub(super) fn compare(old: &str, new: &str) -> Compared {
    let mut out = Writer::default();
    if old == new {
        out.equal(old);
        return Compared {
            words: out.finish(),
            rough: false,
            same_numbers: true,
        };
    }
    let sides = Sides {
        old,
        new,
        old_tokens: tokens(old),
        new_tokens: tokens(new),
    };
    let old_ids: Vec<u64> = sides.old_tokens.iter().map(|token| token.id).collect();
    let new_ids: Vec<u64> = sides.new_tokens.iter().map(|token| token.id).collect();
    let aligned = align(&old_ids, &new_ids, &|i| {
        sides.old_tokens.get(i).map_or(1, |token| token.len() + 1)
    });
    let mut matches: Vec<(u32, u32)> = aligned.pairs;
    matches.retain(|&(i, j)| sides.old_text(i) == sides.new_text(j));
    let matches = without_crumbs(&sides, &matches);
    if wholly_different(&sides, &matches) {
        out.replace(old, new);
    } else {
        write(&sides, &matches, &mut out);
    }
    Compared {
        words: out.finish(),
        rough: aligned.rough > 0,
        same_numbers: sides.numbers_agree(),
    }
}

struct Sides<'a> {
    old: &'a str,
    new: &'a str,
    old_tokens: Vec<Token>,
    new_tokens: Vec<Token>,
}

impl Sides<'_> {
    fn numbers_agree(&self) -> bool {
        fn numbers<'a>(tokens: &'a [Token], text: &'a str) -> impl Iterator<Item = &'a str> {
            tokens
                .iter()
                .filter(|token| token.number)
                .map(move |token| &text[token.range()])
        }
        numbers(&self.old_tokens, self.old).eq(numbers(&self.new_tokens, self.new))
    }

    fn old_text(&self, i: u32) -> &str {
        &self.old[self.old_tokens[i as usize].range()]
    }

    fn new_text(&self, j: u32) -> &str {
        &self.new[self.new_tokens[j as usize].range()]
    }
}

/// A run of matched tokens without a change between them.
struct Run {
    old: Range<u32>,
    new: Range<u32>,
}

/// Joins changes that are parted by less than they change: a lone "the" that happens to stand in two
/// different clauses is no common text. A crumb with a number in it stays, for a number shown as
/// replaced must differ.
fn without_crumbs(sides: &Sides, matches: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut runs: Vec<Run> = Vec::new();
    for &(i, j) in matches {
        match runs.last_mut() {
            Some(run) if run.old.end == i && run.new.end == j => {
                run.old.end += 1;
                run.new.end += 1;
            }
            _ => runs.push(Run {
                old: i..i + 1,
                new: j..j + 1,
            }),
        }
    }
    let bytes = |tokens: &[Token], range: Range<u32>| -> u32 {
        tokens[range.start as usize..range.end as usize]
            .iter()
            .map(Token::len)
            .sum()
    };
    let ends = (sides.old_tokens.len() as u32, sides.new_tokens.len() as u32);
    let mut kept: Vec<Run> = Vec::with_capacity(runs.len());
    let mut rest = runs.into_iter().peekable();
    while let Some(run) = rest.next() {
        let (i, j) = kept.last().map_or((0, 0), |last| (last.old.end, last.new.end));
        let before =
            bytes(&sides.old_tokens, i..run.old.start).max(bytes(&sides.new_tokens, j..run.new.start));
        let (i, j) = rest.peek().map_or(ends, |next| (next.old.start, next.new.start));
        let after = bytes(&sides.old_tokens, run.old.end..i).max(bytes(&sides.new_tokens, run.new.end..j));
        let own = bytes(&sides.old_tokens, run.old.clone());
        let number = sides.old_tokens[run.old.start as usize..run.old.end as usize]
            .iter()
            .any(|token| token.number);
        if number || own > CRUMB || own * 2 > before.min(after) {
            kept.push(run);
        }
    }
    kept.into_iter().flat_map(|run| run.old.zip(run.new)).collect()
}

fn wholly_different(sides: &Sides, matches: &[(u32, u32)]) -> bool {
    if sides.old_tokens.len().min(sides.new_tokens.len()) < WHOLE_TOKENS {
        return false;
    }
    let letters = |token: &&Token, text: &str| text[token.range()].chars().any(is_word_character);
    let total = |tokens: &[Token], text: &str| -> u32 {
        tokens
            .iter()
            .filter(|token| letters(token, text))
            .map(Token::len)
            .sum()
    };
    let common: u32 = matches
        .iter()
        .filter_map(|&(i, _)| sides.old_tokens.get(i as usize))
        .filter(|token| letters(token, sides.old))
        .map(Token::len)
        .sum();
    let (old, new) = (
        total(&sides.old_tokens, sides.old),
        total(&sides.new_tokens, sides.new),
    );
    let common = common as f32;
    2.0 * common < COMMON * (old + new) as f32 && common < CONTAINED * old.min(new) as f32
}

fn write(sides: &Sides, matches: &[(u32, u32)], out: &mut Writer) {
    let (mut i, mut j) = (0, 0);
    let (mut old_at, mut new_at) = (0, 0);
    for &(a, b) in matches {
        let (a, b) = (a as usize, b as usize);
        let old = sides.old_tokens[a].range();
        let new = sides.new_tokens[b].range();
        stretch(
            sides,
            &(old_at..old.start, &sides.old_tokens[i..a]),
            &(new_at..new.start, &sides.new_tokens[j..b]),
            out,
        );
        out.equal(&sides.old[old.clone()]);
        (old_at, new_at) = (old.end, new.end);
        (i, j) = (a + 1, b + 1);
    }
    stretch(
        sides,
        &(old_at..sides.old.len(), &sides.old_tokens[i..]),
        &(new_at..sides.new.len(), &sides.new_tokens[j..]),
        out,
    );
}

/// One stretch between matched tokens: a byte range of the text and the tokens in it.
type Stretch<'a> = (Range<usize>, &'a [Token]);

fn stretch(sides: &Sides, old: &Stretch, new: &Stretch, out: &mut Writer) {
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

/// Replaces `old` by `new`, leaving white space they begin and end with alike.
fn replace_trimmed(old: &str, new: &str, out: &mut Writer) {
    let head = old
        .chars()
        .zip(new.chars())
        .take_while(|(a, b)| a == b && *a == ' ')
        .count();
    let (a, b) = (&old[head..], &new[head..]);
    let tail = a
        .chars()
        .rev()
        .zip(b.chars().rev())
        .take_while(|(a, b)| a == b && *a == ' ')
        .count();
    replace_between(old, new, head, tail, out);
}

fn replace_between(old: &str, new: &str, head: usize, tail: usize, out: &mut Writer) {
    out.equal(&old[..head]);
    out.replace(&old[head..old.len() - tail], &new[head..new.len() - tail]);
    out.equal(&old[old.len() - tail..]);
}

/// Bytes two different texts have in common at the beginning and at the end, whole grapheme clusters
/// of both, not overlapping.
fn common_ends(old: &str, new: &str) -> (usize, usize) {
    let head = common(&mut old.chars().zip(new.chars()))
        .unwrap_or_else(|| clusters(&mut old.graphemes(true).zip(new.graphemes(true))));
    let (a, b) = (&old[head..], &new[head..]);
    let tail = common(&mut a.chars().rev().zip(b.chars().rev()))
        .unwrap_or_else(|| clusters(&mut a.graphemes(true).rev().zip(b.graphemes(true).rev())));
    (head, tail)
}

/// Bytes of equal leading characters; `None` where it takes the tables to say whether a cluster ends
/// there.
fn common(pairs: &mut dyn Iterator<Item = (char, char)>) -> Option<usize> {
    let mut length = 0;
    for (a, b) in pairs {
        if !stands_for_itself(a) || !stands_for_itself(b) {
            return None;
        }
        if a != b {
            break;
        }
        length += a.len_utf8();
    }
    Some(length)
}

fn clusters<'a>(pairs: &mut dyn Iterator<Item = (&'a str, &'a str)>) -> usize {
    pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum()
}

/// Pairs tokens of a replaced stretch that stand for each other: a number for a number, a word for
/// one that begins or ends alike. The best such pairs that cross nowhere.
fn similar_pairs(sides: &Sides, old: &[Token], new: &[Token]) -> Vec<(usize, usize)> {
    let score = |i: usize, j: usize| {
        likeness(
            sides.old.get(old[i].range()).unwrap_or_default(),
            old[i].number,
            sides.new.get(new[j].range()).unwrap_or_default(),
            new[j].number,
        )
    };
    if let ([_], [_]) = (old, new) {
        return if score(0, 0) > 0 { vec![(0, 0)] } else { Vec::new() };
    }
    let width = new.len() + 1;
    let mut best = vec![0_u32; (old.len() + 1) * width];
    let mut scores = vec![0_u32; old.len() * new.len()];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let here = i * width + j;
            let pair = score(i, j);
            scores[i * new.len() + j] = pair;
            best[here] = best[here + width].max(best[here + 1]);
            if pair > 0 {
                best[here] = best[here].max(best[here + width + 1] + pair);
            }
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() && j < new.len() {
        let here = i * width + j;
        let pair = scores[i * new.len() + j];
        if pair > 0 && best[here] == best[here + width + 1] + pair {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if best[here] == best[here + width] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// How much two tokens are alike, 0 to 12; 0 means they are shown as different whole.
///
/// In scripts that join several grammatical parts to one written word (Hangul above all) any common
/// end counts, so that a particle edit marks the particle. In alphabets it takes a third of the
/// longer word: that "dead" and "injured" end in the same letter tells nothing.
fn likeness(old: &str, old_number: bool, new: &str, new_number: bool) -> u32 {
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
    if common == 0 || (!agglutinative && common * 3 < longer) {
        0
    } else {
        (common * 12 / longer).max(1) as u32
    }
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}')
}

/// Gathers words; between two equal ones at most one deletion and then one insertion.
#[derive(Default)]
struct Writer {
    words: Vec<Word>,
    deleted: String,
    inserted: String,
}

impl Writer {
    fn equal(&mut self, text: &str) {
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

    fn replace(&mut self, old: &str, new: &str) {
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

    fn finish(mut self) -> Vec<Word> {
        self.flush();
        self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(old: &str, new: &str) -> String {
        let words = words(old, new);
        let side = |leave: WordOp| -> String {
            words
                .iter()
                .filter(|word| word.op != leave)
                .map(|word| word.text.as_str())
                .collect()
        };
        assert_eq!(side(WordOp::Insert), old);
        assert_eq!(side(WordOp::Delete), new);
        words
            .iter()
            .map(|word| match word.op {
                WordOp::Equal => word.text.clone(),
                WordOp::Delete => format!("[-{}-]", word.text),
                WordOp::Insert => format!("{{+{}+}}", word.text),
            })
            .collect()
    }

    #[test]
    fn numbers_are_marked_whole_and_units_stay_outside() {
        assert_eq!(
            marked("관객 1,234명", "관객 1,334명"),
            "관객 [-1,234-]{+1,334+}명"
        );
        assert_eq!(marked("3명이", "7명이"), "[-3-]{+7+}명이");
        assert_eq!(marked("up 3.5%.", "up -3.5%."), "up [-3.5%-]{+-3.5%+}.");
        assert_eq!(
            marked("killed 12 people", "injured 15 people"),
            "[-killed-]{+injured+} [-12-]{+15+} people"
        );
        assert_eq!(
            marked("그는 12일 떠났다", "그는 22일 떠났다"),
            "그는 [-12-]{+22+}일 떠났다"
        );
    }

    #[test]
    fn a_particle_edit_marks_one_syllable() {
        assert_eq!(marked("정부는 오늘", "정부가 오늘"), "정부[-는-]{+가+} 오늘");
        assert_eq!(marked("할 수있다", "할 수 있다"), "할 수{+ +}있다");
        assert_eq!(marked("the colour is", "the color is"), "the colo[-u-]r is");
    }

    #[test]
    fn clusters_are_never_cut() {
        assert_eq!(
            marked("e\u{301}t\u{e9} x", "e\u{300}t\u{e9} x"),
            "[-e\u{301}-]{+e\u{300}+}t\u{e9} x"
        );
        assert_eq!(
            marked("👩\u{200d}🌾", "👩\u{200d}🚀"),
            "[-👩\u{200d}🌾-]{+👩\u{200d}🚀+}"
        );
    }

    #[test]
    fn words_that_only_end_alike_are_replaced_whole() {
        assert_eq!(
            marked("two dead here", "two injured here"),
            "two [-dead-]{+injured+} here"
        );
        assert_eq!(marked("北京的天气", "上海的天气"), "[-北京-]{+上海+}的天气");
    }

    #[test]
    fn different_paragraphs_are_not_interleaved() {
        let old = "The council will meet on Monday to talk about the new bridge over the river.";
        let new = "A storm has closed the northern harbour and all of the ferries stay in port.";
        assert_eq!(marked(old, new), format!("[-{old}-]{{+{new}+}}"));
    }

    #[test]
    fn crumbs_are_joined() {
        assert_eq!(
            marked(
                "Yesterday evening councillors rejected the proposed budget again.",
                "Yesterday evening ministers approved the regional strategy again."
            ),
            "Yesterday evening [-councillors rejected the proposed budget-]{+ministers approved the \
             regional strategy+} again."
        );
    }

    #[test]
    fn deletions_take_one_space_with_them() {
        assert_eq!(marked("a very big dog", "a big dog"), "a [-very -]big dog");
        assert_eq!(marked("he said so", "he said"), "he said[- so-]");
    }
}
