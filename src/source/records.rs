//! WARC and ARC records as pages: what is taken, what is left out, and what is noted about it.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::body::{self, Listed};
use super::input::Origin;
use super::revisit::{Earlier, Revisit, Section, place_key};
use super::{At, Fault, Item, Place, Reason, SourceOptions};
use crate::page::{Moment, Page};
use crate::warc::digest::{Declared, Meaning};
use crate::warc::{
    Block, Damage, DamageKind, Fields, Format, Reader, Record, RecordType, Stream, coding, http,
};

/// Bytes of a block looked at to tell its media type before it is read.
const SIGHT: usize = 16 << 10;

/// Longest address taken, in bytes.
const MAX_ADDRESS: usize = 64 << 10;

/// Bytes a record may be longer than its page: HTTP header and chunk sizes.
const OVERHEAD: usize = 2 << 20;

/// The pages in the records of one WARC or ARC.
pub(super) struct Records<R> {
    reader: Reader<R>,
    origin: Origin,
    /// Where the input can be opened again, for the originals of revisits.
    section: Option<Arc<Section>>,
    options: SourceOptions,
    ready: VecDeque<Item>,
}

/// Why a record gave no page.
enum Refusal {
    Skipped(Reason, String),
    LeftOut(Reason, String),
    Damage(Damage),
}

impl From<Damage> for Refusal {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

/// What is wrong with a page that is kept all the same.
type Notes = Vec<(Reason, String)>;

impl<R: Read> Records<R> {
    pub(super) fn new(
        stream: Stream<R>,
        origin: Origin,
        section: Option<Arc<Section>>,
        options: SourceOptions,
    ) -> Self {
        Self {
            reader: Reader::new(stream),
            origin,
            section,
            options,
            ready: VecDeque::new(),
        }
    }

    fn place(&self, offset: u64) -> Place {
        self.origin.place(At::Offset(offset))
    }

    fn damage(&self, damage: Damage) -> Item {
        let reason = match damage.kind {
            DamageKind::Compression => Reason::Damaged,
            DamageKind::Truncated => Reason::Truncated,
            DamageKind::Garbage => Reason::Garbage,
            DamageKind::Header => Reason::BadHeader,
            DamageKind::Reading => Reason::Unreadable,
        };
        Item::Skipped(Fault::new(self.place(damage.offset), reason, damage.message))
    }

    /// Turns one record into items.
    fn take(&mut self, record: &Record) {
        let place = self.place(record.offset);
        let mut notes = Notes::new();
        let item = match self.page(record, &mut notes) {
            Ok(page) => Item::Page(page, place.clone()),
            Err(Refusal::Skipped(reason, message)) => {
                Item::Skipped(Fault::new(place.clone(), reason, message))
            }
            Err(Refusal::LeftOut(reason, message)) => {
                Item::LeftOut(Fault::new(place.clone(), reason, message))
            }
            Err(Refusal::Damage(damage)) => self.damage(damage),
        };
        if matches!(item, Item::Page(..)) {
            for (reason, message) in notes {
                self.ready
                    .push_back(Item::Noted(Fault::new(place.clone(), reason, message)));
            }
        }
        self.ready.push_back(item);
    }

    fn page(&mut self, record: &Record, notes: &mut Notes) -> Result<Box<Page>, Refusal> {
        let kind = record.kind();
        if !matches!(
            kind,
            RecordType::Response | RecordType::Resource | RecordType::Revisit
        ) {
            let named = record.fields.get("WARC-Type").unwrap_or("no type");
            return Err(Refusal::LeftOut(
                Reason::RecordType,
                format!("a record of type {:?} holds no page", clip(named)),
            ));
        }
        let Some(address) = record.target() else {
            return Err(Refusal::Skipped(
                Reason::NoUrl,
                "the record has no WARC-Target-URI".to_owned(),
            ));
        };
        if address.len() > MAX_ADDRESS {
            return Err(Refusal::Skipped(
                Reason::BadUrl,
                format!(
                    "the address is {} bytes long; the limit is {MAX_ADDRESS}",
                    address.len()
                ),
            ));
        }
        if record.fields.get("WARC-Segment-Number").is_some() {
            return Err(Refusal::Skipped(
                Reason::Segmented,
                "the record is one segment of several; join them with another tool first".to_owned(),
            ));
        }
        let mut page = Box::new(Page {
            address: address.to_owned(),
            metadata: metadata(record),
            ..Page::default()
        });
        let remembered = self.remembers(record);
        let taken = match kind {
            RecordType::Revisit => self.revisit(record, &mut page, notes),
            _ => self.captured(record, &mut page, notes),
        };
        if let (Some((keys, mut earlier)), true) = (remembered, kind != RecordType::Revisit) {
            earlier.page = taken.is_ok();
            self.options
                .revisits
                .remember(keys.into_iter().flatten(), &earlier);
        }
        taken?;
        page.moment = moment(record, &page, notes);
        Ok(page)
    }

    /// Under which keys a record can be found again by a later revisit.
    fn remembers(&self, record: &Record) -> Option<([Option<u64>; 2], Earlier)> {
        let digest = digest_of(record, "WARC-Payload-Digest").map(|digest| digest.prefix());
        let place = record
            .target()
            .zip(record.moment())
            .map(|(address, moment)| place_key(address, moment));
        (digest.is_some() || place.is_some()).then(|| {
            (
                [digest, place],
                Earlier {
                    section: self.section.clone(),
                    offset: record.offset,
                    page: false,
                },
            )
        })
    }

    /// Fills the page from a response or resource.
    fn captured(&mut self, record: &Record, page: &mut Page, notes: &mut Notes) -> Result<(), Refusal> {
        let sight = self.reader.peek_block(SIGHT)?;
        if let Some(kind) = known_type(record, sight)
            && !self.options.wants(&kind)
        {
            return Err(not_wanted(&kind));
        }
        let limit = self.options.max_page_size;
        let Some(block) = self.reader.read_block(limit.saturating_add(OVERHEAD))? else {
            return Err(Refusal::Skipped(
                Reason::TooLarge,
                format!(
                    "the record holds {} bytes, over the limit of {limit}; raise it with --max-page-size",
                    record.length
                ),
            ));
        };
        fill(page, record, block, &self.options, notes)
    }

    /// Fills the page from the original of a revisit.
    fn revisit(&mut self, record: &Record, page: &mut Page, notes: &mut Notes) -> Result<(), Refusal> {
        let block = self.reader.read_block(http::MAX_HEADER)?.unwrap_or_default();
        let head = http::parse(&block.bytes, true);
        let declared_type = head
            .as_ref()
            .and_then(|head| head.fields.get("Content-Type"))
            .map(http::media_type);
        let unchanged = head.as_ref().is_some_and(|head| head.status == Some(304));
        if let Some(kind) = declared_type
            && !unchanged
            && !self.options.wants(&kind)
        {
            return Err(not_wanted(&kind));
        }
        let revisit = Revisit {
            address: record
                .fields
                .get("WARC-Refers-To-Target-URI")
                .unwrap_or(&page.address)
                .trim_matches(['<', '>'])
                .to_owned(),
            moment: record
                .fields
                .get("WARC-Refers-To-Date")
                .and_then(crate::warc::moment),
            digest: digest_of(record, "WARC-Payload-Digest"),
        };
        let original = self.original(&revisit)?;
        page.body = original.body;
        match head {
            Some(head) if !unchanged => {
                page.status = head.status;
                page.headers = head.fields.0;
            }
            // The server said that nothing changed: what stands is the original's answer.
            _ => {
                page.status = original.status;
                page.headers = original.headers;
            }
        }
        if block.wrong_length.is_some() {
            notes.push((
                Reason::BadLength,
                "the revisit's declared length is wrong".to_owned(),
            ));
        }
        Ok(())
    }

    /// The page a revisit refers to, from an earlier record or the archive.
    fn original(&self, revisit: &Revisit) -> Result<Page, Refusal> {
        let table = &self.options.revisits;
        let keys = [
            revisit.moment.map(|moment| place_key(&revisit.address, moment)),
            revisit.digest.as_ref().map(Declared::prefix),
        ];
        for earlier in keys.into_iter().flatten().filter_map(|key| table.find(key)) {
            if !earlier.page {
                return Err(Refusal::LeftOut(
                    Reason::MediaType,
                    "the original of this revisit was left out".to_owned(),
                ));
            }
            if let Some(page) = read_again(&earlier, revisit, &self.options) {
                return Ok(page);
            }
        }
        table.ask_archive(revisit).ok_or_else(|| {
            Refusal::Skipped(
                Reason::UnresolvedRevisit,
                format!(
                    "the original of this revisit ({}{}) is in no earlier record and not in the archive; add the \
                     file that holds it first",
                    clip(&revisit.address),
                    revisit
                        .moment
                        .map(|moment| format!(" at {moment}"))
                        .unwrap_or_default()
                ),
            )
        })
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Listed::ready(item));
            }
            match self.reader.next_record()? {
                Ok(record) => self.take(&record),
                Err(damage) => return Some(Listed::ready(self.damage(damage))),
            }
        }
    }
}

/// Reads an earlier record once more.
fn read_again(earlier: &Earlier, revisit: &Revisit, options: &SourceOptions) -> Option<Page> {
    let mut stream = Stream::new(earlier.section.as_ref()?.open().ok()?);
    stream.seek_to(earlier.offset).ok()?;
    let mut reader = Reader::new(stream);
    loop {
        let Ok(record) = reader.next_record()? else {
            continue;
        };
        if record.offset > earlier.offset {
            return None;
        }
        let same_digest =
            revisit.digest.is_some() && digest_of(&record, "WARC-Payload-Digest") == revisit.digest;
        let same_place = record.target() == Some(&revisit.address) && record.moment() == revisit.moment;
        if !same_digest && !same_place
            || !matches!(record.kind(), RecordType::Response | RecordType::Resource)
        {
            continue;
        }
        let limit = options.max_page_size.saturating_add(OVERHEAD);
        let block = reader.read_block(limit).ok()??;
        let mut page = Page::default();
        fill(&mut page, &record, block, options, &mut Notes::new()).ok()?;
        return Some(page);
    }
}

/// The media type as the HTTP header, else the record says it; `None` where neither does or the
/// header does not end within sight.
fn known_type(record: &Record, sight: &[u8]) -> Option<String> {
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

fn not_wanted(kind: &str) -> Refusal {
    Refusal::LeftOut(
        Reason::MediaType,
        format!("{:?} was not asked for; take it with --media-type", clip(kind)),
    )
}

/// Fills a page from the block of a response or resource: HTTP header, chunks, codings, digests.
fn fill(
    page: &mut Page,
    record: &Record,
    block: Block,
    options: &SourceOptions,
    notes: &mut Notes,
) -> Result<(), Refusal> {
    let bytes = block.bytes;
    if let Some(message) = block.wrong_length {
        notes.push((Reason::BadLength, message.to_owned()));
    }
    if let Some(digest) = digest_of(record, "WARC-Block-Digest")
        && !digest.fits(&bytes)
    {
        notes.push((
            Reason::DigestMismatch,
            "the record's block is not what its WARC-Block-Digest says".to_owned(),
        ));
    }
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
        let fields = record_type(record).map(|kind| vec![("Content-Type".to_owned(), kind)]);
        (Fields(fields.unwrap_or_default()), 0)
    };
    let mut wire = bytes;
    wire.drain(..body_at);
    let Decoded { entity, document } = decoded(&wire, &fields, options.max_page_size, notes)?;
    let kind = fields
        .get("Content-Type")
        .map(http::media_type)
        .filter(|kind| kind.contains('/'));
    if let Some(digest) = digest_of(record, "WARC-Payload-Digest") {
        let seen = [
            (Meaning::Wire, Some(&wire)),
            (Meaning::Entity, entity.as_ref()),
            (Meaning::Decoded, document.as_ref()),
        ];
        let meaning = seen
            .into_iter()
            .find(|(_, bytes)| bytes.is_some_and(|bytes| digest.fits(bytes)))
            .map(|(meaning, _)| meaning);
        match meaning {
            Some(meaning) => note_meaning(page, meaning),
            None if !wire.is_empty() => notes.push((
                Reason::DigestMismatch,
                "the body is not what its WARC-Payload-Digest says, neither as received nor decoded"
                    .to_owned(),
            )),
            None => {}
        }
    }
    page.headers = fields.0;
    page.body = document.or(entity).unwrap_or(wire);
    if page.body.len() > options.max_page_size {
        return Err(too_large(options.max_page_size));
    }
    let html = kind
        .as_deref()
        .is_none_or(|kind| matches!(kind, "text/html" | "application/xhtml+xml"));
    match kind {
        Some(kind) if !options.wants(&kind) => return Err(not_wanted(&kind)),
        None if !body::looks_like_html(&page.body) => return Err(not_wanted("no media type")),
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
    Ok(())
}

/// A body after its chunks were joined and after its codings were taken off, each where it differs
/// from what came before.
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

fn digest_of(record: &Record, name: &str) -> Option<Declared> {
    Declared::parse(record.fields.get(name)?)
}

/// The moment of a record; the HTTP `Date` where the record's own cannot be read.
fn moment(record: &Record, page: &Page, notes: &mut Notes) -> Option<Moment> {
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
    "WARC-IP-Address",
    "WARC-Truncated",
    "WARC-Profile",
    "WARC-Refers-To-Target-URI",
    "WARC-Refers-To-Date",
];

/// The key in the metadata that holds fields of the record.
const METADATA: &str = "warc";

fn metadata(record: &Record) -> Map<String, Value> {
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
fn note_meaning(page: &mut Page, meaning: Meaning) {
    if let Some(Value::Object(kept)) = page.metadata.get_mut(METADATA) {
        kept.insert(
            "payload-digest-of".to_owned(),
            Value::String(meaning.as_str().to_owned()),
        );
    }
}

fn clip(text: &str) -> String {
    text.chars().take(100).collect()
}
