//! `text-v1`: which characters of a text count, and as what.

use std::borrow::Cow;

use memchr::memchr;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Text that is being collected: white space collapsed, the trailing run held back.
#[derive(Debug, Default, Clone)]
pub(super) struct Collapsed {
    pub text: String,
    /// A space stands between the text and what comes next.
    pub space: bool,
}

/// What a byte means to the collapsing loop.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    Plain,
    Space,
    /// The lead byte of U+00A0, perhaps.
    Lead,
    Nul,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    classes[b'\t' as usize] = Class::Space;
    classes[b'\n' as usize] = Class::Space;
    classes[0x0c] = Class::Space;
    classes[b'\r' as usize] = Class::Space;
    classes[b' ' as usize] = Class::Space;
    classes[0xc2] = Class::Lead;
    classes[0] = Class::Nul;
    classes
};

impl Collapsed {
    /// Appends characters: each run of white space is one space, U+0000 is dropped.
    pub fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut start = 0;
        let mut at = 0;
        while at < bytes.len() {
            if at > start {
                at += canonical_ahead(&bytes[at..]);
                if at == bytes.len() {
                    break;
                }
            }
            let class = CLASSES[usize::from(bytes[at])];
            if class == Class::Plain {
                at += 1;
                continue;
            }
            let length = match class {
                Class::Lead if bytes.get(at + 1) == Some(&0xa0) => 2,
                Class::Lead => {
                    at += 2;
                    continue;
                }
                // One plain space inside the text is its own canonical form.
                Class::Space
                    if bytes[at] == b' '
                        && at > start
                        && bytes
                            .get(at + 1)
                            .is_some_and(|&next| CLASSES[usize::from(next)] == Class::Plain) =>
                {
                    at += 2;
                    continue;
                }
                _ => 1,
            };
            self.append(&text[start..at]);
            self.space |= class != Class::Nul;
            at += length;
            start = at;
        }
        self.append(&text[start..]);
    }

    fn append(&mut self, plain: &str) {
        if plain.is_empty() {
            return;
        }
        if self.space {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.space = false;
        }
        self.text.push_str(plain);
    }
}

/// How many bytes after a plain one are their own canonical form, eight at a time: plain ones and single
/// spaces between them. There may be more.
fn canonical_ahead(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    // The high bit of every byte that is zero, exactly.
    let zeros = |word: u64| !(((word & !HIGHS) + !HIGHS) | word | !HIGHS);
    let mut at = 0;
    while let Some((eight, _)) = bytes[at..].split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        let spaces = zeros(word ^ (ONES * 0x20));
        // Bytes up to U+0020, and the lead byte of U+00A0.
        let below = !(word | ((word & !HIGHS) + ONES * 0x5f)) & HIGHS;
        let others = (below & !spaces) | zeros(word ^ (ONES * 0xc2));
        // The first of two spaces, and a space before something else, are not their own form.
        let stops = others | (spaces & (spaces >> 8)) | (spaces & (others >> 8));
        if stops != 0 {
            return at + stops.trailing_zeros() as usize / 8;
        }
        if spaces >> 63 == 0 {
            at += 8;
        } else if bytes
            .get(at + 8)
            .is_some_and(|&next| CLASSES[usize::from(next)] == Class::Plain)
        {
            // The next word does not begin with a space, so that it does not matter what stands before it.
            at += 8;
        } else {
            return at + 7;
        }
    }
    at
}

/// Steps 5 and 6 of `text-v1` alone: white space collapsed and trimmed, then NFC.
#[must_use]
pub fn collapse(text: &str) -> String {
    let mut collapsed = Collapsed::default();
    collapsed.push(text);
    match nfc(&collapsed.text) {
        Cow::Borrowed(_) => collapsed.text,
        Cow::Owned(text) => text,
    }
}

/// Normalization Form C; borrowed where the text is in it already.
pub(super) fn nfc(text: &str) -> Cow<'_, str> {
    // U+0300 is the first character that is not always its own normal form: bytes CC 80.
    let highest = text.bytes().fold(0, u8::max);
    let mut unsure = text.chars().filter(|c| !is_settled(*c)).peekable();
    if highest < 0xcc || unsure.peek().is_none() || is_nfc_quick(unsure) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    let normal: String = text.nfc().collect();
    if normal == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(normal)
    }
}

/// Whether the character is its own normal form wherever it stands and leaves those around it as they are: those
/// of most texts. A text is in normal form if what is left without them is.
const fn is_settled(character: char) -> bool {
    matches!(character, '\0'..'\u{300}' | '\u{2010}'..='\u{2027}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// Whether nothing in front of this character can change its normal form: it starts a piece that
/// may be normalized alone.
pub(super) fn starts_anew(character: char) -> bool {
    character < '\u{300}'
        || (unicode_normalization::char::canonical_combining_class(character) == 0
            && is_nfc_quick(std::iter::once(character)) == IsNormalized::Yes)
}

/// Characters with references resolved.
pub(super) fn resolve(text: &str) -> Cow<'_, str> {
    if memchr(b'&', text.as_bytes()).is_none() {
        Cow::Borrowed(text)
    } else {
        htmlize::unescape(text)
    }
}

/// Whether a character is white space to `text-v1`.
#[must_use]
pub fn is_white_space(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\u{c}' | '\r' | ' ' | '\u{a0}')
}

/// Bytes of white space, U+0000 and references to white space at the start of source text.
pub(super) fn leading_space(source: &str) -> usize {
    let mut rest = source;
    loop {
        rest = rest.trim_start_matches(is_blank);
        match reference_at_start(rest) {
            Some(length) => rest = &rest[length..],
            None => return source.len() - rest.len(),
        }
    }
}

/// The same at the end.
pub(super) fn trailing_space(source: &str) -> usize {
    let mut rest = source;
    loop {
        rest = rest.trim_end_matches(is_blank);
        let tail = rest.len().saturating_sub(LONGEST_REFERENCE);
        let open = memchr::memrchr(b'&', &rest.as_bytes()[tail..]).map(|found| tail + found);
        match open.filter(|&open| reference_at_start(&rest[open..]) == Some(rest.len() - open)) {
            Some(open) => rest = &rest[..open],
            None => return source.len() - rest.len(),
        }
    }
}

/// The longest reference to white space that is looked for, in bytes.
const LONGEST_REFERENCE: usize = 24;

fn is_blank(character: char) -> bool {
    character == '\0' || is_white_space(character)
}

/// Length of the reference to white space that the source starts with.
fn reference_at_start(source: &str) -> Option<usize> {
    let bytes = source.as_bytes();
    if bytes.first() != Some(&b'&') {
        return None;
    }
    let name = bytes[1..]
        .iter()
        .take(LONGEST_REFERENCE)
        .position(|&b| !b.is_ascii_alphanumeric() && b != b'#')
        .map_or(bytes.len().min(LONGEST_REFERENCE + 1), |length| length + 1);
    let length = if bytes.get(name) == Some(&b';') {
        name + 1
    } else {
        name
    };
    let resolved = htmlize::unescape(source.get(..length)?);
    (!resolved.is_empty() && resolved.chars().all(is_blank)).then_some(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_of_white_space_become_one_space() {
        assert_eq!(collapse(" a \t\n\u{c}\r\u{a0} b  "), "a b");
        assert_eq!(collapse("a b c"), "a b c");
        assert_eq!(collapse("\u{a0}\u{a9}\u{a0}"), "\u{a9}");
        assert_eq!(collapse("a\0b \0 c"), "ab c");
        assert_eq!(collapse(" "), "");
        assert_eq!(collapse("a\u{2003}\u{200b}b"), "a\u{2003}\u{200b}b");
    }

    /// Step 5 character by character.
    fn collapse_plainly(pieces: &[String]) -> String {
        let mut text = String::new();
        let mut space = false;
        for character in pieces.iter().flat_map(|piece| piece.chars()) {
            if is_white_space(character) {
                space = true;
            } else if character != '\0' {
                if space && !text.is_empty() {
                    text.push(' ');
                }
                space = false;
                text.push(character);
            }
        }
        text
    }

    proptest! {
        #[test]
        fn eight_at_a_time_is_one_at_a_time(
            pieces in prop::collection::vec("[a-d가à©\u{a0}\u{80}\u{c2}\u{1}\u{7f}\0 \t\n]{0,12}( ?[a-z.]{1,9}){0,6}", 1..4)
        ) {
            let mut collapsed = Collapsed::default();
            for piece in &pieces {
                collapsed.push(piece);
            }
            prop_assert_eq!(collapsed.text, collapse_plainly(&pieces));
        }
    }

    #[test]
    fn what_is_settled_needs_no_look() {
        for c in ('\0'..=char::MAX).filter(|c| is_settled(*c)) {
            assert_eq!(unicode_normalization::char::canonical_combining_class(c), 0);
            assert_eq!(is_nfc_quick(std::iter::once(c)), IsNormalized::Yes, "{c:?}");
        }
    }

    #[test]
    fn composed_form_comes_last() {
        assert_eq!(collapse("e\u{301} \u{1112}\u{1161}\u{11ab}"), "\u{e9} \u{d55c}");
        assert_eq!(collapse("\u{f900}"), "\u{8c48}");
    }

    #[test]
    fn space_in_pieces_is_one_space() {
        let mut collapsed = Collapsed::default();
        for piece in [" ", "a ", " b", "\u{a0}", " "] {
            collapsed.push(piece);
        }
        assert_eq!(collapsed.text, "a b");
        assert!(collapsed.space);
    }

    #[test]
    fn white_space_around_source_text_is_measured_through_references() {
        assert_eq!(leading_space(" &nbsp;&#32;&#xA0;\tx &nbsp;"), 19);
        assert_eq!(leading_space("&amp;nbsp;"), 0);
        assert_eq!(leading_space("&"), 0);
        assert_eq!(trailing_space("x &nbsp; \u{a0}&#10;"), 15);
        assert_eq!(trailing_space("a&amp;"), 0);
        assert_eq!(trailing_space("a;"), 0);
        assert_eq!(trailing_space("&nbsp"), 5);
    }
}
