//! What holds for every page there could be: made-up markup, random bytes, mutated real pages.

use pressmark::block::Document;
use pressmark::digest::sha256;
use pressmark::html::{ReadOptions, canonical_text, collapse, decode, pieces, read};
use proptest::prelude::*;

use crate::corpus;

/// Pieces of markup that the rules speak of, to be thrown together.
const SCRAPS: &[&str] = &[
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<li>",
    "<ul>",
    "</ul>",
    "<table>",
    "<tr>",
    "<td>",
    "</td>",
    "</table>",
    "<figure>",
    "</figure>",
    "<figcaption>",
    "<b>",
    "</b>",
    "<a href='/x'>",
    "</a>",
    "<br>",
    "<hr>",
    "<img src=a alt=b>",
    "<h2>",
    "</h2>",
    "<blockquote>",
    "<pre>",
    "</pre>",
    "<dl><dt>",
    "<dd>",
    "<select>",
    "<option>",
    "</select>",
    "<svg>",
    "<title>",
    "</title>",
    "</svg>",
    "<math><mi>",
    "</math>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<textarea>",
    "</textarea>",
    "<form>",
    "</form>",
    "<button>",
    "</button>",
    "<template>",
    "</template>",
    "<body>",
    "<frameset>",
    "<p contents-hash=1>",
    "<section contents-hash='2' dmcf-pid=x>",
    "</section>",
    "<object>",
    "</object>",
    "&amp;",
    "&nbsp;",
    "&lt",
    "&#0;",
    "&#x1F600;",
    "&notit;",
    " ",
    "\n",
    "\u{a0}",
    "\0",
    "e\u{301}",
    "\u{1112}\u{1161}\u{11ab}",
    "\u{f900}",
    "\u{200b}",
    "word",
    "12",
    "\u{d55c}\u{ae00}",
    "<",
    ">",
    "'",
    "\"",
    "/",
    "=",
];

fn markup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(SCRAPS), 0..60).prop_map(|scraps| scraps.concat())
}

/// Everything a document promises, whatever the page.
fn check(raw: &[u8], document: &Document) {
    let mut start = 0;
    for (index, block) in document.blocks.iter().enumerate() {
        let (range, inner) = (&block.range, &block.inner);
        assert!(
            range.start <= inner.start && inner.start <= inner.end,
            "{block:?}"
        );
        assert!(inner.end <= range.end && range.end <= raw.len(), "{block:?}");
        assert!(range.start >= start, "out of source order: {block:?}");
        start = range.start;
        assert_eq!(collapse(&block.text), block.text);
        assert_eq!(block.text_hash, sha256(block.text.as_bytes()));
        if let Some(parent) = block.parent {
            assert!((parent as usize) < index);
            let parent = &document.blocks[parent as usize].inner;
            assert!(
                parent.start <= range.start && range.end <= parent.end,
                "{block:?}"
            );
        }
        if let Some(container) = block.container {
            let container = &document.containers[container as usize].range;
            assert!(
                container.start <= range.start && range.end <= container.end,
                "{block:?}"
            );
        }
    }
    for (index, container) in document.containers.iter().enumerate() {
        assert!(container.range.end <= raw.len());
        assert!(container.parent.is_none_or(|parent| (parent as usize) < index));
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('\r', "&#13;")
}

proptest! {
    #[test]
    fn any_bytes_give_a_document(raw: Vec<u8>, label in prop::sample::select(&["", "utf-8", "euc-kr", "utf-16be", "iso-2022-jp"][..])) {
        let options = ReadOptions { http_charset: Some(label), ..ReadOptions::default() };
        check(&raw, &read(&raw, &options));
    }

    #[test]
    fn any_markup_keeps_every_character_in_one_block(page in markup()) {
        let document = read(page.as_bytes(), &ReadOptions::default());
        check(page.as_bytes(), &document);
        // What is visible, found without blocks: the same characters, white space aside.
        let sorted = |text: String| {
            use unicode_normalization::UnicodeNormalization;
            let mut characters: Vec<char> = text.nfd().filter(|c| *c != ' ').collect();
            characters.sort_unstable();
            characters
        };
        let framed = format!("<body>{page}");
        if !page.contains("<td>") && !page.contains("<tr>") && !page.contains("<frameset>") && !page.contains("<body>") {
            let blocks = read(framed.as_bytes(), &ReadOptions::default()).blocks;
            let in_blocks = blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(sorted(in_blocks), sorted(canonical_text(&page)));
        }
    }

    #[test]
    fn canonical_text_is_its_own_canonical_text(page in markup(), noise: String) {
        for fragment in [page, noise] {
            let text = canonical_text(&fragment);
            prop_assert_eq!(&canonical_text(&escape(&text)), &text);
            prop_assert_eq!(&collapse(&text), &text);
        }
    }

    #[test]
    fn a_declared_element_has_the_canonical_text_of_its_inside(inner in markup()) {
        let page = format!("<!doctype html><body><div contents-hash=0>{inner}");
        let blocks = read(page.as_bytes(), &ReadOptions::default()).blocks;
        // End tags, declared elements and table parts inside may end it early or cut pieces out. Table parts
        // outside a table are boundaries in a fragment, which may come from one, and nothing in a page.
        if !["</div>", "contents-hash", "</td>", "<td>", "<tr>", "<frameset>", "<body>"].iter().any(|scrap| inner.contains(scrap)) {
            prop_assert_eq!(&blocks[0].text, &canonical_text(&inner));
        }
    }

    #[test]
    fn places_lead_there_and_back(text in "[a-z<>\u{ac00}-\u{d7a3}\u{e9}\u{3042}]{0,80}", label in prop::sample::select(&["utf-8", "euc-kr", "shift_jis", "utf-16le", "utf-16be", "iso-2022-jp", "gb18030", "big5"][..])) {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
        let raw = if label.starts_with("utf-16") {
            let big = label == "utf-16be";
            text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        } else {
            encoding.encode(&text).0.into_owned()
        };
        let decoded = decode(&raw, Some(label));
        let mut before = None;
        for (at, c) in decoded.text.char_indices() {
            let place = decoded.raw_offset(at);
            prop_assert!(before.is_none_or(|before| before < place));
            before = Some(place);
            prop_assert_eq!(decoded.text_offset(place), at);
            if c == '<' && label != "iso-2022-jp" {
                prop_assert!(raw[place..].starts_with(b"<") || raw[place..].starts_with(b"\0<"));
            }
        }
    }

    #[test]
    fn malformed_bytes_keep_places_in_order(raw in prop::collection::vec(prop::sample::select(&[b'<', b'a', b'0', 0x81, 0xb0, 0xa1, 0xfe, 0xff, 0xe3, 0x1b, b'$', b'B', b'('][..]), 0..80), label in prop::sample::select(&["utf-8", "euc-kr", "shift_jis", "utf-16le", "iso-2022-jp", "gb18030", "euc-jp", "big5"][..])) {
        let decoded = decode(&raw, Some(label));
        let mut before = 0;
        for (at, _) in decoded.text.char_indices() {
            let place = decoded.raw_offset(at);
            prop_assert!(before <= place && place <= raw.len());
            before = place;
        }
        for at in 0..=raw.len() {
            prop_assert!(decoded.text.is_char_boundary(decoded.text_offset(at)));
        }
    }

    #[test]
    fn pieces_hold_no_markup(page in markup()) {
        let _ = pieces(&page);
        let tags = page.replace('<', "&lt;").replace('\0', "");
        prop_assert_eq!(pieces(&tags).len(), usize::from(!tags.is_empty()));
    }
}

/// A small generator of its own, so that a seed means the same pages for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

/// One to eight of: a byte changed, a piece cut out, doubled, moved, a scrap of markup put in, the
/// end cut off.
fn mutate(page: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut page = page.to_vec();
    for _ in 0..=dice.roll(8) {
        let at = dice.roll(page.len());
        let end = (at + dice.roll(200)).min(page.len());
        match dice.roll(6) {
            0 if !page.is_empty() => page[at] = dice.roll(256) as u8,
            1 => drop(page.drain(at..end)),
            2 => {
                let piece = page[at..end].to_vec();
                let to = dice.roll(page.len());
                page.splice(to..to, piece);
            }
            3 => {
                let piece: Vec<u8> = page.drain(at..end).collect();
                let to = dice.roll(page.len());
                page.splice(to..to, piece);
            }
            4 => {
                let scrap = SCRAPS[dice.roll(SCRAPS.len())];
                page.splice(at..at, scrap.bytes());
            }
            _ if dice.roll(10) == 0 => page.truncate(at),
            _ => {}
        }
    }
    page
}

/// Mutated real pages in total; `PRESSMARK_MUTATIONS` sets another number.
const MUTATIONS: usize = 300;

#[test]
fn mutated_real_pages_are_read() {
    let wanted = std::env::var("PRESSMARK_MUTATIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(MUTATIONS);
    let mut pages = Vec::new();
    let step = if wanted > 1000 { 4 } else { 40 };
    if corpus::pages("articles", step, |_, page| pages.push(page)).is_none() {
        return;
    }
    pages.retain(|page| page.len() < 300_000);
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for round in 0..wanted {
        let raw = mutate(&pages[round % pages.len()], &mut dice);
        let http_charset = [None, Some("utf-8"), Some("euc-kr"), Some("utf-16le")][dice.roll(4)];
        let options = ReadOptions {
            http_charset,
            ..ReadOptions::default()
        };
        check(&raw, &read(&raw, &options));
    }
    println!("{wanted} mutations of {} pages", pages.len());
}
