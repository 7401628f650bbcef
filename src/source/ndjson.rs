//! NDJSON: one page a line, in a file or a live stream.

use std::io::{self, BufRead};
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose;

use super::body::{self, Listed};
use super::input::{Origin, read_fault};
use super::line::Record;
use super::{At, Fault, Item, Reason, SourceOptions};
use crate::page::Page;

/// The lines of an NDJSON input as pages.
pub(super) struct Lines<R> {
    input: R,
    origin: Origin,
    options: SourceOptions,
    line: u64,
    buffer: Vec<u8>,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R, origin: Origin, options: SourceOptions) -> Self {
        Self {
            input,
            origin,
            options,
            line: 0,
            buffer: Vec::new(),
            ended: false,
        }
    }

    fn skipped(&self, reason: Reason, message: impl Into<String>) -> Listed {
        let place = self.origin.place(At::Line(self.line));
        Listed::ready(Item::Skipped(Fault::new(place, reason, message)))
    }

    fn page(&self, bytes: &[u8]) -> Listed {
        let record = match Record::parse(bytes, &self.options.map) {
            Ok(record) => record,
            Err(error) => {
                return self.skipped(
                    Reason::BadJson,
                    format!("not a JSON object: {error}; one page is one object on one line"),
                );
            }
        };
        match self.complete(record) {
            Ok(listed) => listed,
            Err((reason, message)) => self.skipped(reason, message),
        }
    }

    fn complete(&self, record: Record<'_>) -> Result<Listed, (Reason, String)> {
        let map = &self.options.map;
        if let Some((reason, message)) = record.wrong {
            return Err((reason, message));
        }
        let address = record.url.filter(|url| !url.is_empty()).ok_or_else(|| {
            (
                Reason::NoUrl,
                format!("no {:?}; name its key with --map url=KEY", map.url),
            )
        })?;
        let moment = match record.fetched_at {
            None => None,
            Some(spelled) => Some(
                spelled
                    .parse()
                    .map_err(|error| (Reason::BadTime, format!("{:?}: {error}", map.fetched_at)))?,
            ),
        };
        let mut page = Box::new(Page {
            address,
            moment,
            status: record.status,
            headers: record.headers,
            metadata: record.extra,
            body: Vec::new(),
        });
        let place = self.origin.place(At::Line(self.line));
        match (record.html, record.base64, record.path) {
            (None, None, None) => Err((
                Reason::NoBody,
                format!(
                    "none of {:?}, {:?}, {:?}; name the key with --map html=KEY",
                    map.html, map.body_base64, map.path
                ),
            )),
            (None, None, Some(path)) => {
                let path = self.inside(&path)?;
                Ok(Listed::file(page, path, place, false))
            }
            (Some(html), None, None) => {
                page.body = html.into_owned().into_bytes();
                Ok(self.sized(page, place))
            }
            (None, Some(base64), None) => {
                page.body = decode_base64(&base64).map_err(|error| {
                    (
                        Reason::BadBase64,
                        format!("{:?} is not Base64: {error}", map.body_base64),
                    )
                })?;
                Ok(self.sized(page, place))
            }
            _ => Err((
                Reason::TwoBodies,
                format!(
                    "more than one of {:?}, {:?}, {:?}",
                    map.html, map.body_base64, map.path
                ),
            )),
        }
    }

    fn sized(&self, page: Box<Page>, place: super::Place) -> Listed {
        if page.body.len() > self.options.max_page_size {
            return Listed::ready(Item::Skipped(body::too_large(place, self.options.max_page_size)));
        }
        Listed::ready(body::checked(page, place))
    }

    /// The path of a body, which must not lead out of the directory of the NDJSON file: a list of
    /// pages from elsewhere cannot make us read and keep other files of this machine.
    fn inside(&self, path: &str) -> Result<PathBuf, (Reason, String)> {
        let inner = Path::new(path);
        let stays = inner
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !stays {
            return Err((
                Reason::PathOutside,
                format!(
                    "{:?} leads out of the directory of the NDJSON file: {path:?}; write it relative to that directory, without \"..\"",
                    self.options.map.path
                ),
            ));
        }
        Ok(self.origin.folder.join(inner))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        while !self.ended {
            self.line += 1;
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            let read = read_line(&mut self.input, &mut buffer, self.options.max_line());
            let listed = match read {
                Ok(Line::End) => {
                    self.ended = true;
                    None
                }
                Ok(Line::TooLong) => Some(self.skipped(
                    Reason::LineTooLong,
                    format!(
                        "longer than {} bytes; raise the limit with --max-page-size",
                        self.options.max_line()
                    ),
                )),
                Ok(Line::Whole) => {
                    let mut text = buffer.as_slice();
                    if self.line == 1 {
                        text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
                    }
                    (!text.trim_ascii().is_empty()).then(|| self.page(text))
                }
                Err(error) => {
                    self.ended = true;
                    let place = self.origin.place(At::Line(self.line));
                    Some(Listed::ready(Item::Skipped(read_fault(place, &error))))
                }
            };
            // One huge line must not hold its memory for the rest of the run.
            if buffer.capacity() <= KEPT_BUFFER {
                self.buffer = buffer;
            }
            if listed.is_some() {
                return listed;
            }
        }
        None
    }
}

/// Largest line buffer that is kept for the next line, in bytes.
const KEPT_BUFFER: usize = 4 << 20;

enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads up to and with the next line feed. A line over the limit is read to its end and dropped.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<Line> {
    let mut any = false;
    let mut too_long = false;
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            break;
        }
        any = true;
        let end = memchr::memchr(b'\n', available);
        let used = end.map_or(available.len(), |at| at + 1);
        if !too_long {
            line.extend_from_slice(&available[..used]);
            if line.len() > limit {
                too_long = true;
                *line = Vec::new();
            }
        }
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    Ok(match (any, too_long) {
        (false, _) => Line::End,
        (true, true) => Line::TooLong,
        (true, false) => Line::Whole,
    })
}

/// Base64 in the standard or the URL alphabet, padded or not, white space dropped.
fn decode_base64(spelled: &str) -> Result<Vec<u8>, base64::DecodeError> {
    if let Ok(bytes) = general_purpose::STANDARD.decode(spelled) {
        return Ok(bytes);
    }
    let bare: Vec<u8> = spelled
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    general_purpose::STANDARD_NO_PAD.decode(bare)
}
