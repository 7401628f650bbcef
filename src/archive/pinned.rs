//! Bodies read from packs that are kept open, without the catalog: another process may take a body out, and
//! with it every word of where it lay, while pages that rest on it are on their way.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Archive;
use super::cache::Body;
use super::read::{MAX_FRAMES, prefix_body};
use crate::digest::{Hash, blake3};
use crate::pack::frame::Kind;
use crate::pack::{Against, MAX_DEPTH, Pack, TableRow};

/// Packs a writer keeps open for the bases in them, at most: each costs a file handle.
const MAX_PINNED: usize = 64;

/// A pack that is kept open.
#[derive(Debug)]
pub(super) struct Pin {
    pub pack: Arc<Pack>,
    /// The last job with a base that may lie in it.
    pub job: u64,
}

/// A body of a committed pack, for job number `job`.
pub(super) fn from_packs(
    archive: &Archive,
    pinned: &mut FxHashMap<i64, Pin>,
    job: u64,
    hash: &Hash,
) -> Option<Body> {
    let body = archive.body(hash).ok()?;
    pin(archive, pinned, job, hash);
    Some(body)
}

/// Keeps the packs of a body open until what rests on it is safe: another process may retire them
/// meanwhile, or take the body out. With too many open already it goes without: then the body must still be
/// in memory, or the commit fails and says so.
pub(super) fn pin(archive: &Archive, pinned: &mut FxHashMap<i64, Pin>, job: u64, hash: &Hash) {
    for id in archive.way(hash).ok().flatten().into_iter().flatten() {
        if let Some(pin) = pinned.get_mut(&id) {
            pin.job = job;
        } else if pinned.len() < MAX_PINNED
            && let Ok(pack) = archive.pack(id)
        {
            pinned.insert(id, Pin { pack, job });
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, MemoryDisk};
    use crate::pack::PackBuilder;
    use crate::pack::codec::{compress, compress_all, compress_group};

    fn text(seed: u8) -> Vec<u8> {
        (0..4000_u32)
            .flat_map(|n| blake3(&[seed, (n % 97) as u8]).0[..4].to_vec())
            .collect()
    }

    fn pack(name: &str, build: impl FnOnce(&mut PackBuilder<Vec<u8>>)) -> Arc<Pack> {
        let mut builder = PackBuilder::new(Vec::new(), false).unwrap();
        build(&mut builder);
        let disk = MemoryDisk::new();
        disk.put(name, builder.finish().unwrap().out);
        Arc::new(Pack::open(disk.open(name).unwrap()).unwrap())
    }

    #[test]
    fn bodies_of_groups_are_followed_to_a_base_in_another_pack_and_to_a_prefix() {
        let bodies: Vec<Vec<u8>> = (0..5).map(text).collect();
        let hashes: Vec<Hash> = bodies.iter().map(|body| blake3(body)).collect();
        let named = |range: std::ops::Range<usize>| -> Vec<(Hash, u32)> {
            range.map(|n| (hashes[n], bodies[n].len() as u32)).collect()
        };
        let first = pack("first", |builder| {
            let made = compress(&bodies[0], None, 3);
            let raw = bodies[0].len() as u64;
            let at = builder
                .page(&hashes[0], raw, None, made.codec, &made.payload)
                .unwrap();
            let joined = [&bodies[0][..], &bodies[1], &bodies[2]].concat();
            let payload = compress_group(&joined, bodies[0].len(), 3).unwrap();
            builder
                .group(&named(1..3), Against::Prefix(at), &payload)
                .unwrap();
        });
        let second = |depth| {
            pack("second", |builder| {
                let made = compress_all(&[&bodies[3], &bodies[4]], Some(&bodies[2]), 3);
                let against = Against::Base(&hashes[2], depth);
                builder.group(&named(3..5), against, &made.payload).unwrap();
            })
        };
        let packs = [second(1), first.clone()];
        for (hash, expected) in hashes.iter().zip(&bodies) {
            assert_eq!(*body(&packs, hash).unwrap(), *expected);
        }
        assert!(body(&packs[..1], &hashes[4]).is_none(), "its base is not there");
        assert!(body(&packs[..1], &hashes[0]).is_none());
    }
}
