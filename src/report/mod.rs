//! Results as terminal text, JSON Lines and one-file HTML.
//!
//! Never: computes.

pub mod archive;
pub mod blame;
pub mod blocks;
pub mod check;
pub mod diff;
pub mod find;
pub mod flow;
pub mod html;
pub mod layout;
pub mod log;
pub mod recipe;
pub mod scrub;
pub mod site;
