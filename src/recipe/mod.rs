//! Named ways from a block to a content hash, and the finder that searches them.
//!
//! Never: stores.
