//! A recipe as data, and its TOML.

use serde::{Deserialize, Serialize};

use super::RecipeError;
use super::chain::Chain;
use super::declared::Spelling;
use super::encoding::Encoding;
use super::message::{Field, Template};
use super::scope::Scope;
use super::step::Step;
use crate::digest::{Hash, sha256};

/// Most steps a recipe may have.
pub const MAX_STEPS: usize = 32;

/// Largest recipe file in bytes.
pub const MAX_RECIPE_FILE: usize = 1 << 20;

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
mod tests;
