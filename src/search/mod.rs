//! Where a block stands: exact, near, by page.
//!
//! Never: stores.
