//! Cuts a text into the words that are compared: by UAX-29, Han and Kana characters one by one,
//! numbers atomic.

use std::hash::Hasher as _;
use std::ops::Range;

use rustc_hash::FxHasher;
use unicode_segmentation::UnicodeSegmentation as _;

use super::script::{is_digit, is_east_asian_letter};

/// A word, number or other sign of a text; white space belongs to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// Byte offsets in the text.
    start: u32,
    end: u32,
    /// Equal for equal tokens; confirm with the text.
    pub id: u64,
    /// Whether the token is a number: sign, digits, separators, decimals, per cent.
    pub number: bool,
}

impl Token {
    fn new(text: &str, start: usize, end: usize, number: bool) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
            id: hash(&text.as_bytes()[start..end]),
            number,
        }
    }

    /// Byte range in the text.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Length in bytes, at least 1.
    pub fn len(&self) -> u32 {
        self.end - self.start
    }
}

/// A number that stands for these bytes.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// A letter word with more runs of digits than this is an identifier, not words and numbers.
const DIGIT_RUNS: usize = 3;

/// The tokens of a text in order. A line feed is a token: it stands for a paragraph break.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::with_capacity(text.len() / 5 + 1);
    let mut start = 0;
    for chunk in text.split(' ') {
        if chunk.chars().all(|c| simple(c).is_some()) {
            scan(text, start, chunk, &mut found);
        } else {
            segment(text, start, chunk, &mut found);
        }
        start += chunk.len() + 1;
    }
    found
}

/// How UAX-29 treats a character of the scripts for which [`scan`] does without its tables.
#[derive(PartialEq, Clone, Copy)]
enum Simple {
    Letter,
    Digit,
    /// Han and Kana, always a word by itself here.
    Single,
    /// Joins letters, and digits.
    MidNumLet,
    /// Joins letters.
    MidLetter,
    /// Joins digits.
    MidNum,
    Space,
    Other,
}

/// `None` for characters outside ASCII, Latin-1 letters, Hangul syllables, Han, Kana and the commonest
/// punctuation.
#[inline]
fn simple(c: char) -> Option<Simple> {
    // Most text is Hangul or the letters of ASCII; the rest of the table is asked last.
    if matches!(c, '\u{ac00}'..='\u{d7a3}') || c.is_ascii_alphabetic() {
        return Some(Simple::Letter);
    }
    Some(match c {
        '_' | 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ÿ' => Simple::Letter,
        '0'..='9' => Simple::Digit,
        _ if is_east_asian_letter(c) => Simple::Single,
        '.' | '\'' | '\u{2018}' | '\u{2019}' => Simple::MidNumLet,
        ':' | '·' => Simple::MidLetter,
        ',' | ';' => Simple::MidNum,
        '\t' | '\u{b}' | '\u{c}' | '\r' => Simple::Space,
        '\0'..='~'
        | '“'
        | '”'
        | '…'
        | '–'
        | '—'
        | '、'
        | '。'
        | '「'
        | '」'
        | '『'
        | '』'
        | '《'
        | '》'
        | '〈'
        | '〉' => Simple::Other,
        _ => return None,
    })
}

/// The words of UAX-29 in a stretch of simple characters without a space.
fn scan(text: &str, offset: usize, chunk: &str, found: &mut Vec<Token>) {
    let mut chars = chunk.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let start = offset + at;
        let sort = simple(c).unwrap_or(Simple::Other);
        let mut end = start + c.len_utf8();
        match sort {
            Simple::Space => {}
            Simple::Letter | Simple::Digit => {
                let mut last = sort;
                let mut digits = sort == Simple::Digit;
                while let Some(&(_, next)) = chars.peek() {
                    let sort = simple(next).unwrap_or(Simple::Other);
                    let joins = match sort {
                        Simple::Letter | Simple::Digit | Simple::MidNumLet => true,
                        Simple::MidLetter => last == Simple::Letter,
                        Simple::MidNum => last == Simple::Digit,
                        _ => false,
                    };
                    if !joins {
                        break;
                    }
                    if matches!(sort, Simple::Letter | Simple::Digit) {
                        last = sort;
                        digits |= sort == Simple::Digit;
                    } else {
                        // Joins only if the same sort stands on both sides; "_" is no such letter.
                        let after = text[end + next.len_utf8()..].chars().next();
                        let between = text[..end].chars().next_back();
                        if between == Some('_') || after == Some('_') || after.and_then(simple) != Some(last)
                        {
                            break;
                        }
                    }
                    end += next.len_utf8();
                    chars.next();
                }
                if digits {
                    cut(text, start, &text[start..end], found);
                } else {
                    found.push(Token::new(text, start, end, false));
                }
            }
            _ if c == '%' && extend_number(found, text, start, end) => {}
            _ => found.push(Token::new(text, start, end, false)),
        }
    }
}

/// The words of UAX-29 in any stretch of text.
fn segment(text: &str, offset: usize, chunk: &str, found: &mut Vec<Token>) {
    for (at, segment) in chunk.split_word_bound_indices() {
        let (start, end) = (offset + at, offset + at + segment.len());
        if segment != "\n" && segment.chars().all(char::is_whitespace) {
            continue;
        }
        let per_cent = segment.chars().all(|c| matches!(c, '%' | '％' | '‰' | '٪'));
        if per_cent && extend_number(found, text, start, end) {
            continue;
        }
        let mut chars = segment.chars();
        let single = chars.next().is_some() && chars.next().is_none();
        let whole = segment
            .chars()
            .all(|c| !is_digit(c) && (single || !stands_alone(c)));
        if whole {
            found.push(Token::new(text, start, end, false));
        } else {
            cut(text, start, segment, found);
        }
    }
}

/// Lets a number directly before `start` reach to `end`.
fn extend_number(found: &mut [Token], text: &str, start: usize, end: usize) -> bool {
    match found.last_mut() {
        Some(last) if last.number && last.end as usize == start => {
            *last = Token::new(text, last.start as usize, end, true);
            true
        }
        _ => false,
    }
}

#[derive(PartialEq, Clone, Copy)]
enum Sort {
    Digit,
    Single,
    Letter,
}

fn sort(grapheme: &str) -> Sort {
    match grapheme.chars().next() {
        Some(c) if is_digit(c) => Sort::Digit,
        Some(c) if stands_alone(c) => Sort::Single,
        _ => Sort::Letter,
    }
}

/// Han and Kana characters, which are words of their own.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}'
        | '\u{3031}'..='\u{3035}' | '\u{3038}'..='\u{303c}' | '\u{3041}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9d}' | '\u{1b000}'..='\u{1b16f}'
        | '\u{20000}'..='\u{3ffff}')
}

fn is_separator(grapheme: &str) -> bool {
    matches!(
        grapheme,
        "," | "." | "'" | "\u{2019}" | "\u{66b}" | "\u{66c}" | "\u{ff0c}" | "\u{ff0e}"
    )
}

/// Cuts one UAX-29 word into runs of letters, single characters and numbers.
fn cut(text: &str, start: usize, segment: &str, found: &mut Vec<Token>) {
    if segment.is_ascii() {
        return cut_ascii(text, start, segment.as_bytes(), found);
    }
    let mut parts: Vec<(usize, usize, Sort)> = Vec::new();
    let mut graphemes = segment.grapheme_indices(true).peekable();
    while let Some((at, grapheme)) = graphemes.next() {
        let end = at + grapheme.len();
        let last = parts.last_mut();
        let here = sort(grapheme);
        match (here, last) {
            (Sort::Digit, Some(last)) if last.2 == Sort::Digit => last.1 = end,
            (Sort::Letter, Some(last))
                if last.2 == Sort::Digit
                    && is_separator(grapheme)
                    && graphemes
                        .peek()
                        .is_some_and(|(_, next)| sort(next) == Sort::Digit) =>
            {
                last.1 = end;
            }
            (Sort::Letter, Some(last)) if last.2 == Sort::Letter => last.1 = end,
            _ => parts.push((at, end, here)),
        }
    }
    for (from, to, sort) in parts {
        push(text, start + from, start + to, sort == Sort::Digit, found);
    }
}

/// The same for ASCII, where a letter word with many runs of digits stays whole.
fn cut_ascii(text: &str, start: usize, segment: &[u8], found: &mut Vec<Token>) {
    let digit = |at: usize| segment.get(at).is_some_and(u8::is_ascii_digit);
    let separates = |at: usize| {
        matches!(segment.get(at), Some(b',' | b'.' | b'\'')) && at > 0 && digit(at - 1) && digit(at + 1)
    };
    let in_number = |at: usize| digit(at) || separates(at);
    let begins = |at: &usize| in_number(*at) && (*at == 0 || !in_number(*at - 1));
    let runs = (0..segment.len()).filter(begins).count();
    if runs >= DIGIT_RUNS {
        found.push(Token::new(text, start, start + segment.len(), false));
        return;
    }
    let mut from = 0;
    for at in 1..=segment.len() {
        if at == segment.len() || in_number(at) != in_number(from) {
            push(text, start + from, start + at, in_number(from), found);
            from = at;
        }
    }
}

/// Adds a token; a number takes the sign before it along.
fn push(text: &str, mut from: usize, to: usize, number: bool, found: &mut Vec<Token>) {
    if number && let Some(signed) = sign(text, found, from) {
        from = signed;
        found.pop();
    }
    found.push(Token::new(text, from, to, number));
}

/// Where the sign of a number that begins at `from` stands, if the last token is its sign and not a
/// hyphen or the end of a range.
fn sign(text: &str, found: &[Token], from: usize) -> Option<usize> {
    let last = found.last()?;
    if last.end as usize != from
        || !matches!(
            &text[last.range()],
            "+" | "-" | "\u{2212}" | "±" | "－" | "＋" | "▲" | "△" | "▼"
        )
    {
        return None;
    }
    let before = text[..last.start as usize].chars().next_back();
    before
        .is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '[' | '{' | '=' | ':' | '~' | '（'))
        .then_some(last.start as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|token| &text[token.range()]).collect()
    }

    fn numbers(text: &str) -> Vec<&str> {
        tokens(text)
            .iter()
            .filter(|token| token.number)
            .map(|token| &text[token.range()])
            .collect()
    }

    #[test]
    fn words_numbers_and_single_characters() {
        assert_eq!(cut("The cat's 3 mice."), ["The", "cat's", "3", "mice", "."]);
        assert_eq!(cut("관객 1,234명이 왔다"), ["관객", "1,234", "명이", "왔다"]);
        assert_eq!(cut("東京タワーへ"), ["東", "京", "タ", "ワ", "ー", "へ"]);
        assert_eq!(cut("a\nb"), ["a", "\n", "b"]);
        assert!(cut(" \u{3000}\u{2009} ").is_empty());
    }

    #[test]
    fn numbers_keep_sign_separators_decimals_and_per_cent() {
        assert_eq!(numbers("-3.5%p 오른 1,234.56원"), ["-3.5%", "1,234.56"]);
        assert_eq!(
            numbers("(+12) 10-20 2025-08-31"),
            ["+12", "10", "20", "2025", "08", "31"]
        );
        assert_eq!(numbers("제3차 5만7천 COVID-19"), ["3", "5", "7", "19"]);
        assert_eq!(
            numbers("１，２３４％ ٣٫٥ 1'000"),
            ["１，２３４％", "٣٫٥", "1'000"]
        );
        assert_eq!(numbers("id 3fa2b9c1"), [""; 0]);
        assert_eq!(numbers("up 5. Then"), ["5"]);
    }

    #[test]
    fn scanning_agrees_with_the_tables() {
        let alphabet: Vec<char> = "ab_é가각13東京あカ.'’:·,;%+-(“…。\t\n".chars().collect();
        let mut state = 5_u64;
        for round in 0..40_000 {
            let text: String = (0..round % 9)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    alphabet[(state >> 33) as usize % alphabet.len()]
                })
                .collect();
            let (mut scanned, mut segmented) = (Vec::new(), Vec::new());
            scan(&text, 0, &text, &mut scanned);
            segment(&text, 0, &text, &mut segmented);
            assert_eq!(scanned, segmented, "{text:?}");
        }
    }
}
