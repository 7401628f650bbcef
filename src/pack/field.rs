//! Tagged fields: `varint tag, varint length, bytes`. An odd tag is required: a reader that does not
//! know it must refuse what holds it. An even tag is optional: a reader that does not know it skips
//! the field.

/// Appends a number as LEB128: seven bits a byte, lowest first, the high bit set on all but the last.
pub fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Takes a LEB128 number from the front; `None` if it is cut short or has more than 64 bits.
pub fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        let digits = u64::from(byte & 0x7f);
        if index == 9 && digits > 1 {
            return None;
        }
        value |= digits << (7 * index);
        if byte < 0x80 {
            *bytes = &bytes[index + 1..];
            return Some(value);
        }
    }
    None
}

/// Takes as many bytes from the front.
pub fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

/// Appends a field.
pub fn put(bytes: &mut Vec<u8>, tag: u64, value: &[u8]) {
    put_varint(bytes, tag);
    put_varint(bytes, value.len() as u64);
    bytes.extend_from_slice(value);
}

/// Appends a field that holds a varint.
pub fn put_number(bytes: &mut Vec<u8>, tag: u64, value: u64) {
    let mut number = Vec::with_capacity(10);
    put_varint(&mut number, value);
    put(bytes, tag, &number);
}

/// The number in a field that holds nothing but a varint.
#[must_use]
pub fn number(mut value: &[u8]) -> Option<u64> {
    let number = take_varint(&mut value)?;
    value.is_empty().then_some(number)
}

/// The fields of `bytes` in order; an item is `None` where they are malformed, and then the last.
#[derive(Debug, Clone)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.take_field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn take_field(&mut self) -> Option<(u64, &'a [u8])> {
        let tag = take_varint(&mut self.0)?;
        let length = take_varint(&mut self.0)?;
        Some((tag, take(&mut self.0, length)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn fields_round_trip(fields in prop::collection::vec((any::<u64>(), prop::collection::vec(any::<u8>(), 0..200)), 0..8)) {
            let mut bytes = Vec::new();
            for (tag, value) in &fields {
                put(&mut bytes, *tag, value);
            }
            let read: Option<Vec<_>> = Fields(&bytes).map(|f| f.map(|(t, v)| (t, v.to_vec()))).collect();
            prop_assert_eq!(read, Some(fields));
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(Fields(&bytes).count() <= bytes.len());
        }

        #[test]
        fn numbers_round_trip(value in any::<u64>()) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            prop_assert_eq!(number(&bytes), Some(value));
        }
    }
}
