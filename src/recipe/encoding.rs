//! How a message becomes bytes.

use std::fmt;
use std::str::FromStr;

use super::RecipeError;

/// How the message becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-8 after a byte order mark.
    Utf8Bom,
    /// UTF-16, little-endian, without a byte order mark.
    Utf16Le,
    /// UTF-16, big-endian, without a byte order mark.
    Utf16Be,
    /// The page's own encoding; characters it lacks as decimal references.
    Page,
    /// EUC-KR with the CP949 extension; characters it lacks as decimal references.
    EucKr,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 6] = [
        Self::Utf8,
        Self::Utf8Bom,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Page,
        Self::EucKr,
    ];

    /// The name used in recipes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf8Bom => "utf-8-bom",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Page => "page",
            Self::EucKr => "euc-kr",
        }
    }

    /// The bytes of `text`; `charset` is the name of the page's encoding.
    #[must_use]
    pub fn encode(self, text: String, charset: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.into_bytes(),
            Self::Utf8Bom => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::EucKr => encoding_rs::EUC_KR.encode(&text).0.into_owned(),
            Self::Page => match charset {
                "UTF-16LE" => Self::Utf16Le.encode(text, charset),
                "UTF-16BE" => Self::Utf16Be.encode(text, charset),
                _ => match encoding_rs::Encoding::for_label(charset.as_bytes()) {
                    Some(encoding) => encoding.encode(&text).0.into_owned(),
                    None => text.into_bytes(),
                },
            },
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Encoding {
    type Err = RecipeError;

    fn from_str(name: &str) -> Result<Self, RecipeError> {
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.as_str() == name)
            .ok_or_else(|| RecipeError::UnknownEncoding(name.to_owned()))
    }
}
