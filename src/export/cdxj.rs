//! CDXJ: one line for each record of a WARC, sorted by SURT key and time.

use std::io::{self, Write};

use serde::Serialize;

use super::surt;
use crate::page::Moment;

/// What a CDXJ line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CdxjLine {
    /// SURT key of the address.
    #[serde(skip)]
    pub key: String,
    /// Fourteen digits.
    #[serde(skip)]
    pub timestamp: String,
    /// The address.
    pub url: String,
    /// Media type; `warc/revisit` for a revisit.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mime: String,
    /// HTTP status.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// Payload digest as the record declares it.
    pub digest: String,
    /// Bytes of the record in the file.
    pub length: String,
    /// Bytes before it.
    pub offset: String,
    /// Name of the file.
    pub filename: String,
}

impl CdxjLine {
    /// The line of a record; length, offset and digest are filled in by the caller.
    #[must_use]
    pub fn new(address: &str, moment: Moment, filename: &str) -> Self {
        Self {
            key: surt(address),
            timestamp: moment.fourteen_digits(),
            url: address.to_owned(),
            mime: String::new(),
            status: String::new(),
            digest: String::new(),
            length: String::new(),
            offset: String::new(),
            filename: filename.to_owned(),
        }
    }

    /// The whole line with its line end.
    #[must_use]
    pub fn text(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{} {} {json}\n", self.key, self.timestamp)
    }
}

/// Lines as text, sorted as replay tools expect it: by bytes.
#[must_use]
pub(super) fn sorted(lines: &[CdxjLine]) -> Vec<String> {
    let mut texts: Vec<String> = lines.iter().map(CdxjLine::text).collect();
    texts.sort_unstable();
    texts
}

/// Writes lines, sorted.
pub fn write_cdxj(lines: &[CdxjLine], mut out: impl Write) -> io::Result<()> {
    for line in sorted(lines) {
        out.write_all(line.as_bytes())?;
    }
    out.flush()
}
