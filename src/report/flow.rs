//! Running text in a column: spans of differing accents, wrapped by the width of what is shown.

use unicode_segmentation::UnicodeSegmentation;

use crate::report::layout::{Accent, Look, columns, printable};

/// A stretch of text in one accent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// How it is shown; `None` for plain text.
    pub accent: Option<Accent>,
    /// What is shown. Made printable when it is wrapped.
    pub text: String,
}

impl Span {
    /// Text without accent.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            accent: None,
            text: text.into(),
        }
    }

    /// Text with an accent.
    #[must_use]
    pub fn new(accent: Accent, text: impl Into<String>) -> Self {
        Self {
            accent: Some(accent),
            text: text.into(),
        }
    }
}

/// One line of a column: painted text and the columns it takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// The text with its colours.
    pub text: String,
    /// Columns it takes on screen.
    pub columns: usize,
}

/// Wraps spans into lines of at most `width` columns.
///
/// A line breaks at a space, or after any wide (East Asian) character; a word longer than a line is
/// cut between grapheme clusters. The space a line breaks at is not shown.
#[must_use]
pub fn wrap(spans: &[Span], width: usize, look: Look) -> Vec<Line> {
    let width = width.max(2);
    let mut lines = Vec::new();
    let mut line: Vec<Cluster> = Vec::new();
    let mut used = 0;
    let mut break_at: Option<usize> = None;
    for span in spans {
        let shown = printable(&span.text);
        for text in shown.graphemes(true) {
            let wide = columns(text);
            if used + wide > width {
                if text == " " {
                    lines.push(paint(&line, look));
                    line.clear();
                    (used, break_at) = (0, None);
                    continue;
                }
                let rest = match break_at {
                    Some(at) if at > 0 => line.split_off(at),
                    _ => Vec::new(),
                };
                while line.last().is_some_and(|last| last.text == " ") {
                    line.pop();
                }
                lines.push(paint(&line, look));
                line = rest;
                used = line.iter().map(|cluster| cluster.columns).sum();
                break_at = None;
            }
            line.push(Cluster {
                accent: span.accent,
                text: text.to_owned(),
                columns: wide,
            });
            used += wide;
            if text == " " || wide > 1 {
                break_at = Some(line.len());
            }
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(paint(&line, look));
    }
    lines
}

struct Cluster {
    accent: Option<Accent>,
    text: String,
    columns: usize,
}

fn paint(line: &[Cluster], look: Look) -> Line {
    let mut painted = Line::default();
    for run in line.chunk_by(|a, b| a.accent == b.accent) {
        let text: String = run.iter().map(|cluster| cluster.text.as_str()).collect();
        painted.columns += run.iter().map(|cluster| cluster.columns).sum::<usize>();
        painted
            .text
            .push_str(&match run.first().and_then(|first| first.accent) {
                Some(accent) => look.paint(accent, text),
                None => text,
            });
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Look = Look {
        width: 80,
        color: false,
    };

    fn lines(text: &str, width: usize) -> Vec<String> {
        wrap(&[Span::plain(text)], width, PLAIN)
            .into_iter()
            .map(|line| line.text)
            .collect()
    }

    #[test]
    fn lines_break_at_spaces_and_between_wide_characters() {
        assert_eq!(lines("the harbour was closed", 11), ["the harbour", "was closed"]);
        assert_eq!(lines("항구는 닫혔다", 7), ["항구는", "닫혔다"]);
        assert_eq!(lines("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(lines("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(lines("", 3), [""]);
    }

    #[test]
    fn colours_take_no_columns() {
        let look = Look {
            width: 80,
            color: true,
        };
        let spans = [
            Span::plain("a "),
            Span::new(Accent::Good, "bb"),
            Span::plain(" c"),
        ];
        let wrapped = wrap(&spans, 4, look);
        assert_eq!(wrapped.len(), 2);
        assert_eq!(wrapped[0].columns, 4);
        assert!(wrapped[0].text.contains("\u{1b}["));
    }
}
