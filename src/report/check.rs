//! Verdicts on declared hashes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::block::Document;
use crate::catalog::ledger::{SiteLedger, Testimony};
use crate::check::{CheckReport, SiteSummary, Summary, Testified, Verdict};
use crate::recipe::Recipe;
use crate::report::blocks::BlockLine;
use crate::report::layout::{Accent, Look, cell, columns, counted, fit};

/// The verdicts of one page and what is needed to print them.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The page's name.
    pub page: &'a str,
    /// Its blocks.
    pub document: &'a Document,
    /// The recipes the report's numbers refer to.
    pub recipes: &'a [Recipe],
    /// The verdicts.
    pub report: &'a CheckReport,
    /// What other snapshots say, block by block; empty without an archive.
    pub witnesses: &'a [Option<Testified>],
    /// Whether blocks without a declared hash are printed as well.
    pub all: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    block: BlockLine<'a>,
    verdict: &'static str,
    /// What the archive's other snapshots say; null without an archive.
    witness: Option<&'static str>,
    /// Those that say it, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    witness_snapshots: Vec<Value>,
}

/// JSON Lines, one object a block.
pub fn json(shown: &Shown<'_>, out: &mut impl Write) -> io::Result<()> {
    for check in &shown.report.blocks {
        if check.verdict == Verdict::Undeclared && !shown.all {
            continue;
        }
        let Some(block) = shown.document.blocks.get(check.block) else {
            continue;
        };
        let hash = check.hash.as_ref().map(ToString::to_string).unwrap_or_default();
        let recipe = check
            .recipe
            .and_then(|index| shown.recipes.get(index))
            .or(shown.recipes.first());
        let recipe = recipe.map(Recipe::label).unwrap_or_default();
        let testified = shown.witnesses.get(check.block).and_then(Option::as_ref);
        let line = Line {
            block: BlockLine::new(shown.page, check.block, block, &hash, &recipe),
            verdict: check.verdict.as_str(),
            witness: testified.map(|testified| testified.testimony.as_str()),
            witness_snapshots: testified.map(names).unwrap_or_default(),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn names(testified: &Testified) -> Vec<Value> {
    testified
        .snapshots
        .iter()
        .map(|snapshot| json!({"address": snapshot.address, "n": snapshot.n, "time": snapshot.moment}))
        .collect()
}

/// The summary object over all pages.
#[must_use]
pub fn summary(total: &Summary, pages: usize) -> Value {
    json!({
        "type": "summary",
        "pages": pages,
        "blocks": total.blocks,
        "reproduced": total.reproduced,
        "altered": total.altered,
        "unproven": total.unproven,
        "undeclared": total.undeclared,
        "malformed": total.malformed,
    })
}

/// One line over all pages.
#[must_use]
pub fn summary_line(total: &Summary, pages: usize) -> String {
    format!("{}: {}", counted(pages as u64, "page"), counts(total))
}

/// `conflict with https://...@1 (2026-05-06)`; nothing where there is nothing to tell.
fn told(testified: &Testified) -> String {
    let names: Vec<String> = testified
        .snapshots
        .iter()
        .map(|snapshot| format!("{}@{}", snapshot.address, snapshot.n))
        .collect();
    let more = testified.total.saturating_sub(names.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    match testified.testimony {
        Testimony::First => "first seen here".to_owned(),
        other => format!("{} with {}{more}", other.as_str(), names.join(", ")),
    }
}

/// The JSON line of one site of an archive.
#[must_use]
pub fn site_object(site: &str, summary: &SiteSummary, recipes: &[Recipe], ledger: &SiteLedger) -> Value {
    let fitting = summary.fitting(recipes);
    json!({
        "type": "site",
        "site": site,
        "pages": summary.pages,
        "blocks": summary.summary.blocks,
        "reproduced": summary.summary.reproduced,
        "altered": summary.summary.altered,
        "unproven": summary.summary.unproven,
        "undeclared": summary.summary.undeclared,
        "malformed": summary.summary.malformed,
        "recipe": fitting.map(|(recipe, _)| recipe.label()),
        "recipe_reproduces": fitting.map(|(_, count)| count),
        "first": summary.first,
        "last": summary.last,
        "equal_texts_equal_hashes": ledger.salt.equal,
        "equal_texts_different_hashes": ledger.salt.different,
    })
}

/// The same in one line of text.
#[must_use]
pub fn site_line(site: &str, summary: &SiteSummary, recipes: &[Recipe], ledger: &SiteLedger) -> String {
    let site = if site.is_empty() { "(no host)" } else { site };
    let mut facts = vec![
        format!("{site}: {}", counted(summary.pages as u64, "page")),
        counts(&summary.summary),
    ];
    if let Some((recipe, count)) = summary.fitting(recipes) {
        facts.push(format!("{} reproduces {count}", recipe.label()));
    }
    let salt = &ledger.salt;
    if salt.equal + salt.different > 0 {
        facts.push(format!(
            "equal texts in different articles: {} with equal hashes, {} with different ones",
            salt.equal, salt.different
        ));
    }
    facts.join("; ")
}

fn counts(summary: &Summary) -> String {
    let counts: Vec<String> = Verdict::ALL
        .iter()
        .filter(|&&verdict| summary.of(verdict) > 0)
        .map(|&verdict| format!("{} {verdict}", summary.of(verdict)))
        .collect();
    if counts.is_empty() {
        "no blocks".to_owned()
    } else {
        counts.join(", ")
    }
}

/// A heading, one line a block, what fits and what a check of this kind cannot see.
pub fn terminal(shown: &Shown<'_>, look: Look, out: &mut impl Write) -> io::Result<()> {
    let summary = &shown.report.summary;
    writeln!(out, "{}", look.paint(Accent::Strong, fit(shown.page, look.width)))?;
    for check in &shown.report.blocks {
        if check.verdict == Verdict::Undeclared && !shown.all {
            continue;
        }
        let Some(block) = shown.document.blocks.get(check.block) else {
            continue;
        };
        let accent = match check.verdict {
            Verdict::Reproduced => Accent::Good,
            Verdict::Altered | Verdict::Malformed => Accent::Bad,
            Verdict::Unproven => Accent::Notice,
            Verdict::Undeclared => Accent::Faint,
        };
        let declared: String = block
            .declared
            .as_deref()
            .unwrap_or("-")
            .chars()
            .take(12)
            .collect();
        let head = format!(
            "{:>5} {} {} {}  ",
            check.block,
            cell(block.kind.as_str(), 10),
            cell(check.verdict.as_str(), 10),
            cell(&declared, 12)
        );
        let witness = shown
            .witnesses
            .get(check.block)
            .and_then(Option::as_ref)
            .map(told)
            .unwrap_or_default();
        let room = look.width.saturating_sub(columns(&head)).max(8);
        let painted = head.replacen(
            check.verdict.as_str(),
            &look.paint(accent, check.verdict.as_str()),
            1,
        );
        writeln!(out, "{painted}{}", fit(&block.text, room).trim_end())?;
        if !witness.is_empty() {
            writeln!(
                out,
                "      {}",
                look.paint(Accent::Faint, fit(&witness, look.width.saturating_sub(6)))
            )?;
        }
    }
    writeln!(out, "{}", counts(summary))?;
    for fit in &shown.report.fits {
        let label = shown
            .recipes
            .get(fit.recipe)
            .map(Recipe::label)
            .unwrap_or_default();
        let declared = fit.reproduced.len() + fit.missed.len();
        writeln!(
            out,
            "recipe {label} reproduces {} of {declared} declared hashes",
            fit.reproduced.len()
        )?;
    }
    let note = if summary.declared() == 0 {
        "this page declares no content hashes"
    } else if shown.report.fits.is_empty() {
        "no known recipe reproduces any of them; `pressmark recipe find` searches further"
    } else {
        "hashes of single blocks cannot show that a block was removed, repeated or reordered; an archive can"
    };
    writeln!(
        out,
        "{}",
        look.paint(Accent::Faint, fit(note, look.width.max(40)))
    )
}
