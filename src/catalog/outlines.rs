//! Reading outlines back: each rests on others, down to one that was spelled out.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::CatalogError;
use super::outline::{self, OutlineBlock};
use super::stream::Stream;

/// Bases followed before the catalog is called damaged.
const CHAIN_LIMIT: usize = 4096;

/// Decoded blocks kept by [`Outlines`]: about 32 MB.
const CACHED_BLOCKS: usize = 1 << 19;

/// The blocks of a snapshot in source order, without reading its page.
pub fn outline(conn: &Connection, snapshot: i64) -> Result<Vec<OutlineBlock>, CatalogError> {
    Ok(Outlines::default().get(conn, snapshot)?.to_vec())
}

/// Snapshots of an article that have an outline, in the order in which they were recorded.
pub(super) fn steps(conn: &Connection, article: i64) -> Result<Vec<i64>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT snapshot FROM outlines WHERE article = ?1 ORDER BY step")?
        .query_map([article], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// Base of an outline and its number in the stream.
pub(super) fn row(conn: &Connection, snapshot: i64) -> Result<Option<(Option<i64>, u64)>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT base, number FROM outlines WHERE snapshot = ?1")?
        .query_row([snapshot], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        })
        .optional()?)
}

/// Reads outlines and keeps those it has read, within a bound.
#[derive(Debug, Default)]
pub struct Outlines {
    pub(super) stream: Stream,
    kept: FxHashMap<i64, Kept>,
    blocks: usize,
}

/// What is kept of an outline.
#[derive(Debug)]
struct Kept {
    blocks: Arc<[OutlineBlock]>,
    /// Once they were asked for.
    numbers: Option<Arc<[u64]>>,
}

/// The same for equal blocks, and hardly ever for others.
pub(super) fn number(block: &OutlineBlock) -> u64 {
    FxBuildHasher.hash_one(block)
}

impl Outlines {
    /// The blocks of a snapshot in source order.
    pub fn get(&mut self, conn: &Connection, snapshot: i64) -> Result<Arc<[OutlineBlock]>, CatalogError> {
        let malformed = |row| CatalogError::Malformed {
            table: "outlines",
            row,
        };
        let mut pending: Vec<(i64, u64)> = Vec::new();
        let mut next = Some(snapshot);
        let mut blocks: Arc<[OutlineBlock]> = Arc::from([]);
        while let Some(wanted) = next {
            if let Some(known) = self.kept.get(&wanted) {
                blocks = Arc::clone(&known.blocks);
                break;
            }
            if pending.len() == CHAIN_LIMIT {
                return Err(malformed(snapshot));
            }
            let (base, number) = row(conn, wanted)?.ok_or(CatalogError::NoOutline(wanted))?;
            pending.push((wanted, number));
            next = base;
        }
        while let Some((wanted, number)) = pending.pop() {
            let pieces = self.stream.read(conn, number)?;
            let pieces = pieces.ok_or(CatalogError::NoOutline(wanted))?;
            blocks = outline::decode(&blocks, pieces)
                .map_err(|_| malformed(wanted))?
                .into();
            self.keep(wanted, Arc::clone(&blocks));
        }
        Ok(blocks)
    }

    /// The [`number`]s of the blocks of a snapshot, in their order: an eighth of what the blocks take, for where a snapshot is
    /// looked at again and again.
    pub(super) fn numbers(&mut self, conn: &Connection, snapshot: i64) -> Result<Arc<[u64]>, CatalogError> {
        if let Some(numbers) = self.kept.get(&snapshot).and_then(|kept| kept.numbers.clone()) {
            return Ok(numbers);
        }
        let numbers: Arc<[u64]> = self.get(conn, snapshot)?.iter().map(number).collect();
        if let Some(kept) = self.kept.get_mut(&snapshot) {
            kept.numbers = Some(Arc::clone(&numbers));
        }
        Ok(numbers)
    }

    /// The blocks of a snapshot as the catalog has them now, though another process may have given the snapshot's
    /// number to another one.
    pub fn get_anew(
        &mut self,
        conn: &Connection,
        snapshot: i64,
    ) -> Result<Arc<[OutlineBlock]>, CatalogError> {
        self.kept.clear();
        self.blocks = 0;
        self.get(conn, snapshot)
    }

    pub(super) fn keep(&mut self, snapshot: i64, blocks: Arc<[OutlineBlock]>) {
        if self.blocks > CACHED_BLOCKS {
            self.kept.clear();
            self.blocks = 0;
        }
        self.blocks += blocks.len();
        let numbers = None;
        self.kept.insert(snapshot, Kept { blocks, numbers });
    }
}
