//! Numbers in few bits, for the chunks of the postings.

/// Writes numbers bit by bit, the highest bit of a byte first.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits of the last byte that are taken; 0 where it is full.
    used: u32,
}

impl BitWriter {
    /// The lowest `count` bits of `value`, highest first.
    pub(super) fn put(&mut self, value: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let free = 8 - self.used;
            let taken = free.min(left);
            left -= taken;
            let bits = (value >> left) as u8 & (0xff >> (8 - taken));
            if let Some(last) = self.bytes.last_mut() {
                *last |= bits << (free - taken);
            }
            self.used = (self.used + taken) % 8;
        }
    }

    /// A number that is mostly around `1 << k` (Rice code).
    pub(super) fn put_rice(&mut self, value: u64, k: u32) {
        let mut ones = value >> k;
        while ones >= 32 {
            self.put(u64::MAX, 32);
            ones -= 32;
        }
        // So many ones, and a zero.
        self.put((1 << (ones + 1)) - 2, ones as u32 + 1);
        self.put(value, k);
    }

    /// A number of at least 1, the smaller the shorter (Elias gamma code).
    pub(super) fn put_gamma(&mut self, value: u64) {
        let digits = value.checked_ilog2().unwrap_or(0);
        self.put(0, digits);
        self.put(value, digits + 1);
    }

    /// The bytes; the last is filled up with zeros.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads what a [`BitWriter`] wrote; `None` past the end.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn bit(&mut self) -> Option<u64> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(u64::from(bit))
    }

    pub(super) fn take(&mut self, count: u32) -> Option<u64> {
        if count > 64 {
            return None;
        }
        // Up to seven bytes at once; the slow way near the end and for the longest numbers.
        let from = self.at / 8;
        let shift = (self.at % 8) as u32;
        if count + shift <= 64
            && let Some(eight) = self.bytes.get(from..from + 8)
            && let Ok(eight) = <[u8; 8]>::try_from(eight)
        {
            self.at += count as usize;
            let word = u64::from_be_bytes(eight) << shift;
            return Some(if count == 0 { 0 } else { word >> (64 - count) });
        }
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | self.bit()?;
        }
        Some(value)
    }

    pub(super) fn take_rice(&mut self, k: u32) -> Option<u64> {
        let mut quotient: u64 = 0;
        while self.bit()? == 1 {
            quotient += 1;
        }
        let rest = self.take(k)?;
        Some(quotient.checked_shl(k)? | rest)
    }

    pub(super) fn take_gamma(&mut self) -> Option<u64> {
        let mut digits = 0;
        while self.bit()? == 0 {
            digits += 1;
            if digits > 63 {
                return None;
            }
        }
        let rest = self.take(digits)?;
        Some(1 << digits | rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_round_trip(numbers in prop::collection::vec((0..1_u64 << 40, 20_u32..64, 0_u8..3), 0..60)) {
            let mut writer = BitWriter::default();
            for &(value, k, code) in &numbers {
                match code {
                    0 => writer.put(value, 40),
                    1 => writer.put_rice(value >> 8, k - 4),
                    _ => writer.put_gamma(value + 1),
                }
            }
            let bytes = writer.into_bytes();
            let mut reader = BitReader::new(&bytes);
            for &(value, k, code) in &numbers {
                let read = match code {
                    0 => reader.take(40),
                    1 => reader.take_rice(k - 4).map(|read| read << 8 | value & 0xff),
                    _ => reader.take_gamma().map(|read| read - 1),
                };
                prop_assert_eq!(read, Some(value));
            }
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..40), k in 0_u32..70) {
            let mut reader = BitReader::new(&bytes);
            while reader.take_rice(k).is_some() && reader.take_gamma().is_some() {}
        }
    }
}
