//! Revisit records: where their originals stand, in earlier records or in the archive.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use super::kept::Kept;
use super::payload::METADATA;
use super::section::Section;
use crate::page::{Moment, Page};
use crate::warc::digest::Declared;

/// Most keys of earlier records remembered, three a record; beyond it only the archive resolves a revisit.
/// About 64 bytes each.
const MAX_REMEMBERED: usize = 6_000_000;

/// Most decompressed bytes passed over, in all, to reach originals in the middle of a compressed
/// member: each costs all that stands before it.
const MAX_PASSED_OVER: u64 = 4 << 30;

/// What a revisit record says about its original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revisit {
    /// The original's address: `WARC-Refers-To-Target-URI`, else the revisit's own.
    pub address: String,
    /// The original's moment: `WARC-Refers-To-Date`.
    pub moment: Option<Moment>,
    /// The original's payload digest.
    pub digest: Option<Declared>,
    /// The moment of the revisit itself; the original is not later.
    pub at: Option<Moment>,
}

impl Revisit {
    /// Whether a page is certainly not the original: it declares payload digests, and neither they
    /// nor its bytes are what the revisit says.
    #[must_use]
    pub fn is_contradicted_by(&self, page: &Page) -> bool {
        self.digest.is_some() && declared(page).next().is_some() && !self.is_proved_by(page)
    }

    /// Whether a page has the digest the revisit says, by what its record declared or by its bytes.
    #[must_use]
    pub fn is_proved_by(&self, page: &Page) -> bool {
        self.digest
            .as_ref()
            .is_some_and(|wanted| declared(page).any(|known| known == *wanted) || wanted.fits(&page.body))
    }
}

/// The payload digests the record of a page declared.
fn declared(page: &Page) -> impl Iterator<Item = Declared> + '_ {
    let fields = page.metadata.get(METADATA);
    ["WARC-Payload-Digest", "X-Archive-Orig-WARC-Payload-Digest"]
        .into_iter()
        .filter_map(move |name| Declared::parse(fields?.get(name)?.as_str()?))
}

type Archive = dyn Fn(&Revisit) -> Result<Option<Page>, String> + Send + Sync;

/// Where the originals of revisits stand: a table of earlier records, shared by every clone, and the
/// archive if one was given.
#[derive(Clone, Default)]
pub struct Revisits {
    earlier: Arc<Mutex<FxHashMap<u64, Earlier>>>,
    kept: Arc<Mutex<Kept>>,
    passed_over: Arc<AtomicU64>,
    archive: Option<Arc<Archive>>,
}

impl fmt::Debug for Revisits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Revisits").finish_non_exhaustive()
    }
}

impl Revisits {
    /// Asks `archive` for originals that no earlier record holds. Its error says why it could not be
    /// read.
    #[must_use]
    pub fn with_archive(
        archive: impl Fn(&Revisit) -> Result<Option<Page>, String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            archive: Some(Arc::new(archive)),
            ..Self::default()
        }
    }

    /// Asks the archive.
    pub(super) fn ask_archive(&self, revisit: &Revisit) -> Result<Option<Page>, String> {
        self.archive.as_ref().map_or(Ok(None), |archive| archive(revisit))
    }

    pub(super) fn remember(&self, keys: impl Iterator<Item = u64>, earlier: &Earlier) {
        if let Ok(mut table) = self.earlier.lock() {
            for key in keys {
                if table.len() < MAX_REMEMBERED {
                    table.entry(key).or_insert_with(|| earlier.clone());
                }
            }
        }
    }

    /// Remembers a record as the last one of its address.
    pub(super) fn remember_last(&self, address: &str, earlier: &Earlier) {
        if let Ok(mut table) = self.earlier.lock() {
            let key = address_key(address);
            if table.len() < MAX_REMEMBERED || table.contains_key(&key) {
                table.insert(key, earlier.clone());
            }
        }
    }

    pub(super) fn find(&self, key: u64) -> Option<Earlier> {
        self.earlier.lock().ok()?.get(&key).cloned()
    }

    /// Keeps a page that cannot be read again, or only at great cost; its number.
    pub(super) fn keep(&self, page: &Page) -> Option<u64> {
        self.kept.lock().ok()?.put(page)
    }

    pub(super) fn kept(&self, number: u64) -> Option<Page> {
        self.kept.lock().ok()?.get(number)
    }

    /// Counts bytes passed over; whether more may be.
    pub(super) fn pass_over(&self, bytes: u64) -> bool {
        self.passed_over.fetch_add(bytes, Ordering::Relaxed) < MAX_PASSED_OVER
    }
}

/// An earlier record.
#[derive(Debug, Clone)]
pub(super) struct Earlier {
    /// Where to open it; `None` if its input cannot be opened again.
    pub(super) section: Option<Arc<Section>>,
    /// Offset of its member in the section.
    pub(super) offset: u64,
    /// Whether other records stand before it in its member, so that reaching it costs reading them.
    pub(super) dear: bool,
    /// Its number among the kept pages.
    pub(super) kept: Option<u64>,
    /// Whether it was taken in as a page.
    pub(super) page: bool,
}

/// The key of an address and moment in the table of earlier records.
pub(super) fn place_key(address: &str, moment: Moment) -> u64 {
    crate::digest::blake3(format!("{address}\n{}", moment.seconds()).as_bytes()).prefix()
}

/// The key of the last record of an address.
pub(super) fn address_key(address: &str) -> u64 {
    crate::digest::blake3(address.as_bytes()).prefix()
}
