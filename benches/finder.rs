//! The finder on a page of 15 blocks whose hashes no recipe gives: the whole space is searched.
//! `cargo bench --bench finder`.

#![allow(clippy::unwrap_used)] // a benchmark that cannot go on may say so by panicking

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use pressmark::digest::blake3;
use pressmark::html::{ReadOptions, read};
use pressmark::recipe::{FindOptions, PageInput, find};

/// A page like a news article: two headings, a figure, an address, eleven paragraphs.
fn page() -> String {
    const WORDS: [&str; 12] = [
        "저수지의",
        "물이",
        "다시",
        "차오르자",
        "마을은",
        "“축제를",
        "열겠다”고",
        "밝혔다.",
        "Officials",
        "counted",
        "2,481",
        "visitors",
    ];
    let mut html = String::from("<!doctype html><title>저수지 축제</title><section dmcf-sid=\"Rq7Lw2Xz\">\n");
    for number in 0..15_usize {
        let (tag, kind) = match number {
            1 => ("figure", "figure"),
            8 | 11 => ("h3", "h3"),
            14 => ("address", "general"),
            _ => ("p", "general"),
        };
        let length = if kind == "h3" { 6 } else { 30 + number * 3 };
        let text: Vec<&str> = (0..length).map(|at| WORDS[(at * 7 + number * 5) % 12]).collect();
        let hash = blake3(&number.to_le_bytes());
        // Writing to a string cannot fail.
        let _ = writeln!(
            html,
            "<{tag} contents-hash=\"{hash}\" dmcf-pid=\"pid{number:07}\" dmcf-ptype=\"{kind}\" class=\"c{kind}\">{} \
             <b>{number}</b></{tag}>",
            text.join(" ")
        );
    }
    html + "</section>"
}

fn main() {
    let html = page();
    let document = read(html.as_bytes(), &ReadOptions::default());
    let page = PageInput {
        address: Some("https://news.example/2026/reservoir"),
        ..PageInput::new(html.as_bytes(), &document)
    };
    for threads in [1, 2] {
        let options = FindOptions {
            threads: Some(threads),
            ..FindOptions::default()
        };
        let mut seconds = Vec::new();
        let mut counts = (0, 0);
        for _ in 0..5 {
            let start = Instant::now();
            let report = black_box(find(&[page], &options, &|_| {}));
            seconds.push(start.elapsed().as_secs_f64());
            assert!(report.found.is_empty() && report.declared.len() == 15);
            counts = (report.recipes, report.digests);
        }
        seconds.sort_by(f64::total_cmp);
        println!(
            "{threads} thread(s): {} recipes, {} digests, median {:.2} s, fastest {:.2} s",
            counts.0, counts.1, seconds[2], seconds[0]
        );
    }
}
