//! The decision: which blocks are the article's body.

use super::SiteRule;
use super::known;
use super::outline::{NodeId, Outline};
use super::selector::Selector;
use crate::block::{Document, Mark};

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
    /// The block carries a declared hash.
    Declared,
    /// The block stands in a known container.
    Container(NodeId),
    /// The block stands in the container with most running text.
    Density(NodeId),
    /// The block does not stand in the container that holds the body.
    Outside(Option<NodeId>),
}

impl Because {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rule { .. } => "rule",
            Self::Ignored { .. } => "ignored",
            Self::Declared => "declared",
            Self::Container(_) => "container",
            Self::Density(_) => "density",
            Self::Outside(_) => "outside",
        }
    }
}

/// Characters of running text that a known container must hold.
const LEAST_TEXT: usize = 200;

/// One verdict for each block.
pub fn decide(document: &Document, rule: &SiteRule) -> Vec<Verdict> {
    let outline = Outline::new(document);
    let mut verdicts = chosen(document, rule, &outline);
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

fn chosen(document: &Document, rule: &SiteRule, outline: &Outline) -> Vec<Verdict> {
    for (selector, written) in rule.article.iter().enumerate() {
        let within = within(outline, written);
        let has_text = |(block, &node): (&crate::block::Block, &NodeId)| {
            within[node as usize].is_some() && !block.text.is_empty()
        };
        if document.blocks.iter().zip(&outline.of_block).any(has_text) {
            return outline
                .of_block
                .iter()
                .map(|&node| match within[node as usize] {
                    Some(node) => Verdict {
                        body: true,
                        because: Because::Rule { selector, node },
                    },
                    None => Verdict {
                        body: false,
                        because: Because::Outside(None),
                    },
                })
                .collect();
        }
    }
    let text = running_text(document);
    let known = (0..known::RANKS).find_map(|rank| known_container(outline, rank, &text));
    let (node, because) = match known {
        Some(node) => (Some(node), Because::Container(node)),
        None => match densest(outline, &text) {
            Some(node) => (Some(node), Because::Density(node)),
            None => (None, Because::Outside(None)),
        },
    };
    let mut inside: Vec<bool> = (0..outline.nodes.len())
        .map(|id| node == Some(id as NodeId))
        .collect();
    outline.inherit(&mut inside);
    document
        .blocks
        .iter()
        .zip(&outline.of_block)
        .map(|(block, &own)| {
            if block.declared.is_some() {
                Verdict {
                    body: true,
                    because: Because::Declared,
                }
            } else if inside[own as usize] {
                Verdict { body: true, because }
            } else {
                Verdict {
                    body: false,
                    because: Because::Outside(node),
                }
            }
        })
        .collect()
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

/// For every block the characters that stand in no link.
fn running_text(document: &Document) -> Vec<usize> {
    document
        .blocks
        .iter()
        .map(|block| {
            let linked: usize = block
                .marks
                .iter()
                .map(|mark| match mark {
                    Mark::Link { range, .. } => range.len(),
                    _ => 0,
                })
                .sum();
            block.text.chars().count().saturating_sub(linked)
        })
        .collect()
}

/// The element of this rank with most running text, if it is enough.
fn known_container(outline: &Outline, rank: u8, text: &[usize]) -> Option<NodeId> {
    let ranked: Vec<bool> = outline
        .nodes
        .iter()
        .map(|node| known::rank(node) == Some(rank))
        .collect();
    if !ranked.contains(&true) {
        return None;
    }
    let sums = sums(outline, text);
    let best = (0..outline.nodes.len())
        .filter(|&id| ranked[id])
        .max_by_key(|&id| (sums[id], std::cmp::Reverse(id)))?;
    (sums[best] >= LEAST_TEXT).then_some(best as NodeId)
}

/// For every node the running text inside it.
fn sums(outline: &Outline, text: &[usize]) -> Vec<usize> {
    let mut sums = vec![0; outline.nodes.len()];
    for (&node, &characters) in outline.of_block.iter().zip(text) {
        sums[node as usize] += characters;
    }
    for id in (0..outline.nodes.len()).rev() {
        if let Some(parent) = outline.nodes[id].parent {
            sums[parent as usize] += sums[id];
        }
    }
    sums
}

/// The element whose own paragraphs hold most text: a paragraph counts in full for the element
/// around it and by half for the next.
fn densest(outline: &Outline, text: &[usize]) -> Option<NodeId> {
    let mut scores = vec![0; outline.nodes.len()];
    for (&node, &characters) in outline.of_block.iter().zip(text) {
        if characters < 25 {
            continue;
        }
        for (step, (id, _)) in outline.path(node).skip(1).take(2).enumerate() {
            scores[id as usize] += characters >> step;
        }
    }
    let best = (0..scores.len()).max_by_key(|&id| (scores[id], std::cmp::Reverse(id)))?;
    (scores[best] > 0).then_some(best as NodeId)
}
