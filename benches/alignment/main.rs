//! How well and how fast two versions of an article are aligned: `cargo bench --bench alignment`.
//!
//! Part 1 scores the links between paragraphs against the known truth of generated edits, in six
//! languages, beside the rules of wikidiff2 on the same pairs. Part 2 takes the time of a pair of
//! typical articles on one thread. Part 3 feeds hostile pairs. `-- score`, `-- speed`, `-- hostile`
//! run one part. Exits 1 if a score is below what we promise.

#![allow(clippy::unwrap_used)] // a benchmark that cannot go on may say so by panicking

mod edits;
mod score;
mod text;
mod wikidiff2;

use std::time::Instant;

use edits::{Chance, Done};
use pressmark::block::{Block, Document, Kind};
use pressmark::diff::{Options, diff};
use pressmark::digest::sha256;
use score::Score;
use text::{LANGUAGES, Language};

/// As in the command itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pairs for each language.
const PAIRS: usize = 400;

fn main() {
    let wanted = |part: &str| {
        let mut parts = std::env::args()
            .skip(1)
            .filter(|word| !word.starts_with('-'))
            .peekable();
        parts.peek().is_none() || parts.any(|word| word == part)
    };
    let mut good = true;
    if wanted("score") {
        good = scores();
    }
    if wanted("speed") {
        speed();
    }
    if wanted("hostile") {
        hostile();
    }
    if !good {
        std::process::exit(1);
    }
}

fn document<S: AsRef<str>>(texts: &[S]) -> Document {
    let blocks = texts
        .iter()
        .map(|text| {
            let text = text.as_ref();
            let hash = sha256(text.as_bytes());
            Block {
                kind: Kind::P,
                text: text.to_owned(),
                text_hash: hash,
                form_hash: hash,
                body: true,
                ..Block::default()
            }
        })
        .collect();
    Document {
        blocks,
        ..Document::default()
    }
}

/// Every link of the diff: equal runs one to one, all others each with each.
fn links(old: &Document, new: &Document) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    for change in diff(old, new, &Options::default()).changes {
        if change.op == pressmark::diff::Op::Equal {
            found.extend(change.old.iter().copied().zip(change.new.iter().copied()));
        } else {
            for &i in &change.old {
                found.extend(change.new.iter().map(|&j| (i, j)));
            }
        }
    }
    found
}

fn scores() -> bool {
    println!(
        "{:22} {:>6} {:>8} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "links found", "F all", "F edited", "edited", "split", "merged", "moved", "mov+ed"
    );
    let row = |name: &str, score: &Score| {
        println!(
            "{name:22} {:6.3} {:8.3} {:7.3} {:7.3} {:7.3} {:7.3} {:7.3}",
            score.f(),
            score.f_changed(),
            score.share(Done::Edited),
            score.share(Done::Split),
            score.share(Done::Merged),
            score.share(Done::Moved),
            score.share(Done::MovedEdited)
        );
    };
    let mut all = [Score::default(), Score::default(), Score::default()];
    let mut good = true;
    for (seed, language) in LANGUAGES.iter().enumerate() {
        let mut of = [Score::default(), Score::default(), Score::default()];
        let mut chance = Chance::new(seed as u64 + 1);
        for _ in 0..PAIRS {
            let pair = edits::pair(language, &mut chance);
            of[0].count(&pair, &links(&document(&pair.old), &document(&pair.new)));
            of[1].count(&pair, &wikidiff2::links(&pair.old, &pair.new, 1));
            of[2].count(&pair, &wikidiff2::links(&pair.old, &pair.new, 3));
        }
        row(&format!("{} pressmark", language.code), &of[0]);
        row("   wikidiff2 rules", &of[1]);
        row("   the same, splits 3", &of[2]);
        good &= of[0].f() >= 0.95;
        for (sum, one) in all.iter_mut().zip(&of) {
            sum.add(one);
        }
    }
    row("all pressmark", &all[0]);
    row("    wikidiff2 rules", &all[1]);
    row("    the same, splits 3", &all[2]);
    good &= all[0].f() >= 0.975 && all[0].share(Done::Split) >= 0.93 && all[0].share(Done::Merged) >= 0.93;
    println!(
        "promised: F all .975 overall and .95 in every language, split and merged .93 each: {}",
        if good { "kept" } else { "NOT kept" }
    );
    good
}

/// 50 paragraphs of about 10 kB in all, and the same with 15 % of them edited.
fn typical(language: &Language) -> (Document, Document) {
    let mut chance = Chance::new(7);
    let mut old: Vec<String> = Vec::new();
    while old.len() < 50 {
        let (made, _) = edits::article(language, 50 - old.len(), &mut chance);
        old.extend(made.into_iter().map(|sentences| {
            let mut text = sentences.join(language.between);
            while text.len() > 260 && text.contains(language.between) && !language.between.is_empty() {
                let cut = text.rfind(['.', '!', '?']).map_or(0, |at| at.min(text.len() - 1));
                let cut = text[..cut].rfind(['.', '!', '?']).map_or(0, |at| at + 1);
                if cut == 0 {
                    break;
                }
                text.truncate(cut);
            }
            text
        }));
    }
    let words: Vec<String> = language.sentences[0].split(' ').map(str::to_owned).collect();
    let new: Vec<String> = old
        .iter()
        .enumerate()
        .map(|(at, text)| {
            if at % 7 == 3 {
                edits::edit(language, text, 15, &words, &mut chance)
            } else {
                text.clone()
            }
        })
        .collect();
    (document(&old), document(&new))
}

fn speed() {
    println!("\none thread, 50 paragraphs, every seventh edited, blocks ready");
    for language in &LANGUAGES {
        let (old, new) = typical(language);
        let bytes: usize = old.blocks.iter().map(|block| block.text.len()).sum();
        let mut times: Vec<u128> = (0..2000)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(diff(&old, &new, &Options::default()));
                start.elapsed().as_nanos()
            })
            .collect();
        times.sort_unstable();
        println!(
            "{}: {bytes} bytes, median {:.1} us, best {:.1} us",
            language.code,
            times[times.len() / 2] as f64 / 1000.0,
            times[0] as f64 / 1000.0
        );
    }
}

fn hostile() {
    println!("\nhostile pairs: time, memory beside the input, and where corners were cut");
    let mut chance = Chance::new(11);
    let many = 100_000;
    let line = |chance: &mut Chance| {
        (0..8)
            .map(|_| format!("{:x}", chance.below(1 << 20)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let base: Vec<String> = (0..many).map(|_| line(&mut chance)).collect();
    let other: Vec<String> = (0..many).map(|_| line(&mut chance)).collect();
    let mut shuffled = base.clone();
    for at in (1..many).rev() {
        shuffled.swap(at, chance.below(at + 1));
    }
    let reversed: Vec<String> = base.iter().rev().cloned().collect();
    let edited: Vec<String> = base
        .iter()
        .map(|text| {
            let mut words: Vec<&str> = text.split(' ').collect();
            words[3] = "changed";
            words.join(" ")
        })
        .collect();
    let numbered = |from: usize| -> Vec<String> {
        (0..many)
            .map(|at| format!("Item number {} of the list", at + from))
            .collect()
    };
    let alternating = |n: usize| -> Vec<String> {
        (0..many)
            .map(|at| format!("Line {} of a few", at * n % 13))
            .collect()
    };
    let mut word = || format!("{:x}", chance.below(1 << 24));
    let long = |word: &mut dyn FnMut() -> String| -> String {
        let mut text = String::new();
        while text.len() < 5 << 20 {
            text.push_str(&word());
            text.push(' ');
        }
        text
    };
    let big = long(&mut word);
    let big_other = long(&mut word);
    let big_edited = big.replace(" 3", " 4");
    let few: String = "a b c d e f g h ".repeat((5 << 20) / 16);
    let few_other: String = "b d a c h f g e a ".repeat((5 << 20) / 18);
    let glued = "x".repeat(5 << 20);
    let glued_other = format!("{}{}", "y".repeat(100), "x".repeat(5 << 20));
    let cases: Vec<(&str, Vec<String>, Vec<String>)> = vec![
        ("100,000 equal blocks", base.clone(), base.clone()),
        ("nothing equal", base.clone(), other),
        ("everything moved", base.clone(), shuffled),
        ("reversed", base.clone(), reversed),
        ("every block edited", base.clone(), edited),
        ("numbered, all shifted", numbered(0), numbered(1_000_000)),
        (
            "one block repeated",
            vec![base[0].clone(); many],
            vec![base[0].clone(); many / 2],
        ),
        ("few blocks, other order", alternating(5), alternating(7)),
        ("all deleted", base.clone(), Vec::new()),
        ("5 MB block, edited", vec![big.clone()], vec![big_edited]),
        ("5 MB block, replaced", vec![big.clone()], vec![big_other]),
        ("5 MB block, few words", vec![few], vec![few_other]),
        ("5 MB block, one word", vec![glued], vec![glued_other]),
    ];
    for (name, old, new) in cases {
        let (old, new) = (document(&old), document(&new));
        let before = reset_peak();
        let (start, cpu) = (Instant::now(), cpu_seconds());
        let found = diff(&old, &new, &Options::default());
        println!(
            "{name:26} {:6.2} s, {:5.2} s of processor, {:4} MB, {} changes, {:?}",
            start.elapsed().as_secs_f64(),
            cpu_seconds() - cpu,
            status("VmHWM").saturating_sub(before) / 1024,
            found.edits().count(),
            found.limits
        );
    }
}

/// Processor time of this process so far, where the system tells.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

/// Forgets the peak of memory so far; the memory in use, in kB.
fn reset_peak() -> u64 {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    status("VmRSS")
}

/// A line of the process's status, in kB.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}
