//! Findings about an archive, and what a repair did about them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::report::layout::{Accent, Look, bytes, counted, number, printable};
use crate::scrub::{Finding, RepairEvent, RepairSummary, ScrubSummary};

/// The JSON line of a finding.
#[must_use]
pub fn finding(finding: &Finding) -> Value {
    json!({
        "type": "finding",
        "code": finding.code.as_str(),
        "pack": finding.pack,
        "article": finding.article,
        "snapshot": finding.snapshot.as_ref().map(ToString::to_string),
        "lost": finding.lost,
        "message": finding.message,
    })
}

/// A finding in one line: code, what it touches, what it is.
pub fn finding_row(finding: &Finding, look: Look, out: &mut impl Write) -> io::Result<()> {
    let touched = finding
        .snapshot
        .as_ref()
        .map(ToString::to_string)
        .or_else(|| finding.article.clone())
        .map_or_else(String::new, |name| format!(" {name}:"));
    let lost = if finding.lost { " (lost)" } else { "" };
    writeln!(
        out,
        "{}{} {}{lost}",
        look.paint(Accent::Bad, finding.code.as_str()),
        printable(&touched),
        printable(&finding.message)
    )
}

/// The JSON summary of `scrub`.
#[must_use]
pub fn summary(summary: &ScrubSummary) -> Value {
    let findings: BTreeMap<&str, u64> = summary
        .findings
        .iter()
        .map(|(code, count)| (code.as_str(), *count))
        .collect();
    json!({
        "type": "summary",
        "packs": summary.packs,
        "packs_checked": summary.packs_checked,
        "bytes_checked": summary.bytes_checked,
        "pages_checked": summary.pages_checked,
        "raw_bytes": summary.raw_bytes,
        "snapshots_compared": summary.snapshots_compared,
        "findings": findings,
        "snapshots": summary.snapshots,
        "snapshots_lost": summary.snapshots_lost,
        "revisions_lost": summary.revisions_lost,
        "articles": summary.articles,
        "articles_hit": summary.articles_hit,
        "articles_lost": summary.articles_lost,
        "complete": summary.complete,
    })
}

/// What `scrub` says at its end, in articles and revisions.
pub fn told(summary: &ScrubSummary, look: Look, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "read {} of {} back: {} ({}), content hashes of {} computed anew",
        counted(summary.packs_checked, "pack"),
        number(summary.packs),
        counted(summary.pages_checked, "page"),
        bytes(summary.raw_bytes),
        counted(summary.snapshots_compared, "snapshot"),
    )?;
    if !summary.complete {
        writeln!(
            out,
            "the time was up; the next run goes on with the packs checked longest ago"
        )?;
    }
    if summary.is_clean() {
        return writeln!(out, "{}", look.paint(Accent::Good, "nothing is damaged"));
    }
    let codes: Vec<String> = summary
        .findings
        .iter()
        .map(|(code, count)| format!("{} {count}", code.as_str()))
        .collect();
    writeln!(out, "{} {}", look.paint(Accent::Bad, "found:"), codes.join(", "))?;
    writeln!(
        out,
        "lost: {} of {} ({} of them revisions); {} lost, {} in part, {} whole",
        number(summary.snapshots_lost),
        counted(summary.snapshots, "snapshot"),
        number(summary.revisions_lost),
        counted(summary.articles_lost, "article"),
        number(summary.articles_hit),
        number(
            summary
                .articles
                .saturating_sub(summary.articles_lost + summary.articles_hit)
        ),
    )?;
    writeln!(
        out,
        "docs/checks.md explains the codes; `pressmark repair` mends what can be mended"
    )
}

/// The JSON line of something a repair did.
#[must_use]
pub fn action(event: &RepairEvent) -> Value {
    match event {
        RepairEvent::Finding(found) => finding(found),
        RepairEvent::Recovered {
            snapshot,
            blocks,
            texts,
            path,
        } => json!({
            "type": "recovered",
            "snapshot": snapshot.to_string(),
            "blocks": blocks,
            "texts": texts,
            "path": path,
        }),
        RepairEvent::Mended {
            pack,
            new,
            pages,
            records_rebuilt,
            path,
        } => json!({
            "type": "mended",
            "pack": pack,
            "new": new,
            "pages": pages,
            "records_rebuilt": records_rebuilt,
            "kept": path,
        }),
        RepairEvent::PutAside { path, to } => json!({"type": "put_aside", "path": path, "to": to}),
        RepairEvent::CatalogRebuilt { snapshots } => {
            json!({"type": "catalog_rebuilt", "snapshots": snapshots})
        }
    }
}

/// The same in one line of text.
#[must_use]
pub fn action_line(event: &RepairEvent) -> String {
    printable(&told_action(event))
}

fn told_action(event: &RepairEvent) -> String {
    match event {
        RepairEvent::Finding(found) => format!("{} {}", found.code.as_str(), found.message),
        RepairEvent::Recovered {
            snapshot,
            blocks,
            texts,
            path,
        } => format!("recovered {texts} of {blocks} texts of {snapshot} from other pages: {path}"),
        RepairEvent::Mended {
            new: Some(new),
            pages,
            path,
            ..
        } => format!(
            "wrote {} of a damaged pack into {new}; the damaged file is kept as {path}",
            counted(*pages, "page")
        ),
        RepairEvent::Mended { path, .. } => {
            format!("nothing of a damaged pack can be read; it is kept as {path}")
        }
        RepairEvent::PutAside { path, to } => format!("{path} is no pack; it is kept as {to}"),
        RepairEvent::CatalogRebuilt { snapshots } => {
            format!(
                "made the catalog anew, with the blocks of {}",
                counted(*snapshots, "snapshot")
            )
        }
    }
}

/// The JSON summary of `repair`.
#[must_use]
pub fn repair_summary(done: &RepairSummary) -> Value {
    json!({
        "type": "summary",
        "mended": done.mended,
        "put_aside": done.put_aside,
        "recovered": done.recovered,
        "before": summary(&done.before),
        "after": summary(&done.after),
    })
}

/// What `repair` says at its end.
pub fn repaired(done: &RepairSummary, look: Look, out: &mut impl Write) -> io::Result<()> {
    if done.before.is_clean() {
        return writeln!(
            out,
            "{}",
            look.paint(Accent::Good, "nothing is damaged; nothing was changed")
        );
    }
    writeln!(
        out,
        "mended {}, put {} aside, recovered texts of {}",
        counted(done.mended, "pack"),
        counted(done.put_aside, "file"),
        counted(done.recovered, "lost snapshot")
    )?;
    told(&done.after, look, out)
}
