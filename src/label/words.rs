//! What the words in an element's `class` and `id` tell about it.

mod lexicon;

use std::cell::RefCell;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

pub use lexicon::GENERIC;
use lexicon::{BODIES, DENIALS, PAIRS, QUALIFIERS, WORDS};

/// Longest name that is read, in bytes; generated class names can be endless.
const MAX_NAME: usize = 120;
/// Names of one element that are read.
const MAX_NAMES: usize = 24;

/// Values a thread remembers, and as many names, and the longest of them in bytes; the memory is emptied when
/// it is full.
const REMEMBERED: usize = 8192;
const MAX_REMEMBERED: usize = 256;

/// What was read before.
type Memory = RefCell<FxHashMap<Box<str>, Told>>;

thread_local! {
    /// Whole values: the pages of a site use the same few over and over.
    static VALUES: Memory = RefCell::default();
    /// Single names: a value that is new mostly has old ones in it.
    static NAMES: Memory = RefCell::default();
}

/// What the names of an element tell. Several may be told at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Readers' comments.
    pub comments: bool,
    /// Navigation, advertising, sharing, teasers for other pages.
    pub boilerplate: bool,
    /// Author, time, tags of this article.
    pub about: bool,
    /// What makes curious: of this article or of others.
    pub teaser: bool,
    /// The body of an article: the smaller the surer.
    pub body: Option<u8>,
}

impl Told {
    /// What either tells.
    pub fn and(self, other: Self) -> Self {
        Self {
            comments: self.comments || other.comments,
            boilerplate: self.boilerplate || other.boilerplate,
            about: self.about || other.about,
            teaser: self.teaser || other.teaser,
            body: self.body.into_iter().chain(other.body).min(),
        }
    }
}

/// Reads the names in `class`: split at white space into names, and each name at `-`, `_` and every change from
/// lower to upper case into words.
pub fn tell(class: &str) -> Told {
    if class.bytes().any(|byte| byte.is_ascii_whitespace()) {
        VALUES.with(|values| remembered(values, class, |class| read(class, tell_known)))
    } else {
        read(class, tell_known)
    }
}

/// The same for an `id`: hardly one is met again, so they are not remembered.
pub fn tell_id(id: &str) -> Told {
    read(id, tell_name)
}

/// What `read` makes of the text, read once while it is remembered.
fn remembered(memory: &Memory, text: &str, read: fn(&str) -> Told) -> Told {
    if text.len() > MAX_REMEMBERED {
        return read(text);
    }
    let known = memory.borrow().get(text).copied();
    known.unwrap_or_else(|| {
        let told = read(text);
        let mut memory = memory.borrow_mut();
        if memory.len() >= REMEMBERED {
            memory.clear();
        }
        memory.insert(text.into(), told);
        told
    })
}

/// What all names in the value tell.
fn read(value: &str, tell: fn(&str) -> Told) -> Told {
    value
        .split_ascii_whitespace()
        .take(MAX_NAMES)
        .filter(|written| written.len() <= MAX_NAME && written.is_ascii())
        .map(tell)
        .fold(Told::default(), Told::and)
}

fn tell_known(written: &str) -> Told {
    NAMES.with(|names| remembered(names, written, tell_name))
}

fn tell_name(written: &str) -> Told {
    Name::new(written).tell()
}

/// A name in lower case without separators, and where each of its words starts.
struct Name {
    letters: [u8; MAX_NAME],
    /// The word behind the last one would start where the letters end.
    starts: [u8; MAX_NAME + 1],
    /// Number of words.
    count: usize,
}

impl Name {
    /// Splits `written`, which has [`MAX_NAME`] bytes at most. A change of case counts only between words of three
    /// letters and more: generated names are full of others.
    fn new(written: &str) -> Self {
        let mut letters = [0; MAX_NAME];
        let mut starts = [0; MAX_NAME + 1];
        let (mut count, mut length, mut from) = (0, 0, 0);
        let mut before = b'-';
        let bytes = written.as_bytes();
        for (at, &byte) in bytes.iter().enumerate() {
            if byte.is_ascii_alphanumeric() {
                let changes = byte.is_ascii_uppercase() && before.is_ascii_lowercase();
                let goes_on =
                    |&[one, other]: &[u8; 2]| one.is_ascii_lowercase() && other.is_ascii_lowercase();
                if !before.is_ascii_alphanumeric()
                    || (changes && length - from >= 3 && bytes[at + 1..].first_chunk().is_some_and(goes_on))
                {
                    starts[count] = length as u8;
                    count += 1;
                    from = length;
                }
                letters[length] = byte.to_ascii_lowercase();
                length += 1;
            }
            before = byte;
        }
        starts[count] = length as u8;
        Self {
            letters,
            starts,
            count,
        }
    }

    /// So many words from the one at `at`, without what stood between them.
    fn words(&self, at: usize, count: usize) -> Lexeme {
        let range = usize::from(self.starts[at])..usize::from(self.starts[at + count]);
        LEXICON.get(&self.letters[range]).copied().unwrap_or_default()
    }

    fn tell(&self) -> Told {
        let mut told = Told::default();
        let count = self.count;
        // A post's own categories and tags are no statement about the element: `category-ads tag-comments`.
        if count == 0 || (count > 1 && self.words(0, 1).qualifies) {
            return told;
        }
        told.body = self.words(0, count).body;
        let mut denied = false;
        for at in 0..count {
            let word = self.words(at, 1);
            if std::mem::replace(&mut denied, word.denies) {
                continue;
            }
            let pair = if at + 1 < count {
                self.words(at, 2)
            } else {
                Lexeme::default()
            };
            let body = pair.body.filter(|rank| *rank < GENERIC);
            told.body = told.body.into_iter().chain(body).min();
            match word.word.or(pair.pair) {
                Some(Word::Comments) => told.comments = true,
                Some(Word::Boilerplate) => told.boilerplate = true,
                Some(Word::About) => told.about = true,
                Some(Word::Teaser) => told.teaser = true,
                None => {}
            }
        }
        told
    }
}

/// What some letters mean, as a word or as two.
#[derive(Debug, Clone, Copy, Default)]
struct Lexeme {
    word: Option<Word>,
    /// As two neighbouring words.
    pair: Option<Word>,
    /// As the whole name, or two neighbouring words of it: "body of an article", the smaller the surer.
    body: Option<u8>,
    /// A first word that makes the others say nothing about the element.
    qualifies: bool,
    /// A word that takes back the next one.
    denies: bool,
}

static LEXICON: LazyLock<FxHashMap<&'static [u8], Lexeme>> = LazyLock::new(|| {
    let mut lexicon: FxHashMap<&'static [u8], Lexeme> = FxHashMap::default();
    let mut put = |list: &'static str, set: &dyn Fn(&mut Lexeme)| {
        for letters in list.split(' ') {
            set(lexicon.entry(letters.as_bytes()).or_default());
        }
    };
    for (list, word) in WORDS {
        put(list, &|lexeme| lexeme.word = Some(word));
    }
    for (list, word) in PAIRS {
        put(list, &|lexeme| lexeme.pair = Some(word));
    }
    for (list, rank) in BODIES {
        put(list, &|lexeme| lexeme.body = Some(rank));
    }
    put(QUALIFIERS, &|lexeme| lexeme.qualifies = true);
    put(DENIALS, &|lexeme| lexeme.denies = true);
    lexicon
});

#[derive(Debug, Clone, Copy)]
enum Word {
    Comments,
    Boilerplate,
    About,
    Teaser,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &str) -> Told {
        let told = tell(value);
        assert_eq!(told, tell(value), "remembered");
        assert_eq!(told, tell_id(value), "and not remembered");
        told
    }

    #[test]
    fn spelling_does_not_matter() {
        for value in [
            "article-body",
            "articleBody",
            "article_body",
            "c-article__body",
            "ArticleBody_x1f",
            "x articlebody",
        ] {
            assert_eq!(told(value).body, Some(1), "{value}");
        }
        assert!(told("post-comments").comments);
        assert!(told("storyShareBar").boilerplate);
        assert!(!told("hAdRRP xShare").boilerplate);
        assert!(told("entry-meta").about);
        assert!(told("most-read__list").boilerplate);
    }

    #[test]
    fn words_are_whole_and_about_the_element() {
        for value in [
            "shadow",
            "bardot",
            "adequate",
            "category-ads",
            "tag-comments",
            "has-sidebar",
            "no-comments",
            "",
        ] {
            assert_eq!(told(value), Told::default(), "{value}");
        }
        let endless = "ad-".repeat(MAX_NAME);
        assert_eq!(told(&endless), Told::default());
    }
}
