//! Adding pages: plan in order, some together, encode anywhere, append in order. [`super::commit`] makes them
//! durable, while the writer goes on if it is on another thread.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::bases::{Bases, Choice};
use super::cache::{BaseCache, Body};
use super::commit::Sealed;
use super::gather::{EncodedFrame, Gathering, Group, Member};
use super::pinned::{Pin, from_packs, pin};
use super::read::Proven;
use super::unfinished::{from_unfinished, placed};
use super::{Archive, ArchiveError, held};
use crate::catalog::blocks::{Outline, OutlineBlock};
use crate::catalog::packs;
use crate::digest::{Hash, blake3};
use crate::pack::record::{MAX_OWN_PARTS, MAX_RECORD_BYTES};
use crate::pack::{MAX_PAGE_BYTES, Pack, PackBuilder, PackError, Record, SnapshotRecord};
use crate::page::{Moment, Page, article_key};

/// A pack should be committed when it has so many bytes, ...
const FULL_BYTES: u64 = 32 << 20;
/// ... or so many snapshots, ...
const FULL_PAGES: usize = 16_384;
/// ... or when their bodies have so many bytes: what the catalog gets is held until then.
const FULL_RAW_BYTES: u64 = 64 << 20;

/// ... or when so many blocks were read in them: a page of a megabyte can have a quarter of a million, of 64
/// bytes each.
const FULL_BLOCKS: usize = 2 << 20;

/// Memory asked for a pack, in bytes, so that few packs must be moved as they grow. What is not written to
/// costs nothing.
const ROOM: usize = 16 << 20;

/// How a writer works.
#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    /// zstd level of the pages.
    pub level: i32,
    /// Bytes of page bodies held as possible bases.
    pub base_cache: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            level: 3,
            base_cache: 32 << 20,
        }
    }
}

/// Adds pages to an archive. [`Writer::plan`] or [`Writer::plan_together`] and [`Writer::append`] are called in the order of the
/// pages; [`Job::encode`] between them may run on any thread.
#[derive(Debug)]
pub struct Writer<'a> {
    pub(super) archive: &'a Archive,
    pub(super) options: WriterOptions,
    pub(super) bases: Bases,
    pub(super) bodies: BaseCache,
    gathering: Gathering,
    pub(super) building: Building,
    /// Bodies that were taken out: no page may rest on them.
    pub(super) refused: FxHashSet<Hash>,
    /// Packs read for bases. They stay readable even if another process retires them meanwhile.
    pub(super) pinned: FxHashMap<i64, Pin>,
    /// Copies that were found to lead to a whole page since the last commit.
    pub(super) proven: Proven,
    /// Packs that were committed while another process held the catalog, so that it does not know them.
    pub(super) behind: Vec<Arc<Pack>>,
    /// Packs of this writer that hold what was taken out while it was on its way, or rest on it.
    pub(super) tainted: Vec<Hash>,
    /// The pack that is being committed.
    pub(super) sealed: Option<Arc<Sealed>>,
    /// Memory for the pack after the one being built.
    pub(super) room: Vec<u8>,
    pub(super) planned: u64,
    pub(super) appended: u64,
    /// Bodies in frames that were appended, whose records were not.
    pub(super) ahead: usize,
}

/// Address, moment and body of a snapshot.
pub(super) type Identity = (String, Option<Moment>, Hash);

/// The pack being built and what the catalog will be told about it.
#[derive(Debug)]
pub(super) struct Building {
    pub pack: PackBuilder<Vec<u8>>,
    /// One for each record, in the order of the records.
    pub outlines: Vec<Option<Outline>>,
    /// Where the bodies lie in the pack being built: the offset of the frame, and the place in it.
    pub frames: FxHashMap<Hash, (u64, u32)>,
    /// Bodies that are planned, appended or not, each with the job that brings it.
    pub bodies: FxHashMap<Hash, u64>,
    /// Snapshots that are planned, appended or not, with their jobs.
    pub identities: FxHashMap<Identity, u64>,
    pub raw_bytes: u64,
    /// Blocks in the outlines.
    pub blocks: usize,
}

impl Building {
    /// Nothing yet; the pack is written into `room`, whatever stood in it. The room a giant page needed
    /// is given back.
    pub fn new(mut room: Vec<u8>) -> Result<Self, ArchiveError> {
        room.clear();
        room.shrink_to(2 * FULL_BYTES as usize);
        room.reserve(ROOM);
        Ok(Self {
            pack: PackBuilder::new(room, false).map_err(ArchiveError::Building)?,
            outlines: Vec::new(),
            frames: FxHashMap::default(),
            bodies: FxHashMap::default(),
            identities: FxHashMap::default(),
            raw_bytes: 0,
            blocks: 0,
        })
    }

    fn frame(&mut self, frame: &EncodedFrame) -> Result<(), ArchiveError> {
        let at = frame.put(&mut self.pack).map_err(ArchiveError::Building)?;
        for (place, (hash, _)) in (0..).zip(&frame.bodies) {
            self.frames.insert(*hash, (at, place));
        }
        Ok(())
    }
}

/// A page and the BLAKE3 of its body: taken best where the page was just read, while its bytes are at hand.
#[derive(Debug)]
pub struct HashedPage {
    page: Page,
    hash: Hash,
}

impl From<Page> for HashedPage {
    fn from(page: Page) -> Self {
        let hash = blake3(&page.body);
        Self { page, hash }
    }
}

/// What is to be done with a page.
#[derive(Debug)]
pub enum Planned {
    /// The archive holds this snapshot already.
    Known,
    /// The page was taken out for ever and is not taken again.
    Forgotten,
    /// The page is new.
    Job(Box<Job>),
}

/// A page on its way into the pack. `Send`, so that it can be encoded on another thread.
#[derive(Debug)]
pub struct Job {
    number: u64,
    record: SnapshotRecord,
    outline: Option<Outline>,
    /// Whether the body is not stored yet.
    is_new: bool,
    /// The groups its body began.
    groups: Vec<Group>,
    level: i32,
}

/// A page ready to be appended.
#[derive(Debug)]
pub struct Encoded {
    number: u64,
    record: SnapshotRecord,
    outline: Option<Outline>,
    is_new: bool,
    frames: Vec<EncodedFrame>,
}

impl Encoded {
    /// Length of the body in bytes.
    #[must_use]
    pub fn raw_bytes(&self) -> u64 {
        self.record.length
    }

    /// Bytes of memory the page takes, about: what is known of its blocks, and the compressed bodies.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        let blocks = self.outline.as_ref().map_or(0, |outline| outline.blocks.len());
        self.stored_bytes() + (blocks * size_of::<OutlineBlock>()) as u64
    }

    /// Bytes the compressed bodies take: of the page, and of those that share its frame. 0 if it is stored
    /// already, or comes in the frame of an earlier page.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.frames.iter().map(|frame| frame.payload.len() as u64).sum()
    }
}

impl Job {
    /// Compresses the page, and those that share its frame, decodes the result again and compares it. What
    /// does not come back the same is stored as it is.
    #[must_use]
    pub fn encode(self) -> Encoded {
        let frames = self.groups.into_iter().flat_map(|group| group.encode(self.level));
        Encoded {
            number: self.number,
            record: self.record,
            outline: self.outline,
            is_new: self.is_new,
            frames: frames.collect(),
        }
    }
}

impl Archive {
    /// A writer that adds pages to this archive. Several writers, in this process or in others, do
    /// not disturb each other.
    pub fn writer(&self, options: WriterOptions) -> Result<Writer<'_>, ArchiveError> {
        if self.read_only {
            return Err(ArchiveError::ReadOnly);
        }
        Ok(Writer {
            archive: self,
            options,
            bases: Bases::default(),
            bodies: BaseCache::new(options.base_cache),
            gathering: Gathering::default(),
            building: Building::new(Vec::new())?,
            refused: self.refused()?,
            pinned: FxHashMap::default(),
            proven: Proven::default(),
            behind: Vec::new(),
            tainted: Vec::new(),
            sealed: None,
            room: Vec::new(),
            planned: 0,
            appended: 0,
            ahead: 0,
        })
    }
}

impl Writer<'_> {
    /// Decides what is to be done with a page. Without `outline` the block part of the catalog is
    /// left to `reindex`. A page that is too large, or of which too much is said, is refused; the writer
    /// can go on.
    pub fn plan(&mut self, page: Page, outline: Option<Outline>) -> Result<Planned, ArchiveError> {
        let one = self.plan_together(vec![(page.into(), outline)]).pop();
        one.unwrap_or(Err(ArchiveError::OutOfOrder))
    }

    /// The same for several pages, in their order: bodies that are alike share a frame.
    pub fn plan_together(
        &mut self,
        pages: Vec<(HashedPage, Option<Outline>)>,
    ) -> Vec<Result<Planned, ArchiveError>> {
        let mut planned: Vec<_> = pages
            .into_iter()
            .enumerate()
            .map(|(index, (page, outline))| self.plan_one(page, outline, index))
            .collect();
        for group in self.gathering.close() {
            // Whoever began a group is a job: nothing fails after that.
            if let Some(Ok(Planned::Job(job))) = planned.get_mut(group.begun_by) {
                job.groups.push(group);
            }
        }
        planned
    }

    fn plan_one(
        &mut self,
        HashedPage { page, hash }: HashedPage,
        outline: Option<Outline>,
        index: usize,
    ) -> Result<Planned, ArchiveError> {
        let length = page.body.len() as u64;
        if length > MAX_PAGE_BYTES {
            return Err(ArchiveError::TooLarge {
                address: page.address,
                length,
                limit: MAX_PAGE_BYTES,
            });
        }
        let key = article_key(&page.address);
        if self.refused.contains(&hash)
            && packs::is_forgotten(held(&self.archive.catalog).connection(), &key, &hash)?
        {
            return Ok(Planned::Forgotten);
        }
        if self.is_known(&page, &key, &hash)? {
            return Ok(Planned::Known);
        }
        let record = checked(SnapshotRecord::of(&page, hash))?;
        let body: Body = Arc::new(page.body);
        let counts = page.status.is_none_or(|status| status == 200);
        let stored = self.is_on_its_way(&hash) || self.is_stored(&hash, &body);
        let mut placed = None;
        if !stored {
            // What is no page of its article, and what was taken out elsewhere, keeps to itself.
            let alone = !counts || self.refused.contains(&hash);
            let choice = if counts {
                self.choose(&key, &record, outline.as_ref())?
            } else {
                Choice::Begin(None)
            };
            let choice = match choice {
                Choice::Join(_) if alone => Choice::Begin(None),
                choice => choice,
            };
            // The next group of the site rests on the body that began this one, and on that of an article only if it is
            // seen again.
            let unlikely = matches!(choice, Choice::Join(_)) && self.bases.is_new(self.archive, &key)?;
            self.building.bodies.insert(hash, self.planned);
            if unlikely {
                self.bodies.put_unlikely(hash, body.clone());
            } else {
                self.bodies.put(hash, body.clone());
            }
            let article = key.clone();
            let (mut newest, mut first) = self.gathering.put(choice, Member { hash, body, article }, index);
            if alone {
                (newest.group, first.group) = (None, None);
            }
            placed = Some((newest, first));
        }
        if counts {
            let page = (record.address.as_str(), &hash, outline.as_ref());
            // What cannot be remembered costs later pages a base, and this one nothing.
            let done = self.bases.remember(self.archive, &key, page, placed);
            for body in done.unwrap_or_default() {
                self.bodies.forget(&body);
            }
        }
        self.building
            .identities
            .insert((record.address.clone(), record.moment, hash), self.planned);
        let number = self.planned;
        self.planned += 1;
        Ok(Planned::Job(Box::new(Job {
            number,
            record,
            outline,
            is_new: !stored,
            groups: Vec::new(),
            level: self.options.level,
        })))
    }

    /// Whether the archive holds this snapshot: the same identity, or, for a page without a moment,
    /// the same bytes as the newest one.
    fn is_known(&mut self, page: &Page, key: &str, hash: &Hash) -> Result<bool, ArchiveError> {
        let identity = (page.address.clone(), page.moment, *hash);
        let sealed = self.sealed.as_ref();
        if self.building.identities.contains_key(&identity)
            || sealed.is_some_and(|sealed| sealed.identities.contains(&identity))
        {
            return Ok(true);
        }
        let is_newest = page.moment.is_none() && self.bases.newest(self.archive, key)? == Some(*hash);
        if is_newest && self.is_on_its_way(hash) {
            return Ok(true);
        }
        // A snapshot whose bytes are nowhere is not held: adding the page again heals it.
        Ok((is_newest || self.archive.has_identity(key, page, hash)?)
            && self.archive.is_reachable(hash, &mut self.proven)?)
    }

    /// Whether the pack being built or the one being committed will hold the body.
    fn is_on_its_way(&self, hash: &Hash) -> bool {
        let sealed = self.sealed.as_ref();
        self.building.bodies.contains_key(hash) || sealed.is_some_and(|sealed| sealed.bodies.contains(hash))
    }

    /// Whether a pack holds the body. It is read back: a copy that is damaged does not count, and
    /// adding the page again heals it.
    fn is_stored(&mut self, hash: &Hash, body: &Body) -> bool {
        let listed = self.archive.places(hash).is_ok_and(|places| !places.is_empty());
        let stored = listed && self.archive.body(hash).is_ok_and(|stored| stored == *body);
        if stored {
            pin(self.archive, &mut self.pinned, self.planned, hash);
        }
        stored
    }

    fn choose(
        &mut self,
        key: &str,
        record: &SnapshotRecord,
        outline: Option<&Outline>,
    ) -> Result<Choice, ArchiveError> {
        let page = (record.address.as_str(), record.length, outline);
        let Self {
            archive,
            bases,
            bodies,
            gathering,
            building,
            sealed,
            refused,
            pinned,
            planned,
            ..
        } = self;
        bases.choose(archive, key, page, refused, gathering, &mut |hash| {
            bodies.get(hash).or_else(|| {
                let body = match placed(building, sealed.as_deref(), hash) {
                    Some(_) => from_unfinished(archive, building, sealed.as_deref(), hash),
                    None => from_packs(archive, pinned, *planned, hash),
                }?;
                bodies.put(*hash, body.clone());
                Some(body)
            })
        })
    }

    /// Puts an encoded page into the pack being built. Jobs come back in the order in which they
    /// were planned.
    pub fn append(&mut self, encoded: Encoded) -> Result<(), ArchiveError> {
        if encoded.number != self.appended {
            return Err(ArchiveError::OutOfOrder);
        }
        self.appended += 1;
        let Encoded {
            record,
            outline,
            is_new,
            frames,
            ..
        } = encoded;
        for frame in frames {
            self.ahead += frame.bodies.len();
            self.building.frame(&frame)?;
        }
        self.ahead -= usize::from(is_new);
        self.building.raw_bytes += record.length;
        self.building.blocks += outline.as_ref().map_or(0, |outline| outline.blocks.len());
        self.building.pack.record(Record::Snapshot(record));
        self.building.outlines.push(outline);
        Ok(())
    }

    /// Whether every body that was appended has its record, so that a commit is possible: pages that were
    /// planned together may share frames.
    #[must_use]
    pub fn can_seal(&self) -> bool {
        self.ahead == 0
    }

    /// Snapshots appended since the last commit.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.building.pack.record_count() as u64
    }

    /// Length of the bodies of these snapshots in bytes.
    #[must_use]
    pub fn pending_raw_bytes(&self) -> u64 {
        self.building.raw_bytes
    }

    /// Bytes in the pack being built.
    #[must_use]
    pub fn pending_bytes(&self) -> u64 {
        self.building.pack.length()
    }

    /// Whether the pack being built has reached the size, the number of pages, the raw bytes or the blocks
    /// at which it should be committed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.pending_bytes() >= FULL_BYTES
            || self.building.pack.record_count() >= FULL_PAGES
            || self.building.raw_bytes >= FULL_RAW_BYTES
            || self.building.blocks >= FULL_BLOCKS
    }
}

/// Refuses a record that could not be stored: here and not when the pack is closed, which would cost every page
/// in it.
fn checked(record: SnapshotRecord) -> Result<SnapshotRecord, ArchiveError> {
    let length = record.stored_length();
    if length > MAX_RECORD_BYTES {
        return Err(ArchiveError::RecordTooLarge {
            address: record.address,
            length,
            limit: MAX_RECORD_BYTES,
        });
    }
    // A reader would refuse the frame, and with it all others in it. Few records are so long.
    let parts = if length > MAX_OWN_PARTS { record.parts() } else { 0 };
    if parts > MAX_OWN_PARTS {
        return Err(ArchiveError::TooManyParts {
            address: record.address,
            parts,
            limit: MAX_OWN_PARTS,
        });
    }
    Ok(record)
}

impl From<PackError> for ArchiveError {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Newer(what) => Self::Newer(what),
            error => Self::Building(error),
        }
    }
}
