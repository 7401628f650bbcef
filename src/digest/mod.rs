//! A digest: algorithm, bytes, spelling.
//!
//! Never: knows HTML or files.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

/// 32 digest bytes, spelled as 64 lower-case hex digits: SHA-256 for content hashes,
/// BLAKE3 for bodies and packs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The first eight bytes, big-endian: the key the catalog uses. Equal prefixes are a hint that
    /// must be confirmed against the page, never a proof.
    #[must_use]
    pub fn prefix(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(first)
    }

    /// A hash of which only the [`prefix`](Self::prefix) is known; the rest is zero.
    #[must_use]
    pub fn of_prefix(prefix: u64) -> Self {
        let mut hash = Self::default();
        hash.0[..8].copy_from_slice(&prefix.to_be_bytes());
        hash
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Hash {
    type Err = SpellingError;

    /// Accepts exactly 64 hex digits of either case.
    fn from_str(spelled: &str) -> Result<Self, SpellingError> {
        let bytes = from_hex(spelled)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| SpellingError)?;
        Ok(Self(bytes))
    }
}

impl serde::Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// The text is not the hex spelling of a digest of the expected length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest in hex")]
pub struct SpellingError;

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(sha2::Sha256::digest(bytes).into())
}

/// BLAKE3 of `bytes`, 32 bytes.
#[must_use]
pub fn blake3(bytes: &[u8]) -> Hash {
    Hash(*blake3::hash(bytes).as_bytes())
}

/// Lower-case hex, two digits a byte.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = String::with_capacity(bytes.len() * 2);
    for &byte in bytes {
        hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
        hex.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    hex
}

/// Bytes of a hex string of even length and either case.
pub fn from_hex(hex: &str) -> Result<Vec<u8>, SpellingError> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(SpellingError),
    };
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(SpellingError);
    }
    digits
        .chunks_exact(2)
        .map(|pair| Ok(nibble(pair[0])? << 4 | nibble(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_input_has_the_published_digests() {
        assert_eq!(
            sha256(b"").to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            blake3(b"").to_string(),
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
    }

    #[test]
    fn hex_round_trips_and_rejects_what_is_no_digest() {
        let hash = sha256(b"pressmark");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().parse(), Ok(hash));
        assert_eq!("abc".parse::<Hash>(), Err(SpellingError));
        assert_eq!("zz".repeat(32).parse::<Hash>(), Err(SpellingError));
        assert_eq!("aa".repeat(33).parse::<Hash>(), Err(SpellingError));
    }

    #[test]
    fn prefix_is_the_first_sixteen_hex_digits() {
        let hash = sha256(b"");
        assert_eq!(format!("{:016x}", hash.prefix()), hash.to_string()[..16]);
    }
}
