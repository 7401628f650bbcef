//! Results as terminal text, JSON Lines and one-file HTML.
//!
//! Never: computes.
