//! The bytes as they lie on disk, with their offset and a bounded way back.

use std::io::{self, Read, Seek, SeekFrom};

/// First size of the buffer, in bytes.
const BUFFER: usize = 128 << 10;

/// Furthest way back kept for a member that turns out to be damaged, in bytes.
const LOOKBACK: usize = 8 << 20;

/// A reader that knows its offset, shows bytes before they are consumed, and can go back to a mark
/// that is not too far behind.
pub(super) struct Raw<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset in the input of `buffer[start]`.
    offset: u64,
    /// Index in `buffer` from which bytes are kept.
    mark: Option<usize>,
    ended: bool,
}

impl<R: Read> Raw<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            offset: 0,
            mark: None,
            ended: false,
        }
    }

    /// Bytes from the start of the input to the next unconsumed byte.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What is there already, perhaps nothing.
    pub(super) fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// At least one byte, or none at the end of the input.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.more()?;
        }
        Ok(self.available())
    }

    /// At least `wanted` bytes, or fewer at the end of the input.
    pub(super) fn fill_to(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.end - self.start < wanted && self.more()? > 0 {}
        Ok(self.available())
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.end - self.start);
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Keeps what comes from here on for [`Raw::rewind`].
    pub(super) fn mark(&mut self) {
        self.mark = Some(self.start);
    }

    /// Goes back to the mark, if it is still kept; tells by how many bytes.
    pub(super) fn rewind(&mut self) -> Option<u64> {
        let mark = self.mark?;
        let back = (self.start - mark) as u64;
        self.start = mark;
        self.offset -= back;
        Some(back)
    }

    /// Reads once. The bytes since the mark stay, unless they are more than [`LOOKBACK`].
    fn more(&mut self) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        if self.end == self.buffer.len() {
            self.make_room();
        }
        loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    self.ended = read == 0;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn make_room(&mut self) {
        if self.mark.is_some_and(|mark| self.end - mark >= LOOKBACK) {
            self.mark = None;
        }
        let keep = self.mark.unwrap_or(self.start);
        if keep * 2 >= self.buffer.len() {
            self.buffer.copy_within(keep..self.end, 0);
            self.start -= keep;
            self.end -= keep;
            self.mark = self.mark.map(|mark| mark - keep);
        } else {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }
}

impl<R: Read + Seek> Raw<R> {
    /// Goes to an offset from the start of the input.
    pub(super) fn seek_to(&mut self, offset: u64) -> io::Result<()> {
        self.inner.seek(SeekFrom::Start(offset))?;
        self.start = 0;
        self.end = 0;
        self.mark = None;
        self.ended = false;
        self.offset = offset;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_kept_and_bounded() {
        let input: Vec<u8> = (0..24u32 << 20).map(|n| (n % 251) as u8).collect();
        let mut raw = Raw::new(input.as_slice());
        raw.fill().unwrap();
        raw.consume(1000);
        raw.mark();
        while raw.offset() < 2_000_000 {
            let available = raw.fill().unwrap().len();
            raw.consume(available);
        }
        let back = raw.rewind().unwrap();
        assert!(back > 1_900_000);
        assert_eq!(raw.offset(), 1000);
        assert_eq!(raw.available()[..9], input[1000..1009]);
        while raw.offset() < 20 << 20 {
            let available = raw.fill().unwrap().len().min(60_000);
            raw.consume(available);
        }
        assert!(raw.rewind().is_none());
        assert!(raw.buffer.len() <= 2 * LOOKBACK);
        let offset = raw.offset() as usize;
        assert_eq!(raw.fill_to(100).unwrap()[..100], input[offset..offset + 100]);
    }
}
