//! What a block's text looks like, whatever stands around it.

use crate::block::{Block, Kind, Mark};

/// Unlinked text from which a block counts as running text, in bytes of UTF-8. Bytes weigh a Han or
/// Hangul character like three Latin letters, which is about what it says.
const LEAST_PROSE: u32 = 60;
/// The same without an end of a sentence in it.
const LEAST_UNPUNCTUATED: u32 = 160;

/// Measures of one block.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measure {
    /// Canonical text in bytes.
    pub bytes: u32,
    /// Bytes of it that stand in no link, rounded.
    pub plain: u32,
    /// Plain bytes if the block is running text, else 0.
    pub prose: u32,
}

impl Measure {
    pub fn of(block: &Block) -> Self {
        let bytes = block.text.len().min(u32::MAX as usize) as u32;
        let linked: u64 = block
            .marks
            .iter()
            .map(|mark| match mark {
                Mark::Link { range, .. } => u64::from(range.end.saturating_sub(range.start)),
                _ => 0,
            })
            .sum();
        let plain = if linked == 0 {
            bytes
        } else {
            let all = block.text.chars().count() as u64;
            (u64::from(bytes) * all.saturating_sub(linked) / all.max(1)) as u32
        };
        let runs = !matches!(block.kind, Kind::Figcaption | Kind::Caption)
            && !block.kind.is_heading()
            && plain >= LEAST_PROSE
            && plain * 2 >= bytes
            && (plain >= LEAST_UNPUNCTUATED || punctuated(&block.text));
        Self {
            bytes,
            plain,
            prose: if runs { plain } else { 0 },
        }
    }

    /// Whether most of the text is links.
    pub fn linked(&self) -> bool {
        self.bytes > 0 && self.plain * 2 < self.bytes
    }
}

/// Marks that end a sentence or a part of one.
const PUNCTUATION: [char; 18] = [
    '.', '!', '?', ';', ':', ',', '…', '。', '！', '？', '，', '、', '।', '؟', '۔', '،', '”', '"',
];

/// Bytes that begin one of them.
const BEGINS_PUNCTUATION: [bool; 256] = {
    let mut begins = [false; 256];
    let mut at = 0;
    while at < PUNCTUATION.len() {
        let first = PUNCTUATION[at].encode_utf8(&mut [0; 4]).as_bytes()[0];
        begins[first as usize] = true;
        at += 1;
    }
    begins
};

/// Whether a sentence ends in the text.
pub fn punctuated(text: &str) -> bool {
    let begins = |byte: &u8| BEGINS_PUNCTUATION[usize::from(*byte)];
    // Few bytes begin one; only there the character is looked at.
    text.bytes()
        .enumerate()
        .filter(|(_, byte)| begins(byte))
        .any(|(at, _)| text[at..].starts_with(PUNCTUATION))
}
