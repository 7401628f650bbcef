//! Where the body is at home: the elements that hold it, and those inside that hold something else.

use super::body::Because;
use super::known::{self, Nature, Other};
use super::measure::Measure;
use super::outline::{NodeId, Outline};
use crate::block::{Document, Kind};

/// The elements that hold the body.
pub struct Home {
    /// For every node why it is in the home, if it is.
    pub inside: Vec<Option<Because>>,
    /// For every node the innermost element around it, itself included, that holds something else.
    pub other: Vec<Option<NodeId>>,
    /// What every node's start tag tells.
    pub natures: Vec<Nature>,
}

/// Share of the page's running text that the elements of each rank must hold, in percent.
const LEAST_SHARE: [u64; known::RANKS as usize] = [10, 20, 30, 30];
/// The same for an element that holds the page's only headline.
const HEADED_SHARE: u64 = 10;
/// Share of an element's running text that a child must hold to stand for it, in percent.
const DESCENT_SHARE: u64 = 98;

/// Running text of a page, in bytes, from which other text does not count.
const LEAST_PROSE: u64 = 150;
/// Share of the page's text that must be left beside the elements that hold something else, in
/// percent. Where less is left, what elements are called is no guide.
const LEAST_LEFT: u64 = 5;
/// What is trusted most stands first.
const TRUST: [Other; 6] = [
    Other::Comments,
    Other::Landmark,
    Other::Hidden,
    Other::Boilerplate,
    Other::About,
    Other::Teaser,
];

/// Finds the home of the body.
pub fn find(document: &Document, outline: &Outline, measures: &[Measure]) -> Home {
    let mut natures: Vec<Nature> = outline.nodes.iter().map(known::nature).collect();
    let weights = weights(measures);
    let all = sums(outline, weights.iter().copied());
    let whole: u64 = roots(outline).map(|id| all[id]).sum();
    forgive(outline, &mut natures, &all, whole);
    let mut trusted: &[Other] = &TRUST;
    let (other, prose, total) = loop {
        let other = nearest(outline, |id| natures[id].other.is_some());
        let own = outline.of_block.iter().zip(&weights);
        let own = own.map(|(&node, &weight)| if other[node as usize].is_some() { 0 } else { weight });
        let prose = sums(outline, own);
        let total: u64 = roots(outline).map(|id| prose[id]).sum();
        let Some((least, more)) = trusted.split_last() else {
            break (other, prose, total);
        };
        if total * 100 >= whole * LEAST_LEFT {
            break (other, prose, total);
        }
        natures
            .iter_mut()
            .filter(|nature| nature.other == Some(*least))
            .for_each(|nature| nature.other = None);
        trusted = more;
    };

    let mut inside: Vec<Option<Because>> = vec![None; outline.nodes.len()];
    if document.blocks.iter().any(|block| block.declared.is_some()) {
        // The publisher's marks are the label: marked blocks, and whatever else was put between them
        // in the publisher's own container.
        let sure = |id: usize| natures[id].rank == Some(0);
        let mut marked = vec![false; outline.nodes.len()];
        for (block, &node) in document.blocks.iter().zip(&outline.of_block) {
            if block.declared.is_some() {
                inside[node as usize] = Some(Because::Declared);
                marked[node as usize] = true;
            }
        }
        for id in (0..outline.nodes.len()).rev() {
            if let (true, Some(parent)) = (marked[id], outline.nodes[id].parent) {
                marked[parent as usize] = true;
            }
        }
        for id in outermost(outline, |id| sure(id) && marked[id]) {
            inside[id as usize] = Some(Because::Container(id));
        }
    } else if total > 0 {
        let headlines = document
            .blocks
            .iter()
            .map(|block| u64::from(block.kind == Kind::H1));
        let headlines = sums(outline, headlines);
        for (id, because) in choose(outline, &natures, &other, &prose, &headlines, total) {
            inside[id as usize] = Some(because);
        }
    }
    for id in 0..inside.len() {
        if inside[id].is_none() {
            inside[id] = outline.nodes[id]
                .parent
                .and_then(|parent| inside[parent as usize]);
        }
    }
    Home {
        inside,
        other,
        natures,
    }
}

/// What every block weighs where the body is looked for: its running text, or on a page with hardly
/// any (a table of results, captions under pictures) all its unlinked text.
fn weights(measures: &[Measure]) -> Vec<u64> {
    let prose: u64 = measures.iter().map(|measure| u64::from(measure.prose)).sum();
    let weight = |measure: &Measure| {
        u64::from(if prose >= LEAST_PROSE {
            measure.prose
        } else {
            measure.plain
        })
    };
    measures.iter().map(weight).collect()
}

/// The elements that hold the body, and why.
fn choose(
    outline: &Outline,
    natures: &[Nature],
    other: &[Option<NodeId>],
    prose: &[u64],
    headlines: &[u64],
    total: u64,
) -> Vec<(NodeId, Because)> {
    for (rank, share) in LEAST_SHARE.into_iter().enumerate() {
        let ranked = outermost(outline, |id| {
            natures[id].rank.map(usize::from) == Some(rank)
                && outline.nodes[id].encloses
                && other[id].is_none()
                && prose[id] > 0
        });
        let parts = parts(outline, ranked, prose, headlines, total);
        let held: u64 = parts.iter().map(|&id| prose[id as usize]).sum();
        let [whole] = *parts else {
            if held > 0 && held * 100 >= total * share {
                return parts.into_iter().map(|id| (id, Because::Container(id))).collect();
            }
            continue;
        };
        let share = if headlines[whole as usize] > 0 {
            share.min(HEADED_SHARE)
        } else {
            share
        };
        if held * 100 < total * share {
            continue;
        }
        let narrow = rank >= usize::from(known::GENERIC);
        let home = narrow
            .then(|| descend(outline, prose, Some(whole)))
            .flatten()
            .unwrap_or(whole);
        return vec![(home, Because::Container(home))];
    }
    match descend(outline, prose, None) {
        Some(id) => vec![(id, Because::Density(id))],
        None => roots(outline)
            .map(|id| (id as NodeId, Because::Density(id as NodeId)))
            .collect(),
    }
}

/// Of the elements of one rank those that hold the body together: the only one with a headline, if
/// there are several; else the largest and all that look like it; all of them where the largest is but
/// one of many, as on a front page.
fn parts(
    outline: &Outline,
    ranked: Vec<NodeId>,
    prose: &[u64],
    headlines: &[u64],
    total: u64,
) -> Vec<NodeId> {
    let largest = ranked
        .iter()
        .copied()
        .max_by_key(|&id| (prose[id as usize], std::cmp::Reverse(id)));
    let Some(largest) = largest else {
        return ranked;
    };
    let mut headed = ranked.iter().copied().filter(|&id| headlines[id as usize] > 0);
    if let (Some(one), None) = (headed.next(), headed.next())
        && prose[one as usize] * 100 >= total * HEADED_SHARE
    {
        return vec![one];
    }
    let all: u64 = ranked.iter().map(|&id| prose[id as usize]).sum();
    let many = prose[largest as usize] * 2 < all;
    ranked
        .into_iter()
        .filter(|&id| many || alike(outline, id, largest))
        .collect()
}

/// Walks down to the innermost element that holds nearly all running text of the one it starts from;
/// from the page as a whole if that is `None`.
fn descend(outline: &Outline, prose: &[u64], from: Option<NodeId>) -> Option<NodeId> {
    let mut at = from;
    let mut held = match from {
        Some(id) => prose[id as usize],
        None => roots(outline).map(|id| prose[id]).sum(),
    };
    // A child stands behind its parent, so one pass over the nodes walks down.
    for (id, node) in outline.nodes.iter().enumerate() {
        if node.parent == at && node.encloses && prose[id] * 100 >= held * DESCENT_SHARE {
            (at, held) = (Some(id as NodeId), prose[id]);
        }
    }
    at
}

/// Parts of one body look alike: same tag, same names.
fn alike(outline: &Outline, one: NodeId, other: NodeId) -> bool {
    let [one, other] = [one, other].map(|id| &outline.nodes[id as usize]);
    one.tag == other.tag && one.attribute("class") == other.attribute("class")
}

/// An element that holds most of what is to be read, or an element that is surely a body, is not what
/// its names say.
fn forgive(outline: &Outline, natures: &mut [Nature], prose: &[u64], total: u64) {
    let mut holds: Vec<bool> = natures.iter().map(|nature| nature.rank == Some(0)).collect();
    for id in (0..holds.len()).rev() {
        if let (true, Some(parent)) = (holds[id], outline.nodes[id].parent) {
            holds[parent as usize] = true;
        }
    }
    for (id, nature) in natures.iter_mut().enumerate() {
        let limit = match nature.other {
            Some(Other::Comments) => 90,
            Some(_) => 50,
            None => continue,
        };
        let named = !matches!(nature.other, Some(Other::Landmark | Other::Hidden));
        let page = matches!(outline.nodes[id].tag, "html" | "body" | "main");
        if page || (named && holds[id]) || (total > 0 && prose[id] * 100 > total * limit) {
            nature.other = None;
        }
    }
}

fn roots<'a>(outline: &'a Outline) -> impl Iterator<Item = usize> + 'a {
    (0..outline.nodes.len()).filter(|&id| outline.nodes[id].parent.is_none())
}

/// The marked nodes that stand in no other marked node.
fn outermost(outline: &Outline, marked: impl Fn(usize) -> bool) -> Vec<NodeId> {
    let mut covered: Vec<bool> = Vec::with_capacity(outline.nodes.len());
    let mut found = Vec::new();
    for (id, node) in outline.nodes.iter().enumerate() {
        let above = node.parent.is_some_and(|parent| covered[parent as usize]);
        let own = !above && marked(id);
        if own {
            found.push(id as NodeId);
        }
        covered.push(above || own);
    }
    found
}

/// For every node the innermost marked node around it, itself included.
pub fn nearest(outline: &Outline, marked: impl Fn(usize) -> bool) -> Vec<Option<NodeId>> {
    let mut nearest: Vec<Option<NodeId>> = Vec::with_capacity(outline.nodes.len());
    for (id, node) in outline.nodes.iter().enumerate() {
        let above = node.parent.and_then(|parent| nearest[parent as usize]);
        nearest.push(if marked(id) { Some(id as NodeId) } else { above });
    }
    nearest
}

/// For every node the sum over the blocks inside it.
fn sums(outline: &Outline, of_blocks: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut sums = vec![0; outline.nodes.len()];
    for (&node, value) in outline.of_block.iter().zip(of_blocks) {
        sums[node as usize] += value;
    }
    for id in (0..outline.nodes.len()).rev() {
        if let Some(parent) = outline.nodes[id].parent {
            sums[parent as usize] += sums[id];
        }
    }
    sums
}
