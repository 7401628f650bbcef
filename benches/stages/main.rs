//! Library benchmarks, one module for each group of rooms; recipes and labels have programs of their own. `cargo bench --bench stages`; a word behind `--`
//! picks some of them. Input is the corpus where it is found (see `tests/it/corpus.rs`), else pages
//! made for the purpose.

#![allow(clippy::unwrap_used)] // a benchmark that cannot go on may say so by panicking

mod compare;
#[path = "../../tests/it/corpus.rs"]
mod corpus;
mod html;
mod store;

fn main() {
    divan::main();
}
