//! The payload of a response or resource: HTTP header, chunks, codings, digests, and what of the record
//! is kept as metadata.

use serde_json::{Map, Value};

use super::{At, Fault, Item, Place, Reason, SourceOptions, body};
use crate::page::{Moment, Page};
use crate::warc::digest::{Declared, Meaning};
use crate::warc::{Block, Damage, DamageKind, Fields, Format, Record, RecordType, coding, http};

/// Why a record gave no page.
pub(super) enum Refusal {
    Skipped(Reason, String),
    LeftOut(Reason, String),
    Damage(Damage),
}

impl Refusal {
    /// What the input yields in place of a page.
    pub(super) fn item(self, place: Place) -> Item {
        match self {
            Self::Skipped(reason, message) => Item::Skipped(Fault::new(place, reason, message)),
            Self::LeftOut(reason, message) => Item::LeftOut(Fault::new(place, reason, message)),
            Self::Damage(damage) => {
                let reason = match damage.kind {
                    DamageKind::Compression => Reason::Damaged,
                    DamageKind::Truncated => Reason::Truncated,
                    DamageKind::Garbage => Reason::Garbage,
                    DamageKind::Header => Reason::BadHeader,
                    DamageKind::Reading => Reason::Unreadable,
                };
                let at = At::Offset(damage.offset);
                Item::Skipped(Fault::new(Place { at, ..place }, reason, damage.message))
            }
        }
    }
}

impl From<Damage> for Refusal {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

/// A response or resource whose block was read and not yet looked into: joining chunks, taking off
/// codings and checking digests can be done on any thread.
#[derive(Debug)]
pub(super) struct Capture {
    /// Without body, headers, moment.
    pub(super) page: Box<Page>,
    pub(super) record: Record,
    pub(super) block: Block,
}

impl Capture {
    /// The page.
    pub(super) fn finish(self, options: &SourceOptions, notes: &mut Notes) -> Result<Box<Page>, Refusal> {
        let Self {
            mut page,
            record,
            block,
        } = self;
        fill(&mut page, &record, block, options, notes)?;
        page.moment = moment(&record, &page, notes);
        Ok(page)
    }
}

/// What is wrong with a page that is kept all the same.
pub(super) type Notes = Vec<(Reason, String)>;

/// The media type as the HTTP header, else the record says it; `None` where neither does or the
/// header does not end within sight.
pub(super) fn known_type(record: &Record, sight: &[u8]) -> Option<String> {
    let said = match http::parse(sight, sight.len() as u64 == record.length) {
        Some(head) => head.fields.get("Content-Type").map(http::media_type),
        None if sight
            .trim_ascii_start()
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"HTTP/")) =>
        {
            None
        }
        None => record_type(record),
    };
    said.filter(|kind| !kind.is_empty())
}

/// The media type the record itself declares, if it is one of a document.
fn record_type(record: &Record) -> Option<String> {
    let kind = http::media_type(record.fields.get("Content-Type")?);
    let is_document = kind.contains('/') && kind != "application/http";
    is_document.then_some(kind)
}

pub(super) fn not_wanted(kind: &str) -> Refusal {
    Refusal::LeftOut(
        Reason::MediaType,
        format!("{:?} was not asked for; take it with --media-type", clip(kind)),
    )
}

/// Fills a page from the block of a response or resource: HTTP header, chunks, codings, digests.
pub(super) fn fill(
    page: &mut Page,
    record: &Record,
    block: Block,
    options: &SourceOptions,
    notes: &mut Notes,
) -> Result<(), Refusal> {
    check_block(record, &block, notes);
    let bytes = block.bytes;
    let head = http::parse(&bytes, true);
    if head.is_none()
        && record.kind() == RecordType::Response
        && record_type(record).is_none()
        && record.format == Format::Warc
    {
        return Err(Refusal::Skipped(
            Reason::BadHttp,
            "the response has no HTTP header".to_owned(),
        ));
    }
    let (fields, body_at) = if let Some(head) = head {
        page.status = head.status;
        (head.fields, head.body_at)
    } else {
        // As written: its charset is all that says how the bytes are to be read.
        let written = record_type(record).and(record.fields.get("Content-Type"));
        let mut fields = Fields::default();
        if let Some(written) = written {
            fields.push("Content-Type", written);
        }
        (fields, 0)
    };
    let mut wire = bytes;
    wire.drain(..body_at);
    let received = wire.len();
    let decoded = decoded(&wire, &fields, options.max_page_size, notes)?;
    let kind = fields
        .get("Content-Type")
        .map(http::media_type)
        .filter(|kind| kind.contains('/'));
    if let Some(meaning) = payload_meaning(record, &wire, &decoded, notes) {
        note_meaning(page, meaning.as_str());
    }
    page.headers = fields.0;
    page.body = decoded.document.or(decoded.entity).unwrap_or(wire);
    // What stood around it must not be held with it: caches and queues count its length.
    page.body.shrink_to_fit();
    if page.body.len() > options.max_page_size {
        return Err(too_large(options.max_page_size));
    }
    let html = kind
        .as_deref()
        .is_none_or(|kind| matches!(kind, "text/html" | "application/xhtml+xml"));
    match kind {
        Some(kind) if !options.wants(&kind) => return Err(not_wanted(&kind)),
        None if body::is_foreign(&page.body) || !body::has_tag(&page.body) => {
            return Err(not_wanted("no media type"));
        }
        _ => {}
    }
    if html && body::is_foreign(&page.body) {
        return Err(Refusal::LeftOut(
            Reason::NotHtml,
            "called HTML, but starts like another format".to_owned(),
        ));
    }
    if page.body.is_empty() && page.counts_as_revision() {
        return Err(Refusal::Skipped(Reason::Empty, "the page is empty".to_owned()));
    }
    note_incomplete(record, page, received, notes);
    Ok(())
}

/// Notes that a page is not all of what the server sent: the crawler says so, or fewer bytes came than were
/// announced. Behind a coding the length says nothing: crawlers that take it off leave the header as it was.
fn note_incomplete(record: &Record, page: &Page, received: usize, notes: &mut Notes) {
    if let Some(why) = record.fields.get("WARC-Truncated").filter(|why| !why.is_empty()) {
        let message = format!(
            "the crawler kept only a part of it: WARC-Truncated {:?}",
            clip(why)
        );
        notes.push((Reason::Truncated, message));
    }
    let coded = ["Transfer-Encoding", "Content-Encoding"]
        .iter()
        .any(|name| page.header(name).is_some());
    let announced = page
        .header("Content-Length")
        .and_then(|length| length.trim().parse::<usize>().ok());
    if let Some(announced) = announced
        && !coded
        && (1..announced).contains(&received)
    {
        let message = format!("its HTTP header announces {announced} bytes, {received} came");
        notes.push((Reason::BadLength, message));
    }
}

/// Notes what is wrong with a block as it was read, whatever it holds: its length, digests that cannot be
/// read, and its own digest, which says more than that of the payload: the HTTP header stands under it too.
fn check_block(record: &Record, block: &Block, notes: &mut Notes) {
    if let Some(message) = block.wrong_length {
        notes.push((Reason::BadLength, message.to_owned()));
    }
    note_unreadable(record, notes);
    if digest_of(record, "WARC-Block-Digest").is_some_and(|digest| !digest.fits(&block.bytes)) {
        notes.push((
            Reason::DigestMismatch,
            "the record's block is not what its WARC-Block-Digest says".to_owned(),
        ));
    }
}

/// Checks what a revisit declares of its own block, which is an HTTP header at most; `None` if it is
/// longer than that and was not read.
pub(super) fn check_revisit(record: &Record, block: Option<&Block>, notes: &mut Notes) {
    if let Some(block) = block {
        return check_block(record, block, notes);
    }
    note_unreadable(record, notes);
    if digest_of(record, "WARC-Block-Digest").is_some() {
        notes.push((
            Reason::DigestUnchecked,
            format!(
                "its WARC-Block-Digest was not checked: the block of a revisit is read up to {} bytes",
                http::MAX_HEADER
            ),
        ));
    }
}

/// Which of the bytes it may mean a payload digest fits; noted if it fits none.
fn payload_meaning(record: &Record, wire: &[u8], decoded: &Decoded, notes: &mut Notes) -> Option<Meaning> {
    let digest = digest_of(record, "WARC-Payload-Digest")?;
    let seen = [
        (Meaning::Wire, Some(wire)),
        (Meaning::Entity, decoded.entity.as_deref()),
        (Meaning::Decoded, decoded.document.as_deref()),
    ];
    let meaning = seen
        .into_iter()
        .find(|(_, bytes)| bytes.is_some_and(|bytes| digest.fits(bytes)))
        .map(|(meaning, _)| meaning);
    if meaning.is_none() {
        notes.push((
            Reason::DigestMismatch,
            "the body is not what its WARC-Payload-Digest says, neither as received nor decoded".to_owned(),
        ));
    }
    meaning
}

/// The fields that declare digests of a record.
const DIGESTS: [&str; 2] = ["WARC-Payload-Digest", "WARC-Block-Digest"];

/// Whether a record declares a digest.
pub(super) fn declares(record: &Record) -> bool {
    DIGESTS.iter().any(|name| record.fields.get(name).is_some())
}

/// Notes declared digests that cannot be read.
fn note_unreadable(record: &Record, notes: &mut Notes) {
    for name in DIGESTS {
        let declared = record.fields.get(name).filter(|value| !value.is_empty());
        if let Some(written) = declared.filter(|value| Declared::parse(value).is_none()) {
            let message = format!("its {name} {:?} is no digest that can be checked", clip(written));
            notes.push((Reason::BadDigest, message));
        }
    }
}

/// Checks the digests of a record that gives no page.
pub(super) fn verify(record: &Record, block: Block, options: &SourceOptions, notes: &mut Notes) {
    check_block(record, &block, notes);
    if digest_of(record, "WARC-Payload-Digest").is_none() {
        return;
    }
    let mut wire = block.bytes;
    let mut fields = Fields::default();
    if let Some(head) = http::parse(&wire, true) {
        wire.drain(..head.body_at);
        fields = head.fields;
    } else if record.kind() == RecordType::Request
        && let Some(end) = memchr::memmem::find(&wire, b"\r\n\r\n")
    {
        wire.drain(..end + 4);
    }
    // What cannot be decoded, or is too large for it, can still be what the digest says.
    let decoded = decoded(&wire, &fields, options.max_page_size, &mut Notes::new()).unwrap_or_default();
    payload_meaning(record, &wire, &decoded, notes);
}

/// A body after its chunks were joined and after its codings were taken off, each where it differs
/// from what came before.
#[derive(Default)]
struct Decoded {
    entity: Option<Vec<u8>>,
    document: Option<Vec<u8>>,
}

fn decoded(wire: &[u8], fields: &Fields, limit: usize, notes: &mut Notes) -> Result<Decoded, Refusal> {
    let chunked = fields
        .get("Transfer-Encoding")
        .is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
    let mut entity = None;
    if chunked && !wire.is_empty() {
        let (joined, outcome) = coding::dechunk(wire);
        match outcome {
            coding::Chunks::Complete => {}
            coding::Chunks::None => notes.push((
                Reason::BadChunks,
                "called chunked, but it is not; taken as it is".to_owned(),
            )),
            coding::Chunks::Cut => notes.push((
                Reason::BadChunks,
                "the chunked body ends before its last chunk".to_owned(),
            )),
            coding::Chunks::Broken => notes.push((
                Reason::BadChunks,
                "a chunk's size cannot be read; the rest is taken as it is".to_owned(),
            )),
        }
        if outcome != coding::Chunks::None {
            entity = Some(joined);
        }
    }
    let encoded = entity.as_deref().unwrap_or(wire);
    let document = match fields.get("Content-Encoding") {
        Some(value) if !encoded.is_empty() => match coding::decode(value, encoded, limit) {
            Ok(document) => document,
            Err(coding::CodingError::TooLarge(_)) => return Err(too_large(limit)),
            // Crawlers that store bodies decoded often leave the header as it was.
            Err(_) if body::looks_like_html(encoded) => None,
            Err(error) => return Err(Refusal::Skipped(Reason::BadEncoding, error.to_string())),
        },
        _ => None,
    };
    Ok(Decoded { entity, document })
}

fn too_large(limit: usize) -> Refusal {
    Refusal::Skipped(
        Reason::TooLarge,
        format!("larger than the limit of {limit} decoded bytes; raise it with --max-page-size"),
    )
}

pub(super) fn digest_of(record: &Record, name: &str) -> Option<Declared> {
    Declared::parse(record.fields.get(name)?)
}

/// The moment of a record; the HTTP `Date` where the record's own cannot be read.
pub(super) fn moment(record: &Record, page: &Page, notes: &mut Notes) -> Option<Moment> {
    if record.fields.get("X-Pressmark-Moment").is_some() {
        return None; // Exported from a source without moments; the date only fills the place.
    }
    if let Some(moment) = record.moment() {
        return Some(moment);
    }
    let server = page.header("Date").and_then(http::date);
    let written = clip(record.fields.get("WARC-Date").unwrap_or_default());
    notes.push((
        Reason::BadTime,
        match server {
            Some(moment) => {
                format!("WARC-Date {written:?} is no time; the server's Date {moment} stands for it")
            }
            None => format!("WARC-Date {written:?} is no time; the page has no moment"),
        },
    ));
    server
}

/// Fields of the record that are kept with the snapshot under `warc`.
const KEPT: &[&str] = &[
    "WARC-Record-ID",
    "WARC-Payload-Digest",
    "X-Archive-Orig-WARC-Payload-Digest",
    "X-Pressmark-Unproven-Payload-Digest",
    "WARC-IP-Address",
    "WARC-Truncated",
    "WARC-Profile",
    "WARC-Refers-To-Target-URI",
    "WARC-Refers-To-Date",
];

/// The key in the metadata that holds fields of the record.
pub(super) const METADATA: &str = "warc";

/// The key beside them that says which bytes the payload digest is of; only where it was checked.
pub(super) const DIGEST_OF: &str = "payload-digest-of";

pub(super) fn metadata(record: &Record) -> Map<String, Value> {
    let mut kept = Map::new();
    for name in KEPT {
        if let Some(value) = record.fields.get(name).filter(|value| !value.is_empty()) {
            kept.insert((*name).to_owned(), Value::String(value.to_owned()));
        }
    }
    let mut metadata = Map::new();
    if !kept.is_empty() {
        metadata.insert(METADATA.to_owned(), Value::Object(kept));
    }
    metadata
}

/// Says in the metadata which bytes the payload digest means.
pub(super) fn note_meaning(page: &mut Page, meaning: &str) {
    if let Some(Value::Object(kept)) = page.metadata.get_mut(METADATA) {
        kept.insert(DIGEST_OF.to_owned(), Value::String(meaning.to_owned()));
    }
}

pub(super) fn clip(text: &str) -> String {
    text.chars().take(100).collect()
}
