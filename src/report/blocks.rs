//! The blocks of a page with their hashes: what `hash` prints.

use std::io::{self, Write};

use serde::Serialize;

use crate::block::{Block, Document};
use crate::report::layout::{Accent, Look, cell, columns, counted, fit};

/// One block and its content hash by some recipe.
#[derive(Debug, Clone, Serialize)]
pub struct BlockLine<'a> {
    /// The page: a file name or an address.
    pub page: &'a str,
    /// Position among the page's blocks, from 0.
    pub index: usize,
    /// `p`, `h1`, `figure` ...
    pub kind: &'a str,
    /// Byte range of the element in the raw page, half-open.
    pub range: [usize; 2],
    /// Label: whether it belongs to the article's body.
    pub body: bool,
    /// Canonical text.
    pub text: &'a str,
    /// Content hash by `recipe`, as that recipe spells it.
    pub hash: &'a str,
    /// Name of the recipe.
    pub recipe: &'a str,
    /// The declared hash as the page writes it, if it does.
    pub declared: Option<&'a str>,
    /// The publisher's id of the block, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
}

impl<'a> BlockLine<'a> {
    /// The line of `block`, the `index`th of `page`.
    #[must_use]
    pub fn new(page: &'a str, index: usize, block: &'a Block, hash: &'a str, recipe: &'a str) -> Self {
        Self {
            page,
            index,
            kind: block.kind.as_str(),
            range: [block.range.start, block.range.end],
            body: block.body,
            text: &block.text,
            hash,
            recipe,
            declared: block.declared.as_deref(),
            id: block.id.as_deref(),
        }
    }
}

/// JSON Lines, one object a block.
pub fn json(lines: &[BlockLine<'_>], out: &mut impl Write) -> io::Result<()> {
    for line in lines {
        serde_json::to_writer(&mut *out, line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// A heading for the page and one line a block: index, kind, body mark, hash, text.
///
/// The hash is printed whole where the terminal is wide enough for it and some text, else its first
/// digits.
pub fn terminal(
    page: &str,
    document: &Document,
    lines: &[BlockLine<'_>],
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    let body = lines.iter().filter(|line| line.body).count();
    let declared = lines.iter().filter(|line| line.declared.is_some()).count();
    writeln!(out, "{}", look.paint(Accent::Strong, fit(page, look.width)))?;
    if let Some(title) = document.headline.as_ref().or(document.title.as_ref()) {
        writeln!(out, "{}", fit(title, look.width))?;
    }
    let facts = format!(
        "{} ({}{}), {}, {body} in the body, {declared} with a declared hash",
        document.charset.name,
        document.charset.source.as_str(),
        if document.charset.had_errors {
            ", with malformed bytes"
        } else {
            ""
        },
        counted(lines.len() as u64, "block"),
    );
    writeln!(out, "{}", look.paint(Accent::Faint, fit(&facts, look.width)))?;
    let digits = if look.width >= 120 { 64 } else { 12 };
    for line in lines {
        let hash: String = line.hash.chars().take(digits).collect();
        let head = format!(
            "{:>5} {} {} {} ",
            line.index,
            cell(line.kind, 10),
            if line.body { '*' } else { ' ' },
            cell(&hash, digits),
        );
        let room = look.width.saturating_sub(columns(&head));
        let text = fit(line.text, room.max(8));
        let text = if line.body {
            text
        } else {
            look.paint(Accent::Faint, text)
        };
        writeln!(out, "{head}{}", text.trim_end())?;
    }
    Ok(())
}
