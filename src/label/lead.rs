//! The lead: running text under the headline that stands beside the home of the body.

use super::body::{Because, Verdict};
use super::known::Other;
use super::measure::Measure;
use super::phrases::phrase;
use crate::block::{Block, Document, Kind};

/// Blocks between headline and body that are looked at.
const MAX_BLOCKS: usize = 40;
/// Shortest heading, in bytes, that is held against the page's title.
const LEAST_HEADLINE: usize = 12;

/// Labels the lead as body. Many pages put it beside the element that holds the other paragraphs, or
/// call it a teaser. `other` tells of a block what the elements around it hold that is no body.
pub fn add(
    document: &Document,
    measures: &[Measure],
    verdicts: &mut [Verdict],
    other: impl Fn(usize) -> Option<Other>,
) {
    let blocks = &document.blocks;
    let runs = |at: usize| verdicts[at].body && measures[at].prose > 0;
    let Some(first) = (0..blocks.len()).find(|&at| runs(at)) else {
        return;
    };
    let from = first.saturating_sub(MAX_BLOCKS);
    let Some(headline) = blocks[from..first]
        .iter()
        .rposition(|block| is_headline(document, block))
    else {
        return;
    };
    for at in from + headline + 1..first {
        let measure = measures[at];
        let placed = match other(at) {
            None => true,
            // A teaser for another page is a link.
            Some(Other::Teaser) => measure.plain == measure.bytes,
            Some(_) => false,
        };
        if placed && blocks[at].kind == Kind::P && measure.prose > 0 && phrase(&blocks[at].text).is_none() {
            verdicts[at] = Verdict {
                body: true,
                because: Because::Lead,
            };
        }
    }
}

/// An `h1`, or another heading that the page's title repeats.
fn is_headline(document: &Document, block: &Block) -> bool {
    let text = &*block.text;
    let repeated = || {
        document.headline.as_deref() == Some(text)
            || document
                .title
                .as_deref()
                .is_some_and(|title| title.contains(text))
    };
    block.kind == Kind::H1 || (block.kind.is_heading() && text.len() >= LEAST_HEADLINE && repeated())
}
