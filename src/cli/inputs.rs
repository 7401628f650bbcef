//! Pages that arguments name: files and whatever stands in them, or snapshots of the archive.

use super::arguments::{Sources, open_all};
use super::failure::Failure;
use super::hash::page_name;
use super::terminal::tell_user;
use super::{Global, Outcome, opened};
use crate::archive::Snapshot;
use crate::block::Document;
use crate::label::Reader;
use crate::page::Page;
use crate::recipe::PageInput;
use crate::source::Item;

/// A page that was read, by the name it is printed under.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) page: Page,
    pub(super) document: Document,
    /// The snapshot, if the page is from the archive.
    pub(super) snapshot: Option<Snapshot>,
}

/// Reads every page that was named. What cannot be read is told and makes the outcome
/// [`Outcome::Failed`].
pub(super) fn inputs(
    global: &Global,
    names: &[String],
    sources: &Sources,
    reader: &Reader,
) -> Result<(Vec<Input>, Outcome), Failure> {
    let options = sources.options();
    let mut inputs = Vec::new();
    let mut outcome = Outcome::Clean;
    for name in names {
        if name != "-" && !std::path::Path::new(name).exists() {
            let named = opened::page(global, name)?;
            inputs.push(Input {
                document: reader.read(&named.page),
                name: named.name,
                page: named.page,
                snapshot: named.snapshot,
            });
            continue;
        }
        let (sources, opening) = open_all(std::slice::from_ref(name), &options);
        if opening != Outcome::Clean {
            outcome = opening;
        }
        for item in sources.into_iter().flatten() {
            match item {
                Item::Page(page, place) => inputs.push(Input {
                    name: page_name(&page, &place),
                    document: reader.read(&page),
                    page: *page,
                    snapshot: None,
                }),
                Item::Skipped(fault) | Item::Noted(fault) => {
                    tell_user(&fault.to_string());
                    outcome = Outcome::Failed;
                }
                Item::LeftOut(_) => {}
            }
        }
    }
    Ok((inputs, outcome))
}

/// What recipes need to know of the page.
pub(super) fn page_input<'a>(input: &'a Input, reader: &'a Reader) -> PageInput<'a> {
    PageInput {
        address: Some(&input.page.address),
        attribute: reader.declared_attribute(),
        ..PageInput::new(&input.page.body, &input.document)
    }
}
