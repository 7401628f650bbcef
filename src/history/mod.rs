//! The course of an article over its snapshots: what each changed, and for every paragraph when it
//! appeared and when it last changed.
//!
//! Never: compares two pages itself, prints.

mod blame;
mod changed;
mod compare;
mod course;
mod lives;
mod walk;

pub use blame::{Blame, Paragraph};
pub use compare::compare;
pub use course::{Compared, History, Options, Past, Step, StepKind, Told};
pub use walk::{Entry, Wanted, before_newest_change, entries, walk};
