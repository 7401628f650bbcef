//! Goes through the snapshots of articles in order of time. The catalog's block hashes tell which of
//! them changed at all; only those are restored and read.

use std::sync::Arc;
use std::thread;

use super::course::{Compared, History, Options, Step, StepKind};
use crate::archive::{Archive, ArchiveError, Snapshot};
use crate::block::Document;
use crate::catalog::blocks::{OutlineBlock, Outlines};
use crate::diff::{self, Filter, diff};
use crate::label::{Reader, image_identity};
use crate::pool;

/// One snapshot and what it changed.
#[derive(Debug)]
pub struct Entry {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// What it changed; `None` if its status keeps it from being a revision.
    pub step: Option<Step>,
    /// Set for a suspect snapshot that comes a second time, right before the next one: its jump has
    /// stayed, and what it changed counts.
    pub settled: bool,
}

impl Entry {
    /// Whether the snapshot is a revision whose changes are not all left out.
    #[must_use]
    pub fn is_revision(&self) -> bool {
        let step = self.step.as_ref();
        let shown = step
            .and_then(|step| step.diff.as_ref())
            .is_none_or(diff::Diff::differs);
        self.snapshot.revision && shown
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

/// Goes through `snapshots` in order, article by article, restoring and comparing on all cores, and
/// hands every one to `each`. The history of the last article.
pub fn walk<E: From<ArchiveError>>(
    archive: &Archive,
    snapshots: Vec<Snapshot>,
    reader: &Reader,
    wanted: Wanted,
    each: &mut dyn FnMut(Entry) -> Result<(), E>,
) -> Result<History, E> {
    let changed = changed(archive, &snapshots, wanted.outside);
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
                    diff: compare(&old, &new, &snapshot, reader),
                    old,
                });
                Some((new, compared))
            });
            (snapshot, compared)
        });
        let mut course = Course::default();
        for (snapshot, document) in compared {
            course.take(snapshot, document?, reader, wanted, each)?;
        }
        Ok(course.history)
    })
}

fn compare(old: &Document, new: &Document, snapshot: &Snapshot, reader: &Reader) -> diff::Diff {
    let rule = reader.rule(&snapshot.address);
    let identity = |src: &str| image_identity(rule, src);
    let options = diff::Options {
        image_identity: Some(&identity),
        filter: None,
    };
    diff(old, new, &options)
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
            });
        }
        let rule = reader.rule(&snapshot.address);
        let identity = |src: &str| image_identity(rule, src);
        let options = Options {
            diff: diff::Options {
                image_identity: Some(&identity),
                filter: Some(wanted.filter),
            },
            outside: wanted.outside,
        };
        let told = match read {
            Some((document, compared)) => self.history.push(snapshot.n, document, compared, &options),
            None => self.history.same(snapshot.n, &options),
        };
        let aside = self.aside.take();
        if let (Some(settled), Some(aside)) = (told.settled, aside) {
            each(Entry {
                snapshot: aside,
                step: Some(settled),
                settled: true,
            })?;
        }
        if told.step.kind == StepKind::Suspect {
            self.aside = Some(snapshot.clone());
        }
        each(Entry {
            snapshot,
            step: Some(told.step),
            settled: false,
        })
    }
}

/// For each snapshot whether its blocks differ from those of the one before it: the body's and the
/// headings, of which one may be the headline, or with `outside` all of them. The first of an article
/// always does.
fn changed(archive: &Archive, snapshots: &[Snapshot], outside: bool) -> Vec<bool> {
    let mut outlines = Outlines::default();
    let mut before: Option<&Snapshot> = None;
    let mut is_changed = |snapshot: &Snapshot, old: &Snapshot| {
        if snapshot.revision || snapshot.form_change || snapshot.body == old.body {
            return snapshot.revision || snapshot.form_change;
        }
        archive.with_catalog(|catalog| {
            let mut of = |snapshot: &Snapshot| outlines.get(catalog, snapshot.id);
            match (of(old), of(snapshot)) {
                (Ok(old), Ok(new)) if outside => !same(old.iter(), new.iter()),
                (Ok(old), Ok(new)) => {
                    let heading = |block: &&OutlineBlock| block.kind.is_heading();
                    !same(old.iter().filter(heading), new.iter().filter(heading))
                }
                // Where the catalog does not know, the page does.
                _ => true,
            }
        })
    };
    snapshots
        .iter()
        .map(|snapshot| {
            if !snapshot.counts_as_revision() {
                return false;
            }
            let old = before.replace(snapshot);
            old.filter(|old| old.article == snapshot.article)
                .is_none_or(|old| is_changed(snapshot, old))
        })
        .collect()
}

fn same<'a>(
    old: impl Iterator<Item = &'a OutlineBlock>,
    mut new: impl Iterator<Item = &'a OutlineBlock>,
) -> bool {
    for old in old {
        let same = |new: &OutlineBlock| old.body == new.body && old.same_form(new);
        if !new.next().is_some_and(same) {
            return false;
        }
    }
    new.next().is_none()
}

/// Which snapshots must be restored: those that changed. The first of an article only if there is
/// another to compare it with, or if `documents` are wanted.
fn needed(changed: &[bool], snapshots: &[Snapshot], documents: bool) -> Vec<bool> {
    let mut needed = changed.to_vec();
    if documents {
        return needed;
    }
    let mut at = 0;
    for article in snapshots.chunk_by(|a, b| a.article == b.article) {
        let own = &mut needed[at..at + article.len()];
        if own.iter().filter(|&&changed| changed).count() == 1 {
            own.fill(false);
        }
        at += article.len();
    }
    needed
}
