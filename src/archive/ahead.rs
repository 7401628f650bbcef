//! Many pages at once: they are asked for in any order, and read in the order in which they lie.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::thread;

use rustc_hash::FxHashMap;

use super::cache::{Body, GROUPS_IN_USE};
use super::{Archive, ArchiveError, Snapshot};
use crate::catalog::packs::PageRow;
use crate::digest::Hash;
use crate::page::Page;
use crate::pool;

/// Bytes of bodies that are read before the first of them is handed on. A frame is decoded once for all bodies of it
/// that are among them; after `compact` it holds up to 16 MiB.
const AHEAD: u64 = 64 << 20;

/// Bodies of one frame by their places in it; the last one sorts first.
type Wanted = Vec<(Reverse<u32>, Hash)>;

impl Archive {
    /// Restores pages and hands them to `each`, in the order given.
    pub fn restore_each<E: From<ArchiveError>>(
        &self,
        snapshots: &[Snapshot],
        each: &mut dyn FnMut(&Snapshot, Page) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = snapshots;
        while !rest.is_empty() {
            let (mut bytes, mut places) = (0_u64, Vec::new());
            for snapshot in rest {
                // The length is that of the body itself: what a record says of it may be wrong.
                let place = self.places(&snapshot.body)?.first().copied();
                bytes = bytes.saturating_add(place.map_or(0, |place| place.length));
                if bytes > AHEAD && !places.is_empty() {
                    break;
                }
                places.push(place);
            }
            let (next, later) = rest.split_at(places.len());
            let bodies = self.read_ahead(next.iter().zip(places));
            for snapshot in next {
                let body = match bodies.get(&snapshot.body) {
                    Some(body) => body.clone(),
                    None => self.restore_body(snapshot)?,
                };
                each(snapshot, self.page_of(snapshot, &body))?;
            }
            rest = later;
        }
        Ok(())
    }

    /// Reads bodies, frame by frame. What cannot be read is left out, to be told when its turn comes.
    fn read_ahead<'s>(
        &self,
        snapshots: impl ExactSizeIterator<Item = (&'s Snapshot, Option<PageRow>)>,
    ) -> FxHashMap<Hash, Body> {
        if snapshots.len() < 2 {
            return FxHashMap::default();
        }
        let mut frames: BTreeMap<(i64, u64), Wanted> = BTreeMap::new();
        for (snapshot, place) in snapshots {
            let Some(place) = place else { continue };
            let frame = frames.entry((place.pack, place.at)).or_default();
            frame.push((Reverse(place.place), snapshot.body));
        }
        // The last body first: the frame is decoded up to it, and the others are there.
        let read = |mut frame: Wanted| -> Vec<(Hash, Body)> {
            frame.sort_unstable();
            frame.dedup();
            let read = |(_, hash): (_, Hash)| Some((hash, self.body(&hash).ok()?));
            frame.into_iter().filter_map(read).collect()
        };
        let workers = pool::cores().min(GROUPS_IN_USE);
        thread::scope(|scope| {
            pool::ordered(scope, workers, frames.into_values(), read)
                .flatten()
                .collect()
        })
    }
}
