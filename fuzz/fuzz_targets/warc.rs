//! Any bytes through the WARC, ARC and NDJSON readers: they end, without a panic, within limits.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use pressmark::source::{Item, SourceOptions, from_reader};
use pressmark::warc::{Reader, Stream, coding, http};

/// Small, so that the limit is met.
const MAX_PAGE_SIZE: usize = 1 << 16;

/// What a reader makes of an input, in words.
fn told(stream: Stream<&[u8]>) -> Vec<String> {
    let mut reader = Reader::new(stream);
    let mut told = Vec::new();
    while let Some(record) = reader.next_record() {
        told.push(match record {
            Ok(record) => format!("{record:?} {:?}", reader.read_block(MAX_PAGE_SIZE)),
            Err(damage) => format!("{damage:?}"),
        });
    }
    told
}

fuzz_target!(|input: &[u8]| {
    // Reading ahead changes nothing but the time it takes.
    assert_eq!(told(Stream::new(input)), told(Stream::at_rest(input)));
    // The records themselves: every error is damage with a place inside the input.
    let mut reader = Reader::new(Stream::new(input));
    while let Some(record) = reader.next_record() {
        match record {
            Ok(record) => {
                assert!(record.offset <= input.len() as u64);
                let _ = record.moment();
                let _ = reader.peek_block(100);
                if let Ok(Some(block)) = reader.read_block(MAX_PAGE_SIZE) {
                    assert!(block.bytes.len() <= MAX_PAGE_SIZE);
                }
            }
            Err(damage) => assert!(damage.offset <= input.len() as u64),
        }
    }
    // The way of `add`, whatever the input is.
    let options = SourceOptions {
        max_page_size: MAX_PAGE_SIZE,
        ..SourceOptions::default()
    };
    for item in from_reader("-", Cursor::new(input.to_vec()), &options) {
        if let Item::Page(page, place) = item {
            assert!(page.body.len() <= MAX_PAGE_SIZE);
            assert!(!place.to_string().is_empty());
        }
    }
    // The pieces a response is made of.
    if let Some(head) = http::parse(input, true) {
        assert!(head.body_at <= input.len());
    }
    assert!(coding::dechunk(input).0.len() <= input.len());
    for coding in ["gzip", "deflate", "br", "zstd"] {
        if let Ok(Some(decoded)) = coding::decode(coding, input, MAX_PAGE_SIZE) {
            assert!(decoded.len() <= MAX_PAGE_SIZE);
        }
    }
});
