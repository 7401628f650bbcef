//! Cuts a text into the words that are compared: by UAX-29, Han and Kana characters one by one,
//! numbers atomic.

use std::hash::Hasher as _;
use std::ops::Range;

use rustc_hash::FxHasher;
use unicode_segmentation::UnicodeSegmentation as _;

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
    for (start, segment) in text.split_word_bound_indices() {
        let end = start + segment.len();
        let first = segment.as_bytes()[0];
        if first == b' ' {
            continue;
        }
        if segment.is_ascii() {
            if !segment.bytes().any(|byte| byte.is_ascii_digit()) {
                if first == b'%' && extend_number(&mut found, text, start, end) {
                    continue;
                }
                if first != b'\t' {
                    found.push(Token::new(text, start, end, false));
                }
                continue;
            }
        } else if segment.chars().all(char::is_whitespace)
            || (matches!(segment, "％" | "‰" | "٪") && extend_number(&mut found, text, start, end))
        {
            continue;
        }
        cut(text, start, segment, &mut found);
    }
    found
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
        Some(c) if c.is_numeric() => Sort::Digit,
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
    let digit_runs = parts.iter().filter(|part| part.2 == Sort::Digit).count();
    if digit_runs >= DIGIT_RUNS && segment.is_ascii() {
        found.push(Token::new(text, start, start + segment.len(), false));
        return;
    }
    for (from, to, sort) in parts {
        let (mut from, to) = (start + from, start + to);
        let number = sort == Sort::Digit;
        if number && let Some(signed) = sign(text, found, from) {
            from = signed;
            found.pop();
        }
        found.push(Token::new(text, from, to, number));
    }
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
}
