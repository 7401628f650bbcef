//! Digests as records declare them, and which bytes they mean.

use sha2::Digest as _;

use crate::digest::{from_hex, to_hex};

/// A declared digest: `algorithm:value`, the value in Base32 or hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Declared {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The digest's bytes.
    pub bytes: Vec<u8>,
}

/// Digest algorithms of WARC files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// MD5, 16 bytes.
    Md5,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
    /// BLAKE3, 32 bytes.
    Blake3,
}

impl Algorithm {
    fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Blake3 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name written before the colon.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Blake3 => "blake3",
        }
    }

    /// The digest of bytes.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => md5::Md5::digest(bytes).to_vec(),
            Self::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(bytes).to_vec(),
            Self::Blake3 => crate::digest::blake3(bytes).0.to_vec(),
        }
    }
}

impl Declared {
    /// Reads `sha1:BASE32`, `sha256:hex` and their like; `None` for anything else.
    #[must_use]
    pub fn parse(spelled: &str) -> Option<Self> {
        let (name, value) = spelled.trim().split_once(':')?;
        let algorithm = match name.trim().to_ascii_lowercase().as_str() {
            "md5" => Algorithm::Md5,
            "sha1" | "sha-1" => Algorithm::Sha1,
            "sha256" | "sha-256" => Algorithm::Sha256,
            "sha512" | "sha-512" => Algorithm::Sha512,
            "blake3" => Algorithm::Blake3,
            _ => return None,
        };
        let value = value.trim();
        let bytes = if value.len() == algorithm.length() * 2 {
            from_hex(value).ok()?
        } else {
            from_base32(value)?
        };
        (bytes.len() == algorithm.length()).then_some(Self { algorithm, bytes })
    }

    /// Whether the digest is that of `bytes`.
    #[must_use]
    pub fn fits(&self, bytes: &[u8]) -> bool {
        self.algorithm.digest(bytes) == self.bytes
    }

    /// A key for tables of earlier records: the first eight bytes.
    #[must_use]
    pub fn prefix(&self) -> u64 {
        let mut first = [0; 8];
        for (to, from) in first.iter_mut().zip(&self.bytes) {
            *to = *from;
        }
        u64::from_be_bytes(first)
    }
}

/// As WARC files spell it: SHA-1 and MD5 in Base32, the others in hex.
impl std::fmt::Display for Declared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = match self.algorithm {
            Algorithm::Md5 | Algorithm::Sha1 => to_base32(&self.bytes),
            _ => to_hex(&self.bytes),
        };
        write!(out, "{}:{value}", self.algorithm.as_str())
    }
}

/// The digest of bytes, ready to be written.
#[must_use]
pub fn declare(algorithm: Algorithm, bytes: &[u8]) -> Declared {
    Declared {
        algorithm,
        bytes: algorithm.digest(bytes),
    }
}

/// Which bytes of a response a payload digest means. Tools disagree; the standard says the entity
/// body, which leaves transfer codings open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The body as it came over the wire, chunks and compression included.
    Wire,
    /// The body with its chunks joined, still compressed.
    Entity,
    /// The decoded document.
    Decoded,
}

impl Meaning {
    /// The word used in metadata.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wire => "wire",
            Self::Entity => "entity",
            Self::Decoded => "decoded",
        }
    }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// RFC 4648 Base32 without padding.
#[must_use]
pub fn to_base32(bytes: &[u8]) -> String {
    let mut spelled = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0u32, 0);
    for &byte in bytes {
        held = held << 8 | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            spelled.push(char::from(BASE32[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        spelled.push(char::from(BASE32[(held << (5 - bits) & 31) as usize]));
    }
    spelled
}

/// Bytes of RFC 4648 Base32 of either case, padded or not; `None` for anything else.
#[must_use]
pub fn from_base32(spelled: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(spelled.len() * 5 / 8);
    let (mut held, mut bits) = (0u32, 0);
    for digit in spelled.trim_end_matches('=').bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a',
            b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        held = held << 5 | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
        held &= (1 << bits) - 1;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_round_trips_and_matches_the_published_vectors() {
        for (bytes, spelled) in [
            (&b""[..], ""),
            (b"f", "MY"),
            (b"fo", "MZXQ"),
            (b"foo", "MZXW6"),
            (b"foob", "MZXW6YQ"),
            (b"fooba", "MZXW6YTB"),
            (b"foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(to_base32(bytes), spelled);
            assert_eq!(from_base32(spelled).as_deref(), Some(bytes));
            assert_eq!(from_base32(&spelled.to_lowercase()).as_deref(), Some(bytes));
        }
        assert_eq!(from_base32("MZ1"), None);
    }

    #[test]
    fn both_spellings_are_read() {
        let empty = declare(Algorithm::Sha1, b"");
        assert_eq!(empty.to_string(), "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ");
        for spelled in [
            "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "SHA-1: da39a3ee5e6b4b0d3255bfef95601890afd80709",
        ] {
            assert_eq!(Declared::parse(spelled).as_ref(), Some(&empty));
        }
        let sha256 = declare(Algorithm::Sha256, b"x");
        assert!(Declared::parse(&sha256.to_string()).unwrap().fits(b"x"));
        assert!(!sha256.fits(b"y"));
        for bad in [
            "",
            "sha1:",
            "sha1:abc",
            "crc32:00000000",
            "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBY!",
        ] {
            assert_eq!(Declared::parse(bad), None, "{bad}");
        }
    }
}
