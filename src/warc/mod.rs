//! WARC and WACZ records, read and written.
//!
//! Never: opens files.
