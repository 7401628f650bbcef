//! Whether two documents are the same revision, told from content hashes alone.

use crate::block::Document;
use crate::digest::Hash;

/// Whether the new document is another revision of the article than the old one: their ordered lists
/// of body texts differ. Blocks without text do not count; they are matters of form.
#[must_use]
pub fn is_revision(old: &Document, new: &Document) -> bool {
    body_texts(old).ne(body_texts(new))
}

/// The content hashes of the body's texts in order, blocks without text left out: two documents are
/// the same revision if these are the same.
pub fn body_texts(document: &Document) -> impl Iterator<Item = Hash> + '_ {
    document
        .blocks
        .iter()
        .filter(|block| block.body && !block.text.is_empty())
        .map(|block| block.text_hash)
}
