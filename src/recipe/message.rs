//! What is digested around a block's content: a template of literal text and named values.

use std::fmt;
use std::str::FromStr;

use super::RecipeError;

/// Most parts a template may have.
pub const MAX_PARTS: usize = 32;

/// A value of the block, of what encloses it, or of the page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The block's content: its scope after all steps.
    Content,
    /// An attribute of the block's own start tag; empty where it is missing.
    Attribute(Box<str>),
    /// An attribute of the nearest enclosing element that has it; empty where none has.
    Ancestor(Box<str>),
    /// The block's tag name in lower case; empty for a block of kind `text`.
    Tag,
    /// The block's place among the declared blocks of the page, counted from 0.
    Index,
    /// The block's place among the declared blocks of the page, counted from 1.
    Number,
    /// Number of code points of the content.
    Length,
    /// Number of UTF-8 bytes of the content.
    Bytes,
    /// The declared hash of the declared block before this one; empty for the first.
    PreviousHash,
    /// A value of the page.
    Page(PageValue),
}

/// A value of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PageValue {
    /// The address as given.
    Address,
    /// The address's host.
    Host,
    /// The address without scheme, host, query and fragment.
    Path,
    /// What follows the last `/` of the path.
    Slug,
    /// `<title>`.
    Title,
    /// The declared headline.
    Headline,
    /// The byline.
    Byline,
    /// Time of publication as spelled.
    Published,
    /// Time of the last change as spelled.
    Modified,
    /// `rel=canonical` as written.
    Canonical,
    /// The page's language.
    Language,
}

impl PageValue {
    /// Every value.
    pub const ALL: [Self; 11] = [
        Self::Address,
        Self::Host,
        Self::Path,
        Self::Slug,
        Self::Title,
        Self::Headline,
        Self::Byline,
        Self::Published,
        Self::Modified,
        Self::Canonical,
        Self::Language,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Host => "host",
            Self::Path => "path",
            Self::Slug => "slug",
            Self::Title => "title",
            Self::Headline => "headline",
            Self::Byline => "byline",
            Self::Published => "published",
            Self::Modified => "modified",
            Self::Canonical => "canonical",
            Self::Language => "language",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content => out.write_str("content"),
            Self::Attribute(name) => write!(out, "attribute:{name}"),
            Self::Ancestor(name) => write!(out, "ancestor:{name}"),
            Self::Tag => out.write_str("tag"),
            Self::Index => out.write_str("index"),
            Self::Number => out.write_str("number"),
            Self::Length => out.write_str("length"),
            Self::Bytes => out.write_str("bytes"),
            Self::PreviousHash => out.write_str("previous-hash"),
            Self::Page(value) => write!(out, "page:{}", value.as_str()),
        }
    }
}

impl FromStr for Field {
    type Err = RecipeError;

    fn from_str(spelled: &str) -> Result<Self, RecipeError> {
        let unknown = || RecipeError::UnknownField(spelled.to_owned());
        if let Some((group, name)) = spelled.split_once(':') {
            if name.is_empty() || name.contains(char::is_whitespace) {
                return Err(unknown());
            }
            return match group {
                "attribute" => Ok(Self::Attribute(name.to_ascii_lowercase().into())),
                "ancestor" => Ok(Self::Ancestor(name.to_ascii_lowercase().into())),
                "page" => PageValue::ALL
                    .into_iter()
                    .find(|value| value.as_str() == name)
                    .map(Self::Page)
                    .ok_or_else(unknown),
                _ => Err(unknown()),
            };
        }
        match spelled {
            "content" => Ok(Self::Content),
            "tag" => Ok(Self::Tag),
            "index" => Ok(Self::Index),
            "number" => Ok(Self::Number),
            "length" => Ok(Self::Length),
            "bytes" => Ok(Self::Bytes),
            "previous-hash" => Ok(Self::PreviousHash),
            _ => Err(unknown()),
        }
    }
}

/// One part of a template.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Text as it stands.
    Literal(Box<str>),
    /// A value.
    Field(Field),
}

/// Literal text and values in order, spelled `{attribute:id}|{content}`; `{{` and `}}` stand for
/// braces.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Template(Vec<Part>);

impl Template {
    /// `{content}` and nothing else.
    #[must_use]
    pub fn content() -> Self {
        Self::field(Field::Content)
    }

    /// One value and nothing else.
    #[must_use]
    pub fn field(field: Field) -> Self {
        Self(vec![Part::Field(field)])
    }

    /// These parts; neighbouring literals are joined and empty ones dropped, so that equal templates
    /// are spelled equally.
    #[must_use]
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        let mut joined: Vec<Part> = Vec::new();
        for part in parts {
            match (joined.last_mut(), part) {
                (_, Part::Literal(text)) if text.is_empty() => {}
                (Some(Part::Literal(before)), Part::Literal(text)) => {
                    *before = format!("{before}{text}").into();
                }
                (_, part) => joined.push(part),
            }
        }
        Self(joined)
    }

    /// The parts in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Whether this value stands in the template.
    #[must_use]
    pub fn uses(&self, field: &Field) -> bool {
        self.0
            .iter()
            .any(|part| matches!(part, Part::Field(used) if used == field))
    }

    /// Whether the template is `{content}` alone.
    #[must_use]
    pub fn is_content(&self) -> bool {
        matches!(self.0.as_slice(), [Part::Field(Field::Content)])
    }

    /// The template filled in; `value` gives what stands for a field.
    #[must_use]
    pub fn fill(&self, mut value: impl FnMut(&Field) -> String) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => filled.push_str(text),
                Part::Field(field) => filled.push_str(&value(field)),
            }
        }
        filled
    }
}

impl fmt::Display for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Field(field) => write!(out, "{{{field}}}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Template {
    type Err = RecipeError;

    fn from_str(spelled: &str) -> Result<Self, RecipeError> {
        let unbalanced = || RecipeError::Template(spelled.to_owned());
        let mut parts = Vec::new();
        let mut rest = spelled;
        while let Some(at) = rest.find(['{', '}']) {
            parts.push(Part::Literal(rest[..at].into()));
            let tail = &rest[at..];
            if let Some(after) = tail.strip_prefix("{{") {
                parts.push(Part::Literal("{".into()));
                rest = after;
            } else if let Some(after) = tail.strip_prefix("}}") {
                parts.push(Part::Literal("}".into()));
                rest = after;
            } else {
                let inside = tail.strip_prefix('{').ok_or_else(unbalanced)?;
                let (name, after) = inside.split_once('}').ok_or_else(unbalanced)?;
                parts.push(Part::Field(name.parse()?));
                rest = after;
            }
        }
        parts.push(Part::Literal(rest.into()));
        let template = Self::new(parts);
        if template.0.is_empty() || template.0.len() > MAX_PARTS {
            return Err(unbalanced());
        }
        Ok(template)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_read_back() {
        for spelled in [
            "{content}",
            "{attribute:dmcf-pid}|{content}",
            "{{\"id\":\"{attribute:id}\",\"text\":{content}}}",
            "salt{page:address}\n{ancestor:dmcf-sid}{tag}{index}{number}{length}{bytes}{previous-hash}",
        ] {
            let template: Template = spelled.parse().unwrap();
            assert_eq!(template.to_string(), spelled);
        }
        for wrong in [
            "",
            "{content",
            "content}",
            "{text}",
            "{page:color}",
            "{attribute:}",
        ] {
            assert!(wrong.parse::<Template>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn templates_are_filled_in() {
        let template: Template = "a{tag}{{{content}".parse().unwrap();
        let filled = template.fill(|field| match field {
            Field::Tag => "p".into(),
            _ => "text".into(),
        });
        assert_eq!(filled, "ap{text");
        assert!(template.uses(&Field::Content) && !template.uses(&Field::Index));
    }
}
