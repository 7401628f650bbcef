//! The order in which bodies are written: what is alike side by side.

use std::collections::HashSet;

use rustc_hash::FxHashSet;

use crate::archive::{Archive, ArchiveError};
use crate::catalog::packs::PackRow;
use crate::digest::Hash;
use crate::page::site;

/// Bodies that are alike: the versions of one large article, or the pages of one site.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// Bodies to write, each once, with their lengths in bytes.
    pub bodies: Vec<(Hash, u64)>,
    /// Whether these are versions of one article: they share so much that a long frame is still
    /// decoded soon.
    pub is_article: bool,
    /// Snapshots whose records are to be written.
    pub snapshots: Vec<i64>,
}

impl Series {
    /// Bytes of all bodies.
    pub fn bytes(&self) -> u64 {
        self.bodies.iter().map(|(_, length)| length).sum()
    }
}

/// What the packs that go hold, in series. A body of which a compacted pack that stays holds a copy
/// is left out: a run that was stopped goes on where it was.
pub(super) fn arrange(
    archive: &Archive,
    going: &HashSet<i64>,
    group_bytes: usize,
) -> Result<Vec<Series>, ArchiveError> {
    let staying: HashSet<i64> = archive
        .packs()?
        .iter()
        .filter(|pack| !going.contains(&pack.id) && is_good(pack))
        .map(|pack| pack.id)
        .collect();
    // Snapshots are fetched article by article: an archive may hold more than memory does.
    let mut articles: Vec<(Option<String>, String, i64)> = archive
        .article_keys()?
        .into_iter()
        .map(|(article, key)| (site(&key), key, article))
        .collect();
    articles.sort_unstable();
    let mut written: FxHashSet<Hash> = FxHashSet::default();
    let mut all: Vec<Series> = Vec::new();
    let mut of_site = Series::default();
    let mut current: Option<String> = None;
    for (site, _, article) in articles {
        let snapshots = archive.snapshots_of(article)?;
        if site != current {
            all.push(std::mem::take(&mut of_site));
            current = site;
        }
        let mut article = Series::default();
        for snapshot in snapshots {
            let places = archive.places(&snapshot.body)?;
            let leaves = places.iter().any(|place| going.contains(&place.pack));
            let stays = places.iter().any(|place| staying.contains(&place.pack));
            if leaves && !stays && written.insert(snapshot.body) {
                article.bodies.push((snapshot.body, snapshot.length));
            }
            let records = archive.record_packs(snapshot.id)?;
            if records.iter().any(|pack| going.contains(pack))
                && !records.iter().any(|pack| staying.contains(pack))
            {
                article.snapshots.push(snapshot.id);
            }
        }
        if article.bytes() > group_bytes as u64 / 2 {
            article.is_article = true;
            all.push(article);
        } else {
            of_site.bodies.append(&mut article.bodies);
            of_site.snapshots.append(&mut article.snapshots);
        }
    }
    all.push(of_site);
    all.push(orphans(archive, going, &staying, &written)?);
    all.retain(|series| !series.bodies.is_empty() || !series.snapshots.is_empty());
    Ok(all)
}

fn is_good(pack: &PackRow) -> bool {
    pack.cold && !pack.damaged
}

/// Bodies that no snapshot names, because their records were lost: kept all the same.
fn orphans(
    archive: &Archive,
    going: &HashSet<i64>,
    staying: &HashSet<i64>,
    written: &FxHashSet<Hash>,
) -> Result<Series, ArchiveError> {
    let forgotten = archive.refused()?;
    let mut seen: FxHashSet<Hash> = FxHashSet::default();
    let mut series = Series::default();
    for &id in going {
        for (body, row) in archive.bodies_of(id)? {
            if written.contains(&body) || forgotten.contains(&body) || !seen.insert(body) {
                continue;
            }
            let places = archive.places(&body)?;
            if !places.iter().any(|place| staying.contains(&place.pack)) {
                series.bodies.push((body, row.length));
            }
        }
    }
    Ok(series)
}
