//! The words that tell what an element holds, in lists parted by spaces.

use super::Word;

/// What single words tell.
pub const WORDS: [(&str, Word); 4] = [
    (
        "comment comments commentlist disqus respond kommentare comentarios commentaires replies reply fbcomments \
         livefyre guestbook",
        Word::Comments,
    ),
    (
        "nav navi navbar navigation subnav topnav mainnav menu menus submenu topmenu breadcrumb breadcrumbs crumb \
         crumbs footer footerlinks masthead sidebar sidebars rail related relatedposts relatedarticles recommended \
         recommend recommendation recommendations recirc recirculation similar share shares sharing sharebar \
         sharedaddy sharethis social socials socialmedia sociable addthis newsletter newsletters subscribe \
         subscription subscriptions signup signin login register cookie cookies consent gdpr promo promos promotion \
         advert adverts advertisement advertisements advertising advertorial anzeige ad ads adsense adslot sponsor \
         sponsors sponsored pagination pager paging paginator pagenav popup modal lightbox widget widgets outbrain \
         taboola plista trending popular mostread toolbar carousel copyright search searchform searchbox banner \
         poll donate donation skiplink noprint upsell syndication",
        Word::Boilerplate,
    ),
    ("teaser teasers", Word::Teaser),
    (
        "byline bylines author authors authorbox authorinfo dateline timestamp pubdate meta metadata postmeta \
         entrymeta postinfo tags taglist tagcloud rating ratings votes bio postmetadata credits permalink \
         categories",
        Word::About,
    ),
];

/// What two neighbouring words tell.
pub const PAIRS: [(&str, Word); 2] = [
    (
        "mostread mostpopular mostviewed morefrom morenews morestories morearticles readmore readnext upnext \
         nextarticle nextpost prevpost previouspost prevnext nextprev alsolike seealso sidebar sidecolumn sidecol \
         rightcol rightcolumn leftcol leftcolumn latestnews latestposts recentposts followus siteheader pageheader \
         sitefooter topbar bottombar infobox factbox calltoaction backtotop linklist youmay",
        Word::Boilerplate,
    ),
    (
        "authorbox aboutauthor aboutthe postdate publishdate publisheddate entrydate articledate articleinfo \
         postinfo articlemeta taglist entryfooter posttags userinfo userprofile",
        Word::About,
    ),
];

/// Ranks from here on name what is only probably the body.
pub const GENERIC: u8 = 2;

/// Names, and two neighbouring words of one, that say "body of an article".
pub const BODIES: [(&str, u8); 3] = [
    (
        "articlebody articletext articlecontent articlecontents postbody posttext postcontent postentry \
         entrycontent entrybody entrytext storybody storycontent storytext storybodytext newsbody newstext \
         newscontent articlemain articleview bodycopy bodytext blogcontent blogbody blogpost postcopy articlecopy \
         fieldbody fulltext singlecontent articlewrapper artcontent artpostcontent textbody storycopy contentbody \
         bodycontent articulo articolo artikel artikeltext artikelbody haber newsview viewcontent articletxt newsct",
        1,
    ),
    (
        "article post entry story hentry postarea singlepost newsarticle articlecontainer",
        GENERIC,
    ),
    (
        "content maincontent contentmain pagecontent main primary maincolumn contentarea contents text textcontent \
         pagebody maintext",
        GENERIC + 1,
    ),
];

/// First words that make the others say nothing about the element.
pub const QUALIFIERS: &str = "category tag has no without is";

/// Words that take back the next one.
pub const DENIALS: &str = "no not without has hide remove";
