//! What one line of NDJSON says.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{KeyMap, Reason};

/// What one line says, keys already mapped.
#[derive(Default)]
pub(super) struct Record<'a> {
    pub(super) url: Option<String>,
    pub(super) fetched_at: Option<String>,
    pub(super) html: Option<Cow<'a, str>>,
    pub(super) base64: Option<Cow<'a, str>>,
    pub(super) path: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) extra: serde_json::Map<String, Value>,
    /// The first known key whose value has the wrong type.
    pub(super) wrong: Option<(Reason, String)>,
}

impl<'a> Record<'a> {
    pub(super) fn parse(line: &'a [u8], map: &KeyMap) -> Result<Self, serde_json::Error> {
        let mut from = serde_json::Deserializer::from_slice(line);
        let record = from.deserialize_map(RecordVisitor { map })?;
        from.end()?;
        Ok(record)
    }

    fn wrong_type(&mut self, reason: Reason, key: &str, wanted: &str, value: &Value) {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.wrong
            .get_or_insert_with(|| (reason, format!("{key:?} is {found}, not {wanted}")));
    }
}

struct RecordVisitor<'m> {
    map: &'m KeyMap,
}

impl<'de> Visitor<'de> for RecordVisitor<'_> {
    type Value = Record<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Record<'de>, A::Error> {
        let map = self.map;
        let mut record = Record::default();
        let mut room = MAX_VALUES;
        while let Some(Text(key)) = from.next_key()? {
            let key: &str = &key;
            if key == map.html {
                record.html = from.next_value::<Option<Text<'de>>>()?.map(|text| text.0);
            } else if key == map.body_base64 {
                record.base64 = from.next_value::<Option<Text<'de>>>()?.map(|text| text.0);
            } else if key == map.url {
                let value = value(&mut from, key, &mut room, &mut record)?;
                record.url = string(value, Reason::NoUrl, key, &mut record);
            } else if key == map.fetched_at {
                let value = value(&mut from, key, &mut room, &mut record)?;
                record.fetched_at = string(value, Reason::BadTime, key, &mut record);
            } else if key == map.path {
                let value = value(&mut from, key, &mut room, &mut record)?;
                record.path = string(value, Reason::BadValue, key, &mut record);
            } else if key == map.status {
                let value = value(&mut from, key, &mut room, &mut record)?;
                record.status = status(&value);
                if record.status.is_none() && !value.is_null() {
                    record.wrong_type(Reason::BadValue, key, "a status from 0 to 999", &value);
                }
            } else if key == map.headers {
                let value = value(&mut from, key, &mut room, &mut record)?;
                match headers(&value) {
                    Some(headers) => record.headers = headers,
                    None => record.wrong_type(
                        Reason::BadValue,
                        key,
                        "an object of strings or a list of pairs",
                        &value,
                    ),
                }
            } else if record.extra.len() < MAX_EXTRA_KEYS {
                let value = value(&mut from, key, &mut room, &mut record)?;
                record.extra.insert(key.to_owned(), value);
            } else {
                from.next_value::<IgnoredAny>()?;
            }
        }
        Ok(record)
    }
}

/// Most extra keys kept of one line.
const MAX_EXTRA_KEYS: usize = 256;

/// Most bytes that the values of one line, bodies apart, may take in memory.
const MAX_VALUES: usize = 64 << 20;

/// Bytes of one value in memory beside its text, about: `0,` takes forty times its two bytes.
const VALUE_COST: usize = 80;

/// A value that is no body, while there is `room` for it.
fn value<'de, A: MapAccess<'de>>(
    from: &mut A,
    key: &str,
    room: &mut usize,
    record: &mut Record<'_>,
) -> Result<Value, A::Error> {
    let written = from.next_value::<&'de RawValue>()?.get();
    let parts = memchr::memchr3_iter(b',', b'[', b'{', written.as_bytes()).count();
    let Some(left) = room.checked_sub(written.len() + VALUE_COST * (parts + 1)) else {
        record.wrong.get_or_insert_with(|| {
            let message = format!("{key:?} and the values before it take more than {MAX_VALUES} bytes");
            (Reason::BadValue, message)
        });
        return Ok(Value::Null);
    };
    *room = left;
    serde_json::from_str(written).map_err(serde::de::Error::custom)
}

/// A string that borrows from the line where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn string(value: Value, reason: Reason, key: &str, record: &mut Record<'_>) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Null => None,
        other => {
            record.wrong_type(reason, key, "a string", &other);
            None
        }
    }
}

fn status(value: &Value) -> Option<u16> {
    let number = match value {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    u16::try_from(number).ok().filter(|status| *status < 1000)
}

/// Headers as `{"name": "value" or ["value", ...]}` or `[["name", "value"], ...]`.
fn headers(value: &Value) -> Option<Vec<(String, String)>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Object(map) => {
            let mut headers = Vec::with_capacity(map.len());
            for (name, value) in map {
                match value {
                    Value::String(text) => headers.push((name.clone(), text.clone())),
                    Value::Array(values) => {
                        for value in values {
                            headers.push((name.clone(), value.as_str()?.to_owned()));
                        }
                    }
                    _ => return None,
                }
            }
            Some(headers)
        }
        Value::Array(pairs) => pairs
            .iter()
            .map(|pair| {
                let [name, value] = pair.as_array()?.as_slice() else {
                    return None;
                };
                Some((name.as_str()?.to_owned(), value.as_str()?.to_owned()))
            })
            .collect(),
        _ => None,
    }
}
