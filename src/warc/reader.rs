//! Finds the records of a stream, and the next one after damage.

use std::io::{self, BufRead, Read};

use super::begin::{begins_record, inner_record, starts_warc};
use super::damage::{Damage, DamageKind, broken, clipped, clipped_text, is_fatal};
use super::fields::{Fields, text};
use super::record::{Format, Record, arc_line};
use super::stream::{GZIP_MEMBER, Stream};

/// Largest header of a record, in bytes.
const MAX_HEADER: usize = 256 << 10;

/// Bytes that must hold the first line of a record and the start of the second when its beginning is
/// looked for.
const SIGHT: usize = 4096;

/// Most bytes of blocks read a second time in one input because a length reached into the next record.
const MAX_REREAD: u64 = 256 << 20;

/// The block of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Set if the declared length does not fit what follows: the true length where another record or
    /// the end of the compressed member tells it, else the declared one, and what is wrong.
    pub wrong_length: Option<&'static str>,
}

/// Reads the records of a WARC or ARC, plain or compressed, one after the other, and never gives up
/// before the end of the input.
pub struct Reader<R> {
    stream: Stream<R>,
    format: Option<Format>,
    /// Bytes of the current record's block not read yet.
    left: u64,
    /// Bytes put back so far because a length was declared too large.
    reread: u64,
    /// Offset of the current record.
    current: u64,
    /// Whether the next record must be looked for behind damage.
    lost: bool,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads from the start of a stream.
    pub fn new(stream: Stream<R>) -> Self {
        Self {
            stream,
            format: None,
            left: 0,
            reread: 0,
            current: 0,
            lost: false,
            ended: false,
        }
    }

    /// Whether the first bytes of a stream are those of a WARC or ARC.
    #[must_use]
    pub fn recognizes(first: &[u8]) -> bool {
        starts_warc(first) || first.starts_with(b"filedesc:")
    }

    /// Decompressed bytes consumed so far.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.stream.consumed()
    }

    /// The header of the next record; what is left of the block before it is passed over. `None` at
    /// the end of the input.
    pub fn next_record(&mut self) -> Option<Result<Record, Damage>> {
        if self.ended {
            return None;
        }
        let result = self.advance();
        match result {
            Ok(record) => {
                let record = record?;
                self.left = record.length;
                Some(Ok(record))
            }
            Err(damage) => {
                self.left = 0;
                Some(Err(damage))
            }
        }
    }

    /// First bytes of the current block, at most `wanted` and perhaps fewer, without consuming them.
    pub fn peek_block(&mut self, wanted: usize) -> Result<&[u8], Damage> {
        let wanted = wanted.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        match self.stream.peek(wanted) {
            Ok(bytes) => Ok(&bytes[..bytes.len().min(wanted)]),
            Err(error) => {
                self.lost = true;
                self.left = 0;
                self.ended = is_fatal(&error);
                Err(broken(self.current, &error))
            }
        }
    }

    /// The whole block of the current record. `None` if it is longer than `limit`; then it is passed
    /// over with the next call of [`Reader::next_record`].
    pub fn read_block(&mut self, limit: usize) -> Result<Option<Block>, Damage> {
        if self.left > limit as u64 {
            return Ok(None);
        }
        let length = self.left as usize;
        let mut block = Block {
            bytes: Vec::with_capacity(length),
            wrong_length: None,
        };
        while self.left > 0 {
            if self.next_member_begins_record()? {
                block.wrong_length = Some("the compressed member ends before the declared length");
                self.left = 0;
                return Ok(Some(block));
            }
            let available = match self.stream.fill_buf() {
                Ok(available) => available,
                Err(error) => return Err(self.fail(&error)),
            };
            if available.is_empty() {
                self.ended = true;
                return Err(Damage {
                    offset: self.current,
                    kind: DamageKind::Truncated,
                    message: format!(
                        "the input ends inside this record: {} of {length} bytes are there",
                        block.bytes.len()
                    ),
                });
            }
            let taken = available.len().min(self.left as usize);
            block.bytes.extend_from_slice(&available[..taken]);
            self.stream.consume(taken);
            self.left -= taken as u64;
        }
        self.check_end(&mut block);
        Ok(Some(block))
    }

    /// Whether the current member is used up and the next one begins with a record, so that a block
    /// cannot go on in it.
    fn next_member_begins_record(&mut self) -> Result<bool, Damage> {
        if !self.stream.at_member_end() {
            return Ok(false);
        }
        let format = self.format;
        match self.stream.peek(SIGHT) {
            Ok(bytes) => Ok(begins_record(bytes, format)),
            Err(error) => Err(self.fail(&error)),
        }
    }

    /// Looks at what follows a block. Where no record follows, a record inside the block shows that
    /// its length was declared too large, and the block is cut there.
    fn check_end(&mut self, block: &mut Block) {
        if self.format == Some(Format::Arc) {
            return;
        }
        let Ok(next) = self.stream.peek(64) else {
            return; // Reported where the next record is looked for.
        };
        let newlines = next
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        if newlines == next.len() || starts_warc(&next[newlines..]) && newlines > 0 {
            return;
        }
        match inner_record(&block.bytes) {
            // Of records that all reach to the same end, each would be read as often as there are others before it.
            Some(at) if self.reread < MAX_REREAD => {
                let rest = block.bytes.split_off(at);
                self.reread += rest.len() as u64;
                let end = block.bytes.trim_ascii_end().len().max(at.saturating_sub(4));
                block.bytes.truncate(end);
                self.stream.unread(rest);
                block.wrong_length = Some("the declared length reaches into the next record");
            }
            _ => {
                block.wrong_length = Some("no record follows at the declared length");
            }
        }
    }

    fn advance(&mut self) -> Result<Option<Record>, Damage> {
        if self.lost {
            self.lost = false;
            return self.find_next();
        }
        self.skip_rest()?;
        loop {
            let format = self.format;
            let next = match self.stream.peek(SIGHT) {
                Ok(next) => next,
                Err(error) => return Err(self.fail(&error)),
            };
            if next.is_empty() {
                self.ended = true;
                return Ok(None);
            }
            let newlines = next
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            if newlines > 0 {
                self.stream.consume(newlines);
                continue;
            }
            let is_warc = starts_warc(next) && format != Some(Format::Arc);
            self.current = self.stream.offset();
            if is_warc {
                return self.warc_header().map(Some);
            }
            return self.arc_header().map(Some);
        }
    }

    /// Passes over what is left of the current block.
    fn skip_rest(&mut self) -> Result<(), Damage> {
        while self.left > 0 {
            if self.next_member_begins_record()? {
                self.left = 0;
                return Ok(());
            }
            let available = match self.stream.fill_buf() {
                Ok(available) => available.len(),
                Err(error) => return Err(self.fail(&error)),
            };
            if available == 0 {
                self.ended = true;
                return Err(Damage {
                    offset: self.current,
                    kind: DamageKind::Truncated,
                    message: "the input ends inside this record".to_owned(),
                });
            }
            let taken = available.min(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.stream.consume(taken);
            self.left -= taken as u64;
        }
        Ok(())
    }

    fn warc_header(&mut self) -> Result<Record, Damage> {
        let head = self.header_bytes()?;
        let (first, rest) = match memchr::memchr(b'\n', &head) {
            Some(at) => head.split_at(at),
            None => (head.as_slice(), &[][..]),
        };
        let version = first.get(5..).unwrap_or_default().trim_ascii();
        let bad = |message: String| Damage {
            offset: self.current,
            kind: DamageKind::Header,
            message,
        };
        let is_version = version.len() <= 8
            && version.contains(&b'.')
            && version.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
        if !is_version {
            self.lost = true;
            return Err(bad(format!(
                "the first line of the record has no version: {:?}",
                clipped(first)
            )));
        }
        let fields = Fields::parse(rest);
        let Some(length) = fields.get("Content-Length").and_then(|value| value.parse().ok()) else {
            let written = fields.get("Content-Length").map(clipped_text);
            self.lost = true;
            return Err(bad(match written {
                Some(written) => format!("the record's Content-Length is no number: {written:?}"),
                None => "the record has no Content-Length".to_owned(),
            }));
        };
        self.format.get_or_insert(Format::Warc);
        Ok(Record {
            offset: self.current,
            format: Format::Warc,
            version: text(version),
            fields,
            length,
        })
    }

    /// The bytes of a header up to and with its empty line.
    fn header_bytes(&mut self) -> Result<Vec<u8>, Damage> {
        let mut head = Vec::with_capacity(1024);
        loop {
            let before = head.len();
            let room = (MAX_HEADER - before) as u64;
            let mut limited = (&mut self.stream).take(room);
            if let Err(error) = limited.read_until(b'\n', &mut head) {
                return Err(self.fail(&error));
            }
            let line = &head[before..];
            if line.ends_with(b"\n") && line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                return Ok(head);
            }
            if !line.ends_with(b"\n") {
                let at_limit = head.len() >= MAX_HEADER;
                self.lost = at_limit;
                self.ended = !at_limit;
                return Err(Damage {
                    offset: self.current,
                    kind: if at_limit {
                        DamageKind::Header
                    } else {
                        DamageKind::Truncated
                    },
                    message: if at_limit {
                        format!("the record's header is longer than the limit of {MAX_HEADER} bytes")
                    } else {
                        "the input ends inside the header of this record".to_owned()
                    },
                });
            }
        }
    }

    fn arc_header(&mut self) -> Result<Record, Damage> {
        let offset = self.current;
        let mut line = Vec::new();
        let parsed = match self.stream.peek(SIGHT) {
            Ok(next) => {
                let end = memchr::memchr(b'\n', next).map_or(next.len(), |at| at + 1);
                line.extend_from_slice(&next[..end]);
                arc_line(&line, offset)
            }
            Err(error) => return Err(self.fail(&error)),
        };
        match parsed {
            Some(record) if self.format != Some(Format::Warc) => {
                self.stream.consume(line.len());
                self.format = Some(Format::Arc);
                Ok(record)
            }
            _ => {
                // The line is passed over at once, so that looking on never stands still.
                self.stream.consume(line.len());
                self.lost = true;
                Err(Damage {
                    offset,
                    kind: DamageKind::Garbage,
                    message: format!("no record begins here: {:?}", clipped(&line)),
                })
            }
        }
    }

    /// Looks for the next line that begins a record.
    fn find_next(&mut self) -> Result<Option<Record>, Damage> {
        loop {
            let format = self.format;
            let compressed = self.stream.is_compressed();
            let next = match self.stream.peek(SIGHT) {
                Ok(next) => next,
                Err(error) => {
                    if is_fatal(&error) {
                        return Err(self.fail(&error));
                    }
                    match self
                        .stream
                        .recover(|first| begins_record(first, format) || first.is_empty())
                    {
                        Ok(true) => continue,
                        Ok(false) => {
                            self.ended = true;
                            return Ok(None);
                        }
                        Err(error) => return Err(self.fail(&error)),
                    }
                }
            };
            if next.is_empty() {
                self.ended = true;
                return Ok(None);
            }
            if begins_record(next, format) {
                return self.advance_at_record();
            }
            let line = memchr::memchr(b'\n', next).map_or(next.len(), |at| at + 1);
            // Where the first member of a file is damaged in its magic, the file looks plain.
            let member =
                memchr::memmem::find(&next[..line], GZIP_MEMBER).filter(|_| format.is_none() && !compressed);
            let Some(at) = member else {
                self.stream.consume(line);
                continue;
            };
            self.stream.consume(at);
            match self.stream.adopt_gzip(|first| begins_record(first, None)) {
                Ok(true) => {}
                Ok(false) => self.stream.consume(1),
                Err(error) => return Err(self.fail(&error)),
            }
        }
    }

    fn advance_at_record(&mut self) -> Result<Option<Record>, Damage> {
        self.left = 0;
        self.advance()
    }

    /// Turns an error of the stream into damage and looks for the next member.
    fn fail(&mut self, error: &io::Error) -> Damage {
        self.left = 0;
        let offset = self.stream.offset();
        if is_fatal(error) {
            self.ended = true;
            return broken(offset, error);
        }
        let format = self.format;
        match self.stream.recover(|first| begins_record(first, format)) {
            Ok(true) => self.lost = true,
            Ok(false) | Err(_) => self.ended = true,
        }
        broken(offset, error)
    }
}
