//! How the beginning of a record looks.

use super::record::{Format, arc_line};

/// Whether bytes begin a record: of a WARC the version line and a field, of an ARC its line.
pub(super) fn begins_record(bytes: &[u8], format: Option<Format>) -> bool {
    if format != Some(Format::Arc) && begins_warc(bytes) {
        return true;
    }
    if format == Some(Format::Warc) {
        return false;
    }
    // An ARC line may be cut off by the sight; then its address and scheme must do.
    match memchr::memchr(b'\n', bytes) {
        Some(end) => arc_line(&bytes[..end], 0).is_some(),
        None => {
            bytes.starts_with(b"http://") || bytes.starts_with(b"https://") || bytes.starts_with(b"filedesc:")
        }
    }
}

/// `WARC/` in either case.
pub(super) fn starts_warc(bytes: &[u8]) -> bool {
    bytes
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"WARC/"))
}

/// `WARC/`, a digit, a dot, the end of the line within sight, and the start of a field.
fn begins_warc(bytes: &[u8]) -> bool {
    if !starts_warc(bytes) {
        return false;
    }
    let version = &bytes[5..];
    if !version.first().is_some_and(u8::is_ascii_digit) || version.get(1) != Some(&b'.') {
        return false;
    }
    let Some(end) = memchr::memchr(b'\n', &version[..version.len().min(16)]) else {
        return false;
    };
    version.get(end + 1).is_none_or(u8::is_ascii_alphabetic)
}

/// Where in a block another record begins at the start of a line.
pub(super) fn inner_record(block: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(block, b"\nWARC/")
        .map(|at| at + 1)
        .find(|at| begins_warc(&block[*at..]))
}
