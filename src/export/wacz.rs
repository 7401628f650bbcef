//! WACZ 1.1.1: a zip file with the WARC, its index, a list of pages and their hashes.

use std::io::{self, Seek, Write};

use flate2::write::GzEncoder;
use serde_json::json;
use sha2::Digest as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{ExportError, Outgoing, PackedSnapshot, WarcExport, WarcOptions, WarcPlan, cdxj};
use crate::digest::{sha256, to_hex};
use crate::page::Moment;
use crate::warc::Compression;

/// Lines of the index compressed together.
const LINES_A_BLOCK: usize = 300;

/// Name of the WARC inside.
const WARC: &str = "data.warc.gz";

/// What a WACZ says about itself.
#[derive(Debug, Clone, Default)]
pub struct WaczOptions {
    /// Title of the collection.
    pub title: Option<String>,
    /// When it was made; the newest moment of its pages if not given.
    pub created: Option<Moment>,
    /// Whether a body already written goes out as a `revisit`.
    pub revisit: bool,
}

impl WaczOptions {
    /// How the WARC inside is written.
    fn warc(&self) -> WarcOptions {
        WarcOptions {
            compression: Compression::Gzip(6),
            revisit: self.revisit,
            filename: WARC.to_owned(),
        }
    }
}

/// Writes snapshots as a WACZ.
pub struct WaczExport<W: Write + Seek> {
    warc: WarcExport<Hashed<ZipWriter<W>>>,
    options: WaczOptions,
    pages: Vec<u8>,
    newest: Option<Moment>,
}

/// Counts and hashes what is written to a file of the zip.
struct Hashed<W> {
    out: W,
    sha256: sha2::Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.out.write(buffer)?;
        self.sha256.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Files are stored as they are: what needs it is compressed inside, and replay reads parts of them.
fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(true)
}

impl<W: Write + Seek> WaczExport<W> {
    /// Begins a WACZ of what the plan beside it plans.
    pub fn new(out: W, options: WaczOptions) -> Result<(Self, WarcPlan), ExportError> {
        let mut zip = ZipWriter::new(out);
        zip.start_file(format!("archive/{WARC}"), stored())?;
        let hashed = Hashed {
            out: zip,
            sha256: sha2::Sha256::new(),
            bytes: 0,
        };
        let (warc, plan) = WarcExport::new(hashed, options.warc());
        let header = json!({"format": "json-pages-1.0", "id": "pages", "title": "All Pages"});
        let export = Self {
            warc,
            options,
            pages: format!("{header}\n").into_bytes(),
            newest: None,
        };
        Ok((export, plan))
    }

    /// Writes a snapshot, in the order of the plan.
    pub fn put(&mut self, packed: &PackedSnapshot) -> Result<(), ExportError> {
        self.warc.put(packed)?;
        self.list(&packed.outgoing);
        Ok(())
    }

    /// Adds a snapshot to the list of pages.
    fn list(&mut self, outgoing: &Outgoing) {
        let page = &outgoing.page;
        self.newest = self.newest.max(page.moment);
        if !page.counts_as_revision() {
            return;
        }
        let moment = page.moment.unwrap_or_default();
        let id = to_hex(&sha256(format!("{} {moment}", page.address).as_bytes()).0[..8]);
        let mut line = json!({"id": id, "url": page.address, "ts": seconds(moment)});
        let title = outgoing
            .document
            .as_ref()
            .and_then(|document| document.headline.as_ref().or(document.title.as_ref()));
        if let Some(title) = title {
            line["title"] = json!(title);
        }
        self.pages.extend_from_slice(format!("{line}\n").as_bytes());
    }

    /// Writes index, pages and hashes, and gives the output back.
    pub fn finish(self) -> Result<W, ExportError> {
        let (hashed, lines) = self.warc.finish()?;
        let mut zip = hashed.out;
        let mut resources = vec![json!({
            "name": WARC,
            "path": format!("archive/{WARC}"),
            "hash": format!("sha256:{}", to_hex(&hashed.sha256.finalize())),
            "bytes": hashed.bytes,
        })];
        let (index, blocks) = index(&cdxj::sorted(&lines))?;
        for (path, bytes) in [
            ("indexes/index.cdx.gz", &blocks),
            ("indexes/index.idx", &index),
            ("pages/pages.jsonl", &self.pages),
        ] {
            zip.start_file(path, stored())?;
            zip.write_all(bytes)?;
            resources.push(json!({
                "name": path.rsplit('/').next().unwrap_or(path),
                "path": path,
                "hash": format!("sha256:{}", sha256(bytes)),
                "bytes": bytes.len(),
            }));
        }
        let created = self.options.created.or(self.newest).unwrap_or_default();
        let mut package = json!({
            "profile": "data-package",
            "wacz_version": "1.1.1",
            "created": seconds(created),
            "software": concat!("pressmark ", env!("CARGO_PKG_VERSION")),
            "resources": resources,
        });
        if let Some(title) = self.options.title {
            package["title"] = json!(title);
        }
        let package = serde_json::to_vec_pretty(&package).unwrap_or_default();
        zip.start_file("datapackage.json", stored())?;
        zip.write_all(&package)?;
        let digest = json!({
            "path": "datapackage.json",
            "hash": format!("sha256:{}", sha256(&package)),
        });
        zip.start_file("datapackage-digest.json", stored())?;
        zip.write_all(digest.to_string().as_bytes())?;
        Ok(zip.finish()?)
    }
}

/// A moment in whole seconds, as WACZ readers parse it.
fn seconds(moment: Moment) -> String {
    Moment(moment.seconds().saturating_mul(1_000_000_000)).to_string()
}

/// The index in blocks of gzip, and the list of the blocks.
fn index(lines: &[String]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let header = json!({"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"});
    let mut list = format!("!meta 0 {header}\n").into_bytes();
    let mut blocks = Vec::new();
    for block in lines.chunks(LINES_A_BLOCK) {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        for line in block {
            encoder.write_all(line.as_bytes())?;
        }
        let packed = encoder.finish()?;
        let start = block
            .first()
            .and_then(|line| line.split(" {").next())
            .unwrap_or("");
        let place = json!({
            "offset": blocks.len(),
            "length": packed.len(),
            "digest": format!("sha256:{}", sha256(&packed)),
        });
        list.extend_from_slice(format!("{start} {place}\n").as_bytes());
        blocks.extend_from_slice(&packed);
    }
    Ok((list, blocks))
}
