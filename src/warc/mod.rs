//! WARC and WACZ records, read and written.
//!
//! Layers, each usable by itself: [`Stream`] takes the compression off and finds the next member
//! after damage; [`Reader`] finds the records in it, WARC and ARC alike; [`http`] and [`coding`] turn
//! the block of a response into the bytes of the document; [`digest`] tells which bytes a declared
//! digest means. [`Writer`] writes records.
//!
//! Why not a crate (tried on the corpus's 191 files): `fastwarc` 2.0 is fast and reads well-formed
//! WARC, but no ARC, and gave fewer records than this reader on 31 files: it needs a seekable input
//! and ends at the first fault. `warc` 0.4 reads whole files of gzip only and opens no plain file
//! by path; `warcat` 0.3 does not build as a library without its program's features.
//!
//! Never: opens files.

mod begin;
pub mod coding;
mod damage;
pub mod digest;
mod fields;
pub mod http;
mod raw;
mod reader;
mod record;
mod stream;
mod write;

pub use damage::{Damage, DamageKind};
pub use fields::Fields;
pub use reader::{Block, Reader};
pub use record::{Format, Record, RecordType, moment};
pub use stream::Stream;
pub use write::{Compression, Draft, Packed, Packer, Writer, Written, put_field};
