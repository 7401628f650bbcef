//! Goes through the snapshots of articles in order of time. Only those that changed
//! ([`super::changed`]) are restored and read.

use std::sync::Arc;
use std::thread;

use super::changed::{changed, needed};
use super::compare::{by_rule, compare};
use super::course::{Compared, History, Options, Step, StepKind};
use crate::archive::{Archive, ArchiveError, Snapshot};
use crate::block::Document;
use crate::diff::{Filter, Place};
use crate::label::Reader;
use crate::pool;

/// One snapshot and what it changed.
#[derive(Debug)]
pub struct Entry {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// What it changed; `None` if its status keeps it from being a revision, or if it is lost.
    pub step: Option<Step>,
    /// Set for a suspect snapshot that comes a second time, right before the next one: its jump has
    /// stayed, and what it changed counts.
    pub settled: bool,
    /// Why the snapshot cannot be restored, if it cannot: the next one is compared with the one before it.
    pub lost: Option<String>,
}

impl Entry {
    /// Whether the snapshot is a revision whose changes are not all left out. A suspect one is, if its
    /// text differs from that of the snapshot before; the way back from it is none.
    #[must_use]
    pub fn is_revision(&self) -> bool {
        self.step.as_ref().is_some_and(|step| match step.kind {
            StepKind::First | StepKind::Revision => true,
            StepKind::Suspect => self.snapshot.revision && step.differs(),
            StepKind::Form | StepKind::Same => false,
        })
    }

    /// Whether it is the way back from a suspect snapshot: another text than the one before, the same as
    /// the one it was compared with.
    #[must_use]
    pub fn is_way_back(&self) -> bool {
        let same = |step: &Step| step.kind == StepKind::Same && step.diff.is_some();
        self.snapshot.revision && self.step.as_ref().is_some_and(same)
    }
}

/// What a walk is to find.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Which changes are left out.
    pub filter: &'a Filter,
    /// Whether changes outside the article are told as well, which takes reading more of the pages.
    pub outside: bool,
    /// Whether the blocks of an article's first snapshot are needed even if nothing changed since.
    pub documents: bool,
}

impl<'a> Wanted<'a> {
    /// What `filter` leaves; changes outside the article with `all`, or if the filter names that place.
    /// Only what changed is read.
    #[must_use]
    pub fn new(filter: &'a Filter, all: bool) -> Self {
        Self {
            filter,
            outside: all || filter.places.contains(&Place::Outside),
            documents: false,
        }
    }

    /// The same with the blocks of the first snapshot, whatever changed since.
    #[must_use]
    pub fn with_documents(self) -> Self {
        Self {
            documents: true,
            ..self
        }
    }
}

/// The entries of a walk over one article, each snapshot once: a suspect one whose jump has stayed as
/// what it was after all. And what is known of its paragraphs.
pub fn entries(
    archive: &Archive,
    snapshots: Vec<Snapshot>,
    reader: &Reader,
    wanted: Wanted,
) -> Result<(Vec<Entry>, History), ArchiveError> {
    let mut entries: Vec<Entry> = Vec::new();
    let history = walk(archive, snapshots, reader, wanted, &mut |entry| {
        let twin = entry.settled.then(|| {
            entries
                .iter_mut()
                .rfind(|known| known.snapshot.n == entry.snapshot.n)
        });
        match twin.flatten() {
            Some(suspect) => *suspect = entry,
            None => entries.push(entry),
        }
        Ok::<(), ArchiveError>(())
    })?;
    Ok((entries, history))
}

/// The one of an article's `snapshots` that stands before the newest change of the text. Snapshots without a change since then look the same to a
/// reader; nor is a suspect one held against those after it, unless its jump has stayed.
pub fn before_newest_change(
    archive: &Archive,
    reader: &Reader,
    snapshots: &[Snapshot],
) -> Result<Option<Snapshot>, ArchiveError> {
    let filter = Filter::default();
    let (entries, _) = entries(archive, snapshots.to_vec(), reader, Wanted::new(&filter, false))?;
    let before = entries.iter().enumerate().rev().find_map(|(at, entry)| {
        let step = entry.step.as_ref()?;
        let changed = match step.kind {
            StepKind::Revision => true,
            StepKind::Suspect => at + 1 == entries.len(),
            StepKind::First | StepKind::Form | StepKind::Same => false,
        };
        step.previous.filter(|_| changed)
    });
    Ok(before.and_then(|n| snapshots.iter().find(|snapshot| snapshot.n == n).cloned()))
}

/// Goes through `snapshots` in order, article by article, restoring and comparing on all cores, and
/// hands every one to `each`, also those that cannot be restored. The history of the last article.
pub fn walk<E: From<ArchiveError>>(
    archive: &Archive,
    snapshots: Vec<Snapshot>,
    reader: &Reader,
    wanted: Wanted,
    each: &mut dyn FnMut(Entry) -> Result<(), E>,
) -> Result<History, E> {
    let changed = changed(archive, &snapshots, reader, wanted.outside);
    let needed = needed(&changed, &snapshots, wanted.documents);
    let read = |(snapshot, needed): (Snapshot, bool)| {
        let document = needed.then(|| {
            archive
                .restore(&snapshot)
                .map(|page| Arc::new(reader.read(&page)))
        });
        (snapshot, document.transpose())
    };
    thread::scope(|scope| {
        let cores = pool::cores();
        let documents = pool::ordered(scope, cores, snapshots.into_iter().zip(needed), read);
        let mut before: Option<(i64, Arc<Document>)> = None;
        let pairs = documents.map(move |(snapshot, document)| {
            let pair = document.map(|document| {
                let document = document?;
                let old = before.replace((snapshot.article, Arc::clone(&document)));
                let old = old.filter(|(article, _)| *article == snapshot.article);
                Some((document, old.map(|(_, old)| old)))
            });
            (snapshot, pair)
        });
        let compared = pool::ordered(scope, cores, pairs, |(snapshot, pair)| {
            let compared = pair.map(|pair| {
                let (new, old) = pair?;
                let compared = old.map(|old| Compared {
                    diff: compare(&old, &new, &snapshot.address, reader, None),
                    old,
                });
                Some((new, compared))
            });
            (snapshot, compared)
        });
        let mut course = Course::default();
        for (snapshot, document) in compared {
            match document {
                // Damage costs what it hit, not the rest of the history.
                Err(error @ ArchiveError::Lost { .. }) => each(Entry {
                    snapshot,
                    step: None,
                    settled: false,
                    lost: Some(error.to_string()),
                })?,
                document => course.take(snapshot, document?, reader, wanted, each)?,
            }
        }
        Ok(course.history)
    })
}

/// Where the walk stands.
#[derive(Default)]
struct Course {
    article: Option<i64>,
    history: History,
    /// The snapshot that was set aside.
    aside: Option<Snapshot>,
}

impl Course {
    fn take<E>(
        &mut self,
        snapshot: Snapshot,
        read: Option<(Arc<Document>, Option<Compared>)>,
        reader: &Reader,
        wanted: Wanted,
        each: &mut dyn FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.article != Some(snapshot.article) {
            *self = Self {
                article: Some(snapshot.article),
                ..Self::default()
            };
        }
        if !snapshot.counts_as_revision() {
            return each(Entry {
                snapshot,
                step: None,
                settled: false,
                lost: None,
            });
        }
        let told = by_rule(reader, &snapshot.address, Some(wanted.filter), |diff| {
            let options = Options {
                diff,
                outside: wanted.outside,
            };
            match read {
                Some((document, compared)) => self.history.push(snapshot.n, document, compared, &options),
                None => self.history.same(snapshot.n, &options),
            }
        });
        let aside = self.aside.take();
        if let (Some(settled), Some(aside)) = (told.settled, aside) {
            each(Entry {
                snapshot: aside,
                step: Some(settled),
                settled: true,
                lost: None,
            })?;
        }
        if told.step.kind == StepKind::Suspect {
            self.aside = Some(snapshot.clone());
        }
        each(Entry {
            snapshot,
            step: Some(told.step),
            settled: false,
            lost: None,
        })
    }
}
