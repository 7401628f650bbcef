//! What it costs to read pages: bytes of raw HTML a second, one thread.

use std::fmt::Write as _;
use std::sync::LazyLock;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use pressmark::html::{self, ReadOptions};

/// Every how many-th page of the corpus is read.
const STEP: usize = 10;

static PAGES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut pages = Vec::new();
    if super::corpus::pages("articles", STEP, |_, page| pages.push(page)).is_none() {
        pages = (0..20).map(made).collect();
    }
    pages
});

/// A page of about 100 kB with the usual share of markup.
fn made(seed: usize) -> Vec<u8> {
    let mut page = String::from("<!doctype html><html lang=en><head><title>Page</title></head><body>");
    for n in 0..250 {
        let _ = writeln!(
            page,
            "<div class=\"row row-{n}\" data-id=\"{seed}-{n}\"><p class=text>Paragraph {n} of page {seed} tells of \
             <a href=\"/item/{n}?from={seed}&amp;x=1\">item {n}</a>, a <b>second</b> thing &mdash; and \u{c11c}\u{c6b8}.</p>\
             <ul><li><a href=\"/a\">one</a></li><li>two</li></ul><script>var x = {n};</script></div>"
        );
    }
    page.into_bytes()
}

/// Version `version` of page `article`: one paragraph in twenty differs from the version before.
pub fn version(article: usize, version: usize) -> Vec<u8> {
    let page = String::from_utf8(made(article)).unwrap();
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    for earlier in 1..=version {
        let count = lines.len();
        for line in lines
            .iter_mut()
            .skip(earlier % 20 + 1)
            .step_by(20)
            .take(count / 20)
        {
            *line = line.replace("tells of", &format!("told in version {earlier} of"));
        }
    }
    lines.join("\n").into_bytes()
}

fn total() -> BytesCount {
    BytesCount::new(PAGES.iter().map(Vec::len).sum::<usize>())
}

/// Charset found, text decoded or proven to be UTF-8.
#[divan::bench]
fn charset(bencher: Bencher<'_, '_>) {
    bencher.counter(total()).bench(|| {
        for page in PAGES.iter() {
            black_box(html::decode(page, None));
        }
    });
}

/// Bytes to a document: blocks, ranges, canonical text and form, both hashes, metadata.
#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let options = ReadOptions::default();
    bencher.counter(total()).bench(|| {
        for page in PAGES.iter() {
            black_box(html::read(page, &options));
        }
    });
}

/// Canonical text of whole pages as fragments: no blocks, no hashes.
#[divan::bench]
fn canonical_text(bencher: Bencher<'_, '_>) {
    let texts: Vec<_> = PAGES.iter().map(|page| html::decode(page, None)).collect();
    bencher.counter(total()).bench(|| {
        for text in &texts {
            black_box(html::canonical_text(&text.text));
        }
    });
}

/// For comparison: html5gum with byte spans alone, no blocks, no text, no hashes.
#[divan::bench]
fn html5gum_spans(bencher: Bencher<'_, '_>) {
    let texts: Vec<_> = PAGES.iter().map(|page| html::decode(page, None)).collect();
    bencher.counter(total()).bench(|| {
        for text in &texts {
            let mut sum = 0;
            let count = |event: CallbackEvent<'_>, span: html5gum::Span<usize>| {
                if let CallbackEvent::String { value } = event {
                    sum += value.len();
                }
                sum += span.end;
                None::<std::convert::Infallible>
            };
            let mut emitter = CallbackEmitter::new(count);
            emitter.naively_switch_states(true);
            for _ in html5gum::Tokenizer::new_with_emitter(&*text.text, emitter) {}
            black_box(sum);
        }
    });
}
