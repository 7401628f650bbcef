//! Bodies of a damaged group that stand before the damage.

use rustc_hash::FxHashMap;

use crate::digest::{Hash, blake3};
use crate::pack::codec::{decompress, decompress_group};
use crate::pack::frame::Kind;
use crate::pack::{Frame, Pack};

/// Bodies that can still be decoded from a group whose payload does not match its check. A body counts
/// only if its BLAKE3 begins as the page table or the catalog says in `known`, by frame and place.
pub(super) fn salvage(
    pack: &Pack,
    frame: &Frame,
    known: &FxHashMap<(u64, u32), u64>,
) -> Vec<(Hash, Vec<u8>)> {
    let Ok(payload) = pack.bytes(frame.payload_at(), frame.stored as usize) else {
        return Vec::new();
    };
    let Some(prefix) = prefix(pack, frame) else {
        return Vec::new();
    };
    let ends: Vec<usize> = frame
        .lengths
        .iter()
        .scan(0, |end, length| {
            *end += *length as usize;
            Some(*end)
        })
        .collect();
    // What decodes up to one body decodes up to every body before it.
    let decodes = |end: &usize| decompress_group(&payload, &prefix, *end).is_ok();
    let count = ends.partition_point(decodes);
    let Some(&end) = count.checked_sub(1).and_then(|last| ends.get(last)) else {
        return Vec::new();
    };
    let Ok(content) = decompress_group(&payload, &prefix, end) else {
        return Vec::new();
    };
    let mut rest = content.as_slice();
    let mut bodies = Vec::new();
    for (place, length) in (0_u32..).zip(frame.lengths.iter().take(count)) {
        let (bytes, after) = rest.split_at(rest.len().min(*length as usize));
        rest = after;
        let body = blake3(bytes);
        if known.get(&(frame.at, place)) == Some(&body.prefix()) {
            bodies.push((body, bytes.to_vec()));
        }
    }
    bodies
}

/// The body that the group was compressed against; `None` if it cannot be read.
fn prefix(pack: &Pack, frame: &Frame) -> Option<Vec<u8>> {
    let Some(at) = frame.prefix else {
        return Some(Vec::new());
    };
    let (page, payload) = pack.payload(at).ok()?;
    if page.kind != Kind::Page || page.base.is_some() {
        return None;
    }
    let body = decompress(page.codec, &payload, None, page.raw as usize).ok()?;
    (page.body == Some(blake3(&body))).then_some(body)
}
