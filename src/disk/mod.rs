//! The only door to the archive's files: write whole, sync, rename, list, lock.
//!
//! Never: knows a format.
