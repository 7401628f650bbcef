//! Puts right what can be put right. Works on copies; what is damaged is kept in `quarantine/`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write as _;

use rustc_hash::FxHashMap;

use super::packs::hash_file;
use super::recover::recover;
use super::salvage::salvage;
use super::{Finding, ScrubEvent, ScrubOptions, ScrubSummary, SnapshotName, scrub, stray_files};
use crate::archive::{Among, Archive, ArchiveError, Maintenance, layout};
use crate::catalog::blocks::Outline;
use crate::catalog::packs::{PageRow, RecordRow};
use crate::catalog::{CatalogError, packs, snapshots};
use crate::digest::{Hash, blake3};
use crate::label::{Reader, article_hash};
use crate::pack::codec::compress;
use crate::pack::frame::Kind;
use crate::pack::scan::{Piece, scan};
use crate::pack::{Against, Frame, Pack, PackBuilder, Record, SnapshotRecord, Tombstone};
use crate::page::Moment;

/// zstd level of bodies that are saved from a damaged group.
const SALVAGE_LEVEL: i32 = 3;

/// What a repair tells while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepairEvent {
    /// A fault that was found.
    Finding(Finding),
    /// Texts of a lost page were found in other pages.
    Recovered {
        /// The lost snapshot.
        snapshot: SnapshotName,
        /// Blocks of the page.
        blocks: u64,
        /// Blocks whose text was found.
        texts: u64,
        /// File inside the archive that holds them.
        path: String,
    },
    /// A damaged pack was written anew from what can be read of it.
    Mended {
        /// The damaged pack.
        pack: Hash,
        /// The new one; `None` if nothing could be read.
        new: Option<Hash>,
        /// Bodies that went into the new pack.
        pages: u64,
        /// Records written anew from the catalog.
        records_rebuilt: u64,
        /// Where the damaged file is kept.
        path: String,
    },
    /// A file that is no pack was put aside.
    PutAside {
        /// Where it lay.
        path: String,
        /// Where it is kept.
        to: String,
    },
    /// The catalog was made anew.
    CatalogRebuilt {
        /// Snapshots whose blocks were read in.
        snapshots: u64,
    },
}

/// What a repair did in all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepairSummary {
    /// What was found before.
    pub before: ScrubSummary,
    /// What is left.
    pub after: ScrubSummary,
    /// Packs written anew.
    pub mended: u64,
    /// Files put aside.
    pub put_aside: u64,
    /// Lost snapshots of which texts were found elsewhere.
    pub recovered: u64,
}

/// Repairs an archive; `docs/checks.md` tells what is done for each finding. Takes the maintenance lock.
pub fn repair(
    archive: &mut Archive,
    reader: &Reader,
    observe: &mut dyn FnMut(RepairEvent),
) -> Result<RepairSummary, ArchiveError> {
    let lock = archive.maintain()?.ok_or(ArchiveError::Locked)?;
    // By another attribute blocks would be others, and each would be taken for damage.
    archive.declare_attribute(reader.declared_attribute())?;
    let options = ScrubOptions {
        max_duration: None,
        reader: Some(reader),
        now: None,
    };
    let mut findings = Vec::new();
    let mut summary = RepairSummary {
        before: scrub(archive, &options, &mut |event| {
            if let ScrubEvent::Finding(finding) = event {
                findings.push(finding.clone());
                observe(RepairEvent::Finding(finding));
            }
        })?,
        ..RepairSummary::default()
    };
    let lost: BTreeMap<i64, SnapshotName> = findings
        .iter()
        .filter(|finding| finding.lost)
        .filter_map(|finding| finding.snapshot.clone())
        .map(|snapshot| (snapshot.id, snapshot))
        .collect();
    for snapshot in lost.into_values() {
        if let Some(event) = save_texts(archive, reader, &snapshot)? {
            summary.recovered += 1;
            observe(event);
        }
    }
    let damaged: BTreeSet<Hash> = findings
        .iter()
        .filter(|finding| finding.code.is_of_pack())
        .filter_map(|finding| finding.pack)
        .collect();
    let mut rebuild = findings.iter().any(|finding| finding.code.is_of_catalog());
    for name in damaged {
        let (event, in_place) = mend(archive, &lock, &name)?;
        rebuild |= in_place;
        summary.mended += 1;
        observe(event);
    }
    for path in stray_files(archive)? {
        let to = archive.put_aside(&lock, &path)?;
        archive
            .disk()
            .remove(&path)
            .map_err(|error| ArchiveError::io(&path, error))?;
        summary.put_aside += 1;
        observe(RepairEvent::PutAside { path, to });
    }
    drop(lock);
    if rebuild {
        archive.rebuild_catalog()?;
    }
    archive.declare_attribute(reader.declared_attribute())?;
    let snapshots = archive.reindex(
        &mut |page| {
            let document = reader.read(page);
            Outline::of(&document, article_hash(&document))
        },
        &mut |_, _| (),
    )?;
    if rebuild {
        observe(RepairEvent::CatalogRebuilt { snapshots });
    }
    archive.accept_lost_packs()?;
    summary.after = scrub(archive, &options, &mut |_| ())?;
    Ok(summary)
}

/// Writes what other pages show of a lost one to `quarantine/`.
fn save_texts(
    archive: &Archive,
    reader: &Reader,
    snapshot: &SnapshotName,
) -> Result<Option<RepairEvent>, ArchiveError> {
    let Some(known) = archive.with_catalog(|conn| snapshots::bare(conn, snapshot.id))? else {
        return Ok(None);
    };
    let Some(recovered) = recover(archive, reader, snapshot.id)? else {
        return Ok(None);
    };
    if recovered.texts == 0 {
        return Ok(None);
    }
    let path = format!("{}/recovered-{}.ndjson", layout::QUARANTINE, known.body);
    let io = |error| ArchiveError::io(&path, error);
    let disk = archive.disk();
    disk.create_dir(layout::QUARANTINE).map_err(io)?;
    let _ = disk.remove(&path);
    let mut file = disk.create(&path).map_err(io)?;
    file.write_all(recovered.lines.as_bytes()).map_err(io)?;
    file.sync().map_err(io)?;
    disk.sync_dir(layout::QUARANTINE).map_err(io)?;
    Ok(Some(RepairEvent::Recovered {
        snapshot: snapshot.clone(),
        blocks: recovered.blocks,
        texts: recovered.texts,
        path,
    }))
}

/// Writes a damaged pack anew; whether the new file took the place of the old, so that the catalog does
/// not notice by itself.
fn mend(archive: &Archive, lock: &Maintenance, name: &Hash) -> Result<(RepairEvent, bool), ArchiveError> {
    let path = layout::pack_path(name);
    let failed = |error| ArchiveError::pack(name, error);
    let kept = archive.put_aside(lock, &path)?;
    let all = archive.with_catalog(packs::all)?;
    let id = all.iter().find(|pack| pack.name == *name).map(|pack| pack.id);
    let file = archive
        .disk()
        .open(&path)
        .map_err(|error| ArchiveError::io(&path, error))?;
    let pack = Pack::open(file.clone())
        .or_else(|_| Pack::open_damaged(file))
        .map_err(failed)?;
    let cold = pack.directory().is_ok_and(|directory| directory.cold);

    let mut builder = PackBuilder::new(archive.tmp_file()?, cold).map_err(failed)?;
    let copied = copy_frames(archive, &pack, id, &mut builder).map_err(failed)?;
    let mut records_rebuilt = 0;
    if let Some(id) = id {
        for record in records_of_catalog(archive, id, &copied.records_at)? {
            builder.record(record);
            records_rebuilt += 1;
        }
    }
    let pages = builder.page_count() as u64;
    if pages == 0 && builder.record_count() == 0 {
        drop(builder);
        if !copied.unnamed {
            archive.remove_mended(lock, name)?;
        }
        return Ok((
            RepairEvent::Mended {
                pack: *name,
                new: None,
                pages,
                records_rebuilt,
                path: kept,
            },
            false,
        ));
    }
    let finished = builder.finish().map_err(failed)?;
    let new = finished.name;
    finished.out.publish(archive, &new)?;
    // Read back as it lies on the disk before it counts for anything.
    let path = layout::pack_path(&new);
    let written = archive.disk().open(&path).and_then(|file| hash_file(&*file));
    if written.map_err(|error| ArchiveError::io(&path, error))? != new {
        return Err(ArchiveError::NotReadBack {
            body: new,
            reason: "the mended pack reads back differently".to_owned(),
        });
    }
    let in_place = new == *name;
    if !in_place {
        archive.refresh()?;
        read_back(archive, id, &copied.bodies)?;
        if !copied.unnamed {
            archive.remove_mended(lock, name)?;
        }
    }
    Ok((
        RepairEvent::Mended {
            pack: *name,
            new: Some(new),
            pages,
            records_rebuilt,
            path: kept,
        },
        in_place,
    ))
}

/// What went from a damaged pack into a new one.
#[derive(Default)]
struct Copied {
    /// Bodies that were whole.
    bodies: Vec<Hash>,
    /// Offsets of the record frames that could be read.
    records_at: BTreeSet<u64>,
    /// There is a group whose bodies nothing names before its base is found: only this pack holds it.
    unnamed: bool,
}

/// Copies every frame whose payload is whole, as it is.
fn copy_frames<W: std::io::Write>(
    archive: &Archive,
    pack: &Pack,
    id: Option<i64>,
    builder: &mut PackBuilder<W>,
) -> Result<Copied, crate::pack::PackError> {
    let mut copied = Copied::default();
    let known = known_prefixes(archive, pack, id);
    // Old offsets of page frames to new ones, for the prefixes of groups.
    let mut moved: BTreeMap<u64, u64> = BTreeMap::new();
    for piece in scan(pack) {
        let Piece::Frame(frame) = piece else { continue };
        match frame.kind {
            Kind::Page => {
                let (Ok((_, payload)), Some(body)) = (pack.payload(frame.at), frame.body) else {
                    continue;
                };
                if !worth_keeping(archive, &frame, id, &body, &mut copied) {
                    continue;
                }
                let at = builder.copy(&frame, &[body], frame.against(), &payload)?;
                moved.insert(frame.at, at);
            }
            Kind::Group => {
                let whole = pack.payload(frame.at).ok().and_then(|(_, payload)| {
                    let content = archive.group_content(id.unwrap_or_default(), pack, &frame);
                    Some((payload, content.ok()?))
                });
                let Some((payload, content)) = whole else {
                    // Only its base is missing, which may be found again.
                    let is_resting = frame.base.is_some_and(|base| archive.body(&base).is_err());
                    if let (true, Ok((_, payload))) = (is_resting, pack.payload(frame.at)) {
                        if let Some(prefixes) = frame.prefixes(&known) {
                            let hashes: Vec<Hash> = prefixes.into_iter().map(Hash::of_prefix).collect();
                            builder.copy(&frame, &hashes, frame.against(), &payload)?;
                        } else {
                            copied.unnamed = true;
                        }
                        continue;
                    }
                    for (body, bytes) in salvage(archive, pack, &frame, &known) {
                        let made = compress(&bytes, None, SALVAGE_LEVEL);
                        builder.page(&body, bytes.len() as u64, None, made.codec, &made.payload)?;
                        copied.bodies.push(body);
                    }
                    continue;
                };
                let against = match frame.against() {
                    Against::Prefix(at) => match moved.get(&at) {
                        Some(at) => Against::Prefix(*at),
                        None => continue,
                    },
                    against => against,
                };
                let hashes: Vec<Hash> = frame.bodies(&content).map(blake3).collect();
                builder.copy(&frame, &hashes, against, &payload)?;
                copied.bodies.extend(hashes);
            }
            Kind::Records => {
                if let Ok(records) = pack.records(frame.at)
                    && pack.limit_records(builder.record_count() + records.len()).is_ok()
                {
                    copied.records_at.insert(frame.at);
                    for record in records.into_iter().flatten() {
                        builder.record(record);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(copied)
}

/// Prefixes of bodies by frame and place, from the page table and the catalog.
fn known_prefixes(archive: &Archive, pack: &Pack, id: Option<i64>) -> FxHashMap<(u64, u32), u64> {
    let rows = id.map(|id| archive.with_catalog(|conn| packs::pages_of(conn, id)));
    let rows = rows.and_then(Result::ok).unwrap_or_default();
    let rows = rows
        .into_iter()
        .map(|(prefix, row)| ((row.at, row.place), prefix));
    rows.chain(pack.names().unwrap_or_default()).collect()
}

/// Whether a page frame goes into the new pack: it decodes, or only its base is missing.
fn worth_keeping(
    archive: &Archive,
    frame: &Frame,
    id: Option<i64>,
    body: &Hash,
    copied: &mut Copied,
) -> bool {
    let place = PageRow {
        pack: id.unwrap_or_default(),
        at: frame.at,
        place: 0,
        depth: frame.depth,
        length: frame.raw,
        base: frame.base.map(|base| base.prefix()),
    };
    if archive.copy_at(&place, body, Among::All, &mut 0).is_ok() {
        copied.bodies.push(*body);
        return true;
    }
    frame.base.is_some_and(|base| archive.body(&base).is_err())
}

/// Every body that was whole is read from the packs that stay.
fn read_back(archive: &Archive, old: Option<i64>, bodies: &[Hash]) -> Result<(), ArchiveError> {
    let staying: HashSet<i64> = archive
        .with_catalog(packs::all)?
        .into_iter()
        .map(|pack| pack.id)
        .filter(|id| Some(*id) != old)
        .collect();
    archive.forget_groups();
    for body in bodies {
        archive
            .body_among(body, Among::Only(&staying))
            .map_err(|error| ArchiveError::NotReadBack {
                body: *body,
                reason: error.to_string(),
            })?;
    }
    Ok(())
}

/// Records that lay in frames which cannot be read, as the catalog knows them: snapshots that have no
/// other record, and tombstones.
fn records_of_catalog(
    archive: &Archive,
    id: i64,
    readable: &BTreeSet<u64>,
) -> Result<Vec<Record>, ArchiveError> {
    let known = archive.with_catalog(|conn| {
        let mut records = Vec::new();
        let mut held: Vec<i64> = packs::records_of(conn, id)?
            .into_iter()
            .map(|(snapshot, _)| snapshot)
            .collect();
        held.dedup();
        for snapshot in held {
            let stays = |row: &RecordRow| row.pack != id || readable.contains(&row.at);
            if packs::records(conn, snapshot)?.iter().any(stays) {
                continue;
            }
            if let Some(known) = snapshots::bare(conn, snapshot)? {
                records.push(Record::Snapshot(SnapshotRecord {
                    address: known.address,
                    moment: known.moment,
                    body: known.body,
                    length: known.length,
                    status: known.status,
                    ..SnapshotRecord::default()
                }));
            }
        }
        let mut statement =
            conn.prepare("SELECT at, key, body, reason, moment FROM tombstones WHERE pack = ?1")?;
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            if readable.contains(&row.get::<_, i64>(0)?.cast_unsigned()) {
                continue;
            }
            let body: Vec<u8> = row.get(2)?;
            records.push(Record::Tombstone(Tombstone {
                key: row.get(1)?,
                body: <[u8; 32]>::try_from(body).map(Hash).unwrap_or_default(),
                reason: row.get(3)?,
                moment: row.get::<_, Option<i64>>(4)?.map(Moment),
            }));
        }
        Ok::<_, CatalogError>(records)
    })?;
    Ok(known)
}
