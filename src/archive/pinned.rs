//! Bodies read from packs that are kept open, without the catalog: another process may take a body out, and
//! with it every word of where it lay, while pages that rest on it are on their way.

use std::sync::Arc;

use super::cache::Body;
use super::read::{MAX_FRAMES, prefix_body};
use crate::digest::{Hash, blake3};
use crate::pack::frame::Kind;
use crate::pack::{Against, MAX_DEPTH, Pack, TableRow};

/// The body, if these packs hold it and everything it rests on.
pub(super) fn body(packs: &[Arc<Pack>], hash: &Hash) -> Option<Body> {
    follow(packs, hash, MAX_DEPTH + 1, &mut 0)
}

/// The same from a copy whose depth is below `below`: depths fall along a delta, so no circle is possible.
/// `frames` counts what is read, as several damaged copies at every step must not make it endless.
fn follow(packs: &[Arc<Pack>], hash: &Hash, below: u32, frames: &mut u32) -> Option<Body> {
    packs.iter().find_map(|pack| {
        let table = pack.page_table(pack.directory().ok()?.page_table_at).ok()?;
        table
            .iter()
            .filter(|row| row.prefix == hash.prefix())
            .find_map(|row| copy(packs, pack, row, (hash, below), frames))
    })
}

fn copy(
    packs: &[Arc<Pack>],
    pack: &Pack,
    row: &TableRow,
    (hash, below): (&Hash, u32),
    frames: &mut u32,
) -> Option<Body> {
    *frames += 1;
    if *frames > MAX_FRAMES {
        return None;
    }
    let (frame, payload) = pack.payload(row.at).ok()?;
    if frame.depth >= below || (frame.kind == Kind::Page && frame.body != Some(*hash)) {
        return None;
    }
    let against = match frame.against() {
        Against::Nothing => None,
        Against::Prefix(at) => Some(Arc::new(prefix_body(pack, at).ok()?)),
        Against::Base(base, depth) => Some(follow(packs, base, depth, frames)?),
    };
    let against = against.as_ref().map(|against| against.as_slice());
    let body = frame.body_at(&payload, row.place, against).ok()?;
    (blake3(&body) == *hash).then(|| Arc::new(body))
}
