//! Library benchmarks, one module for each room. `cargo bench --bench stages`; a word behind `--`
//! picks some of them. Input is the corpus where it is found (see `tests/it/corpus.rs`), else pages
//! made for the purpose.

#![allow(clippy::unwrap_used)] // a benchmark that cannot go on may say so by panicking

#[path = "../../tests/it/corpus.rs"]
mod corpus;
mod html;

fn main() {
    divan::main();
}
