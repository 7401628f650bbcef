//! Changes as spans of running text: what was deleted and inserted, and the equal text around it.

use unicode_segmentation::UnicodeSegmentation as _;

use super::{marks, shown};
use crate::block::Block;
use crate::diff::{Change, Op, WordOp};
use crate::report::flow::Span;
use crate::report::layout::{Accent, Look, is_unseen};

/// Characters of equal text kept on either side of a changed word; longer stretches are elided.
const CONTEXT: usize = 60;

/// The change's text with deleted and inserted words marked: by colour where there is one, else as
/// `[-deleted-]` and `{+inserted+}`.
pub(super) fn inline(change: &Change, old: &[Block], new: &[Block], look: Look, whole: bool) -> Vec<Span> {
    match change.op {
        Op::Delete => vec![marked(WordOp::Delete, &joined(&change.old, old), look)],
        Op::Insert => vec![marked(WordOp::Insert, &joined(&change.new, new), look)],
        _ => {
            let mut spans = words(change, new, look, whole);
            let (gone, come) = marks(change, old, new);
            tell(WordOp::Delete, gone, look, &mut spans);
            tell(WordOp::Insert, come, look, &mut spans);
            spans
        }
    }
}

/// The words of a change on both sides; the text alone where they are the same.
fn words(change: &Change, new: &[Block], look: Look, whole: bool) -> Vec<Span> {
    let Some(last) = change.words.len().checked_sub(1) else {
        let text = joined(&change.new, new);
        return vec![Span::plain(if whole { text } else { elide(&text, true, true) })];
    };
    change
        .words
        .iter()
        .enumerate()
        .map(|(at, word)| match word.op {
            WordOp::Equal if whole => Span::plain(word.text.replace('\n', " ¶ ")),
            WordOp::Equal => Span::plain(elide(&word.text.replace('\n', " ¶ "), at == 0, at == last)),
            op => marked(op, &word.text.replace('\n', " ¶ "), look),
        })
        .collect()
}

/// Adds what is told of marks behind the text.
fn tell(op: WordOp, marks: Vec<String>, look: Look, spans: &mut Vec<Span>) {
    for mark in marks {
        spans.push(Span::plain(" "));
        spans.push(marked(op, &mark, look));
    }
}

/// One side of the change: its own words plain, those the other side lacks marked.
pub(super) fn one_side(
    change: &Change,
    old: &[Block],
    new: &[Block],
    old_side: bool,
    look: Look,
) -> Vec<Span> {
    let (gone, come) = marks(change, old, new);
    let (indices, blocks, own, marks) = if old_side {
        (&change.old, old, WordOp::Delete, gone)
    } else {
        (&change.new, new, WordOp::Insert, come)
    };
    let mut spans: Vec<Span> = if change.words.is_empty() {
        let text = joined(indices, blocks);
        vec![match change.op {
            Op::Delete | Op::Insert => marked(own, &text, look),
            _ => Span::plain(text),
        }]
    } else {
        change
            .words
            .iter()
            .filter_map(|word| match word.op {
                WordOp::Equal => Some(Span::plain(word.text.replace('\n', " ¶ "))),
                op if op == own => Some(marked(op, &word.text.replace('\n', " ¶ "), look)),
                _ => None,
            })
            .collect()
    };
    tell(own, marks, look, &mut spans);
    spans
}

/// The texts of blocks, one after the other; a figure without text is told by its image.
pub(super) fn joined(indices: &[u32], blocks: &[Block]) -> String {
    indices
        .iter()
        .filter_map(|&index| blocks.get(index as usize))
        .map(shown)
        .collect::<Vec<_>>()
        .join(" ¶ ")
}

/// Text that was deleted or inserted: in its colour; between signs where there is none, or where it cannot be
/// seen, for a space or a zero-width character looks the same in every colour.
pub(in crate::report) fn marked(op: WordOp, text: &str, look: Look) -> Span {
    let (accent, open, close) = match op {
        WordOp::Delete => (Accent::Bad, "[-", "-]"),
        _ => (Accent::Good, "{+", "+}"),
    };
    let blank = text.chars().all(|c| c.is_whitespace() || is_unseen(c));
    if look.color && blank {
        Span::new(accent, format!("{open}{text}{close}"))
    } else if look.color {
        Span::new(accent, text)
    } else {
        Span::plain(format!("{open}{text}{close}"))
    }
}

/// Keeps the ends of an equal stretch that lie next to a change.
fn elide(text: &str, first: bool, last: bool) -> String {
    let length = text.chars().count();
    let keep_start = if first { 0 } else { CONTEXT };
    let keep_end = if last { 0 } else { CONTEXT };
    let keep_start = if first && last { 2 * CONTEXT } else { keep_start };
    if length <= keep_start + keep_end + 8 {
        return text.to_owned();
    }
    let start = &text[..fitting(text.graphemes(true), keep_start)];
    let end = &text[text.len() - fitting(text.graphemes(true).rev(), keep_end)..];
    // The space next to a change stays: without it two words look like one.
    match (start.trim_end(), end.trim_start()) {
        ("", end) => format!("… {end}"),
        (start, "") => format!("{start} …"),
        (start, end) => format!("{start} … {end}"),
    }
}

/// Bytes of the first clusters that have together at most this many characters.
fn fitting<'a>(clusters: impl Iterator<Item = &'a str>, characters: usize) -> usize {
    let (mut bytes, mut used) = (0, 0);
    for cluster in clusters {
        used += cluster.chars().count();
        if used > characters {
            break;
        }
        bytes += cluster.len();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_equal_text_is_elided_towards_the_change() {
        let text = "a ".repeat(200);
        assert!(elide(&text, true, false).starts_with('…'));
        assert!(elide(&text, false, true).ends_with('…'));
        assert_eq!(elide("short", false, false), "short");
        assert!(elide(&text, false, false).chars().count() < 140);
        let text = format!(" {text}");
        assert!(elide(&text, false, true).starts_with(" a "));
        assert!(elide(&text, true, false).ends_with(" a "));
        assert!(elide(&text, false, false).starts_with(" a ") && elide(&text, false, false).ends_with(" a "));
    }

    #[test]
    fn clusters_are_elided_whole() {
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        let text = family.repeat(60);
        assert_eq!(elide(&text, true, false), format!("… {}", family.repeat(8)));
        assert_eq!(elide(&text, false, true), format!("{} …", family.repeat(8)));
        let flags = format!("a{}a", "🇰🇷".repeat(80));
        assert_eq!(elide(&flags, true, false), format!("… {}a", "🇰🇷".repeat(29)));
    }
}
