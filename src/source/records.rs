//! WARC and ARC records as pages: what is taken, what is left out, and what is noted about it.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use super::body::Listed;
use super::input::Origin;
use super::payload::{self, Notes, Refusal, clip, digest_of, fill, known_type, metadata, moment, not_wanted};
use super::revisit::{Earlier, Revisit, address_key, place_key};
use super::section::Section;
use super::{At, Fault, Item, Place, Reason, SourceOptions};
use crate::page::{Moment, Page};
use crate::warc::digest::Declared;
use crate::warc::{Damage, DamageKind, Reader, Record, RecordType, Stream, http};

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
    /// Where the record before this one began: in the same compressed member or not.
    before: Option<u64>,
    offsets: Option<Offsets>,
    ready: VecDeque<Item>,
}

/// Where the records of a WARC began, for whoever has an index of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Offsets(Arc<Mutex<FxHashMap<u64, Seen>>>);

/// A record that began at an offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) address: u64,
    /// Whether it is a capture, which an index should have.
    pub(super) page: bool,
    pub(super) indexed: bool,
}

impl Offsets {
    fn push(&self, record: &Record) {
        let Ok(mut offsets) = self.0.lock() else { return };
        let kind = record.kind();
        let address = record.target().unwrap_or_default();
        let seen = Seen {
            address: address_hash(address),
            page: matches!(
                kind,
                RecordType::Response | RecordType::Resource | RecordType::Revisit
            ),
            indexed: false,
        };
        // Of several records in one member only the first can be reached by its offset.
        offsets.entry(record.offset).or_insert(seen);
    }

    pub(super) fn take(self) -> FxHashMap<u64, Seen> {
        self.0
            .lock()
            .map(|mut offsets| std::mem::take(&mut *offsets))
            .unwrap_or_default()
    }
}

/// An address in eight bytes.
pub(super) fn address_hash(address: &str) -> u64 {
    crate::digest::blake3(address.as_bytes()).prefix()
}

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
            before: None,
            offsets: None,
            ready: VecDeque::new(),
        }
    }

    /// Tells where every record begins.
    pub(super) fn telling(mut self, offsets: Offsets) -> Self {
        self.offsets = Some(offsets);
        self
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
        if let Some(offsets) = &self.offsets {
            offsets.push(record);
        }
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
        if matches!(item, Item::Page(..) | Item::LeftOut(_)) {
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
            self.verify(record, notes)?;
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
            if earlier.page && (earlier.dear || earlier.section.is_none()) {
                earlier.kept = self.options.revisits.keep(&page);
            }
            let revisits = &self.options.revisits;
            revisits.remember(keys.into_iter().flatten(), &earlier);
            revisits.remember_last(&page.address, &earlier);
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
                    dear: self.before == Some(record.offset),
                    kept: None,
                    page: false,
                },
            )
        })
    }

    /// Checks the digests of a record that is left out.
    fn verify(&mut self, record: &Record, notes: &mut Notes) -> Result<(), Refusal> {
        if !payload::declares(record) {
            return Ok(());
        }
        let limit = self.options.max_page_size.saturating_add(OVERHEAD);
        match self.reader.read_block(limit)? {
            Some(block) => payload::verify(record, block, &self.options, notes),
            None => notes.push((
                Reason::DigestUnchecked,
                format!(
                    "its digest was not checked: the record holds {} bytes; raise the limit with --max-page-size",
                    record.length
                ),
            )),
        }
        Ok(())
    }

    /// Fills the page from a response or resource.
    fn captured(&mut self, record: &Record, page: &mut Page, notes: &mut Notes) -> Result<(), Refusal> {
        let sight = self.reader.peek_block(SIGHT)?;
        if let Some(kind) = known_type(record, sight)
            && !self.options.wants(&kind)
        {
            self.verify(record, notes)?;
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
            at: record.moment(),
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
        let says_nothing = revisit.moment.is_none() && revisit.digest.is_none();
        let keys = [
            revisit.moment.map(|moment| place_key(&revisit.address, moment)),
            revisit.digest.as_ref().map(Declared::prefix),
            says_nothing.then(|| address_key(&revisit.address)),
        ];
        let earlier: Vec<Earlier> = keys
            .into_iter()
            .flatten()
            .filter_map(|key| table.find(key))
            .collect();
        for earlier in &earlier {
            if !earlier.page {
                return Err(Refusal::LeftOut(
                    Reason::MediaType,
                    "the original of this revisit was left out".to_owned(),
                ));
            }
            let kept = earlier.kept.and_then(|number| table.kept(number));
            if let Some(page) = kept.filter(|page| !revisit.is_contradicted_by(page)) {
                return Ok(page);
            }
            if !earlier.dear
                && let Some(page) = read_again(earlier, revisit, &self.options)
            {
                return Ok(page);
            }
        }
        let archived = table.ask_archive(revisit);
        if let Ok(Some(page)) = archived {
            return Ok(page);
        }
        let mut dear = earlier.iter().filter(|earlier| earlier.dear);
        if let Some(page) = dear.find_map(|earlier| read_again(earlier, revisit, &self.options)) {
            return Ok(page);
        }
        let named = revisit
            .moment
            .map(|moment| format!(" at {moment}"))
            .unwrap_or_default();
        let original = format!("the original of this revisit ({}{named})", clip(&revisit.address));
        Err(Refusal::Skipped(
            Reason::UnresolvedRevisit,
            match archived {
                Err(error) => {
                    format!("{original} is in no earlier record, and the archive cannot be read: {error}")
                }
                Ok(_) => format!(
                    "{original} is in no earlier record and not in the archive; add the file that holds it first"
                ),
            },
        ))
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
                Ok(record) => {
                    self.take(&record);
                    self.before = Some(record.offset);
                }
                Err(damage) => return Some(Listed::ready(self.damage(damage))),
            }
        }
    }
}

fn seconds(moment: Option<Moment>) -> Option<i64> {
    moment.map(Moment::seconds)
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
        let same_time = revisit.moment.is_none() && revisit.digest.is_none()
            || seconds(record.moment()) == seconds(revisit.moment);
        let same_place = record.target() == Some(&revisit.address) && same_time;
        if !same_digest && !same_place
            || !matches!(record.kind(), RecordType::Response | RecordType::Resource)
        {
            if !options.revisits.pass_over(record.length) {
                return None;
            }
            continue;
        }
        let limit = options.max_page_size.saturating_add(OVERHEAD);
        let block = reader.read_block(limit).ok()??;
        let mut page = Page {
            metadata: metadata(&record),
            ..Page::default()
        };
        fill(&mut page, &record, block, options, &mut Notes::new()).ok()?;
        return (!revisit.is_contradicted_by(&page)).then_some(page);
    }
}
