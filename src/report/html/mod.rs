//! One-file HTML: a diff, and the whole history of an article. No external loads; every text of a
//! page is escaped, so that what an article says stays text.

mod history;
mod page;
mod rows;

use std::io::{self, Write};

pub use history::history;
pub use page::diff;

/// The style of every page: light and dark by the reader's preference, printable.
const STYLE: &str = include_str!("style.css");
/// Keyboard navigation and the switch between inline and side by side; the pages are complete without.
const SCRIPT: &str = include_str!("script.js");

/// Text with everything escaped that HTML could take for markup, and bidi controls made visible.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push_str("<br>"),
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => escaped.push('\u{FFFD}'),
            c if c.is_control() => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Everything up to the content of `body`.
fn open(title: &str, language: Option<&str>, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\">\n<meta name=\"generator\" content=\"pressmark {}\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        escape(language.unwrap_or("en")),
        env!("CARGO_PKG_VERSION"),
        escape(title),
    )
}

fn close(out: &mut impl Write) -> io::Result<()> {
    write!(out, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_text_stays_text() {
        assert_eq!(
            escape("<script>a&b</script>"),
            "&lt;script&gt;a&amp;b&lt;/script&gt;"
        );
        assert_eq!(escape("\"'\u{202e}"), "&quot;&#39;\u{fffd}");
    }
}
