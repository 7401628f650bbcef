//! The order in which bodies are written: what is alike side by side.

use std::collections::{HashSet, VecDeque};
use std::vec::IntoIter;

use rustc_hash::FxHashSet;

use crate::archive::{Among, Archive, ArchiveError};
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

/// What the packs that go hold, one series after the other: an archive may hold more than memory does.
/// A body of which a compacted pack that stays holds a copy is left out: a run that was stopped goes
/// on where it was.
pub(super) struct Arrangement<'a> {
    archive: &'a Archive,
    going: &'a HashSet<i64>,
    staying: HashSet<i64>,
    group_bytes: usize,
    /// Site, key and number of each article to come, in this order.
    articles: IntoIter<(Option<String>, String, i64)>,
    /// The site whose pages are being gathered.
    site: Option<String>,
    of_site: Series,
    ready: VecDeque<Series>,
    /// Half of the hash of each body that has its place: no two bodies share it.
    written: FxHashSet<[u8; 16]>,
    ended: bool,
}

fn half(hash: &Hash) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.0[..16]);
    half
}

impl<'a> Arrangement<'a> {
    /// What these packs hold. The versions of an article have a series of their own if they fill half of
    /// `group_bytes`.
    pub fn new(
        archive: &'a Archive,
        going: &'a HashSet<i64>,
        group_bytes: usize,
    ) -> Result<Self, ArchiveError> {
        let staying = archive
            .packs()?
            .iter()
            .filter(|pack| !going.contains(&pack.id) && is_good(pack))
            .map(|pack| pack.id)
            .collect();
        let mut articles: Vec<(Option<String>, String, i64)> = archive
            .article_keys()?
            .into_iter()
            .map(|(article, key)| (site(&key), key, article))
            .collect();
        articles.sort_unstable();
        Ok(Self {
            archive,
            going,
            staying,
            group_bytes,
            articles: articles.into_iter(),
            site: None,
            of_site: Series::default(),
            ready: VecDeque::new(),
            written: FxHashSet::default(),
            ended: false,
        })
    }

    /// Bytes of the bodies in the packs that go, at least those of all series.
    pub fn bytes(&self) -> Result<u64, ArchiveError> {
        self.going.iter().map(|&id| self.archive.body_bytes(id)).sum()
    }

    /// The next series; none of them is empty.
    pub fn next_series(&mut self) -> Result<Option<Series>, ArchiveError> {
        loop {
            while let Some(series) = self.ready.pop_front() {
                if !series.bodies.is_empty() || !series.snapshots.is_empty() {
                    return Ok(Some(series));
                }
            }
            if let Some((site, _, article)) = self.articles.next() {
                if site != self.site {
                    self.ready.push_back(std::mem::take(&mut self.of_site));
                    self.site = site;
                }
                let mut series = self.article(article)?;
                if series.bytes() > self.group_bytes as u64 / 2 {
                    series.is_article = true;
                    self.ready.push_back(series);
                } else {
                    self.of_site.bodies.append(&mut series.bodies);
                    self.of_site.snapshots.append(&mut series.snapshots);
                }
            } else if std::mem::replace(&mut self.ended, true) {
                return Ok(None);
            } else {
                self.ready.push_back(std::mem::take(&mut self.of_site));
                let orphans = self.orphans()?;
                self.ready.push_back(orphans);
            }
        }
    }

    fn article(&mut self, article: i64) -> Result<Series, ArchiveError> {
        let mut series = Series::default();
        for snapshot in self.archive.snapshots_of(article)? {
            let places = self.archive.places(&snapshot.body)?;
            let leaves = places.iter().any(|place| self.going.contains(&place.pack));
            let stays = places.iter().any(|place| self.staying.contains(&place.pack));
            if leaves && !stays && self.written.insert(half(&snapshot.body)) {
                series.bodies.push((snapshot.body, snapshot.length));
            }
            if self.lacks_record(snapshot.id)? {
                series.snapshots.push(snapshot.id);
            }
        }
        Ok(series)
    }

    /// Whether a record of the snapshot goes that no compacted pack that stays tells as well.
    fn lacks_record(&self, snapshot: i64) -> Result<bool, ArchiveError> {
        let packs = self.archive.record_packs(snapshot)?;
        if !packs.iter().any(|pack| self.going.contains(pack)) {
            return Ok(false);
        }
        if !packs.iter().any(|pack| self.staying.contains(pack)) {
            return Ok(true);
        }
        let stays = self.archive.records_of(snapshot, Among::Only(&self.staying))?;
        let goes = self.archive.records_of(snapshot, Among::Only(self.going))?;
        Ok(goes.iter().any(|record| !stays.contains(record)))
    }

    /// Bodies that no snapshot names, because their records were lost: kept all the same.
    fn orphans(&mut self) -> Result<Series, ArchiveError> {
        let forgotten = self.archive.refused()?;
        let mut series = Series::default();
        for &id in self.going {
            for (body, row) in self.archive.bodies_of(id)? {
                if forgotten.contains(&body) || !self.written.insert(half(&body)) {
                    continue;
                }
                let places = self.archive.places(&body)?;
                if !places.iter().any(|place| self.staying.contains(&place.pack)) {
                    series.bodies.push((body, row.length));
                }
            }
        }
        Ok(series)
    }
}

fn is_good(pack: &PackRow) -> bool {
    pack.cold && !pack.damaged
}
