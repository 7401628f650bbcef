//! The bytes of an input with its compression taken off, member by member.

use std::io::{self, BufRead, Read, Seek};

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{Decompressor, crc32};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

use super::raw::Raw;

/// Bytes decompressed at once.
const CHUNK: usize = 128 << 10;

/// Largest zstd window accepted, as a power of two: 128 MiB, what `zstd --long` writes by default.
const MAX_WINDOW_LOG: u32 = 27;

/// Largest dictionary of a `.warc.zst`, decompressed, in bytes.
const MAX_DICTIONARY: usize = 16 << 20;

/// Most bytes read a second time in one input while looking for the next member after damage.
const MAX_REWOUND: u64 = 256 << 20;

/// Bytes of a gzip member looked at to see whether a record begins in it.
const TRIAL: usize = 1024;

/// Most compressed bytes of a gzip member that is decompressed in one go, ...
const MAX_WHOLE: usize = 4 << 20;
/// ... and most bytes it may give.
const MAX_WHOLE_OUT: usize = 16 << 20;

/// Bytes in which the end of a gzip member is looked for at first.
const WHOLE_WINDOW: usize = 128 << 10;

/// Places tried as the end of a gzip member.
const MAX_ENDS: usize = 3;

/// Bytes of the trailer of a gzip member.
const TRAILER: usize = 8;

/// Bytes of the smallest gzip member: header and trailer.
const GZIP_LEAST: usize = 18;

const GZIP: &[u8] = b"\x1f\x8b";
/// First bytes of a gzip member: magic and the only method there is.
pub(super) const GZIP_MEMBER: &[u8] = b"\x1f\x8b\x08";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The skippable frame that holds the dictionary of a `.warc.zst`.
const ZSTD_DICTIONARY: &[u8] = b"\x5d\x2a\x4d\x18";

/// Decompressed bytes of a plain, gzip or zstd input, told by its first bytes. A compressed input is
/// a row of members (zstd: frames); each begins at a known offset, and after damage the reading can
/// go on at the next one.
pub struct Stream<R> {
    raw: Raw<R>,
    layer: Layer,
    /// Bytes put back in front by [`Stream::unread`]; the rest from `unread_at`.
    unread: Vec<u8>,
    unread_at: usize,
    /// Decompressed bytes of the current member.
    out: Vec<u8>,
    pos: usize,
    end: usize,
    in_member: bool,
    member: u64,
    rewound: u64,
    consumed: u64,
    /// Decompresses whole members; only for inputs at rest.
    whole: Option<Decompressor>,
}

enum Layer {
    Unknown,
    Plain,
    Gzip(Box<Decompress>),
    Zstd(DCtx<'static>),
}

impl<R: Read> Stream<R> {
    /// Takes the compression off `inner`. Nothing is read yet.
    pub fn new(inner: R) -> Self {
        Self {
            raw: Raw::new(inner),
            layer: Layer::Unknown,
            unread: Vec::new(),
            unread_at: 0,
            out: Vec::new(),
            pos: 0,
            end: 0,
            in_member: false,
            member: 0,
            rewound: 0,
            consumed: 0,
            whole: None,
        }
    }

    /// The same for an input at rest, such as a file: it is read ahead, so that gzip members are
    /// decompressed in one go, which takes half the time. A live stream must not be read ahead.
    pub fn at_rest(inner: R) -> Self {
        Self {
            whole: Some(Decompressor::new()),
            ..Self::new(inner)
        }
    }

    /// Whether the input is compressed; known after the first byte was asked for.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        matches!(self.layer, Layer::Gzip(_) | Layer::Zstd(_))
    }

    /// Offset in the input of the next byte, or of the compressed member that holds it.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self.layer {
            Layer::Unknown | Layer::Plain => self.raw.offset() - (self.unread.len() - self.unread_at) as u64,
            _ => self.member,
        }
    }

    /// Decompressed bytes consumed so far.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The next bytes: `wanted`, or fewer at the end of the input or of a compressed member. Empty
    /// only at the end of the input.
    pub fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.unread_at < self.unread.len() {
            return Ok(&self.unread[self.unread_at..]);
        }
        self.open()?;
        if matches!(self.layer, Layer::Plain) {
            return self.raw.fill_to(wanted);
        }
        if self.pos == self.end {
            self.pos = 0;
            self.end = 0;
            self.decompress()?;
        }
        if self.end - self.pos < wanted && self.in_member && self.pos > 0 {
            self.out.copy_within(self.pos..self.end, 0);
            self.end -= self.pos;
            self.pos = 0;
        }
        while self.end - self.pos < wanted && self.in_member {
            self.decompress()?;
        }
        Ok(&self.out[self.pos..self.end])
    }

    /// Whether all of the current compressed member was consumed.
    #[must_use]
    pub fn at_member_end(&self) -> bool {
        self.is_compressed() && self.pos == self.end && !self.in_member && self.unread_at == self.unread.len()
    }

    /// Puts bytes back in front of what comes next.
    pub fn unread(&mut self, mut bytes: Vec<u8>) {
        bytes.extend_from_slice(&self.unread[self.unread_at..]);
        self.unread = bytes;
        self.unread_at = 0;
    }

    /// After an error of the compression: goes to the next place where a member begins whose first
    /// bytes `begins` accepts. `false` if there is none.
    pub fn recover(&mut self, begins: impl Fn(&[u8]) -> bool) -> io::Result<bool> {
        self.unread.clear();
        self.unread_at = 0;
        self.pos = 0;
        self.end = 0;
        self.in_member = false;
        if self.rewound < MAX_REWOUND
            && let Some(back) = self.raw.rewind()
        {
            self.rewound += back;
            self.raw.consume(1);
        }
        let magic = match self.layer {
            Layer::Gzip(_) => GZIP,
            Layer::Zstd(_) => ZSTD,
            Layer::Unknown | Layer::Plain => return Ok(false),
        };
        loop {
            let available = self.raw.fill_to(TRIAL)?;
            let there = available.len();
            if there < magic.len() {
                self.raw.consume(there);
                return Ok(false);
            }
            match memchr::memmem::find(available, magic) {
                Some(0) => {
                    if magic == ZSTD || gzip_begins(available, &begins) {
                        return Ok(true);
                    }
                    self.raw.consume(1);
                }
                Some(at) => self.raw.consume(at),
                None => {
                    let gone = there - (magic.len() - 1);
                    self.raw.consume(gone);
                }
            }
        }
    }

    /// In an input taken for a plain one: whether a gzip member begins here whose first bytes
    /// `begins` accepts. Then the rest is read as gzip.
    pub fn adopt_gzip(&mut self, begins: impl Fn(&[u8]) -> bool) -> io::Result<bool> {
        if self.is_compressed() || !gzip_begins(self.raw.fill_to(TRIAL)?, begins) {
            return Ok(false);
        }
        self.layer = Layer::Gzip(Box::new(Decompress::new_gzip(15)));
        self.out = vec![0; CHUNK];
        Ok(true)
    }

    /// Finds out what the input is.
    fn open(&mut self) -> io::Result<()> {
        if !matches!(self.layer, Layer::Unknown) {
            return Ok(());
        }
        let magic = self.raw.fill_to(4)?;
        self.layer = if magic.starts_with(GZIP) {
            Layer::Gzip(Box::new(Decompress::new_gzip(15)))
        } else if magic.starts_with(ZSTD) || magic.starts_with(ZSTD_DICTIONARY) {
            let with_dictionary = magic.starts_with(ZSTD_DICTIONARY);
            let mut context = DCtx::create();
            context
                .set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG))
                .map_err(zstd_error)?;
            if with_dictionary {
                let dictionary = self.dictionary()?;
                context.load_dictionary(&dictionary).map_err(zstd_error)?;
            }
            Layer::Zstd(context)
        } else {
            Layer::Plain
        };
        if self.is_compressed() {
            self.out = vec![0; CHUNK];
        }
        Ok(())
    }

    /// Reads the dictionary frame: magic, length, then the dictionary, perhaps compressed itself.
    fn dictionary(&mut self) -> io::Result<Vec<u8>> {
        let head = self.raw.fill_to(8)?;
        let length = head
            .get(4..8)
            .and_then(|length| <[u8; 4]>::try_from(length).ok())
            .map(|length| u32::from_le_bytes(length) as usize)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        if length > MAX_DICTIONARY {
            return Err(invalid(
                "the dictionary of the zstd frames is over the limit of 16 MiB",
            ));
        }
        self.raw.consume(8);
        let mut dictionary = Vec::new();
        while dictionary.len() < length {
            let available = self.raw.fill()?;
            if available.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let taken = available.len().min(length - dictionary.len());
            dictionary.extend_from_slice(&available[..taken]);
            self.raw.consume(taken);
        }
        if dictionary.starts_with(ZSTD) {
            return zstd::bulk::decompress(&dictionary, MAX_DICTIONARY);
        }
        Ok(dictionary)
    }

    /// Decompresses at least one byte more of the current member behind `end`, or begins the next
    /// member; nothing at the end of the input.
    fn decompress(&mut self) -> io::Result<()> {
        loop {
            if !self.in_member {
                if !self.begin_member()? {
                    return Ok(());
                }
                if self.inflate_whole()? {
                    if self.end > self.pos {
                        return Ok(());
                    }
                    continue;
                }
            }
            if self.end == self.out.len() {
                self.out.resize(self.out.len() + CHUNK, 0);
            }
            let input = self.raw.fill()?;
            let at_end_of_input = input.is_empty();
            // Never more at once, however large the buffer has grown: where the data is damaged, what came
            // out of the failing call is lost.
            let until = self.out.len().min(self.end + CHUNK);
            let free = &mut self.out[self.end..until];
            let (used, made, ended) = match &mut self.layer {
                Layer::Gzip(inflate) => {
                    let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
                    let status = inflate
                        .decompress(input, free, FlushDecompress::None)
                        .map_err(|error| invalid(&format!("damaged gzip: {error}")))?;
                    let used = (inflate.total_in() - before_in) as usize;
                    let made = (inflate.total_out() - before_out) as usize;
                    (used, made, status == Status::StreamEnd)
                }
                Layer::Zstd(context) => {
                    let mut from = InBuffer::around(input);
                    let mut to = OutBuffer::around(free);
                    let left = context
                        .decompress_stream(&mut to, &mut from)
                        .map_err(zstd_error)?;
                    (from.pos(), to.pos(), left == 0)
                }
                Layer::Unknown | Layer::Plain => return Ok(()),
            };
            self.raw.consume(used);
            self.end += made;
            if ended {
                self.in_member = false;
            } else if used == 0 && made == 0 {
                return Err(if at_end_of_input {
                    io::Error::new(io::ErrorKind::UnexpectedEof, "the compressed data is cut off")
                } else {
                    invalid("damaged compressed data: no progress")
                });
            }
            if made > 0 {
                return Ok(());
            }
        }
    }

    /// Decompresses the whole gzip member that begins here, if its end is found in sight: the next
    /// member begins there, or the input ends, and the trailer before it has the right length. Where
    /// it is not, or anything is wrong, nothing happened, and the member is decompressed bit by bit.
    fn inflate_whole(&mut self) -> io::Result<bool> {
        let (Some(whole), Layer::Gzip(_)) = (&mut self.whole, &self.layer) else {
            return Ok(false);
        };
        let mut from = GZIP_LEAST;
        let mut window = WHOLE_WINDOW;
        for _ in 0..MAX_ENDS {
            let end = loop {
                let available = self.raw.fill_to(window)?;
                let there = available.len();
                let found = available
                    .get(from..)
                    .and_then(|rest| memchr::memmem::find(rest, GZIP_MEMBER));
                match found {
                    Some(at) => break from + at,
                    None if there < window => break there,
                    None if window >= MAX_WHOLE => return Ok(false),
                    None => {
                        from = there - (GZIP_MEMBER.len() - 1);
                        window *= 2;
                    }
                }
            };
            let member = self.raw.available().get(..end).unwrap_or_default();
            // The trailer: checksum and length of what was compressed, four bytes each.
            let Some((checksum, length)) = member.split_last_chunk().and_then(|(front, length)| {
                let length = u32::from_le_bytes(*length) as usize;
                Some((u32::from_le_bytes(*front.last_chunk()?), length))
            }) else {
                return Ok(false);
            };
            if end >= GZIP_LEAST && length <= MAX_WHOLE_OUT {
                if self.out.len() < length {
                    self.out.resize(length, 0);
                }
                let made = whole.gzip_decompress(member, &mut self.out[..length]);
                // Damage behind this member must not be swallowed. The member ends here if its trailer stands
                // here and nowhere before.
                let ends_before =
                    || memchr::memmem::find(&member[..end - 1], &member[end - TRAILER..]).is_some();
                if made.is_ok_and(|made| made == length)
                    && crc32(&self.out[..length]) == checksum
                    && !ends_before()
                {
                    self.raw.consume(end);
                    self.pos = 0;
                    self.end = length;
                    self.in_member = false;
                    return Ok(true);
                }
            }
            if self.raw.available().len() <= end {
                return Ok(false);
            }
            from = end + 1;
        }
        Ok(false)
    }

    /// Begins the next member; `false` at the end of the input. Zero bytes between members are
    /// padding.
    fn begin_member(&mut self) -> io::Result<bool> {
        loop {
            let available = self.raw.fill()?;
            if available.is_empty() {
                return Ok(false);
            }
            let zeros = available.iter().take_while(|byte| **byte == 0).count();
            if zeros == 0 {
                break;
            }
            self.raw.consume(zeros);
        }
        self.member = self.raw.offset();
        self.raw.mark();
        match &mut self.layer {
            Layer::Gzip(inflate) => {
                if !self.raw.fill_to(2)?.starts_with(GZIP) {
                    return Err(invalid("no gzip member begins here, and the file does not end"));
                }
                inflate.reset(true);
            }
            Layer::Zstd(context) => {
                context.reset(ResetDirective::SessionOnly).map_err(zstd_error)?;
            }
            Layer::Unknown | Layer::Plain => {}
        }
        self.in_member = true;
        Ok(true)
    }
}

impl<R: Read + Seek> Stream<R> {
    /// Goes to an offset of the input at which a record, or the compressed member that holds it,
    /// begins; a dictionary at the start of the input is read first.
    pub fn seek_to(&mut self, offset: u64) -> io::Result<()> {
        self.open()?;
        self.raw.seek_to(offset)?;
        self.unread.clear();
        self.unread_at = 0;
        self.pos = 0;
        self.end = 0;
        self.in_member = false;
        Ok(())
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let taken = available.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&available[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: Read> BufRead for Stream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, bytes: usize) {
        self.consumed += bytes as u64;
        if self.unread_at < self.unread.len() {
            self.unread_at = self.unread.len().min(self.unread_at + bytes);
            if self.unread_at == self.unread.len() {
                self.unread = Vec::new();
                self.unread_at = 0;
            }
        } else if self.is_compressed() {
            self.pos = self.end.min(self.pos + bytes);
        } else {
            self.raw.consume(bytes);
        }
    }
}

/// Whether a gzip member begins here whose first bytes are accepted.
fn gzip_begins(bytes: &[u8], begins: impl Fn(&[u8]) -> bool) -> bool {
    // Method 8 is deflate; the upper three flags are reserved.
    if bytes.get(2) != Some(&8) || bytes.get(3).is_none_or(|flags| flags & 0xe0 != 0) {
        return false;
    }
    let mut out = [0; 64];
    let mut inflate = Decompress::new_gzip(15);
    let made = match inflate.decompress(bytes, &mut out, FlushDecompress::None) {
        Ok(_) => inflate.total_out() as usize,
        Err(_) => return false,
    };
    begins(&out[..made])
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_owned())
}

fn zstd_error(code: usize) -> io::Error {
    invalid(&format!("damaged zstd: {}", zstd_safe::get_error_name(code)))
}
