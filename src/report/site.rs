//! What a site rule makes of a page.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::block::Document;
use crate::label::{Fact, LABELLER, Reason, SiteRule};
use crate::report::layout::{Accent, Look, cell, columns, counted, fit};

/// A page under a rule.
#[derive(Debug, Clone, Copy)]
pub struct Tested<'a> {
    /// The page's name.
    pub page: &'a str,
    /// The rule.
    pub rule: &'a SiteRule,
    /// The page's blocks.
    pub document: &'a Document,
    /// Title, byline and time, and what told them.
    pub facts: &'a [Fact],
    /// Why each block got its label, in the order of the blocks.
    pub reasons: &'a [Reason],
}

impl Tested<'_> {
    fn body(&self) -> usize {
        self.reasons.iter().filter(|reason| reason.body).count()
    }
}

/// The line behind those of the reasons.
#[must_use]
pub fn summary(tested: &Tested<'_>) -> Value {
    let mut summary = json!({
        "type": "summary",
        "page": tested.page,
        "rule": tested.rule.host,
        "labeller": LABELLER,
        "blocks": tested.reasons.len(),
        "body": tested.body(),
    });
    for fact in tested.facts {
        summary[fact.key] = json!({"text": fact.text, "by": fact.by});
    }
    summary
}

/// The facts, then a line a block with its label and the reason.
pub fn terminal(tested: &Tested<'_>, look: Look, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{}",
        look.paint(Accent::Strong, fit(tested.page, look.width))
    )?;
    writeln!(out, "rule      host {}, {LABELLER}", tested.rule.host)?;
    for fact in tested.facts {
        let line = match &fact.text {
            Some(text) => format!("{:<9} {}: {text}", fact.key, fact.by),
            None => format!("{:<9} none", fact.key),
        };
        writeln!(out, "{}", fit(&line, look.width))?;
    }
    let why = |reason: &Reason| format!("{}: {}", reason.by, reason.detail);
    let longest = tested.reasons.iter().map(|reason| columns(&why(reason))).max();
    let width = longest
        .unwrap_or_default()
        .min(look.width.saturating_sub(20) * 3 / 5);
    for (reason, block) in tested.reasons.iter().zip(&tested.document.blocks) {
        let head = format!(
            "{:>5} {} {} {} ",
            reason.block,
            cell(block.kind.as_str(), 10),
            if reason.body { '*' } else { ' ' },
            cell(&why(reason), width)
        );
        let room = look.width.saturating_sub(columns(&head)).max(8);
        let text = fit(&block.text, room);
        let text = if reason.body {
            text
        } else {
            look.paint(Accent::Faint, text)
        };
        writeln!(out, "{}", format!("{head}{text}").trim_end())?;
    }
    writeln!(
        out,
        "{} of {} are the body (*)",
        tested.body(),
        counted(tested.reasons.len() as u64, "block")
    )
}
