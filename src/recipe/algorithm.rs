//! Digest algorithms by name, HMAC over them, and chains such as `sha-256 hex sha-256`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::RecipeError;

/// Most operations a digest chain may have.
pub const MAX_CHAIN: usize = 8;

/// Most bytes any operation of a chain may yield: 64 digest bytes in hex.
const MAX_OUTPUT: usize = 128;

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
    fn new(bytes: &[u8]) -> Self {
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

/// One operation of a digest chain: bytes in, bytes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// A digest; the first one of a chain is keyed when the recipe has a key.
    Digest(Algorithm),
    /// Lower-case hex of what came before.
    Hex,
    /// Upper-case hex of what came before.
    UpperHex,
    /// Base64 of what came before, with padding.
    Base64,
    /// The first so many bytes of what came before.
    Take(u8),
    /// The last so many bytes of what came before.
    TakeLast(u8),
}

impl Operation {
    /// Runs the operation on what came before it.
    #[must_use]
    pub fn run(self, input: &[u8]) -> Output {
        match self {
            Self::Digest(algorithm) => algorithm.digest(input),
            Self::Hex => Output::new(crate::digest::to_hex(input).as_bytes()),
            Self::UpperHex => Output::new(crate::digest::to_hex(input).to_uppercase().as_bytes()),
            Self::Base64 => Output::new(STANDARD.encode(input).as_bytes()),
            Self::Take(count) => Output::new(input.get(..usize::from(count)).unwrap_or(input)),
            Self::TakeLast(count) => {
                let from = input.len().saturating_sub(usize::from(count));
                Output::new(input.get(from..).unwrap_or(input))
            }
        }
    }

    fn output_len(self, input: usize) -> usize {
        match self {
            Self::Digest(algorithm) => algorithm.output_len(),
            Self::Hex | Self::UpperHex => input * 2,
            Self::Base64 => input.div_ceil(3) * 4,
            Self::Take(count) | Self::TakeLast(count) => usize::from(count).min(input),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(algorithm) => out.write_str(algorithm.as_str()),
            Self::Hex => out.write_str("hex"),
            Self::UpperHex => out.write_str("upper-hex"),
            Self::Base64 => out.write_str("base64"),
            Self::Take(count) => write!(out, "take {count}"),
            Self::TakeLast(count) => write!(out, "take-last {count}"),
        }
    }
}

impl FromStr for Operation {
    type Err = RecipeError;

    fn from_str(spelled: &str) -> Result<Self, RecipeError> {
        match spelled {
            "hex" => Ok(Self::Hex),
            "upper-hex" => Ok(Self::UpperHex),
            "base64" => Ok(Self::Base64),
            _ => {
                let count = |count: &str| {
                    let count = count.parse().ok().filter(|&count| count > 0);
                    count.ok_or_else(|| RecipeError::UnknownDigest(spelled.to_owned()))
                };
                match spelled.split_once(' ') {
                    Some(("take", bytes)) => count(bytes).map(Self::Take),
                    Some(("take-last", bytes)) => count(bytes).map(Self::TakeLast),
                    _ => spelled.parse().map(Self::Digest),
                }
            }
        }
    }
}

/// Operations run one after the other on the message; the first is always a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chain(Vec<Operation>);

impl Chain {
    /// A chain of these operations. It must open with a digest, be no longer than [`MAX_CHAIN`], and
    /// no operation may yield more than 128 bytes.
    pub fn new(operations: Vec<Operation>) -> Result<Self, RecipeError> {
        if !matches!(operations.first(), Some(Operation::Digest(_))) {
            return Err(RecipeError::Chain("it must open with a digest algorithm"));
        }
        if operations.len() > MAX_CHAIN {
            return Err(RecipeError::Chain("it has more than 8 operations"));
        }
        let mut len = 0;
        for operation in &operations {
            len = operation.output_len(len);
            if len > MAX_OUTPUT {
                return Err(RecipeError::Chain("an operation yields more than 128 bytes"));
            }
        }
        Ok(Self(operations))
    }

    /// The chain of one digest.
    #[must_use]
    pub fn single(algorithm: Algorithm) -> Self {
        Self(vec![Operation::Digest(algorithm)])
    }

    /// The operations in order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.0
    }

    /// Length of the result in bytes.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.0.iter().fold(0, |len, operation| operation.output_len(len))
    }

    /// The algorithm, where the chain is nothing but one.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self.0.as_slice() {
            [Operation::Digest(algorithm)] => Some(*algorithm),
            _ => None,
        }
    }

    /// Runs the chain on `message`; with a key its first digest is an HMAC.
    #[must_use]
    pub fn run(&self, key: Option<&[u8]>, message: &[u8]) -> Output {
        let mut operations = self.0.iter();
        let first = match (operations.next(), key) {
            (Some(Operation::Digest(algorithm)), Some(key)) => algorithm.hmac(key, message),
            (Some(operation), _) => operation.run(message),
            (None, _) => Output::new(&[]),
        };
        operations.fold(first, |so_far, operation| operation.run(so_far.as_bytes()))
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, operation) in self.0.iter().enumerate() {
            if at > 0 {
                out.write_str(", ")?;
            }
            write!(out, "{operation}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::to_hex;

    #[test]
    fn digests_of_abc_are_the_published_ones() {
        for (algorithm, hex) in [
            (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                Algorithm::Sha224,
                "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
            ),
            (
                Algorithm::Sha256,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                Algorithm::Sha512_256,
                "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
            ),
            (
                Algorithm::Sha3_256,
                "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
            ),
            (
                Algorithm::Keccak256,
                "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
            ),
            (
                Algorithm::Blake2s256,
                "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
            ),
            (
                Algorithm::Blake3,
                "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
            ),
        ] {
            assert_eq!(to_hex(algorithm.digest(b"abc").as_bytes()), hex, "{algorithm}");
        }
    }

    #[test]
    fn lengths_and_names_agree_with_the_digests() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.digest(b"").as_bytes().len(), algorithm.output_len());
            assert_eq!(algorithm.as_str().parse::<Algorithm>().unwrap(), algorithm);
        }
    }

    #[test]
    fn hmac_gives_the_vectors_of_rfc_4231_and_2202() {
        let hex = |output: Output| to_hex(output.as_bytes());
        assert_eq!(
            hex(Algorithm::Sha256.hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(Algorithm::Md5.hmac(b"Jefe", b"what do ya want for nothing?")),
            "750c783e6ab0b503eaa86e310a5db738"
        );
        assert_eq!(
            hex(Algorithm::Sha256.hmac(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn chains_are_checked_when_made() {
        let chain = |spelled: &[&str]| Chain::new(spelled.iter().map(|one| one.parse().unwrap()).collect());
        assert_eq!(chain(&["sha-512", "take 32"]).unwrap().output_len(), 32);
        assert_eq!(chain(&["sha-256", "hex", "sha-1"]).unwrap().output_len(), 20);
        assert!(chain(&["hex", "sha-256"]).is_err());
        assert!(chain(&[]).is_err());
        assert!(chain(&["sha-512", "hex", "hex"]).is_err());
        let run = |spelled: &[&str]| to_hex(chain(spelled).unwrap().run(None, b"abc").as_bytes());
        let whole = run(&["sha-512"]);
        assert_eq!(run(&["sha-512", "take 32"]), whole[..64]);
        assert_eq!(run(&["sha-512", "take-last 32"]), whole[64..]);
        assert!("take 0".parse::<Operation>().is_err());
        assert!("sha-257".parse::<Operation>().is_err());
    }
}
