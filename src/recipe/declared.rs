//! How a digest is written: the spelling of a recipe, and the reading of a declared hash.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::RecipeError;
use super::algorithm::Algorithm;

/// Shortest digest, in bytes, that a declared hash may stand for: shorter ones match by chance.
pub const MIN_DIGEST: usize = 8;

/// Longest digest in bytes.
pub const MAX_DIGEST: usize = 64;

/// How the digest is spelled in the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Spelling {
    /// Lower-case hex.
    #[default]
    Hex,
    /// Upper-case hex.
    UpperHex,
    /// Base64 with padding.
    Base64,
    /// Base64 with `-` and `_`, without padding.
    Base64Url,
    /// Subresource Integrity: `sha256-`, `sha384-` or `sha512-` and base64 with padding.
    Integrity,
}

impl Spelling {
    /// Every spelling.
    pub const ALL: [Self; 5] = [
        Self::Hex,
        Self::UpperHex,
        Self::Base64,
        Self::Base64Url,
        Self::Integrity,
    ];

    /// The name used in recipes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::UpperHex => "upper-hex",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Integrity => "integrity",
        }
    }

    /// The digest as it stands in the attribute. `algorithm` is needed by `integrity` alone; without
    /// one that has a prefix the bare base64 comes out.
    #[must_use]
    pub fn spell(self, digest: &[u8], algorithm: Option<Algorithm>) -> String {
        match self {
            Self::Hex => crate::digest::to_hex(digest),
            Self::UpperHex => crate::digest::to_hex(digest).to_uppercase(),
            Self::Base64 => STANDARD.encode(digest),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(digest),
            Self::Integrity => {
                let prefix = algorithm
                    .and_then(Algorithm::integrity_prefix)
                    .unwrap_or_default();
                format!("{prefix}{}", STANDARD.encode(digest))
            }
        }
    }
}

impl fmt::Display for Spelling {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Spelling {
    type Err = RecipeError;

    fn from_str(name: &str) -> Result<Self, RecipeError> {
        Self::ALL
            .into_iter()
            .find(|spelling| spelling.as_str() == name)
            .ok_or_else(|| RecipeError::UnknownSpelling(name.to_owned()))
    }
}

/// A declared hash that could be read as a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Declared {
    /// The digest, 8 to 64 bytes.
    pub digest: Vec<u8>,
    /// How it is written.
    pub spelling: Spelling,
    /// The algorithm, where the spelling names it.
    pub algorithm: Option<Algorithm>,
}

impl Declared {
    /// Reads the value of the attribute; white space around it is ignored, and of several integrity
    /// tokens the first counts. `None` if it is no digest in any known spelling.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let value = value.trim_ascii();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            let prefix = algorithm.integrity_prefix().unwrap_or_default();
            if let Some(rest) = value.strip_prefix(prefix) {
                let token = rest.split([' ', '\t', '\n', '?']).next().unwrap_or_default();
                let digest = base64(token)?;
                return (digest.len() == algorithm.output_len()).then_some(Self {
                    digest,
                    spelling: Spelling::Integrity,
                    algorithm: Some(algorithm),
                });
            }
        }
        let (digest, spelling) = if value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let upper = value.bytes().any(|byte| byte.is_ascii_uppercase());
            let spelling = if upper { Spelling::UpperHex } else { Spelling::Hex };
            (crate::digest::from_hex(value).ok()?, spelling)
        } else {
            let url = value.contains(['-', '_']) || !value.len().is_multiple_of(4);
            let spelling = if url {
                Spelling::Base64Url
            } else {
                Spelling::Base64
            };
            let digest = base64(value)?;
            // Base64 reads many words; only lengths that digests have are taken for one.
            Algorithm::ALL
                .iter()
                .any(|algorithm| algorithm.output_len() == digest.len())
                .then_some((digest, spelling))?
        };
        (MIN_DIGEST..=MAX_DIGEST).contains(&digest.len()).then_some(Self {
            digest,
            spelling,
            algorithm: None,
        })
    }

    /// Whether the value is 64 hex digits, the form of a content hash.
    #[must_use]
    pub fn is_content_hash(value: &str) -> bool {
        value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

fn base64(value: &str) -> Option<Vec<u8>> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_reads_back() {
        for algorithm in Algorithm::ALL {
            let digest = algorithm.digest(b"pressmark");
            for spelling in Spelling::ALL {
                if spelling == Spelling::Integrity && algorithm.integrity_prefix().is_none() {
                    continue;
                }
                let spelled = spelling.spell(digest.as_bytes(), Some(algorithm));
                let read = Declared::read(&spelled).unwrap();
                assert_eq!(read.digest, digest.as_bytes(), "{spelled}");
            }
        }
    }

    #[test]
    fn what_is_no_digest_is_not_read() {
        for value in [
            "",
            "abc",
            "none",
            "zz",
            "sha256-",
            "sha256-AAAA",
            "한국어",
            "a b c d",
        ] {
            assert_eq!(Declared::read(value), None, "{value}");
        }
        assert_eq!(Declared::read(&"a".repeat(130)), None);
        assert!(Declared::read(&" 0a".repeat(32)).is_none());
        assert!(Declared::read(&format!(" {} ", "0a".repeat(32))).is_some());
    }
}
