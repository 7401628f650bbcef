//! Plain data: what a page is made of after it was read. Blocks with their kind, ranges, canonical
//! text and form, hashes, declared hash and label, and the document that holds them.
//!
//! Never: computes.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::digest::Hash;

/// One page cut into blocks by `blocks-v1`, with what the page says about itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// How the bytes were decoded.
    pub charset: Charset,
    /// The blocks in source order.
    pub blocks: Vec<Block>,
    /// Elements that are no blocks but enclose some, in order of their start tags. A parent stands
    /// before its children.
    pub containers: Vec<Container>,
    /// `<title>`, white space collapsed.
    pub title: Option<String>,
    /// The headline the page declares for readers and feeds: `og:title`, JSON-LD `headline`.
    pub headline: Option<String>,
    /// Author as the page tells it: meta `author`, `article:author`, JSON-LD `author`.
    pub byline: Option<String>,
    /// Time of publication as the page spells it: meta, JSON-LD `datePublished`, `<time>`.
    pub published: Option<String>,
    /// Time of the last change as the page spells it: meta, JSON-LD `dateModified`.
    pub modified: Option<String>,
    /// `rel=canonical` as written; a hint, never an address.
    pub canonical: Option<String>,
    /// The page's language: `html lang`.
    pub language: Option<String>,
}

/// How the bytes of a page became text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Charset {
    /// Name of the encoding by the Encoding Standard, such as `UTF-8` or `EUC-KR`.
    pub name: &'static str,
    /// What told us.
    pub source: CharsetSource,
    /// Whether malformed bytes became U+FFFD.
    pub had_errors: bool,
}

/// What told the encoding, in the order in which it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CharsetSource {
    /// A byte order mark.
    Bom,
    /// The HTTP `Content-Type` header.
    Http,
    /// A `meta` element in the first 1024 bytes, or the XML declaration at the start.
    Meta,
    /// The bytes are valid UTF-8.
    #[default]
    Utf8,
    /// A guess from the bytes, the last resort.
    Guess,
}

impl CharsetSource {
    /// The word used in reports: `bom`, `http`, `meta`, `utf-8`, `guess`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bom => "bom",
            Self::Http => "http",
            Self::Meta => "meta",
            Self::Utf8 => "utf-8",
            Self::Guess => "guess",
        }
    }
}

/// An element that encloses blocks without being one: `div`, `section`, `article`, `ul`, `table` ...
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Container {
    /// Index of the enclosing container in [`Document::containers`]; `None` at the top.
    pub parent: Option<u32>,
    /// Tag name in lower case.
    pub tag: Cow<'static, str>,
    /// Attributes in source order, names in lower case, values with references resolved. Only those
    /// that rules ask for are kept: `id class itemprop itemtype role property name hidden
    /// aria-hidden style` and every name that starts with `data-` or `dmcf-`.
    pub attributes: Vec<Attribute>,
    /// Byte range in the raw page, half-open, from the start tag to the end of the element.
    pub range: Range<usize>,
}

/// One attribute of a start tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attribute {
    /// Name in lower case.
    pub name: Cow<'static, str>,
    /// Value with character references resolved; empty if the attribute has none.
    pub value: Box<str>,
}

/// One paragraph-like unit of a page, cut by `blocks-v1`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// Which element it is.
    pub kind: Kind,
    /// Byte range of the element in the raw page, half-open, tags included. For kind `text`: from
    /// its first to its last character.
    pub range: Range<usize>,
    /// Byte range of what is inside the element in the raw page, half-open. For kind `text` the same
    /// as `range`.
    pub inner: Range<usize>,
    /// Index of the innermost enclosing container in [`Document::containers`].
    pub container: Option<u32>,
    /// Index in [`Document::blocks`] of the block whose element encloses this one, if any (a
    /// `figcaption` in its `figure`, a `p` in its `li`).
    pub parent: Option<u32>,
    /// Attributes of the block's own start tag, all of them, in source order.
    pub attributes: Vec<Attribute>,
    /// The declared hash as written: the value of `contents-hash` or of the attribute asked for.
    pub declared: Option<Box<str>>,
    /// The block's id by its publisher: `dmcf-pid`.
    pub id: Option<Box<str>>,
    /// Canonical text by `text-v1`.
    pub text: String,
    /// Links, images and emphasis, in source order, for `form-v1`.
    pub marks: Vec<Mark>,
    /// Content hash: SHA-256 of `text`.
    pub text_hash: Hash,
    /// SHA-256 of the canonical form by `form-v1`.
    pub form_hash: Hash,
    /// Label: whether the block belongs to the article's body. Never decides what is stored.
    pub body: bool,
}

impl Block {
    /// The value of an attribute of the block's start tag.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        attribute(&self.attributes, name)
    }

    /// The hash by which this block is aligned and looked up: its text, or its form where the text
    /// is empty.
    #[must_use]
    pub fn key(&self) -> Hash {
        if self.text.is_empty() {
            self.form_hash
        } else {
            self.text_hash
        }
    }
}

impl Container {
    /// The value of one of the kept attributes.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        attribute(&self.attributes, name)
    }
}

fn attribute<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|attribute| &*attribute.name == name)
        .map(|attribute| &*attribute.value)
}

/// Something inside a block that `form-v1` records beside the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// `a href`: range in code points of the canonical text, half-open, and the address as written.
    Link {
        /// Code points of the canonical text, half-open.
        range: Range<u32>,
        /// `href` as written, references resolved.
        href: String,
    },
    /// `img`: the first of `data-org-src`, `data-src`, `src`, as written, and the `alt`.
    Image {
        /// Position in code points of the canonical text.
        at: u32,
        /// The first of `data-org-src`, `data-src`, `src`, as written; empty if none.
        src: String,
        /// `alt` as written; empty if none.
        alt: String,
    },
    /// `b strong i em u s del ins mark sub sup`: range in code points and the tag.
    Emphasis {
        /// Code points of the canonical text, half-open.
        range: Range<u32>,
        /// Tag name.
        tag: &'static str,
    },
}

/// Which element a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Kind {
    /// `p`
    P,
    /// `h1`
    H1,
    /// `h2`
    H2,
    /// `h3`
    H3,
    /// `h4`
    H4,
    /// `h5`
    H5,
    /// `h6`
    H6,
    /// `li`
    Li,
    /// `dt`
    Dt,
    /// `dd`
    Dd,
    /// `td`
    Td,
    /// `th`
    Th,
    /// `caption`
    Caption,
    /// `figcaption`
    Figcaption,
    /// `summary`
    Summary,
    /// `legend`
    Legend,
    /// `blockquote`
    Blockquote,
    /// `pre`
    Pre,
    /// `address`
    Address,
    /// `figure`
    Figure,
    /// An anonymous block: text in no block element.
    #[default]
    Text,
    /// Any other element that carries a declared hash.
    Other,
}

impl Kind {
    /// Every kind, in the order of the type: the position is the number the catalog stores.
    pub const ALL: [Self; 22] = [
        Self::P,
        Self::H1,
        Self::H2,
        Self::H3,
        Self::H4,
        Self::H5,
        Self::H6,
        Self::Li,
        Self::Dt,
        Self::Dd,
        Self::Td,
        Self::Th,
        Self::Caption,
        Self::Figcaption,
        Self::Summary,
        Self::Legend,
        Self::Blockquote,
        Self::Pre,
        Self::Address,
        Self::Figure,
        Self::Text,
        Self::Other,
    ];

    /// The word used in `form-v1`, in JSON and on screen: the tag name, `text` or `other`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P => "p",
            Self::H1 => "h1",
            Self::H2 => "h2",
            Self::H3 => "h3",
            Self::H4 => "h4",
            Self::H5 => "h5",
            Self::H6 => "h6",
            Self::Li => "li",
            Self::Dt => "dt",
            Self::Dd => "dd",
            Self::Td => "td",
            Self::Th => "th",
            Self::Caption => "caption",
            Self::Figcaption => "figcaption",
            Self::Summary => "summary",
            Self::Legend => "legend",
            Self::Blockquote => "blockquote",
            Self::Pre => "pre",
            Self::Address => "address",
            Self::Figure => "figure",
            Self::Text => "text",
            Self::Other => "other",
        }
    }

    /// Whether the kind is one of `h1` to `h6`.
    #[must_use]
    pub fn is_heading(self) -> bool {
        matches!(
            self,
            Self::H1 | Self::H2 | Self::H3 | Self::H4 | Self::H5 | Self::H6
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
