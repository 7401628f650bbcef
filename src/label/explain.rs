//! Why a block got its label, for people who write site rules.

use std::fmt;

use super::SiteRule;
use super::body::{self, Because};
use super::outline::Outline;
use crate::block::Document;

/// Why one block got its label.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    /// Index in [`Document::blocks`].
    pub block: usize,
    /// The label.
    pub body: bool,
    /// What decided: `rule`, `ignored`, `declared`, `container`, `density`, `class`, `links`, `outside` ...
    pub by: &'static str,
    /// The selector, the element or the measure that decided.
    pub detail: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = if self.body { "body" } else { "outside" };
        write!(
            out,
            "block {}: {label}, by {}: {}",
            self.block, self.by, self.detail
        )
    }
}

/// The same decisions as [`label`](super::label), each with its reason, in the order of the blocks.
#[must_use]
pub fn explain(document: &Document, rule: &SiteRule) -> Vec<Reason> {
    let outline = Outline::new(document);
    body::decide(document, rule)
        .into_iter()
        .enumerate()
        .map(|(block, verdict)| Reason {
            block,
            body: verdict.body,
            by: verdict.because.word(),
            detail: detail(&outline, rule, &verdict.because),
        })
        .collect()
}

fn detail(outline: &Outline, rule: &SiteRule, because: &Because) -> String {
    let element = |node: u32| describe(outline, node);
    match *because {
        Because::Rule { selector, node } => {
            format!(
                "article \"{}\" of {}: {}",
                rule.article[selector],
                rule.host,
                element(node)
            )
        }
        Because::Ignored { selector, node } => {
            format!(
                "ignore \"{}\" of {}: {}",
                rule.ignore[selector],
                rule.host,
                element(node)
            )
        }
        Because::Unselected => format!("not in `article` of {}", rule.host),
        Because::Declared => "with a declared hash, or beside one".to_owned(),
        Because::Container(node) => format!("in {}", element(node)),
        Because::Density(node) => format!("most text is in {}", element(node)),
        Because::Outside => "not in the body's element".to_owned(),
        Because::Element(node, other) => format!("{}: in {}", other.describe(), element(node)),
        Because::Lead => "text between headline and body".to_owned(),
        Because::Phrase(phrase) => phrase.describe().to_owned(),
        Because::Links => "most of its text is links".to_owned(),
        Because::Heading => "no body follows this heading".to_owned(),
    }
}

/// Characters of a name that are shown: it is shown for every block in the element, and may be endless.
const SHOWN: usize = 60;

/// The start tag in short: `div#story.main`.
fn describe(outline: &Outline, node: u32) -> String {
    let node = &outline.nodes[node as usize];
    let mut short = if node.tag.is_empty() {
        "*".to_owned()
    } else {
        node.tag.to_owned()
    };
    if let Some(id) = node.attribute("id").filter(|id| !id.is_empty()) {
        short.push('#');
        push_name(&mut short, id);
    }
    for class in node
        .attribute("class")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .take(3)
    {
        short.push('.');
        push_name(&mut short, class);
    }
    for name in ["itemprop", "dmcf-sid", "role"] {
        if let Some(value) = node.attribute(name) {
            short.push('[');
            short.push_str(name);
            short.push('=');
            push_name(&mut short, value);
            short.push(']');
        }
    }
    short
}

fn push_name(short: &mut String, name: &str) {
    let mut characters = name.chars();
    short.extend(characters.by_ref().take(SHOWN));
    if characters.next().is_some() {
        short.push('…');
    }
}
