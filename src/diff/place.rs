//! Where in the article each block stands.

use super::change::Place;
use super::loose::{has_key, loose_key};
use super::script::lower;
use crate::block::{Attribute, Block, Document, Kind};

/// A byline is no longer than this, in bytes; a longer text that names the author is prose.
pub const BYLINE: u32 = 240;

/// A byline outside the body stands at most this many blocks from the headline or the body.
pub const BYLINE_NEAR: usize = 8;

/// Words in `class`, `itemprop` and the like that mark a byline.
const BYLINE_WORDS: [&str; 5] = ["byline", "author", "writer", "reporter", "journalist"];

/// What a note of correction begins with, in the languages of the pages we know, lower case, by the first
/// character: nearly every block is told by that one to be no such note.
fn openings(first: char) -> &'static [&'static str] {
    match first {
        'a' => &["an earlier version of"],
        'b' => &["berichtigung"],
        'c' => &[
            "correction",
            "corrections",
            "corrected",
            "clarification",
            "corrección",
            "correzione",
        ],
        'e' => &["editor's note", "editor’s note", "erratum"],
        'f' => &["fe de errores"],
        'i' => &["in einer früheren version"],
        'k' => &["korrektur"],
        'r' => &["richtigstellung", "rectificatif"],
        '정' => &["정정"],
        '바' => &["바로잡습니다", "바로잡음"],
        '알' => &["알려왔습니다"],
        '訂' => &["訂正"],
        'お' => &["お詫び", "おわび"],
        '更' => &["更正"],
        '勘' => &["勘誤", "勘误"],
        'ت' => &["تصحيح", "تصويب"],
        _ => &[],
    }
}

/// Signs that may stand before the first word of a note.
const BRACKETS: [char; 16] = [
    '[', '(', '<', '【', '「', '『', '〈', '《', '*', '■', '▲', '※', '▶', '“', '"', ' ',
];

/// The place of every block of a document.
pub(super) fn places(document: &Document) -> Vec<Place> {
    let blocks = &document.blocks;
    let mut places: Vec<Place> = Vec::with_capacity(blocks.len());
    for block in blocks {
        // A parent stands before its children, so its place is known.
        let parent = block.parent.and_then(|parent| {
            let place = places.get(parent as usize)?;
            matches!(place, Place::Caption | Place::Quotation | Place::Correction).then_some(*place)
        });
        places.push(match parent {
            Some(place) if block.body => place,
            _ => in_body(block),
        });
    }
    let headline = headline(document);
    if let Some(at) = headline
        && let Some(place) = places.get_mut(at)
    {
        *place = Place::Headline;
    }
    let first = blocks.iter().position(|block| block.body);
    let last = blocks.iter().rposition(|block| block.body);
    let mut bylines = Bylines::new(document);
    for (at, block) in blocks.iter().enumerate() {
        let near = block.body
            || headline.is_some_and(|headline| at.abs_diff(headline) <= BYLINE_NEAR)
            || first.is_some_and(|first| at < first && first - at <= BYLINE_NEAR)
            || last.is_some_and(|last| at > last && at - last <= BYLINE_NEAR);
        if matches!(places[at], Place::Body | Place::Outside) && near && bylines.holds(block) {
            places[at] = Place::Byline;
        }
    }
    places
}

fn in_body(block: &Block) -> Place {
    if !block.body {
        return Place::Outside;
    }
    match block.kind {
        Kind::Figure | Kind::Figcaption | Kind::Caption => Place::Caption,
        Kind::Blockquote => Place::Quotation,
        _ if is_correction(&block.text) => Place::Correction,
        _ => Place::Body,
    }
}

fn is_correction(text: &str) -> bool {
    let text = text.trim_start_matches(BRACKETS);
    let Some(first) = text.chars().next().map(lower) else {
        return false;
    };
    openings(first).iter().any(|opening| {
        let mut rest = text.chars().map(lower);
        if !opening.chars().all(|c| rest.next() == Some(c)) {
            return false;
        }
        // "Corrections officers said ..." is prose; a note goes on with a sign, or is in a phrase
        // that is already a whole clause.
        opening.contains(' ')
            || !opening.is_ascii()
            || rest.next().is_none_or(|c| !c.is_alphanumeric() && c != ' ')
    })
}

/// The block that holds the headline: the heading that says what the page declares as its headline,
/// else the first `h1` of the body, else the last `h1` before it.
fn headline(document: &Document) -> Option<usize> {
    let blocks = &document.blocks;
    for declared in [&document.headline, &document.title].into_iter().flatten() {
        let key = loose_key(declared);
        let found = blocks.iter().position(|block| {
            block.kind.is_heading() && !block.text.is_empty() && names(declared, &key, &block.text)
        });
        if found.is_some() {
            return found;
        }
    }
    let first = blocks.iter().position(|block| block.body)?;
    let is_h1 = |block: &Block| block.kind == Kind::H1 && !block.text.is_empty();
    blocks
        .iter()
        .position(|block| block.body && is_h1(block))
        .or_else(|| blocks[..first].iter().rposition(is_h1))
}

/// Whether a declared headline, of this loose key, is this heading's text, perhaps with the site's name
/// after it. Takes no longer than the heading is, for there may be many.
fn names(declared: &str, key: &str, heading: &str) -> bool {
    if declared.len() < heading.len() / 2 {
        return false;
    }
    has_key(heading, key)
        || declared.strip_prefix(heading).is_some_and(|rest| {
            heading.len() * 3 >= declared.len()
                && rest
                    .trim_start()
                    .starts_with(['|', '-', '–', '—', ':', '·', '<', '«', '：'])
        })
}

/// What tells the bylines of one page.
struct Bylines<'a> {
    document: &'a Document,
    /// Of each container whether its names mark a byline, once it was asked: thousands of blocks may stand in
    /// one, and its names may be endless.
    marked: Vec<Option<bool>>,
}

impl<'a> Bylines<'a> {
    fn new(document: &'a Document) -> Self {
        Self {
            document,
            marked: vec![None; document.containers.len()],
        }
    }

    fn holds(&mut self, block: &Block) -> bool {
        if block.text.is_empty() || block.text.len() > BYLINE as usize || block.kind.is_heading() {
            return false;
        }
        if block.kind == Kind::Address && block.body {
            return true;
        }
        if let Some(author) = &self.document.byline
            && author.chars().nth(1).is_some()
            && block.text.len() <= author.len() + 80
            && block.text.contains(author.as_str())
        {
            return true;
        }
        marks_byline(&block.attributes, &["class", "itemprop", "rel", "id"])
            || block.container.is_some_and(|at| self.is_marked(at as usize))
    }

    fn is_marked(&mut self, container: usize) -> bool {
        let (Some(marked), Some(container)) = (
            self.marked.get_mut(container),
            self.document.containers.get(container),
        ) else {
            return false;
        };
        *marked.get_or_insert_with(|| marks_byline(&container.attributes, &["class", "itemprop"]))
    }
}

/// Whether one of the attributes of these names has a word in it that marks a byline.
fn marks_byline(attributes: &[Attribute], names: &[&str]) -> bool {
    attributes
        .iter()
        .filter(|attribute| names.contains(&&*attribute.name))
        .any(|attribute| BYLINE_WORDS.iter().any(|word| contains(&attribute.value, word)))
}

/// Whether `value` contains the lower-case ASCII `word`, in any case.
fn contains(value: &str, word: &str) -> bool {
    value
        .as_bytes()
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Container;

    fn block(kind: Kind, text: &str, body: bool) -> Block {
        Block {
            kind,
            text: text.to_owned(),
            body,
            ..Block::default()
        }
    }

    #[test]
    fn every_place_is_told() {
        use Place::{Body, Byline, Caption, Correction, Headline, Outside, Quotation};
        let mut quoted = block(Kind::P, "Never again.", true);
        quoted.parent = Some(5);
        let document = Document {
            headline: Some("Bridge closed".into()),
            byline: Some("Ada Moore".into()),
            blocks: vec![
                block(Kind::Li, "Home", false),
                block(Kind::H2, "Bridge closed", false),
                block(Kind::Text, "By Ada Moore", false),
                block(Kind::P, "The bridge was closed.", true),
                block(Kind::Figcaption, "The bridge", true),
                block(Kind::Blockquote, "He said:", true),
                quoted,
                block(Kind::P, "Correction: the year was wrong.", true),
                block(Kind::P, "[정정] 연도를 바로잡았습니다.", true),
                block(Kind::P, "Corrections officers met.", true),
                block(Kind::H2, "More news", false),
            ],
            ..Document::default()
        };
        assert_eq!(
            places(&document),
            [
                Outside, Headline, Byline, Body, Caption, Quotation, Quotation, Correction, Correction, Body,
                Outside
            ]
        );
    }

    #[test]
    fn endless_names_and_headlines_are_read_once() {
        let class = Attribute {
            name: "class".into(),
            value: "x".repeat(1 << 20).into(),
        };
        let mut blocks = vec![block(Kind::H2, "y", true); 50_000];
        blocks.resize(100_000, block(Kind::P, "z", true));
        for block in &mut blocks {
            block.container = Some(0);
        }
        let document = Document {
            headline: Some(format!("{}x", ".".repeat(1 << 20))),
            containers: vec![Container {
                attributes: vec![class],
                ..Container::default()
            }],
            blocks,
            ..Document::default()
        };
        let started = std::time::Instant::now();
        assert!(places(&document).iter().all(|&place| place == Place::Body));
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }

    #[test]
    fn without_a_declared_headline_the_h1_before_the_body_is_it() {
        let document = Document {
            blocks: vec![
                block(Kind::H1, "The Daily", false),
                block(Kind::H1, "Bridge closed", false),
                block(Kind::P, "The bridge was closed.", true),
                block(Kind::H1, "Elsewhere", false),
            ],
            ..Document::default()
        };
        assert_eq!(places(&document)[1], Place::Headline);
        assert_eq!(places(&document)[0], Place::Outside);
        let nothing = Document {
            blocks: vec![block(Kind::H1, "The Daily", false)],
            ..Document::default()
        };
        assert_eq!(places(&nothing), [Place::Outside]);
    }
}
