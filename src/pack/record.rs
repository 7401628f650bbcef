//! Records: what is said about snapshots. `varint kind, varint length, fields`. An odd kind is
//! required, an even one may be skipped, as with the tags of [`super::field`].

use super::field::{Fields, number, put, put_number, put_varint, take, take_varint};
use super::{PackError, limited};
use crate::digest::Hash;
use crate::page::{Moment, Page};

/// Most bytes one record may have: headers and metadata are bounded by it.
pub const MAX_RECORD_BYTES: u64 = 16 << 20;

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
                put(&mut fields, tag::ADDRESS, snapshot.address.as_bytes());
                put_moment(&mut fields, snapshot.moment);
                put(&mut fields, tag::BODY, &snapshot.body.0);
                put_number(&mut fields, tag::LENGTH, snapshot.length);
                if let Some(status) = snapshot.status {
                    put_number(&mut fields, tag::STATUS, u64::from(status));
                }
                if !snapshot.headers.is_empty() {
                    let mut list = Vec::new();
                    for text in snapshot.headers.iter().flat_map(|(name, value)| [name, value]) {
                        put_varint(&mut list, text.len() as u64);
                        list.extend_from_slice(text.as_bytes());
                    }
                    put(&mut fields, tag::HEADERS, &list);
                }
                if !snapshot.metadata.is_empty() {
                    let json = serde_json::to_vec(&snapshot.metadata).unwrap_or_default();
                    put(&mut fields, tag::METADATA, &json);
                }
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
        while !bytes.is_empty() {
            let kind = take_varint(&mut bytes).ok_or_else(malformed)?;
            let length = take_varint(&mut bytes).ok_or_else(malformed)?;
            let fields = take(&mut bytes, length).ok_or_else(malformed)?;
            records.push(match kind {
                kind::SNAPSHOT | kind::TOMBSTONE => Some(Self::read(kind, fields, at)?),
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

    fn read(kind: u64, fields: &[u8], at: u64) -> Result<Self, PackError> {
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
                tag::LENGTH => snapshot.length = number(value).ok_or_else(malformed)?,
                tag::STATUS => {
                    let status = number(value).ok_or_else(malformed)?;
                    snapshot.status = Some(u16::try_from(status).map_err(|_| malformed())?);
                }
                tag::HEADERS => snapshot.headers = headers(value).ok_or_else(malformed)?,
                tag::METADATA => {
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

fn headers(mut list: &[u8]) -> Option<Vec<(String, String)>> {
    let text = |list: &mut &[u8]| {
        let length = take_varint(list)?;
        String::from_utf8(take(list, length)?.to_vec()).ok()
    };
    let mut headers = Vec::new();
    while !list.is_empty() {
        headers.push((text(&mut list)?, text(&mut list)?));
    }
    Some(headers)
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
            any::<u64>(),
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
    fn unknown_kinds_follow_the_parity_rule() {
        assert_eq!(Record::read_all(&[6, 1, 0], 0).unwrap(), [None]);
        assert!(matches!(
            Record::read_all(&[7, 1, 0], 0),
            Err(PackError::Newer(_))
        ));
    }
}
