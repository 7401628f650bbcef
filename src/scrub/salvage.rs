//! Bodies of a damaged group that stand before the damage.

use rustc_hash::FxHashMap;

use crate::archive::Archive;
use crate::digest::{Hash, blake3};
use crate::pack::codec::decompress_group;
use crate::pack::{Frame, Pack};

/// Bodies that can still be decoded from a group whose payload does not match its check. A body counts
/// only if its BLAKE3 begins as the page table or the catalog says in `known`, by frame and place.
pub(super) fn salvage(
    archive: &Archive,
    pack: &Pack,
    frame: &Frame,
    known: &FxHashMap<(u64, u32), u64>,
) -> Vec<(Hash, Vec<u8>)> {
    let Ok(payload) = pack.bytes(frame.payload_at(), frame.stored as usize) else {
        return Vec::new();
    };
    let Ok(prefix) = archive.against(pack, frame) else {
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
    let mut bodies = Vec::new();
    for (place, bytes) in (0_u32..).zip(frame.bodies(&content).take(count)) {
        let body = blake3(bytes);
        if known.get(&(frame.at, place)) == Some(&body.prefix()) {
            bodies.push((body, bytes.to_vec()));
        }
    }
    bodies
}
