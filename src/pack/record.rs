//! Records: what is said about snapshots. `varint kind, varint length, fields`. An odd kind is
//! required, an even one may be skipped, as with the tags of [`super::field`].

use super::field::{Fields, number, put, put_number, put_varint, take, take_varint};
use super::{MAX_PAGE_BYTES, PackError, limited};
use crate::digest::Hash;
use crate::page::{Moment, Page};

/// Most bytes one record may have: headers and metadata are bounded by it.
pub const MAX_RECORD_BYTES: u64 = 16 << 20;

/// Most parts one frame of records may have: each takes far more memory than the two bytes it may have in
/// the frame. A frame ends with the record that fills it, of which the writer takes [`MAX_OWN_PARTS`].
pub const MAX_RECORD_PARTS: u64 = 4 << 20;

/// Most parts one record may be written with: those before it in a frame have fewer bytes than are left.
pub const MAX_OWN_PARTS: u64 = MAX_RECORD_PARTS / 2;

/// Parts for which a record counts, whatever is in it.
const RECORD_PARTS: u64 = 4;

/// One record of a pack.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A snapshot.
    Snapshot(SnapshotRecord),
    /// A page taken out for ever.
    Tombstone(Tombstone),
}

/// A snapshot: which bytes were found where and when. The bytes themselves may lie in any pack.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SnapshotRecord {
    /// The address as given.
    pub address: String,
    /// When the page was fetched.
    pub moment: Option<Moment>,
    /// BLAKE3 of the body.
    pub body: Hash,
    /// Length of the body in bytes.
    pub length: u64,
    /// HTTP status.
    pub status: Option<u16>,
    /// HTTP headers in the order received.
    pub headers: Vec<(String, String)>,
    /// What else the source said.
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

/// A page taken out for ever: it wins over every record of the same article key and body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tombstone {
    /// The article key.
    pub key: String,
    /// BLAKE3 of the body.
    pub body: Hash,
    /// Why.
    pub reason: String,
    /// When it was taken out.
    pub moment: Option<Moment>,
}

mod kind {
    pub const SNAPSHOT: u64 = 1;
    pub const TOMBSTONE: u64 = 3;
}

mod tag {
    pub const ADDRESS: u64 = 1;
    pub const HEADERS: u64 = 2;
    pub const MOMENT: u64 = 3;
    pub const METADATA: u64 = 4;
    pub const BODY: u64 = 5;
    pub const LENGTH: u64 = 7;
    pub const STATUS: u64 = 9;
    pub const REASON: u64 = 11;
}

impl SnapshotRecord {
    /// The record of a page.
    #[must_use]
    pub fn of(page: &Page, body: Hash) -> Self {
        Self {
            address: page.address.clone(),
            moment: page.moment,
            body,
            length: page.body.len() as u64,
            status: page.status,
            headers: page.headers.clone(),
            metadata: page.metadata.clone(),
        }
    }

    /// Length of the record in bytes; one over [`MAX_RECORD_BYTES`] fits into no pack.
    #[must_use]
    pub fn stored_length(&self) -> u64 {
        let mut fields = Vec::with_capacity(128);
        self.put_fields(&mut fields);
        fields.len() as u64
    }

    /// Parts for which a reader counts the record, never more than it has bytes; with more than
    /// [`MAX_OWN_PARTS`] its frame might not be read again.
    #[must_use]
    pub fn parts(&self) -> u64 {
        let json = serde_json::to_vec(&self.metadata).unwrap_or_default();
        RECORD_PARTS + self.headers.len() as u64 + values(&json)
    }

    fn put_fields(&self, fields: &mut Vec<u8>) {
        put(fields, tag::ADDRESS, self.address.as_bytes());
        put_moment(fields, self.moment);
        put(fields, tag::BODY, &self.body.0);
        put_number(fields, tag::LENGTH, self.length);
        if let Some(status) = self.status {
            put_number(fields, tag::STATUS, u64::from(status));
        }
        if !self.headers.is_empty() {
            let mut list = Vec::new();
            for text in self.headers.iter().flat_map(|(name, value)| [name, value]) {
                put_varint(&mut list, text.len() as u64);
                list.extend_from_slice(text.as_bytes());
            }
            put(fields, tag::HEADERS, &list);
        }
        if !self.metadata.is_empty() {
            let json = serde_json::to_vec(&self.metadata).unwrap_or_default();
            put(fields, tag::METADATA, &json);
        }
    }

    /// The page again, with the body that was found for it.
    #[must_use]
    pub fn into_page(self, body: Vec<u8>) -> Page {
        Page {
            address: self.address,
            moment: self.moment,
            status: self.status,
            headers: self.headers,
            metadata: self.metadata,
            body,
        }
    }
}

impl Record {
    /// BLAKE3 of the body the record speaks of.
    #[must_use]
    pub fn body(&self) -> &Hash {
        match self {
            Self::Snapshot(snapshot) => &snapshot.body,
            Self::Tombstone(stone) => &stone.body,
        }
    }

    /// What records are sorted by in a pack: address or key, moment, body, kind.
    #[must_use]
    pub fn sort_key(&self) -> (&str, Option<Moment>, &Hash, u8) {
        match self {
            Self::Snapshot(snapshot) => (&snapshot.address, snapshot.moment, &snapshot.body, 1),
            Self::Tombstone(stone) => (&stone.key, stone.moment, &stone.body, 0),
        }
    }

    /// Appends the record.
    pub fn put(&self, out: &mut Vec<u8>) -> Result<(), PackError> {
        let mut fields = Vec::with_capacity(128);
        let kind = match self {
            Self::Snapshot(snapshot) => {
                snapshot.put_fields(&mut fields);
                kind::SNAPSHOT
            }
            Self::Tombstone(stone) => {
                put(&mut fields, tag::ADDRESS, stone.key.as_bytes());
                put_moment(&mut fields, stone.moment);
                put(&mut fields, tag::BODY, &stone.body.0);
                put(&mut fields, tag::REASON, stone.reason.as_bytes());
                kind::TOMBSTONE
            }
        };
        limited("length of a record", fields.len() as u64, MAX_RECORD_BYTES)?;
        put_varint(out, kind);
        put_varint(out, fields.len() as u64);
        out.extend_from_slice(&fields);
        Ok(())
    }

    /// Reads all records of a records frame; `at` is the frame's offset, for messages. Records of an
    /// unknown optional kind keep their place as `None`.
    pub fn read_all(mut bytes: &[u8], at: u64) -> Result<Vec<Option<Self>>, PackError> {
        let malformed = || PackError::damaged(at, "a record is malformed");
        let mut records = Vec::new();
        let mut parts = 0;
        while !bytes.is_empty() {
            let kind = take_varint(&mut bytes).ok_or_else(malformed)?;
            let length = take_varint(&mut bytes).ok_or_else(malformed)?;
            limited("length of a record", length, MAX_RECORD_BYTES)?;
            let fields = take(&mut bytes, length).ok_or_else(malformed)?;
            count_parts(&mut parts, RECORD_PARTS)?;
            records.push(match kind {
                kind::SNAPSHOT | kind::TOMBSTONE => Some(Self::read(kind, fields, at, &mut parts)?),
                kind if kind % 2 == 1 => {
                    return Err(PackError::Newer(format!(
                        "record of kind {kind} in the frame at byte {at}"
                    )));
                }
                _ => None,
            });
        }
        Ok(records)
    }

    fn read(kind: u64, fields: &[u8], at: u64, parts: &mut u64) -> Result<Self, PackError> {
        let malformed = || PackError::damaged(at, "a field of a record is malformed");
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).map_err(|_| malformed());
        let mut snapshot = SnapshotRecord::default();
        let mut reason = String::new();
        let mut has_body = false;
        for field in Fields(fields) {
            let (tag, value) = field.ok_or_else(malformed)?;
            match tag {
                tag::ADDRESS => snapshot.address = text(value)?,
                tag::MOMENT => {
                    let nanos = value.try_into().map_err(|_| malformed())?;
                    snapshot.moment = Some(Moment(i64::from_le_bytes(nanos)));
                }
                tag::BODY => {
                    snapshot.body = Hash(value.try_into().map_err(|_| malformed())?);
                    has_body = true;
                }
                tag::LENGTH => {
                    let length = number(value).ok_or_else(malformed)?;
                    snapshot.length = limited("length of a page", length, MAX_PAGE_BYTES)?;
                }
                tag::STATUS => {
                    let status = number(value).ok_or_else(malformed)?;
                    snapshot.status = Some(u16::try_from(status).map_err(|_| malformed())?);
                }
                tag::HEADERS => snapshot.headers = headers(value, parts)?.ok_or_else(malformed)?,
                tag::METADATA => {
                    count_parts(parts, values(value))?;
                    snapshot.metadata = serde_json::from_slice(value).map_err(|_| malformed())?;
                }
                tag::REASON if kind == kind::TOMBSTONE => reason = text(value)?,
                tag if tag % 2 == 1 => {
                    return Err(PackError::Newer(format!(
                        "field {tag} of a record in the frame at byte {at}"
                    )));
                }
                _ => {}
            }
        }
        if !has_body {
            return Err(malformed());
        }
        Ok(match kind {
            kind::TOMBSTONE => Self::Tombstone(Tombstone {
                key: snapshot.address,
                body: snapshot.body,
                reason,
                moment: snapshot.moment,
            }),
            _ => Self::Snapshot(snapshot),
        })
    }
}

fn put_moment(fields: &mut Vec<u8>, moment: Option<Moment>) {
    if let Some(moment) = moment {
        put(fields, tag::MOMENT, &moment.0.to_le_bytes());
    }
}

/// At least as many as there are values in this JSON: each in a list or an object stands behind one of
/// these. They are counted inside of texts, too.
fn values(json: &[u8]) -> u64 {
    memchr::memchr3_iter(b',', b'[', b'{', json).count() as u64
}

/// Adds to the parts of a frame, before memory is taken for them.
fn count_parts(parts: &mut u64, more: u64) -> Result<(), PackError> {
    *parts += more;
    limited("parts of a frame of records", *parts, MAX_RECORD_PARTS).map(drop)
}

/// Names and values of headers; `None` where they are malformed.
fn headers(mut list: &[u8], parts: &mut u64) -> Result<Option<Vec<(String, String)>>, PackError> {
    let text = |list: &mut &[u8]| {
        let length = take_varint(list)?;
        String::from_utf8(take(list, length)?.to_vec()).ok()
    };
    let mut headers = Vec::new();
    while !list.is_empty() {
        count_parts(parts, 1)?;
        let Some(header) = text(&mut list).zip(text(&mut list)) else {
            return Ok(None);
        };
        headers.push(header);
    }
    Ok(Some(headers))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snapshot() -> impl Strategy<Value = Record> {
        (
            any::<String>(),
            any::<Option<i64>>(),
            any::<[u8; 32]>(),
            0..=MAX_PAGE_BYTES,
            any::<Option<u16>>(),
            prop::collection::vec(any::<(String, String)>(), 0..4),
            prop::collection::vec(any::<(String, i64)>(), 0..4),
        )
            .prop_map(|(address, moment, body, length, status, headers, metadata)| {
                Record::Snapshot(SnapshotRecord {
                    address,
                    moment: moment.map(Moment),
                    body: Hash(body),
                    length,
                    status,
                    headers,
                    metadata: metadata.into_iter().map(|(k, v)| (k, v.into())).collect(),
                })
            })
    }

    proptest! {
        #[test]
        fn records_round_trip(records in prop::collection::vec(snapshot(), 0..5), reason in any::<String>()) {
            let mut records = records;
            records.push(Record::Tombstone(Tombstone { key: "k".into(), body: Hash([3; 32]), reason, moment: None }));
            let mut bytes = Vec::new();
            for record in &records {
                record.put(&mut bytes).unwrap();
            }
            let read: Option<Vec<_>> = Record::read_all(&bytes, 0).unwrap().into_iter().collect();
            prop_assert_eq!(read, Some(records));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Record::read_all(&bytes, 0);
        }
    }

    #[test]
    fn few_bytes_do_not_become_much_memory() {
        let snapshot = |tag: u64, value: &[u8]| {
            let (mut fields, mut bytes) = (Vec::new(), Vec::new());
            put(&mut fields, tag::BODY, &[1; 32]);
            put(&mut fields, tag, value);
            put_varint(&mut bytes, kind::SNAPSHOT);
            put_varint(&mut bytes, fields.len() as u64);
            bytes.extend_from_slice(&fields);
            bytes
        };
        let mut length = Vec::new();
        put_varint(&mut length, MAX_PAGE_BYTES + 1);
        for (what, bytes) in [
            ("records that are skipped", [6, 0].repeat(2 << 20)),
            ("headers", snapshot(tag::HEADERS, &vec![0; 10 << 20])),
            (
                "metadata",
                snapshot(
                    tag::METADATA,
                    format!("{{\"a\":[0{}]}}", ",0".repeat(5 << 20)).as_bytes(),
                ),
            ),
            ("a giant record", snapshot(200, &vec![0; 17 << 20])),
            ("a page of any length", snapshot(tag::LENGTH, &length)),
        ] {
            let read = Record::read_all(&bytes, 0);
            assert!(matches!(read, Err(PackError::Limit { .. })), "{what}");
        }
    }

    #[test]
    fn unknown_kinds_follow_the_parity_rule() {
        assert_eq!(Record::read_all(&[6, 1, 0], 0).unwrap(), [None]);
        assert!(matches!(
            Record::read_all(&[7, 1, 0], 0),
            Err(PackError::Newer(_))
        ));
    }
}
