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
        openings
            .iter()
            .find(|(opening, phrase)| (*phrase != Phrase::Dateline || dateline) && opens(&text, opening))
            .map(|&(_, phrase)| phrase)
    });
    told.or_else(|| is_moment(text).then_some(Phrase::Dateline))
}

fn ends_sentence(text: &str) -> bool {
    text.ends_with(['.', '!', '?', '。', '…', '”', '"', ':'])
}

/// Whether the text is little else than a date or a time: a number of four digits or a clock time,
/// and hardly more letters than digits.
fn is_moment(text: &str) -> bool {
    if text.len() > MAX_DATELINE {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits < 4 {
        return false;
    }
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let bytes = text.as_bytes();
    let year = bytes
        .windows(4)
        .any(|four| four.iter().all(u8::is_ascii_digit) && matches!(&four[..2], b"19" | b"20"));
    let clock = bytes.windows(4).any(|four| {
        four[0].is_ascii_digit()
            && matches!(four[1], b':' | b'.')
            && four[2].is_ascii_digit()
            && four[3].is_ascii_digit()
    });
    (year || clock) && letters <= 3 * digits
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
            ("", None),
        ] {
            assert_eq!(phrase(text), expected, "{text}");
        }
        assert_eq!(phrase(&format!("Related {}", "words ".repeat(60))), None);
    }
}
