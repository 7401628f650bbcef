//! Which part of a block a recipe starts from.

use std::fmt;
use std::str::FromStr;

use super::RecipeError;

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
