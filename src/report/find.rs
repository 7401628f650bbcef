//! Where paragraphs stand: what `find` prints.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::archive::Snapshot;
use crate::block::Block;
use crate::diff::{Word, WordOp};
use crate::report::diff::marked;
use crate::report::layout::{Accent, Look, counted, fit, printable};
use crate::search::{Hit, NearHit, PageHit};

/// A hit with the snapshots it refers to.
#[derive(Debug)]
pub struct Sighting<'a> {
    /// The oldest snapshot that shows the block.
    pub first: Option<Snapshot>,
    /// The newest.
    pub last: Option<Snapshot>,
    /// The hit.
    pub hit: &'a Hit,
}

fn snapshot(snapshot: Option<&Snapshot>) -> Value {
    snapshot.map_or(
        Value::Null,
        |snapshot| json!({"address": snapshot.address, "n": snapshot.n, "time": snapshot.moment}),
    )
}

fn name(snapshot: Option<&Snapshot>) -> String {
    snapshot.map_or_else(
        || "(gone)".to_owned(),
        |snapshot| {
            let day: String = snapshot
                .moment
                .map(|moment| moment.to_string().chars().take(10).collect())
                .unwrap_or_default();
            format!("{day} {}@{}", printable(&snapshot.address), snapshot.n)
        },
    )
}

/// The JSON line of a place.
#[must_use]
pub fn line(sighting: &Sighting<'_>) -> Value {
    let block = sighting.hit.block.as_ref();
    json!({
        "first": snapshot(sighting.first.as_ref()),
        "last": snapshot(sighting.last.as_ref()),
        "snapshots": sighting.hit.snapshots,
        "index": sighting.hit.first.index,
        "kind": block.map(|block| block.kind.as_str()),
        "range": block.map(|block| [block.range.start, block.range.end]),
        "hash": block.map(Block::key),
        "declared": block.and_then(|block| block.declared.as_deref()),
        "text": block.map(|block| block.text.as_str()),
        "confirmed": block.is_some(),
    })
}

/// A place in one row.
pub fn row(sighting: &Sighting<'_>, look: Look, out: &mut impl Write) -> io::Result<()> {
    let head = format!(
        "{}, block {}",
        name(sighting.first.as_ref()),
        sighting.hit.first.index
    );
    let extent = if sighting.hit.snapshots > 1 {
        format!(
            "  in {}, last {}",
            counted(sighting.hit.snapshots, "snapshot"),
            name(sighting.last.as_ref())
        )
    } else {
        String::new()
    };
    writeln!(
        out,
        "{}{}",
        look.paint(Accent::Strong, &head),
        look.paint(Accent::Faint, extent)
    )?;
    let text = sighting
        .hit
        .block
        .as_ref()
        .map_or("(the page cannot be restored)", |block| block.text.as_str());
    writeln!(out, "    {}", fit(text, look.width.saturating_sub(4)))
}

/// The JSON line of a page's paragraph.
#[must_use]
pub fn page_line(hit: &PageHit, text: &str, sighting: &Sighting<'_>) -> Value {
    json!({
        "index": hit.index,
        "text": text,
        "articles": hit.articles,
        "snapshots": hit.snapshots,
        "first": snapshot(sighting.first.as_ref()),
        "first_index": sighting.hit.first.index,
        "more": hit.more,
    })
}

/// A page's paragraph in one row.
pub fn page_row(
    hit: &PageHit,
    text: &str,
    sighting: &Sighting<'_>,
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    let place = format!(
        "{:>5} in {}, first {}",
        hit.index,
        counted(hit.articles, "article"),
        name(sighting.first.as_ref())
    );
    // A snapshot's name is for use, and so is never cut.
    writeln!(out, "{place}")?;
    writeln!(
        out,
        "      {}",
        look.paint(Accent::Faint, fit(text, look.width.saturating_sub(6)))
    )
}

/// The JSON line of a near paragraph.
#[must_use]
pub fn near_line(index: usize, hit: &NearHit, words: &[Word], sightings: &[Sighting<'_>]) -> Value {
    let first = sightings.first();
    json!({
        "index": index,
        "similarity": (hit.similarity * 1000.0).round() / 1000.0,
        "text": hit.text,
        "words": words,
        "first": snapshot(first.and_then(|sighting| sighting.first.as_ref())),
        "articles": sightings.len(),
        "more": hit.more,
    })
}

/// A near paragraph: how near, where first, and the difference.
pub fn near_row(
    index: usize,
    hit: &NearHit,
    words: &[Word],
    sightings: &[Sighting<'_>],
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    let first = sightings.first().and_then(|sighting| sighting.first.as_ref());
    let head = format!("{index:>5} {:.0}% like {}", hit.similarity * 100.0, name(first));
    let others = sightings.len().saturating_sub(1);
    let rest = if hit.more {
        format!(" and at least {others} more, some of them perhaps before")
    } else if others > 0 {
        format!(" and {others} more")
    } else {
        String::new()
    };
    writeln!(out, "{}{rest}", look.paint(Accent::Strong, head))?;
    let spans: Vec<crate::report::flow::Span> = words
        .iter()
        .map(|word| match word.op {
            WordOp::Equal => crate::report::flow::Span::plain(word.text.as_str()),
            op => marked(op, &word.text, look),
        })
        .collect();
    for line in crate::report::flow::wrap(&spans, look.width.saturating_sub(6), look) {
        writeln!(out, "      {}", line.text)?;
    }
    Ok(())
}
