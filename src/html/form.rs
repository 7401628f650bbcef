//! `form-v1`: the lines that are hashed beside the text, and how places in the text are counted.

use unicode_normalization::UnicodeNormalization;

use super::text::starts_anew;
use crate::block::{Block, Kind, Mark};
use crate::digest::{Hash, sha256};

/// Writes the canonical form into `lines`, which is emptied first: kind, text, and a line for each
/// mark, every line ended by LF, fields separated by TAB.
pub(super) fn write_form(kind: Kind, text: &str, marks: &[Mark], lines: &mut Vec<u8>) {
    lines.clear();
    lines.extend_from_slice(kind.as_str().as_bytes());
    lines.push(b'\n');
    lines.extend_from_slice(text.as_bytes());
    lines.push(b'\n');
    for mark in marks {
        match mark {
            Mark::Link { range, href } => {
                lines.extend_from_slice(b"link\t");
                push_number(lines, range.start);
                push_number(lines, range.end);
                push_escaped(lines, href);
            }
            Mark::Image { src, alt, .. } => {
                lines.extend_from_slice(b"image\t");
                push_escaped(lines, src);
                lines.push(b'\t');
                push_escaped(lines, alt);
            }
            Mark::Emphasis { range, tag } => {
                lines.extend_from_slice(b"emphasis\t");
                push_number(lines, range.start);
                push_number(lines, range.end);
                lines.extend_from_slice(tag.as_bytes());
            }
        }
        lines.push(b'\n');
    }
}

/// The canonical form of a block: the lines whose SHA-256 is its form hash.
#[must_use]
pub fn canonical_form(block: &Block) -> String {
    let mut lines = Vec::new();
    write_form(block.kind, &block.text, &block.marks, &mut lines);
    String::from_utf8_lossy(&lines).into_owned()
}

/// SHA-256 of the canonical form.
pub(super) fn form_hash(kind: Kind, text: &str, marks: &[Mark], lines: &mut Vec<u8>) -> Hash {
    write_form(kind, text, marks, lines);
    sha256(lines)
}

/// Decimal digits and a TAB.
fn push_number(lines: &mut Vec<u8>, number: u32) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    lines.extend_from_slice(&digits[at..]);
    lines.push(b'\t');
}

/// An attribute's value with `\`, LF, CR and TAB escaped, so that it cannot end its field.
fn push_escaped(lines: &mut Vec<u8>, value: &str) {
    // One pass without branches, for nearly no value needs more.
    let plain = value.bytes().fold(0, |odd, byte| {
        odd | u8::from(byte <= b'\r') | u8::from(byte == b'\\')
    }) == 0;
    if plain {
        lines.extend_from_slice(value.as_bytes());
        return;
    }
    for &byte in value.as_bytes() {
        match byte {
            b'\\' => lines.extend_from_slice(b"\\\\"),
            b'\n' => lines.extend_from_slice(b"\\n"),
            b'\r' => lines.extend_from_slice(b"\\r"),
            b'\t' => lines.extend_from_slice(b"\\t"),
            byte => lines.push(byte),
        }
    }
}

/// Turns byte places in the collapsed text into code points of the canonical text, its composed
/// form. A place inside characters that compose counts as the start of the composed one. `places`
/// are sorted and get their counts. `composes`: the canonical text is not the collapsed one.
pub(super) fn count_code_points(collapsed: &str, composes: bool, places: &mut [(u32, u32)]) {
    if collapsed.is_ascii() {
        for place in places {
            place.1 = place.0;
        }
        return;
    }
    let mut counted = 0;
    let mut from = 0;
    if !composes {
        for place in places {
            let to = place.0 as usize;
            counted += collapsed[from..to].chars().count();
            from = to;
            place.1 = counted as u32;
        }
        return;
    }
    // Pieces that compose alone: the count of the canonical text grows by theirs.
    let mut places = places.iter_mut().peekable();
    let starts = collapsed
        .char_indices()
        .filter(|&(_, character)| starts_anew(character))
        .map(|(at, _)| at)
        .chain([collapsed.len()]);
    for start in starts {
        while let Some(place) = places.next_if(|place| (place.0 as usize) < start) {
            place.1 = counted as u32;
        }
        counted += collapsed[from..start].nfc().count();
        from = start;
    }
    for place in places {
        place.1 = counted as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_spelled_as_documented() {
        let marks = [
            Mark::Link {
                range: 0..12,
                href: "a\nb\\c\td".into(),
            },
            Mark::Image {
                at: 3,
                src: "/x.png".into(),
                alt: String::new(),
            },
            Mark::Emphasis {
                range: 4..4_294_967_295,
                tag: "strong",
            },
        ];
        let mut lines = Vec::new();
        write_form(Kind::P, "Text", &marks, &mut lines);
        assert_eq!(
            String::from_utf8(lines).unwrap(),
            "p\nText\nlink\t0\t12\ta\\nb\\\\c\\td\nimage\t/x.png\t\nemphasis\t4\t4294967295\tstrong\n"
        );
    }

    #[test]
    fn places_are_counted_in_the_composed_text() {
        let count = |text: &str, at: &[u32]| {
            let mut places: Vec<_> = at.iter().map(|&at| (at, 0)).collect();
            let composes = super::super::text::nfc(text) != text;
            count_code_points(text, composes, &mut places);
            places.iter().map(|place| place.1).collect::<Vec<_>>()
        };
        assert_eq!(count("abc", &[0, 3]), [0, 3]);
        assert_eq!(count("\u{d55c}\u{ae00}x", &[0, 3, 6, 7]), [0, 1, 2, 3]);
        // "e" and its accent compose; a place between them is the start of the composed letter.
        assert_eq!(count("ae\u{301}b", &[0, 1, 2, 4, 5]), [0, 1, 1, 2, 3]);
        assert_eq!(
            count("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}", &[3, 9, 15]),
            [0, 1, 2]
        );
    }
}
