//! Reading a pack from front to end without trusting anything: frames that are whole are told, what
//! lies between them is told as damage, and the scanner goes on at the next frame it can make out.

use super::PackError;
use super::build::{FOOTER, HEADER};
use super::frame::{FIXED, Frame, MAGIC};
use super::read::Pack;

/// Bytes looked through at once for the beginning of a frame.
const WINDOW: usize = 1 << 20;

/// Something met while scanning.
#[derive(Debug)]
pub enum Piece {
    /// A frame whose head is whole. Its payload has not been looked at.
    Frame(Frame),
    /// Bytes that are no frame: from, to (half-open), and why the frame expected there was refused.
    Damage {
        /// Offset of the first byte.
        from: u64,
        /// Offset after the last byte.
        to: u64,
        /// Why.
        why: PackError,
    },
}

/// Scans a pack from its header to its footer.
#[derive(Debug)]
pub struct Scan<'a> {
    pack: &'a Pack,
    at: u64,
    end: u64,
    next: Option<Frame>,
}

/// Begins a scan. The footer, if there is a whole one, is left out; without one the scan goes to the
/// end of the file.
#[must_use]
pub fn scan(pack: &Pack) -> Scan<'_> {
    let end = match pack.directory() {
        Ok(_) => pack.length() - FOOTER as u64,
        Err(_) => pack.length(),
    };
    Scan {
        pack,
        at: HEADER as u64,
        end,
        next: None,
    }
}

impl Iterator for Scan<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if let Some(frame) = self.next.take() {
            self.at = frame.end();
            return Some(Piece::Frame(frame));
        }
        if self.at >= self.end {
            return None;
        }
        match self.pack.frame(self.at) {
            Ok(frame) => {
                self.at = frame.end();
                Some(Piece::Frame(frame))
            }
            Err(why) => {
                let from = self.at;
                // One byte further on: a frame whose head is damaged still begins like one.
                self.next = self.resynchronise(from + 1);
                self.at = self.next.as_ref().map_or(self.end, |frame| frame.at);
                Some(Piece::Damage {
                    from,
                    to: self.at,
                    why,
                })
            }
        }
    }
}

impl Scan<'_> {
    /// The first frame that begins at `from` or later.
    fn resynchronise(&self, mut from: u64) -> Option<Frame> {
        while from + FIXED as u64 <= self.end {
            let length = (self.end - from).min(WINDOW as u64) as usize;
            let bytes = self.pack.bytes(from, length).ok()?;
            for start in memchr::memmem::find_iter(&bytes, &MAGIC) {
                if let Ok(frame) = self.pack.frame(from + start as u64) {
                    return Some(frame);
                }
            }
            if from + length as u64 >= self.end {
                return None;
            }
            // Windows overlap, so that no beginning of a frame falls between two.
            from += (length - MAGIC.len() + 1) as u64;
        }
        None
    }
}
