//! The way between places in the decoded text and raw bytes: checkpoints, and what happens between
//! two of them.

use encoding_rs::Encoding;

use super::charset::feed;

/// A place where text and raw bytes are known to correspond, with nothing held back by the decoder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checkpoint {
    text: usize,
    raw: usize,
}

/// A run of characters that all took the same number of raw bytes and give the same number of
/// bytes of text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// First byte of the run in the text.
    text: usize,
    /// One past the run.
    text_end: usize,
    raw: usize,
    text_size: usize,
    raw_size: usize,
}

/// How places correspond.
#[derive(Debug, Clone)]
pub(super) enum Offsets {
    /// Between checkpoints both sides advance together: UTF-8.
    Shifted(Vec<Checkpoint>),
    /// Decoding can start anew at every checkpoint: encodings in which `<` is always itself.
    Restartable(Vec<Checkpoint>),
    /// Every character was noted: UTF-16, ISO-2022-JP.
    Stepped(Vec<Step>, usize),
}

impl Offsets {
    pub fn shifted(raw: usize) -> Self {
        Self::Shifted(vec![Checkpoint { text: 0, raw }])
    }

    pub fn restartable(raw: usize) -> Self {
        Self::Restartable(vec![Checkpoint { text: 0, raw }])
    }

    pub fn stepped(raw: usize) -> Self {
        Self::Stepped(Vec::new(), raw)
    }

    /// Whether every byte of the text is the raw byte at the same place.
    pub fn are_equal(&self) -> bool {
        matches!(self, Self::Shifted(checkpoints) if matches!(checkpoints[..], [Checkpoint { text: 0, raw: 0 }]))
    }

    /// Notes that the text up to `text` came from the raw bytes up to `raw`.
    pub fn checkpoint(&mut self, text: usize, raw: usize) {
        if let Self::Shifted(checkpoints) | Self::Restartable(checkpoints) = self {
            checkpoints.push(Checkpoint { text, raw });
        }
    }

    /// Notes that the text from `from` to `to` came from the raw bytes up to `raw`, since the step
    /// before.
    pub fn step(&mut self, from: usize, to: usize, raw: usize) {
        let Self::Stepped(steps, end) = self else {
            return;
        };
        let (text_size, raw_size) = (to - from, raw - *end);
        match steps.last_mut() {
            Some(last) if last.text_size == text_size && last.raw_size == raw_size => last.text_end = to,
            _ => steps.push(Step {
                text: from,
                text_end: to,
                raw: *end,
                text_size,
                raw_size,
            }),
        }
        *end = raw;
    }

    /// Raw byte of the character that starts at byte `at` of the text.
    pub fn raw(&self, at: usize, raw: &[u8], text: &str, encoding: &'static Encoding) -> usize {
        match self {
            Self::Shifted(checkpoints) => {
                let known = before(checkpoints, |c| c.text <= at);
                known.raw + (at - known.text)
            }
            Self::Restartable(checkpoints) => {
                let known = before(checkpoints, |c| c.text <= at);
                let Some(now) = walk(known, raw, text, encoding, |now| now.text >= at) else {
                    return raw.len();
                };
                // Malformed bytes may give several characters at once, when the byte that shows it is
                // read: all but the first stand for one byte each.
                let beyond = text.get(at..now.text).map_or(0, |more| more.chars().count());
                now.raw - beyond.min(now.raw - known.raw)
            }
            Self::Stepped(steps, end) => {
                let after = steps.partition_point(|step| step.text <= at);
                match after.checked_sub(1).and_then(|index| steps.get(index)) {
                    Some(step) => step.raw + (at - step.text) / step.text_size * step.raw_size,
                    None => steps.first().map_or(*end, |first| first.raw),
                }
            }
        }
    }

    /// Byte of the text for the raw byte `at`; perhaps inside a character.
    pub fn text(&self, at: usize, raw: &[u8], text: &str, encoding: &'static Encoding) -> usize {
        match self {
            Self::Shifted(checkpoints) => {
                let after = checkpoints.partition_point(|c| c.raw <= at);
                let Some(known) = after.checked_sub(1).and_then(|index| checkpoints.get(index)) else {
                    return 0;
                };
                // A replacement character may be longer than the bytes it stands for, and shorter.
                let limit = checkpoints.get(after).map_or(text.len(), |next| {
                    next.text - char::REPLACEMENT_CHARACTER.len_utf8()
                });
                (known.text + (at - known.raw)).min(limit)
            }
            Self::Restartable(checkpoints) => {
                let known = before(checkpoints, |c| c.raw <= at);
                walk(known, raw, text, encoding, |now| now.raw >= at).map_or(text.len(), |now| now.text)
            }
            Self::Stepped(steps, _) => {
                let after = steps.partition_point(|step| step.raw <= at);
                match after.checked_sub(1).and_then(|index| steps.get(index)) {
                    Some(step) => {
                        (step.text + (at - step.raw) / step.raw_size * step.text_size).min(step.text_end)
                    }
                    None => 0,
                }
            }
        }
    }
}

/// The last checkpoint for which `holds` is true; the first one if there is none.
fn before(checkpoints: &[Checkpoint], holds: impl Fn(&Checkpoint) -> bool) -> Checkpoint {
    let after = checkpoints.partition_point(holds);
    checkpoints
        .get(after.saturating_sub(1))
        .copied()
        .unwrap_or(Checkpoint { text: 0, raw: 0 })
}

/// Walks from a checkpoint until `arrived`: ASCII counts one byte on both sides while nothing else
/// came, from there on a decoder is fed byte by byte. `None` if the bytes end before.
fn walk(
    from: Checkpoint,
    raw: &[u8],
    text: &str,
    encoding: &'static Encoding,
    arrived: impl Fn(Checkpoint) -> bool,
) -> Option<Checkpoint> {
    let mut now = from;
    let text = text.as_bytes();
    while !arrived(now) {
        let byte = *raw.get(now.raw)?;
        if byte >= 0x80 || text.get(now.text) != Some(&byte) {
            break;
        }
        now.text += 1;
        now.raw += 1;
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut piece = String::new();
    while !arrived(now) {
        let byte = raw.get(now.raw)?;
        piece.clear();
        feed(
            &mut decoder,
            std::slice::from_ref(byte),
            &mut piece,
            now.raw + 1 == raw.len(),
        );
        now.text += piece.len();
        now.raw += 1;
    }
    Some(now)
}
