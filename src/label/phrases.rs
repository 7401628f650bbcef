//! What a short text says by its first words: credits, advertising, pointers to other pages.

mod openings;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use openings::{ADVERTISING, CREDITS, DATELINES, POINTERS};

/// Longest text that is asked, in bytes: a sentence that happens to begin like this is no pointer.
const MAX_SHORT: usize = 160;

/// Longest line about author and time, in bytes.
const MAX_DATELINE: usize = 90;

/// What a short text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phrase {
    /// Names the photographer or the agency.
    Credit,
    /// Says that something beside it is advertising.
    Advertising,
    /// Points to other pages, asks to share or to subscribe.
    Pointer,
    /// Says when or by whom the article was written.
    Dateline,
}

impl Phrase {
    /// For people who ask why.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Credit => "it begins like a credit",
            Self::Advertising => "it begins like a mark of advertising",
            Self::Pointer => "it begins like a pointer to other pages",
            Self::Dateline => "it tells when or by whom the article was written",
        }
    }
}

/// The openings by their first character, in the order in which they are asked.
static OPENINGS: LazyLock<FxHashMap<char, Vec<(&'static str, Phrase)>>> = LazyLock::new(|| {
    let mut openings: FxHashMap<char, Vec<(&'static str, Phrase)>> = FxHashMap::default();
    for (list, phrase) in [
        (CREDITS, Phrase::Credit),
        (ADVERTISING, Phrase::Advertising),
        (POINTERS, Phrase::Pointer),
        (DATELINES, Phrase::Dateline),
    ] {
        for opening in list {
            if let Some(first) = opening.chars().next() {
                openings.entry(first).or_default().push((opening, phrase));
            }
        }
    }
    openings
});

/// Reads the first words; `None` for running text.
pub fn phrase(text: &str) -> Option<Phrase> {
    if text.len() > MAX_SHORT {
        return None;
    }
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || "([{*–—-|•»›▶▷■◆#[【〔".contains(c));
    let first = text.chars().next()?.to_lowercase().next()?;
    let told = OPENINGS.get(&first).and_then(|openings| {
        let text = text.to_lowercase();
        let dateline = text.len() <= MAX_DATELINE && !ends_sentence(&text);
        // News is told in the plain form; what asks readers for something or names rights is polite (`니다.`).
        let told_plainly = text.ends_with("다.") && !text.ends_with("니다.");
        openings
            .iter()
            .find(|(opening, phrase)| {
                let fits = match phrase {
                    Phrase::Dateline => dateline && !goes_on_in_hangul(&text, opening),
                    Phrase::Advertising | Phrase::Pointer => !told_plainly,
                    Phrase::Credit => true,
                };
                fits && opens(&text, opening)
            })
            .map(|&(_, phrase)| phrase)
    });
    told.or_else(|| is_moment(text).then_some(Phrase::Dateline))
}

fn ends_sentence(text: &str) -> bool {
    text.ends_with(['.', '!', '?', '。', '…', '”', '"', ':'])
}

fn is_hangul(c: char) -> bool {
    ('\u{ac00}'..='\u{d7a3}').contains(&c)
}

/// Whether a Korean opening is only the beginning of a longer word: `수정` of `수정안`.
fn goes_on_in_hangul(text: &str, opening: &str) -> bool {
    opening.ends_with(is_hangul)
        && text
            .strip_prefix(opening)
            .is_some_and(|rest| rest.starts_with(is_hangul))
}

/// Whether the text is little else than a date or a time: a clock time, or a year with the number of a
/// month or day beside it; hardly more letters than digits, and no sentence. Other numbers (`1,234.56`)
/// are what articles are about.
fn is_moment(text: &str) -> bool {
    if text.len() > MAX_DATELINE {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits < 4 {
        return false;
    }
    // `2026. 1. 4.` and `4.1.2026.` are no sentences.
    let ended = text
        .strip_suffix('.')
        .filter(|before| ends_with_day(before))
        .unwrap_or(text);
    if ends_sentence(ended) {
        return false;
    }
    let letters: usize = text
        .chars()
        .filter(|c| c.is_alphabetic())
        .map(|c| if is_syllable_or_ideograph(c) { 3 } else { 1 })
        .sum();
    letters <= 3 * digits && ((digits > 4 && tells_year(text)) || tells_clock(text))
}

/// Whether the last word is a day, a month or a whole date in digits.
fn ends_with_day(text: &str) -> bool {
    let last = text.rsplit(char::is_whitespace).next().unwrap_or(text);
    let in_parts = last.contains(['.', '-', '/']);
    last.ends_with(|c: char| c.is_ascii_digit())
        && last.chars().all(|c| c.is_ascii_digit() || ".-/".contains(c))
        && (in_parts || last.len() <= 2)
}

/// One such character says as much as several letters of an alphabet.
fn is_syllable_or_ideograph(c: char) -> bool {
    is_hangul(c)
        || ('\u{3040}'..='\u{30ff}').contains(&c)
        || ('\u{3400}'..='\u{9fff}').contains(&c)
        || ('\u{f900}'..='\u{faff}').contains(&c)
}

/// Start and end of each run of ASCII digits.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let mut numbers: Vec<(usize, usize)> = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        if !byte.is_ascii_digit() {
            continue;
        }
        match numbers.last_mut() {
            Some((_, end)) if *end == at => *end = at + 1,
            _ => numbers.push((at, at + 1)),
        }
    }
    numbers
}

/// Whether a number of four digits is a year of these two centuries.
fn tells_year(text: &str) -> bool {
    numbers(text).into_iter().any(|(start, end)| {
        end - start == 4
            && (text[start..end].starts_with("19") || text[start..end].starts_with("20"))
            && !text[..start].ends_with(',')
    })
}

/// Whether two numbers are a time of day: `9:05`, `20.15 Uhr`.
fn tells_clock(text: &str) -> bool {
    let numbers = numbers(text);
    numbers.windows(2).any(|pair| {
        let [(hour, colon), (minute, end)] = *pair else {
            return false;
        };
        let below = |number: &str, limit: u32| number.parse::<u32>().is_ok_and(|value| value < limit);
        let clock = colon - hour <= 2
            && minute == colon + 1
            && end - minute == 2
            && below(&text[hour..colon], 25)
            && below(&text[minute..end], 60);
        let behind = text[end..].trim_start();
        clock
            && match &text[colon..minute] {
                ":" => true,
                "." => behind.starts_with("Uhr") || behind.starts_with("uhr"),
                _ => false,
            }
    })
}

/// Whether the text begins with the opening and the opening ends where a word ends.
fn opens(text: &str, opening: &str) -> bool {
    text.strip_prefix(opening).is_some_and(|rest| {
        let wordy = |c: char| c.is_alphanumeric();
        !(opening.ends_with(wordy) && rest.starts_with(wordy) && opening.is_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_tell_by_their_first_words() {
        for (text, expected) in [
            ("Foto: Mara Lind", Some(Phrase::Credit)),
            ("(© Hafenblatt)", Some(Phrase::Credit)),
            ("[사진=김가람 기자]", Some(Phrase::Credit)),
            ("Advertisement", Some(Phrase::Advertising)),
            ("▶ 관련기사 더보기", Some(Phrase::Pointer)),
            ("Lesen Sie auch: Der Hafen", Some(Phrase::Pointer)),
            ("Relatedness is a measure", None),
            ("Tweets from the ministry said otherwise", None),
            ("The harbour opened.", None),
            ("By Mara Lind", Some(Phrase::Dateline)),
            ("By noon the harbour was closed.", None),
            ("2026. 1. 4. 03:05", Some(Phrase::Dateline)),
            ("Nov. 19, 2026, 8:41 AM UTC", Some(Phrase::Dateline)),
            ("입력 2026.01.04 09:30", Some(Phrase::Dateline)),
            ("In 1998 the harbour had 12 piers", None),
            ("2026년 1월 4일 오전 9시 30분", Some(Phrase::Dateline)),
            ("2026.01.04. 가람 기자", Some(Phrase::Dateline)),
            ("2026. 1. 4.", Some(Phrase::Dateline)),
            ("Zuletzt am 17.01.2026.", Some(Phrase::Dateline)),
            ("4. Januar 2026, 20.15 Uhr", Some(Phrase::Dateline)),
            ("등록 2026.01.04 09:30", Some(Phrase::Dateline)),
            ("2026년 1월 4일 오전에 다리가 끊겼다.", None),
            ("항구 지수는 2,650.12로 마감했다.", None),
            ("2026년 물동량 전망", None),
            ("수정안 통과", None),
            ("댓글 조작으로 3명이 기소됐다.", None),
            ("구독하시면 더 많은 소식을 받습니다.", Some(Phrase::Pointer)),
            ("In 2019, 2020 and 2021 it fell to 4,500.", None),
            ("1,234.56", None),
            ("$139.00", None),
            ("2024", None),
            ("", None),
        ] {
            assert_eq!(phrase(text), expected, "{text}");
        }
        assert_eq!(phrase(&format!("Related {}", "words ".repeat(60))), None);
    }
}
