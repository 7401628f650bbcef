//! Originals of `revisit` records, from the archive.

use std::sync::OnceLock;

use crate::archive::{Archive, ArchiveError, Snapshot};
use crate::page::{Moment, Page};
use crate::source::Revisit;

/// Most snapshots of an article that are restored to find the original of one revisit.
const MAX_TRIED: usize = 64;

/// Looks for originals in the archive that `open` opens, if there is one. It is opened when the first revisit asks, so
/// that input without any pays nothing; pages committed since are found too.
pub fn originals<O>(open: O) -> impl Fn(&Revisit) -> Result<Option<Page>, String> + Send + Sync + 'static
where
    O: Fn() -> Result<Option<Archive>, ArchiveError> + Send + Sync + 'static,
{
    let opened: OnceLock<Result<Option<Archive>, String>> = OnceLock::new();
    move |revisit| match opened.get_or_init(|| open().map_err(|error| error.to_string())) {
        Ok(None) => Ok(None),
        Ok(Some(archive)) => original(archive, revisit).map_err(|error| error.to_string()),
        Err(error) => Err(error.clone()),
    }
}

/// The page a revisit refers to: the snapshot of the moment it names, else one of the same address
/// with the digest it names, the newest first.
fn original(archive: &Archive, revisit: &Revisit) -> Result<Option<Page>, ArchiveError> {
    let snapshots = archive.snapshots(&revisit.address)?;
    let second = |moment: Option<Moment>| moment.map(Moment::seconds);
    let is_named =
        |snapshot: &&Snapshot| revisit.moment.is_some() && second(snapshot.moment) == second(revisit.moment);
    for snapshot in snapshots.iter().filter(is_named) {
        let page = archive.restore(snapshot)?;
        if !revisit.is_contradicted_by(&page) {
            return Ok(Some(page));
        }
    }
    if revisit.moment.is_some() && revisit.digest.is_none() {
        return Ok(None);
    }
    let earlier = snapshots
        .iter()
        .rev()
        .filter(|snapshot| !is_named(snapshot))
        .filter(|snapshot| revisit.at.is_none() || snapshot.moment <= revisit.at);
    for snapshot in earlier.take(MAX_TRIED) {
        let page = archive.restore(snapshot)?;
        if revisit.digest.is_none() || revisit.is_proved_by(&page) {
            return Ok(Some(page));
        }
    }
    Ok(None)
}
