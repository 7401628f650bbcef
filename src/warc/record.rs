//! One record's head: what its header says, WARC and ARC alike.

use super::fields::{Fields, text};
use crate::page::Moment;

/// Which format a record is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// WARC, any version.
    Warc,
    /// ARC, version 1 or 2, the predecessor.
    Arc,
}

/// The header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Offset in the input where the record, or the compressed member that holds it, begins.
    pub offset: u64,
    /// WARC or ARC.
    pub format: Format,
    /// The version as written, such as `1.1`.
    pub version: String,
    /// The fields as written; of an ARC record, what its line says under the WARC names.
    pub fields: Fields,
    /// Declared bytes of the block.
    pub length: u64,
}

/// The kind of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordType {
    /// About the file.
    Warcinfo,
    /// An answer of a server, with its protocol header.
    Response,
    /// A document without protocol header.
    Resource,
    /// What was asked.
    Request,
    /// About another record.
    Metadata,
    /// The same content as an earlier record.
    Revisit,
    /// Another record in another format.
    Conversion,
    /// A later segment of a record.
    Continuation,
    /// Anything else, or none given.
    Other,
}

impl Record {
    /// The kind of the record.
    #[must_use]
    pub fn kind(&self) -> RecordType {
        const NAMES: [(&str, RecordType); 8] = [
            ("response", RecordType::Response),
            ("request", RecordType::Request),
            ("metadata", RecordType::Metadata),
            ("resource", RecordType::Resource),
            ("revisit", RecordType::Revisit),
            ("warcinfo", RecordType::Warcinfo),
            ("conversion", RecordType::Conversion),
            ("continuation", RecordType::Continuation),
        ];
        let written = self.fields.get("WARC-Type").unwrap_or_default();
        NAMES
            .iter()
            .find(|(name, _)| written.eq_ignore_ascii_case(name))
            .map_or(RecordType::Other, |(_, kind)| *kind)
    }

    /// The address the record is about, without the angle brackets some tools write around it.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        bare(self.fields.get("WARC-Target-URI")?)
    }

    /// The moment of capture.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        moment(self.fields.get("WARC-Date")?)
    }

    /// The id of the record, without the angle brackets around it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        bare(self.fields.get("WARC-Record-ID")?)
    }

    /// The id of the record that this one refers to: all that WARC 1.0 has.
    #[must_use]
    pub fn refers_to(&self) -> Option<&str> {
        bare(self.fields.get("WARC-Refers-To")?)
    }

    /// The address of the record that this one refers to.
    #[must_use]
    pub fn refers_to_target(&self) -> Option<&str> {
        bare(self.fields.get("WARC-Refers-To-Target-URI")?)
    }

    /// The moment of the record that this one refers to.
    #[must_use]
    pub fn refers_to_moment(&self) -> Option<Moment> {
        moment(self.fields.get("WARC-Refers-To-Date")?)
    }
}

/// An address or id without angle brackets; `None` if nothing is left.
fn bare(address: &str) -> Option<&str> {
    let address = address
        .strip_prefix('<')
        .and_then(|inner| inner.strip_suffix('>'))
        .unwrap_or(address)
        .trim();
    (!address.is_empty()).then_some(address)
}

/// A moment as records spell it: RFC 3339 down to any precision (WARC), or 4 to 14 digits (ARC).
#[must_use]
pub fn moment(spelled: &str) -> Option<Moment> {
    let spelled = spelled.trim();
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits(spelled) && (4..=14).contains(&spelled.len()) && spelled.len().is_multiple_of(2) {
        // What is left out is the first month, the first day, midnight.
        let full = format!("{spelled}{}", &"00000101000000"[spelled.len()..]);
        let part = |range: std::ops::Range<usize>| full.get(range).unwrap_or("00");
        return format!(
            "{}-{}-{}T{}:{}:{}Z",
            part(0..4),
            part(4..6),
            part(6..8),
            part(8..10),
            part(10..12),
            part(12..14)
        )
        .parse()
        .ok();
    }
    if let Ok(moment) = spelled.parse() {
        return Some(moment);
    }
    // Reduced precision of WARC 1.1: a year, or a year and a month.
    match spelled.split_once('-') {
        Some((year, month)) if is_digits(year) && is_digits(month) && month.len() == 2 => {
            format!("{spelled}-01T00:00:00Z").parse().ok()
        }
        _ => None,
    }
}

/// Reads the line of an ARC record: `URL IP date type length`, or with five more fields between in
/// version 2. The address may hold spaces.
pub(super) fn arc_line(line: &[u8], offset: u64) -> Option<Record> {
    let line = text(line.trim_ascii());
    let fields: Vec<&str> = line.split(' ').collect();
    // From the right: length, [file, offset, location, checksum, result,] type, date, IP.
    for extra in [0, 5] {
        let Some(date_at) = fields.len().checked_sub(3 + extra) else {
            break;
        };
        let (Some(date), Some(length)) = (fields.get(date_at), fields.last()) else {
            break;
        };
        let Ok(length) = length.parse::<u64>() else {
            return None;
        };
        if date_at < 2 || !matches!(date.len(), 12 | 14) || moment(date).is_none() {
            continue;
        }
        let address = fields[..date_at - 1].join(" ");
        let is_address = address.split_once(':').is_some_and(|(scheme, _)| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        });
        if !is_address {
            return None;
        }
        let kind = if address.starts_with("filedesc:") {
            "warcinfo"
        } else if address.starts_with("http:") || address.starts_with("https:") {
            "response"
        } else {
            "resource"
        };
        let mut named = Fields::default();
        named.push("WARC-Type", kind);
        named.push("WARC-Target-URI", address);
        named.push("WARC-Date", *date);
        named.push("WARC-IP-Address", fields[date_at - 1]);
        named.push("Content-Type", fields[date_at + 1]);
        return Some(Record {
            offset,
            format: Format::Arc,
            version: if extra == 0 { "1" } else { "2" }.to_owned(),
            fields: named,
            length,
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_precision_are_read() {
        for (spelled, expected) in [
            ("2014-01-27T17:12:38Z", "2014-01-27T17:12:38Z"),
            ("2014-01-27T17:12:38.000000001Z", "2014-01-27T17:12:38.000000001Z"),
            ("2014-01-27T17:12Z", "2014-01-27T17:12:00Z"),
            ("2014-01-27", "2014-01-27T00:00:00Z"),
            ("2014-02", "2014-02-01T00:00:00Z"),
            ("2014", "2014-01-01T00:00:00Z"),
            ("20140127171238", "2014-01-27T17:12:38Z"),
            ("201401271712", "2014-01-27T17:12:00Z"),
        ] {
            assert_eq!(
                moment(spelled).map(|m| m.to_string()).as_deref(),
                Some(expected),
                "{spelled}"
            );
        }
        for bad in ["", "20141399000000", "gestern", "2014-1", "99999999999999"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }

    #[test]
    fn arc_lines_of_both_versions_are_read() {
        let one = arc_line(b"http://a.example/x y 1.2.3.4 20110804181142 text/html 39\n", 7).unwrap();
        assert_eq!(one.target(), Some("http://a.example/x y"));
        assert_eq!(
            (one.length, one.offset, one.kind()),
            (39, 7, RecordType::Response)
        );
        let no_type = arc_line(b"http://a.example/ 1.2.3.4 20110804181142  39", 0).unwrap();
        assert_eq!(no_type.fields.get("content-type"), Some(""));
        let two = arc_line(
            b"http://a.example/ 1.2.3.4 20110804181142 text/html 200 abc - 123 x.arc 39",
            0,
        )
        .unwrap();
        assert_eq!(
            (two.version.as_str(), two.target()),
            ("2", Some("http://a.example/"))
        );
        for bad in [
            &b"1 0 InternetArchive"[..],
            b"URL IP-address Archive-date Content-type Archive-length",
            b"http://a.example/ 1.2.3.4 20110804181142 text/plain -1",
            b"some words and 20110804181142 numbers 12",
            b"",
        ] {
            assert_eq!(arc_line(bad, 0), None, "{bad:?}");
        }
    }
}
