//! Where the records of a WARC began, for whoever has an index of it.

use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use super::revisit::address_key;
use crate::warc::{Record, RecordType};

/// The records of one WARC by offset.
#[derive(Debug, Clone, Default)]
pub(super) struct Offsets(Arc<Mutex<FxHashMap<u64, Seen>>>);

/// A record that began at an offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) address: u64,
    /// Whether it is a capture, which an index should have.
    pub(super) page: bool,
    pub(super) indexed: bool,
}

impl Offsets {
    pub(super) fn push(&self, record: &Record) {
        let Ok(mut offsets) = self.0.lock() else { return };
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

    pub(super) fn take(self) -> FxHashMap<u64, Seen> {
        self.0
            .lock()
            .map(|mut offsets| std::mem::take(&mut *offsets))
            .unwrap_or_default()
    }
}
