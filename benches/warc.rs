//! Reads a WARC and tells how fast: `cargo bench --bench warc -- FILE`. To compare with other readers,
//! give them the same file.

#![allow(clippy::unwrap_used)] // a benchmark that cannot go on may say so by panicking

use std::io::Read as _;
use std::time::Instant;

use pressmark::source::{self, Item, SourceOptions};
use pressmark::warc::{Reader, Stream};

fn main() {
    let Some(path) = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
    else {
        println!("warc: no file given; cargo bench --bench warc -- FILE");
        return;
    };
    for _ in 0..3 {
        decompress(&path);
        records(&path);
        pages(&path);
    }
}

fn decompress(path: &str) {
    let started = Instant::now();
    let mut stream = Stream::at_rest(std::fs::File::open(path).expect("the file given"));
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    while let Ok(read) = stream.read(&mut buffer) {
        if read == 0 {
            break;
        }
        bytes += read;
    }
    tell("decompress", 1, bytes, started);
}

fn records(path: &str) {
    let started = Instant::now();
    let mut reader = Reader::new(Stream::at_rest(
        std::fs::File::open(path).expect("the file given"),
    ));
    let (mut count, mut bytes) = (0, 0);
    while let Some(record) = reader.next_record() {
        if let Ok(record) = record {
            count += 1;
            bytes += record.length as usize;
        }
    }
    tell("records", count, bytes, started);
}

fn pages(path: &str) {
    let started = Instant::now();
    let (mut count, mut bytes) = (0, 0);
    let source = source::open(path, &SourceOptions::default()).expect("the file given");
    for item in source {
        if let Item::Page(page, _) = item {
            count += 1;
            bytes += page.body.len();
        }
    }
    tell("pages, digests checked", count, bytes, started);
}

fn tell(what: &str, count: usize, bytes: usize, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{what}: {count}, {:.1} MB in {seconds:.3} s, {:.0} MB/s",
        bytes as f64 / 1e6,
        bytes as f64 / 1e6 / seconds
    );
}
