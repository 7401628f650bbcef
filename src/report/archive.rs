//! What an archive holds: the results of `add`, `list` and `stats`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::archive::{ArticleSummary, Grown, Stats};
use crate::ingest::Summary;
use crate::report::layout::{Accent, Look, bytes, cell, columns, counted, fit, number, printable};

/// The JSON summary of `add`.
#[must_use]
pub fn add_summary(summary: &Summary, seconds: f64) -> Value {
    json!({
        "type": "summary",
        "pages": summary.pages,
        "new": summary.new,
        "known": summary.known,
        "skipped": summary.skipped,
        "left_out": summary.left_out,
        "raw_bytes": summary.raw_bytes,
        "stored_bytes": summary.stored_bytes,
        "seconds": (seconds * 1000.0).round() / 1000.0,
        "packs": summary.packs,
        "blocks": summary.blocks,
        "body_blocks": summary.body_blocks,
        "declared": summary.declared.blocks,
        "reproduced": summary.declared.reproduced,
        "skipped_by_reason": summary.skipped_by_reason,
        "left_out_by_reason": summary.left_out_by_reason,
        "noted": summary.noted,
        "noted_by_reason": summary.noted_by_reason,
    })
}

/// The JSON summary of `add --dry-run`.
#[must_use]
pub fn survey_summary(summary: &Summary, seconds: f64) -> Value {
    let mut line = add_summary(summary, seconds);
    if let Value::Object(line) = &mut line {
        line.insert("dry_run".to_owned(), Value::Bool(true));
        for unknown in [
            "stored_bytes",
            "packs",
            "blocks",
            "body_blocks",
            "declared",
            "reproduced",
        ] {
            line.remove(unknown);
        }
    }
    line
}

/// What `add` says at its end.
pub fn added(
    summary: &Summary,
    grown: &Grown,
    seconds: f64,
    next_steps: &[String],
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    let Summary { declared, .. } = summary;
    let mut rows = vec![
        (
            "pages",
            format!(
                "{}: {} new, {} known",
                number(summary.pages),
                number(summary.new),
                number(summary.known)
            ),
        ),
        (
            "blocks",
            format!(
                "{}, {} of them in an article's body",
                number(summary.blocks),
                number(summary.body_blocks)
            ),
        ),
    ];
    if declared.blocks > 0 {
        rows.push((
            "declared",
            format!(
                "{}: {} reproduced by text-v1 or form-v1, {} not (`pressmark check` tells which)",
                counted(declared.blocks, "hash").replace("hashs", "hashes"),
                number(declared.reproduced),
                number(declared.blocks - declared.reproduced)
            ),
        ));
    }
    rows.push((
        "articles",
        format!(
            "{} in the archive, {} new; {} new",
            number(grown.articles),
            number(grown.new_articles),
            counted(grown.new_revisions, "revision"),
        ),
    ));
    let ratio = if summary.stored_bytes > 0 && summary.new > 0 {
        format!(
            " (1/{:.1})",
            summary.raw_bytes as f64 / summary.stored_bytes as f64
        )
    } else {
        String::new()
    };
    rows.push((
        "bytes",
        format!(
            "{} read, {} stored{ratio}; {}",
            bytes(summary.raw_bytes),
            bytes(summary.stored_bytes),
            pace(summary, seconds),
        ),
    ));
    rows.extend(by_reason(summary));
    write_rows(&rows, look, out)?;
    if !next_steps.is_empty() {
        writeln!(out, "next:")?;
        for step in next_steps {
            writeln!(out, "  {}", printable(step))?;
        }
    }
    Ok(())
}

/// What `add --dry-run` says at its end.
pub fn surveyed(summary: &Summary, seconds: f64, look: Look, out: &mut impl Write) -> io::Result<()> {
    let mut rows = vec![
        ("dry run", "nothing was written".to_owned()),
        (
            "pages",
            format!(
                "{}: {} would be new, {} known",
                number(summary.pages),
                number(summary.new),
                number(summary.known)
            ),
        ),
        (
            "bytes",
            format!("{} read; {}", bytes(summary.raw_bytes), pace(summary, seconds)),
        ),
    ];
    rows.extend(by_reason(summary));
    write_rows(&rows, look, out)
}

/// Seconds, and bytes of pages a second.
fn pace(summary: &Summary, seconds: f64) -> String {
    let rate = if seconds > 0.0 {
        summary.raw_bytes as f64 / seconds / 1e6
    } else {
        0.0
    };
    format!("{seconds:.2} s, {rate:.0} MB/s")
}

/// Rows about what was not stored as it stands, the reasons counted.
fn by_reason(summary: &Summary) -> impl Iterator<Item = (&'static str, String)> {
    [
        ("skipped", &summary.skipped_by_reason, summary.skipped),
        ("left out", &summary.left_out_by_reason, summary.left_out),
        ("noted", &summary.noted_by_reason, summary.noted),
    ]
    .into_iter()
    .filter(|(_, _, total)| *total > 0)
    .map(|(title, reasons, total)| {
        let by: Vec<String> = reasons
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        (title, format!("{}: {}", number(total), by.join(", ")))
    })
}

fn write_rows(rows: &[(&str, String)], look: Look, out: &mut impl Write) -> io::Result<()> {
    for (title, text) in rows {
        writeln!(out, "{} {text}", look.paint(Accent::Strong, cell(title, 9)))?;
    }
    Ok(())
}

/// One article in JSON.
#[derive(Debug, Serialize)]
pub struct ListLine<'a> {
    address: &'a str,
    snapshots: u64,
    revisions: u64,
    first: Option<crate::page::Moment>,
    last: Option<crate::page::Moment>,
    raw_bytes: u64,
}

/// The JSON line of an article.
#[must_use]
pub fn list_line(article: &ArticleSummary) -> ListLine<'_> {
    ListLine {
        address: &article.address,
        snapshots: article.snapshots,
        revisions: article.revisions,
        first: article.first,
        last: article.last,
        raw_bytes: article.raw_bytes,
    }
}

/// One line an article: snapshots, revisions, first and last day, address.
pub fn listed(articles: &[ArticleSummary], look: Look, out: &mut impl Write) -> io::Result<()> {
    let head = format!(
        "{:>9} {:>9}  {}  {}  address",
        "snapshots",
        "revisions",
        cell("first", 10),
        cell("last", 10)
    );
    writeln!(out, "{}", look.paint(Accent::Faint, fit(&head, look.width)))?;
    for article in articles {
        let day = |moment: Option<crate::page::Moment>| {
            moment.map_or_else(
                || "-".to_owned(),
                |moment| moment.to_string().chars().take(10).collect(),
            )
        };
        let start = format!(
            "{:>9} {:>9}  {}  {}  ",
            number(article.snapshots),
            number(article.revisions),
            cell(&day(article.first), 10),
            cell(&day(article.last), 10)
        );
        let room = look.width.saturating_sub(columns(&start)).max(20);
        writeln!(out, "{start}{}", fit(&article.address, room))?;
    }
    Ok(())
}

/// The JSON object of `stats`.
#[must_use]
pub fn stats_object(stats: &Stats) -> Value {
    json!({
        "articles": stats.articles,
        "snapshots": stats.snapshots,
        "revisions": stats.revisions,
        "raw_bytes": stats.raw_bytes,
        "stored_bytes": stats.stored_bytes,
        "ratio": (stats.ratio() * 100.0).round() / 100.0,
        "packs": stats.packs,
        "catalog_bytes": stats.catalog_bytes,
        "tombstones": stats.tombstones,
    })
}

/// What `stats` prints.
pub fn counted_up(stats: &Stats, look: Look, out: &mut impl Write) -> io::Result<()> {
    let rows = [
        ("articles", number(stats.articles)),
        ("snapshots", number(stats.snapshots)),
        ("revisions", number(stats.revisions)),
        ("raw", bytes(stats.raw_bytes)),
        (
            "stored",
            format!(
                "{} in {} (1/{:.1})",
                bytes(stats.stored_bytes),
                counted(stats.packs, "pack"),
                stats.ratio()
            ),
        ),
        ("catalog", bytes(stats.catalog_bytes)),
        ("tombstones", number(stats.tombstones)),
    ];
    for (title, text) in rows {
        writeln!(out, "{} {text}", look.paint(Accent::Strong, cell(title, 11)))?;
    }
    Ok(())
}

/// The JSON object of `compact`.
#[must_use]
pub fn compact_object(summary: &crate::compact::Summary, seconds: f64) -> Value {
    json!({
        "type": "summary",
        "packs_before": summary.packs_before,
        "bytes_before": summary.bytes_before,
        "packs_after": summary.packs_after,
        "bytes_after": summary.bytes_after,
        "pages": summary.pages,
        "lost": summary.lost,
        "stopped": summary.stopped,
        "seconds": (seconds * 1000.0).round() / 1000.0,
    })
}

/// What `compact` says.
#[must_use]
pub fn compacted(summary: &crate::compact::Summary, seconds: f64) -> String {
    if summary.packs_before == 0 {
        return "nothing to do: every pack is compact already (--all writes them anew all the same)"
            .to_owned();
    }
    let lost = match summary.lost {
        0 => String::new(),
        lost => format!(
            "; {} that cannot be read stayed as they are (`scrub` tells which)",
            counted(lost, "page")
        ),
    };
    format!(
        "{} of {} became {} of {} ({}) in {seconds:.1} s{lost}",
        counted(summary.packs_before, "pack"),
        bytes(summary.bytes_before),
        counted(summary.packs_after, "pack"),
        bytes(summary.bytes_after),
        counted(summary.pages, "page"),
    )
}
