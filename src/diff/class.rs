//! How much a change matters.

use std::borrow::Cow;

use super::change::{Class, Word, WordOp};
use super::href::leads_to;
use super::loose::same_loosely;
use super::token::tokens;
use super::words::Compared;
use crate::block::{Block, Mark};

/// Gives an image address the name by which images are compared.
pub(super) type Identity<'a> = &'a dyn Fn(&str) -> String;

/// The class of a change between two blocks of equal text, `None` if nothing differs.
pub(super) fn of_form(old: &Block, new: &Block, identity: Identity) -> Option<Class> {
    if old.form_hash == new.form_hash {
        return None;
    }
    if links(old, true).ne(links(new, true)) {
        return Some(Class::Link);
    }
    if images(old, identity) != images(new, identity) {
        return Some(Class::Image);
    }
    (old.kind != new.kind || emphases(old).ne(emphases(new))).then_some(Class::Markup)
}

/// The class of a change of text on both sides. `forms`: the blocks, where one stands on each side.
pub(super) fn of_text(
    old: &str,
    new: &str,
    compared: &Compared,
    forms: Option<(&Block, &Block)>,
    identity: Identity,
) -> Class {
    if !compared.same_numbers {
        return if only_numbers(&compared.words) {
            Class::Numeric
        } else {
            Class::Text
        };
    }
    if !same_loosely(old, new) {
        return Class::Text;
    }
    match forms {
        Some((old, new)) if links(old, false).ne(links(new, false)) => Class::Link,
        Some((old, new)) if images(old, identity) != images(new, identity) => Class::Image,
        _ => Class::Cosmetic,
    }
}

/// The class of a block that is there on one side only.
pub(super) fn of_block(block: &Block) -> Class {
    if !block.text.is_empty() {
        return if same_loosely(&block.text, "") {
            Class::Cosmetic
        } else {
            Class::Text
        };
    }
    let has = |wanted: fn(&Mark) -> bool| block.marks.iter().any(wanted);
    if has(|mark| matches!(mark, Mark::Link { .. })) {
        Class::Link
    } else if has(|mark| matches!(mark, Mark::Image { .. })) {
        Class::Image
    } else {
        Class::Markup
    }
}

/// The name by which a block without text is compared: its images and links, with site rules applied.
pub(super) fn image_key(block: &Block, identity: Identity) -> String {
    let mut key = String::from(block.kind.as_str());
    for mark in &block.marks {
        key.push('\n');
        match mark {
            Mark::Image { src, alt, .. } => {
                key.push_str(&identity(src));
                key.push('\n');
                key.push_str(alt);
            }
            Mark::Link { href, .. } => key.push_str(&leads_to(href)),
            Mark::Emphasis { tag, .. } => key.push_str(tag),
        }
    }
    key
}

fn only_numbers(words: &[Word]) -> bool {
    words.iter().filter(|word| word.op != WordOp::Equal).all(|word| {
        let tokens = tokens(&word.text);
        !tokens.is_empty() && tokens.iter().all(|token| token.number)
    })
}

/// Addresses of links, with the text they stand on if `placed`.
fn links(block: &Block, placed: bool) -> impl Iterator<Item = (Cow<'_, str>, u32, u32)> {
    block.marks.iter().filter_map(move |mark| match mark {
        Mark::Link { range, href } if placed => Some((leads_to(href), range.start, range.end)),
        Mark::Link { href, .. } => Some((leads_to(href), 0, 0)),
        _ => None,
    })
}

fn images<'a>(block: &'a Block, identity: Identity) -> Vec<(String, &'a str)> {
    block
        .marks
        .iter()
        .filter_map(|mark| match mark {
            Mark::Image { src, alt, .. } => Some((identity(src), alt.as_str())),
            _ => None,
        })
        .collect()
}

fn emphases(block: &Block) -> impl Iterator<Item = (&str, u32, u32)> {
    block.marks.iter().filter_map(|mark| match mark {
        Mark::Emphasis { range, tag } => Some((*tag, range.start, range.end)),
        _ => None,
    })
}
