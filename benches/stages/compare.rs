//! What it costs to compare two versions: pairs a second, or bytes of text, one thread.

use std::sync::LazyLock;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use pressmark::block::Document;
use pressmark::diff::{Options, diff, words};
use pressmark::html::{self, ReadOptions};

/// Versions of one article.
static VERSIONS: LazyLock<Vec<Document>> = LazyLock::new(|| {
    (0..20)
        .map(|version| html::read(&super::html::version(1, version), &ReadOptions::default()))
        .collect()
});

/// Consecutive versions of a page of 250 rows aligned, changed paragraphs compared word by word.
#[divan::bench]
fn alignment(bencher: Bencher<'_, '_>) {
    let pairs = VERSIONS.len() - 1;
    bencher.counter(ItemsCount::new(pairs)).bench(|| {
        for pair in VERSIONS.windows(2) {
            black_box(diff(&pair[0], &pair[1], &Options::default()));
        }
    });
}

/// Two paragraphs compared word by word.
#[divan::bench]
fn words_of_a_paragraph(bencher: Bencher<'_, '_>) {
    let old = "The council of the harbour town voted on Tuesday for a second ferry, which is to carry 1,234 people \
               to the island every day from June; \u{c2dc}\u{c758}\u{d68c}\u{b294} \u{c218}\u{c694}\u{c77c} \u{d45c}\u{acb0}\u{d588}\u{b2e4}. "
        .repeat(4);
    let new = old
        .replace("Tuesday", "Wednesday")
        .replace("1,234", "1,334")
        .replace("second", "third");
    bencher
        .counter(BytesCount::new(old.len() + new.len()))
        .bench(|| black_box(words(black_box(&old), black_box(&new))));
}
