//! WARC, WACZ, Parquet, NDJSON, CDXJ and files, to any `Write`.
//!
//! Never: reads the network.
