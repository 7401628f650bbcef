//! A growing sequence of bytes in rows that each fill a database page, so that outlines of any size
//! waste none.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::CatalogError;

/// Bytes in a row: with its header it fills a page of 4096 bytes and needs no overflow page.
const CHUNK: usize = 4040;

/// Appends bytes; the position of the first.
pub(super) fn append(conn: &Connection, mut bytes: &[u8]) -> Result<u64, CatalogError> {
    let last: Option<(i64, Vec<u8>)> = conn
        .prepare_cached("SELECT chunk, data FROM outline_data ORDER BY chunk DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (mut chunk, mut data) = last.unwrap_or_default();
    let start = chunk.cast_unsigned() * CHUNK as u64 + data.len() as u64;
    while !bytes.is_empty() {
        if data.len() >= CHUNK {
            chunk += 1;
            data.clear();
        }
        let (fits, rest) = bytes.split_at(bytes.len().min(CHUNK - data.len()));
        data.extend_from_slice(fits);
        bytes = rest;
        put(conn, chunk, &data)?;
    }
    Ok(start)
}

fn put(conn: &Connection, chunk: i64, data: &[u8]) -> Result<(), CatalogError> {
    conn.prepare_cached("INSERT OR REPLACE INTO outline_data (chunk, data) VALUES (?1, ?2)")?
        .execute(params![chunk, data])?;
    Ok(())
}

/// Overwrites bytes with zeros: what was removed must not be read back.
pub(super) fn erase(conn: &Connection, start: u64, length: u64) -> Result<(), CatalogError> {
    let mut reader = Reader::default();
    let mut at = start;
    while at < start + length {
        let chunk = (at / CHUNK as u64).cast_signed();
        let from = (at % CHUNK as u64) as usize;
        let mut data = reader.chunk(conn, chunk)?.to_vec();
        let to = (from + (start + length - at) as usize).min(data.len());
        if let Some(gone) = data.get_mut(from..to) {
            gone.fill(0);
        }
        put(conn, chunk, &data)?;
        at = (chunk.cast_unsigned() + 1) * CHUNK as u64;
    }
    Ok(())
}

/// Reads; keeps the row it read last, because what is read next mostly lies in it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    chunk: Option<i64>,
    data: Vec<u8>,
}

impl Reader {
    /// The bytes of a range.
    pub(super) fn read(
        &mut self,
        conn: &Connection,
        start: u64,
        length: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<(), CatalogError> {
        bytes.clear();
        let mut at = start;
        while bytes.len() < length {
            let chunk = (at / CHUNK as u64).cast_signed();
            let from = (at % CHUNK as u64) as usize;
            let end = from + length - bytes.len();
            if self.data.len() < end.min(CHUNK) {
                // The row that was read last may have been the last one then, and have grown since.
                self.chunk = None;
            }
            let data = self.chunk(conn, chunk)?;
            let to = data.len().min(end);
            let part = data.get(from..to).filter(|part| !part.is_empty());
            let part = part.ok_or(CatalogError::Malformed {
                table: "outline_data",
                row: chunk,
            })?;
            bytes.extend_from_slice(part);
            at += part.len() as u64;
        }
        Ok(())
    }

    fn chunk(&mut self, conn: &Connection, chunk: i64) -> Result<&[u8], CatalogError> {
        if self.chunk != Some(chunk) {
            self.chunk = None;
            self.data = conn
                .prepare_cached("SELECT data FROM outline_data WHERE chunk = ?1")?
                .query_row([chunk], |row| row.get(0))
                .optional()?
                .ok_or(CatalogError::Malformed {
                    table: "outline_data",
                    row: chunk,
                })?;
            self.chunk = Some(chunk);
        }
        Ok(&self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn a_reader_sees_what_was_appended_to_the_row_it_read_last() {
        let catalog = Catalog::in_memory().unwrap();
        let conn = catalog.connection();
        let mut reader = Reader::default();
        let mut bytes = Vec::new();
        for fill in 1..9 {
            let piece = vec![fill; 1000];
            let start = append(conn, &piece).unwrap();
            reader.read(conn, start, piece.len(), &mut bytes).unwrap();
            assert_eq!(bytes, piece);
        }
    }

    #[test]
    fn pieces_of_any_length_are_read_back_and_erased() {
        let catalog = Catalog::in_memory().unwrap();
        let conn = catalog.connection();
        let pieces: Vec<Vec<u8>> = [3, 0, CHUNK, CHUNK - 3, 1, 3 * CHUNK + 7, 20]
            .iter()
            .zip(1..)
            .map(|(&length, fill)| vec![fill; length])
            .collect();
        let starts: Vec<u64> = pieces.iter().map(|piece| append(conn, piece).unwrap()).collect();
        let mut bytes = Vec::new();
        for (piece, start) in pieces.iter().zip(&starts) {
            Reader::default()
                .read(conn, *start, piece.len(), &mut bytes)
                .unwrap();
            assert_eq!(&bytes, piece);
        }
        erase(conn, starts[5], pieces[5].len() as u64).unwrap();
        let mut reader = Reader::default();
        for index in [4, 5, 6] {
            reader
                .read(conn, starts[index], pieces[index].len(), &mut bytes)
                .unwrap();
            let expected = if index == 5 { 0 } else { pieces[index][0] };
            assert!(bytes.iter().all(|&byte| byte == expected));
        }
        let end = starts[6] + 20;
        assert!(reader.read(conn, end, 1, &mut bytes).is_err());
    }
}
