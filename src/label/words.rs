//! What the words in an element's `class` and `id` tell about it.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

/// Longest name that is read, in bytes; generated class names can be endless.
const MAX_NAME: usize = 120;
/// Names of one element that are read.
const MAX_NAMES: usize = 24;

/// Values a thread remembers, and the longest of them in bytes; the memory is emptied when it is full.
const REMEMBERED: usize = 8192;
const MAX_REMEMBERED: usize = 256;

thread_local! {
    /// The pages of a site use the same few names over and over.
    static KNOWN: RefCell<FxHashMap<Box<str>, Told>> = RefCell::default();
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

/// Reads the names in `class` or `id`: split at white space into names, and each name at `-`, `_`
/// and every change from lower to upper case into words.
pub fn tell(value: &str) -> Told {
    if value.len() > MAX_REMEMBERED {
        return read(value);
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(told) = known.get(value) {
            return *told;
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        *known.entry(value.into()).or_insert_with(|| read(value))
    })
}

fn read(value: &str) -> Told {
    let mut told = Told::default();
    let mut name = String::new();
    let mut starts: Vec<usize> = Vec::new();
    for written in value.split_ascii_whitespace().take(MAX_NAMES) {
        if written.len() > MAX_NAME || !written.is_ascii() {
            continue;
        }
        split(written, &mut name, &mut starts);
        tell_name(&name, &starts, &mut told);
    }
    told
}

/// Lower-cases `written` into `name` without separators and notes where each word starts. A change of
/// case counts only between words of three letters and more: generated names are full of others.
fn split(written: &str, name: &mut String, starts: &mut Vec<usize>) {
    name.clear();
    starts.clear();
    for part in written
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
    {
        starts.push(name.len());
        let bytes = part.as_bytes();
        let mut from = 0;
        for at in 1..bytes.len() {
            let changes = bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase();
            let long = at - from >= 3
                && bytes[at..]
                    .iter()
                    .skip(1)
                    .take_while(|byte| byte.is_ascii_lowercase())
                    .count()
                    >= 2;
            if changes && long {
                starts.push(name.len() + at);
                from = at;
            }
        }
        name.extend(bytes.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
    }
}

fn tell_name(name: &str, starts: &[usize], told: &mut Told) {
    // A post's own categories and tags are no statement about the element: `category-ads tag-comments`.
    let word = |at: usize| &name[starts[at]..starts.get(at + 1).copied().unwrap_or(name.len())];
    if starts.is_empty()
        || (starts.len() > 1 && matches!(word(0), "category" | "tag" | "has" | "no" | "without" | "is"))
    {
        return;
    }
    if let Some(rank) = body_phrase(name) {
        told.body = Some(told.body.map_or(rank, |known| known.min(rank)));
    }
    for at in 0..starts.len() {
        if at > 0 && matches!(word(at - 1), "no" | "not" | "without" | "has" | "hide" | "remove") {
            continue;
        }
        let end = starts.get(at + 2).copied().unwrap_or(name.len());
        let pair = &name[starts[at]..end];
        if at + 1 < starts.len()
            && let Some(rank) = body_phrase(pair)
            && rank < GENERIC
        {
            told.body = Some(told.body.map_or(rank, |known| known.min(rank)));
        }
        match kind_of(word(at)).or_else(|| {
            if at + 1 < starts.len() {
                kind_of_pair(pair)
            } else {
                None
            }
        }) {
            Some(Word::Comments) => told.comments = true,
            Some(Word::Boilerplate) => told.boilerplate = true,
            Some(Word::About) => told.about = true,
            Some(Word::Teaser) => told.teaser = true,
            None => {}
        }
    }
}

enum Word {
    Comments,
    Boilerplate,
    About,
    Teaser,
}

fn kind_of(word: &str) -> Option<Word> {
    Some(match word {
        "comment" | "comments" | "commentlist" | "disqus" | "respond" | "kommentare" | "comentarios"
        | "commentaires" | "replies" | "reply" | "fbcomments" | "livefyre" | "guestbook" => Word::Comments,
        "nav" | "navi" | "navbar" | "navigation" | "subnav" | "topnav" | "mainnav" | "menu" | "menus"
        | "submenu" | "topmenu" | "breadcrumb" | "breadcrumbs" | "crumb" | "crumbs" | "footer"
        | "footerlinks" | "masthead" | "sidebar" | "sidebars" | "rail" | "related" | "relatedposts"
        | "relatedarticles" | "recommended" | "recommend" | "recommendation" | "recommendations"
        | "recirc" | "recirculation" | "similar" | "share" | "shares" | "sharing" | "sharebar"
        | "sharedaddy" | "sharethis" | "social" | "socials" | "socialmedia" | "sociable" | "addthis"
        | "newsletter" | "newsletters" | "subscribe" | "subscription" | "subscriptions" | "signup"
        | "signin" | "login" | "register" | "cookie" | "cookies" | "consent" | "gdpr" | "promo"
        | "promos" | "promotion" | "advert" | "adverts" | "advertisement" | "advertisements"
        | "advertising" | "advertorial" | "anzeige" | "ad" | "ads" | "adsense" | "adslot" | "sponsor"
        | "sponsors" | "sponsored" | "pagination" | "pager" | "paging" | "paginator" | "pagenav"
        | "popup" | "modal" | "lightbox" | "widget" | "widgets" | "outbrain" | "taboola" | "plista"
        | "trending" | "popular" | "mostread" | "toolbar" | "carousel" | "copyright" | "search"
        | "searchform" | "searchbox" | "banner" | "poll" | "donate" | "donation" | "skiplink" | "noprint"
        | "upsell" | "syndication" => Word::Boilerplate,
        "teaser" | "teasers" => Word::Teaser,
        "byline" | "bylines" | "author" | "authors" | "authorbox" | "authorinfo" | "dateline"
        | "timestamp" | "pubdate" | "meta" | "metadata" | "postmeta" | "entrymeta" | "postinfo" | "tags"
        | "taglist" | "tagcloud" | "rating" | "ratings" | "votes" | "bio" | "postmetadata" | "credits"
        | "permalink" | "categories" => Word::About,
        _ => return None,
    })
}

fn kind_of_pair(pair: &str) -> Option<Word> {
    Some(match pair {
        "mostread" | "mostpopular" | "mostviewed" | "morefrom" | "morenews" | "morestories"
        | "morearticles" | "readmore" | "readnext" | "upnext" | "nextarticle" | "nextpost" | "prevpost"
        | "previouspost" | "prevnext" | "nextprev" | "alsolike" | "seealso" | "sidebar" | "sidecolumn"
        | "sidecol" | "rightcol" | "rightcolumn" | "leftcol" | "leftcolumn" | "latestnews"
        | "latestposts" | "recentposts" | "followus" | "siteheader" | "pageheader" | "sitefooter"
        | "topbar" | "bottombar" | "infobox" | "factbox" | "calltoaction" | "backtotop" | "linklist"
        | "youmay" => Word::Boilerplate,
        "authorbox" | "aboutauthor" | "aboutthe" | "postdate" | "publishdate" | "publisheddate"
        | "entrydate" | "articledate" | "articleinfo" | "postinfo" | "articlemeta" | "taglist"
        | "entryfooter" | "posttags" | "userinfo" | "userprofile" => Word::About,
        _ => return None,
    })
}

/// Ranks from here on name what is only probably the body.
pub const GENERIC: u8 = 2;

/// Whether the name, or two neighbouring words of it, say "body of an article".
fn body_phrase(name: &str) -> Option<u8> {
    Some(match name {
        "articlebody" | "articletext" | "articlecontent" | "articlecontents" | "postbody" | "posttext"
        | "postcontent" | "postentry" | "entrycontent" | "entrybody" | "entrytext" | "storybody"
        | "storycontent" | "storytext" | "storybodytext" | "newsbody" | "newstext" | "newscontent"
        | "articlemain" | "articleview" | "bodycopy" | "bodytext" | "blogcontent" | "blogbody"
        | "blogpost" | "postcopy" | "articlecopy" | "fieldbody" | "fulltext" | "singlecontent"
        | "articlewrapper" | "artcontent" | "artpostcontent" | "textbody" | "storycopy" | "contentbody"
        | "bodycontent" | "articulo" | "articolo" | "artikel" | "artikeltext" | "artikelbody" | "haber"
        | "newsview" | "viewcontent" | "articletxt" | "newsct" => 1,
        "article" | "post" | "entry" | "story" | "hentry" | "postarea" | "singlepost" | "newsarticle"
        | "articlecontainer" => GENERIC,
        "content" | "maincontent" | "contentmain" | "pagecontent" | "main" | "primary" | "maincolumn"
        | "contentarea" | "contents" | "text" | "textcontent" | "pagebody" | "maintext" => GENERIC + 1,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &str) -> Told {
        let told = tell(value);
        assert_eq!(told, tell(value), "remembered");
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
