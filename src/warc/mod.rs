//! WARC and WACZ records, read and written.
//!
//! Layers, each usable by itself: [`Stream`] takes the compression off and finds the next member
//! after damage; [`Reader`] finds the records in it, WARC and ARC alike; [`http`] and [`coding`] turn
//! the block of a response into the bytes of the document; [`digest`] tells which bytes a declared
//! digest means. [`Writer`] writes records.
//!
//! Why not a crate (measured over the corpus, 2026-11): `warc` and `fastwarc` end at the first damaged
//! record and read no ARC, `fastwarc` needs a seekable input, `warcat` brings a command-line program
//! with its database; none goes on after damage, which is what we are asked for.
//!
//! Never: opens files.

pub mod coding;
pub mod digest;
mod fields;
pub mod http;
mod raw;
mod reader;
mod record;
mod stream;
mod write;

pub use fields::Fields;
pub use reader::{Block, Damage, DamageKind, Reader};
pub use record::{Format, Record, RecordType, moment};
pub use stream::Stream;
pub use write::{Compression, Draft, Writer, Written, put_field};
