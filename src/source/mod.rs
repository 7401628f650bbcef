//! Where pages come from: directory, file, WARC, NDJSON stream.
//!
//! Never: keeps.
