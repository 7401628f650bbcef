//! A growing sequence of encoded outlines, each known by its number, in rows that hold many of them
//! ([`super::chunk`]). A row begins with the outline of its number, so that rows may be joined without
//! anybody noticing.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::CatalogError;
use super::chunk::Chunk;
use super::outline::Pieces;

/// Bytes of a chunk from which it is full. Longer rows are smaller, but a look at one outline decodes its row.
const FULL: usize = 320 << 10;

/// Bytes of a chunk from which no row is joined to it.
const LONGEST: usize = 2 * FULL;

/// Bytes of decoded chunks that are held: a hundred chunks, because each of the many bases of an outline may lie in
/// another one. Pages of a crawl lie together, so that the next page's bases lie in the same ones.
const HELD: usize = 100 * FULL;

/// No archive has so many outlines.
const MAX_NUMBER: i64 = 1 << 60;

/// A chunk that was read.
#[derive(Debug, Default)]
struct Held {
    first: u64,
    chunk: Chunk,
    /// Whether it differs from its row.
    changed: bool,
}

impl Held {
    fn place(&self, number: u64) -> Option<usize> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        (place < self.chunk.len()).then_some(place)
    }

    /// The number of the outline that would come next.
    fn end(&self) -> u64 {
        self.first.saturating_add(self.chunk.len() as u64)
    }
}

/// Reads and writes outlines; holds the chunks it used last. What was appended or erased is in the catalog after
/// [`flush`](Self::flush) only, but is read back before. What a number stands for never changes, only that it may be
/// erased, so that what is held is as good as what another process has written since.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The one used last stands last.
    held: Vec<Held>,
    /// Outlines that were appended and have no row yet.
    new: Option<Held>,
}

impl Stream {
    /// Appends an outline; its number.
    pub fn append(&mut self, conn: &Connection, pieces: Pieces<'_>) -> Result<u64, CatalogError> {
        let mut new = match self.new.take() {
            Some(new) => new,
            None => Held {
                first: self.end(conn)?,
                ..Held::default()
            },
        };
        let number = new.end();
        new.chunk.push(pieces);
        new.changed = true;
        let full = new.chunk.bytes() >= FULL;
        self.new = Some(new);
        if full {
            self.write_new(conn)?;
        }
        Ok(number)
    }

    /// The pieces of an outline; `None` if it was erased, or all were.
    pub fn read(&mut self, conn: &Connection, number: u64) -> Result<Option<Pieces<'_>>, CatalogError> {
        let found = self.find(conn, number)?;
        let pieces = found.and_then(|(held, place)| held.chunk.get(place));
        Ok(pieces.filter(|pieces| pieces.iter().any(|piece| !piece.is_empty())))
    }

    /// Takes an outline out: what was removed must not be read back.
    pub fn erase(&mut self, conn: &Connection, number: u64) -> Result<(), CatalogError> {
        let (held, place) = self.find(conn, number)?.ok_or_else(|| malformed(number))?;
        held.chunk.blank(place);
        held.changed = true;
        Ok(())
    }

    /// Puts what was appended and erased into the catalog.
    pub fn flush(&mut self, conn: &Connection) -> Result<(), CatalogError> {
        for held in &mut self.held {
            write_back(conn, held)?;
        }
        self.write_new(conn)
    }

    /// The number of the next outline.
    fn end(&mut self, conn: &Connection) -> Result<u64, CatalogError> {
        let Some(last) = row_before(conn, MAX_NUMBER.cast_unsigned())? else {
            return Ok(0);
        };
        let found = self.find(conn, last.first)?;
        Ok(found.ok_or_else(|| malformed(last.first))?.0.end())
    }

    /// The chunk that holds an outline, and the place of it; `None` if no row holds it.
    fn find(&mut self, conn: &Connection, number: u64) -> Result<Option<(&mut Held, usize)>, CatalogError> {
        if let Some(place) = self.new.as_ref().and_then(|new| new.place(number)) {
            return Ok(self.new.as_mut().map(|new| (new, place)));
        }
        let Some(held) = self.take(conn, number)? else {
            return Ok(None);
        };
        let place = held.place(number);
        self.make_room(conn, held.chunk.bytes())?;
        self.held.push(held);
        Ok(self.held.last_mut().zip(place))
    }

    /// The chunk that holds an outline, out of those that are held or from its row.
    fn take(&mut self, conn: &Connection, number: u64) -> Result<Option<Held>, CatalogError> {
        match self.held.iter().position(|held| held.place(number).is_some()) {
            Some(at) => Ok(Some(self.held.remove(at))),
            None => load(conn, number),
        }
    }

    fn make_room(&mut self, conn: &Connection, bytes: usize) -> Result<(), CatalogError> {
        let mut all = bytes + self.held.iter().map(|held| held.chunk.bytes()).sum::<usize>();
        while all > HELD && !self.held.is_empty() {
            let mut oldest = self.held.remove(0);
            write_back(conn, &mut oldest)?;
            all -= oldest.chunk.bytes();
        }
        Ok(())
    }

    /// Writes what was appended as a row. It takes in the rows before it that are at most twice as long: a row
    /// for every commit would be many small ones, one row for all of them would be written anew by every commit.
    fn write_new(&mut self, conn: &Connection) -> Result<(), CatalogError> {
        let Some(mut new) = self.new.take() else {
            return Ok(());
        };
        while let Some(row) = row_before(conn, new.first)? {
            let long = row.bytes > (2 * new.chunk.bytes()).min(FULL / 2);
            if long || row.bytes + new.chunk.bytes() > LONGEST {
                break;
            }
            let before = self.take(conn, row.first)?;
            let before = before.filter(|before| before.end() == new.first);
            let mut before = before.ok_or_else(|| malformed(row.first))?;
            before.chunk.append(&new.chunk);
            before.changed = true;
            new = before;
        }
        write_back(conn, &mut new)
    }
}

/// Forgets all outlines. Numbers do not come again: a [`Stream`] elsewhere may hold what they stood for. Damage is no
/// hindrance: it is what a catalog is cleared for.
pub(super) fn clear(conn: &Connection) -> Result<(), CatalogError> {
    let ends = [
        "SELECT first + count FROM outline_data ORDER BY first DESC LIMIT 1",
        "SELECT max(number) + 1 FROM outlines",
    ]
    .map(|query| conn.query_row(query, [], |row| row.get::<_, Option<i64>>(0)));
    let ends = ends.into_iter().flatten().flatten();
    let end = ends.filter(|end| (1..MAX_NUMBER).contains(end)).max();
    conn.execute("DELETE FROM outline_data", [])?;
    let mut blank = Held {
        first: end.unwrap_or_default().cast_unsigned(),
        chunk: Chunk::default(),
        changed: end.is_some(),
    };
    blank.chunk.push(Pieces::default());
    write_back(conn, &mut blank)
}

fn malformed(number: u64) -> CatalogError {
    CatalogError::Malformed {
        table: "outline_data",
        row: number.cast_signed(),
    }
}

/// What is known of a row without reading its chunk.
struct Row {
    first: u64,
    /// Of the chunk, as [`Chunk::bytes`] counts them.
    bytes: usize,
}

/// The row before a number.
fn row_before(conn: &Connection, number: u64) -> Result<Option<Row>, CatalogError> {
    Ok(conn
        .prepare_cached("SELECT first, bytes FROM outline_data WHERE first < ?1 ORDER BY first DESC LIMIT 1")?
        .query_row([number.cast_signed()], |row| {
            Ok(Row {
                first: row.get::<_, i64>(0)?.cast_unsigned(),
                // What is out of range is damage, and as good as a row that is too long to be joined.
                bytes: usize::try_from(row.get::<_, i64>(1)?).unwrap_or(LONGEST),
            })
        })
        .optional()?)
}

/// Reads the row that holds an outline, or the last one before it; `None` if there is none.
fn load(conn: &Connection, number: u64) -> Result<Option<Held>, CatalogError> {
    let row = conn
        .prepare_cached(
            "SELECT first, count, data FROM outline_data WHERE first <= ?1 ORDER BY first DESC LIMIT 1",
        )?
        .query_row([number.cast_signed()], |row| {
            let (first, count): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok((
                first.cast_unsigned(),
                count.cast_unsigned(),
                row.get::<_, Vec<u8>>(2)?,
            ))
        })
        .optional()?;
    let Some((first, count, data)) = row else {
        return Ok(None);
    };
    let chunk = Chunk::decode(&data).filter(|chunk| chunk.len() as u64 == count);
    Ok(Some(Held {
        first,
        chunk: chunk.ok_or_else(|| malformed(first))?,
        changed: false,
    }))
}

/// Writes a chunk as its row, and removes the rows that it has taken in.
fn write_back(conn: &Connection, held: &mut Held) -> Result<(), CatalogError> {
    if held.changed {
        let (first, end) = (held.first.cast_signed(), held.end().cast_signed());
        conn.prepare_cached("DELETE FROM outline_data WHERE first > ?1 AND first < ?2")?
            .execute([first, end])?;
        conn.prepare_cached(
            "INSERT OR REPLACE INTO outline_data (first, count, bytes, data) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            first,
            end - first,
            (held.chunk.bytes() as u64).cast_signed(),
            held.chunk.encode()
        ])?;
        held.changed = false;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    /// The outline that has this number in the tests, of about so many bytes.
    fn outline(number: u64, bytes: usize) -> Vec<u8> {
        let mut seed = number.wrapping_add(7);
        let random = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (seed >> 56) as u8
        });
        random.take(bytes).collect()
    }

    fn pieces(bytes: &[u8]) -> Pieces<'_> {
        let (one, rest) = bytes.split_at(bytes.len() / 3);
        [one, &[], rest, &[]]
    }

    fn rows(conn: &Connection) -> Vec<(u64, usize)> {
        conn.prepare("SELECT first, length(data) FROM outline_data ORDER BY first")
            .unwrap()
            .query_map([], |row| {
                Ok((
                    row.get::<_, i64>(0)?.cast_unsigned(),
                    row.get::<_, u32>(1)? as usize,
                ))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    #[test]
    fn outlines_are_read_back_while_rows_are_joined_under_a_reader() {
        let catalog = Catalog::in_memory().unwrap();
        let conn = catalog.connection();
        let mut reader = Stream::default();
        let mut written = 0;
        for number in 0..1200 {
            let mut writer = Stream::default();
            let bytes = outline(number, 1000);
            assert_eq!(writer.append(conn, pieces(&bytes)).unwrap(), number);
            writer.flush(conn).unwrap();
            written += rows(conn).last().unwrap().1;
            for back in [0, 1, 500] {
                let number = number.saturating_sub(back);
                let expected = outline(number, 1000);
                assert_eq!(reader.read(conn, number).unwrap(), Some(pieces(&expected)));
            }
        }
        let rows = rows(conn);
        assert!(rows.len() < 20, "{} rows", rows.len());
        // Every outline is written a logarithmic number of times.
        assert!(written < 1200 * 1000 * 9, "{written}");
        assert_eq!(reader.read(conn, 1200).unwrap(), None);
    }

    /// Reads the outlines of these sizes; nothing is there where the size is 0.
    fn assert_read(conn: &Connection, stream: &mut Stream, sizes: impl IntoIterator<Item = usize>) {
        for (number, size) in (0..).zip(sizes) {
            let bytes = outline(number, size);
            let expected = (size > 0).then(|| pieces(&bytes));
            assert_eq!(stream.read(conn, number).unwrap(), expected, "{number}");
        }
    }

    #[test]
    fn what_was_not_flushed_is_read_back_and_what_was_erased_is_not() {
        let catalog = Catalog::in_memory().unwrap();
        let conn = catalog.connection();
        let mut sizes = [3, 0, FULL - 200, 20, FULL * 3, 7, 5000];
        let mut stream = Stream::default();
        for (number, &size) in (0..).zip(&sizes) {
            let appended = stream.append(conn, pieces(&outline(number, size)));
            assert_eq!(appended.unwrap(), number);
        }
        assert_read(conn, &mut stream, sizes);
        for number in [0, 4, 6] {
            stream.erase(conn, number).unwrap();
            sizes[number as usize] = 0;
        }
        stream.flush(conn).unwrap();
        stream.erase(conn, 5).unwrap();
        sizes[5] = 0;
        stream.flush(conn).unwrap();
        assert_read(conn, &mut Stream::default(), sizes);
        let stored: usize = rows(conn).iter().map(|row| row.1).sum();
        assert!(stored < FULL + 200, "{stored}");
        // Numbers of what was erased do not come again.
        assert_eq!(stream.append(conn, pieces(&outline(7, 9))).unwrap(), 7);
    }

    #[test]
    fn more_than_is_held_is_changed_and_read_back() {
        let catalog = Catalog::in_memory().unwrap();
        let conn = catalog.connection();
        let mut stream = Stream::default();
        let count = 2 * (HELD / FULL) as u64 + 3;
        for number in 0..2 * count {
            let bytes = outline(number, FULL / 2);
            stream.append(conn, pieces(&bytes)).unwrap();
        }
        for number in (0..2 * count).step_by(2) {
            stream.erase(conn, number).unwrap();
        }
        stream.flush(conn).unwrap();
        let mut reader = Stream::default();
        assert_read(
            conn,
            &mut reader,
            (0..2 * count).map(|n| (n % 2) as usize * FULL / 2),
        );
        assert!(reader.held.iter().map(|held| held.chunk.bytes()).sum::<usize>() <= HELD);
    }

    #[test]
    fn outlines_that_are_all_alike_fill_rows_as_well() {
        let catalog = Catalog::in_memory().unwrap();
        let conn = catalog.connection();
        let mut written = 0;
        for _ in 0..200 {
            let mut writer = Stream::default();
            for _ in 0..500 {
                writer.append(conn, [&[5, 0], &[], &[], &[]]).unwrap();
            }
            writer.flush(conn).unwrap();
            written += rows(conn).last().unwrap().1;
        }
        let longest: i64 = conn
            .query_row("SELECT max(count) FROM outline_data", [], |row| row.get(0))
            .unwrap();
        assert!(longest < 20_000, "{longest} outlines in a row");
        assert!(written < 200 * 3000, "{written} bytes written");
    }

    #[test]
    fn rows_that_were_emptied_are_not_joined_without_end() {
        let catalog = Catalog::in_memory().unwrap();
        let conn = catalog.connection();
        let mut writer = Stream::default();
        let count = 60 * (FULL / 500) as u64;
        for number in 0..count {
            writer.append(conn, pieces(&outline(number, 500))).unwrap();
        }
        for number in 0..count {
            writer.erase(conn, number).unwrap();
        }
        writer.flush(conn).unwrap();
        for round in 0..40 {
            let mut writer = Stream::default();
            for number in 0..20 {
                let number = count + 20 * round + number;
                writer.append(conn, pieces(&outline(number, 700))).unwrap();
            }
            writer.flush(conn).unwrap();
        }
        let longest: i64 = conn
            .query_row("SELECT max(count) FROM outline_data", [], |row| row.get(0))
            .unwrap();
        assert!(longest.unsigned_abs() as usize * 32 <= LONGEST, "{longest}");
        let erased = std::iter::repeat_n(0, count as usize);
        assert_read(conn, &mut Stream::default(), erased.chain([700; 800]));
    }

    #[test]
    fn a_reader_never_takes_what_came_after_a_clearing_for_what_was_there_before() {
        let catalog = Catalog::in_memory().unwrap();
        let conn = catalog.connection();
        let write = |from: u64| {
            let mut writer = Stream::default();
            let appended = (0..10).map(|n| writer.append(conn, pieces(&outline(from + n, 50))).unwrap());
            let first = appended.min();
            writer.flush(conn).unwrap();
            first.unwrap()
        };
        assert_eq!(write(0), 0);
        let mut reader = Stream::default();
        assert_read(conn, &mut reader, [50; 10]);
        clear(conn).unwrap();
        let first = write(100);
        assert!(first >= 10, "{first}");
        let bytes = outline(103, 50);
        assert_eq!(reader.read(conn, first + 3).unwrap(), Some(pieces(&bytes)));
        // Emptied twice in a row, it still knows.
        clear(conn).unwrap();
        clear(conn).unwrap();
        assert!(write(200) >= first + 10);
    }

    #[test]
    fn a_row_of_another_count_is_damage() {
        let catalog = Catalog::in_memory().unwrap();
        let conn = catalog.connection();
        let mut writer = Stream::default();
        for number in 0..5 {
            writer.append(conn, pieces(&outline(number, 50))).unwrap();
        }
        writer.flush(conn).unwrap();
        for damage in [
            "count = count - 1",
            "count = count + 1",
            "count = -1",
            "count = 1 << 62",
        ] {
            conn.execute_batch(&format!("SAVEPOINT whole; UPDATE outline_data SET {damage}"))
                .unwrap();
            let read = Stream::default().read(conn, 2).map(|_| ());
            assert!(matches!(read, Err(CatalogError::Malformed { .. })), "{damage}");
            let appended = Stream::default().append(conn, pieces(&[1, 2, 3]));
            assert!(
                matches!(appended, Err(CatalogError::Malformed { .. })),
                "{damage}"
            );
            clear(conn).unwrap();
            conn.execute_batch("ROLLBACK TO whole; RELEASE whole").unwrap();
        }
        assert_read(conn, &mut Stream::default(), [50; 5]);
    }
}
