//! Snapshots as the records of a WARC.
//!
//! A page with a status goes out as a `response`, one without as a `resource`: nothing is made up.
//! Bodies are written decoded, as the archive holds them, so codings and lengths of the headers are
//! moved or recomputed, and the digest of what once came over the wire is kept in a field of its own.

use std::io::{self, Write};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::{CdxjLine, ExportError, Outgoing};
use crate::digest::{Hash, blake3, to_hex};
use crate::page::{Moment, Page};
use crate::warc::digest::{Algorithm, Declared, declare};
use crate::warc::{Compression, Draft, Packed, Packer, Writer, http, put_field};

/// The field that keeps a payload digest of encoded bytes, and the word before moved HTTP headers.
const ORIGINAL: &str = "X-Archive-Orig-";

/// The field that keeps a payload digest that did not fit the bytes it came with. It is no original's
/// digest: a revisit that names it is not one of this page.
const UNPROVEN: &str = "X-Pressmark-Unproven-Payload-Digest";

/// The field that says that a record's date stands for an unknown moment.
const NO_MOMENT: &str = "X-Pressmark-Moment";

/// How a WARC is written.
#[derive(Debug, Clone)]
pub struct WarcOptions {
    /// Compression of each record.
    pub compression: Compression,
    /// Whether a body already written goes out as a `revisit`; else every record stands alone.
    pub revisit: bool,
    /// The file's name, as CDXJ lines give it.
    pub filename: String,
}

impl Default for WarcOptions {
    fn default() -> Self {
        Self {
            compression: Compression::Gzip(6),
            revisit: false,
            filename: "pressmark.warc.gz".to_owned(),
        }
    }
}

/// The record a body was first written in.
#[derive(Debug, Clone)]
struct First {
    address: String,
    date: Moment,
}

/// Decides in order how each snapshot is written; [`Planned::pack`] does the work on any thread. Made
/// together with the [`WarcExport`] that writes what it plans.
pub struct WarcPlan {
    packer: Arc<Packer>,
    filename: Arc<str>,
    revisit: bool,
    written: FxHashMap<Hash, First>,
    begun: bool,
}

/// A snapshot on its way into the WARC.
pub struct Planned {
    packer: Arc<Packer>,
    outgoing: Outgoing,
    filename: Arc<str>,
    /// Whether the record that tells what wrote the file goes before it.
    begins: bool,
    /// The record that held its body before.
    first: Option<First>,
}

/// The records of a snapshot, ready to be written.
pub struct PackedSnapshot {
    /// What was written, for whoever counts.
    pub outgoing: Outgoing,
    begin: Option<Packed>,
    record: Packed,
    line: CdxjLine,
    metadata: Option<Packed>,
}

impl WarcPlan {
    /// Plans one snapshot.
    pub fn plan(&mut self, outgoing: Outgoing) -> Planned {
        let page = &outgoing.page;
        // A revisit gives its own answer by its HTTP header alone. Of one without a header, or with 304, readers
        // take the original's, which need not be this page's. An empty body is not worth a revisit.
        let may_refer =
            !page.body.is_empty() && page.status.is_some_and(|status| status >= 100 && status != 304);
        let written = self.written.get(&outgoing.body);
        let first = written.filter(|_| may_refer).cloned();
        if self.revisit && written.is_none() {
            let first = First {
                address: page.address.clone(),
                date: page.moment.unwrap_or_default(),
            };
            self.written.insert(outgoing.body, first);
        }
        Planned {
            packer: Arc::clone(&self.packer),
            outgoing,
            filename: Arc::clone(&self.filename),
            begins: !std::mem::replace(&mut self.begun, true),
            first,
        }
    }
}

impl Planned {
    /// Makes and compresses the records.
    pub fn pack(self) -> Result<PackedSnapshot, ExportError> {
        let page = &self.outgoing.page;
        let date = page.moment.unwrap_or_default();
        let id = record_id(page, &self.outgoing.body, "");
        let digest = payload_digest(page);
        let digest_text = digest.to_string();
        let mut fields: Vec<(&str, &str)> = vec![("WARC-Payload-Digest", &digest_text)];
        let kept = kept_fields(page, &digest);
        fields.extend(kept.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        if page.moment.is_none() {
            fields.push((NO_MOMENT, "unknown"));
        }
        let head = page
            .status
            .map(|status| http_head(page, status))
            .unwrap_or_default();
        let content_type = page.header("Content-Type").unwrap_or("text/html");
        let revisit = self
            .first
            .as_ref()
            .map(|first| (&first.address, first.date.to_string()));
        let mut draft = Draft {
            id: &id,
            date,
            target: Some(&page.address),
            ..Draft::default()
        };
        let block: [&[u8]; 2];
        let mut line = CdxjLine::new(&page.address, date, &self.filename);
        if let Some((address, date)) = &revisit {
            draft.kind = "revisit";
            block = [&head, b""];
            fields.push((
                "WARC-Profile",
                "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
            ));
            fields.push(("WARC-Refers-To-Target-URI", address));
            fields.push(("WARC-Refers-To-Date", date));
            "warc/revisit".clone_into(&mut line.mime);
        } else {
            draft.kind = if page.status.is_some() {
                "response"
            } else {
                "resource"
            };
            block = [&head, &page.body];
            let declared = page.header("Content-Type").filter(|_| page.status.is_some());
            line.mime = http::media_type(declared.unwrap_or_default());
            if page.status.is_none() {
                line.mime = http::media_type(content_type);
            }
        }
        draft.content_type = match (&revisit, page.status) {
            (_, Some(_)) => "application/http; msgtype=response",
            (None, None) => content_type,
            (Some(_), None) => "",
        };
        draft.block = &block;
        draft.fields = &fields;
        line.status = page.status.map(|status| status.to_string()).unwrap_or_default();
        let record = self.packer.pack(&draft)?;
        let begin = self.begins.then(|| begin(&self.packer, &self.filename, date));
        let metadata = metadata(&self.packer, &self.outgoing, &id, date).transpose()?;
        line.digest = digest_text;
        Ok(PackedSnapshot {
            begin: begin.transpose()?,
            record,
            line,
            metadata,
            outgoing: self.outgoing,
        })
    }
}

/// Writes the first record, which tells what wrote the file.
fn begin(packer: &Packer, filename: &str, date: Moment) -> io::Result<Packed> {
    let mut block = Vec::new();
    let software = concat!("pressmark/", env!("CARGO_PKG_VERSION"));
    put_field(&mut block, "software", software);
    put_field(&mut block, "format", "WARC file version 1.1");
    put_field(
        &mut block,
        "conformsTo",
        "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
    );
    packer.pack(&Draft {
        kind: "warcinfo",
        id: &uuid(blake3(filename.as_bytes())),
        date,
        target: None,
        content_type: "application/warc-fields",
        fields: &[("WARC-Filename", filename)],
        block: &[&block],
    })
}

/// What else the source said about the page, where it said anything.
fn metadata(packer: &Packer, outgoing: &Outgoing, id: &str, date: Moment) -> Option<io::Result<Packed>> {
    let page = &outgoing.page;
    let mut rest = page.metadata.clone();
    rest.remove("warc");
    if rest.is_empty() {
        return None;
    }
    let block = serde_json::to_vec(&Value::Object(rest)).unwrap_or_default();
    let concurrent = format!("<{id}>");
    Some(packer.pack(&Draft {
        kind: "metadata",
        id: &record_id(page, &outgoing.body, "metadata"),
        date,
        target: Some(&page.address),
        content_type: "application/json",
        fields: &[("WARC-Concurrent-To", &concurrent)],
        block: &[&block],
    }))
}

/// Writes snapshots as WARC records and knows the CDXJ line of each.
pub struct WarcExport<W> {
    writer: Writer<W>,
    packer: Arc<Packer>,
    filename: Arc<str>,
    lines: Vec<CdxjLine>,
}

impl<W: Write> WarcExport<W> {
    /// Writes to `out` what the plan beside it plans.
    pub fn new(out: W, options: WarcOptions) -> (Self, WarcPlan) {
        let plan = WarcPlan {
            packer: Arc::new(Packer::new(options.compression)),
            filename: options.filename.into(),
            revisit: options.revisit,
            written: FxHashMap::default(),
            begun: false,
        };
        let export = Self {
            writer: Writer::new(out),
            packer: Arc::clone(&plan.packer),
            filename: Arc::clone(&plan.filename),
            lines: Vec::new(),
        };
        (export, plan)
    }

    /// Writes a snapshot, in the order of the plan.
    pub fn put(&mut self, packed: &PackedSnapshot) -> Result<(), ExportError> {
        if let Some(begin) = &packed.begin {
            self.writer.write(begin)?;
        }
        let written = self.writer.write(&packed.record)?;
        self.lines.push(CdxjLine {
            length: written.length.to_string(),
            offset: written.offset.to_string(),
            ..packed.line.clone()
        });
        if let Some(metadata) = &packed.metadata {
            self.writer.write(metadata)?;
        }
        Ok(())
    }

    /// Ends the file; the output and the CDXJ lines of what was written, in order of writing.
    pub fn finish(mut self) -> Result<(W, Vec<CdxjLine>), ExportError> {
        if self.lines.is_empty() {
            let packed = begin(&self.packer, &self.filename, Moment::default())?;
            self.writer.write(&packed)?;
        }
        Ok((self.writer.finish()?, self.lines))
    }
}

/// An id that is the same for the same snapshot, so that an export can be repeated byte for byte.
fn record_id(page: &Page, body: &Hash, part: &str) -> String {
    let moment = page.moment.map_or(String::new(), |moment| moment.to_string());
    uuid(blake3(
        format!("{}\n{moment}\n{body}\n{part}", page.address).as_bytes(),
    ))
}

/// `urn:uuid:` of version 8 from a hash.
fn uuid(hash: Hash) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.0[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = to_hex(&bytes);
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// The digest of the decoded body, by the algorithm the source used.
fn payload_digest(page: &Page) -> Declared {
    let algorithm = kept(page, "WARC-Payload-Digest")
        .and_then(Declared::parse)
        .map_or(Algorithm::Sha1, |declared| declared.algorithm);
    declare(algorithm, &page.body)
}

fn kept<'p>(page: &'p Page, name: &str) -> Option<&'p str> {
    page.metadata.get("warc")?.get(name)?.as_str()
}

/// Fields of the original record that still hold.
fn kept_fields(page: &Page, digest: &Declared) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for name in ["WARC-IP-Address", "WARC-Truncated", UNPROVEN] {
        if let Some(value) = kept(page, name) {
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    let original = format!("{ORIGINAL}WARC-Payload-Digest");
    let before = kept(page, &original).or_else(|| {
        kept(page, "WARC-Payload-Digest")
            .filter(|declared| Declared::parse(declared).as_ref() != Some(digest))
    });
    if let Some(value) = before {
        // Only where the digest fitted, the metadata says of which bytes.
        if kept(page, "payload-digest-of").is_some() {
            fields.push((original, value.to_owned()));
        } else if kept(page, UNPROVEN).is_none() {
            fields.push((UNPROVEN.to_owned(), value.to_owned()));
        }
    }
    fields
}

/// The HTTP header of a page whose body is written decoded.
fn http_head(page: &Page, status: u16) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status)).into_bytes();
    let length = page.body.len().to_string();
    let mut has_length = false;
    for (name, value) in &page.headers {
        if name.eq_ignore_ascii_case("Content-Length") {
            if !has_length {
                put_field(&mut head, name, &length);
                has_length = true;
            }
            if value.trim() != length {
                put_field(&mut head, &format!("{ORIGINAL}{name}"), value);
            }
        } else if name.eq_ignore_ascii_case("Content-Encoding")
            || name.eq_ignore_ascii_case("Transfer-Encoding")
        {
            put_field(&mut head, &format!("{ORIGINAL}{name}"), value);
        } else {
            put_field(&mut head, name, value);
        }
    }
    if !has_length {
        put_field(&mut head, "Content-Length", &length);
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The usual words for a status.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        410 => "Gone",
        429 => "Too Many Requests",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
