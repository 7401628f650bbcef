//! A run that only reads: what would be added, and what is wrong with the input.

use std::thread;

use rustc_hash::FxHashSet;

use super::{Event, IngestError, Summary};
use crate::archive::Archive;
use crate::digest::{Hash, blake3};
use crate::page::Page;
use crate::pool;
use crate::source::{Item, Listed, SourceOptions};

/// Reads every entry to its end, decodes it, checks its digests and counts it, and writes nothing.
/// New is what neither `archive` holds nor an earlier entry was. Pages are not cut into blocks: the
/// summary counts none.
pub fn survey(
    archive: Option<&Archive>,
    entries: impl Iterator<Item = Listed> + Send,
    sources: &SourceOptions,
    observe: &mut dyn FnMut(Event),
) -> Result<Summary, IngestError> {
    let mut summary = Summary::default();
    let mut seen = FxHashSet::default();
    thread::scope(|scope| {
        let read = pool::ordered(scope, pool::cores(), entries, |entry| {
            let (notes, item) = entry.read(sources);
            let hash = match &item {
                Item::Page(page, _) => blake3(&page.body),
                _ => Hash::default(),
            };
            (notes, hash, item)
        });
        for (notes, hash, item) in read {
            for item in notes.into_iter().map(Item::Noted).chain([item]) {
                match item {
                    Item::Page(page, _) => {
                        summary.pages += 1;
                        summary.raw_bytes += page.body.len() as u64;
                        let repeated = !seen.insert(identity(&page, &hash));
                        if repeated || archive.map_or(Ok(false), |archive| archive.holds(&page, &hash))? {
                            summary.known += 1;
                        } else {
                            summary.new += 1;
                        }
                        observe(Event::Advanced(page.body.len() as u64));
                    }
                    Item::Skipped(fault) => {
                        summary.skip(fault.reason);
                        observe(Event::Skipped(fault));
                    }
                    Item::LeftOut(fault) => summary.leave_out(fault.reason),
                    Item::Noted(fault) => {
                        summary.note(fault.reason);
                        observe(Event::Noted(fault));
                    }
                }
            }
        }
        Ok(summary)
    })
}

/// Address, moment and bytes in eight bytes.
fn identity(page: &Page, hash: &Hash) -> u64 {
    let moment = page.moment.map(|moment| moment.0);
    blake3(format!("{}\n{moment:?}\n{hash}", page.address).as_bytes()).prefix()
}
