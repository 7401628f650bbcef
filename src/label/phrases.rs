//! What a short text says by its first words: credits, advertising, pointers to other pages.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// Longest text that is asked, in bytes: a sentence that happens to begin like this is no pointer.
const MAX_SHORT: usize = 160;

/// Longest line about author and time, in bytes.
const MAX_DATELINE: usize = 90;

/// What a short text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phrase {
    /// Names the photographer or the agency.
    Credit,
    /// Says that something beside it is advertising.
    Advertising,
    /// Points to other pages, asks to share or to subscribe.
    Pointer,
    /// Says when or by whom the article was written.
    Dateline,
}

impl Phrase {
    /// For people who ask why.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Credit => "it begins like a credit",
            Self::Advertising => "it begins like a mark of advertising",
            Self::Pointer => "it begins like a pointer to other pages",
            Self::Dateline => "it tells when or by whom the article was written",
        }
    }
}

/// The openings by their first character, in the order in which they are asked.
static OPENINGS: LazyLock<FxHashMap<char, Vec<(&'static str, Phrase)>>> = LazyLock::new(|| {
    let mut openings: FxHashMap<char, Vec<(&'static str, Phrase)>> = FxHashMap::default();
    for (list, phrase) in [
        (CREDITS, Phrase::Credit),
        (ADVERTISING, Phrase::Advertising),
        (POINTERS, Phrase::Pointer),
        (DATELINES, Phrase::Dateline),
    ] {
        for opening in list {
            if let Some(first) = opening.chars().next() {
                openings.entry(first).or_default().push((opening, phrase));
            }
        }
    }
    openings
});

/// Reads the first words; `None` for running text.
pub fn phrase(text: &str) -> Option<Phrase> {
    if text.len() > MAX_SHORT {
        return None;
    }
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || "([{*–—-|•»›▶▷■◆#[【〔".contains(c));
    let first = text.chars().next()?.to_lowercase().next()?;
    let told = OPENINGS.get(&first).and_then(|openings| {
        let text = text.to_lowercase();
        let dateline = text.len() <= MAX_DATELINE && !ends_sentence(&text);
        openings
            .iter()
            .find(|(opening, phrase)| (*phrase != Phrase::Dateline || dateline) && opens(&text, opening))
            .map(|&(_, phrase)| phrase)
    });
    told.or_else(|| is_moment(text).then_some(Phrase::Dateline))
}

fn ends_sentence(text: &str) -> bool {
    text.ends_with(['.', '!', '?', '。', '…', '”', '"', ':'])
}

/// Whether the text is little else than a date or a time: a number of four digits or a clock time,
/// and hardly more letters than digits.
fn is_moment(text: &str) -> bool {
    if text.len() > MAX_DATELINE {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits < 4 {
        return false;
    }
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let bytes = text.as_bytes();
    let year = bytes
        .windows(4)
        .any(|four| four.iter().all(u8::is_ascii_digit) && matches!(&four[..2], b"19" | b"20"));
    let clock = bytes.windows(4).any(|four| {
        four[0].is_ascii_digit()
            && matches!(four[1], b':' | b'.')
            && four[2].is_ascii_digit()
            && four[3].is_ascii_digit()
    });
    (year || clock) && letters <= 3 * digits
}

/// Whether the text begins with the opening and the opening ends where a word ends.
fn opens(text: &str, opening: &str) -> bool {
    text.strip_prefix(opening).is_some_and(|rest| {
        let wordy = |c: char| c.is_alphanumeric();
        !(opening.ends_with(wordy) && rest.starts_with(wordy) && opening.is_ascii())
    })
}

const CREDITS: &[&str] = &[
    "©",
    "(c)",
    "copyright",
    "all rights reserved",
    "foto:",
    "foto ©",
    "fotos:",
    "foto/",
    "bild:",
    "bilder:",
    "bildquelle",
    "quelle:",
    "bildnachweis",
    "bildrechte",
    "photo:",
    "photo by",
    "photos:",
    "photos by",
    "photo credit",
    "photo courtesy",
    "photograph:",
    "photography by",
    "image:",
    "image credit",
    "image source",
    "image courtesy",
    "images:",
    "credit:",
    "credits:",
    "source:",
    "courtesy of",
    "picture:",
    "pictures:",
    "getty images",
    "crédit",
    "crédits",
    "photo ©",
    "crédito:",
    "créditos:",
    "fuente:",
    "fotografía:",
    "imagen:",
    "fonte:",
    "fot.",
    "źródło:",
    "фото:",
    "источник:",
    "写真:",
    "写真=",
    "写真提供",
    "図:",
    "画像:",
    "图片来源",
    "图:",
    "사진=",
    "사진:",
    "사진 =",
    "사진제공",
    "출처:",
    "출처 =",
    "무단전재",
    "무단 전재",
    "저작권자",
];

const ADVERTISING: &[&str] = &[
    "advertisement",
    "advertising",
    "advertorial",
    "sponsored",
    "paid content",
    "anzeige",
    "werbung",
    "publicité",
    "publicidad",
    "pubblicità",
    "publicidade",
    "reklama",
    "реклама",
    "advertentie",
    "annonse",
    "annons",
    "annonce",
    "광고",
    "広告",
    "スポンサーリンク",
    "广告",
];

const POINTERS: &[&str] = &[
    // English
    "related",
    "related:",
    "see also",
    "read more",
    "read also",
    "read next",
    "read:",
    "also read",
    "more from",
    "more on this",
    "more stories",
    "more news",
    "more:",
    "you may also like",
    "you might also",
    "recommended",
    "share this",
    "share on",
    "share:",
    "tweet",
    "follow us",
    "sign up",
    "subscribe",
    "newsletter",
    "click here",
    "filed under",
    "tags:",
    "tagged",
    "topics:",
    "categories:",
    "posted in",
    "leave a comment",
    "leave a reply",
    "comments are closed",
    "no comments",
    "comments",
    "most read",
    "most popular",
    "trending",
    "watch:",
    "listen:",
    "about the author",
    "next article",
    "previous article",
    "skip to",
    "print this",
    "by continuing",
    "keep reading",
    "continue reading",
    "join the conversation",
    "download the app",
    "what to read next",
    // German
    "mehr zum thema",
    "lesen sie auch",
    "lesen sie mehr",
    "lesen sie hier",
    "das könnte sie",
    "das könnte dich",
    "auch interessant",
    "weitere artikel",
    "weitere informationen",
    "weitere meldungen",
    "weitere themen",
    "weiterlesen",
    "zum weiterlesen",
    "zum thema",
    "mehr dazu",
    "mehr über",
    "mehr themen",
    "mehr:",
    "siehe auch",
    "ähnliche",
    "schlagwörter",
    "schlagworte",
    "stichwörter",
    "teilen",
    "artikel teilen",
    "newsletter abonnieren",
    "kommentare",
    "kommentar schreiben",
    "über den autor",
    "über die autorin",
    "zur startseite",
    "empfehlung der redaktion",
    "nach oben",
    "seite drucken",
    "meistgelesen",
    "verwandte",
    // French
    "à lire aussi",
    "lire aussi",
    "lire la suite",
    "voir aussi",
    "en savoir plus",
    "sur le même sujet",
    "sur le même thème",
    "partager",
    "s’abonner",
    "s'abonner",
    "mots-clés",
    "commentaires",
    "articles liés",
    "à propos de l'auteur",
    "à découvrir",
    "les plus lus",
    "suivez-nous",
    // Spanish, Portuguese, Italian
    "lea también",
    "lee también",
    "leer más",
    "te puede interesar",
    "le puede interesar",
    "más sobre",
    "más noticias",
    "ver más",
    "temas relacionados",
    "contenido relacionado",
    "noticias relacionadas",
    "notas relacionadas",
    "compartir",
    "etiquetas",
    "suscríbete",
    "suscribirse",
    "comentarios",
    "síguenos",
    "lo más leído",
    "leia também",
    "leia mais",
    "saiba mais",
    "veja também",
    "compartilhe",
    "relacionadas",
    "leggi anche",
    "leggi tutto",
    "potrebbe interessarti",
    "condividi",
    "commenti",
    "articoli correlati",
    // Dutch, Nordic, Polish, Russian, Turkish
    "lees ook",
    "lees meer",
    "deel dit",
    "reacties",
    "les også",
    "läs också",
    "läs mer",
    "læs også",
    "lue myös",
    "czytaj także",
    "czytaj też",
    "czytaj więcej",
    "zobacz również",
    "zobacz też",
    "zobacz także",
    "przeczytaj",
    "udostępnij",
    "komentarze",
    "читайте также",
    "читать далее",
    "подробнее",
    "по теме",
    "поделиться",
    "комментарии",
    "ilgili haberler",
    "devamını oku",
    // Korean, Japanese, Chinese
    "관련기사",
    "관련 기사",
    "관련뉴스",
    "관련 뉴스",
    "이 기사",
    "많이 본",
    "인기기사",
    "인기 기사",
    "추천기사",
    "추천 기사",
    "공유하기",
    "댓글",
    "구독",
    "기사제보",
    "기사 제보",
    "제보",
    "네이버에서",
    "카카오톡",
    "함께 볼",
    "주요뉴스",
    "주요 뉴스",
    "최신뉴스",
    "関連記事",
    "関連リンク",
    "関連ニュース",
    "あわせて読みたい",
    "こちらもおすすめ",
    "シェア",
    "ツイート",
    "コメント",
    "もっと見る",
    "続きを読む",
    "おすすめ",
    "人気記事",
    "ランキング",
    "相关阅读",
    "相关新闻",
    "相关文章",
    "延伸阅读",
    "推荐阅读",
    "分享到",
    "责任编辑",
    "更多",
    "相關新聞",
    "相關文章",
    "延伸閱讀",
    "推薦閱讀",
    "編輯推薦",
    "热门",
];

const DATELINES: &[&str] = &[
    "by ",
    "published",
    "updated",
    "posted",
    "last updated",
    "last modified",
    "first published",
    "written by",
    "reporting by",
    "editing by",
    "edited by",
    "date:",
    "author:",
    "von ",
    "veröffentlicht",
    "aktualisiert",
    "erstellt am",
    "zuletzt aktualisiert",
    "letzte änderung",
    "stand:",
    "autor:",
    "datum:",
    "publié le",
    "mis à jour",
    "publicado",
    "actualizado",
    "pubblicato",
    "aggiornato",
    "atualizado",
    "gepubliceerd",
    "opublikowano",
    "опубликовано",
    "기사입력",
    "입력",
    "등록",
    "수정",
    "승인",
    "최종수정",
    "発表",
    "更新",
    "公開日",
    "投稿日",
    "发布时间",
    "发表于",
    "时间：",
    "来源：",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_tell_by_their_first_words() {
        for (text, expected) in [
            ("Foto: Mara Lind", Some(Phrase::Credit)),
            ("(© Hafenblatt)", Some(Phrase::Credit)),
            ("[사진=김가람 기자]", Some(Phrase::Credit)),
            ("Advertisement", Some(Phrase::Advertising)),
            ("▶ 관련기사 더보기", Some(Phrase::Pointer)),
            ("Lesen Sie auch: Der Hafen", Some(Phrase::Pointer)),
            ("Relatedness is a measure", None),
            ("Tweets from the ministry said otherwise", None),
            ("The harbour opened.", None),
            ("By Mara Lind", Some(Phrase::Dateline)),
            ("By noon the harbour was closed.", None),
            ("2026. 1. 4. 03:05", Some(Phrase::Dateline)),
            ("Nov. 19, 2026, 8:41 AM UTC", Some(Phrase::Dateline)),
            ("입력 2026.01.04 09:30", Some(Phrase::Dateline)),
            ("In 1998 the harbour had 12 piers", None),
            ("", None),
        ] {
            assert_eq!(phrase(text), expected, "{text}");
        }
        assert_eq!(phrase(&format!("Related {}", "words ".repeat(60))), None);
    }
}
