//! Revisit records: where their originals stand, in earlier records or in the archive.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use super::kept::Kept;
use super::payload::{DIGEST_OF, METADATA, digest_of};
use super::section::Section;
use crate::page::{Moment, Page};
use crate::warc::Record;
use crate::warc::digest::{Declared, Meaning};

/// Most keys of earlier records remembered, four a record and one for each repeated; beyond it only the
/// archive resolves a revisit. About 64 bytes each.
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
    /// The id of the original's record: `WARC-Refers-To`.
    pub record: Option<String>,
    /// The original's payload digest.
    pub digest: Option<Declared>,
    /// The moment of the revisit itself; the original is not later.
    pub at: Option<Moment>,
}

impl Revisit {
    /// What a record says; `address` is its own.
    pub(super) fn of(record: &Record, address: &str) -> Self {
        Self {
            address: record.refers_to_target().unwrap_or(address).to_owned(),
            moment: record.refers_to_moment(),
            record: record.refers_to().map(str::to_owned),
            digest: digest_of(record, "WARC-Payload-Digest"),
            at: record.moment(),
        }
    }

    /// Whether a page is certainly not the original: it declares payload digests, and neither those
    /// that fitted its content nor its bytes are what the revisit says.
    #[must_use]
    pub fn is_contradicted_by(&self, page: &Page) -> bool {
        self.digest.is_some() && declared(page).next().is_some() && !self.is_proved_by(page)
    }

    /// Whether a page has the digest the revisit says, by its bytes or by what its record declared.
    #[must_use]
    pub fn is_proved_by(&self, page: &Page) -> bool {
        self.meaning_in(page).is_some()
    }

    /// Which bytes of a page the digest of the revisit means, if it is a digest of that page. What a
    /// record declared counts only where it fitted the content that came with it: a damaged record
    /// declares the digest of what it should have held.
    pub(super) fn meaning_in<'p>(&self, page: &'p Page) -> Option<&'p str> {
        let wanted = self.digest.as_ref()?;
        let checked = page
            .metadata
            .get(METADATA)
            .and_then(|fields| fields.get(DIGEST_OF)?.as_str());
        let by_record = checked.filter(|_| declared(page).any(|known| known == *wanted));
        by_record.or_else(|| wanted.fits(&page.body).then_some(Meaning::Decoded.as_str()))
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

    /// Remembers a record as the first of a key, else as the last of those after it: where the first
    /// turns out to be damaged, there is another.
    pub(super) fn remember(&self, keys: impl Iterator<Item = u64>, earlier: &Earlier) {
        if let Ok(mut table) = self.earlier.lock() {
            for key in keys {
                let key = if table.contains_key(&key) { again(key) } else { key };
                put(&mut table, key, earlier);
            }
        }
    }

    /// Remembers a record as the last one of its address.
    pub(super) fn remember_last(&self, address: &str, earlier: &Earlier) {
        if let Ok(mut table) = self.earlier.lock() {
            put(&mut table, address_key(address), earlier);
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

fn put(table: &mut FxHashMap<u64, Earlier>, key: u64, earlier: &Earlier) {
    if table.len() < MAX_REMEMBERED || table.contains_key(&key) {
        table.insert(key, earlier.clone());
    }
}

/// The key of the last record of a key that another record had before.
pub(super) fn again(key: u64) -> u64 {
    !key
}

/// The key of an address and moment in the table of earlier records.
pub(super) fn place_key(address: &str, moment: Moment) -> u64 {
    crate::digest::blake3(format!("{address}\n{}", moment.seconds()).as_bytes()).prefix()
}

/// The key of a record's id in the table of earlier records.
pub(super) fn record_key(id: &str) -> u64 {
    crate::digest::blake3(format!("\n{id}").as_bytes()).prefix()
}

/// An address in eight bytes: the key of its last record, and what indexes are held against.
pub(super) fn address_key(address: &str) -> u64 {
    crate::digest::blake3(address.as_bytes()).prefix()
}
