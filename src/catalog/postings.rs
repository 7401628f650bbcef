//! Postings: which articles hold a key. A key is the first 26 bits of an eight-byte prefix, so a
//! posting may name an article that does not hold the prefix; outlines confirm it. It never misses
//! one that does.
//!
//! Postings are kept as sorted runs of compressed chunks. Every insertion adds a run at the level of its
//! size; when [`FAN`] runs of a level have gathered they are merged into one of the next, so that every
//! posting is rewritten a logarithmic number of times and a lookup asks a logarithmic number of runs.
//!
//! ```text
//! chunk      u8: k of the Rice code; u8: bits of an article; u16: number of keys; then for every
//!            key, bit by bit:
//!            rice(key - key before), gamma(number of articles), the first article in its bits,
//!            gamma(article - article before) for each further one
//! ```
//! The row of a chunk tells its first key, from which the first difference, 0, is taken.

use std::collections::VecDeque;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::CatalogError;
use super::bits::{BitReader, BitWriter};

/// Runs of one level that are merged into one of the next.
const FAN: usize = 8;

/// Runs of the lowest level that are merged: those of single snapshots.
const LOWEST_FAN: usize = 32;

/// Postings in a run that is too large for the lowest level; each level takes [`FAN`] times as many.
const LOWEST_RUN: usize = 4096;

/// Bytes of a chunk, at most: with its row it fills a page of 4096 bytes and needs no overflow page.
const CHUNK: usize = 4030;

/// Bytes of a chunk that may stay free.
const SPARE: usize = 24;

/// How often a chunk is made longer or shorter to fill it, at most.
const TRIES: usize = 12;

/// Postings in a chunk, at most: its count of keys has 16 bits.
const MAX_CHUNK_POSTINGS: usize = 4096;

/// What the keys are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// Content hashes, and form hashes of blocks without text.
    Content = 0,
    /// Declared hashes.
    Declared = 1,
}

/// Key and article.
pub(super) type Posting = (u64, i64);

/// The key of an eight-byte prefix. With each further bit every posting costs one; of 2^26 different blocks one
/// is taken for another that is looked for, which costs the reading of an article's outlines.
pub(super) fn key(prefix: u64) -> u64 {
    prefix >> 38
}

/// Adds postings, in any order, as one run, and merges runs where enough have gathered.
pub(super) fn add(conn: &Connection, space: Space, mut postings: Vec<Posting>) -> Result<(), CatalogError> {
    if postings.is_empty() {
        return Ok(());
    }
    postings.sort_unstable();
    postings.dedup();
    let level = level_of(postings.len());
    let mut writer = Writer::begin(conn, space, level)?;
    for posting in postings {
        writer.push(posting)?;
    }
    writer.finish()?;
    merge_where_due(conn, space, level)
}

/// The level of a run of so many postings.
fn level_of(postings: usize) -> i64 {
    let mut level = 0;
    let mut most = LOWEST_RUN;
    while postings >= most {
        most *= FAN;
        level += 1;
    }
    level
}

/// Merges from `level` upwards, as long as enough runs have gathered.
fn merge_where_due(conn: &Connection, space: Space, level: i64) -> Result<(), CatalogError> {
    for level in level.. {
        let runs = runs_of(conn, space, Some(level))?;
        if runs.len() < if level == 0 { LOWEST_FAN } else { FAN } {
            return Ok(());
        }
        merge(conn, space, level + 1, &runs, |_| true)?;
    }
    Ok(())
}

/// Merges all runs of a space into one, leaving out postings of articles that `keep` refuses.
pub(super) fn rewrite(
    conn: &Connection,
    space: Space,
    keep: impl FnMut(Posting) -> bool,
) -> Result<(), CatalogError> {
    let runs = runs_of(conn, space, None)?;
    let level = conn
        .prepare_cached("SELECT ifnull(max(level), 0) FROM posting_runs WHERE space = ?1")?
        .query_row([space as i64], |row| row.get::<_, i64>(0))?;
    if runs.is_empty() {
        return Ok(());
    }
    merge(conn, space, level.max(1), &runs, keep)
}

fn runs_of(conn: &Connection, space: Space, level: Option<i64>) -> Result<Vec<i64>, CatalogError> {
    let mut statement = conn.prepare_cached(
        "SELECT run FROM posting_runs WHERE space = ?1 AND (?2 IS NULL OR level = ?2) ORDER BY run",
    )?;
    let runs = statement.query_map(params![space as i64, level], |row| row.get(0))?;
    Ok(runs.collect::<Result<_, _>>()?)
}

/// Replaces `runs` by one. Chunks are deleted as they are read, so that the new run takes their place
/// in the file.
fn merge(
    conn: &Connection,
    space: Space,
    level: i64,
    runs: &[i64],
    mut keep: impl FnMut(Posting) -> bool,
) -> Result<(), CatalogError> {
    let mut cursors = Vec::with_capacity(runs.len());
    for &run in runs {
        let mut cursor = Cursor {
            conn,
            run,
            postings: VecDeque::new(),
        };
        cursor.fill()?;
        cursors.push(cursor);
    }
    let mut writer = Writer::begin(conn, space, level)?;
    let mut last = None;
    loop {
        let mut least: Option<(Posting, usize)> = None;
        for (index, cursor) in cursors.iter().enumerate() {
            if let Some(&posting) = cursor.postings.front()
                && least.is_none_or(|(known, _)| posting < known)
            {
                least = Some((posting, index));
            }
        }
        let Some((posting, index)) = least else { break };
        let cursor = &mut cursors[index];
        cursor.postings.pop_front();
        if cursor.postings.is_empty() {
            cursor.fill()?;
        }
        if last.is_some_and(|last| posting < last) {
            // Not as it was written: what is encoded out of order takes memory without end.
            return Err(CatalogError::Malformed {
                table: "postings",
                row: runs[index],
            });
        }
        if last != Some(posting) && keep(posting) {
            writer.push(posting)?;
        }
        last = Some(posting);
    }
    writer.finish()?;
    for run in runs {
        conn.prepare_cached("DELETE FROM posting_runs WHERE run = ?1")?
            .execute([run])?;
    }
    Ok(())
}

/// Reads a run from its start and deletes what it has read.
struct Cursor<'a> {
    conn: &'a Connection,
    run: i64,
    postings: VecDeque<Posting>,
}

impl Cursor<'_> {
    fn fill(&mut self) -> Result<(), CatalogError> {
        let row = self
            .conn
            .prepare_cached(
                "SELECT chunk, key, data FROM postings WHERE run = ?1 ORDER BY key, article LIMIT 1",
            )?
            .query_row([self.run], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                ))
            })
            .optional()?;
        if let Some((chunk, key, data)) = row {
            decode(key.cast_unsigned(), &data, chunk, |posting| {
                self.postings.push_back(posting);
            })?;
            if self.postings.is_empty() {
                // The chunks after it would be taken for the end of the run, and be lost.
                return Err(CatalogError::Malformed {
                    table: "postings",
                    row: chunk,
                });
            }
            self.conn
                .prepare_cached("DELETE FROM postings WHERE chunk = ?1")?
                .execute([chunk])?;
        }
        Ok(())
    }
}

/// Writes postings that arrive in order as a new run.
struct Writer<'a> {
    conn: &'a Connection,
    run: i64,
    pending: Vec<Posting>,
    /// Postings that should fill a chunk: as many as filled the last one.
    fill: usize,
}

impl<'a> Writer<'a> {
    fn begin(conn: &'a Connection, space: Space, level: i64) -> Result<Self, CatalogError> {
        conn.prepare_cached("INSERT INTO posting_runs (space, level) VALUES (?1, ?2)")?
            .execute(params![space as i64, level])?;
        Ok(Self {
            conn,
            run: conn.last_insert_rowid(),
            pending: Vec::with_capacity(MAX_CHUNK_POSTINGS),
            fill: 1024,
        })
    }

    fn push(&mut self, posting: Posting) -> Result<(), CatalogError> {
        // Some more than fit: what is left over begins the next chunk.
        if self.pending.len() >= (self.fill + self.fill / 4).min(MAX_CHUNK_POSTINGS) {
            self.write(false)?;
        }
        self.pending.push(posting);
        Ok(())
    }

    /// Writes one chunk of as many of the first postings as fit, unless it would not be full and need not be
    /// the `last`.
    fn write(&mut self, last: bool) -> Result<(), CatalogError> {
        let Some(first) = self.pending.first().copied() else {
            return Ok(());
        };
        let (taken, data) = fill_chunk(&self.pending, self.fill);
        // As many would fit as are like these.
        self.fill = (taken * CHUNK / data.len().max(1)).clamp(1, MAX_CHUNK_POSTINGS);
        if !last && taken == self.pending.len() && taken < self.fill {
            return Ok(());
        }
        self.conn
            .prepare_cached("INSERT INTO postings (run, key, article, data) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![self.run, first.0.cast_signed(), first.1, data])?;
        self.pending.drain(..taken);
        Ok(())
    }

    fn finish(mut self) -> Result<(), CatalogError> {
        while !self.pending.is_empty() {
            self.write(true)?;
        }
        Ok(())
    }
}

/// How many of the first postings fill a chunk, about as many as `guess`, and the chunk. There must be one.
fn fill_chunk(postings: &[Posting], mut guess: usize) -> (usize, Vec<u8>) {
    let (mut fits, mut chunk) = (1, encode(&postings[..1]));
    let mut most = postings.len();
    for _ in 0..TRIES {
        if fits == most || chunk.len() + SPARE > CHUNK {
            break;
        }
        let tried = guess.clamp(fits + 1, most);
        let made = encode(&postings[..tried]);
        guess = tried * CHUNK / made.len();
        if made.len() <= CHUNK {
            (fits, chunk) = (tried, made);
        } else {
            most = tried - 1;
        }
    }
    (fits, chunk)
}

/// The bytes of a chunk; `postings` are sorted and different.
fn encode(postings: &[Posting]) -> Vec<u8> {
    let (first, last) = match (postings.first(), postings.last()) {
        (Some(first), Some(last)) => (first.0, last.0),
        _ => return Vec::new(),
    };
    let keys = postings.chunk_by(|a, b| a.0 == b.0).count() as u64;
    let k = ((last - first) / keys).checked_ilog2().unwrap_or(0);
    let largest = postings.iter().map(|posting| posting.1).max().unwrap_or(0);
    let width = 64 - largest.cast_unsigned().leading_zeros();
    let mut out = BitWriter::default();
    out.put(u64::from(k), 8);
    out.put(u64::from(width), 8);
    out.put(keys, 16);
    let mut key = first;
    for group in postings.chunk_by(|a, b| a.0 == b.0) {
        out.put_rice(group[0].0 - key, k);
        key = group[0].0;
        out.put_gamma(group.len() as u64);
        out.put(group[0].1.cast_unsigned(), width);
        for pair in group.windows(2) {
            out.put_gamma(pair[1].1.wrapping_sub(pair[0].1).cast_unsigned());
        }
    }
    out.into_bytes()
}

/// Calls `each` for the postings of a chunk that starts with `key`.
fn decode(mut key: u64, data: &[u8], chunk: i64, mut each: impl FnMut(Posting)) -> Result<(), CatalogError> {
    let mut all = || {
        let mut input = BitReader::new(data);
        let k = input.take(8)? as u32;
        let width = input.take(8)? as u32;
        for _ in 0..input.take(16)? {
            key = key.checked_add(input.take_rice(k)?)?;
            let articles = input.take_gamma()?;
            let mut article = input.take(width)?;
            each((key, article.cast_signed()));
            for _ in 1..articles {
                article = article.checked_add(input.take_gamma()?)?;
                each((key, article.cast_signed()));
            }
        }
        Some(())
    };
    all().ok_or(CatalogError::Malformed {
        table: "postings",
        row: chunk,
    })
}

/// Decoded chunks held by a [`Reader`], in postings: about 64 MB.
const CACHED_POSTINGS: usize = 4 << 20;

/// Times the directory is read again because runs were merged under a [`Reader`].
const MERGE_RETRIES: usize = 3;

/// The directory of a run.
#[derive(Debug)]
struct Run {
    number: i64,
    /// The first posting and the row of each chunk, ascending.
    chunks: Vec<(Posting, i64)>,
}

/// Answers lookups; holds the directory of all chunks and the chunks it has read.
#[derive(Debug)]
pub(super) struct Reader {
    space: Space,
    runs: Vec<Run>,
    chunks: rustc_hash::FxHashMap<i64, Box<[Posting]>>,
    cached: usize,
}

impl Reader {
    /// Reads the directory of one space. A reader sees the postings of the moment it was opened.
    pub(super) fn open(conn: &Connection, space: Space) -> Result<Self, CatalogError> {
        let mut statement = conn.prepare_cached(
            "SELECT run, key, article, chunk FROM postings
             WHERE run IN (SELECT run FROM posting_runs WHERE space = ?1) ORDER BY run, key, article",
        )?;
        let mut rows = statement.query([space as i64])?;
        let mut runs: Vec<Run> = Vec::new();
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            if runs.last().is_none_or(|last| last.number != number) {
                runs.push(Run {
                    number,
                    chunks: Vec::new(),
                });
            }
            if let Some(run) = runs.last_mut() {
                run.chunks
                    .push(((row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?), row.get(3)?));
            }
        }
        Ok(Self {
            space,
            runs,
            chunks: rustc_hash::FxHashMap::default(),
            cached: 0,
        })
    }

    /// Articles with a key in the inclusive range, ascending, each once. Where another process has
    /// merged runs meanwhile the directory is read again.
    pub(super) fn articles(
        &mut self,
        conn: &Connection,
        low: u64,
        high: u64,
        articles: &mut Vec<i64>,
    ) -> Result<(), CatalogError> {
        for _ in 0..MERGE_RETRIES {
            match self.try_articles(conn, low, high, articles) {
                Err(CatalogError::Sqlite(rusqlite::Error::QueryReturnedNoRows)) => {
                    *self = Self::open(conn, self.space)?;
                }
                done => return done,
            }
        }
        self.try_articles(conn, low, high, articles)
    }

    fn try_articles(
        &mut self,
        conn: &Connection,
        low: u64,
        high: u64,
        articles: &mut Vec<i64>,
    ) -> Result<(), CatalogError> {
        articles.clear();
        for at in 0..self.runs.len() {
            let run = self.runs[at].number;
            // The chunk before the first that starts inside the range may end inside it.
            let from = self.runs[at]
                .chunks
                .partition_point(|(first, _)| first.0 < low)
                .saturating_sub(1);
            for index in from..self.runs[at].chunks.len() {
                let (first, chunk) = self.runs[at].chunks[index];
                if first.0 > high {
                    break;
                }
                let postings = self.chunk(conn, run, first, chunk)?;
                let start = postings.partition_point(|posting| posting.0 < low);
                articles.extend(
                    postings[start..]
                        .iter()
                        .take_while(|posting| posting.0 <= high)
                        .map(|posting| posting.1),
                );
            }
        }
        articles.sort_unstable();
        articles.dedup();
        Ok(())
    }

    fn chunk(
        &mut self,
        conn: &Connection,
        run: i64,
        first: Posting,
        chunk: i64,
    ) -> Result<&[Posting], CatalogError> {
        if !self.chunks.contains_key(&chunk) {
            if self.cached > CACHED_POSTINGS {
                self.chunks.clear();
                self.cached = 0;
            }
            // The number of a chunk that was merged away is soon that of another: only the chunk that
            // stands in the directory will do. Numbers of runs do not come again.
            let data: Vec<u8> = conn
                .prepare_cached(
                    "SELECT data FROM postings WHERE chunk = ?1 AND run = ?2 AND key = ?3 AND article = ?4",
                )?
                .query_row(params![chunk, run, first.0.cast_signed(), first.1], |row| {
                    row.get(0)
                })?;
            let mut postings = Vec::with_capacity(data.len() / 4);
            decode(first.0, &data, chunk, |posting| {
                postings.push(posting);
            })?;
            self.cached += postings.len();
            self.chunks.insert(chunk, postings.into());
        }
        Ok(self.chunks.get(&chunk).map_or(&[], |postings| postings))
    }
}

#[cfg(test)]
mod tests;
