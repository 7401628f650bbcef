//! The decision: which blocks are the article's body.
//!
//! First a *home* is chosen: the elements that hold the body. Then blocks of the home are left out by
//! what they themselves say. Both lean on what elements are called rather than on measured shares, so
//! that an edit in one block does not change the label of another.

use super::SiteRule;
use super::home::{self, Home};
use super::known::{Nature, Other};
use super::lead;
use super::measure::Measure;
use super::outline::{NodeId, Outline};
use super::phrases::{Phrase, phrase};
use super::selector::Selector;
use crate::block::{Block, Document, Kind};

/// A label and what decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub body: bool,
    pub because: Because,
}

/// What decided a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// A site rule's `article` selects an element around the block.
    Rule { selector: usize, node: NodeId },
    /// A site rule's `ignore` selects an element around the block.
    Ignored { selector: usize, node: NodeId },
    /// A site rule's `article` selects other elements.
    Unselected,
    /// The block carries a declared hash.
    Declared,
    /// The block stands in an element that is called a body.
    Container(NodeId),
    /// The block stands in the element that holds most running text.
    Density(NodeId),
    /// The block stands elsewhere.
    Outside,
    /// The block stands in an element that is called something else.
    Element(NodeId, Other),
    /// The block stands between the headline and the home.
    Lead,
    /// The block's first words say that it is something else.
    Phrase(Phrase),
    /// The block is mostly links.
    Links,
    /// The block is a heading under which no body follows.
    Heading,
}

impl Because {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rule { .. } => "rule",
            Self::Ignored { .. } => "ignored",
            Self::Unselected | Self::Outside => "outside",
            Self::Declared => "declared",
            Self::Container(_) => "container",
            Self::Density(_) => "density",
            Self::Element(..) => "element",
            Self::Lead => "lead",
            Self::Phrase(_) => "phrase",
            Self::Links => "links",
            Self::Heading => "heading",
        }
    }
}

/// One verdict for each block.
pub fn decide(document: &Document, rule: &SiteRule) -> Vec<Verdict> {
    let outline = Outline::new(document);
    let mut verdicts = selected(document, rule, &outline).unwrap_or_else(|| guessed(document, &outline));
    for (selector, written) in rule.ignore.iter().enumerate() {
        let within = within(&outline, written);
        for (verdict, &node) in verdicts.iter_mut().zip(&outline.of_block) {
            if let Some(node) = within[node as usize] {
                *verdict = Verdict {
                    body: false,
                    because: Because::Ignored { selector, node },
                };
            }
        }
    }
    verdicts
}

/// By the first `article` selector of the rule that selects text.
fn selected(document: &Document, rule: &SiteRule, outline: &Outline) -> Option<Vec<Verdict>> {
    rule.article.iter().enumerate().find_map(|(selector, written)| {
        let within = within(outline, written);
        let mut blocks = document.blocks.iter().zip(&outline.of_block);
        if !blocks.any(|(block, &node)| within[node as usize].is_some() && !block.text.is_empty()) {
            return None;
        }
        let verdict = |&node: &NodeId| match within[node as usize] {
            Some(node) => Verdict {
                body: true,
                because: Because::Rule { selector, node },
            },
            None => Verdict {
                body: false,
                because: Because::Unselected,
            },
        };
        Some(outline.of_block.iter().map(verdict).collect())
    })
}

/// For every node the outermost selected element around it, or itself.
fn within(outline: &Outline, selector: &Selector) -> Vec<Option<NodeId>> {
    let selected = selector.select(outline);
    let mut within: Vec<Option<NodeId>> = Vec::with_capacity(selected.len());
    for (id, node) in outline.nodes.iter().enumerate() {
        let outer = node.parent.and_then(|parent| within[parent as usize]);
        within.push(outer.or(selected[id].then_some(id as NodeId)));
    }
    within
}

/// By what the page says.
fn guessed(document: &Document, outline: &Outline) -> Vec<Verdict> {
    let measures: Vec<Measure> = document.blocks.iter().map(Measure::of).collect();
    let Home {
        inside,
        other,
        natures,
    } = home::find(document, outline, &measures);
    let mut verdicts: Vec<Verdict> = document
        .blocks
        .iter()
        .zip(&outline.of_block)
        .zip(&measures)
        .map(|((block, &node), measure)| {
            let id = node as usize;
            if block.declared.is_some() {
                return Verdict {
                    body: true,
                    because: Because::Declared,
                };
            }
            let Some(home) = inside[id] else {
                return Verdict {
                    body: false,
                    because: Because::Outside,
                };
            };
            let because = own(block, measure, other[id], &natures).unwrap_or(home);
            Verdict {
                body: because == home,
                because,
            }
        })
        .collect();
    lead::add(document, &measures, &mut verdicts, |block| {
        let node = outline.of_block[block] as usize;
        other[node].and_then(|node| natures[node as usize].other)
    });
    drop_trailing_headings(&document.blocks, &mut verdicts);
    verdicts
}

/// Why a block of the home is no body, if it is none.
fn own(block: &Block, measure: &Measure, other: Option<NodeId>, natures: &[Nature]) -> Option<Because> {
    if let Some(node) = other
        && let Some(other) = natures[node as usize].other
    {
        return Some(Because::Element(node, other));
    }
    if let Some(phrase) = phrase(&block.text) {
        return Some(Because::Phrase(phrase));
    }
    let linked = if block.kind.is_heading() {
        measure.plain * 10 < measure.bytes
    } else {
        measure.linked()
    };
    (linked && measure.plain < 100).then_some(Because::Links)
}

/// A heading belongs to what follows: at the end of the body it announces something else.
fn drop_trailing_headings(blocks: &[Block], verdicts: &mut [Verdict]) {
    for (block, verdict) in blocks.iter().zip(verdicts).rev() {
        if !verdict.body || (block.text.is_empty() && block.kind != Kind::Figure) {
            continue;
        }
        if !block.kind.is_heading() || verdict.because == Because::Declared {
            break;
        }
        *verdict = Verdict {
            body: false,
            because: Because::Heading,
        };
    }
}
