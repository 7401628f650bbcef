//! Pieces of a page: the characters of a fragment before anything is folded, for recipes and tests.

use std::borrow::Cow;
use std::ops::Range;

use super::tag::{Tag, class};
use super::text::{Collapsed, nfc, resolve};
use super::tree::{Element, Sink, read_tree};

/// What a fragment is made of, in source order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Characters that count as text, references resolved, nothing folded.
    Text(Cow<'a, str>),
    /// A `br`.
    Break,
    /// The start or the end of an element of block or table display.
    Boundary,
}

/// The characters, breaks and boundaries of an HTML fragment by steps 2 to 4 of `text-v1`: contents
/// of `script` and the like are gone, inline tags and comments are nothing. Block elements inside
/// the fragment are boundaries, as inside an element with a declared hash.
#[must_use]
pub fn pieces(fragment: &str) -> Vec<Piece<'_>> {
    let sink = Pieces {
        text: fragment,
        pieces: Vec::new(),
    };
    read_tree(fragment, sink, true).pieces
}

/// Canonical text (`text-v1`) of an HTML fragment.
#[must_use]
pub fn canonical_text(fragment_html: &str) -> String {
    let mut collapsed = Collapsed::default();
    for piece in pieces(fragment_html) {
        match piece {
            Piece::Text(text) => collapsed.push(&text),
            Piece::Break | Piece::Boundary => collapsed.space = true,
        }
    }
    match nfc(&collapsed.text) {
        Cow::Borrowed(_) => collapsed.text,
        Cow::Owned(text) => text,
    }
}

/// The characters of a fragment before white space is folded, with `line_break` for every `br` and
/// `boundary` for every boundary. U+0000 is dropped, nothing else is changed.
#[must_use]
pub fn raw_text(fragment_html: &str, line_break: &str, boundary: &str) -> String {
    let mut text = String::with_capacity(fragment_html.len());
    for piece in pieces(fragment_html) {
        match piece {
            Piece::Text(piece) if piece.contains('\0') => text.push_str(&piece.replace('\0', "")),
            Piece::Text(piece) => text.push_str(&piece),
            Piece::Break => text.push_str(line_break),
            Piece::Boundary => text.push_str(boundary),
        }
    }
    text
}

struct Pieces<'a> {
    text: &'a str,
    pieces: Vec<Piece<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    hidden: bool,
    boundary: bool,
}

impl Sink for Pieces<'_> {
    type State = State;

    fn root(&self) -> State {
        State {
            hidden: false,
            boundary: false,
        }
    }

    fn open(&mut self, element: &Element<'_>, parent: State) -> State {
        let boundary = !parent.hidden && !element.foreign && element.tag.is(class::BLOCK | class::BOUNDARY);
        if boundary {
            self.pieces.push(Piece::Boundary);
        }
        let dropped = element.tag.is(class::DROPPED) && (!element.foreign || element.tag == Tag::Svg);
        State {
            hidden: parent.hidden || dropped,
            boundary,
        }
    }

    fn void(&mut self, element: &Element<'_>, parent: State) {
        if parent.hidden {
            return;
        }
        match element.tag {
            Tag::Br => self.pieces.push(Piece::Break),
            Tag::Hr => self.pieces.push(Piece::Boundary),
            _ => {}
        }
    }

    fn close(&mut self, state: State, _inner_end: usize, _end: usize) {
        if state.boundary {
            self.pieces.push(Piece::Boundary);
        }
    }

    fn boundary(&mut self, state: State, _at: usize) {
        if !state.hidden {
            self.pieces.push(Piece::Boundary);
        }
    }

    fn text(&mut self, state: State, range: Range<usize>, literal: bool) {
        if !state.hidden {
            let source = &self.text[range];
            self.pieces.push(Piece::Text(if literal {
                Cow::Borrowed(source)
            } else {
                resolve(source)
            }));
        }
    }

    fn raw(&mut self, element: &Element<'_>, state: State, range: Range<usize>) {
        if element.tag == Tag::Xmp {
            self.text(state, range, true);
        }
    }

    fn merge(&mut self, _element: &Element<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_tags_are_nothing_and_boundaries_are_spaces() {
        assert_eq!(canonical_text("a<b>b</b><!-- c --><wbr>d"), "abd");
        assert_eq!(canonical_text("a<br>b<div>c</div>d<hr>e"), "a b c d e");
        assert_eq!(canonical_text(" a&nbsp;&nbsp;b\u{a0} \n"), "a b");
        assert_eq!(canonical_text("<td>a<td>b"), "a b");
        assert_eq!(
            canonical_text("a<script>x</script>b<svg><title>y</title></svg>c"),
            "abc"
        );
        assert_eq!(canonical_text("<math><mi>x</mi></math>y"), "xy");
        assert_eq!(
            canonical_text("<ruby>\u{6f22}<rt>\u{304b}\u{3093}</ruby>"),
            "\u{6f22}\u{304b}\u{3093}"
        );
    }

    #[test]
    fn characters_before_folding_are_kept() {
        assert_eq!(raw_text(" a&nbsp;<br>\tb<p>c</p>", "\n", "|"), " a\u{a0}\n\tb|c|");
        assert_eq!(raw_text("a\0b", "", ""), "ab");
    }
}
