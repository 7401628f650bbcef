//! Where the records of a WARC began, for whoever has an index of it.

use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use super::revisit::address_key;
use crate::warc::{Record, RecordType};

/// The records of one WARC by offset, as many of the first as there is room for.
#[derive(Debug, Clone)]
pub(super) struct Offsets {
    seen: Arc<Mutex<FxHashMap<u64, Seen>>>,
    room: usize,
}

/// A record that began at an offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) address: u64,
    /// Whether it is a capture, which an index should have.
    pub(super) page: bool,
    pub(super) indexed: bool,
}

impl Offsets {
    pub(super) fn with_room(room: usize) -> Self {
        Self {
            seen: Arc::default(),
            room,
        }
    }

    pub(super) fn push(&self, record: &Record) {
        let Ok(mut offsets) = self.seen.lock() else { return };
        if offsets.len() >= self.room {
            return;
        }
        let kind = record.kind();
        let address = record.target().unwrap_or_default();
        let seen = Seen {
            address: address_key(address),
            page: matches!(
                kind,
                RecordType::Response | RecordType::Resource | RecordType::Revisit
            ),
            indexed: false,
        };
        // Of several records in one member only the first can be reached by its offset.
        offsets.entry(record.offset).or_insert(seen);
    }

    /// The records, and whether they are all there are.
    pub(super) fn take(self) -> (FxHashMap<u64, Seen>, bool) {
        let seen = self
            .seen
            .lock()
            .map(|mut offsets| std::mem::take(&mut *offsets))
            .unwrap_or_default();
        let all = seen.len() < self.room;
        (seen, all)
    }
}
