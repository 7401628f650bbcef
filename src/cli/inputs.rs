//! Pages that arguments name: files and whatever stands in them, or snapshots of the archive.

use std::fmt::Display;

use super::failure::Failure;
use super::hash::page_name;
use super::terminal::tell_user;
use super::{Outcome, opened};
use crate::archive::{Archive, Snapshot};
use crate::block::Document;
use crate::label::Reader;
use crate::page::Page;
use crate::recipe::PageInput;
use crate::source::{self, Item, SourceOptions};

/// A page that was read, by the name it is printed under.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) page: Page,
    pub(super) document: Document,
    /// The snapshot, if the page is from the archive.
    pub(super) snapshot: Option<Snapshot>,
}

/// The first of the names that is no file and no directory, and so must be a snapshot's.
pub(super) fn first_snapshot(names: &[String]) -> Option<&String> {
    names
        .iter()
        .find(|name| *name != "-" && !std::path::Path::new(name).exists())
}

/// Calls `each` with every page that was named, in order; `archive` is there if one of the names is a
/// snapshot's. What cannot be read is given to `tell` and makes the outcome [`Outcome::Failed`].
pub(super) fn each_input(
    archive: Option<&Archive>,
    names: &[String],
    options: &SourceOptions,
    reader: &Reader,
    tell: &mut dyn FnMut(&dyn Display),
    each: &mut dyn FnMut(Input) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Clean;
    let mut failed = |why: &dyn Display| {
        tell(why);
        outcome = Outcome::Failed;
    };
    for name in names {
        if first_snapshot(std::slice::from_ref(name)).is_some() {
            match opened::page(archive, name) {
                Ok(named) => each(Input {
                    document: reader.read(&named.page),
                    name: named.name,
                    page: named.page,
                    snapshot: named.snapshot,
                })?,
                Err(failure) => failed(&failure),
            }
            continue;
        }
        let source = match source::open(name, options) {
            Ok(source) => source,
            Err(error) => {
                failed(&error);
                continue;
            }
        };
        for item in source {
            match item {
                Item::Page(page, place) => each(Input {
                    name: page_name(&page, &place),
                    document: reader.read(&page),
                    page: *page,
                    snapshot: None,
                })?,
                Item::Skipped(fault) | Item::Noted(fault) => failed(&fault),
                Item::LeftOut(_) => {}
            }
        }
    }
    Ok(outcome)
}

/// Every page that was named, in memory. What cannot be read is told.
pub(super) fn inputs(
    archive: Option<&Archive>,
    names: &[String],
    options: &SourceOptions,
    reader: &Reader,
) -> Result<(Vec<Input>, Outcome), Failure> {
    let mut inputs = Vec::new();
    let mut keep = |input| {
        inputs.push(input);
        Ok(())
    };
    let outcome = each_input(archive, names, options, reader, &mut tell_why, &mut keep)?;
    Ok((inputs, outcome))
}

/// Tells the user why an input could not be read.
pub(super) fn tell_why(why: &dyn Display) {
    tell_user(&why.to_string());
}

/// What recipes need to know of the page.
pub(super) fn page_input<'a>(input: &'a Input, reader: &'a Reader) -> PageInput<'a> {
    PageInput {
        address: Some(&input.page.address),
        attribute: reader.declared_attribute(),
        ..PageInput::new(&input.page.body, &input.document)
    }
}
