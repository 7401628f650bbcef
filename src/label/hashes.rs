//! Hashes over a whole page, derived from the content hashes of its blocks.

use super::LABELLER;
use crate::block::{Block, Document};
use crate::digest::{Hash, sha256};

/// Hash of the labelled article: SHA-256 over the line `label-v1`, then one line with the content
/// hash of each body block that has text, in order, every line ended by LF. Equal for two snapshots
/// exactly if the ordered lists of their body texts are equal. Not a proof: it depends on labels.
#[must_use]
pub fn article_hash(document: &Document) -> Hash {
    over(LABELLER, document.blocks.iter().filter(|block| block.body))
}

/// The same over all blocks that have text, under the first line `text-v1`; needs no label.
#[must_use]
pub fn page_text_hash(document: &Document) -> Hash {
    over("text-v1", document.blocks.iter())
}

fn over<'a>(version: &str, blocks: impl Iterator<Item = &'a Block>) -> Hash {
    let mut lines = format!("{version}\n");
    for block in blocks.filter(|block| !block.text.is_empty()) {
        lines.push_str(&block.text_hash.to_string());
        lines.push('\n');
    }
    sha256(lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str, body: bool) -> Block {
        let text_hash = sha256(text.as_bytes());
        Block {
            text: text.to_owned(),
            text_hash,
            body,
            ..Block::default()
        }
    }

    fn page(blocks: Vec<Block>) -> Document {
        Document {
            blocks,
            ..Document::default()
        }
    }

    #[test]
    fn article_hash_sees_body_texts_and_their_order_only() {
        let one = page(vec![block("a", true), block("menu", false), block("b", true)]);
        let other_menu = page(vec![block("a", true), block("b", true), block("x", false)]);
        let with_picture = page(vec![block("a", true), block("", true), block("b", true)]);
        let swapped = page(vec![block("b", true), block("a", true)]);
        assert_eq!(article_hash(&one), article_hash(&other_menu));
        assert_eq!(article_hash(&one), article_hash(&with_picture));
        assert_ne!(article_hash(&one), article_hash(&swapped));
        assert_ne!(page_text_hash(&one), page_text_hash(&other_menu));
    }

    #[test]
    fn page_text_hash_needs_no_label() {
        let labelled = page(vec![block("a", true), block("b", false)]);
        let other = page(vec![block("a", false), block("b", false)]);
        assert_eq!(page_text_hash(&labelled), page_text_hash(&other));
        assert_ne!(article_hash(&labelled), article_hash(&other));
    }

    #[test]
    fn the_spelled_rule_gives_the_same_hash() {
        let a = sha256(b"a");
        let b = sha256(b"b");
        let expected = sha256(format!("label-v1\n{a}\n{b}\n").as_bytes());
        assert_eq!(
            article_hash(&page(vec![block("a", true), block("b", true)])),
            expected
        );
    }
}
