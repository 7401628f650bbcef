//! Chains of digests such as `sha-256 hex sha-256`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::RecipeError;
use super::algorithm::{Algorithm, MAX_OUTPUT, Output};

/// Most operations a digest chain may have.
pub const MAX_CHAIN: usize = 8;

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
