//! WARC and ARC records as pages: what is taken, what is left out, and what is noted about it.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use super::body::Listed;
use super::input::Origin;
use super::payload::{Notes, Refusal, clip, digest_of, fill, known_type, metadata, moment, not_wanted};
use super::revisit::{Earlier, Revisit, Section, place_key};
use super::{At, Fault, Item, Place, Reason, SourceOptions};
use crate::page::Page;
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
    ready: VecDeque<Item>,
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
