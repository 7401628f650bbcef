//! Compression: zstd, alone or against a base.

use std::cell::RefCell;

use zstd_safe::{CCtx, CParameter, DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

/// How a payload is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// The payload is the content.
    Stored,
    /// The payload is one zstd frame.
    Zstd,
}

impl Codec {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Stored => 0,
            Self::Zstd => 1,
        }
    }

    pub(super) fn of(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Stored),
            1 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// A compressed payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compressed {
    /// How.
    pub codec: Codec,
    /// The bytes to store.
    pub payload: Vec<u8>,
    /// Whether they can only be read against the base.
    pub uses_base: bool,
}

/// A payload that does not decompress to what its head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload cannot be decompressed")]
pub struct Undecodable;

/// zstd takes a base that begins like this for a trained dictionary; such a body is no base.
const DICTIONARY_MAGIC: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];

/// Largest window, as a power of two, that group frames use: 128 MiB, what zstd's own tool accepts
/// with `--long`.
const MAX_WINDOW_LOG: u32 = 27;

/// Room that is kept between pages, in bytes.
const MAX_SCRATCH: usize = 8 << 20;

thread_local! {
    // Contexts hold megabytes of tables; one a thread serves all pages.
    static COMPRESS: RefCell<CCtx<'static>> = RefCell::new(CCtx::create());
    static DECOMPRESS: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
    // Room for one result, so that no fresh memory is touched for every page.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    // Room for a base and what is compressed against it.
    static JOINED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Whether a body can serve as a base.
#[must_use]
pub fn can_be_base(body: &[u8]) -> bool {
    !body.starts_with(&DICTIONARY_MAGIC) && body.len() >= 64
}

/// Compresses `content`, against `base` if one is given; what compression would not make smaller is
/// stored as it is.
#[must_use]
pub fn compress(content: &[u8], base: Option<&[u8]>, level: i32) -> Compressed {
    compress_all(&[content], base, level)
}

/// The same for a content in several parts, one after the other.
#[must_use]
pub fn compress_all(parts: &[&[u8]], base: Option<&[u8]>, level: i32) -> Compressed {
    let base = base.filter(|base| can_be_base(base));
    match (parts, base) {
        ([content], None) => compress_after(content, 0, level),
        // In a room where it follows the base directly: zstd then takes both for one stretch of memory,
        // which it searches faster than two.
        _ => JOINED.with_borrow_mut(|joined| {
            let base = base.unwrap_or_default();
            joined.clear();
            joined.reserve(base.len() + parts.iter().map(|part| part.len()).sum::<usize>());
            joined.extend_from_slice(base);
            for part in parts {
                joined.extend_from_slice(part);
            }
            let made = compress_after(joined, base.len(), level);
            shrink(joined);
            made
        }),
    }
}

/// Compresses what follows the base, which is the first `base` bytes of `joined`.
fn compress_after(joined: &[u8], base: usize, level: i32) -> Compressed {
    let (base, content) = joined.split_at(base);
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        scratch.reserve(zstd_safe::compress_bound(content.len()));
        let written = COMPRESS.with_borrow_mut(|context| match base {
            [] => context.compress(scratch, content, level),
            base => context.compress_using_dict(scratch, content, base, level),
        });
        let made = match written {
            Ok(length) if length < content.len() => Compressed {
                codec: Codec::Zstd,
                payload: scratch.clone(),
                uses_base: !base.is_empty(),
            },
            _ => Compressed {
                codec: Codec::Stored,
                payload: content.to_vec(),
                uses_base: false,
            },
        };
        shrink(scratch);
        made
    })
}

/// A giant page must not keep its room for ever.
fn shrink(scratch: &mut Vec<u8>) {
    if scratch.capacity() > MAX_SCRATCH {
        *scratch = Vec::new();
    }
}

/// Whether a payload decompresses to these parts again, one after the other.
#[must_use]
pub fn comes_back(made: &Compressed, base: Option<&[u8]>, parts: &[&[u8]]) -> bool {
    let same = |mut read: &[u8]| {
        parts.iter().all(|part| {
            let rest = read.strip_prefix(*part);
            read = rest.unwrap_or_default();
            rest.is_some()
        }) && read.is_empty()
    };
    if made.codec == Codec::Stored {
        return same(&made.payload);
    }
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        scratch.reserve(parts.iter().map(|part| part.len()).sum());
        let read = DECOMPRESS.with_borrow_mut(|context| match base {
            Some(base) => context.decompress_using_dict(scratch, &made.payload, base),
            None => context.decompress(scratch, &made.payload),
        });
        let same = read.is_ok() && same(scratch);
        shrink(scratch);
        same
    })
}

/// Decompresses a payload of exactly `raw` bytes.
pub fn decompress(
    codec: Codec,
    payload: &[u8],
    base: Option<&[u8]>,
    raw: usize,
) -> Result<Vec<u8>, Undecodable> {
    match codec {
        Codec::Stored if payload.len() == raw && base.is_none() => Ok(payload.to_vec()),
        Codec::Stored => Err(Undecodable),
        Codec::Zstd => {
            let mut content = Vec::with_capacity(raw);
            DECOMPRESS
                .with_borrow_mut(|context| match base {
                    Some(base) => context.decompress_using_dict(&mut content, payload, base),
                    None => context.decompress(&mut content, payload),
                })
                .map_err(|_| Undecodable)?;
            (content.len() == raw).then_some(content).ok_or(Undecodable)
        }
    }
}

/// Compresses the bodies of a group as one long zstd frame against a prefix. `joined` is the prefix, of
/// so many bytes, and the bodies right behind it: in one stretch of memory zstd searches both faster.
pub fn compress_group(joined: &[u8], prefix: usize, level: i32) -> Result<Vec<u8>, Undecodable> {
    let (prefix, content) = joined.split_at_checked(prefix).ok_or(Undecodable)?;
    let window = usize::BITS - joined.len().leading_zeros();
    let window = window.clamp(10, MAX_WINDOW_LOG);
    let mut context = CCtx::create();
    let mut payload = Vec::with_capacity(zstd_safe::compress_bound(content.len()));
    let failed = |_| Undecodable;
    context
        .set_parameter(CParameter::CompressionLevel(level))
        .map_err(failed)?;
    context
        .set_parameter(CParameter::WindowLog(window))
        .map_err(failed)?;
    context
        .set_parameter(CParameter::EnableLongDistanceMatching(true))
        .map_err(failed)?;
    if !prefix.is_empty() {
        context.ref_prefix(prefix).map_err(failed)?;
    }
    context.compress2(&mut payload, content).map_err(failed)?;
    Ok(payload)
}

/// Decompresses the first `wanted` bytes of a group, which was compressed against these bytes, if any.
pub fn decompress_group(payload: &[u8], against: &[u8], wanted: usize) -> Result<Vec<u8>, Undecodable> {
    let failed = |_| Undecodable;
    // All of it in one pass is faster than as a stream.
    if zstd_safe::get_frame_content_size(payload).is_ok_and(|size| size == Some(wanted as u64)) {
        let against = Some(against).filter(|against| !against.is_empty());
        return decompress(Codec::Zstd, payload, against, wanted);
    }
    let mut context = DCtx::create();
    context
        .reset(ResetDirective::SessionAndParameters)
        .map_err(failed)?;
    context
        .set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG))
        .map_err(failed)?;
    if !against.is_empty() {
        context.ref_prefix(against).map_err(failed)?;
    }
    let mut content = Vec::with_capacity(wanted);
    let mut input = InBuffer::around(payload);
    while content.len() < wanted {
        let before = (content.len(), input.pos());
        let start = content.len();
        let mut output = OutBuffer::around_pos(&mut content, start);
        context
            .decompress_stream(&mut output, &mut input)
            .map_err(failed)?;
        if (content.len(), input.pos()) == before {
            return Err(Undecodable);
        }
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                b"abcdefgh ijkl mnop"[(state >> 40) as usize % 18]
            })
            .collect()
    }

    #[test]
    fn content_round_trips_with_and_without_a_base() {
        for length in [0, 1, 63, 100, 10_000, 300_000] {
            let base = text(1, length);
            let mut content = base.clone();
            content.extend_from_slice(b"and a little more");
            for base in [None, Some(&base[..])] {
                let made = compress(&content, base, 3);
                let base = base.filter(|_| made.uses_base);
                let back = decompress(made.codec, &made.payload, base, content.len());
                assert_eq!(back, Ok(content.clone()));
            }
        }
        // In memory of its own: zstd lets go of a base that overlaps what it compresses.
        let (base, copy) = (text(1, 100_000), text(1, 100_000));
        assert!(compress(&copy, Some(&base), 3).payload.len() < base.len() / 20);
    }

    #[test]
    fn wrong_lengths_and_bases_are_noticed() {
        let (base, content) = (text(1, 5000), text(2, 5000));
        let mut content = content;
        content.extend_from_slice(&base);
        let made = compress(&content, Some(&base), 3);
        assert!(decompress(made.codec, &made.payload, Some(&base), content.len() - 1).is_err());
        assert!(decompress(made.codec, &made.payload, Some(&base), content.len() + 1).is_err());
        assert_ne!(
            decompress(made.codec, &made.payload, None, content.len()),
            Ok(content.clone())
        );
        assert!(decompress(Codec::Stored, &content, None, 3).is_err());
    }

    #[test]
    fn groups_decode_as_far_as_wanted() {
        let prefix = text(3, 40_000);
        let content: Vec<u8> = (4..9)
            .flat_map(|seed| [text(seed, 9000), prefix.clone()].concat())
            .collect();
        let joined = [&prefix[..], &content].concat();
        let payload = compress_group(&joined, prefix.len(), 19).unwrap();
        assert!(compress_group(&joined, joined.len() + 1, 19).is_err());
        for wanted in [0, 1, 9000, 123_456, content.len()] {
            assert_eq!(
                decompress_group(&payload, &prefix, wanted).unwrap(),
                content[..wanted]
            );
        }
        assert!(decompress_group(&payload, &prefix, content.len() + 1).is_err());
        assert!(decompress_group(&payload[..payload.len() / 2], &prefix, content.len()).is_err());
    }
}
