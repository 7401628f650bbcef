//! Snapshots of an archive, chosen and restored.

use super::{Outgoing, Selection};
use crate::archive::{Archive, ArchiveError, Snapshot};
use crate::label::Reader;

/// The snapshots a selection takes, articles in order of their keys, snapshots of their moments.
pub fn chosen(archive: &Archive, selection: &Selection) -> Result<Vec<Snapshot>, ArchiveError> {
    let mut snapshots = archive.all_snapshots()?;
    snapshots.retain(|snapshot| selection.admits(&snapshot.address, snapshot.moment, snapshot.revision));
    Ok(snapshots)
}

/// Restores a snapshot; with a reader, its blocks too.
pub fn restored(
    archive: &Archive,
    snapshot: &Snapshot,
    reader: Option<&Reader>,
) -> Result<Outgoing, ArchiveError> {
    let page = archive.restore(snapshot)?;
    Ok(Outgoing {
        document: reader.map(|reader| reader.read(&page)),
        n: snapshot.n,
        body: snapshot.body,
        revision: snapshot.revision,
        article_hash: snapshot.article_hash,
        page,
    })
}
