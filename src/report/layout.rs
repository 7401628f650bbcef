//! Layout of terminal text: columns, widths of East Asian characters, numbers for people, colours.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What the reader's terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns to fill.
    pub width: usize,
    /// Whether to print ANSI colours.
    pub color: bool,
}

/// Something that stands out, or steps back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accent {
    /// Titles.
    Strong,
    /// What is less important.
    Faint,
    /// Good news, inserted text.
    Good,
    /// Bad news, deleted text.
    Bad,
    /// Worth a look.
    Notice,
}

impl Look {
    /// `text` in the colours of `accent`, or as it is without colours.
    #[must_use]
    pub fn paint(&self, accent: Accent, text: impl Display) -> String {
        if !self.color {
            return text.to_string();
        }
        let style = match accent {
            Accent::Strong => Style::new().bold(),
            Accent::Faint => Style::new().dimmed(),
            Accent::Good => Style::new().fg_color(Some(AnsiColor::Green.into())),
            Accent::Bad => Style::new().fg_color(Some(AnsiColor::Red.into())),
            Accent::Notice => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        };
        format!("{style}{text}{style:#}")
    }
}

/// Columns a text takes on a terminal: two for wide East Asian characters, none for combining marks.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Whether a character leaves no trace on a screen, not even room: zero-width and joining characters, soft
/// hyphens.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c == '\u{ad}' || (!c.is_whitespace() && !c.is_control() && columns(c.encode_utf8(&mut [0; 4])) == 0)
}

/// The text made safe for one terminal line: control characters, line breaks and bidi controls
/// become visible replacements, so that a page can neither move the cursor nor reorder a line.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
            c if c.is_control() => '\u{FFFD}',
            c => c,
        })
        .collect()
}

/// `text` made printable and cut to at most `width` columns, between grapheme clusters; an ellipsis
/// tells that something was cut.
#[must_use]
pub fn fit(text: &str, width: usize) -> String {
    // A cluster is at most two columns for text that matters here, so a longer look is never needed.
    let head: String = text.chars().take(width.saturating_mul(8).max(64)).collect();
    let shown = printable(&head);
    if head.len() == text.len() && columns(&shown) <= width {
        return shown;
    }
    let mut cut = String::new();
    let mut used = 0;
    for cluster in shown.graphemes(true) {
        let wide = columns(cluster);
        if used + wide + 1 > width {
            break;
        }
        cut.push_str(cluster);
        used += wide;
    }
    cut.push('…');
    cut
}

/// `text` cut to `width` columns and filled with spaces to exactly that many.
#[must_use]
pub fn cell(text: &str, width: usize) -> String {
    let mut cell = fit(text, width);
    let used = columns(&cell);
    cell.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    cell
}

/// A number with thin groups of three: `1,234,567`.
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 page`, `2 pages`: a counted noun with its regular plural.
#[must_use]
pub fn counted(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(n))
}

/// Bytes for people, in decimal units: `512 B`, `1.5 kB`, `428.0 MB`.
#[must_use]
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_twice_and_clusters_stay_whole() {
        assert_eq!(fit("오늘의 기사", 20), "오늘의 기사");
        assert_eq!(fit("오늘의 기사", 6), "오늘…");
        assert_eq!(cell("오늘", 6), "오늘  ");
        assert_eq!(columns(&cell("아침 신문의 첫 기사", 9)), 9);
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
    }

    #[test]
    fn what_leaves_no_trace_is_told_from_spaces_and_letters() {
        assert!(
            ['\u{200b}', '\u{200d}', '\u{ad}', '\u{feff}']
                .into_iter()
                .all(is_unseen)
        );
        assert!(!['a', '가', ' ', '\n', '\u{3000}'].into_iter().any(is_unseen));
    }

    #[test]
    fn a_page_cannot_move_the_cursor() {
        assert_eq!(fit("a\u{1b}[2Jb\nc\u{202e}d", 40), "a\u{fffd}[2Jb c\u{fffd}d");
    }

    #[test]
    fn numbers_are_grouped_and_bytes_have_units() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(counted(1, "page"), "1 page");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(bytes(428_000_000), "428.0 MB");
    }
}
