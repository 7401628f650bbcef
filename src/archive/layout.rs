//! Names of files and directories in an archive.

use crate::digest::Hash;

/// Directory of the packs; below it one directory for each first two hex digits.
pub const PACKS: &str = "packs";
/// Directory of files being written. Nothing in it belongs to the archive yet.
pub const TMP: &str = "tmp";
/// Directory where `repair` puts what cannot be read.
pub const QUARANTINE: &str = "quarantine";
/// File whose lock is the maintenance lock.
pub const LOCK: &str = "lock";
/// File of the catalog.
pub const CATALOG: &str = "catalog.sqlite";

/// Directory of a pack.
#[must_use]
pub fn pack_dir(name: &Hash) -> String {
    format!("{PACKS}/{:02x}", name.0[0])
}

/// Path of a pack.
#[must_use]
pub fn pack_path(name: &Hash) -> String {
    format!("{}/{name}.pack", pack_dir(name))
}

/// The pack a file name stands for, `None` for other files.
#[must_use]
pub fn pack_name(file: &str) -> Option<Hash> {
    let hex = file.strip_suffix(".pack")?;
    let lower = hex.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    hex.parse().ok().filter(|_| lower)
}
