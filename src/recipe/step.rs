//! The steps of a recipe: small functions from text to text, each with a name.

mod tags;

use std::fmt::{self, Write as _};
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization as _;

use super::RecipeError;
use super::algorithm::Algorithm;
use super::markup::{self, Piece};
use tags::{edit_tags, empty_values, filtered, fits, reordered, serialized, spaced, without};

/// One step from text to text. Steps that speak of tags read the text as a fragment of HTML; on
/// text without tags they change nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The attribute of the declared hash leaves every start tag, with the white space before it.
    DropHash,
    /// The value of the declared hash becomes `""` in every start tag.
    EmptyHash,
    /// Every attribute leaves the first start tag.
    DropOwnAttributes,
    /// Attributes leave every start tag: all of them, or one name, or all names with a prefix
    /// (`data-*`).
    DropAttributes(Option<Box<str>>),
    /// Attributes stand in alphabetical order of their names, one space before each.
    SortAttributes,
    /// Attributes stand in reverse order, one space before each.
    ReverseAttributes,
    /// Comments leave.
    DropComments,
    /// Tags as a browser prints them: names in lower case, values in double quotes, `<br>`; text
    /// with `&amp;`, `&lt;`, `&gt;`, `&nbsp;`.
    Serialize,
    /// The same with `<br/>`.
    SerializeXhtml,
    /// The same with `<br />`.
    SerializeXhtmlSpace,
    /// Each `br` becomes a line feed.
    BreakLines,
    /// Tags and comments become nothing.
    StripTags,
    /// Each tag becomes a space; comments become nothing.
    SpaceTags,
    /// Character references become their characters.
    ResolveReferences,
    /// `&`, `<` and `>` become references.
    Escape,
    /// `&`, `<`, `>` and `"` become references.
    EscapeQuotes,
    /// Each run of TAB LF FF CR SPACE U+00A0 becomes one space.
    CollapseWhiteSpace,
    /// Each run of Unicode `White_Space` becomes one space.
    CollapseUnicodeSpace,
    /// TAB LF FF CR SPACE U+00A0 leave both ends.
    Trim,
    /// Unicode `White_Space` leaves both ends.
    TrimUnicode,
    /// Every line is trimmed, empty lines leave, LF between.
    TrimLines,
    /// CR and LF leave.
    DropLineBreaks,
    /// CR LF and CR become LF.
    UnixLineBreaks,
    /// Unicode `White_Space` leaves everywhere.
    DropWhiteSpace,
    /// SPACE leaves everywhere, nothing else.
    DropSpaces,
    /// U+00A0 becomes a space.
    NbspToSpace,
    /// Zero-width characters, soft hyphens, bidi controls and variation selectors leave.
    DropInvisible,
    /// Unicode normalisation form C.
    Nfc,
    /// Unicode normalisation form D.
    Nfd,
    /// Unicode normalisation form KC.
    Nfkc,
    /// Unicode normalisation form KD.
    Nfkd,
    /// Lower case.
    LowerCase,
    /// Upper case.
    UpperCase,
    /// Typographic quotation marks become `"` and `'`.
    FoldQuotes,
    /// Everything but letters, digits and white space leaves.
    DropPunctuation,
    /// Everything but letters and digits leaves.
    LettersDigits,
    /// The code points in reverse order.
    Reverse,
    /// The text as a JSON string, quotation marks included.
    Json,
    /// The same with everything beyond ASCII as `\u` escapes.
    JsonAscii,
    /// Percent-encoding of everything but letters, digits and `-_.~`.
    PercentEncode,
    /// Base64 of the UTF-8.
    Base64,
    /// The first so many code points.
    First(u32),
    /// Lower-case hex of a digest of the UTF-8.
    HexOf(Algorithm),
}

/// Every step without an operand, with its name.
const NAMES: [(Step, &str); 41] = [
    (Step::DropHash, "drop-hash"),
    (Step::EmptyHash, "empty-hash"),
    (Step::DropOwnAttributes, "drop-own-attributes"),
    (Step::DropAttributes(None), "drop-attributes"),
    (Step::SortAttributes, "sort-attributes"),
    (Step::ReverseAttributes, "reverse-attributes"),
    (Step::DropComments, "drop-comments"),
    (Step::Serialize, "serialize"),
    (Step::SerializeXhtml, "serialize-xhtml"),
    (Step::SerializeXhtmlSpace, "serialize-xhtml-space"),
    (Step::BreakLines, "break-lines"),
    (Step::StripTags, "strip-tags"),
    (Step::SpaceTags, "space-tags"),
    (Step::ResolveReferences, "resolve-references"),
    (Step::Escape, "escape"),
    (Step::EscapeQuotes, "escape-quotes"),
    (Step::CollapseWhiteSpace, "collapse-white-space"),
    (Step::CollapseUnicodeSpace, "collapse-unicode-space"),
    (Step::Trim, "trim"),
    (Step::TrimUnicode, "trim-unicode"),
    (Step::TrimLines, "trim-lines"),
    (Step::DropLineBreaks, "drop-line-breaks"),
    (Step::UnixLineBreaks, "unix-line-breaks"),
    (Step::DropWhiteSpace, "drop-white-space"),
    (Step::DropSpaces, "drop-spaces"),
    (Step::NbspToSpace, "nbsp-to-space"),
    (Step::DropInvisible, "drop-invisible"),
    (Step::Nfc, "nfc"),
    (Step::Nfd, "nfd"),
    (Step::Nfkc, "nfkc"),
    (Step::Nfkd, "nfkd"),
    (Step::LowerCase, "lower-case"),
    (Step::UpperCase, "upper-case"),
    (Step::FoldQuotes, "fold-quotes"),
    (Step::DropPunctuation, "drop-punctuation"),
    (Step::LettersDigits, "letters-digits"),
    (Step::Reverse, "reverse"),
    (Step::Json, "json"),
    (Step::JsonAscii, "json-ascii"),
    (Step::PercentEncode, "percent-encode"),
    (Step::Base64, "base64"),
];

/// What `percent-encode` escapes: everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

impl Step {
    /// Every step without an operand.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(step, _)| step.clone())
    }

    /// The text after this step. `attribute` is the name of the declared hash's attribute, in lower
    /// case.
    #[must_use]
    pub fn apply(&self, text: &str, attribute: &str) -> String {
        match self {
            Self::DropHash => edit_tags(text, |source, tag, _, out| {
                without(source, tag, out, |name| name.eq_ignore_ascii_case(attribute));
            }),
            Self::EmptyHash => edit_tags(text, |source, tag, _, out| {
                empty_values(source, tag, out, attribute);
            }),
            Self::DropOwnAttributes => edit_tags(text, |source, tag, first, out| {
                without(source, tag, out, |_| first);
            }),
            Self::DropAttributes(pattern) => edit_tags(text, |source, tag, _, out| {
                without(source, tag, out, |name| {
                    pattern.as_deref().is_none_or(|pattern| fits(pattern, name))
                });
            }),
            Self::SortAttributes => reordered(text, |source, tag| {
                tag.attributes
                    .sort_by_key(|attribute| source[attribute.name.clone()].to_ascii_lowercase());
            }),
            Self::ReverseAttributes => reordered(text, |_, tag| tag.attributes.reverse()),
            Self::DropComments => filtered(text, |piece| !matches!(piece, Piece::Comment(_))),
            Self::Serialize => serialized(text, ">"),
            Self::SerializeXhtml => serialized(text, "/>"),
            Self::SerializeXhtmlSpace => serialized(text, " />"),
            Self::BreakLines => edit_tags(text, |source, tag, _, out| {
                let is_break = source[tag.name.clone()].eq_ignore_ascii_case("br");
                out.push_str(if is_break { "\n" } else { source });
            }),
            Self::StripTags => filtered(text, |piece| matches!(piece, Piece::Text(_) | Piece::Raw(_))),
            Self::SpaceTags => spaced(text),
            Self::ResolveReferences => markup::resolve(text),
            Self::Escape => markup::escape(text, false, true, false),
            Self::EscapeQuotes => markup::escape(text, true, true, false),
            Self::CollapseWhiteSpace => collapsed(text, is_text_space),
            Self::CollapseUnicodeSpace => collapsed(text, char::is_whitespace),
            Self::Trim => text.trim_matches(is_text_space).to_owned(),
            Self::TrimUnicode => text.trim().to_owned(),
            Self::TrimLines => text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect::<Vec<_>>()
                .join("\n"),
            Self::DropLineBreaks => text.replace(['\r', '\n'], ""),
            Self::UnixLineBreaks => text.replace("\r\n", "\n").replace('\r', "\n"),
            Self::DropWhiteSpace => text.chars().filter(|c| !c.is_whitespace()).collect(),
            Self::DropSpaces => text.replace(' ', ""),
            Self::NbspToSpace => text.replace('\u{a0}', " "),
            Self::DropInvisible => text.chars().filter(|&c| !is_invisible(c)).collect(),
            Self::Nfc => text.nfc().collect(),
            Self::Nfd => text.nfd().collect(),
            Self::Nfkc => text.nfkc().collect(),
            Self::Nfkd => text.nfkd().collect(),
            Self::LowerCase => text.to_lowercase(),
            Self::UpperCase => text.to_uppercase(),
            Self::FoldQuotes => text.chars().map(plain_quote).collect(),
            Self::DropPunctuation => text
                .chars()
                .filter(|c| c.is_alphanumeric() || c.is_whitespace())
                .collect(),
            Self::LettersDigits => text.chars().filter(|c| c.is_alphanumeric()).collect(),
            Self::Reverse => text.chars().rev().collect(),
            Self::Json => json(text),
            Self::JsonAscii => json_ascii(text),
            Self::PercentEncode => utf8_percent_encode(text, RESERVED).to_string(),
            Self::Base64 => {
                use base64::Engine as _;
                base64::engine::general_purpose::STANDARD.encode(text)
            }
            Self::First(count) => text.chars().take(*count as usize).collect(),
            Self::HexOf(algorithm) => crate::digest::to_hex(algorithm.digest(text.as_bytes()).as_bytes()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DropAttributes(Some(pattern)) => write!(out, "drop-attributes {pattern}"),
            Self::First(count) => write!(out, "first {count}"),
            Self::HexOf(algorithm) => write!(out, "hex-of {algorithm}"),
            plain => {
                let name = NAMES.iter().find(|(step, _)| step == plain);
                out.write_str(name.map_or("", |(_, name)| name))
            }
        }
    }
}

impl FromStr for Step {
    type Err = RecipeError;

    fn from_str(spelled: &str) -> Result<Self, RecipeError> {
        let unknown = || RecipeError::UnknownStep(spelled.to_owned());
        match spelled.split_once(' ') {
            None => {
                let known = NAMES.iter().find(|(_, name)| *name == spelled);
                known.map(|(step, _)| step.clone()).ok_or_else(unknown)
            }
            Some(("drop-attributes", pattern)) => {
                let pattern = pattern.trim().to_ascii_lowercase();
                let stem = pattern.strip_suffix('*').unwrap_or(&pattern);
                if pattern.is_empty() || stem.contains(['*', ' ', '=', '>', '"', '\'']) {
                    return Err(unknown());
                }
                Ok(Self::DropAttributes(Some(pattern.into())))
            }
            Some(("first", count)) => count.parse().map(Self::First).map_err(|_| unknown()),
            Some(("hex-of", algorithm)) => algorithm.parse().map(Self::HexOf),
            Some(_) => Err(unknown()),
        }
    }
}

/// White space by `text-v1`.
pub(crate) fn is_text_space(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\x0c' | '\r' | ' ' | '\u{a0}')
}

fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

fn plain_quote(character: char) -> char {
    match character {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '＂' => '"',
        '‘' | '’' | '‚' | '‛' | '‹' | '›' | '′' | '＇' | '`' | '´' => '\'',
        other => other,
    }
}

fn collapsed(text: &str, is_space: impl Fn(char) -> bool) -> String {
    let mut collapsed = String::with_capacity(text.len());
    let mut in_run = false;
    for character in text.chars() {
        let space = is_space(character);
        if !space {
            collapsed.push(character);
        } else if !in_run {
            collapsed.push(' ');
        }
        in_run = space;
    }
    collapsed
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn json_ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for character in json(text).chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

#[cfg(test)]
mod tests;
