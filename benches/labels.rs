//! How good, how steady and how fast body labels are. `cargo bench --bench labels`
//!
//! Reads the corpus from `PRESSMARK_CORPUS` (unpacked: `articles/ revisions/ truth/`) or from
//! `../shared/corpus`. Prints, one figure a line:
//!
//! - token F1 on `truth/body.ndjson`: tokens are runs of letters and digits, Han and Kana characters
//!   singly; counted as a bag on every page; the mean over pages;
//! - snippet F1 on `truth/snippets.ndjson`: true positives are `with` snippets found in the body text,
//!   false negatives those not found, false positives `without` snippets found; over all snippets;
//! - both for the text of all body blocks, and for their running text alone, which is what the truth
//!   holds: the headline and captions belong to the article, but have places of their own in a diff;
//! - all again on the two halves of the sites, split by a hash of the host: `develop` was looked at
//!   while the rules were written, `confirm` was not;
//! - steadiness on `revisions`: of the blocks that two consecutive revisions share by `Block::key`,
//!   the share whose label differs. Blocks that share a key within a page are paired as kindly as
//!   their labels allow;
//! - speed over `articles`, one thread, best of three, in processor time: parsing alone, parsing and
//!   labels.
//!
//! Arguments: `quality`, `steady`, `speed` choose a part; `worst` lists the pages that cost most (of
//! the half `develop` only); `show [--full] PATH` prints the blocks of one page with labels and reasons.

#![allow(clippy::unwrap_used)] // a benchmark that cannot go on may say so by panicking

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use pressmark::block::{Block, Document, Kind};
use pressmark::digest::{Hash, blake3};
use pressmark::html::{self, ReadOptions};
use pressmark::label::{self, Rules};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let Some(corpus) = corpus() else {
        println!("skipped: no corpus; set PRESSMARK_CORPUS to the directory that holds articles/ and truth/");
        return;
    };
    if let [command, .., path] = &*arguments
        && command == "show"
    {
        return show(&existing(&corpus, path));
    }
    let wants = |part: &str| {
        let chosen = ["quality", "steady", "speed"]
            .iter()
            .any(|one| arguments.iter().any(|a| a == one));
        !chosen || arguments.iter().any(|argument| argument == part)
    };
    let worst = arguments.iter().any(|argument| argument == "worst");
    if wants("quality") {
        quality(&corpus, worst);
    }
    if wants("steady") {
        steadiness(&corpus, worst);
    }
    if wants("speed") {
        speed(&corpus);
    }
}

fn corpus() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let root = std::env::var_os("PRESSMARK_CORPUS").map_or_else(beside, PathBuf::from);
    root.join("articles").is_dir().then_some(root)
}

fn existing(corpus: &Path, path: &str) -> PathBuf {
    let inside = corpus.join(path);
    if inside.exists() {
        inside
    } else {
        PathBuf::from(path)
    }
}

fn labelled(raw: &[u8], host: Option<&str>, rules: &Rules) -> Document {
    let mut document = html::read(raw, &ReadOptions::default());
    label::label(&mut document, rules.for_host(host));
    document
}

/// Texts of the body, one a line. `running` leaves out what has a place of its own in a diff, the
/// headline and captions: the truth holds running text only.
fn body_text(document: &Document, running: bool) -> String {
    let aside = |kind: Kind| matches!(kind, Kind::H1 | Kind::Figure | Kind::Figcaption);
    let texts: Vec<&str> = document
        .blocks
        .iter()
        .filter(|block| block.body && !(running && aside(block.kind)))
        .map(|block| block.text.as_str())
        .collect();
    texts.join("\n")
}

// ---- quality ----

#[derive(serde::Deserialize)]
struct Truth {
    path: String,
    url: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
}

fn truths(corpus: &Path, name: &str) -> Vec<Truth> {
    let file = corpus.join("truth").join(name);
    let Ok(text) = fs::read_to_string(&file) else {
        println!("skipped: no {}", file.display());
        return Vec::new();
    };
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of truth"))
        .collect()
}

/// The host of the address, or what stands in its place.
fn host(truth: &Truth) -> &str {
    let after = truth
        .url
        .split_once("::")
        .or(truth.url.split_once("://"))
        .map_or(&*truth.url, |(_, rest)| rest);
    let host = after.split('/').next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host)
}

fn develops(truth: &Truth) -> bool {
    blake3(host(truth).as_bytes()).0[0].is_multiple_of(2)
}

/// Sums over pages.
#[derive(Default)]
struct Score {
    pages: usize,
    f1: f64,
    hits: usize,
    misses: usize,
    absent: usize,
    intrusions: usize,
}

impl Score {
    /// Adds a page; returns what it cost and a line that says why.
    fn add(&mut self, truth: &Truth, text: &str, document: &Document) -> (f64, String) {
        if !truth.body.is_empty() {
            let (precision, recall) = bag(&tokens(&truth.body), &tokens(text));
            let f1 = if precision + recall > 0.0 {
                2.0 * precision * recall / (precision + recall)
            } else {
                0.0
            };
            self.pages += 1;
            self.f1 += f1;
            return (1.0 - f1, format!("f1 {f1:.3} p {precision:.3} r {recall:.3}"));
        }
        let text = spaced(text);
        let page: Vec<&str> = document.blocks.iter().map(|block| block.text.as_str()).collect();
        let page = spaced(&page.join(" "));
        let missed: Vec<&String> = truth
            .with
            .iter()
            .filter(|snippet| !text.contains(&spaced(snippet)))
            .collect();
        let intruded: Vec<&String> = truth
            .without
            .iter()
            .filter(|snippet| text.contains(&spaced(snippet)))
            .collect();
        self.hits += truth.with.len() - missed.len();
        self.misses += missed.len();
        self.absent += missed
            .iter()
            .filter(|snippet| !page.contains(&spaced(snippet)))
            .count();
        self.intrusions += intruded.len();
        (
            (missed.len() + intruded.len()) as f64,
            format!("missed {missed:?} intruded {intruded:?}"),
        )
    }

    fn with(&self, other: &Self) -> Self {
        Self {
            pages: self.pages + other.pages,
            f1: self.f1 + other.f1,
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
            absent: self.absent + other.absent,
            intrusions: self.intrusions + other.intrusions,
        }
    }

    fn token_f1(&self) -> f64 {
        self.f1 / self.pages.max(1) as f64
    }

    fn snippet_f1(&self) -> f64 {
        let doubled = 2.0 * self.hits as f64;
        doubled / (doubled + (self.misses + self.intrusions) as f64).max(1.0)
    }
}

fn quality(corpus: &Path, worst: bool) {
    let rules = Rules::builtin();
    let mut list: Vec<(f64, String)> = Vec::new();
    // For the text of all body blocks and for their running text: both halves of the sites.
    let mut scores: [[Score; 2]; 2] = Default::default();
    for name in ["body.ndjson", "snippets.ndjson"] {
        for truth in truths(corpus, name) {
            let raw = fs::read(corpus.join(&truth.path)).expect("a page of the truth");
            let host = truth.url.split_once("://").map(|_| host(&truth));
            let document = labelled(&raw, host, &rules);
            for (running, halves) in scores.iter_mut().enumerate() {
                let text = body_text(&document, running == 1);
                let (cost, line) = halves[usize::from(!develops(&truth))].add(&truth, &text, &document);
                if running == 1 && cost > 0.0 && develops(&truth) {
                    list.push((-cost, format!("{line} {}", truth.path)));
                }
            }
        }
        print_worst(&mut list, worst);
    }
    for (halves, of) in scores.iter().zip(["all body blocks", "running text"]) {
        let [develop, confirm] = halves;
        let both = develop.with(confirm);
        println!(
            "token F1      {of}: all {:.4} ({} pages)  develop {:.4}  confirm {:.4}",
            both.token_f1(),
            both.pages,
            develop.token_f1(),
            confirm.token_f1(),
        );
        println!(
            "snippet F1    {of}: all {:.4} ({} hits, {} misses of which {} stand in no block, {} intrusions)  develop {:.4}  confirm {:.4}",
            both.snippet_f1(),
            both.hits,
            both.misses,
            both.absent,
            both.intrusions,
            develop.snippet_f1(),
            confirm.snippet_f1(),
        );
    }
}

fn print_worst(list: &mut Vec<(f64, String)>, worst: bool) {
    list.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, line) in list.drain(..).filter(|_| worst) {
        println!("  {line}");
    }
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn tokens(text: &str) -> BTreeMap<String, usize> {
    let mut bag = BTreeMap::new();
    let mut token = String::new();
    for c in text.chars().chain([' ']) {
        let single = matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}');
        if c.is_alphanumeric() && !single {
            token.push(c);
            continue;
        }
        if !token.is_empty() {
            *bag.entry(std::mem::take(&mut token)).or_default() += 1;
        }
        if single {
            *bag.entry(c.to_string()).or_default() += 1;
        }
    }
    bag
}

/// Precision and recall of the found bag of tokens.
fn bag(truth: &BTreeMap<String, usize>, found: &BTreeMap<String, usize>) -> (f64, f64) {
    let common: usize = found
        .iter()
        .map(|(token, count)| truth.get(token).map_or(0, |expected| *count.min(expected)))
        .sum();
    let share = |of: &BTreeMap<String, usize>| match of.values().sum::<usize>() {
        0 => 0.0,
        total => common as f64 / total as f64,
    };
    (share(found), share(truth))
}

// ---- steadiness ----

fn steadiness(corpus: &Path, worst: bool) {
    let rules = Rules::builtin();
    let Ok(folder) = fs::read_dir(corpus.join("revisions/public")) else {
        println!("skipped: no revisions");
        return;
    };
    let mut folders: Vec<PathBuf> = folder
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let (mut shared, mut flipped) = (0, 0);
    let mut list: Vec<(f64, String)> = Vec::new();
    for folder in &folders {
        let mut pages: Vec<PathBuf> = fs::read_dir(folder)
            .expect("a folder")
            .flatten()
            .map(|e| e.path())
            .collect();
        pages.sort();
        let mut before: Option<BTreeMap<Hash, [usize; 2]>> = None;
        let (mut own_shared, mut own_flipped) = (0, 0);
        let mut steps: Vec<(usize, PathBuf)> = Vec::new();
        for page in pages {
            let raw = fs::read(&page).expect("a revision");
            let now = counts(&labelled(&raw, None, &rules).blocks);
            if let Some(before) = &before {
                let (both, flips) = compare(before, &now);
                own_shared += both;
                own_flipped += flips;
                if flips > 0 {
                    steps.push((flips, page));
                }
            }
            before = Some(now);
        }
        shared += own_shared;
        flipped += own_flipped;
        steps.sort_by_key(|(flips, _)| std::cmp::Reverse(*flips));
        let steps: Vec<String> = steps
            .iter()
            .take(3)
            .map(|(flips, page)| format!("{flips} at {}", page.file_name().unwrap_or_default().display()))
            .collect();
        let name = folder.file_name().unwrap_or_default().display();
        list.push((
            -(own_flipped as f64),
            format!("{own_flipped} of {own_shared} {name}: {}", steps.join(", ")),
        ));
    }
    print_worst(&mut list, worst);
    println!(
        "steadiness    {flipped} of {shared} unchanged blocks change their label: {:.4} % ({} pages)",
        100.0 * f64::from(flipped as u32) / f64::from((shared as u32).max(1)),
        folders.len(),
    );
}

/// For every key the number of blocks outside and inside the body.
fn counts(blocks: &[Block]) -> BTreeMap<Hash, [usize; 2]> {
    let mut counts: BTreeMap<Hash, [usize; 2]> = BTreeMap::new();
    for block in blocks {
        counts.entry(block.key()).or_default()[usize::from(block.body)] += 1;
    }
    counts
}

/// Blocks that both have, and those of them that cannot be paired with one of the same label.
fn compare(before: &BTreeMap<Hash, [usize; 2]>, now: &BTreeMap<Hash, [usize; 2]>) -> (usize, usize) {
    let (mut shared, mut flipped) = (0, 0);
    for (key, [out_now, in_now]) in now {
        let Some([out_before, in_before]) = before.get(key) else {
            continue;
        };
        let both = (out_now + in_now).min(out_before + in_before);
        shared += both;
        flipped += both.saturating_sub(out_now.min(out_before) + in_now.min(in_before));
    }
    (shared, flipped)
}

// ---- speed ----

fn speed(corpus: &Path) {
    let rules = Rules::builtin();
    let mut pages: Vec<Vec<u8>> = Vec::new();
    let mut folders = vec![corpus.join("articles/public")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if let Ok(raw) = fs::read(entry.path()) {
                pages.push(raw);
            }
        }
    }
    let bytes: usize = pages.iter().map(Vec::len).sum();
    let rule = rules.for_host(None);
    let best_of_three = |work: &dyn Fn(&[u8])| {
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let start = processor_time();
            for raw in &pages {
                work(raw);
            }
            best = best.min(processor_time().saturating_sub(start));
        }
        best
    };
    let parsing = best_of_three(&|raw| {
        std::hint::black_box(html::read(raw, &ReadOptions::default()));
    });
    let both = best_of_three(&|raw| {
        let mut document = html::read(raw, &ReadOptions::default());
        label::label(&mut document, rule);
        std::hint::black_box(&document);
    });
    let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    println!(
        "speed         parsing {:.0} MB/s, labels {:.0} MB/s, both {:.0} MB/s ({} pages, {:.0} MB, processor time)",
        rate(parsing),
        rate(both.saturating_sub(parsing).max(Duration::from_micros(1))),
        rate(both),
        pages.len(),
        bytes as f64 / 1e6,
    );
}

/// Time this thread has run, where the system tells (Linux), so that other work on the machine does not
/// count; else the time that has passed.
fn processor_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

// ---- one page ----

fn show(path: &Path) {
    let raw = fs::read(path).expect("the page");
    let rules = Rules::builtin();
    let document = labelled(&raw, None, &rules);
    for reason in label::explain(&document, rules.for_host(None)) {
        let block = &document.blocks[reason.block];
        let width = if std::env::args().any(|a| a == "--full") {
            usize::MAX
        } else {
            90
        };
        let text: String = block.text.chars().take(width).collect();
        let sign = if reason.body { '+' } else { ' ' };
        println!(
            "{sign} {:4} {:10} {text:90} | {} {}",
            reason.block, block.kind, reason.by, reason.detail
        );
    }
}
