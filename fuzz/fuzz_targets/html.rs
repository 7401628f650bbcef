//! Any bytes through the page reader: it never panics, and what it says about the page holds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pressmark::digest::sha256;
use pressmark::html::{ReadOptions, collapse, decode, read};

/// Charset labels the first byte of the input picks from.
const LABELS: [Option<&str>; 8] = [
    None,
    None,
    Some("utf-8"),
    Some("euc-kr"),
    Some("shift_jis"),
    Some("utf-16le"),
    Some("iso-2022-jp"),
    Some("gb18030"),
];

fuzz_target!(|input: &[u8]| {
    let Some((&first, raw)) = input.split_first() else {
        return;
    };
    let options = ReadOptions {
        http_charset: LABELS[usize::from(first) % LABELS.len()],
        ..ReadOptions::default()
    };
    let document = read(raw, &options);
    let mut start = 0;
    for (index, block) in document.blocks.iter().enumerate() {
        let (range, inner) = (&block.range, &block.inner);
        assert!(range.start <= inner.start && inner.start <= inner.end);
        assert!(inner.end <= range.end && range.end <= raw.len());
        assert!(range.start >= start, "blocks stand in source order");
        start = range.start;
        assert_eq!(collapse(&block.text), block.text);
        assert_eq!(block.text_hash, sha256(block.text.as_bytes()));
        if let Some(parent) = block.parent {
            assert!((parent as usize) < index);
            let parent = &document.blocks[parent as usize];
            assert!(parent.inner.start <= range.start);
            assert!(range.end <= parent.inner.end);
        }
        if let Some(container) = block.container {
            let container = &document.containers[container as usize];
            assert!(container.range.start <= range.start && range.end <= container.range.end);
        }
    }
    let decoded = decode(raw, options.http_charset);
    for at in 0..=decoded.text.len().min(64) {
        if decoded.text.is_char_boundary(at) {
            assert!(decoded.raw_offset(at) <= raw.len());
        }
    }
});
