//! The diff, driven through the library: what it must find, and what must hold for any input.

use pressmark::block::{Block, Document, Kind, Mark};
use std::sync::Arc;

use pressmark::diff::{self, Class, Diff, Filter, Op, Options, Place, Reason, Summary, WordOp, apply, diff};
use pressmark::digest::sha256;
use pressmark::history::{self, History, Step, StepKind};
use pressmark::report::diff::{self as report, DisplayOptions, Side};
use pressmark::report::layout::Look;
use proptest::prelude::*;

pub fn block(kind: Kind, text: &str, body: bool) -> Block {
    with_marks(kind, text, body, Vec::new())
}

fn with_marks(kind: Kind, text: &str, body: bool, marks: Vec<Mark>) -> Block {
    let form = format!("{kind}\n{text}\n{marks:?}");
    Block {
        kind,
        text: text.to_owned(),
        text_hash: sha256(text.as_bytes()),
        form_hash: sha256(form.as_bytes()),
        marks,
        body,
        ..Block::default()
    }
}

pub fn document(blocks: Vec<Block>) -> Document {
    let mut at = 0;
    let blocks = blocks
        .into_iter()
        .map(|block| {
            let end = at + block.text.len() + 7;
            let range = at..end;
            at = end;
            Block { range, ..block }
        })
        .collect();
    Document {
        blocks,
        ..Document::default()
    }
}

pub fn paragraphs(texts: &[&str]) -> Document {
    document(texts.iter().map(|text| block(Kind::P, text, true)).collect())
}

pub fn texts(document: &Document) -> Vec<&str> {
    document.blocks.iter().map(|block| block.text.as_str()).collect()
}

/// `op old>new` for every change, as one line.
fn told(diff: &Diff) -> String {
    let list = |at: &[u32]| at.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    diff.changes
        .iter()
        .map(|change| {
            format!(
                "{} {}>{}",
                change.op.as_str(),
                list(&change.old),
                list(&change.new)
            )
        })
        .collect::<Vec<_>>()
        .join(" | ")
}

fn compare(old: &Document, new: &Document) -> Diff {
    let found = diff(old, new, &Options::default());
    assert_eq!(apply(&found, &texts(old)).unwrap(), texts(new));
    found
}

const RIVER: &str = "The river rose by two metres during the night and flooded the lower town.";
const MAYOR: &str = "The mayor asked all families near the harbour to leave their houses at once.";
const SCHOOL: &str = "Schools stay closed until Friday, the education office announced this morning.";
const TRAIN: &str = "Trains between the capital and the coast run again from six in the evening.";

#[test]
fn equal_edited_inserted_deleted() {
    let edited = MAYOR.replace("houses", "homes");
    let found = compare(
        &paragraphs(&[RIVER, MAYOR, SCHOOL]),
        &paragraphs(&[RIVER, &edited, TRAIN]),
    );
    assert_eq!(told(&found), "equal 0>0 | edit 1>1 | delete 2> | insert >2");
    assert!(found.differs());
    assert_eq!(found.class(), Some(Class::Text));
    assert!(found.suspect.is_none() && found.limits.is_empty());
}

#[test]
fn moved_and_moved_with_an_edit() {
    let found = compare(
        &paragraphs(&[RIVER, MAYOR, SCHOOL, TRAIN]),
        &paragraphs(&[RIVER, SCHOOL, TRAIN, MAYOR]),
    );
    assert_eq!(told(&found), "equal 0,2,3>0,1,2 | move 1>3");
    let edited = MAYOR.replace("all families", "everyone");
    let found = compare(
        &paragraphs(&[RIVER, MAYOR, SCHOOL, TRAIN]),
        &paragraphs(&[RIVER, SCHOOL, TRAIN, &edited]),
    );
    let moved = found.edits().next().unwrap();
    assert_eq!((moved.op, moved.moved), (Op::Move, true));
    assert!(!moved.words.is_empty() && moved.similarity < 1.0);
}

#[test]
fn split_and_merge() {
    let whole = format!("{RIVER} {MAYOR}");
    let found = compare(
        &paragraphs(&[&whole, SCHOOL]),
        &paragraphs(&[RIVER, MAYOR, SCHOOL]),
    );
    assert_eq!(told(&found), "split 0>0,1 | equal 1>2");
    let split = &found.changes[0];
    assert_eq!(split.class, Class::Cosmetic);
    assert!(
        split
            .words
            .iter()
            .any(|word| word.op == WordOp::Insert && word.text == "\n")
    );
    let found = compare(
        &paragraphs(&[RIVER, MAYOR, SCHOOL]),
        &paragraphs(&[&whole, SCHOOL]),
    );
    assert_eq!(told(&found), "merge 0,1>0 | equal 2>1");
}

#[test]
fn a_part_behind_paragraphs_that_stay_was_moved() {
    let whole = format!("{RIVER} {MAYOR}");
    let (one, two) = (
        paragraphs(&[&whole, SCHOOL, TRAIN]),
        paragraphs(&[RIVER, SCHOOL, TRAIN, MAYOR]),
    );
    for (old, new, expected) in [
        (&one, &two, "split 0>0,3 | equal 1,2>1,2"),
        (&two, &one, "merge 0,3>0 | equal 1,2>1,2"),
    ] {
        let found = compare(old, new);
        assert_eq!(told(&found), expected);
        let parted = &found.changes[0];
        assert_eq!((parted.moved, parted.class), (true, Class::Text), "{expected}");
        assert_eq!(patched(old, new, None, false), texts(new));
    }
    // What was put between the parts does not move them.
    let found = compare(
        &paragraphs(&[&whole, SCHOOL]),
        &paragraphs(&[RIVER, TRAIN, MAYOR, SCHOOL]),
    );
    assert_eq!(told(&found), "split 0>0,2 | insert >1 | equal 1>3");
    assert!(!found.changes[0].moved);
}

#[test]
fn repeated_paragraphs_are_stable() {
    let found = compare(
        &paragraphs(&["***", RIVER, "***", MAYOR, "***", SCHOOL]),
        &paragraphs(&["***", RIVER, "***", TRAIN, "***", MAYOR, "***", SCHOOL]),
    );
    let edits: Vec<_> = found.edits().map(|change| change.op).collect();
    assert_eq!(edits, [Op::Insert, Op::Insert], "{}", told(&found));
}

#[test]
fn places_and_classes() {
    let old = document(vec![
        block(Kind::H1, "Flood in the lower town", true),
        block(Kind::P, RIVER, true),
        block(Kind::P, "12 people were hurt, the police said on Monday.", true),
        block(Kind::Figcaption, "The harbour at dawn.", true),
        block(Kind::Li, "Most read: ten recipes", false),
    ]);
    let new = document(vec![
        block(Kind::H1, "Thousands flee from the water", true),
        block(Kind::P, &RIVER.replace("river", "River"), true),
        block(Kind::P, "21 people were hurt, the police said on Monday.", true),
        block(Kind::Figcaption, "The harbour at noon.", true),
        block(Kind::Li, "Most read: nine recipes", false),
    ]);
    let found = compare(&old, &new);
    let told: Vec<_> = found
        .changes
        .iter()
        .map(|change| (change.op, change.place, change.class))
        .collect();
    assert_eq!(
        told,
        [
            (Op::Edit, Place::Headline, Class::Text),
            (Op::Edit, Place::Body, Class::Cosmetic),
            (Op::Edit, Place::Body, Class::Numeric),
            (Op::Edit, Place::Caption, Class::Text),
            (Op::Edit, Place::Outside, Class::Text),
        ]
    );
    assert_eq!(
        (found.changes[2].size.deleted, found.changes[2].size.inserted),
        (2, 2)
    );
}

#[test]
fn two_numbers_with_a_word_between_them_are_numbers_only() {
    for (was, is) in [
        (
            "Shares rose from 12.50 to 13.75 on Monday.",
            "Shares rose from 12.60 to 13.85 on Monday.",
        ),
        (
            "It won 1,234 of 5,678 seats in the end.",
            "It won 1,334 of 5,778 seats in the end.",
        ),
    ] {
        let found = compare(&paragraphs(&[was]), &paragraphs(&[is]));
        assert_eq!(
            found.class(),
            Some(Class::Numeric),
            "{:?}",
            found.changes[0].words
        );
    }
}

#[test]
fn a_minus_is_no_decoration() {
    let found = compare(
        &paragraphs(&["The index closed at -3 points today."]),
        &paragraphs(&["The index closed at 3 points today."]),
    );
    assert_eq!(found.changes[0].class, Class::Numeric);
}

fn image(src: &str) -> Block {
    let mark = Mark::Image {
        at: 0,
        src: src.to_owned(),
        alt: String::new(),
    };
    with_marks(Kind::Figure, "", true, vec![mark])
}

#[test]
fn the_same_image_behind_a_thumbnail_is_no_change() {
    let old = document(vec![
        image("https://i.example/a.jpg"),
        block(Kind::P, RIVER, true),
    ]);
    let thumbnail = "//t.example/R600/?fname=http%3A%2F%2Fi.example%2Fa.jpg";
    let new = document(vec![image(thumbnail), block(Kind::P, RIVER, true)]);
    assert!(!compare(&old, &new).differs());

    let other = document(vec![
        image("https://i.example/b.jpg"),
        block(Kind::P, RIVER, true),
    ]);
    let found = compare(&old, &other);
    assert_eq!(told(&found), "edit 0>0 | equal 1>1");
    assert_eq!(found.changes[0].class, Class::Image);

    let by_site = |address: &str| address.rsplit('/').next().unwrap_or_default().replace("b.", "a.");
    let options = Options {
        image_identity: Some(&by_site),
        ..Options::default()
    };
    assert!(!diff(&old, &other, &options).differs());
}

#[test]
fn links_and_emphasis_are_form_changes() {
    let link = |href: &str| Mark::Link {
        range: 0..3,
        href: href.to_owned(),
    };
    let one = document(vec![with_marks(Kind::P, RIVER, true, vec![link("/a")])]);
    let two = document(vec![with_marks(Kind::P, RIVER, true, vec![link("/b")])]);
    let found = compare(&one, &two);
    assert_eq!(found.changes[0].class, Class::Link);
    assert!(found.changes[0].words.is_empty());
    let bold = Mark::Emphasis {
        range: 0..3,
        tag: "b",
    };
    let plain = document(vec![with_marks(Kind::P, RIVER, true, vec![])]);
    let strong = document(vec![with_marks(Kind::P, RIVER, true, vec![bold])]);
    assert_eq!(compare(&plain, &strong).changes[0].class, Class::Markup);
}

fn side(document: &Document) -> Side<'_> {
    Side {
        name: "page.html",
        moment: None,
        document,
    }
}

/// So wide that no line is wrapped.
const PLAIN: Look = Look {
    width: 1_000_000,
    color: false,
};

/// What the terminal shows of the difference.
fn printed(old: &Document, new: &Document) -> String {
    let mut out = Vec::new();
    let found = compare(old, new);
    let options = DisplayOptions::default();
    report::terminal(side(old), side(new), &found, options, PLAIN, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn thousands_of_marks_on_one_long_text_are_told_in_short() {
    let text = "so it was said ".repeat(200);
    let page = |tag: &'static str| {
        let mark = Mark::Emphasis { range: 0..2999, tag };
        document(vec![with_marks(Kind::P, text.trim(), true, vec![mark; 500])])
    };
    let out = printed(&page("b"), &page("i"));
    assert!(out.contains("[-b on “so it was said"), "{out}");
    assert!(out.contains("{+400 more+}"), "{out}");
    assert!(out.len() < 50_000, "{}", out.len());
}

#[test]
fn a_space_that_came_or_went_is_seen_in_colours_too() {
    let look = Look { color: true, ..PLAIN };
    for (was, is, mark) in [
        ("그는 할 수있다", "그는 할 수 있다", "{+ +}"),
        ("the price is ten", "the price isten", "[- -]"),
        ("zero width here", "zero\u{200b} width here", "{+\u{200b}+}"),
    ] {
        let (old, new) = (paragraphs(&[was]), paragraphs(&[is]));
        let (found, mut out) = (compare(&old, &new), Vec::new());
        let options = DisplayOptions::default();
        report::terminal(side(&old), side(&new), &found, options, look, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains(mark), "{out:?}");
    }
}

#[test]
fn emphasis_that_moved_to_an_equal_word_is_told() {
    let page = |start: u32| {
        let mark = Mark::Emphasis {
            range: start..start + 3,
            tag: "b",
        };
        document(vec![with_marks(Kind::P, RIVER, true, vec![mark])])
    };
    let (first, second) = (RIVER.find("the night").unwrap(), RIVER.find("the lower").unwrap());
    let out = printed(&page(first as u32), &page(second as u32));
    assert!(out.contains("[-b on “the”-] {+b on “the”+}"), "{out}");
}

#[test]
fn a_moved_block_is_missed_where_it_was() {
    let (old, new) = (
        paragraphs(&[RIVER, SCHOOL, MAYOR, TRAIN]),
        paragraphs(&[RIVER, MAYOR, TRAIN, SCHOOL]),
    );
    let mut html = Vec::new();
    pressmark::report::html::diff(side(&old), side(&new), &compare(&old, &new), &mut html).unwrap();
    let html = String::from_utf8(html).unwrap();
    let at = |text: &str| html.find(text).unwrap();
    assert!(at(RIVER) < at("moved from here") && at("moved from here") < at(MAYOR));
}

#[test]
fn where_a_link_leads_now_is_told_in_every_form() {
    let page = |text: &str, href: &str| {
        let link = Mark::Link {
            range: 0..3,
            href: href.to_owned(),
        };
        let bold = Mark::Emphasis {
            range: 0..text.len() as u32,
            tag: "b",
        };
        document(vec![with_marks(Kind::P, text, true, vec![link, bold])])
    };
    let edited = MAYOR.replace("houses", "homes");
    // The link alone, and the link with the words.
    for (old, new) in [
        (page(MAYOR, "/minutes"), page(MAYOR, "/advert")),
        (page(MAYOR, "/minutes"), page(&edited, "/advert")),
    ] {
        let found = compare(&old, &new);
        let options = DisplayOptions::default();
        let mut columns = Vec::new();
        report::side_by_side(side(&old), side(&new), &found, options, PLAIN, &mut columns).unwrap();
        let mut html = Vec::new();
        pressmark::report::html::diff(side(&old), side(&new), &found, &mut html).unwrap();
        let inline = printed(&old, &new);
        for (form, twice) in [
            (inline, false),
            (String::from_utf8(columns).unwrap(), false),
            (String::from_utf8(html).unwrap(), true),
        ] {
            for link in ["link /minutes", "link /advert"] {
                let times = form.matches(link).count();
                assert_eq!(times, 1 + usize::from(twice), "{link}: {form}");
            }
            assert!(!form.contains("b on “"), "{form}");
        }
    }
    // A mail address that is only hidden in another way is the same link.
    let hidden = |hidden: &str| format!("/cdn-cgi/l/email-protection#{hidden}");
    let (old, new) = (
        page(MAYOR, &hidden("00614062")),
        page(&edited, &hidden("01604163")),
    );
    assert!(!printed(&old, &new).contains("email-protection"));
}

/// What the hunks of a unified diff make of the old texts.
fn patched(old: &Document, new: &Document, filter: Option<&Filter>, all: bool) -> Vec<String> {
    let found = diff(
        old,
        new,
        &Options {
            filter,
            ..Options::default()
        },
    );
    let mut out = Vec::new();
    let options = DisplayOptions { all, whole: false };
    report::unified(side(old), side(new), &found, options, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let old = texts(old);
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let (mut made, mut next) = (Vec::new(), 0);
    for line in out.lines().skip_while(|line| !line.starts_with("@@")) {
        if let Some(head) = line.strip_prefix("@@ -") {
            let numbers: Vec<usize> = head
                .split([',', ' ', '+', '@'])
                .filter_map(|number| number.parse().ok())
                .collect();
            let [old_start, old_count, new_start, new_count] = numbers[..] else {
                panic!("{line}");
            };
            // An empty side names the line before it.
            let from = old_start - usize::from(old_count > 0);
            made.extend(owned(&old[next..from]));
            next = from;
            assert_eq!(made.len(), new_start - usize::from(new_count > 0), "{out}");
        } else if let Some(gone) = line.strip_prefix('-') {
            assert_eq!(old[next], gone, "{out}");
            next += 1;
        } else {
            made.push(line.strip_prefix('+').unwrap().to_owned());
        }
    }
    made.extend(owned(&old[next..]));
    made
}

#[test]
fn hunks_make_of_the_old_list_what_is_shown() {
    let edited = MAYOR.replace("houses", "homes");
    let outside = |text: &str| block(Kind::Li, text, false);
    let body = |text: &str| block(Kind::P, text, true);
    let (home, teaser) = (outside("Home"), outside("Elections on Sunday: maps and results"));
    let plain = document(vec![home.clone(), body(MAYOR), body(RIVER)]);
    let with_teaser = document(vec![home.clone(), teaser.clone(), body(MAYOR), body(RIVER)]);
    let plain_edited = document(vec![home.clone(), body(&edited), body(RIVER), body(SCHOOL)]);
    let teaser_edited = document(vec![home, teaser, body(&edited), body(RIVER), body(SCHOOL)]);
    // An insertion that is not shown, and a deletion.
    assert_eq!(patched(&plain, &teaser_edited, None, false), texts(&plain_edited));
    assert_eq!(
        patched(&with_teaser, &plain_edited, None, false),
        texts(&teaser_edited)
    );
    assert_eq!(patched(&plain, &teaser_edited, None, true), texts(&teaser_edited));
    let no_insertions = Filter {
        ignore: vec!["insert".parse().unwrap()],
        ..Filter::default()
    };
    assert_eq!(
        patched(&plain, &teaser_edited, Some(&no_insertions), true),
        ["Home", &edited, RIVER]
    );
    let (old, new) = (
        paragraphs(&[RIVER, MAYOR, SCHOOL, TRAIN]),
        paragraphs(&[SCHOOL, RIVER, &edited, TRAIN]),
    );
    assert_eq!(patched(&old, &new, None, false), texts(&new));
}

#[test]
fn what_stands_for_a_text_is_one_line_of_a_hunk() {
    let image = Mark::Image {
        at: 0,
        src: "/a.jpg".to_owned(),
        alt: "a\n+forged".to_owned(),
    };
    let (old, new) = (
        paragraphs(&[RIVER]),
        document(vec![
            block(Kind::P, RIVER, true),
            with_marks(Kind::Figure, "", true, vec![image]),
        ]),
    );
    let mut out = Vec::new();
    let found = compare(&old, &new);
    report::unified(
        side(&old),
        side(&new),
        &found,
        DisplayOptions::default(),
        &mut out,
    )
    .unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.ends_with("+(image: a +forged)\n"), "{out}");
}

#[test]
fn filters_leave_out_and_count() {
    let old = document(vec![
        block(Kind::P, RIVER, true),
        block(Kind::P, "12 people were hurt, the police said on Monday.", true),
        block(Kind::Li, "Most read: ten recipes", false),
    ]);
    let new = document(vec![
        block(Kind::P, &RIVER.replace("river", "River"), true),
        block(Kind::P, "21 people were hurt, the police said on Monday.", true),
        block(Kind::Li, "Most read: nine recipes", false),
    ]);
    let filter = Filter {
        min_class: Some(Class::Text),
        places: vec![Place::Body],
        ignore: vec!["text=*police*".parse().unwrap()],
    };
    let options = Options {
        filter: Some(&filter),
        ..Options::default()
    };
    let found = diff(&old, &new, &options);
    assert!(!found.differs());
    assert_eq!(found.ignored.changes, 3);
    let reasons: Vec<_> = found
        .ignored
        .reasons
        .iter()
        .map(|(name, n)| (name.as_str(), *n))
        .collect();
    assert_eq!(reasons, [("cosmetic", 1), ("text=*police*", 1), ("outside", 1)]);
    assert!(apply(&found, &texts(&old)).is_err());
    assert!(
        "nonsense"
            .parse::<diff::Ignore>()
            .unwrap_err()
            .to_string()
            .contains("numeric")
    );
}

#[test]
fn an_extraction_that_jumps_is_suspect() {
    let all = [RIVER, MAYOR, SCHOOL, TRAIN];
    let as_body = |body: bool| document(all.iter().map(|text| block(Kind::P, text, body)).collect());
    let found = compare(&as_body(true), &as_body(false));
    assert_eq!(found.suspect.unwrap().reason, Reason::Relabelled);
    let found = compare(&paragraphs(&all), &paragraphs(&[]));
    assert_eq!(found.suspect.unwrap().reason, Reason::Emptied);
    let found = compare(&paragraphs(&all), &paragraphs(&["Page not found"]));
    assert_eq!(found.suspect.unwrap().reason, Reason::Shrunk);
    // A stub that grows to an article is no jump of the extraction.
    let found = compare(&paragraphs(&["Flood in the lower town."]), &paragraphs(&all));
    assert!(found.suspect.is_none());
}

#[test]
fn json_has_the_published_keys() {
    let found = compare(&paragraphs(&[RIVER]), &paragraphs(&[MAYOR]));
    let json = serde_json::to_value(&found).unwrap();
    let change = json["changes"][0].as_object().unwrap();
    for key in [
        "op",
        "place",
        "class",
        "old",
        "new",
        "old_ranges",
        "new_ranges",
        "similarity",
        "words",
    ] {
        assert!(change.contains_key(key), "{key}");
    }
    assert_eq!(change["op"], "delete");
    assert_eq!(change["words"][0]["op"], "delete");
    assert_eq!(change["old_ranges"][0][0], 0);
}

const SENTENCES: [&str; 12] = [
    RIVER,
    MAYOR,
    SCHOOL,
    TRAIN,
    "***",
    "",
    "관객 1,234명이 어제 극장을 찾았다고 배급사가 밝혔다.",
    "정부는 내년 예산을 3.5% 늘리기로 했다.",
    "東京では雨が降り、電車が止まった。",
    "市议会星期一讨论了新桥的预算。",
    "قال الوزير إن العمل سيبدأ غدا.",
    "12",
];

fn any_block() -> impl Strategy<Value = Block> {
    let text = prop_oneof![
        6 => proptest::sample::select(&SENTENCES[..]).prop_map(str::to_owned),
        2 => (0..SENTENCES.len(), 0..SENTENCES.len())
            .prop_map(|(a, b)| format!("{} {}", SENTENCES[a], SENTENCES[b]).trim().to_owned()),
        2 => (0..SENTENCES.len(), 0..40_usize, "[a-z가-힣0-9,.% ]{0,6}").prop_map(|(at, cut, put)| {
            let cut = SENTENCES[at].char_indices().nth(cut).map_or(0, |(at, _)| at);
            let (head, tail) = SENTENCES[at].split_at(cut);
            format!("{head}{put}{tail}").trim().to_owned()
        }),
        1 => "\\PC{0,30}".prop_map(|text| text.replace('\n', " ")),
    ];
    let kind = proptest::sample::select(vec![Kind::P, Kind::H1, Kind::Li, Kind::Figcaption]);
    (
        kind,
        text,
        any::<bool>(),
        proptest::option::weighted(0.1, "[ab]\\.jpg"),
    )
        .prop_map(|(kind, text, body, src)| {
            let marks = src.map(|src| Mark::Image {
                at: 0,
                src,
                alt: String::new(),
            });
            with_marks(kind, &text, body, marks.into_iter().collect())
        })
}

fn any_document() -> impl Strategy<Value = Document> {
    proptest::collection::vec(any_block(), 0..24).prop_map(document)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PRESSMARK_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(256)
    ))]

    #[test]
    fn applying_a_diff_gives_the_new_texts(old in any_document(), new in any_document()) {
        let found = diff(&old, &new, &Options::default());
        prop_assert_eq!(apply(&found, &texts(&old)).unwrap(), texts(&new));
        prop_assert_eq!(&diff(&old, &new, &Options::default()), &found);
        prop_assert!(found.limits.is_empty());
        for change in &found.changes {
            prop_assert!((0.0..=1.0).contains(&change.similarity));
            prop_assert!((0.0..=1.0).contains(&change.size.share));
            prop_assert!(change.words.iter().all(|word| !word.text.is_empty()));
            if change.op == Op::Edit && change.words.is_empty() {
                prop_assert!(old.blocks[change.old[0] as usize].form_hash
                    != new.blocks[change.new[0] as usize].form_hash);
            }
        }
    }

    #[test]
    fn a_document_does_not_differ_from_itself(one in any_document()) {
        let found = diff(&one, &one, &Options::default());
        prop_assert!(!found.differs());
        prop_assert!(found.suspect.is_none() && found.limits.is_empty());
    }

    #[test]
    fn words_tell_both_texts(old in "[ab 1,%가나 は東]{0,40}", new in "[ab 1,%가나 は東]{0,40}") {
        let words = diff::words(&old, &new);
        let side = |leave: WordOp| -> String {
            words.iter().filter(|word| word.op != leave).map(|word| word.text.as_str()).collect()
        };
        prop_assert_eq!(side(WordOp::Insert), old);
        prop_assert_eq!(side(WordOp::Delete), new);
    }
}

fn told_by(history: &mut History, n: u64, texts: &[&str]) -> Step {
    let told = history.push(n, Arc::new(paragraphs(texts)), None, &history::Options::default());
    assert!(told.settled.is_none());
    told.step
}

fn summary(step: &Step) -> String {
    Summary::of(step.diff.as_ref().unwrap()).to_string()
}

fn edits(step: &Step) -> usize {
    let edits = step.diff.as_ref().unwrap().edits().count();
    assert_eq!(edits, step.pasts.len());
    edits
}

#[test]
fn a_paragraph_that_only_counts_as_the_article_now_is_told_as_that() {
    let page = |body: bool| {
        let mut blocks = paragraphs(&[MAYOR]).blocks;
        blocks.push(block(Kind::P, "The council meets again on Thursday.", body));
        Arc::new(document(blocks))
    };
    let options = history::Options::default();
    let mut history = History::new();
    history.push(1, page(false), None, &options);
    let step = history.push(2, page(true), None, &options).step;
    assert_eq!(step.kind, StepKind::Revision);
    assert!(step.shows());
    let summary = step.summary().unwrap();
    assert!(summary.starts_with("label changed"), "{summary}");
}

#[test]
fn an_edit_that_is_left_out_is_no_other_label() {
    let page = |text: &str, counter: &str| {
        Arc::new(document(vec![
            block(Kind::P, text, true),
            block(Kind::P, counter, false),
        ]))
    };
    let filter = Filter {
        places: vec![Place::Outside],
        ..Filter::default()
    };
    let options = history::Options {
        diff: Options {
            filter: Some(&filter),
            ..Options::default()
        },
        outside: true,
    };
    let mut history = History::new();
    history.push(1, page(MAYOR, "Read 10 times"), None, &options);
    let edited = MAYOR.replace("houses", "homes");
    let step = history
        .push(2, page(&edited, "Read 20 times"), None, &options)
        .step;
    assert_eq!(step.kind, StepKind::Revision);
    assert_eq!(step.summary().unwrap(), "outside 1; ignored 1");
}

#[test]
fn blame_follows_edits_moves_and_splits() {
    let edited = MAYOR.replace("houses", "homes");
    let mut history = History::new();
    let first = told_by(&mut history, 1, &[RIVER, MAYOR, SCHOOL]);
    assert_eq!((first.kind, first.previous), (StepKind::First, None));
    let second = told_by(&mut history, 2, &[RIVER, &edited, SCHOOL]);
    assert_eq!(summary(&second), "text 1 in body");
    let third = told_by(&mut history, 3, &[SCHOOL, RIVER, &edited, TRAIN]);
    assert_eq!(third.kind, StepKind::Revision);
    assert_eq!(edits(&third), 2);
    let fourth = told_by(&mut history, 4, &[SCHOOL, &format!("{RIVER} {edited}"), TRAIN]);
    assert_eq!(
        fourth.diff.as_ref().unwrap().edits().next().unwrap().op,
        Op::Merge
    );
    assert_eq!(fourth.pasts[0].paragraphs, [0, 1]);
    assert_eq!(summary(&fourth), "merged 1");
    assert_eq!(
        history.same(5, &history::Options::default()).step.kind,
        StepKind::Same
    );
    let blame = history.blame().unwrap();
    let past: Vec<_> = blame
        .paragraphs
        .iter()
        .map(|one| (one.paragraph, one.first, one.changed, one.edits))
        .collect();
    assert_eq!(past, [(2, 1, 1, 0), (0, 1, 2, 1), (3, 3, 3, 0)]);
}

#[test]
fn a_paragraph_that_comes_back_is_known_again() {
    let mut history = History::new();
    told_by(&mut history, 1, &[RIVER, MAYOR, SCHOOL]);
    told_by(&mut history, 2, &[RIVER, SCHOOL]);
    told_by(&mut history, 3, &[RIVER, MAYOR, SCHOOL]);
    let blame = history.blame().unwrap();
    let mayor = &blame.paragraphs[1];
    assert_eq!((mayor.paragraph, mayor.first, mayor.changed), (1, 1, 3));
}

#[test]
fn a_jump_that_goes_away_is_no_edit() {
    let all = [RIVER, MAYOR, SCHOOL, TRAIN];
    let mut history = History::new();
    told_by(&mut history, 1, &all);
    let jump = told_by(&mut history, 2, &["Please log in"]);
    assert_eq!(jump.kind, StepKind::Suspect);
    assert!(jump.pasts.is_empty());
    assert!(summary(&jump).starts_with("suspect: shrunk"));
    let back = told_by(&mut history, 3, &all);
    assert_eq!((back.kind, back.previous), (StepKind::Same, Some(1)));
    // A jump that stays is taken over, and what it changed is told late.
    told_by(&mut history, 4, &["Please log in"]);
    let options = history::Options::default();
    let stays = history.push(5, Arc::new(paragraphs(&["Please log in now"])), None, &options);
    let settled = stays.settled.unwrap();
    assert_eq!(
        (settled.n, settled.kind, edits(&settled)),
        (4, StepKind::Revision, 5)
    );
    assert_eq!(
        (stays.step.kind, stays.step.previous),
        (StepKind::Revision, Some(4))
    );
    let blame = history.blame().unwrap();
    assert_eq!((blame.n, blame.paragraphs.len()), (5, 1));
    // It also stays if the next snapshot is known to say the same.
    told_by(&mut history, 6, &all);
    told_by(&mut history, 7, &["Please log in"]);
    let stays = history.same(8, &options);
    assert_eq!(stays.settled.map(|step| step.n), Some(7));
    assert_eq!((stays.step.kind, stays.step.previous), (StepKind::Same, Some(7)));
}

#[test]
fn what_is_told_is_what_the_filter_leaves() {
    let filter = Filter {
        min_class: Some(Class::Text),
        ..Filter::default()
    };
    let options = history::Options {
        diff: Options {
            filter: Some(&filter),
            ..Options::default()
        },
        outside: false,
    };
    let mut history = History::new();
    let mut push = |n: u64, texts: &[&str]| history.push(n, Arc::new(paragraphs(texts)), None, &options).step;
    push(1, &[RIVER, MAYOR]);
    let step = push(2, &[&RIVER.replace("river", "River"), MAYOR]);
    assert_eq!(step.kind, StepKind::Same);
    assert_eq!(summary(&step), "ignored 1");
    let step = push(3, &[MAYOR]);
    assert_eq!((edits(&step), step.previous), (1, Some(2)));
    assert_eq!(
        (step.pasts[0].first, step.pasts[0].paragraphs.as_slice()),
        (1, &[0][..])
    );
}

#[test]
fn changes_outside_are_told_only_where_asked_for() {
    let page = |counter: &str| {
        Arc::new(document(vec![
            block(Kind::P, RIVER, true),
            block(Kind::Li, counter, false),
        ]))
    };
    for outside in [false, true] {
        let options = history::Options {
            outside,
            ..history::Options::default()
        };
        let mut history = History::new();
        history.push(1, page("Read by 12"), None, &options);
        let step = history.push(2, page("Read by 13"), None, &options).step;
        assert_eq!((step.kind, edits(&step)), (StepKind::Same, usize::from(outside)));
    }
}

#[test]
fn many_like_blocks_edited_in_place_are_paired() {
    let lines = |word: &str| -> Vec<String> {
        (0..3000)
            .map(|at| {
                format!(
                    "Entry {} {word} stands in the long list of {}",
                    at * 7919 % 10_007,
                    at % 5
                )
            })
            .collect()
    };
    let of = |lines: &[String]| paragraphs(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let found = compare(&of(&lines("still")), &of(&lines("no longer")));
    assert_eq!(found.changes.len(), 3000);
    assert!(
        found
            .changes
            .iter()
            .all(|change| change.op == Op::Edit && change.old == change.new)
    );
}

#[test]
fn hostile_pairs_are_told_completely() {
    let random = |seed: u64| -> Vec<String> {
        let mut state = seed;
        (0..4000)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                format!("{state:x} {:x}", state.rotate_left(17))
            })
            .collect()
    };
    let of = |lines: &[String]| paragraphs(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let (one, two) = (random(1), random(2));
    let reversed: Vec<String> = one.iter().rev().cloned().collect();
    let repeated = vec![one[0].clone(); 4000];
    let few: Vec<String> = (0..4000).map(|at| format!("Line {}", at * 5 % 13)).collect();
    let other: Vec<String> = (0..3000).map(|at| format!("Line {}", at * 7 % 13)).collect();
    for (old, new) in [
        (&one, &two),
        (&one, &reversed),
        (&repeated, &one),
        (&few, &other),
        (&one, &Vec::new()),
    ] {
        compare(&of(old), &of(new));
    }
    let moved = compare(&of(&one), &of(&reversed));
    assert_eq!(moved.edits().filter(|change| change.op == Op::Move).count(), 3999);
    let cut = compare(&of(&few), &of(&other));
    assert!(!cut.limits.is_empty());
    let long = |lines: &[String]| paragraphs(&[&lines.join(" ").repeat(8)]);
    let found = compare(&long(&one), &long(&two));
    assert!(!found.limits.is_empty());
}
