//! Packs and catalog opened together; the order of writes; bases chosen.
//!
//! Never: parses HTML.
