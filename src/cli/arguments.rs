//! Options that several commands share.

use std::num::NonZeroU64;

use clap::Args;

use super::failure::Failure;
use super::opened;
use super::terminal::tell_user;
use super::{Global, Outcome};
use crate::label::Reader;
use crate::recipe::DEFAULT_ATTRIBUTE;
use crate::source::{self, KeyMap, Listed, SourceOptions};

/// How pages are read into blocks.
#[derive(Debug, Default, Args)]
pub(super) struct Reading {
    /// Attribute that holds a block's declared hash [default: the archive's, else contents-hash]
    #[arg(long = "attr", value_name = "NAME")]
    attribute: Option<String>,
}

impl Reading {
    /// A reader by the built-in site rules and those of the archive, if there is one.
    pub(super) fn reader(&self, global: &Global) -> Result<Reader, Failure> {
        let rules = opened::rules(global)?;
        let attribute = match &self.attribute {
            Some(named) => named.to_ascii_lowercase(),
            None => rules.attribute().unwrap_or(DEFAULT_ATTRIBUTE).to_owned(),
        };
        Ok(Reader::new(rules, attribute))
    }
}

/// How input is turned into pages.
#[derive(Debug, Args)]
pub(super) struct Sources {
    /// Address that stands before the relative path of files without one [default: file:]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Other names for the keys of NDJSON lines, such as url=link,html=body
    #[arg(long, value_name = "OURS=THEIRS,...")]
    map: Option<KeyMap>,
    /// Media types to take from WARC files [default: text/html, application/xhtml+xml]; * for all
    #[arg(long, value_name = "TYPE", value_delimiter = ',', value_parser = media_type)]
    media_type: Vec<String>,
    /// Largest page to take in, in MiB of decoded bytes
    #[arg(long, value_name = "MIB", default_value_t = NonZeroU64::MIN.saturating_add(63))]
    max_page_size: NonZeroU64,
}

impl Sources {
    pub(super) fn options(&self) -> SourceOptions {
        let mut options = SourceOptions {
            base_url: self.base_url.clone(),
            max_page_size: usize::try_from(self.max_page_size.get().saturating_mul(1 << 20))
                .unwrap_or(usize::MAX),
            ..SourceOptions::default()
        };
        if let Some(map) = &self.map {
            options.map.clone_from(map);
        }
        if !self.media_type.is_empty() {
            options.media_types.clone_from(&self.media_type);
        }
        options
    }
}

/// A media type in lower case, or `*`. A pattern such as `text/*` would fit nothing.
fn media_type(value: &str) -> Result<String, String> {
    let whole = value.split_once('/').is_some_and(|(kind, name)| {
        let is_name = |part: &str| !part.is_empty() && !part.contains(['*', '/', ';', ' ']);
        is_name(kind) && is_name(name)
    });
    if whole || value == "*" {
        Ok(value.to_ascii_lowercase())
    } else {
        Err("a media type such as text/html is expected, or * for all".to_owned())
    }
}

/// Opens every input argument; those that cannot be opened are told at once and make the outcome
/// [`Outcome::Failed`], the others are read.
pub(super) fn open_all(inputs: &[String], options: &SourceOptions) -> (Vec<source::Source>, Outcome) {
    let mut outcome = Outcome::Clean;
    let mut sources = Vec::new();
    for input in inputs {
        match source::open(input, options) {
            Ok(source) => sources.push(source),
            Err(error) => {
                tell_user(&error.to_string());
                outcome = Outcome::Failed;
            }
        }
    }
    (sources, outcome)
}

/// The entries of several sources one after the other.
pub(super) fn listed(sources: Vec<source::Source>) -> impl Iterator<Item = Listed> + Send {
    sources
        .into_iter()
        .flat_map(|mut source| std::iter::from_fn(move || source.next_listed()))
}
