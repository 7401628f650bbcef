//! Verdicts on declared hashes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::archive::Snapshot;
use crate::block::Document;
use crate::catalog::ledger::Testimony;
use crate::check::{CheckReport, Compared, SiteSummary, Summary, Testified, Testimonies, Verdict};
use crate::recipe::Recipe;
use crate::report::blocks::BlockLine;
use crate::report::flow::{Span, wrap};
use crate::report::layout::{Accent, Look, cell, columns, counted, fit, number};

/// Said of a removed, repeated or moved block where no archive was asked.
const NOT_COVERED: &str = "not covered";

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
    /// What other snapshots say; `None` without an archive.
    pub testimonies: Option<&'a Testimonies>,
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

impl Shown<'_> {
    fn testified(&self, block: usize) -> Option<&Testified> {
        self.testimonies
            .and_then(|all| all.blocks.get(block))
            .and_then(Option::as_ref)
    }
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
        let testified = shown.testified(check.block);
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
    testified.snapshots.iter().map(name).collect()
}

fn name(snapshot: &Snapshot) -> Value {
    json!({"address": snapshot.address, "n": snapshot.n, "time": snapshot.moment})
}

/// What became of the declared hashes of several pages, for the summary.
#[derive(Debug, Default)]
pub struct Structures {
    archive: bool,
    compared: u64,
    changed: Vec<Value>,
}

impl Structures {
    /// Nothing counted yet; `archive` tells whether one is asked.
    #[must_use]
    pub fn new(archive: bool) -> Self {
        Self {
            archive,
            ..Self::default()
        }
    }

    /// Counts one page, which may have had no snapshot to be held against.
    pub fn count(&mut self, page: &str, compared: Option<&Compared>) {
        let Some(compared) = compared else { return };
        self.compared += 1;
        if compared.structure.is_same() {
            return;
        }
        let missing: Vec<Value> = (compared.structure.missing.iter().zip(&compared.missing))
            .map(|(index, block)| json!({"index": index, "declared": block.declared, "text": block.text}))
            .collect();
        self.changed.push(json!({
            "page": page,
            "against": name(&compared.against),
            "missing": missing,
            "repeated": compared.structure.repeated,
            "moved": compared.structure.moved,
        }));
    }

    /// `"not covered"`, or how many pages were compared, and those that differ with what is missing
    /// (index and text in the other snapshot), repeated and moved (indices on the page).
    #[must_use]
    pub fn json(&self) -> Value {
        if self.archive {
            json!({"compared": self.compared, "changed": self.changed})
        } else {
            json!(NOT_COVERED)
        }
    }
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

/// The JSON line of one site of an archive; `None` is that of pages without a host.
#[must_use]
pub fn site_object(site: Option<&str>, summary: &SiteSummary, recipes: &[Recipe]) -> Value {
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
        "pairs": summary.ledger.pairs,
        "conflicts": summary.ledger.conflicts,
        "equal_texts_equal_hashes": summary.ledger.salt.equal,
        "equal_texts_different_hashes": summary.ledger.salt.different,
    })
}

/// The same as text: a heading, then one fact a line.
pub fn site(
    site: Option<&str>,
    summary: &SiteSummary,
    recipes: &[Recipe],
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    let heading = format!(
        "{}  {}, {}",
        site.unwrap_or("(no host)"),
        counted(summary.pages as u64, "page"),
        counted(summary.summary.blocks as u64, "block")
    );
    writeln!(out, "{}", look.paint(Accent::Strong, fit(&heading, look.width)))?;
    let mut facts = vec![counts(&summary.summary)];
    let declared = summary.summary.declared();
    if declared > 0 {
        facts.push(match summary.fitting(recipes) {
            Some((recipe, count)) => format!(
                "recipe {} reproduces {} of {} declared hashes",
                recipe.label(),
                number(count as u64),
                number(declared as u64)
            ),
            None => "no known recipe reproduces any of its hashes".to_owned(),
        });
        let day = |moment: Option<crate::page::Moment>| {
            moment.map_or_else(
                || "unknown".to_owned(),
                |moment| moment.to_string().chars().take(10).collect(),
            )
        };
        facts.push(format!(
            "declared hashes first seen {}, last seen {}",
            day(summary.first),
            day(summary.last)
        ));
    }
    let ledger = &summary.ledger;
    if ledger.conflicts > 0 {
        facts.push(format!(
            "conflicts: {} over different contents; `check ADDRESS` tells which",
            if ledger.conflicts == 1 {
                "1 declared hash stands".to_owned()
            } else {
                format!("{} declared hashes stand", number(ledger.conflicts))
            }
        ));
    }
    if ledger.salt.equal + ledger.salt.different > 0 {
        facts.push(format!(
            "equal texts in different articles: {} with equal hashes, {} with different ones{}",
            number(ledger.salt.equal),
            number(ledger.salt.different),
            if ledger.salt.equal > 0 {
                ", so no salt by article goes into those"
            } else {
                ", so something of the article goes into them"
            }
        ));
    }
    for fact in facts {
        for line in wrap(&[Span::plain(fact)], look.width.saturating_sub(2), look) {
            writeln!(out, "  {}", line.text)?;
        }
    }
    Ok(())
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
        let witness = shown.testified(check.block).map(|testified| {
            let accent = match testified.testimony {
                Testimony::Conflict => Accent::Bad,
                Testimony::Rehashed => Accent::Notice,
                Testimony::First | Testimony::Consistent => Accent::Faint,
            };
            Span::new(accent, told(testified))
        });
        let room = look.width.saturating_sub(columns(&head)).max(8);
        let painted = head.replacen(
            check.verdict.as_str(),
            &look.paint(accent, check.verdict.as_str()),
            1,
        );
        writeln!(out, "{painted}{}", fit(&block.text, room).trim_end())?;
        if let Some(witness) = witness {
            for line in wrap(&[witness], look.width.saturating_sub(6), look) {
                writeln!(out, "      {}", line.text)?;
            }
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
    for note in closing(shown) {
        for line in wrap(&[note], look.width, look) {
            writeln!(out, "{}", line.text)?;
        }
    }
    Ok(())
}

/// What verdicts on single blocks cannot show, or what the archive shows of it.
fn closing(shown: &Shown<'_>) -> Vec<Span> {
    let mut notes = Vec::new();
    if shown.report.summary.declared() == 0 {
        notes.push(Span::new(Accent::Faint, "this page declares no content hashes"));
        // What was declared before and is gone now is told all the same.
        if shown
            .testimonies
            .is_none_or(|all| all.structure.as_ref().is_none_or(|one| one.structure.is_same()))
        {
            return notes;
        }
    } else if shown.report.fits.is_empty() {
        notes.push(Span::new(
            Accent::Faint,
            "no known recipe reproduces any of them; `pressmark recipe find` searches further",
        ));
    }
    notes.push(match shown.testimonies {
        None => Span::new(
            Accent::Faint,
            format!(
                "{NOT_COVERED}: whether a block was removed, repeated or moved; an archive (-A) can tell"
            ),
        ),
        Some(Testimonies { structure: None, .. }) => Span::new(
            Accent::Faint,
            format!(
                "{NOT_COVERED}: whether a block was removed, repeated or moved; the archive has no snapshot before"
            ),
        ),
        Some(Testimonies {
            structure: Some(compared),
            ..
        }) => against(compared),
    });
    notes
}

fn against(compared: &Compared) -> Span {
    let name = format!("{}@{}", compared.against.address, compared.against.n);
    let structure = &compared.structure;
    if structure.is_same() {
        return Span::new(
            Accent::Faint,
            format!("against {name}: no declared hash missing, repeated or moved"),
        );
    }
    let list = |blocks: &[usize]| -> String {
        let numbers: Vec<String> = blocks.iter().map(ToString::to_string).collect();
        format!("block {}", numbers.join(", "))
    };
    let mut facts = Vec::new();
    if !structure.missing.is_empty() {
        facts.push(format!("missing {} of it", list(&structure.missing)));
    }
    if !structure.repeated.is_empty() {
        facts.push(format!("repeated as {}", list(&structure.repeated)));
    }
    if !structure.moved.is_empty() {
        facts.push(format!("moved to {}", list(&structure.moved)));
    }
    Span::new(Accent::Notice, format!("against {name}: {}", facts.join("; ")))
}
