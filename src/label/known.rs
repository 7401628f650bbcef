//! What an element is by its tag, its role and the words in its names.

use super::outline::Node;
use super::words::{self, Told};

/// What an element's start tag tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Nature {
    /// How surely it holds an article's body: 0 is the surest.
    pub rank: Option<u8>,
    /// What it holds instead.
    pub other: Option<Other>,
}

/// What an element holds that is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// By its tag or role: `nav`, `aside`, `footer`, `role=navigation`.
    Landmark,
    /// Not shown: `hidden`, `aria-hidden`, `display:none`.
    Hidden,
    /// By its names: navigation, advertising, sharing, teasers.
    Boilerplate,
    /// By its names: readers' comments.
    Comments,
    /// By its names: author, time, tags.
    About,
    /// By its names: a teaser, of this article or of others.
    Teaser,
}

impl Other {
    /// For people who ask why.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Landmark => "its tag or role says it is beside the article",
            Self::Hidden => "it is not shown",
            Self::Boilerplate => "its names say navigation, advertising, sharing or teasers",
            Self::Comments => "its names say comments",
            Self::Teaser => "its names say teaser",
            Self::About => "its names say author, time or tags",
        }
    }
}

/// Elements from this rank on may hold more than the body.
pub const GENERIC: u8 = words::GENERIC;
/// Number of ranks.
pub const RANKS: u8 = 4;

/// Reads the start tag.
pub fn nature(node: &Node) -> Nature {
    let mut told = Told::default();
    let mut nature = Nature::default();
    let rank =
        |nature: &mut Nature, rank: u8| nature.rank = Some(nature.rank.map_or(rank, |known| known.min(rank)));
    match node.tag {
        "nav" | "aside" | "footer" | "menu" | "dialog" => nature.other = Some(Other::Landmark),
        "article" => rank(&mut nature, 2),
        "main" => rank(&mut nature, 3),
        _ => {}
    }
    for attribute in node.attributes {
        let value = &*attribute.value;
        match &*attribute.name {
            "class" => told = told.and(words::tell(value)),
            "id" => told = told.and(words::tell_id(value)),
            "dmcf-sid" if node.tag == "section" => rank(&mut nature, 0),
            "itemprop" if value.eq_ignore_ascii_case("articleBody") => rank(&mut nature, 0),
            "role" => match value {
                "navigation" | "banner" | "contentinfo" | "complementary" | "search" | "dialog"
                | "alertdialog" | "menu" | "menubar" | "toolbar" | "tablist" => {
                    nature.other = Some(Other::Landmark);
                }
                "article" => rank(&mut nature, 2),
                "main" => rank(&mut nature, 3),
                _ => {}
            },
            "hidden" if !value.eq_ignore_ascii_case("until-found") => nature.other = Some(Other::Hidden),
            "aria-hidden" if value == "true" => nature.other = Some(Other::Hidden),
            "style" if hides(value) => nature.other = Some(Other::Hidden),
            _ => {}
        }
    }
    // The page as a whole is called by what it shows, and by everything beside it.
    if let Some(known) = told.body.filter(|_| !matches!(node.tag, "html" | "body")) {
        rank(&mut nature, known);
    }
    if nature.other.is_none() {
        nature.other = if told.comments {
            Some(Other::Comments)
        } else if told.boilerplate {
            Some(Other::Boilerplate)
        } else if told.teaser {
            Some(Other::Teaser)
        } else if told.about {
            Some(Other::About)
        } else {
            None
        };
    }
    nature
}

fn hides(style: &str) -> bool {
    style.split(';').any(|declaration| {
        let mut sides = declaration.splitn(2, ':').map(str::trim);
        match (sides.next(), sides.next()) {
            (Some(name), Some(value)) => {
                (name.eq_ignore_ascii_case("display") && value.to_ascii_lowercase().starts_with("none"))
                    || (name.eq_ignore_ascii_case("visibility")
                        && value.to_ascii_lowercase().starts_with("hidden"))
            }
            _ => false,
        }
    })
}
