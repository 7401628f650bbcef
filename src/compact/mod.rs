//! Small packs into large ones, best order, best ratio; takedown.
//!
//! Never: deletes what was not read back from its copy.
