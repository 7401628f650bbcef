//! WARC and ARC records as pages: what is taken, what is left out, and what is noted about it.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use super::body::{Listed, noted};
use super::input::Origin;
use super::offsets::Offsets;
use super::original::original;
use super::payload::{
    self, Capture, Notes, Refusal, clip, digest_of, known_type, metadata, moment, not_wanted,
};
use super::revisit::{Earlier, Revisit, place_key, record_key};
use super::section::Section;
use super::{At, Item, Place, Reason, SourceOptions};
use crate::page::Page;
use crate::warc::{Reader, Record, RecordType, Stream, http};

/// Bytes of a block looked at to tell its media type before it is read.
const SIGHT: usize = 16 << 10;

/// Longest address taken, in bytes.
const MAX_ADDRESS: usize = 64 << 10;

/// Bytes a record may be longer than its page: HTTP header and chunk sizes.
pub(super) const OVERHEAD: usize = 2 << 20;

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
    ready: VecDeque<Listed>,
}

/// What became of a record.
enum Taken {
    Page(Box<Page>),
    /// The rest can be done on another thread.
    Capture(Capture),
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

    /// Turns one record into entries.
    fn take(&mut self, record: Record) {
        let place = self.place(record.offset);
        let mut notes = Notes::new();
        if let Some(offsets) = &self.offsets {
            offsets.push(&record);
        }
        let item = match self.page(record, &mut notes) {
            Ok(Taken::Capture(capture)) => {
                self.ready.push_back(Listed::capture(capture, place));
                return;
            }
            Ok(Taken::Page(page)) => Item::Page(page, place.clone()),
            Err(refusal) => refusal.item(place.clone()),
        };
        let noted = noted(&item, notes, &place).into_iter().map(Item::Noted);
        self.ready.extend(noted.chain([item]).map(Listed::ready));
    }

    fn page(&mut self, record: Record, notes: &mut Notes) -> Result<Taken, Refusal> {
        let kind = record.kind();
        if !matches!(
            kind,
            RecordType::Response | RecordType::Resource | RecordType::Revisit
        ) {
            let named = record.fields.get("WARC-Type").unwrap_or("no type").to_owned();
            self.verify(&record, notes)?;
            return Err(Refusal::LeftOut(
                Reason::RecordType,
                format!("a record of type {:?} holds no page", clip(&named)),
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
            metadata: metadata(&record),
            ..Page::default()
        });
        if kind == RecordType::Revisit {
            self.revisit(&record, &mut page, notes)?;
            page.moment = moment(&record, &page, notes);
            return Ok(Taken::Page(page));
        }
        // Under which keys a later revisit finds this record again.
        let address = page.address.clone();
        let keys = [
            digest_of(&record, "WARC-Payload-Digest").map(|digest| digest.prefix()),
            record.moment().map(|moment| place_key(&address, moment)),
            record.id().map(record_key),
        ];
        let mut earlier = Earlier {
            section: self.section.clone(),
            offset: record.offset,
            dear: self.before == Some(record.offset),
            kept: None,
            page: false,
        };
        let taken = self.captured(record, page, &mut earlier, notes);
        earlier.page = taken.is_ok();
        // A record that could not be read is nobody's original: another copy of it may be.
        if matches!(taken, Ok(_) | Err(Refusal::LeftOut(..))) {
            let revisits = &self.options.revisits;
            revisits.remember(keys.into_iter().flatten(), &earlier);
            revisits.remember_last(&address, &earlier);
        }
        taken
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

    /// Reads the block of a response or resource.
    fn captured(
        &mut self,
        record: Record,
        page: Box<Page>,
        earlier: &mut Earlier,
        notes: &mut Notes,
    ) -> Result<Taken, Refusal> {
        let sight = self.reader.peek_block(SIGHT)?;
        if let Some(kind) = known_type(&record, sight)
            && !self.options.wants(&kind)
        {
            self.verify(&record, notes)?;
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
        let capture = Capture { page, record, block };
        if earlier.section.is_some() && !earlier.dear {
            return Ok(Taken::Capture(capture));
        }
        // It must be kept for revisits, for it cannot be read again.
        let page = capture.finish(&self.options, notes)?;
        earlier.kept = self.options.revisits.keep(&page);
        Ok(Taken::Page(page))
    }

    /// Fills the page from the original of a revisit.
    fn revisit(&mut self, record: &Record, page: &mut Page, notes: &mut Notes) -> Result<(), Refusal> {
        let block = self.reader.read_block(http::MAX_HEADER)?;
        payload::check_revisit(record, block.as_ref(), notes);
        let block = block.unwrap_or_default();
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
        let revisit = Revisit::of(record, &page.address);
        let original = original(&revisit, &self.options)?;
        match revisit.meaning_in(&original) {
            Some(meaning) => payload::note_meaning(page, meaning),
            None if revisit.digest.is_some() => notes.push((
                Reason::DigestUnchecked,
                "its payload digest was not checked: the original was stored decoded and declares none"
                    .to_owned(),
            )),
            None => {}
        }
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
        Ok(())
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        loop {
            if let Some(listed) = self.ready.pop_front() {
                return Some(listed);
            }
            match self.reader.next_record()? {
                Ok(record) => {
                    let offset = record.offset;
                    self.take(record);
                    self.before = Some(offset);
                }
                Err(damage) => {
                    let item = Refusal::Damage(damage).item(self.place(0));
                    return Some(Listed::ready(item));
                }
            }
        }
    }
}
