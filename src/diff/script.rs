//! Quick answers about characters. Most text is ASCII, Hangul, Han or Kana, for which the large tables
//! need not be asked.

/// Hangul syllables, Han and Kana that are letters and never join with a neighbour to one cluster.
pub(super) fn is_east_asian_letter(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}' | '\u{4e00}'..='\u{9fff}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}')
}

/// Letters and numbers.
pub(super) fn is_word_character(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    is_east_asian_letter(c) || c.is_alphanumeric()
}

/// Digits and other signs that are numbers.
pub(super) fn is_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    !is_east_asian_letter(c) && c.is_numeric()
}

/// Lower case, one character for one.
pub(super) fn lower(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    if is_east_asian_letter(c) {
        return c;
    }
    c.to_lowercase().next().unwrap_or(c)
}

/// Whether a grapheme cluster ends before and after the character whatever stands there, as long as
/// the neighbour is such a character too.
pub(super) fn stands_for_itself(c: char) -> bool {
    matches!(c, ' '..='~') || is_east_asian_letter(c)
}
