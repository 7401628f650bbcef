//! Which snapshots of an article changed at all, told by the catalog's block hashes, so that only those
//! are restored and read.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::archive::{Archive, Snapshot};
use crate::catalog::blocks::{OutlineBlock, Outlines};
use crate::diff::{BYLINE, BYLINE_NEAR, Place, places};
use crate::label::Reader;

/// For each snapshot whether blocks of the article differ from those of the one before it, or with
/// `outside` any blocks. The first of an article always does.
///
/// Of the article are the body, the headings, of which one may be the headline, and what may be a byline
/// near these. The catalog does not know bylines. Where something that could be one differs, a page is
/// read to see which are; advertisements and counters that give way to others beside them do not make
/// their pages be read.
pub(super) fn changed(
    archive: &Archive,
    snapshots: &[Snapshot],
    reader: &Reader,
    outside: bool,
) -> Vec<bool> {
    let mut teller = Teller {
        archive,
        reader,
        outside,
        outlines: Outlines::default(),
        bylines: None,
    };
    let mut before: Option<&Snapshot> = None;
    snapshots
        .iter()
        .map(|snapshot| {
            if !snapshot.counts_as_revision() {
                return false;
            }
            let old = before.replace(snapshot);
            let old = old.filter(|old| old.article == snapshot.article);
            let changed = old.is_none_or(|old| teller.is_changed(old, snapshot));
            if changed {
                teller.bylines = None;
            }
            changed
        })
        .collect()
}

struct Teller<'a> {
    archive: &'a Archive,
    reader: &'a Reader,
    outside: bool,
    outlines: Outlines,
    /// Keys of the bylines outside the body since the last snapshot that changed, once they were asked for.
    bylines: Option<FxHashSet<u64>>,
}

impl Teller<'_> {
    fn is_changed(&mut self, old: &Snapshot, new: &Snapshot) -> bool {
        if new.revision || new.form_change || new.body == old.body {
            return new.revision || new.form_change;
        }
        let outlines = self.archive.with_catalog(|catalog| {
            let mut of = |snapshot: &Snapshot| self.outlines.get(catalog, snapshot.id).ok();
            of(old).zip(of(new))
        });
        // Where the catalog does not know, the page does.
        let Some((before, after)) = outlines else {
            return true;
        };
        if self.outside {
            return !same(before.iter(), after.iter());
        }
        let heading = |block: &&OutlineBlock| block.kind.is_heading();
        if !same(before.iter().filter(heading), after.iter().filter(heading)) {
            return true;
        }
        let (could_be, can_be) = (candidates(&before), candidates(&after));
        if same(could_be.iter().copied(), can_be.iter().copied()) {
            return false;
        }
        if come(&can_be, &before) > come(&could_be, &after) {
            return true;
        }
        if self.bylines.is_none() {
            self.bylines = self.bylines_of(old);
        }
        let Some(bylines) = &self.bylines else {
            return true;
        };
        // The body's blocks are the same on both sides: they show what moved past them.
        let told = |block: &&OutlineBlock| {
            block.body || block.kind.is_heading() || !block.empty && bylines.contains(&block.key)
        };
        !bylines.is_empty() && !same(before.iter().filter(told), after.iter().filter(told))
    }

    /// Keys of the bylines outside the body of a snapshot, from its page.
    fn bylines_of(&self, snapshot: &Snapshot) -> Option<FxHashSet<u64>> {
        let page = self.archive.restore(snapshot).ok()?;
        let document = self.reader.read(&page);
        let blocks = document.blocks.iter().zip(places(&document));
        Some(
            blocks
                .filter(|(block, place)| !block.body && *place == Place::Byline)
                .map(|(block, _)| block.key().prefix())
                .collect(),
        )
    }
}

/// The blocks outside the body that can be bylines as far as the catalog knows: short text near the body
/// or a heading.
fn candidates(blocks: &Arc<[OutlineBlock]>) -> Vec<&OutlineBlock> {
    let mut near = vec![false; blocks.len()];
    let mut mark = |at: usize| {
        let end = (at + BYLINE_NEAR + 1).min(blocks.len());
        near[at.saturating_sub(BYLINE_NEAR)..end].fill(true);
    };
    let first = blocks.iter().position(|block| block.body);
    let last = blocks.iter().rposition(|block| block.body);
    first.into_iter().chain(last).for_each(&mut mark);
    let headings = blocks
        .iter()
        .enumerate()
        .filter(|(_, block)| block.kind.is_heading());
    headings.for_each(|(at, _)| mark(at));
    let fits = |block: &OutlineBlock| {
        !block.body && !block.empty && !block.kind.is_heading() && block.length <= BYLINE
    };
    blocks
        .iter()
        .zip(near)
        .filter_map(|(block, near)| (near && fits(block)).then_some(block))
        .collect()
}

/// How many of the blocks do not stand in the other outline at all.
fn come(blocks: &[&OutlineBlock], other: &[OutlineBlock]) -> usize {
    let known: FxHashSet<u64> = other.iter().map(|block| block.key).collect();
    blocks.iter().filter(|block| !known.contains(&block.key)).count()
}

fn same<'a>(
    old: impl Iterator<Item = &'a OutlineBlock>,
    mut new: impl Iterator<Item = &'a OutlineBlock>,
) -> bool {
    for old in old {
        let same = |new: &OutlineBlock| old.body == new.body && old.same_form(new);
        if !new.next().is_some_and(same) {
            return false;
        }
    }
    new.next().is_none()
}

/// Which snapshots must be restored: those that changed. The first of an article only if there is
/// another to compare it with, or if `documents` are wanted.
pub(super) fn needed(changed: &[bool], snapshots: &[Snapshot], documents: bool) -> Vec<bool> {
    let mut needed = changed.to_vec();
    if documents {
        return needed;
    }
    let mut at = 0;
    for article in snapshots.chunk_by(|a, b| a.article == b.article) {
        let own = &mut needed[at..at + article.len()];
        if own.iter().filter(|&&changed| changed).count() == 1 {
            own.fill(false);
        }
        at += article.len();
    }
    needed
}
