//! The page a revisit refers to: kept, read again, or asked of the archive.

use super::payload::{Notes, Refusal, clip, digest_of, fill, metadata};
use super::records::OVERHEAD;
use super::revisit::{Earlier, Revisit, address_key, again, place_key, record_key};
use super::section::SectionReader;
use super::{Reason, SourceOptions};
use crate::page::{Moment, Page};
use crate::warc::digest::Declared;
use crate::warc::{Reader, RecordType, Stream};

/// The page a revisit refers to, from an earlier record or the archive.
pub(super) fn original(revisit: &Revisit, options: &SourceOptions) -> Result<Page, Refusal> {
    let table = &options.revisits;
    let record = revisit.record.as_deref().map(record_key);
    // Where the record it names is known, no other one will do.
    let says_nothing = revisit.moment.is_none()
        && revisit.digest.is_none()
        && record.and_then(|key| table.find(key)).is_none();
    let keys = [
        record,
        revisit.moment.map(|moment| place_key(&revisit.address, moment)),
        revisit.digest.as_ref().map(Declared::prefix),
        says_nothing.then(|| address_key(&revisit.address)),
    ];
    let earlier: Vec<Earlier> = keys
        .into_iter()
        .flatten()
        .flat_map(|key| [key, again(key)])
        .filter_map(|key| table.find(key))
        .collect();
    // A record of another address, or one that is not the original after all, may have been left out;
    // only where nothing else is found it speaks for the revisit.
    let mut left_out = None;
    for earlier in &earlier {
        if !earlier.page {
            left_out = Some(Refusal::LeftOut(
                Reason::MediaType,
                "the original of this revisit was left out".to_owned(),
            ));
            continue;
        }
        let kept = earlier.kept.and_then(|number| table.kept(number));
        if let Some(page) = kept.filter(|page| !revisit.is_contradicted_by(page)) {
            return Ok(page);
        }
        if !earlier.dear {
            match read_again(earlier, revisit, says_nothing, options) {
                Ok(Some(page)) => return Ok(page),
                Ok(None) => {}
                Err(refusal) => left_out = Some(refusal),
            }
        }
    }
    let archived = table.ask_archive(revisit);
    if let Ok(Some(page)) = archived {
        return Ok(page);
    }
    for dear in earlier.iter().filter(|earlier| earlier.dear && earlier.page) {
        match read_again(dear, revisit, says_nothing, options) {
            Ok(Some(page)) => return Ok(page),
            Ok(None) => {}
            Err(refusal) => left_out = Some(refusal),
        }
    }
    if let Some(refusal) = left_out {
        return Err(refusal);
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
                format!(
                    "{original} is in no earlier record that fits, and the archive cannot be read: {error}"
                )
            }
            Ok(_) => format!(
                "{original} is in no earlier record that fits and not in the archive; add the file that holds it \
                 first, or this one again if it holds both"
            ),
        },
    ))
}

fn seconds(moment: Option<Moment>) -> Option<i64> {
    moment.map(Moment::seconds)
}

/// Reads an earlier record once more; of a revisit that says nothing, one of its address.
fn read_again(
    earlier: &Earlier,
    revisit: &Revisit,
    says_nothing: bool,
    options: &SourceOptions,
) -> Result<Option<Page>, Refusal> {
    let Some(mut reader) = opened_at(earlier) else {
        return Ok(None);
    };
    let mut before = None;
    loop {
        let next = reader.next_record();
        // What was consumed since the first header. What a record declares is not counted: it may be false.
        let consumed = reader.consumed();
        if let Some(before) = before.replace(consumed)
            && !options.revisits.pass_over(consumed - before)
        {
            return Ok(None);
        }
        let record = match next {
            None => return Ok(None),
            Some(Err(_)) => continue,
            Some(Ok(record)) => record,
        };
        if record.offset > earlier.offset {
            return Ok(None);
        }
        let same_record = revisit.record.is_some() && record.id() == revisit.record.as_deref();
        let same_digest =
            revisit.digest.is_some() && digest_of(&record, "WARC-Payload-Digest") == revisit.digest;
        let same_time = says_nothing || seconds(record.moment()) == seconds(revisit.moment);
        let same_place = record.target() == Some(&revisit.address) && same_time;
        if !same_record && !same_digest && !same_place
            || !matches!(record.kind(), RecordType::Response | RecordType::Resource)
        {
            continue;
        }
        let limit = options.max_page_size.saturating_add(OVERHEAD);
        let Ok(Some(block)) = reader.read_block(limit) else {
            return Ok(None);
        };
        let mut page = Page {
            metadata: metadata(&record),
            ..Page::default()
        };
        return match fill(&mut page, &record, block, options, &mut Notes::new()) {
            Ok(()) => Ok((!revisit.is_contradicted_by(&page)).then_some(page)),
            // What an original is left out for holds for its revisits.
            Err(refusal @ Refusal::LeftOut(..)) => Err(refusal),
            Err(_) => Ok(None),
        };
    }
}

fn opened_at(earlier: &Earlier) -> Option<Reader<SectionReader>> {
    let mut stream = Stream::new(earlier.section.as_ref()?.open().ok()?);
    stream.seek_to(earlier.offset).ok()?;
    Some(Reader::new(stream))
}
