//! The page of one diff.

use std::io::{self, Write};

use super::rows::{self, Anchors};
use super::{close, escape, open};
use crate::diff::{Diff, Summary};
use crate::report::diff::{Side, ignored_text, limit_text};
use crate::report::layout::{counted, number};

/// Writes one self-contained page: both sides, a summary, every change inline and side by side,
/// unchanged paragraphs and changes outside the article folded.
pub fn diff(old: Side<'_>, new: Side<'_>, diff: &Diff, out: &mut impl Write) -> io::Result<()> {
    let title = headline(new)
        .or_else(|| headline(old))
        .unwrap_or_else(|| address(new.name));
    open(title, new.document.language.as_deref(), out)?;
    writeln!(out, "<header>\n<h1 dir=\"auto\">{}</h1>", escape(title))?;
    writeln!(out, "<div class=\"sides\">")?;
    for (class, word, side) in [("old", "before", old), ("new", "after", new)] {
        writeln!(
            out,
            "<div class=\"{class}\"><div class=\"faint\">{word}</div><div>{}</div><div class=\"faint\">{}{}</div></div>",
            escape(side.name),
            side.moment.map_or_else(String::new, |moment| format!(
                "<time datetime=\"{moment}\">{moment}</time>, "
            )),
            counted(side.document.blocks.len() as u64, "block"),
        )?;
    }
    writeln!(out, "</div>")?;
    notices(diff, out)?;
    writeln!(
        out,
        "<p>{}</p>\n</header>",
        escape(&Summary::of(diff).to_string())
    )?;
    switch(out)?;
    writeln!(out, "<main>")?;
    let anchors = Anchors {
        prefix: "",
        unchanged: true,
    };
    rows::changes(old, new, diff, anchors, out)?;
    rows::outside(old, new, diff, anchors, out)?;
    writeln!(out, "</main>")?;
    close(out)
}

/// The switch between the two views; it works without scripts.
pub(super) fn switch(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<nav class=\"bar\" aria-label=\"view\">\
         <label><input type=\"radio\" name=\"view\" id=\"view-inline\" checked> inline</label>\
         <label><input type=\"radio\" name=\"view\" id=\"view-side\"> side by side</label>\
         <span class=\"faint\"><kbd>n</kbd> next <kbd>p</kbd> previous <kbd>i</kbd> inline <kbd>s</kbd> side by side \
         <kbd>d</kbd> hashes and ranges</span></nav>"
    )
}

/// What a reader must know before the changes: a suspect extraction, ignored changes, cut corners.
pub(super) fn notices(diff: &Diff, out: &mut impl Write) -> io::Result<()> {
    if let Some(suspect) = &diff.suspect {
        writeln!(
            out,
            "<p class=\"notice\" role=\"note\">Suspect: the extraction was {} ({} characters of body before, {} now). \
             What follows is probably no edit.</p>",
            suspect.reason.as_str(),
            number(u64::from(suspect.old_characters)),
            number(u64::from(suspect.new_characters)),
        )?;
    }
    if let Some(text) = ignored_text(&diff.ignored) {
        writeln!(
            out,
            "<p class=\"notice\" role=\"note\">Ignored {}.</p>",
            escape(&text)
        )?;
    }
    for limit in &diff.limits {
        writeln!(
            out,
            "<p class=\"notice\" role=\"note\">Cut short: {}.</p>",
            escape(&limit_text(limit))
        )?;
    }
    Ok(())
}

pub(super) fn headline(side: Side<'_>) -> Option<&str> {
    let document = side.document;
    document
        .headline
        .as_deref()
        .or(document.title.as_deref())
        .filter(|title| !title.is_empty())
}

/// A snapshot's name without its number.
fn address(name: &str) -> &str {
    match name.rsplit_once('@') {
        Some((address, n)) if !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) => address,
        _ => name,
    }
}
