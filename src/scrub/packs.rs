//! One pack: the file, its frames, its table, its records, and the catalog's rows of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;

use rustc_hash::FxHashMap;

use super::{Code, Finding, Run, SnapshotName, blocks, name_of};
use crate::archive::{Among, Archive, ArchiveError, Body, layout};
use crate::catalog::CatalogError;
use crate::catalog::blocks::Finder;
use crate::catalog::packs::{self, PackRow, PageRow};
use crate::catalog::snapshots;
use crate::digest::{Hash, blake3};
use crate::disk::{ReadAt, read_at};
use crate::label::Reader;
use crate::pack::build::{FOOTER, HEADER};
use crate::pack::frame::Kind;
use crate::pack::scan::{Piece, scan};
use crate::pack::{Directory, Frame, Pack, PackError, Record, SnapshotRecord};
use crate::page::article_key;
use crate::pool;

/// Bytes of a file that are hashed at once.
const PIECE: u64 = 1 << 20;

/// Prefix of a body, offset of its frame, place in it.
type Place = (u64, u64, u32);

/// What is known of a pack while it is checked.
struct Checked {
    row: PackRow,
    pack: Pack,
    directory: Option<Directory>,
    frames: Vec<Frame>,
    /// Ranges of bytes that are no frame.
    gaps: Vec<(u64, u64)>,
    /// Frames that cannot be read, by offset, with what is wrong.
    bad: BTreeMap<u64, (Code, String)>,
    /// Snapshots by the body that the pack's records name.
    records: FxHashMap<Hash, Vec<SnapshotRecord>>,
    /// Where bodies lie, as far as they were found.
    places: BTreeSet<Place>,
    /// Something was found that explains a file unlike its name.
    faulty: bool,
}

impl Run<'_> {
    /// Checks one pack. Only a failing catalog ends the run.
    pub(super) fn pack(&mut self, row: &PackRow) -> Result<(), ArchiveError> {
        let path = layout::pack_path(&row.name);
        let opened = self.archive.disk().open(&path).and_then(|file| {
            let name = hash_file(&*file)?;
            Ok((file, name))
        });
        let (file, name) = match opened {
            Ok(opened) => opened,
            // Retired by `compact` since the packs were listed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                self.report_pack(Code::PackUnreadable, Some(row.name), format!("{path}: {error}"));
                return Ok(());
            }
        };
        let mut faulty = false;
        let pack = match Pack::open(file.clone()) {
            Ok(pack) => pack,
            Err(PackError::Newer(what)) => {
                self.report_pack(Code::PackNewer, Some(row.name), format!("{path}: {what}"));
                return Ok(());
            }
            Err(error) => {
                faulty = true;
                self.report_pack(Code::PackHeader, Some(row.name), format!("{path}: {error}"));
                match Pack::open_damaged(file) {
                    Ok(pack) => pack,
                    Err(_) => return Ok(()),
                }
            }
        };
        let directory = match pack.directory() {
            Ok(directory) => Some(directory),
            Err(PackError::Newer(what)) => {
                self.report_pack(Code::PackNewer, Some(row.name), format!("{path}: {what}"));
                return Ok(());
            }
            Err(error) => {
                faulty = true;
                self.report_pack(Code::PackFooter, Some(row.name), format!("{path}: {error}"));
                None
            }
        };
        let mut checked = Checked {
            row: row.clone(),
            pack,
            directory,
            frames: Vec::new(),
            gaps: Vec::new(),
            bad: BTreeMap::new(),
            records: FxHashMap::default(),
            places: BTreeSet::new(),
            faulty,
        };
        self.frames(&mut checked);
        self.bodies(&mut checked)?;
        // What it held was read back elsewhere, and the catalog no longer tells where it lay here.
        if is_retired(self.archive, &row.name) {
            return Ok(());
        }
        table(&mut checked);
        self.losses(&checked)?;
        self.catalog_rows(&checked)?;
        self.missing_bodies(&checked)?;
        if name != row.name && !checked.faulty && checked.bad.is_empty() {
            let message = format!("{path} is {name} by its bytes, and everything in it can be read");
            self.report_pack(Code::PackName, Some(row.name), message);
        }
        Ok(())
    }

    /// Heads and checks of all frames, and the records.
    fn frames(&mut self, checked: &mut Checked) {
        let mut records_read = 0;
        let pieces: Vec<Piece> = scan(&checked.pack).collect();
        for piece in pieces {
            let frame = match piece {
                Piece::Frame(frame) => frame,
                Piece::Damage {
                    why: PackError::Newer(what),
                    ..
                } => {
                    self.report_pack(Code::PackNewer, Some(checked.row.name), what);
                    continue;
                }
                Piece::Damage { from, to, why } => {
                    checked.gaps.push((from, to));
                    let footer = checked.directory.is_none()
                        && to == checked.pack.length()
                        && to - from <= (FOOTER + HEADER) as u64;
                    if !footer {
                        checked.faulty = true;
                        let message = format!("bytes {from} to {to} are no frame: {why}");
                        checked.bad.insert(from, (Code::PackGap, message));
                    }
                    continue;
                }
            };
            let at = frame.at;
            if let Err(error) = checked.pack.payload(at) {
                let code = match frame.kind {
                    Kind::Records => Code::FrameRecords,
                    Kind::PageTable => Code::PackTable,
                    _ => Code::FramePayload,
                };
                checked.bad.insert(at, (code, error.to_string()));
            } else if frame.kind == Kind::Records {
                let records = checked.pack.records(at).and_then(|records| {
                    checked.pack.limit_records(records_read + records.len())?;
                    Ok(records)
                });
                match records {
                    Ok(records) => {
                        records_read += records.len();
                        for record in records.into_iter().flatten() {
                            if let Record::Snapshot(snapshot) = record {
                                checked.records.entry(snapshot.body).or_default().push(snapshot);
                            }
                        }
                    }
                    Err(PackError::Newer(what)) => {
                        self.report_pack(Code::PackNewer, Some(checked.row.name), what);
                    }
                    Err(error) => {
                        checked.bad.insert(at, (Code::FrameRecords, error.to_string()));
                    }
                }
            }
            checked.frames.push(frame);
        }
    }

    /// Decodes every body, on all cores, holds it against its hash and its blocks against the catalog.
    fn bodies(&mut self, checked: &mut Checked) -> Result<(), ArchiveError> {
        let finder = Mutex::new(self.archive.with_catalog(Finder::open)?);
        let decoder = Decoder {
            archive: self.archive,
            reader: self.reader,
            finder: &finder,
            checked,
            known: checked.pack.names().unwrap_or_default(),
        };
        let outcomes: Result<Vec<Outcome>, ArchiveError> = thread::scope(|scope| {
            let frames = checked.frames.iter();
            let work = |frame: &Frame| decoder.frame(frame);
            let mut results = pool::ordered(scope, pool::cores(), frames, work);
            let mut outcomes = Vec::new();
            for result in results.by_ref() {
                let outcome = result?;
                if !outcome.is_empty() {
                    outcomes.push(outcome);
                }
            }
            Ok(outcomes)
        });
        for outcome in outcomes? {
            self.summary.pages_checked += outcome.pages;
            self.summary.raw_bytes += outcome.raw_bytes;
            self.summary.snapshots_compared += outcome.compared;
            checked.places.extend(outcome.places);
            if let Some((code, message)) = outcome.fault {
                checked.bad.insert(outcome.at, (code, message));
            }
            for (snapshot, code, message) in outcome.blocks {
                self.report_blocks(checked.row.name, snapshot, code, &message)?;
            }
        }
        Ok(())
    }

    /// Reports a fault in the block part of the catalog.
    fn report_blocks(
        &mut self,
        pack: Hash,
        snapshot: i64,
        code: Code,
        message: &str,
    ) -> Result<(), ArchiveError> {
        let (article, name) = name_of(self.archive, snapshot)?.unzip();
        self.report(Finding {
            code,
            pack: Some(pack),
            article,
            snapshot: name,
            lost: false,
            message: format!("{message}; the page itself is whole"),
        });
        Ok(())
    }

    /// Reports every bad frame, with the snapshots it touches and whether another copy serves them.
    fn losses(&mut self, checked: &Checked) -> Result<(), ArchiveError> {
        let archive = self.archive;
        for (at, (code, message)) in &checked.bad {
            let end = checked
                .gaps
                .iter()
                .find(|gap| gap.0 == *at)
                .map_or(*at, |gap| gap.1 - 1);
            let touched = touched(archive, checked, *at, end)?;
            if touched.is_empty() {
                self.report_pack(*code, Some(checked.row.name), message.clone());
            }
            for (article, snapshot, by_body) in touched {
                let whole = !by_body || {
                    let known = archive.with_catalog(|conn| snapshots::bare(conn, snapshot.id))?;
                    known.is_some_and(|known| archive.body(&known.body).is_ok())
                };
                let fate = match (whole, by_body) {
                    (false, _) => "lost",
                    (true, true) => "still whole: another copy can be read",
                    (true, false) => {
                        "still whole; headers and metadata are gone unless another record has them"
                    }
                };
                self.report(Finding {
                    code: *code,
                    pack: Some(checked.row.name),
                    article: Some(article),
                    message: format!("{message}; {snapshot} is {fate}"),
                    snapshot: Some(snapshot),
                    lost: !whole,
                });
            }
        }
        Ok(())
    }

    /// Records whose body lies in another pack, or in none.
    fn missing_bodies(&mut self, checked: &Checked) -> Result<(), ArchiveError> {
        let mut records: Vec<&SnapshotRecord> = checked.records.values().flatten().collect();
        records.sort_by_key(|record| (&record.address, record.moment, record.body));
        let here: BTreeSet<u64> = checked.places.iter().map(|place| place.0).collect();
        let finder = Mutex::new(self.archive.with_catalog(Finder::open)?);
        for record in records {
            if here.contains(&record.body.prefix()) {
                continue;
            }
            // Without a number it was taken out, and its body is rightly gone.
            let Some(id) = id_of(self.archive, record)? else {
                continue;
            };
            if !self.archive.places(&record.body)?.is_empty() {
                // That it can be read is checked in the pack where it lies.
                if let Some(reader) = self.reader
                    && let Ok(body) = self.archive.body(&record.body)
                {
                    let page = record.clone().into_page(body.to_vec());
                    self.summary.snapshots_compared += 1;
                    let fault = blocks::compare(self.archive, reader, &finder, id, &page)?;
                    if let Some((code, message)) = fault {
                        self.report_blocks(checked.row.name, id, code, &message)?;
                    }
                }
                continue;
            }
            let snapshot = SnapshotName {
                id,
                address: record.address.clone(),
                moment: record.moment,
            };
            self.report(Finding {
                code: Code::BodyMissing,
                pack: Some(checked.row.name),
                article: Some(article_key(&record.address)),
                message: format!("no pack holds the body {} of {snapshot}; it is lost", record.body),
                snapshot: Some(snapshot),
                lost: true,
            });
        }
        Ok(())
    }

    /// The catalog's rows of the pack against what was found in it.
    fn catalog_rows(&mut self, checked: &Checked) -> Result<(), ArchiveError> {
        let rows = self
            .archive
            .with_catalog(|conn| packs::pages_of(conn, checked.row.id))?;
        if rows.is_empty() && is_retired(self.archive, &checked.row.name) {
            return Ok(());
        }
        let rows: BTreeSet<Place> = rows
            .into_iter()
            .map(|(prefix, row)| (prefix, row.at, row.place))
            .collect();
        let name = Some(checked.row.name);
        for place in checked.places.difference(&rows) {
            let message = format!("the catalog does not know the body at byte {}", place.1);
            self.report_pack(Code::CatalogLacks, name, message);
        }
        let frames: BTreeSet<u64> = checked.frames.iter().map(|frame| frame.at).collect();
        for place in rows.difference(&checked.places) {
            let in_gap = checked.gaps.iter().any(|gap| (gap.0..gap.1).contains(&place.1));
            let cut_off = place.1 >= checked.pack.length();
            let explained = in_gap || cut_off || checked.bad.contains_key(&place.1);
            if !explained {
                let what = if frames.contains(&place.1) {
                    "another body lies"
                } else {
                    "no frame begins"
                };
                let message = format!("the catalog names a body at byte {}, where {what}", place.1);
                self.report_pack(Code::CatalogStale, name, message);
            }
        }
        let mut records: Vec<&SnapshotRecord> = checked.records.values().flatten().collect();
        records.sort_by_key(|record| (&record.address, record.moment, record.body));
        for record in records {
            let key = article_key(&record.address);
            let forgotten = self
                .archive
                .with_catalog(|conn| packs::is_forgotten(conn, &key, &record.body))?;
            if forgotten {
                // Its headers and metadata, though the bytes may rightly be here for another address.
                let message = format!(
                    "a record of the body {} was taken out and is still stored; `forget --finish` removes it",
                    record.body
                );
                self.report_pack(Code::BodyForgotten, name, message);
            } else if id_of(self.archive, record)?.is_none() {
                let message = format!("the catalog does not know a snapshot of {}", record.address);
                self.report_pack(Code::CatalogLacks, name, message);
            }
        }
        Ok(())
    }
}

/// Whether another process has written the pack anew since the packs were listed.
fn is_retired(archive: &Archive, name: &Hash) -> bool {
    let opened = archive.disk().open(&layout::pack_path(name));
    opened.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// The page table and the directory against the frames.
fn table(checked: &mut Checked) {
    let Some(directory) = &checked.directory else {
        return;
    };
    let at = directory.page_table_at;
    if checked.bad.contains_key(&at) {
        return;
    }
    let (mut pages, mut records) = (0, 0);
    for frame in &checked.frames {
        match frame.kind {
            Kind::Page => pages += 1,
            Kind::Group => pages += frame.lengths.len() as u64,
            Kind::Records => records += frame.count,
            _ => {}
        }
    }
    let told = match checked.pack.page_table(at) {
        Err(error) => Some(error.to_string()),
        Ok(rows) => {
            let rows: BTreeSet<Place> = rows
                .into_iter()
                .map(|row| (row.prefix, row.at, row.place))
                .collect();
            let lacks = checked
                .places
                .iter()
                .find(|place| !checked.bad.contains_key(&place.1) && !rows.contains(place));
            lacks
                .map(|place| format!("the page table lacks the body at byte {}", place.1))
                .or_else(|| {
                    let whole = checked.gaps.is_empty();
                    (whole && (directory.pages, directory.records) != (pages, records)).then(|| {
                        format!(
                            "the directory counts {} pages and {} records, the frames hold {pages} and {records}",
                            directory.pages, directory.records
                        )
                    })
                })
        }
    };
    if let Some(message) = told {
        checked.faulty = true;
        checked.bad.insert(at, (Code::PackTable, message));
    }
}

/// Decodes frames; shared by the threads that do so.
struct Decoder<'a> {
    archive: &'a Archive,
    reader: Option<&'a Reader>,
    finder: &'a Mutex<Finder>,
    checked: &'a Checked,
    /// Prefixes of bodies by frame and place, from the page table.
    known: FxHashMap<(u64, u32), u64>,
}

/// What was found in one frame.
#[derive(Default)]
struct Outcome {
    at: u64,
    places: Vec<Place>,
    fault: Option<(Code, String)>,
    pages: u64,
    raw_bytes: u64,
    compared: u64,
    /// Faults in the block part of the catalog, by snapshot.
    blocks: Vec<(i64, Code, String)>,
}

impl Outcome {
    fn is_empty(&self) -> bool {
        self.places.is_empty() && self.fault.is_none()
    }
}

impl Decoder<'_> {
    fn frame(&self, frame: &Frame) -> Result<Outcome, ArchiveError> {
        let mut outcome = Outcome {
            at: frame.at,
            ..Outcome::default()
        };
        if self.checked.bad.contains_key(&frame.at) {
            return Ok(outcome);
        }
        match frame.kind {
            Kind::Page => {
                let body = frame.body.unwrap_or_default();
                outcome.places.push((body.prefix(), frame.at, 0));
                let place = PageRow {
                    pack: self.checked.row.id,
                    at: frame.at,
                    place: 0,
                    depth: frame.depth,
                    length: frame.raw,
                    base: frame.base.map(|base| base.prefix()),
                };
                match self.read(frame, || self.archive.copy_at(&place, &body, Among::All, &mut 0)) {
                    Ok(bytes) => self.body(&body, &bytes, &mut outcome)?,
                    Err(fault) => outcome.fault = Some(fault),
                }
            }
            Kind::Group => {
                let (id, pack) = (self.checked.row.id, &self.checked.pack);
                match self.read(frame, || self.archive.group_content(id, pack, frame)) {
                    Ok(content) => self.group(frame, &content, &mut outcome)?,
                    Err(fault) => outcome.fault = Some(fault),
                }
            }
            _ => {}
        }
        Ok(outcome)
    }

    /// Reads the bodies of a frame, or tells what is wrong with it. What it rests on may lie in a pack that another
    /// process has just written: then it is read once more.
    fn read(
        &self,
        frame: &Frame,
        read: impl Fn() -> Result<Body, PackError>,
    ) -> Result<Body, (Code, String)> {
        let again = |error: PackError| {
            let moved = frame.base.is_some() || error.is_missing();
            if moved && self.archive.refresh().is_ok() {
                read()
            } else {
                Err(error)
            }
        };
        read().or_else(again).map_err(|error| {
            let code = match &frame.base {
                Some(base) if self.archive.body(base).is_err() => Code::FrameBase,
                _ => Code::FrameContent,
            };
            (code, error.to_string())
        })
    }

    fn group(&self, frame: &Frame, content: &[u8], outcome: &mut Outcome) -> Result<(), ArchiveError> {
        for (place, bytes) in (0_u32..).zip(frame.bodies(content)) {
            let body = blake3(bytes);
            outcome.places.push((body.prefix(), frame.at, place));
            let known = self.known.get(&(frame.at, place));
            if known.is_some_and(|known| *known != body.prefix()) {
                let message = format!("body {place} is not the one the page table names");
                outcome.fault = Some((Code::FrameContent, message));
            }
            self.body(&body, bytes, outcome)?;
        }
        Ok(())
    }

    /// A body that is whole: the blocks of its snapshots are compared.
    fn body(&self, body: &Hash, bytes: &[u8], outcome: &mut Outcome) -> Result<(), ArchiveError> {
        outcome.pages += 1;
        outcome.raw_bytes += bytes.len() as u64;
        let Some(reader) = self.reader else {
            return Ok(());
        };
        for record in self.checked.records.get(body).into_iter().flatten() {
            if let Some(id) = id_of(self.archive, record)? {
                let page = record.clone().into_page(bytes.to_vec());
                outcome.compared += 1;
                let fault = blocks::compare(self.archive, reader, self.finder, id, &page)?;
                outcome
                    .blocks
                    .extend(fault.map(|(code, message)| (id, code, message)));
            }
        }
        Ok(())
    }
}

/// The number of the snapshot a record stands for.
fn id_of(archive: &Archive, record: &SnapshotRecord) -> Result<Option<i64>, CatalogError> {
    archive.with_catalog(|conn| {
        let Some(article) = snapshots::article(conn, &article_key(&record.address))? else {
            return Ok(None);
        };
        snapshots::find(conn, article, &record.address, record.moment, &record.body)
    })
}

/// Snapshots whose body or record lies in a range of offsets, both ends included, by catalog and page
/// table: article, name, and whether it is the body that lies there.
fn touched(
    archive: &Archive,
    checked: &Checked,
    from: u64,
    to: u64,
) -> Result<Vec<(String, SnapshotName, bool)>, ArchiveError> {
    let range = from..=to;
    let rows = archive.with_catalog(|conn| packs::pages_of(conn, checked.row.id))?;
    let mut prefixes: BTreeSet<u64> = rows
        .into_iter()
        .filter(|(_, row)| range.contains(&row.at))
        .map(|(prefix, _)| prefix)
        .collect();
    let table = checked.pack.names().unwrap_or_default().into_iter();
    prefixes.extend(
        table
            .filter(|((at, _), _)| range.contains(at))
            .map(|(_, prefix)| prefix),
    );
    let ids: BTreeMap<i64, bool> = archive.with_catalog(|conn| {
        let mut ids = BTreeMap::new();
        for (snapshot, at) in packs::records_of(conn, checked.row.id)? {
            if range.contains(&at) {
                ids.insert(snapshot, false);
            }
        }
        if !prefixes.is_empty() {
            let mut statement = conn.prepare("SELECT id, body FROM snapshots")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let body: Vec<u8> = row.get(1)?;
                let body = <[u8; 32]>::try_from(body).map(Hash).unwrap_or_default();
                if prefixes.contains(&body.prefix()) {
                    ids.insert(row.get(0)?, true);
                }
            }
        }
        Ok::<_, CatalogError>(ids)
    })?;
    let mut touched = Vec::with_capacity(ids.len());
    for (id, by_body) in ids {
        if let Some((article, name)) = name_of(archive, id)? {
            touched.push((article, name, by_body));
        }
    }
    Ok(touched)
}

/// The BLAKE3 of a whole file.
pub(super) fn hash_file(file: &dyn ReadAt) -> std::io::Result<Hash> {
    let length = file.len()?;
    let mut hasher = ::blake3::Hasher::new();
    let mut at = 0;
    while at < length {
        let piece = (length - at).min(PIECE);
        hasher.update(&read_at(file, at, piece as usize)?);
        at += piece;
    }
    Ok(Hash(*hasher.finalize().as_bytes()))
}
