//! What is told about places that could not be read.

use std::io;

use super::fields::text;

/// A place that could not be read as a record. The reader goes on behind it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Damage {
    /// Offset in the input of the record, or of the compressed member that holds it.
    pub offset: u64,
    /// What kind of damage.
    pub kind: DamageKind,
    /// For people.
    pub message: String,
}

/// Kinds of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// The compressed data is damaged.
    Compression,
    /// The input ends inside a record.
    Truncated,
    /// Bytes that are no record stand where one should begin.
    Garbage,
    /// A header without a readable length, or over the limit.
    Header,
    /// Reading the input itself failed; the reader ends here.
    Reading,
}

/// Whether an error is one of reading the input rather than of what was read.
pub(super) fn is_fatal(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

pub(super) fn broken(offset: u64, error: &io::Error) -> Damage {
    let kind = match error.kind() {
        io::ErrorKind::InvalidData => DamageKind::Compression,
        io::ErrorKind::UnexpectedEof => DamageKind::Truncated,
        _ => DamageKind::Reading,
    };
    Damage {
        offset,
        kind,
        message: error.to_string(),
    }
}

/// The start of bytes for a message.
pub(super) fn clipped(bytes: &[u8]) -> String {
    let end = bytes.len().min(60);
    text(bytes[..end].trim_ascii_end())
}

pub(super) fn clipped_text(value: &str) -> String {
    value.chars().take(60).collect()
}
