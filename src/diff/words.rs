//! What changed inside a text: words, numbers, and of a replaced word only the part that differs.

use std::ops::Range;

use super::change::Word;
use super::script::is_word_character;
use super::sequence::align;
use super::stretch::{Writer, stretch};
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

/// Two texts and their tokens.
pub(super) struct Sides<'a> {
    pub old: &'a str,
    pub new: &'a str,
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

#[cfg(test)]
mod tests {
    use super::super::change::WordOp;
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
        // One side ends where the other goes on with a sign that joins what stands before or after it.
        for (short, long) in [
            ("x", "x\u{301}"),
            ("葛", "葛\u{e0100}"),
            ("가", "\u{1100}가"),
            ("a ", "a \u{301}"),
        ] {
            let last = |text: &'static str| text.trim_start_matches('a');
            let kept = if short.starts_with('a') { "a" } else { "" };
            assert_eq!(
                marked(short, long),
                format!("{kept}[-{}-]{{+{}+}}", last(short), last(long))
            );
            assert_eq!(
                marked(long, short),
                format!("{kept}[-{}-]{{+{}+}}", last(long), last(short))
            );
        }
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
    fn what_stays_between_changed_numbers_and_endings_is_no_change() {
        assert_eq!(
            marked("rose from 12.50 to 13.75 here", "rose from 12.60 to 13.85 here"),
            "rose from [-12.50-]{+12.60+} to [-13.75-]{+13.85+} here"
        );
        assert_eq!(
            marked("정부는 이 법안을 국회에 냈다", "정부가 이 법안이 국회에 갔다"),
            "정부[-는-]{+가+} 이 법안[-을-]{+이+} 국회에 [-냈-]{+갔+}다"
        );
        assert_eq!(
            marked("He plays the piano well", "He played the pianos well"),
            "He play[-s-]{+ed+} the piano{+s+} well"
        );
    }

    #[test]
    fn in_a_rewritten_stretch_words_that_begin_alike_are_no_pair() {
        assert_eq!(
            marked(
                "All of the rooms are cold, but then the visual indicator control is there.",
                "All of the rooms are cold, though a therefore contrasting border may help."
            ),
            "All of the rooms are cold, [-but then the visual indicator control is there-]{+though a \
             therefore contrasting border may help+}."
        );
        // One word in the place of another may be a form of it; nearly equal ones are, anywhere.
        assert_eq!(marked("a red cat sat", "a red cats sat"), "a red cat{+s+} sat");
        assert_eq!(
            marked("the great harbours close", "the big old harbour close"),
            "the [-great-]{+big old+} harbour[-s-] close"
        );
    }

    #[test]
    fn deletions_take_one_space_with_them() {
        assert_eq!(marked("a very big dog", "a big dog"), "a [-very -]big dog");
        assert_eq!(marked("he said so", "he said"), "he said[- so-]");
    }
}
