//! Bytes to blocks by `blocks-v1`, `text-v1`, `form-v1`. Total: bad markup is never an error.
//!
//! Never: judges what matters.
//!
//! The way of a page: [`decode`] finds the encoding and makes text of the bytes (`prescan`,
//! `charset`, `offsets`); `token` cuts the text into tags and characters; `tree` decides which
//! elements are open; `blocks` cuts what they hold into blocks, which `draft` collects, `text` folds
//! and `form` hashes. Everything is linear in the length of the page.

mod blocks;
mod charset;
mod containers;
mod draft;
mod form;
mod fragment;
mod json_ld;
mod metadata;
mod names;
mod offsets;
mod prescan;
mod quirks;
mod tag;
mod text;
mod token;
mod tree;

pub use blocks::MAX_BLOCKS;
pub use charset::{Decoded, decode};
pub use containers::MAX_CONTAINERS;
pub use draft::MAX_MARKS;
pub use form::canonical_form;
pub use fragment::{Piece, canonical_text, pieces, raw_text};
pub use text::{collapse, is_white_space};
pub(crate) use token::comment_end;
pub use tree::MAX_DEPTH;

#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;

use crate::block::Document;

/// What the reader of a page is told beside its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOptions<'a> {
    /// The charset label of the HTTP `Content-Type`, if any.
    pub http_charset: Option<&'a str>,
    /// Name of the attribute that declares a hash, in lower case; empty: none does.
    pub declared_attribute: &'a str,
}

impl Default for ReadOptions<'_> {
    fn default() -> Self {
        Self {
            http_charset: None,
            declared_attribute: "contents-hash",
        }
    }
}

/// Reads a page. Total: any bytes give a document, in linear time.
#[must_use]
pub fn read(raw: &[u8], options: &ReadOptions<'_>) -> Document {
    read_decoded(&decode(raw, options.http_charset), options)
}

/// Reads a page that was decoded already.
#[must_use]
pub fn read_decoded(decoded: &Decoded<'_>, options: &ReadOptions<'_>) -> Document {
    let text = &*decoded.text;
    let mut cutter = tree::read_tree(text, blocks::Cutter::new(text, options.declared_attribute), false);
    let mut document = Document {
        charset: decoded.charset.clone(),
        blocks: cutter.blocks(),
        containers: std::mem::take(&mut cutter.containers.list),
        ..Document::default()
    };
    cutter.metadata.into_document(&mut document);
    if decoded.is_raw() {
        return document;
    }
    // Thousands of elements may end at one tag: where the way back is walked, it is walked once for all.
    let mut walked: FxHashMap<usize, usize> = FxHashMap::default();
    let mut raw_offset = |at: usize| {
        if decoded.is_walked() {
            *walked.entry(at).or_insert_with(|| decoded.raw_offset(at))
        } else {
            decoded.raw_offset(at)
        }
    };
    for block in &mut document.blocks {
        for range in [&mut block.range, &mut block.inner] {
            *range = raw_offset(range.start)..raw_offset(range.end);
        }
    }
    for container in &mut document.containers {
        container.range = raw_offset(container.range.start)..raw_offset(container.range.end);
    }
    document
}
