//! Which blocks are the article's body; site rules.
//!
//! Never: decides what is stored.
