//! Body labels and site rules over pages read from bytes: what is chosen, why, and how steadily.

use std::collections::BTreeMap;

use pressmark::block::Document;
use pressmark::digest::Hash;
use pressmark::html::{self, ReadOptions};
use pressmark::label::{Rules, SiteRule, article_hash, explain, label};
use proptest::prelude::*;

use crate::corpus;

fn guessed() -> SiteRule {
    Rules::builtin().for_host(None).clone()
}

fn read(page: &str, rule: &SiteRule) -> Document {
    let mut document = html::read(page.as_bytes(), &ReadOptions::default());
    label(&mut document, rule);
    document
}

fn body(page: &str, rule: &SiteRule) -> Vec<String> {
    let document = read(page, rule);
    document
        .blocks
        .into_iter()
        .filter(|block| block.body)
        .map(|block| block.text)
        .collect()
}

const FERRY: &str =
    "The ferry to the outer islands will sail twice a day from Monday, the harbour office said.";
const BRIDGE: &str =
    "Engineers closed the old bridge for a week, because two of its cables had begun to rust.";
const NIGHT: &str = "Residents asked for a night boat as well; a decision is expected before the summer.";

/// A page as many sites build it: menu, article, sharing, related links, comments, footer.
fn site(article: &str) -> String {
    format!(
        "<!doctype html><title>Harbour Gazette</title><body class='single single-post'>
         <header class='site-header'><ul class='menu'><li><a href=/>Home</a><li><a href=/sport>Sport</a></ul></header>
         {article}
         <div class='share-bar'><a href=/f>Share this page with all of your friends and followers today.</a></div>
         <aside><h2>Most read</h2><p>A short text about another article of the day, to be clicked on.</p></aside>
         <section id=comments><p>I have taken this ferry for thirty years, and never once was it on time.</p></section>
         <footer><p>The Harbour Gazette is printed on Wednesdays. All letters are answered.</p></footer>"
    )
}

#[test]
fn the_body_is_found_whatever_the_article_is_called() {
    let paragraphs = format!("<p>{FERRY}<p>{BRIDGE}<h2>A night boat</h2><p>{NIGHT}");
    let expected = [FERRY, BRIDGE, "A night boat", NIGHT];
    for article in [
        format!("<div itemprop=articleBody>{paragraphs}</div>"),
        format!("<section dmcf-sid=q>{paragraphs}</section>"),
        format!("<div class='c-article__body'>{paragraphs}</div>"),
        format!("<article><div class=x1>{paragraphs}</div></article>"),
        format!("<main>{paragraphs}</main>"),
        format!("<div><div>{paragraphs}</div></div>"),
        format!("<table><tr><td>{paragraphs}</td></tr></table>"),
    ] {
        assert_eq!(body(&site(&article), &guessed()), expected, "{article}");
    }
}

#[test]
fn korean_pages_without_any_names_are_found_too() {
    let first = "바깥 섬으로 가는 여객선이 월요일부터 하루 두 번 운항한다고 항만 사무소가 밝혔다.";
    let second = "오래된 다리는 철선 두 가닥에 녹이 슬기 시작해 일주일 동안 통행이 막혔다.";
    let page = format!(
        "<ul><li><a href=/>홈</a><li><a href=/s>스포츠</a></ul><div><p>{first}</p><p>{second}</p>\
         <p>▶ 관련기사 더보기</p></div><p>무단전재 및 재배포 금지</p>"
    );
    assert_eq!(body(&page, &guessed()), [first, second]);
}

#[test]
fn declared_blocks_are_the_body_and_what_is_put_between_them_too() {
    let hash = "0".repeat(64);
    let page = site(&format!(
        "<section dmcf-sid=q><p contents-hash={hash}>{FERRY}</p><p>Smuggled in.</p>\
         <figure contents-hash={hash}><img src=a.jpg><figcaption>The ferry.</figcaption></figure></section>\
         <div class=article-body><p>{BRIDGE}</p><p>{NIGHT}</p></div>"
    ));
    assert_eq!(body(&page, &guessed()), [FERRY, "Smuggled in.", "The ferry."]);
}

#[test]
fn an_element_around_the_body_is_not_what_its_names_say() {
    let page = site(&format!(
        "<div class='comment teaser page'><div itemprop=articleBody><p class=paywall>{FERRY}<p>{BRIDGE}</div></div>\
         <div class=comments><p>{NIGHT} {NIGHT} {NIGHT} {NIGHT} {NIGHT}</p></div>"
    ));
    assert_eq!(body(&page, &guessed()), [FERRY, BRIDGE]);
}

#[test]
fn crumbs_inside_the_body_are_left_out() {
    let page = site(&format!(
        "<article><h1>Twice a day</h1><p class=byline>By Mara Lind</p><p>{FERRY}</p>\
         <p><a href=/1>Read more about the ferries</a></p><p>Advertisement</p><p>{BRIDGE}</p>\
         <div class=related-links><p>{NIGHT}</p></div><p>Photo: Mara Lind</p><h3>Related</h3></article>"
    ));
    assert_eq!(body(&page, &guessed()), ["Twice a day", FERRY, BRIDGE]);
}

#[test]
fn the_lead_between_headline_and_body_belongs_to_it() {
    let page = site(&format!(
        "<h1>Twice a day</h1><p>{NIGHT}</p><p>Tuesday</p><div class=article-body><p>{FERRY}<p>{BRIDGE}</div>"
    ));
    assert_eq!(body(&page, &guessed()), [NIGHT, FERRY, BRIDGE]);
}

#[test]
fn a_lead_may_be_called_a_teaser_and_stand_under_a_lesser_headline() {
    let page = site(&format!(
        "<h2>Twice a day to the islands</h2><div class=teaser-text><p>{NIGHT}</p></div>\
         <div class=article-body><p>{FERRY}<p>{BRIDGE}</div>\
         <div class=teaser><p><a href=/2>{NIGHT}</a></p></div>"
    ))
    .replace("<title>", "<title>Twice a day to the islands - ");
    assert_eq!(body(&page, &guessed()), [NIGHT, FERRY, BRIDGE]);
}

#[test]
fn the_article_with_the_headline_is_told_from_teasers_that_are_articles_too() {
    let teaser = format!("<article class=item><h4>Night boat</h4><p>{NIGHT} {NIGHT} {NIGHT}</p></article>");
    let page = site(&format!(
        "<article class='content has-related no-promo'><h1>Twice a day</h1><p>{FERRY}<p>{BRIDGE}</article>{}",
        teaser.repeat(4)
    ));
    assert_eq!(body(&page, &guessed()), ["Twice a day", FERRY, BRIDGE]);
    // A front page has no such article: all of them are its body.
    let front = site(
        &[FERRY, BRIDGE, NIGHT]
            .map(|text| format!("<article class='x{}'><p>{text}</article>", text.len()))
            .concat(),
    );
    assert_eq!(body(&front, &guessed()), [FERRY, BRIDGE, NIGHT]);
}

#[test]
fn a_site_rule_decides_alone_and_falls_back_where_it_selects_nothing() {
    let rules = Rules::builtin()
        .with_toml(
            "[[site]]\nhosts = ['gazette.example']\narticle = ['div.gone', 'div#story']\n\
             ignore = ['p.note']\ntitle = ['h1']\nbyline = ['.who']\npublished = ['.when']",
        )
        .unwrap();
    let rule = rules.for_host(Some("gazette.example"));
    let page = site(&format!(
        "<h1>Twice a day</h1><p class=who>Mara Lind</p><p class=when>4 January</p>\
         <div id=story><p>Ad.</p><p class=note>{NIGHT}</p></div><article><p>{FERRY}<p>{BRIDGE}</article>"
    ));
    let document = read(&page, rule);
    assert_eq!(body(&page, rule), ["Ad."]);
    assert_eq!(document.headline.as_deref(), Some("Twice a day"));
    assert_eq!(document.byline.as_deref(), Some("Mara Lind"));
    assert_eq!(document.published.as_deref(), Some("4 January"));
    assert_eq!(document.title.as_deref(), Some("Harbour Gazette"));

    let relaunched = page.replace("id=story", "id=new-layout");
    assert_eq!(body(&relaunched, rule), [FERRY, BRIDGE]);
}

#[test]
fn every_label_has_its_reason() {
    let page = site(&format!(
        "<article><h1>Twice</h1><p>{FERRY}<p>{BRIDGE}<p>Foto: Mara</article>"
    ));
    let document = read(&page, &guessed());
    let reasons = explain(&document, &guessed());
    assert_eq!(reasons.len(), document.blocks.len());
    for (index, (reason, block)) in reasons.iter().zip(&document.blocks).enumerate() {
        assert_eq!((reason.block, reason.body), (index, block.body), "{reason}");
    }
    let of = |text: &str| {
        let at = document
            .blocks
            .iter()
            .position(|block| block.text == text)
            .unwrap();
        reasons[at].to_string()
    };
    assert!(of(FERRY).contains("by container: in article"), "{}", of(FERRY));
    assert!(of("Foto: Mara").contains("by phrase"), "{}", of("Foto: Mara"));
}

#[test]
fn a_label_changes_neither_blocks_nor_their_hashes() {
    let page = site(&format!(
        "<article><p contents-hash=x>{FERRY}<p>{BRIDGE}</article>"
    ));
    let before = html::read(page.as_bytes(), &ReadOptions::default());
    let mut after = read(&page, &guessed());
    assert_ne!(article_hash(&before), article_hash(&after));
    after.blocks.iter_mut().for_each(|block| block.body = false);
    assert_eq!(before, after);
}

#[test]
fn pages_without_text_and_endless_ones_are_labelled_in_time() {
    for page in ["", "<p>", "<img src=a.png>", "<div><div>"] {
        assert!(body(page, &guessed()).is_empty(), "{page}");
    }
    let deep = "<div class='article-body related'>".repeat(100_000) + FERRY;
    let wide = format!("<article>{}</article>", format!("<p>{FERRY}").repeat(20_000));
    let started = std::time::Instant::now();
    assert_eq!(body(&deep, &guessed()), [FERRY]);
    assert_eq!(body(&wide, &guessed()).len(), 20_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn as_many_headlines_as_blocks_are_looked_through_in_time() {
    let rules = Rules::builtin();
    let page = "<h3 class=tit_view>x".repeat(250_000);
    let started = std::time::Instant::now();
    let document = read(&page, rules.for_host(Some("v.daum.net")));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    assert_eq!(document.headline.as_deref(), Some("x"));
}

#[test]
fn endless_names_are_not_repeated_in_every_reason() {
    let names = "x".repeat(100_000);
    let page = format!(
        "<article class={names} id={names}>{}</article>",
        format!("<p>{FERRY}").repeat(1000)
    );
    let reasons = explain(&read(&page, &guessed()), &guessed());
    assert!(reasons[0].detail.starts_with("in article#xxx"), "{}", reasons[0]);
    assert!(reasons.iter().all(|reason| reason.detail.len() < 1000));
}

/// Paragraphs of running text, 30 to 240 characters.
fn paragraphs() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[A-Z][a-z]{2,8}( [a-z]{2,9}){6,30}\\.", 4..12)
}

proptest! {
    /// The promise behind article hashes: an edit of one paragraph leaves the labels of the others.
    #[test]
    fn an_edit_moves_no_other_label(
        paragraphs in paragraphs(),
        at in any::<prop::sample::Index>(),
        edited in "[A-Z][a-z]{2,8}( [a-z]{2,9}){0,40}\\.?",
        container in prop::sample::select(vec!["<article>", "<div class=entry-content>", "<main>", "<div>"]),
    ) {
        let page = |paragraphs: &[String]| {
            let inner: Vec<String> = paragraphs.iter().map(|text| format!("<p>{text}</p>")).collect();
            let inner = inner.concat();
            site(&format!("{container}{inner}"))
        };
        let mut after = paragraphs.clone();
        let at = at.index(after.len());
        after[at] = edited;
        let [old, new] = [page(&paragraphs), page(&after)].map(|page| read(&page, &guessed()));
        for (index, (old, new)) in old.blocks.iter().zip(&new.blocks).enumerate() {
            if old.text == new.text {
                prop_assert_eq!(old.body, new.body, "block {}: {}", index, old.text);
            }
        }
    }

    #[test]
    fn any_markup_is_labelled_and_explained(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<div class='nav body'>", "</div>", "<article>", "</article>", "<p>", "<li>", "<a href=x>", "</a>",
            "<h1>", "</h1>", "<td>", "<section id=comments>", "<figure>", "<figcaption>", "<p contents-hash=1>",
            "The harbour opened, at last, to every boat of the outer islands.", "Foto: x", "2026-01-04 10:30", "\u{0}",
        ]), 0..60)
    ) {
        let document = read(&parts.concat(), &guessed());
        prop_assert_eq!(explain(&document, &guessed()).len(), document.blocks.len());
    }
}

/// All revisions of the corpus: of the blocks that two consecutive ones share, at most 0.2 % may
/// change their label. `cargo test --release --test it steady -- --ignored`
#[test]
#[ignore = "reads every revision of the corpus"]
fn labels_are_steady_over_real_revisions() {
    let (mut shared, mut flipped) = (0, 0);
    let mut before: Option<(String, BTreeMap<Hash, [usize; 2]>)> = None;
    let seen = corpus::pages("revisions", 1, |name, raw| {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let mut document = html::read(&raw, &ReadOptions::default());
        label(&mut document, &guessed());
        let mut now: BTreeMap<Hash, [usize; 2]> = BTreeMap::new();
        for block in &document.blocks {
            now.entry(block.key()).or_default()[usize::from(block.body)] += 1;
        }
        if let Some((_, before)) = before.take().filter(|(before, _)| *before == folder) {
            for (key, [outside, inside]) in &now {
                let Some([out_before, in_before]) = before.get(key) else {
                    continue;
                };
                let both = (outside + inside).min(out_before + in_before);
                shared += both;
                flipped += both.saturating_sub((*outside).min(*out_before) + (*inside).min(*in_before));
            }
        }
        before = Some((folder, now));
    });
    if seen.is_some() {
        assert!(
            flipped * 500 <= shared,
            "{flipped} of {shared} unchanged blocks changed their label"
        );
    }
}
