//! Whether the extraction jumped between two pages, so that their difference is not the editor's.

use super::change::{Reason, Suspect};
use super::link::{Links, Side};

/// A body with fewer bytes of text than this is a stub: that it grows or vanishes is ordinary. Bytes, for
/// a Korean or Chinese article says in 80 characters what takes 240 in an alphabet.
const STUB: usize = 240;

/// The body must become this many times larger or smaller.
const JUMP: u32 = 4;

/// At least this share of the body's text changed its label without changing itself.
const RELABELLED: f32 = 0.5;

/// No more than this share of the old body is left in a body that was replaced.
const LEFT: f32 = 0.1;

pub(super) fn suspect(old: &Side, new: &Side, links: &Links) -> Option<Suspect> {
    let body = |side: &Side| -> u32 {
        let blocks = side.blocks.iter().zip(&side.characters);
        blocks
            .filter(|(block, _)| block.body)
            .map(|(_, length)| length)
            .sum()
    };
    let (old_characters, new_characters) = (body(old), body(new));
    let (less, more) = (
        old_characters.min(new_characters),
        old_characters.max(new_characters),
    );
    let bytes = |side: &Side| -> usize {
        let body = side.blocks.iter().filter(|block| block.body);
        body.map(|block| block.text.len()).sum()
    };
    let (old_bytes, new_bytes) = (bytes(old), bytes(new));
    if old_bytes.max(new_bytes) < STUB {
        return None;
    }
    let is_body = |side: &Side, at: u32| side.blocks[at as usize].body;
    let (mut relabelled, mut left) = (0, 0);
    for &(i, j) in &links.equal {
        let (before, after) = (is_body(old, i), is_body(new, j));
        if before != after {
            relabelled += new.characters[j as usize];
        } else if before {
            left += old.characters[i as usize];
        }
    }
    for link in &links.alike {
        if link.old.iter().any(|&i| is_body(old, i)) {
            left += link.old.iter().map(|&i| old.characters[i as usize]).sum::<u32>();
        }
    }
    let share = |part: u32, of: u32| part as f32 / of.max(1) as f32;
    let reason = if share(relabelled, more) >= RELABELLED {
        Reason::Relabelled
    } else if new_characters == 0 {
        Reason::Emptied
    } else if old_bytes >= STUB && more >= less.saturating_mul(JUMP) {
        if new_characters < old_characters {
            Reason::Shrunk
        } else if share(left, old_characters) <= LEFT {
            Reason::Replaced
        } else {
            return None;
        }
    } else {
        return None;
    };
    Some(Suspect {
        reason,
        old_characters,
        new_characters,
    })
}
