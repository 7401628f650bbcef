//! Whole pages through the reader: blocks, ranges, marks, containers, bad input.

use super::*;
use crate::block::{Block, Kind, Mark};

fn blocks(page: &str) -> Vec<Block> {
    read(page.as_bytes(), &ReadOptions::default()).blocks
}

/// Kind and text of each block.
fn texts(page: &str) -> Vec<String> {
    blocks(page)
        .iter()
        .map(|block| format!("{} {}", block.kind, block.text).trim_end().to_owned())
        .collect()
}

#[test]
fn text_belongs_to_the_innermost_block_element() {
    assert_eq!(
        texts("<ul><li>one<ul><li>two</ul>rest<li><p>three</ul>"),
        ["li one rest", "li two", "p three"]
    );
    assert_eq!(
        texts("<table><tr><td>a<td><div>b</div>c<tr><th>d</table>"),
        ["td a", "td b c", "th d"]
    );
    assert_eq!(
        texts("<dl><dt>a<dd>b<dt>c</dl><details><summary>d</summary>e"),
        ["dt a", "dd b", "dt c", "summary d", "text e"]
    );
}

#[test]
fn loose_text_is_cut_at_boundaries_and_runs_of_br() {
    assert_eq!(
        texts("a<br>b<br><br>c <br> <i></i><!-- --><br/> d<div>e</div>f"),
        ["text a b", "text c", "text d", "text e", "text f"]
    );
    assert_eq!(
        texts("a<br><img src=x><br>b"),
        ["text a b"],
        "an image between breaks is content"
    );
    assert_eq!(texts("<p>a<br><br>b"), ["p a b"]);
    assert_eq!(texts("a</p>b"), ["text a", "text b"]);
}

#[test]
fn a_figure_is_one_block_but_for_lists_tables_and_quotations() {
    assert_eq!(
        texts(
            "<figure><p><img src=a><h3>t</h3></p><figcaption>c</figcaption><blockquote><p>q</blockquote></figure>"
        ),
        ["figure t c", "p q"]
    );
    assert_eq!(
        texts("<figure><table><tr><td><p>x</table><ul><li>y</ul><figure>z</figure></figure>"),
        ["p x", "li y", "figure z"]
    );
}

#[test]
fn a_declared_element_owns_what_is_inside() {
    let page = "<div contents-hash=1><p>a</p><h2>b</h2><ul><li CONTENTS-HASH='2'>c<p>d</ul>e</div><p>f";
    assert_eq!(texts(page), ["other a b e", "li c d", "p f"]);
    let found = blocks(page);
    assert_eq!(found[0].declared.as_deref(), Some("1"));
    assert_eq!(found[1].declared.as_deref(), Some("2"));
    assert_eq!(found[1].parent, Some(0));
    assert_eq!(found[2].declared, None);
    // The end tag of a formatting element ends that element, not the block that is open inside it.
    let crossed = "<b contents-hash=1>text <p contents-hash=2>inner</b>more</p> after";
    assert_eq!(texts(crossed), ["other text", "p innermore", "text after"]);
    let found = blocks(crossed);
    assert_eq!(found[1].declared.as_deref(), Some("2"));
    assert!(crossed[found[1].range.clone()].ends_with("more</p>"));
    let empty = blocks("<p contents-hash=x dmcf-pid=y></p><img contents-hash=z>");
    assert_eq!(empty.len(), 2);
    assert_eq!(empty[0].id.as_deref(), Some("y"));
    assert_eq!(empty[1].kind, Kind::Other);
    let renamed = read(
        b"<b data-sum=q>x</b>",
        &ReadOptions {
            declared_attribute: "data-sum",
            ..ReadOptions::default()
        },
    );
    assert_eq!(renamed.blocks[0].declared.as_deref(), Some("q"));
}

#[test]
fn empty_elements_make_no_blocks_and_media_do() {
    assert_eq!(texts("<p></p><p> &nbsp;<b></b></p><li><svg></svg>"), [""; 0]);
    assert_eq!(
        texts("<p><img></p><p><iframe>x</iframe></p><p><video>y</video></p>"),
        ["p", "p", "p"]
    );
}

#[test]
fn ranges_are_raw_bytes() {
    let page = "x <p class=a>\u{d55c}\u{ae00}</p> \u{b05d}&nbsp;<br>\u{ac00}&nbsp; <hr>";
    for (label, encoding) in [("utf-8", encoding_rs::UTF_8), ("euc-kr", encoding_rs::EUC_KR)] {
        let (raw, ..) = encoding.encode(page);
        let options = ReadOptions {
            http_charset: Some(label),
            ..ReadOptions::default()
        };
        let document = read(&raw, &options);
        let spans: Vec<_> = document
            .blocks
            .iter()
            .map(|block| encoding.decode(&raw[block.range.clone()]).0.into_owned())
            .collect();
        assert_eq!(
            spans,
            [
                "x",
                "<p class=a>\u{d55c}\u{ae00}</p>",
                "\u{b05d}&nbsp;<br>\u{ac00}"
            ]
        );
        let decoded = decode(&raw, Some(label));
        assert_eq!(
            decoded.slice(document.blocks[1].inner.clone()),
            "\u{d55c}\u{ae00}"
        );
    }
}

#[test]
fn links_images_and_emphasis_are_marked_in_code_points() {
    let found = blocks(
        "<p>\u{d55c} <a href='/x?a=1&amp;b'> \u{ae00} <b>b</b> </a>c<i></i><a href=y></a>\
         <a href=z><img data-src=d src=s alt='&lt;'></a></p>",
    );
    assert_eq!(found[0].text, "\u{d55c} \u{ae00} b c");
    assert_eq!(
        found[0].marks,
        [
            Mark::Link {
                range: 2..5,
                href: "/x?a=1&b".into()
            },
            Mark::Emphasis {
                range: 4..5,
                tag: "b"
            },
            Mark::Link {
                range: 7..7,
                href: "z".into()
            },
            Mark::Image {
                at: 7,
                src: "d".into(),
                alt: "<".into()
            },
        ]
    );
}

#[test]
fn a_link_around_loose_blocks_marks_each_of_them() {
    let found = blocks("<a href=u>one<div>two</div><h2>three</h2></a> four");
    let marks: Vec<_> = found.iter().map(|block| block.marks.len()).collect();
    assert_eq!(
        texts("<a href=u>one<div>two</div><h2>three</h2></a> four").len(),
        4
    );
    assert_eq!(marks, [1, 1, 0, 0]);
}

#[test]
fn containers_enclose_their_blocks() {
    let page =
        "<html lang=ko><body><div></div><section id=s dmcf-sid=1><div><p>a</p></div></section><ul><li>b</ul>";
    let document = read(page.as_bytes(), &ReadOptions::default());
    let tags: Vec<_> = document.containers.iter().map(|c| &*c.tag).collect();
    assert_eq!(tags, ["html", "body", "section", "div", "ul"]);
    assert_eq!(document.containers[3].parent, Some(2));
    assert_eq!(document.containers[2].attribute("dmcf-sid"), Some("1"));
    assert_eq!(&page[document.containers[3].range.clone()], "<div><p>a</p></div>");
    assert_eq!(document.blocks[0].container, Some(3));
    assert_eq!(document.language.as_deref(), Some("ko"));
}

#[test]
fn text_of_a_declared_element_is_the_canonical_text_of_its_inside() {
    let inner =
        "a<p>b<table><tr><td>c<td>d</table><select><option>no</select>e<br>&amp;&nbsp; f<hr>g<xmp><b></xmp>";
    let page = format!("<div contents-hash=1>{inner}</div>");
    assert_eq!(blocks(&page)[0].text, canonical_text(inner));
}

#[test]
fn elements_that_end_together_behind_a_long_text_are_read_in_linear_time() {
    let text = b"\xb0\xa1".repeat(500_000);
    let open = format!("<article>{}<p>x</p>", "<div>".repeat(4000));
    let page = [open.as_bytes(), &text, b"</article>"].concat();
    let options = ReadOptions {
        http_charset: Some("euc-kr"),
        ..ReadOptions::default()
    };
    let started = std::time::Instant::now();
    let document = read(&page, &options);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    let end = open.len() + text.len();
    assert_eq!(document.containers.len(), 4001);
    assert!(document.containers[1..].iter().all(|div| div.range.end == end));
    assert_eq!(document.containers[0].range.end, page.len());
    assert_eq!(document.blocks[1].range, open.len()..end);
}

#[test]
fn hostile_pages_are_read_in_linear_time() {
    let deep = "<div>".repeat(1_000_000);
    assert!(blocks(&deep).is_empty());
    let deep = format!(
        "{}x{}",
        "<ul><li>".repeat(100_000),
        "</ul></b></p></x>".repeat(100_000)
    );
    assert!(!blocks(&deep).is_empty());
    let many = "<p>x".repeat(MAX_BLOCKS + 10);
    let found = blocks(&many);
    assert_eq!(found.len(), MAX_BLOCKS + 1);
    let characters: usize = found.iter().map(|block| block.text.matches('x').count()).sum();
    assert_eq!(characters, MAX_BLOCKS + 10);
    let marks = format!("<p>{}", "<b>\u{301}".repeat(200_000));
    assert_eq!(blocks(&marks)[0].marks.len(), MAX_MARKS);
    let attributes = format!("<p {}>x", "a=b c ".repeat(100_000));
    assert_eq!(blocks(&attributes)[0].attributes.len(), 2);
    for bad in [
        "<",
        "</",
        "<!",
        "<!-",
        "<p",
        "<p a",
        "<p a=",
        "<p a='",
        "&",
        "&#",
        "\0",
        "<svg><![CDATA[",
    ] {
        let _ = blocks(bad);
        let _ = blocks(&format!("x{bad}"));
    }
}
