//! The loose key: what a text says regardless of quotes, case, punctuation, spaces and invisible
//! characters. It only calls a change cosmetic or finds a cell whose number changed; it is never an
//! identity.

use std::hash::Hasher as _;

use rustc_hash::FxHasher;

use super::script::{is_digit, is_word_character, lower};

/// The characters of the loose key: letters, digits and other signs that carry meaning, lower case.
fn characters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|&c| counts(c)).map(lower)
}

fn counts(c: char) -> bool {
    if is_word_character(c) {
        return true;
    }
    // Signs with a meaning of their own stay: a plus, a currency sign or an emoji is no decoration.
    let decoration = c.is_whitespace()
        || c.is_control()
        || (c.is_ascii_punctuation() && !matches!(c, '$' | '%' | '+' | '&' | '@' | '#' | '=' | '<' | '>'))
        || matches!(c,
            '\u{a0}' | '\u{ad}' | '«' | '»' | '·' | '¡' | '¿' | '…'
            | '\u{300}'..='\u{30f}' | '\u{61c}' | '،' | '؛' | '؟' | '\u{640}' | '\u{180e}'
            | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '\u{30fb}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{fe30}'..='\u{fe6f}' | '\u{feff}'
            | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}'
            | '\u{ff5b}'..='\u{ff65}' | '\u{e0100}'..='\u{e01ef}');
    !decoration
}

/// Whether two texts differ in decoration only.
pub(super) fn same_loosely(old: &str, new: &str) -> bool {
    characters(old).eq(characters(new))
}

/// The loose key of a text that many others are compared with.
pub(super) fn loose_key(text: &str) -> String {
    characters(text).collect()
}

/// Whether a text has this loose key.
pub(super) fn has_key(text: &str, key: &str) -> bool {
    characters(text).eq(key.chars())
}

/// A number that is equal for texts that differ in decoration and in numbers only.
pub(super) fn skeleton(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    let mut in_number = false;
    for c in characters(text) {
        let digit = is_digit(c);
        if !(digit && in_number) {
            hasher.write_u32(if digit { u32::MAX } else { u32::from(c) });
        }
        in_number = digit;
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoration_is_overlooked() {
        assert!(same_loosely("“Yes,” he said.", "\"yes\" he said"));
        assert!(same_loosely("할 수 있다", "할수 있다"));
        assert!(same_loosely("a\u{200b}b c", "ab c"));
        assert!(same_loosely("「北京」へ", "『北京』へ。"));
        assert!(!same_loosely("12 dead", "21 dead"));
        assert!(!same_loosely("+5", "5"));
        assert!(!same_loosely("€5", "$5"));
    }

    #[test]
    fn skeletons_overlook_numbers() {
        assert_eq!(skeleton("조회 1,234"), skeleton("조회 987"));
        assert_eq!(skeleton("12"), skeleton("3.4"));
        assert_ne!(skeleton("조회 12"), skeleton("추천 12"));
        assert_ne!(skeleton("a 1 b"), skeleton("a b"));
    }
}
