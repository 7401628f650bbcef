//! Writing bodies into packs of large frames: gathered in order, compressed on several cores, written in order.

use std::collections::{HashSet, VecDeque};
use std::io::{self, BufWriter};
use std::thread::{self, JoinHandle};

use super::series::{Arrangement, Series};
use super::{Options, Progress, Summary};
use crate::archive::{Among, Archive, ArchiveError, TmpFile};
use crate::digest::Hash;
use crate::pack::codec::{Undecodable, can_be_base, compress, compress_group};
use crate::pack::{Against, MAX_GROUP_PAGES, PackBuilder, Record};
use crate::pool;

/// A pack is committed when it has so many bytes, ...
pub(super) const FULL: u64 = 64 << 20;
/// ... or its bodies have so many: what a run that is killed has to do again.
const FULL_RAW: u64 = 512 << 20;

/// Bodies longer than this have a frame of their own.
const ALONE: usize = 12 << 20;

/// Frames compressed at a time, at most, however many cores there are: the context of each takes about
/// 100 MB.
const MAX_FRAMES: usize = 4;

/// A pack being written to a file in `tmp/`.
struct Output<'a> {
    archive: &'a Archive,
    pack: PackBuilder<BufWriter<TmpFile>>,
    raw: u64,
}

impl<'a> Output<'a> {
    fn new(archive: &'a Archive) -> Result<Self, ArchiveError> {
        let file = BufWriter::with_capacity(1 << 20, archive.tmp_file()?);
        Ok(Self {
            archive,
            pack: PackBuilder::new(file, true)?,
            raw: 0,
        })
    }

    fn is_full(&self) -> bool {
        self.pack.length() >= FULL || self.raw >= FULL_RAW
    }

    fn commit(self, summary: &mut Summary, written: &mut Vec<Hash>) -> Result<(), ArchiveError> {
        if self.pack.page_count() == 0 && self.pack.record_count() == 0 {
            return Ok(());
        }
        let finished = self.pack.finish()?;
        let file = finished
            .out
            .into_inner()
            .map_err(|error| ArchiveError::io("tmp", io::Error::other(error.to_string())))?;
        file.publish(self.archive, &finished.name)?;
        written.push(finished.name);
        summary.packs_after += 1;
        summary.bytes_after += finished.length;
        summary.pages += finished.pages.len() as u64;
        Ok(())
    }
}

/// The bodies of the next frame.
#[derive(Default)]
struct Group {
    /// The prefix of the frame, if it has one, and the bodies behind it.
    joined: Vec<u8>,
    /// Bytes of the prefix.
    prefix: usize,
    bodies: Vec<(Hash, u32)>,
}

impl Group {
    fn push(&mut self, hash: Hash, body: &[u8], prefix: Option<&(u64, Vec<u8>)>) {
        if let (true, Some((_, bytes))) = (self.bodies.is_empty(), prefix) {
            self.joined.extend_from_slice(bytes);
            self.prefix = bytes.len();
        }
        self.joined.extend_from_slice(body);
        self.bodies.push((hash, body.len() as u32));
    }

    /// Bytes of the bodies.
    fn length(&self) -> usize {
        self.joined.len() - self.prefix
    }
}

/// A frame that a thread of its own compresses.
struct Frame {
    bodies: Vec<(Hash, u32)>,
    /// Where its prefix lies in the pack, if it has one.
    prefix: Option<u64>,
    payload: JoinHandle<Result<Vec<u8>, Undecodable>>,
}

/// Writes what the packs that go hold into new packs; their names.
pub(super) fn write(
    archive: &Archive,
    going: &HashSet<i64>,
    options: Options,
    progress: &mut dyn FnMut(Progress) -> bool,
    summary: &mut Summary,
) -> Result<Vec<Hash>, ArchiveError> {
    let mut arrangement = Arrangement::new(archive, going, options.group_bytes)?;
    let mut run = Run {
        archive,
        going,
        options,
        progress,
        state: Progress {
            total: arrangement.bytes()?,
            ..Progress::default()
        },
        output: Output::new(archive)?,
        group: Group::default(),
        frames: VecDeque::new(),
        summary,
        written: Vec::new(),
    };
    for record in archive.tombstone_records(going)? {
        run.output.pack.record(record);
    }
    while let Some(series) = arrangement.next_series()? {
        if !run.series(&series)? {
            run.summary.stopped = true;
            break;
        }
    }
    run.flush(None)?;
    run.write_frames(0)?;
    run.output.commit(run.summary, &mut run.written)?;
    archive.refresh()?;
    Ok(run.written)
}

struct Run<'a, 'p> {
    archive: &'a Archive,
    going: &'a HashSet<i64>,
    options: Options,
    progress: &'p mut dyn FnMut(Progress) -> bool,
    state: Progress,
    output: Output<'a>,
    group: Group,
    /// Frames of the pack being written that are not in it yet, in their order.
    frames: VecDeque<Frame>,
    summary: &'p mut Summary,
    written: Vec<Hash>,
}

impl Run<'_, '_> {
    /// Writes one series; whether to go on.
    fn series(&mut self, series: &Series) -> Result<bool, ArchiveError> {
        // Pages of a site share less than versions of an article and take longer to decode, so their
        // frames are shorter: a restore stays within 15 ms.
        let group_bytes = if series.is_article {
            self.options.group_bytes
        } else {
            self.options.group_bytes / 2
        };
        let is_large = series.bytes() > group_bytes as u64 / 2;
        if is_large {
            self.flush(None)?;
            self.make_room(&mut None, None)?;
        }
        // Offset and bytes of the frame that serves as prefix, in the pack being written.
        let mut prefix: Option<(u64, Vec<u8>)> = None;
        let mut first: Option<Hash> = None;
        for (index, (hash, length)) in series.bodies.iter().enumerate() {
            let body = match self.archive.body(hash) {
                Ok(body) => body,
                Err(error) => {
                    if self.archive.is_lost(hash)? {
                        self.state.done += length;
                        self.summary.lost += 1;
                        continue;
                    }
                    return Err(ArchiveError::NotReadBack {
                        body: *hash,
                        reason: error.to_string(),
                    });
                }
            };
            if is_large && index == 0 && can_be_base(&body) && body.len() <= ALONE {
                prefix = Some((self.alone(hash, &body)?, body.to_vec()));
                first = Some(*hash);
            } else if body.len() > ALONE {
                self.make_room(&mut prefix, first)?;
                self.alone(hash, &body)?;
            } else {
                if self.group.length() + body.len() > group_bytes
                    || self.group.bodies.len() >= MAX_GROUP_PAGES
                {
                    self.flush(prefix.as_ref())?;
                    self.make_room(&mut prefix, first)?;
                }
                self.group.push(*hash, &body, prefix.as_ref());
            }
            self.state.done += length;
            self.output.raw += length;
            self.state.stored = self.summary.bytes_after + self.output.pack.length();
            if !(self.progress)(self.state) {
                self.flush(prefix.as_ref())?;
                return Ok(false);
            }
        }
        if is_large {
            self.flush(prefix.as_ref())?;
        }
        for &snapshot in &series.snapshots {
            for record in self.archive.records_of(snapshot, Among::Only(self.going))? {
                self.output.pack.record(Record::Snapshot(record));
            }
        }
        Ok(true)
    }

    /// Begins the next pack if this one is full. A prefix lies in the pack of the groups that use it, so it
    /// is written there, too; a group that is being gathered goes with it.
    fn make_room(
        &mut self,
        prefix: &mut Option<(u64, Vec<u8>)>,
        first: Option<Hash>,
    ) -> Result<(), ArchiveError> {
        if self.output.is_full() {
            self.next_pack()?;
            if let (Some((_, bytes)), Some(hash)) = (prefix.take(), first) {
                *prefix = Some((self.alone(&hash, &bytes)?, bytes));
            }
        }
        Ok(())
    }

    /// Writes one body as a frame of its own.
    fn alone(&mut self, hash: &Hash, body: &[u8]) -> Result<u64, ArchiveError> {
        let made = compress(body, None, self.options.level);
        let length = body.len() as u64;
        Ok(self
            .output
            .pack
            .page(hash, length, None, made.codec, &made.payload)?)
    }

    /// Hands on the group that was gathered, to be compressed and written.
    fn flush(&mut self, prefix: Option<&(u64, Vec<u8>)>) -> Result<(), ArchiveError> {
        let group = std::mem::take(&mut self.group);
        match &group.bodies[..] {
            [] => {}
            [(hash, _)] if prefix.is_none() => {
                self.alone(hash, &group.joined)?;
            }
            bodies => {
                let level = self.options.level;
                self.frames.push_back(Frame {
                    bodies: bodies.to_vec(),
                    prefix: prefix.map(|(at, _)| *at),
                    payload: thread::spawn(move || compress_group(&group.joined, group.prefix, level)),
                });
                self.write_frames(pool::cores().get().min(MAX_FRAMES) - 1)?;
            }
        }
        Ok(())
    }

    /// Writes frames in their order until at most `left` are being compressed.
    fn write_frames(&mut self, left: usize) -> Result<(), ArchiveError> {
        while self.frames.len() > left {
            let Some(frame) = self.frames.pop_front() else {
                break;
            };
            let payload = frame.payload.join().unwrap_or(Err(Undecodable));
            let payload = payload.map_err(|_| ArchiveError::NotReadBack {
                body: frame.bodies[0].0,
                reason: "zstd failed".to_owned(),
            })?;
            let against = frame.prefix.map_or(Against::Nothing, Against::Prefix);
            self.output.pack.group(&frame.bodies, against, &payload)?;
        }
        Ok(())
    }

    fn next_pack(&mut self) -> Result<(), ArchiveError> {
        self.write_frames(0)?;
        let full = std::mem::replace(&mut self.output, Output::new(self.archive)?);
        full.commit(self.summary, &mut self.written)
    }
}
