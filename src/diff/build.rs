//! Puts the links into the order a reader meets them, with place, class, words and size.

use super::change::{Change, Class, Diff, Limit, Op, Place, Size, Word, WordOp};
use super::class::{Identity, of_block, of_form, of_text};
use super::link::{Links, Side, stays};
use super::pair::Link;
use super::words::compare;
use crate::block::Block;

/// Added to the weight of every link, so that many short blocks outweigh one of middling length.
const WEIGHT: u32 = 8;

/// Stands for a block without a link.
const FREE: u32 = u32::MAX;

/// A link of any sort with where it begins.
enum Linked {
    Equal(u32, u32),
    Alike(Link),
}

impl Linked {
    fn first(&self) -> (u32, u32) {
        match self {
            Self::Equal(i, j) => (*i, *j),
            Self::Alike(link) => (
                link.old.first().copied().unwrap_or_default(),
                link.new.first().copied().unwrap_or_default(),
            ),
        }
    }
}

pub(super) fn build(old: &Side, new: &Side, links: Links, identity: Identity) -> Diff {
    let mut linked: Vec<Linked> = links
        .equal
        .into_iter()
        .map(|(i, j)| Linked::Equal(i, j))
        .collect();
    if !links.alike.is_empty() {
        linked.extend(links.alike.into_iter().map(Linked::Alike));
        linked.sort_unstable_by_key(Linked::first);
    }
    let weighed: Vec<(u32, u32, u32)> = linked
        .iter()
        .map(|link| {
            let (i, j) = link.first();
            let weight = old
                .blocks
                .get(i as usize)
                .map_or(0, |block| block.text.len() as u32);
            (i, j, weight + WEIGHT)
        })
        .collect();
    let stays = stays(&weighed);
    // Where the links that stay begin, ascending on both sides.
    let (fixed_old, fixed_new): (Vec<u32>, Vec<u32>) = weighed
        .iter()
        .zip(&stays)
        .filter(|(_, stays)| **stays)
        .map(|(link, _)| (link.0, link.1))
        .unzip();

    let mut old_taken = vec![false; old.blocks.len()];
    let mut new_link = vec![FREE; new.blocks.len()];
    for (at, link) in linked.iter().enumerate() {
        match link {
            Linked::Equal(i, j) => {
                old_taken[*i as usize] = true;
                new_link[*j as usize] = at as u32;
            }
            Linked::Alike(link) => {
                link.old.iter().for_each(|&i| old_taken[i as usize] = true);
                link.new.iter().for_each(|&j| new_link[j as usize] = at as u32);
            }
        }
    }
    let mut out = Writer {
        old,
        new,
        identity,
        changes: Vec::new(),
        rough: 0,
    };
    // Old index at which each link that stays begins.
    let mut in_place = weighed
        .iter()
        .zip(&stays)
        .filter(|(_, stays)| **stays)
        .map(|(link, _)| link.0)
        .peekable();
    let mut deleted = 0_u32;
    let mut flush = |until: u32, out: &mut Writer| {
        for i in deleted..until {
            if !old_taken[i as usize] {
                out.delete(i);
            }
        }
        deleted = deleted.max(until);
    };
    let old_end = old.blocks.len() as u32;
    flush(in_place.peek().copied().unwrap_or(old_end), &mut out);
    for (j, &at) in new_link.iter().enumerate() {
        let j = j as u32;
        let Some(link) = linked.get(at as usize) else {
            out.insert(j);
            continue;
        };
        if link.first().1 != j {
            continue;
        }
        let stays = stays[at as usize];
        match link {
            Linked::Equal(i, j) => out.equal(*i, *j, !stays),
            Linked::Alike(link) => {
                let torn = is_parted(&link.old, &fixed_old) || is_parted(&link.new, &fixed_new);
                out.alike(link, !stays || torn);
            }
        }
        if stays {
            in_place.next();
            flush(in_place.peek().copied().unwrap_or(old_end), &mut out);
        }
    }
    let mut limits = links.limits;
    if out.rough > 0 {
        limits.push(Limit::Words { changes: out.rough });
    }
    let mut diff = Diff {
        changes: out.changes,
        limits,
        ..Diff::default()
    };
    shares(&mut diff, old, new);
    diff
}

/// Whether a link that stays begins between the parts of a whole: then some of them stand elsewhere.
fn is_parted(parts: &[u32], fixed: &[u32]) -> bool {
    let (Some(&first), Some(&last)) = (parts.first(), parts.last()) else {
        return false;
    };
    let next = fixed.partition_point(|&at| at <= first);
    fixed.get(next).is_some_and(|&at| at < last)
}

struct Writer<'a> {
    old: &'a Side<'a>,
    new: &'a Side<'a>,
    identity: Identity<'a>,
    changes: Vec<Change>,
    rough: u64,
}

impl<'a> Writer<'a> {
    fn old_block(&self, i: u32) -> &'a Block {
        &self.old.blocks[i as usize]
    }

    fn new_block(&self, j: u32) -> &'a Block {
        &self.new.blocks[j as usize]
    }

    fn push(&mut self, op: Op, moved: bool, class: Class, link: Link, words: Vec<Word>) {
        let Link { old, new, similarity } = link;
        let place = new
            .first()
            .map(|&j| self.new.places[j as usize])
            .or_else(|| old.first().map(|&i| self.old.places[i as usize]))
            .unwrap_or(Place::Outside);
        let range = |block: &Block| [block.range.start, block.range.end];
        let mut size = Size::default();
        for word in &words {
            match word.op {
                WordOp::Equal => {}
                WordOp::Insert => size.inserted += characters(&word.text),
                WordOp::Delete => size.deleted += characters(&word.text),
            }
        }
        if moved {
            let whole: u32 = new.iter().map(|&j| self.new.characters[j as usize]).sum();
            size.moved = whole.saturating_sub(size.inserted);
        }
        self.changes.push(Change {
            op,
            moved,
            place,
            class,
            old_ranges: old.iter().map(|&i| range(self.old_block(i))).collect(),
            new_ranges: new.iter().map(|&j| range(self.new_block(j))).collect(),
            old,
            new,
            similarity,
            words,
            size,
        });
    }

    fn delete(&mut self, i: u32) {
        let block = self.old_block(i);
        let (class, words) = (of_block(block), whole(&block.text, WordOp::Delete));
        self.push(Op::Delete, false, class, one(Some(i), None, 0.0), words);
    }

    fn insert(&mut self, j: u32) {
        let block = self.new_block(j);
        let (class, words) = (of_block(block), whole(&block.text, WordOp::Insert));
        self.push(Op::Insert, false, class, one(None, Some(j), 0.0), words);
    }

    fn equal(&mut self, i: u32, j: u32, moved: bool) {
        let (old, new) = (self.old_block(i), self.new_block(j));
        let form = of_form(old, new, self.identity);
        if moved {
            let class = if new.text.is_empty() {
                of_block(new)
            } else {
                Class::Text
            };
            return self.push(Op::Move, true, class, one(Some(i), Some(j), 1.0), Vec::new());
        }
        if let Some(class) = form {
            return self.push(Op::Edit, false, class, one(Some(i), Some(j), 1.0), Vec::new());
        }
        let (old_range, new_range) = ([old.range.start, old.range.end], [new.range.start, new.range.end]);
        let place = self.new.places[j as usize];
        if let Some(last) = self.changes.last_mut()
            && last.op == Op::Equal
            && last.place == place
        {
            last.old.push(i);
            last.new.push(j);
            last.old_ranges.push(old_range);
            last.new_ranges.push(new_range);
            return;
        }
        self.push(
            Op::Equal,
            false,
            Class::Markup,
            one(Some(i), Some(j), 1.0),
            Vec::new(),
        );
    }

    fn alike(&mut self, link: &Link, moved: bool) {
        let (old, new) = (joined(self.old, &link.old), joined(self.new, &link.new));
        let op = match (link.old.len(), link.new.len()) {
            (1, 1) if moved => Op::Move,
            (1, 1) => Op::Edit,
            (1, _) => Op::Split,
            _ => Op::Merge,
        };
        let forms = match (link.old.as_slice(), link.new.as_slice()) {
            (&[i], &[j]) => Some((self.old_block(i), self.new_block(j))),
            _ => None,
        };
        if old == new
            && let (&[i], &[j]) = (link.old.as_slice(), link.new.as_slice())
        {
            return self.equal(i, j, moved);
        }
        let compared = compare(&old, &new);
        self.rough += u64::from(compared.rough);
        let class = of_text(&old, &new, &compared, forms, self.identity);
        let class = if moved { class.max(Class::Text) } else { class };
        self.push(op, moved, class, link.clone(), compared.words);
    }
}

fn one(old: Option<u32>, new: Option<u32>, similarity: f32) -> Link {
    Link {
        old: old.into_iter().collect(),
        new: new.into_iter().collect(),
        similarity,
    }
}

/// The texts of blocks, with a line feed between them.
fn joined(side: &Side, at: &[u32]) -> String {
    let mut text = String::new();
    for (n, &index) in at.iter().enumerate() {
        if n > 0 {
            text.push('\n');
        }
        text.push_str(&side.blocks[index as usize].text);
    }
    text
}

fn whole(text: &str, op: WordOp) -> Vec<Word> {
    if text.is_empty() {
        return Vec::new();
    }
    vec![Word {
        op,
        text: text.to_owned(),
    }]
}

fn characters(text: &str) -> u32 {
    text.chars().count() as u32
}

fn shares(diff: &mut Diff, old: &Side, new: &Side) {
    if diff.changes.iter().all(|change| change.op == Op::Equal) {
        return;
    }
    let (mut article, mut outside) = (0_u64, 0_u64);
    for side in [old, new] {
        for (length, place) in side.characters.iter().zip(side.places) {
            let total = if *place == Place::Outside {
                &mut outside
            } else {
                &mut article
            };
            *total += u64::from(*length);
        }
    }
    for change in &mut diff.changes {
        let size = &mut change.size;
        let touched = u64::from(size.deleted) + u64::from(size.inserted) + 2 * u64::from(size.moved);
        let total = if change.place == Place::Outside {
            outside
        } else {
            article
        };
        if touched > 0 {
            size.share = (touched as f32 / total.max(touched) as f32).min(1.0);
        }
    }
}
