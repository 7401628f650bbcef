//! Digest algorithms by name, and HMAC over them.

use std::fmt;
use std::str::FromStr;

use super::RecipeError;

/// Most bytes any operation of a chain may yield: 64 digest bytes in hex.
pub(super) const MAX_OUTPUT: usize = 128;

/// A digest algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are the algorithms' own names")]
pub enum Algorithm {
    Sha256,
    Md5,
    Sha1,
    Sha224,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
    Keccak256,
    Keccak512,
    Blake2b128,
    Blake2b160,
    Blake2b256,
    Blake2b384,
    Blake2b512,
    Blake2s128,
    Blake2s256,
    Blake3,
}

impl Algorithm {
    /// Every algorithm, the most common first.
    pub const ALL: [Self; 22] = [
        Self::Sha256,
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha384,
        Self::Sha512,
        Self::Sha512_224,
        Self::Sha512_256,
        Self::Sha3_224,
        Self::Sha3_256,
        Self::Sha3_384,
        Self::Sha3_512,
        Self::Keccak256,
        Self::Keccak512,
        Self::Blake2b128,
        Self::Blake2b160,
        Self::Blake2b256,
        Self::Blake2b384,
        Self::Blake2b512,
        Self::Blake2s128,
        Self::Blake2s256,
        Self::Blake3,
    ];

    /// The name used in recipes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Md5 => "md5",
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
            Self::Sha512_224 => "sha-512/224",
            Self::Sha512_256 => "sha-512/256",
            Self::Sha3_224 => "sha3-224",
            Self::Sha3_256 => "sha3-256",
            Self::Sha3_384 => "sha3-384",
            Self::Sha3_512 => "sha3-512",
            Self::Keccak256 => "keccak-256",
            Self::Keccak512 => "keccak-512",
            Self::Blake2b128 => "blake2b-128",
            Self::Blake2b160 => "blake2b-160",
            Self::Blake2b256 => "blake2b-256",
            Self::Blake2b384 => "blake2b-384",
            Self::Blake2b512 => "blake2b-512",
            Self::Blake2s128 => "blake2s-128",
            Self::Blake2s256 => "blake2s-256",
            Self::Blake3 => "blake3",
        }
    }

    /// The prefix of a Subresource Integrity token, for the three algorithms that have one.
    #[must_use]
    pub fn integrity_prefix(self) -> Option<&'static str> {
        match self {
            Self::Sha256 => Some("sha256-"),
            Self::Sha384 => Some("sha384-"),
            Self::Sha512 => Some("sha512-"),
            _ => None,
        }
    }

    /// Digest length in bytes.
    #[must_use]
    pub fn output_len(self) -> usize {
        match self {
            Self::Md5 | Self::Blake2b128 | Self::Blake2s128 => 16,
            Self::Sha1 | Self::Blake2b160 => 20,
            Self::Sha224 | Self::Sha512_224 | Self::Sha3_224 => 28,
            Self::Sha256
            | Self::Sha512_256
            | Self::Sha3_256
            | Self::Keccak256
            | Self::Blake2b256
            | Self::Blake2s256
            | Self::Blake3 => 32,
            Self::Sha384 | Self::Sha3_384 | Self::Blake2b384 => 48,
            Self::Sha512 | Self::Sha3_512 | Self::Keccak512 | Self::Blake2b512 => 64,
        }
    }

    /// Block length in bytes, which HMAC pads its key to.
    fn block_len(self) -> usize {
        match self {
            Self::Md5
            | Self::Sha1
            | Self::Sha224
            | Self::Sha256
            | Self::Blake2s128
            | Self::Blake2s256
            | Self::Blake3 => 64,
            Self::Sha384
            | Self::Sha512
            | Self::Sha512_224
            | Self::Sha512_256
            | Self::Blake2b128
            | Self::Blake2b160
            | Self::Blake2b256
            | Self::Blake2b384
            | Self::Blake2b512 => 128,
            Self::Sha3_224 => 144,
            Self::Sha3_256 | Self::Keccak256 => 136,
            Self::Sha3_384 => 104,
            Self::Sha3_512 | Self::Keccak512 => 72,
        }
    }

    /// The digest of `message`.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Output {
        fn of<D: sha2::Digest>(message: &[u8]) -> Output {
            Output::new(&D::digest(message))
        }
        use blake2::digest::consts::{U16, U20, U32, U48};
        match self {
            Self::Sha256 => of::<sha2::Sha256>(message),
            Self::Md5 => of::<md5::Md5>(message),
            Self::Sha1 => of::<sha1::Sha1>(message),
            Self::Sha224 => of::<sha2::Sha224>(message),
            Self::Sha384 => of::<sha2::Sha384>(message),
            Self::Sha512 => of::<sha2::Sha512>(message),
            Self::Sha512_224 => of::<sha2::Sha512_224>(message),
            Self::Sha512_256 => of::<sha2::Sha512_256>(message),
            Self::Sha3_224 => of::<sha3::Sha3_224>(message),
            Self::Sha3_256 => of::<sha3::Sha3_256>(message),
            Self::Sha3_384 => of::<sha3::Sha3_384>(message),
            Self::Sha3_512 => of::<sha3::Sha3_512>(message),
            Self::Keccak256 => of::<sha3::Keccak256>(message),
            Self::Keccak512 => of::<sha3::Keccak512>(message),
            Self::Blake2b128 => of::<blake2::Blake2b<U16>>(message),
            Self::Blake2b160 => of::<blake2::Blake2b<U20>>(message),
            Self::Blake2b256 => of::<blake2::Blake2b<U32>>(message),
            Self::Blake2b384 => of::<blake2::Blake2b<U48>>(message),
            Self::Blake2b512 => of::<blake2::Blake2b512>(message),
            Self::Blake2s128 => of::<blake2::Blake2s<U16>>(message),
            Self::Blake2s256 => of::<blake2::Blake2s256>(message),
            Self::Blake3 => Output::new(blake3::hash(message).as_bytes()),
        }
    }

    /// HMAC (RFC 2104) of `message` under `key`.
    #[must_use]
    pub fn hmac(self, key: &[u8], message: &[u8]) -> Output {
        let block = self.block_len();
        let shortened;
        let key = if key.len() > block {
            shortened = self.digest(key);
            shortened.as_bytes()
        } else {
            key
        };
        let padded = |pad: u8| (0..block).map(move |at| key.get(at).copied().unwrap_or(0) ^ pad);
        let inner: Vec<u8> = padded(0x36).chain(message.iter().copied()).collect();
        let inner = self.digest(&inner);
        let outer: Vec<u8> = padded(0x5c).chain(inner.as_bytes().iter().copied()).collect();
        self.digest(&outer)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = RecipeError;

    fn from_str(name: &str) -> Result<Self, RecipeError> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or_else(|| RecipeError::UnknownDigest(name.to_owned()))
    }
}

/// What an operation of a chain yields: at most [`MAX_OUTPUT`] bytes, kept on the stack.
#[derive(Clone, Copy)]
pub struct Output {
    bytes: [u8; MAX_OUTPUT],
    len: usize,
}

impl Output {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut output = Self {
            bytes: [0; MAX_OUTPUT],
            len: bytes.len().min(MAX_OUTPUT),
        };
        output.bytes[..output.len].copy_from_slice(&bytes[..output.len]);
        output
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests;
