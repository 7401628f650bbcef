//! pressmark archives article pages and knows every paragraph by its content hash.
//!
//! The house has floors. A room is a module; it may use rooms on a **lower floor** only, never a
//! neighbour on its own floor or one above. `tests/it/layering.rs` reads the table below and holds
//! every `use` of the source against it.
//!
//! ```text
//! floor 6   cli
//! floor 5   report
//! floor 4   ingest     check      search    history    scrub      compact    export
//! floor 3   archive    recipe     label     diff       source
//! floor 2   html       pack       catalog   warc
//! floor 1   page       block
//! floor 0   digest     disk       pool
//! ```
//!
//! | room | what a newcomer is told | never |
//! |---|---|---|
//! | [`digest`] | a digest: algorithm, bytes, spelling | knows HTML or files |
//! | [`page`] | one page as found: address, moment, headers, body | reads the clock |
//! | [`block`] | plain data: kind, ranges, canonical text and form, hashes, declared hash, label | computes |
//! | [`disk`] | the only door to the archive's files | knows a format |
//! | [`pool`] | work on all cores, results in order | knows what the work is about |
//! | [`html`] | bytes to blocks; total: bad markup is never an error | judges what matters |
//! | [`pack`] | the pack file: frames, tables, footer, zstd, deltas | knows what a page means |
//! | [`catalog`] | the rebuildable index over the packs | is ever the only copy of anything |
//! | [`warc`] | WARC and WACZ records, read and written | opens files |
//! | [`archive`] | packs and catalog opened together; the order of writes | parses HTML |
//! | [`recipe`] | named ways from a block to a content hash; the finder | stores |
//! | [`label`] | which blocks are the article's body; site rules | decides what is stored |
//! | [`diff`] | what changed between two block lists | prints |
//! | [`source`] | where pages come from: directory, file, WARC, NDJSON stream | keeps |
//! | [`ingest`] | pages in, once: parse, hash, store, commit | decides policy by flag |
//! | [`check`] | declared hashes against recipes and ledger | fixes |
//! | [`search`] | where a block stands: exact, near, by page | stores |
//! | [`history`] | the course of an article: steps, paragraphs with their past | compares two pages itself |
//! | [`scrub`] | reads the archive back, lists findings by code; repair | stops at the first fault |
//! | [`compact`] | small packs into large ones, best order, best ratio; takedown | deletes what was not read back from its copy |
//! | [`export`] | WARC, WACZ, Parquet, NDJSON, files, to any `Write` | reads the network |
//! | [`report`] | results as terminal text, JSON Lines, one-file HTML | computes |
//! | [`cli`] | clap commands, one file each, progress, exit codes | holds logic worth a unit test |

pub mod archive;
pub mod block;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod compact;
pub mod diff;
pub mod digest;
pub mod disk;
pub mod export;
pub mod history;
pub mod html;
pub mod ingest;
pub mod label;
pub mod pack;
pub mod page;
pub mod pool;
pub mod recipe;
pub mod report;
pub mod scrub;
pub mod search;
pub mod source;
pub mod warc;
