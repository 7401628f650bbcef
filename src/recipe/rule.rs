//! A recipe as data, and its TOML.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::RecipeError;
use super::algorithm::Chain;
use super::declared::Spelling;
use super::message::{Field, Template};
use super::step::Step;
use crate::digest::{Hash, sha256};

/// Most steps a recipe may have.
pub const MAX_STEPS: usize = 32;

/// Largest recipe file in bytes.
pub const MAX_RECIPE_FILE: usize = 1 << 20;

/// Which part of a block a recipe starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The block's characters, references resolved, nothing collapsed; `br` and boundaries are one
    /// space.
    Text,
    /// The same, `br` and boundaries being a line feed.
    TextLines,
    /// The same, `br` and boundaries being nothing (the DOM's `textContent`).
    TextJoined,
    /// The source between start tag and end tag, as written.
    InnerHtml,
    /// The source of the element, tags included, as written.
    OuterHtml,
    /// The canonical form, `form-v1`.
    Form,
    /// The address of the block's first image: `data-org-src`, else `data-src`, else `src`.
    Image,
    /// The `src` of the block's first image.
    ImageSource,
    /// The `alt` of the block's first image.
    ImageAlt,
    /// Nothing: the message is made of other values alone. Such a recipe proves nothing about a
    /// block's text.
    Nothing,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 10] = [
        Self::Text,
        Self::TextLines,
        Self::TextJoined,
        Self::InnerHtml,
        Self::OuterHtml,
        Self::Form,
        Self::Image,
        Self::ImageSource,
        Self::ImageAlt,
        Self::Nothing,
    ];

    /// The name used in recipes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::TextLines => "text-lines",
            Self::TextJoined => "text-joined",
            Self::InnerHtml => "inner-html",
            Self::OuterHtml => "outer-html",
            Self::Form => "form",
            Self::Image => "image",
            Self::ImageSource => "image-source",
            Self::ImageAlt => "image-alt",
            Self::Nothing => "nothing",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = RecipeError;

    fn from_str(name: &str) -> Result<Self, RecipeError> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == name)
            .ok_or_else(|| RecipeError::UnknownScope(name.to_owned()))
    }
}

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

/// A named, versioned rule: which bytes of a block are digested, after which steps, with which
/// digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Recipe {
    /// Name without the version.
    pub name: String,
    /// Version; a published recipe never changes, a better one gets the next version.
    pub version: u32,
    /// One sentence for people; no part of the rule.
    pub note: String,
    /// What the content starts from.
    pub scope: Scope,
    /// Steps from the scope to the content, in order.
    pub steps: Vec<Step>,
    /// What is digested: the content, with other values around it.
    pub message: Template,
    /// How the message, and the key, become bytes.
    pub encoding: Encoding,
    /// The key, where the first digest is an HMAC.
    pub key: Option<Template>,
    /// The digests, one after the other.
    pub digest: Chain,
    /// How the result is written in the attribute.
    pub spelling: Spelling,
}

impl Recipe {
    /// The name with its version, such as `text-v1`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}-v{}", self.name, self.version)
    }

    /// The recipe's own digest: SHA-256 of its rule in TOML, without name, version and note. Two
    /// recipes of equal identity give equal hashes on every page.
    #[must_use]
    pub fn identity(&self) -> Hash {
        sha256(self.rule().as_bytes())
    }

    /// Whether the hash depends on the block's own content.
    #[must_use]
    pub fn reads_content(&self) -> bool {
        let content = Field::Content;
        self.scope != Scope::Nothing
            && (self.message.uses(&content) || self.key.as_ref().is_some_and(|key| key.uses(&content)))
    }

    /// Reads one recipe from TOML. The error names what is wrong in it.
    pub fn from_toml(toml: &str) -> Result<Self, RecipeError> {
        if toml.len() > MAX_RECIPE_FILE {
            return Err(RecipeError::TooLarge);
        }
        let file: RecipeFile = toml::from_str(toml).map_err(|error| RecipeError::Toml(Box::new(error)))?;
        file.try_into()
    }

    /// The recipe as TOML that [`Recipe::from_toml`] reads back to the same recipe.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut lines = vec![
            format!("name = {}", quoted(&self.name)),
            format!("version = {}", self.version),
        ];
        if !self.note.is_empty() {
            lines.push(format!("note = {}", quoted(&self.note)));
        }
        lines.join("\n") + "\n" + &self.rule()
    }

    /// The lines of the TOML that make the rule, every key spelled out.
    fn rule(&self) -> String {
        let steps = self.steps.iter().map(ToString::to_string);
        let operations = self.digest.operations().iter().map(ToString::to_string);
        let mut lines = vec![
            format!("scope = {}", quoted(self.scope.as_str())),
            format!("steps = {}", list(steps)),
            format!("message = {}", quoted(&self.message.to_string())),
            format!("encoding = {}", quoted(self.encoding.as_str())),
        ];
        if let Some(key) = &self.key {
            lines.push(format!("key = {}", quoted(&key.to_string())));
        }
        lines.push(format!("digest = {}", list(operations)));
        lines.push(format!("spelling = {}", quoted(self.spelling.as_str())));
        lines.join("\n") + "\n"
    }

    /// Whether both are the same rule, names left out.
    #[must_use]
    pub(crate) fn is_same_rule(&self, other: &Self) -> bool {
        self.scope == other.scope
            && self.steps == other.steps
            && self.message == other.message
            && self.encoding == other.encoding
            && self.key == other.key
            && self.digest == other.digest
    }
}

/// A TOML array of basic strings.
fn list(items: impl Iterator<Item = String>) -> String {
    format!(
        "[{}]",
        items.map(|item| quoted(&item)).collect::<Vec<_>>().join(", ")
    )
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The TOML of a recipe before its words are understood.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeFile {
    name: String,
    #[serde(default = "first_version")]
    version: u32,
    #[serde(default)]
    note: String,
    scope: String,
    #[serde(default)]
    steps: Vec<String>,
    #[serde(default = "content_alone")]
    message: String,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    digest: OneOrMany,
    #[serde(default)]
    spelling: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::One("sha-256".into())
    }
}

fn first_version() -> u32 {
    1
}

fn content_alone() -> String {
    "{content}".into()
}

impl TryFrom<RecipeFile> for Recipe {
    type Error = RecipeError;

    fn try_from(file: RecipeFile) -> Result<Self, RecipeError> {
        let is_name = !file.name.is_empty()
            && file.name.len() <= 64
            && file
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !is_name {
            return Err(RecipeError::Name(file.name));
        }
        if file.steps.len() > MAX_STEPS {
            return Err(RecipeError::TooManySteps(file.steps.len()));
        }
        let operations = match file.digest {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        };
        let recipe = Self {
            name: file.name,
            version: file.version,
            note: file.note,
            scope: file.scope.parse()?,
            steps: file
                .steps
                .iter()
                .map(|step| step.parse())
                .collect::<Result<_, _>>()?,
            message: file.message.parse()?,
            encoding: file.encoding.as_deref().unwrap_or("utf-8").parse()?,
            key: file.key.map(|key| key.parse()).transpose()?,
            digest: Chain::new(
                operations
                    .iter()
                    .map(|operation| operation.parse())
                    .collect::<Result<_, _>>()?,
            )?,
            spelling: file.spelling.as_deref().unwrap_or("hex").parse()?,
        };
        let prefixed = recipe
            .digest
            .algorithm()
            .is_some_and(|a| a.integrity_prefix().is_some());
        if recipe.spelling == Spelling::Integrity && !prefixed {
            return Err(RecipeError::Chain(
                "spelling \"integrity\" needs exactly one of sha-256, sha-384 and sha-512",
            ));
        }
        Ok(recipe)
    }
}

impl<'de> Deserialize<'de> for Recipe {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let file = RecipeFile::deserialize(from)?;
        file.try_into().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Recipe {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("version", &self.version)?;
        if !self.note.is_empty() {
            map.serialize_entry("note", &self.note)?;
        }
        map.serialize_entry("scope", self.scope.as_str())?;
        let steps: Vec<String> = self.steps.iter().map(ToString::to_string).collect();
        map.serialize_entry("steps", &steps)?;
        map.serialize_entry("message", &self.message.to_string())?;
        map.serialize_entry("encoding", self.encoding.as_str())?;
        if let Some(key) = &self.key {
            map.serialize_entry("key", &key.to_string())?;
        }
        let digest: Vec<String> = self.digest.operations().iter().map(ToString::to_string).collect();
        map.serialize_entry("digest", &digest)?;
        map.serialize_entry("spelling", self.spelling.as_str())?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALTED: &str = r#"
name = "daily-news"
version = 3
scope = "inner-html"
steps = ["resolve-references", "drop-attributes data-*", "trim"]
message = "{attribute:id}|{content}\n"
key = "{page:address}"
digest = ["sha-512", "take 32"]
spelling = "base64"
"#;

    #[test]
    fn toml_reads_back_to_the_same_recipe() {
        let recipe = Recipe::from_toml(SALTED).unwrap();
        assert_eq!(recipe.label(), "daily-news-v3");
        assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
        let through_serde = toml::to_string(&recipe).unwrap();
        assert_eq!(Recipe::from_toml(&through_serde).unwrap(), recipe);
    }

    #[test]
    fn identity_is_the_rule_without_its_name() {
        let recipe = Recipe::from_toml(SALTED).unwrap();
        let mut renamed = recipe.clone();
        renamed.name = "other".into();
        renamed.version = 9;
        renamed.note = "words".into();
        assert_eq!(recipe.identity(), renamed.identity());
        renamed.steps.pop();
        assert_ne!(recipe.identity(), renamed.identity());
    }

    #[test]
    fn errors_say_what_is_wrong() {
        for (toml, word) in [
            ("name = \"a\"\nscope = \"body\"", "body"),
            ("name = \"a\"\nscope = \"text\"\nsteps = [\"squeeze\"]", "squeeze"),
            ("name = \"a\"\nscope = \"text\"\ndigest = \"crc\"", "crc"),
            ("name = \"a\"\nscope = \"text\"\ncolour = 1", "colour"),
            ("name = \"A b\"\nscope = \"text\"", "A b"),
            ("name = \"a\"\nscope = \"text\"\nmessage = \"{pid}\"", "pid"),
            ("name = \"a\"", "scope"),
            (
                "name = \"a\"\nscope = \"text\"\ndigest = \"md5\"\nspelling = \"integrity\"",
                "integrity",
            ),
        ] {
            let error = Recipe::from_toml(toml).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
