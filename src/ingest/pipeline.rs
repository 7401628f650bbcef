//! The run itself: two parallel stages with the writer's decisions between and after them. The writer plans
//! pages of several megabytes together, so that those that are alike share a frame. While a pack
//! is being committed the stages go on with the next.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{CommitEvery, Declared, Event, IngestError, Summary};
use crate::archive::{
    Archive, ArchiveError, Committer, Encoded, HashedPage, Job, Planned, Writer, WriterOptions,
};
use crate::block::Document;
use crate::catalog::blocks::{Outline, OutlineBlock};
use crate::label::{Reader, article_hash};
use crate::pool::{self, Ahead, Next};
use crate::source::{Fault, Item, Listed, Place, Reason, SourceOptions};

/// How often a silent source is left alone before the commit time is looked at.
const TICK: Duration = Duration::from_millis(200);

/// Pages that are parsed while the writer is held up, and the bytes of their bodies.
const PARSED_AHEAD: Ahead = Ahead {
    items: 256,
    weight: 8 << 20,
};

/// Pages that are encoded during a commit, and the bytes of memory they take: compressed bodies, and blocks,
/// which are more.
const ENCODED_AHEAD: Ahead = Ahead {
    items: 2048,
    weight: 32 << 20,
};

/// Pages that are planned together, and the bytes of their bodies.
const TOGETHER: Ahead = Ahead {
    items: 2048,
    weight: 16 << 20,
};

/// Bytes of the bodies that wait for a commit from which it is not put off until the last pages are
/// encoded: it is done meanwhile, and little is left for the end, when all other threads are idle.
const AT_THE_END: u64 = 16 << 20;

/// Adds every entry to the archive.
///
/// `observe` hears what happens, in input order. Entries that cannot be read are reported and counted,
/// the rest goes on; only a failing archive ends the run.
pub fn run(
    archive: &mut Archive,
    entries: impl Iterator<Item = Listed> + Send,
    sources: &SourceOptions,
    reader: &Reader,
    every: CommitEvery,
    observe: &mut dyn FnMut(Event),
) -> Result<Summary, IngestError> {
    let archive = &*archive;
    archive.declare_attribute(reader.declared_attribute())?;
    let writer = Mutex::new(archive.writer(WriterOptions::default())?);
    let workers = pool::cores();
    let gone = AtomicBool::new(false);
    thread::scope(|scope| {
        let read = |entry| parse(entry, sources, reader);
        let parsed = pool::ordered_ahead(scope, workers, PARSED_AHEAD, entries, read, Entry::bytes);
        let planned = Plan {
            writer: &writer,
            parsed,
            every,
            new: 0,
            gone: &gone,
            ready: VecDeque::new(),
        };
        let mut encoded =
            pool::ordered_ahead(scope, workers, ENCODED_AHEAD, planned, encode, Step::held_bytes);
        let mut sink = Sink {
            writer: &writer,
            committer: archive.committer(),
            every,
            observe,
            summary: Summary::default(),
            through: None,
            waiting_since: None,
            first_pending: None,
        };
        let drained = sink.drain(&mut encoded);
        gone.store(true, Ordering::Relaxed);
        drained.map(|()| sink.summary)
    })
}

/// The writer is shared between the planner, which asks it for bases, and the sink, which appends.
type Shared<'a> = Mutex<Writer<'a>>;

fn locked<'g, 'a>(writer: &'g Shared<'a>) -> MutexGuard<'g, Writer<'a>> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One entry after reading and parsing, and what was noted about it.
struct Entry {
    notes: Vec<Fault>,
    parsed: Parsed,
}

enum Parsed {
    Page(Box<ParsedPage>),
    Fault(Fault),
    LeftOut(Reason),
    Noted(Fault),
}

impl Entry {
    /// Bytes of memory it takes, about: of the body or, where they are more, of the blocks.
    fn held_bytes(&self) -> u64 {
        let blocks = match &self.parsed {
            Parsed::Page(parsed) => parsed.outline.blocks.len() * size_of::<OutlineBlock>(),
            Parsed::Fault(_) | Parsed::LeftOut(_) | Parsed::Noted(_) => 0,
        };
        self.bytes().max(blocks as u64)
    }

    /// Bytes of the body; what was parsed of it takes a fraction of them.
    fn bytes(&self) -> u64 {
        match &self.parsed {
            Parsed::Page(parsed) => parsed.counts.raw_bytes,
            Parsed::Fault(_) | Parsed::LeftOut(_) | Parsed::Noted(_) => 0,
        }
    }
}

struct ParsedPage {
    page: HashedPage,
    outline: Outline,
    place: Place,
    counts: Counts,
}

/// What is counted of a page, whatever becomes of it.
#[derive(Default)]
struct Counts {
    raw_bytes: u64,
    blocks: u64,
    body_blocks: u64,
    declared: Declared,
}

/// One entry on its way through the second stage.
enum Step {
    Known(Place, Counts),
    Forgotten(Place, Counts),
    Refused(ArchiveError, Place, Counts),
    Job(Box<Job>, Place, Counts),
    Encoded(Box<Encoded>, Place, Counts),
    Fault(Fault),
    LeftOut(Reason),
    Noted(Vec<Fault>),
    /// The next pages have waited since then.
    Since(Instant),
    /// So many pages were planned that a commit is due.
    Due,
    /// What follows was planned last.
    Last,
}

impl Step {
    /// Bytes of memory it takes, about.
    fn held_bytes(&self) -> u64 {
        match self {
            Self::Encoded(encoded, ..) => encoded.held_bytes(),
            _ => 0,
        }
    }
}

fn parse(entry: Listed, sources: &SourceOptions, reader: &Reader) -> Entry {
    let (notes, item) = entry.read(sources);
    let parsed = match item {
        Item::Page(page, place) => {
            let document = reader.read(&page);
            Parsed::Page(Box::new(ParsedPage {
                outline: Outline::of(&document, article_hash(&document)),
                counts: Counts {
                    raw_bytes: page.body.len() as u64,
                    blocks: document.blocks.len() as u64,
                    body_blocks: document.blocks.iter().filter(|block| block.body).count() as u64,
                    declared: declared(&document),
                },
                page: HashedPage::from(*page),
                place,
            }))
        }
        Item::Skipped(fault) => Parsed::Fault(fault),
        Item::LeftOut(fault) => Parsed::LeftOut(fault.reason),
        Item::Noted(fault) => Parsed::Noted(fault),
    };
    Entry { notes, parsed }
}

/// Counts declared hashes, and how many of them the canonical text or form gives.
fn declared(document: &Document) -> Declared {
    let mut counts = Declared::default();
    for block in &document.blocks {
        let Some(declared) = &block.declared else { continue };
        counts.blocks += 1;
        if let Ok(hash) = declared.trim().parse() {
            counts.reproduced += u64::from(block.text_hash == hash || block.form_hash == hash);
        }
    }
    counts
}

fn encode(step: Step) -> Step {
    match step {
        Step::Job(job, place, counts) => Step::Encoded(Box::new(job.encode()), place, counts),
        other => other,
    }
}

/// The iterator between the stages: asks the writer about the pages, in order.
struct Plan<'g, 'a> {
    writer: &'g Shared<'a>,
    parsed: pool::Ordered<Entry>,
    every: CommitEvery,
    /// New pages planned since a commit was due for their number.
    new: u64,
    /// Set when the sink is gone, so that a silent source holds nothing up.
    gone: &'g AtomicBool,
    /// What was planned and not yet taken.
    ready: VecDeque<Step>,
}

impl Iterator for Plan<'_, '_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.ready.is_empty() {
            self.plan();
        }
        self.ready.pop_front()
    }
}

impl Plan<'_, '_> {
    /// Plans the next entries together: as many as are worth it, or as have come when a commit is due.
    fn plan(&mut self) {
        let most = self.every.pages.map_or(TOGETHER.items, |pages| {
            pages.saturating_sub(self.new).clamp(1, TOGETHER.items)
        });
        let mut entries = Vec::new();
        let mut bytes = 0;
        let mut since = None;
        let mut is_last = false;
        while (entries.len() as u64) < most && bytes < TOGETHER.weight {
            match self.parsed.next_within(TICK) {
                Next::Item(entry) => {
                    since.get_or_insert_with(Instant::now);
                    bytes += entry.held_bytes();
                    entries.push(entry);
                }
                Next::Waiting if self.gone.load(Ordering::Relaxed) => break,
                Next::Waiting => {}
                Next::End => {
                    is_last = true;
                    break;
                }
                Next::Broken => break,
            }
            if let (Some(time), Some(since)) = (self.every.time, since)
                && since.elapsed() >= time / 2
            {
                break;
            }
        }
        self.ready.extend(since.filter(|_| is_last).map(|_| Step::Last));
        self.ready.extend(since.map(Step::Since));
        self.put(entries);
    }

    fn put(&mut self, entries: Vec<Entry>) {
        let mut pages = Vec::new();
        let mut told = Vec::with_capacity(entries.len());
        for Entry { notes, parsed } in entries {
            if !notes.is_empty() {
                told.push(Told::Step(Step::Noted(notes)));
            }
            told.push(match parsed {
                Parsed::Fault(fault) => Told::Step(Step::Fault(fault)),
                Parsed::LeftOut(reason) => Told::Step(Step::LeftOut(reason)),
                Parsed::Noted(fault) => Told::Step(Step::Noted(vec![fault])),
                Parsed::Page(parsed) => {
                    pages.push((parsed.page, Some(parsed.outline)));
                    Told::Page(parsed.place, parsed.counts)
                }
            });
        }
        let mut planned = locked(self.writer).plan_together(pages).into_iter();
        for told in told {
            let step = match told {
                Told::Step(step) => step,
                Told::Page(place, counts) => match planned.next() {
                    Some(Ok(Planned::Known)) => Step::Known(place, counts),
                    Some(Ok(Planned::Forgotten)) => Step::Forgotten(place, counts),
                    Some(Ok(Planned::Job(job))) => {
                        self.new += 1;
                        Step::Job(job, place, counts)
                    }
                    Some(Err(error)) => Step::Refused(error, place, counts),
                    None => continue,
                },
            };
            self.ready.push_back(step);
        }
        if self.every.pages.is_some_and(|pages| self.new >= pages) {
            self.new = 0;
            self.ready.push_back(Step::Due);
        }
    }
}

/// What becomes of an entry: known, or for the writer to say.
enum Told {
    Step(Step),
    Page(Place, Counts),
}

/// The end of the stages: appends in order, commits, counts, reports.
struct Sink<'g, 'a, 'o> {
    writer: &'g Shared<'a>,
    committer: Committer<'a>,
    every: CommitEvery,
    observe: &'o mut dyn FnMut(Event),
    summary: Summary,
    /// The last entry that was dealt with.
    through: Option<Place>,
    /// When the pages that are being taken were read.
    waiting_since: Option<Instant>,
    /// When the oldest page not yet committed was read.
    first_pending: Option<Instant>,
}

impl Sink<'_, '_, '_> {
    fn drain(&mut self, steps: &mut pool::Ordered<Step>) -> Result<(), IngestError> {
        loop {
            match steps.next_within(TICK) {
                Next::Item(step) => self.take(step)?,
                Next::Waiting => {}
                Next::End => break,
                Next::Broken => return Err(IngestError::Worker),
            }
            if self.commit_due() && locked(self.writer).can_seal() {
                self.commit()?;
            }
        }
        self.commit()
    }

    fn take(&mut self, step: Step) -> Result<(), IngestError> {
        match step {
            Step::Encoded(encoded, place, counts) => {
                let full = {
                    let mut writer = locked(self.writer);
                    writer.append(*encoded)?;
                    writer.is_full() && writer.can_seal()
                };
                self.summary.new += 1;
                self.first_pending
                    .get_or_insert_with(|| self.waiting_since.unwrap_or_else(Instant::now));
                self.count(place, &counts);
                if full {
                    self.commit()?;
                }
            }
            Step::Known(place, counts) => {
                self.summary.known += 1;
                self.count(place, &counts);
            }
            Step::Forgotten(place, counts) => {
                let message = "this page was taken down and is not taken in again";
                self.skip(Fault::new(place.clone(), Reason::Forgotten, message));
                self.count(place, &counts);
            }
            Step::Refused(
                error @ (ArchiveError::TooLarge { .. }
                | ArchiveError::RecordTooLarge { .. }
                | ArchiveError::TooManyParts { .. }),
                place,
                counts,
            ) => {
                self.skip(Fault::new(place.clone(), Reason::TooLarge, error.to_string()));
                self.count(place, &counts);
            }
            Step::Refused(error, ..) => return Err(error.into()),
            Step::Fault(fault) => {
                self.through = Some(fault.place.clone());
                self.skip(fault);
            }
            Step::LeftOut(reason) => self.summary.leave_out(reason),
            Step::Noted(faults) => {
                for fault in faults {
                    self.summary.note(fault.reason);
                    (self.observe)(Event::Noted(fault));
                }
            }
            Step::Since(since) => self.waiting_since = Some(since),
            Step::Due => self.commit()?,
            Step::Last => {
                if locked(self.writer).pending_raw_bytes() >= AT_THE_END {
                    self.commit()?;
                }
            }
            // Jobs are encoded by the second stage before they get here.
            Step::Job(..) => return Err(IngestError::Worker),
        }
        Ok(())
    }

    fn count(&mut self, place: Place, counts: &Counts) {
        self.summary.pages += 1;
        self.summary.raw_bytes += counts.raw_bytes;
        self.summary.blocks += counts.blocks;
        self.summary.body_blocks += counts.body_blocks;
        self.summary.declared.blocks += counts.declared.blocks;
        self.summary.declared.reproduced += counts.declared.reproduced;
        self.through = Some(place);
        (self.observe)(Event::Advanced(counts.raw_bytes));
    }

    fn skip(&mut self, fault: Fault) {
        self.summary.skip(fault.reason);
        (self.observe)(Event::Skipped(fault));
    }

    fn commit_due(&self) -> bool {
        match (self.every.time, self.first_pending) {
            (Some(time), Some(since)) => since.elapsed() >= time,
            _ => false,
        }
    }

    /// Commits what was appended; the planner and the workers go on meanwhile.
    fn commit(&mut self) -> Result<(), IngestError> {
        self.first_pending = None;
        let Some(sealed) = locked(self.writer).seal()? else {
            return Ok(());
        };
        let mut remembered = |hash: &_| locked(self.writer).remembered(hash);
        let committed = self.committer.commit(&sealed, &mut remembered)?;
        let commit = locked(self.writer).settle(sealed, committed);
        self.summary.stored_bytes += commit.stored_bytes;
        self.summary.packs += 1;
        if let Some(through) = self.through.clone() {
            (self.observe)(Event::Committed { commit, through });
        }
        Ok(())
    }
}
