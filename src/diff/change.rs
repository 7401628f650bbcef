//! What a diff is made of: changes with their place, class, blocks, words and size.

use serde::Serialize;

/// What changed between two block lists.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Diff {
    /// Every block of both sides stands in exactly one change (unless a [`Filter`](super::Filter)
    /// took it out), ordered by the reader's way through the new page; what was deleted stands where
    /// it used to be.
    pub changes: Vec<Change>,
    /// Set where the extraction yields far more or far less than before: what follows is probably
    /// not the editor's work.
    pub suspect: Option<Suspect>,
    /// What the filter took out of `changes`.
    pub ignored: Ignored,
    /// Where work was cut short by a limit. Empty for all pages of ordinary size.
    pub limits: Vec<Limit>,
}

impl Diff {
    /// Changes that are not [`Op::Equal`].
    pub fn edits(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.op != Op::Equal)
    }

    /// Whether anything differs that the filter let through.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.edits().next().is_some()
    }

    /// The highest class among the changes of the article (every place but `outside`).
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        self.edits()
            .filter(|change| change.place != Place::Outside)
            .map(|change| change.class)
            .max()
    }
}

/// One difference, or one run of blocks without difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What happened to the blocks.
    pub op: Op,
    /// Whether the blocks also stand elsewhere than before. Always true for [`Op::Move`]; true for a
    /// split or merge whose parts were moved.
    pub moved: bool,
    /// Where in the article. Of the new block; of the old one for a deletion.
    pub place: Place,
    /// How much it matters. [`Class::Markup`] for equal blocks.
    pub class: Class,
    /// Indices in the old [`Document::blocks`](crate::block::Document::blocks), ascending. Equal runs
    /// hold as many as `new`, one to one.
    pub old: Vec<u32>,
    /// Indices in the new document's blocks, ascending.
    pub new: Vec<u32>,
    /// Byte ranges in the old raw page, half-open, of the blocks in `old`.
    pub old_ranges: Vec<[usize; 2]>,
    /// Byte ranges in the new raw page, half-open, of the blocks in `new`.
    pub new_ranges: Vec<[usize; 2]>,
    /// Share of character 3-grams the two sides have in common (Dice), 0 to 1. 1 for equal blocks, 0
    /// for insertions and deletions.
    pub similarity: f32,
    /// The words, where the text differs; empty where it is equal. The texts of `equal` and `delete`
    /// in order are the old blocks' texts, those of `equal` and `insert` the new ones'; several
    /// blocks on a side are joined by a line feed, which no canonical text contains.
    pub words: Vec<Word>,
    /// How much text is concerned.
    pub size: Size,
}

/// What happened to blocks. A block that was moved and edited is a [`Op::Move`] with words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// A run of blocks that did not change.
    Equal,
    /// One block whose text or form changed.
    Edit,
    /// A block that was not there.
    Insert,
    /// A block that is gone.
    Delete,
    /// One block that stands elsewhere; edited as well where it has words.
    Move,
    /// One block became several.
    Split,
    /// Several blocks became one.
    Merge,
}

impl Op {
    /// Every operation, in the order of the type.
    pub const ALL: [Self; 7] = [
        Self::Equal,
        Self::Edit,
        Self::Insert,
        Self::Delete,
        Self::Move,
        Self::Split,
        Self::Merge,
    ];

    /// The word used in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Edit => "edit",
            Self::Insert => "insert",
            Self::Delete => "delete",
            Self::Move => "move",
            Self::Split => "split",
            Self::Merge => "merge",
        }
    }
}

/// Where in the article a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The article's headline.
    Headline,
    /// A caption, or the figure itself.
    Caption,
    /// Who wrote it.
    Byline,
    /// A block quotation.
    Quotation,
    /// A note that says what was wrong before.
    Correction,
    /// The rest of the article's body.
    Body,
    /// Not of the article: navigation, advertisements, counters, other articles' headlines.
    Outside,
}

impl Place {
    /// Every place, in the order of the type.
    pub const ALL: [Self; 7] = [
        Self::Headline,
        Self::Caption,
        Self::Byline,
        Self::Quotation,
        Self::Correction,
        Self::Body,
        Self::Outside,
    ];

    /// The word used in JSON, in options and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Headline => "headline",
            Self::Caption => "caption",
            Self::Byline => "byline",
            Self::Quotation => "quotation",
            Self::Correction => "correction",
            Self::Body => "body",
            Self::Outside => "outside",
        }
    }
}

/// How much a change matters, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Kind of block or emphasis.
    Markup,
    /// Quotes, case, punctuation, spaces, invisible characters, paragraph breaks.
    Cosmetic,
    /// Another image, or another text for it.
    Image,
    /// A link leads elsewhere, was added or removed.
    Link,
    /// Words.
    Text,
    /// Only numbers differ.
    Numeric,
}

impl Class {
    /// Every class, ascending.
    pub const ALL: [Self; 6] = [
        Self::Markup,
        Self::Cosmetic,
        Self::Image,
        Self::Link,
        Self::Text,
        Self::Numeric,
    ];

    /// The word used in JSON, in options and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Markup => "markup",
            Self::Cosmetic => "cosmetic",
            Self::Image => "image",
            Self::Link => "link",
            Self::Text => "text",
            Self::Numeric => "numeric",
        }
    }
}

/// A stretch of text and what happened to it. A replacement is a `delete` followed by an `insert`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Word {
    /// What happened to the text.
    pub op: WordOp,
    /// The text, never empty.
    pub text: String,
}

/// What happened to a stretch of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WordOp {
    /// On both sides.
    Equal,
    /// On the new side only.
    Insert,
    /// On the old side only.
    Delete,
}

/// How much text a change concerns, in characters (Unicode code points).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Size {
    /// Characters on the old side only.
    pub deleted: u32,
    /// Characters on the new side only.
    pub inserted: u32,
    /// Characters that are on both sides but stand elsewhere.
    pub moved: u32,
    /// Share of the article, 0 to 1: the characters above on both sides over all characters of the
    /// article on both sides. For changes outside the article: of all that is outside.
    pub share: f32,
}

/// The extraction jumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Suspect {
    /// What gives rise to the suspicion.
    pub reason: Reason,
    /// Characters of body text in the old document.
    pub old_characters: u32,
    /// Characters of body text in the new document.
    pub new_characters: u32,
}

/// Why an extraction is suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Much of the text stands on both pages, but was called body on one of them only.
    Relabelled,
    /// The new page has no body at all.
    Emptied,
    /// Most of the body is gone from the page.
    Shrunk,
    /// The body is many times what it was, and little of the old one is left in it.
    Replaced,
}

impl Reason {
    /// The word used in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relabelled => "relabelled",
            Self::Emptied => "emptied",
            Self::Shrunk => "shrunk",
            Self::Replaced => "replaced",
        }
    }
}

/// What a filter took out of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Ignored {
    /// How many changes.
    pub changes: u32,
    /// How many characters they concern, both sides together.
    pub characters: u64,
    /// How many of the changes by what took them out: a class, a place or an ignored pattern, in the
    /// order in which they first occurred.
    pub reasons: Vec<(String, u32)>,
}

/// Where a diff was cut short so that its work stays bounded. Nothing is lost by it: what was not
/// examined is shown as deleted and inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "limit", rename_all = "lowercase")]
pub enum Limit {
    /// This many pairs of blocks were not compared for similarity.
    Pairs {
        /// Number of pairs left out.
        skipped: u64,
    },
    /// Repeated blocks were aligned by their order only.
    Repeats {
        /// Blocks of both sides in the runs concerned.
        blocks: u64,
    },
    /// The similarity of long blocks was estimated from a sample of their 3-grams.
    Sampled {
        /// Number of blocks.
        blocks: u64,
    },
    /// Stretches of words too long to be compared are shown as replaced whole.
    Words {
        /// Number of changes concerned.
        changes: u64,
    },
}
