//! An article's history, fed one snapshot after the other.

use std::sync::Arc;

use serde::Serialize;

use super::blame::Blame;
use super::lives::{Life, Register};
use crate::block::Document;
use crate::diff::{self, Diff, Filter, Op, Place, Summary, diff, is_revision};

/// What a revision says in which paragraphs only count as something else than before.
const LABEL_CHANGED: &str = "label changed";

/// An article's history, fed one snapshot after the other in order of time.
///
/// It keeps the last snapshot only. A snapshot whose extraction jumped is set aside: if the next one
/// is as before, nothing happened; if the jump stays, it is taken over.
#[derive(Debug, Default)]
pub struct History {
    started: bool,
    last: Option<State>,
    aside: Option<Aside>,
    register: Register,
}

/// What of each change is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// How pages are compared. Its filter only picks what is told: lives of paragraphs follow every
    /// change.
    pub diff: diff::Options<'a>,
    /// Tell changes outside the article as well.
    pub outside: bool,
}

#[derive(Debug)]
struct State {
    n: u64,
    document: Arc<Document>,
    lives: Vec<Life>,
}

#[derive(Debug)]
struct Aside {
    n: u64,
    document: Arc<Document>,
    diff: Diff,
}

/// A diff of two neighbours that was made beforehand, without a filter.
#[derive(Debug)]
pub struct Compared {
    /// The document that the new one was compared with.
    pub old: Arc<Document>,
    /// What changed since.
    pub diff: Diff,
}

/// What one snapshot changed.
#[derive(Debug)]
pub struct Step {
    /// The snapshot's number as given.
    pub n: u64,
    /// The number of the snapshot it was compared with.
    pub previous: Option<u64>,
    /// What kind of snapshot it is.
    pub kind: StepKind,
    /// The snapshot's blocks, where they had to be read.
    pub document: Option<Arc<Document>>,
    /// The blocks of the snapshot it was compared with.
    pub old: Option<Arc<Document>>,
    /// What changed; `None` for the first snapshot and for one that is known to be the same.
    pub diff: Option<Diff>,
    /// The past of the blocks in each of [`Diff::edits`], in the same order. Empty where the step is
    /// suspect: what it shows is no edit, unless the next snapshot says the same.
    pub pasts: Vec<Past>,
    /// Whether it is a revision in which no paragraph of the article changed, neither told nor left out:
    /// others than before count as the article.
    pub relabelled: bool,
}

impl Step {
    /// What kind of edit it was, in one line; `None` where it was compared with nothing.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        let told = Summary::of(self.diff.as_ref()?);
        Some(match (self.relabelled, told == Summary::default()) {
            (true, true) => LABEL_CHANGED.to_owned(),
            (true, false) => format!("{LABEL_CHANGED}; {told}"),
            (false, _) => told.to_string(),
        })
    }

    /// Whether there is something to show: a change, one that was left out, another label, a suspect
    /// extraction.
    #[must_use]
    pub fn shows(&self) -> bool {
        let told = |diff: &Diff| diff.suspect.is_some() || diff.differs() || diff.ignored.changes > 0;
        self.relabelled || self.diff.as_ref().is_some_and(told)
    }

    /// Whether any change is told.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.diff.as_ref().is_some_and(Diff::differs)
    }
}

/// The past of the blocks of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Past {
    /// Numbers of the paragraphs concerned, given in the order in which they appeared in the article;
    /// a paragraph keeps its number through edits and moves.
    pub paragraphs: Vec<u32>,
    /// The earliest snapshot in which any of them appeared.
    pub first: u64,
}

/// What a snapshot tells.
#[derive(Debug)]
pub struct Told {
    /// What the suspect snapshot before it changed, now that its jump has stayed.
    pub settled: Option<Step>,
    /// What the snapshot itself changed.
    pub step: Step,
}

/// What kind of snapshot a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// The first one.
    First,
    /// The ordered texts of the body differ from the snapshot before.
    Revision,
    /// The texts are equal; links, images, emphasis or a place besides the body differ.
    Form,
    /// Nothing of the article differs.
    Same,
    /// The extraction jumped; probably no edit.
    Suspect,
}

impl StepKind {
    /// The word used in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Revision => "revision",
            Self::Form => "form",
            Self::Same => "same",
            Self::Suspect => "suspect",
        }
    }
}

impl History {
    /// A history without snapshots.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next snapshot and tells what it changed. `n` is its number in the history. `compared`
    /// saves a comparison where it was made with the snapshot that is needed.
    pub fn push(
        &mut self,
        n: u64,
        document: Arc<Document>,
        compared: Option<Compared>,
        options: &Options,
    ) -> Told {
        let Some(last) = self.last.take() else {
            return only(self.first(n, document));
        };
        let mut compared = compared;
        let mut from = |old: &Arc<Document>| {
            if compared.as_ref().is_some_and(|made| Arc::ptr_eq(&made.old, old)) {
                return compared.take().map_or_else(Diff::default, |made| made.diff);
            }
            let all = diff::Options {
                filter: None,
                ..options.diff
            };
            diff(old, &document, &all)
        };
        let found = from(&last.document);
        let Some(aside) = self.aside.take() else {
            if found.suspect.is_some() {
                return only(self.set_aside(last, n, document, found, options));
            }
            return only(self.advance(last, n, document, found, options));
        };
        if found.suspect.is_none() {
            return only(self.advance(last, n, document, found, options));
        }
        let stays = from(&aside.document);
        if stays.suspect.is_some() {
            return only(self.set_aside(last, n, document, found, options));
        }
        // The jump stays: it becomes part of the history, then what changed since.
        let settled = self.settle(last, aside, options);
        let step = match self.last.take() {
            Some(last) => self.advance(last, n, document, stays, options),
            None => self.first(n, document),
        };
        Told {
            settled: Some(settled),
            step,
        }
    }

    /// Takes a snapshot that is known to have the same blocks as the one before, without its document;
    /// or the first one, if all that follow are known to be the same.
    pub fn same(&mut self, n: u64, options: &Options) -> Told {
        let settled = match (self.aside.take(), self.last.take()) {
            (Some(aside), Some(last)) => Some(self.settle(last, aside, options)),
            (_, last) => {
                self.last = last;
                None
            }
        };
        let step = Step {
            n,
            previous: self.last.as_ref().map(|last| last.n),
            kind: if std::mem::replace(&mut self.started, true) {
                StepKind::Same
            } else {
                StepKind::First
            },
            document: None,
            old: None,
            diff: None,
            pasts: Vec::new(),
            relabelled: false,
        };
        Told { settled, step }
    }

    /// Every block of the newest snapshot with its past; `None` before the first snapshot.
    #[must_use]
    pub fn blame(&self) -> Option<Blame> {
        let last = self.last.as_ref()?;
        Some(Blame::of(last.n, &last.document, &last.lives))
    }

    /// The number of the last snapshot if it is suspect: it was set aside, and nothing says yet whether its jump
    /// stays.
    #[must_use]
    pub fn left_aside(&self) -> Option<u64> {
        self.aside.as_ref().map(|aside| aside.n)
    }

    fn first(&mut self, n: u64, document: Arc<Document>) -> Step {
        self.started = true;
        let lives = document.blocks.iter().map(|_| self.register.born(n)).collect();
        self.last = Some(State {
            n,
            document: Arc::clone(&document),
            lives,
        });
        Step {
            n,
            previous: None,
            kind: StepKind::First,
            document: Some(document),
            old: None,
            diff: None,
            pasts: Vec::new(),
            relabelled: false,
        }
    }

    fn set_aside(
        &mut self,
        last: State,
        n: u64,
        document: Arc<Document>,
        diff: Diff,
        options: &Options,
    ) -> Step {
        let mut shown = diff.clone();
        tell(&mut shown, Vec::new(), &last.document, &document, options);
        let step = Step {
            n,
            previous: Some(last.n),
            kind: StepKind::Suspect,
            document: Some(Arc::clone(&document)),
            old: Some(Arc::clone(&last.document)),
            diff: Some(shown),
            pasts: Vec::new(),
            relabelled: false,
        };
        self.last = Some(last);
        self.aside = Some(Aside { n, document, diff });
        step
    }

    /// Takes over a snapshot whose jump has stayed: it is suspect no more.
    fn settle(&mut self, last: State, aside: Aside, options: &Options) -> Step {
        let diff = Diff {
            suspect: None,
            ..aside.diff
        };
        self.advance(last, aside.n, aside.document, diff, options)
    }

    fn advance(
        &mut self,
        last: State,
        n: u64,
        document: Arc<Document>,
        mut diff: Diff,
        options: &Options,
    ) -> Step {
        let mut pasts = Vec::new();
        let lives = self.register.after(
            &diff.changes,
            (&last.document, &last.lives),
            &document,
            n,
            &mut |past| pasts.push(past),
        );
        // Asked before anything is left out: a change that is not told is a change all the same.
        let quiet = diff.edits().all(|change| change.place == Place::Outside);
        let pasts = tell(&mut diff, pasts, &last.document, &document, options);
        // Without a filter a change that only the order of body texts shows still counts.
        let told = options.diff.filter.is_none_or(Filter::is_empty) || diff.differs();
        let kind = if told && is_revision(&last.document, &document) {
            StepKind::Revision
        } else if diff.edits().any(|change| change.place != Place::Outside) {
            StepKind::Form
        } else {
            StepKind::Same
        };
        self.last = Some(State {
            n,
            document: Arc::clone(&document),
            lives,
        });
        Step {
            n,
            previous: Some(last.n),
            kind,
            document: Some(document),
            old: Some(last.document),
            diff: Some(diff),
            pasts,
            relabelled: quiet && kind == StepKind::Revision,
        }
    }
}

fn only(step: Step) -> Told {
    Told { settled: None, step }
}

/// Leaves what is to be told in a diff; of the pasts of all its edits those of the ones that stay.
fn tell(diff: &mut Diff, pasts: Vec<Past>, old: &Document, new: &Document, options: &Options) -> Vec<Past> {
    let mut ignored = std::mem::take(&mut diff.ignored);
    let mut pasts = pasts.into_iter();
    let mut told = Vec::new();
    diff.changes.retain(|change| {
        if change.op == Op::Equal {
            return true;
        }
        let past = pasts.next();
        if !options.outside && change.place == Place::Outside {
            return false;
        }
        let filter = options.diff.filter;
        if let Some(reason) = filter.and_then(|filter| filter.leaves_out(change, &old.blocks, &new.blocks)) {
            ignored.count(change, &reason);
            return false;
        }
        told.extend(past);
        true
    });
    diff.ignored = ignored;
    told
}
