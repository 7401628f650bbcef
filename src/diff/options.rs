//! What a caller may choose: what counts as the same image, and which changes to leave out.

use std::fmt;
use std::str::FromStr;

use globset::GlobMatcher;

use super::change::{Class, Op, Place};

/// How to compare. The default compares everything and leaves nothing out.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Gives images a name by which they are compared, from the address as written; a site rule can
    /// map every thumbnail to its original. [`original_image`](super::original_image) is asked afterwards,
    /// or alone.
    pub image_identity: Option<&'a (dyn Fn(&str) -> String + Sync)>,
    /// Which changes to leave out; everything stays unless set.
    pub filter: Option<&'a Filter>,
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options")
            .field("image_identity", &self.image_identity.map(|_| "given"))
            .field("filter", &self.filter)
            .finish()
    }
}

/// Which changes to leave out of a diff, in detection and display alike.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Leave out changes of a lower class.
    pub min_class: Option<Class>,
    /// Leave out changes at other places; empty means every place stays.
    pub places: Vec<Place>,
    /// Leave out what any of these describes.
    pub ignore: Vec<Ignore>,
}

/// A description of changes to leave out. Spelled as the name of a class, a place or an operation,
/// or as `text=GLOB`: changes all of whose blocks have a text that matches the pattern.
#[derive(Debug, Clone)]
pub enum Ignore {
    /// Exactly this class.
    Class(Class),
    /// This place.
    Place(Place),
    /// This operation.
    Op(Op),
    /// Blocks whose whole text matches.
    Text(GlobMatcher),
}

/// The option names nothing that can be left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The word is no class, place or operation.
    #[error(
        "'{0}' names no class (markup, cosmetic, image, link, text, numeric), no place (headline, \
         caption, byline, quotation, correction, body, outside) and no operation (edit, insert, \
         delete, move, split, merge); write text=PATTERN to leave out blocks by their text"
    )]
    Unknown(String),
    /// The pattern after `text=` cannot be read.
    #[error("'{pattern}' is no pattern: {message}")]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
}

impl FromStr for Class {
    type Err = FilterError;

    fn from_str(name: &str) -> Result<Self, FilterError> {
        by_name(&Self::ALL, Self::as_str, name)
    }
}

impl FromStr for Place {
    type Err = FilterError;

    fn from_str(name: &str) -> Result<Self, FilterError> {
        by_name(&Self::ALL, Self::as_str, name)
    }
}

impl FromStr for Op {
    type Err = FilterError;

    fn from_str(name: &str) -> Result<Self, FilterError> {
        by_name(&Self::ALL, Self::as_str, name)
    }
}

fn by_name<T: Copy>(all: &[T], spelled: fn(T) -> &'static str, name: &str) -> Result<T, FilterError> {
    all.iter()
        .copied()
        .find(|&one| spelled(one) == name)
        .ok_or_else(|| FilterError::Unknown(name.to_owned()))
}

impl FromStr for Ignore {
    type Err = FilterError;

    /// A word that is both a class and a place or operation does not exist.
    fn from_str(spelled: &str) -> Result<Self, FilterError> {
        if let Some(pattern) = spelled.strip_prefix("text=") {
            return globset::Glob::new(pattern)
                .map(|glob| Self::Text(glob.compile_matcher()))
                .map_err(|error| FilterError::Pattern {
                    pattern: pattern.to_owned(),
                    message: error.to_string(),
                });
        }
        spelled
            .parse()
            .map(Self::Class)
            .or_else(|_| spelled.parse().map(Self::Place))
            .or_else(|_| spelled.parse().map(Self::Op))
    }
}
