//! Bodies read from packs that are kept open, without the catalog: another process may take a body out, and
//! with it every word of where it lay, while pages that rest on it are on their way.

use std::sync::Arc;

use super::cache::Body;
use super::read::{MAX_FRAMES, group_bytes};
use crate::digest::{Hash, blake3};
use crate::pack::codec::decompress;
use crate::pack::frame::Kind;
use crate::pack::{MAX_DEPTH, Pack, TableRow};

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
    let body = match frame.kind {
        Kind::Page if frame.body == Some(*hash) && frame.depth < below => {
            let base = match frame.base {
                None => None,
                Some(base) => Some(follow(packs, &base, frame.depth, frames)?),
            };
            let base = base.as_ref().map(|base| base.as_slice());
            decompress(frame.codec, &payload, base, frame.raw as usize).ok()?
        }
        Kind::Group => {
            let range = frame.body_range(row.place)?;
            let content = group_bytes(pack, &frame, &payload, range.end).ok()?;
            content.get(range)?.to_vec()
        }
        _ => return None,
    };
    (blake3(&body) == *hash).then(|| Arc::new(body))
}
