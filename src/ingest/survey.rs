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
        let read = pool::ordered(scope, pool::cores(), entries, |entry| match entry.read(sources) {
            Item::Page(page, _) => Read::Page(blake3(&page.body), page),
            other => Read::Other(other),
        });
        for read in read {
            match read {
                Read::Page(hash, page) => {
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
                Read::Other(Item::Skipped(fault)) => {
                    summary.skip(fault.reason);
                    observe(Event::Skipped(fault));
                }
                Read::Other(Item::LeftOut(fault)) => summary.leave_out(fault.reason),
                Read::Other(Item::Noted(fault)) => {
                    summary.note(fault.reason);
                    observe(Event::Noted(fault));
                }
                // The workers told pages apart.
                Read::Other(Item::Page(..)) => return Err(IngestError::Worker),
            }
        }
        Ok(summary)
    })
}

enum Read {
    Page(Hash, Box<Page>),
    Other(Item),
}

/// Address, moment and bytes in eight bytes.
fn identity(page: &Page, hash: &Hash) -> u64 {
    let moment = page.moment.map(|moment| moment.0);
    blake3(format!("{}\n{moment:?}\n{hash}", page.address).as_bytes()).prefix()
}
