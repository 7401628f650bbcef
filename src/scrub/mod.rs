//! Reads the archive back and lists findings by code; repair.
//!
//! Never: stops at the first fault.
