//! Changes as rows: each inline and side by side, with the evidence a reader can check.

use std::collections::HashMap;
use std::io::{self, Write};

use super::escape;
use crate::block::Block;
use crate::diff::{Change, Diff, Op, Place, WordOp};
use crate::report::diff::{Side, characters, marks, shown};
use crate::report::layout::{counted, is_unseen};

/// How the rows of one diff stand on a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anchors<'a> {
    /// What ids start with, so that several diffs can stand on one page.
    pub(super) prefix: &'a str,
    /// Whether unchanged paragraphs can be unfolded; else only their number is given.
    pub(super) unchanged: bool,
}

/// The changes inside the article, unchanged runs folded, and a stub where a moved block used to be.
pub(super) fn changes(
    old: Side<'_>,
    new: Side<'_>,
    diff: &Diff,
    anchors: Anchors<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let stubs = Stubs::of(diff, old);
    let mut same: Vec<u32> = Vec::new();
    let mut count = 0;
    for (at, change) in diff.changes.iter().enumerate() {
        let inside = change.place != Place::Outside;
        for (nth, &block) in settled(change).iter().enumerate() {
            stubs.write(block, (&mut same, new), anchors, out)?;
            if change.op == Op::Equal && inside {
                same.extend(change.new.get(nth));
            }
        }
        if change.op != Op::Equal && inside {
            equal(&mut same, new, anchors, out)?;
            count += 1;
            row((at, count), change, old, new, anchors, out)?;
        }
    }
    stubs.write(BEHIND_ALL, (&mut same, new), anchors, out)?;
    equal(&mut same, new, anchors, out)?;
    if count == 0 {
        writeln!(out, "<p>No change in the article.</p>")?;
    }
    Ok(())
}

/// The changes outside the article, folded; nothing if there are none.
pub(super) fn outside(
    old: Side<'_>,
    new: Side<'_>,
    diff: &Diff,
    anchors: Anchors<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let edits = || {
        let changes = diff.changes.iter().enumerate();
        changes.filter(|(_, change)| change.place == Place::Outside && change.op != Op::Equal)
    };
    let all = edits().count();
    if all == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "<details><summary>{} outside the article</summary>",
        counted(all as u64, "change")
    )?;
    for (count, (at, change)) in (1..).zip(edits()) {
        row((at, count), change, old, new, anchors, out)?;
    }
    writeln!(out, "</details>")
}

/// Stands for the place behind all old blocks.
const BEHIND_ALL: u32 = u32::MAX;

/// The old blocks of a change by which an old place is found again, if it stayed where it was: all of an
/// unchanged run, for a block may have been moved away from its middle.
fn settled(change: &Change) -> &[u32] {
    let blocks = change.old.as_slice();
    match change.op {
        _ if change.moved => &[],
        Op::Equal => blocks,
        _ => blocks.get(..1).unwrap_or_default(),
    }
}

/// Where blocks that were moved used to be.
struct Stubs<'a> {
    diff: &'a Diff,
    old: Side<'a>,
    /// The moves whose old place is right before an old block that stayed.
    before: HashMap<u32, Vec<usize>>,
}

impl<'a> Stubs<'a> {
    fn of(diff: &'a Diff, old: Side<'a>) -> Self {
        let mut stayed: Vec<u32> = diff.changes.iter().flat_map(settled).copied().collect();
        stayed.sort_unstable();
        let mut before: HashMap<u32, Vec<usize>> = HashMap::new();
        for (at, change) in diff.changes.iter().enumerate() {
            if !change.moved || change.place == Place::Outside {
                continue;
            }
            if let Some(&first) = change.old.first() {
                let next = stayed.partition_point(|&old| old <= first);
                let next = stayed.get(next).copied().unwrap_or(BEHIND_ALL);
                before.entry(next).or_default().push(at);
            }
        }
        Self { diff, old, before }
    }

    /// Writes those right before an old block, behind the unchanged paragraphs gathered so far.
    fn write(
        &self,
        block: u32,
        (same, new): (&mut Vec<u32>, Side<'_>),
        anchors: Anchors<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let Some(moves) = self.before.get(&block) else {
            return Ok(());
        };
        equal(same, new, anchors, out)?;
        for &moved in moves {
            if let Some(change) = self.diff.changes.get(moved) {
                stub(change, moved, self.old, anchors, out)?;
            }
        }
        Ok(())
    }
}

fn stub(
    change: &Change,
    at: usize,
    old: Side<'_>,
    anchors: Anchors<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let text: String = joined(&change.old, &old.document.blocks)
        .chars()
        .take(60)
        .collect();
    let prefix = anchors.prefix;
    writeln!(
        out,
        "<p class=\"stub\" id=\"{prefix}from{at}\">moved from here: <a dir=\"auto\" href=\"#{prefix}c{at}\">{}…</a></p>",
        escape(&text)
    )
}

/// The unchanged paragraphs gathered so far, as one line.
fn equal(same: &mut Vec<u32>, new: Side<'_>, anchors: Anchors<'_>, out: &mut impl Write) -> io::Result<()> {
    if same.is_empty() {
        return Ok(());
    }
    let count = counted(same.len() as u64, "paragraph");
    let same = std::mem::take(same);
    if !anchors.unchanged {
        return writeln!(out, "<p class=\"same\">{count} unchanged</p>");
    }
    writeln!(
        out,
        "<details class=\"same\"><summary>{count} unchanged</summary>"
    )?;
    for block in blocks(&same, &new.document.blocks) {
        writeln!(
            out,
            "<p class=\"{}\" dir=\"auto\">{}</p>",
            weight(block),
            escape(&shown(block))
        )?;
    }
    writeln!(out, "</details>")
}

fn row(
    (at, count): (usize, usize),
    change: &Change,
    old: Side<'_>,
    new: Side<'_>,
    anchors: Anchors<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let prefix = anchors.prefix;
    let (old_blocks, new_blocks) = (&old.document.blocks, &new.document.blocks);
    let first = blocks(&change.new, new_blocks)
        .next()
        .or_else(|| blocks(&change.old, old_blocks).next());
    let mut facts = vec![change.op.as_str().to_owned()];
    if change.op == Op::Move && !change.words.is_empty() {
        facts.push("edited".to_owned());
    }
    facts.push(change.place.as_str().to_owned());
    facts.push(change.class.as_str().to_owned());
    facts.extend(characters(change));
    // Only inside the article a stub stands where the block was.
    let back = if change.moved && change.place != Place::Outside {
        format!(" · <a href=\"#{prefix}from{at}\">where it was</a>")
    } else {
        String::new()
    };
    writeln!(
        out,
        "<section class=\"change {}\" id=\"{prefix}c{at}\" aria-label=\"{}\">\n<p class=\"facts\">\
         <a href=\"#{prefix}c{at}\">#{}</a> {}{back}</p>",
        change.op.as_str(),
        escape(&facts.join(", ")),
        count,
        escape(&facts.join(" · ")),
    )?;
    let weight = first.map_or("", weight);
    let (gone, come) = marks(change, old_blocks, new_blocks);
    writeln!(
        out,
        "<div class=\"one {weight}\" dir=\"auto\">{}</div>",
        inline(change, old_blocks, new_blocks, &gone, &come)
    )?;
    writeln!(
        out,
        "<div class=\"pair {weight}\">{}{}</div>",
        half(change, old_blocks, true, &gone),
        half(change, new_blocks, false, &come)
    )?;
    evidence(change, old, new, out)?;
    writeln!(out, "</section>")
}

/// Both sides in one text, deletions and insertions marked; below it what differs in kind, links, images and
/// emphasis.
fn inline(change: &Change, old: &[Block], new: &[Block], gone: &[String], come: &[String]) -> String {
    let mut lines = Vec::new();
    match change.op {
        Op::Delete => lines.push(format!("<del>{}</del>", escape(&joined(&change.old, old)))),
        Op::Insert => lines.push(format!("<ins>{}</ins>", escape(&joined(&change.new, new)))),
        _ if change.words.is_empty() => {
            let text = blocks(&change.new, new).any(|block| !block.text.is_empty());
            if text || gone.len() + come.len() == 0 {
                lines.push(escape(&joined(&change.new, new)));
            }
        }
        _ => {
            let words = change.words.iter().map(|word| match word.op {
                WordOp::Equal => escape(&word.text),
                WordOp::Delete => marked("del", &word.text),
                WordOp::Insert => marked("ins", &word.text),
            });
            lines.push(words.collect());
        }
    }
    lines.extend(gone.iter().map(|mark| format!("<del>{}</del>", escape(mark))));
    lines.extend(come.iter().map(|mark| format!("<ins>{}</ins>", escape(mark))));
    lines.join("<br>")
}

/// Words on one side only. Of characters that leave no trace the numbers are shown.
fn marked(tag: &str, text: &str) -> String {
    if text.chars().all(is_unseen) {
        let numbers: Vec<String> = text.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
        return format!("<{tag}>{}</{tag}>", numbers.join(" "));
    }
    format!("<{tag}>{}</{tag}>", escape(text))
}

/// One column.
fn half(change: &Change, all: &[Block], old_side: bool, own_marks: &[String]) -> String {
    let (indices, own, tag) = if old_side {
        (&change.old, WordOp::Delete, "del")
    } else {
        (&change.new, WordOp::Insert, "ins")
    };
    if indices.is_empty() {
        return "<div class=\"empty\"></div>".to_owned();
    }
    let whole = matches!(change.op, Op::Delete | Op::Insert);
    let text = if change.words.is_empty() {
        let text = escape(&joined(indices, all));
        if whole {
            format!("<{tag}>{text}</{tag}>")
        } else {
            text
        }
    } else {
        let side = change
            .words
            .iter()
            .filter(|word| word.op == WordOp::Equal || word.op == own);
        side.map(|word| {
            if word.op == own {
                marked(tag, &word.text)
            } else {
                escape(&word.text)
            }
        })
        .collect()
    };
    let mut lines = vec![text];
    lines.extend(
        own_marks
            .iter()
            .map(|mark| format!("<{tag}>{}</{tag}>", escape(mark))),
    );
    format!("<div dir=\"auto\">{}</div>", lines.join("<br>"))
}

/// Hashes and byte ranges of the blocks on both sides, folded.
fn evidence(change: &Change, old: Side<'_>, new: Side<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<details class=\"evidence\"><summary>hashes and byte ranges</summary><dl>"
    )?;
    for (word, indices, all) in [
        ("before", &change.old, &old.document.blocks),
        ("after", &change.new, &new.document.blocks),
    ] {
        for &index in indices {
            let Some(block) = all.get(index as usize) else {
                continue;
            };
            writeln!(
                out,
                "<dt>{word}</dt><dd>block {index}, {}, bytes {}–{}</dd><dt>text-v1</dt><dd>{}</dd>\
                 <dt>form-v1</dt><dd>{}</dd>",
                block.kind, block.range.start, block.range.end, block.text_hash, block.form_hash
            )?;
            if let Some(declared) = &block.declared {
                writeln!(out, "<dt>declared</dt><dd>{}</dd>", escape(declared))?;
            }
        }
    }
    writeln!(out, "</dl></details>")
}

fn blocks<'a>(indices: &'a [u32], all: &'a [Block]) -> impl Iterator<Item = &'a Block> {
    indices.iter().filter_map(|&index| all.get(index as usize))
}

fn joined(indices: &[u32], all: &[Block]) -> String {
    blocks(indices, all).map(shown).collect::<Vec<_>>().join("\n")
}

fn weight(block: &Block) -> &'static str {
    if block.kind.is_heading() { "h" } else { "" }
}
