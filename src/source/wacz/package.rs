//! What a WACZ says about its files in `datapackage.json`, held against the files.

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::super::offsets::Offsets;
use super::super::payload::clip;
use super::super::{At, Fault, Place, Reason};
use super::entry::Entry;
use super::index::Index;
use crate::digest::Hash;
use crate::warc::digest::{Algorithm, Declared};

/// Longest `datapackage.json` read, in bytes.
const MAX_PACKAGE: u64 = 64 << 20;

const PACKAGE: &str = "datapackage.json";
const PACKAGE_DIGEST: &str = "datapackage-digest.json";

/// One zip file: what lies in it, and what was learned while its WARCs were read.
pub(super) struct Package {
    name: String,
    pub(super) entries: Vec<Entry>,
    hashes: FxHashMap<String, Hash>,
    pub(super) index: Index,
}

impl Package {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            entries: Vec::new(),
            hashes: FxHashMap::default(),
            index: Index::default(),
        }
    }

    /// Keeps what was learned of a WARC.
    pub(super) fn read(&mut self, entry: &Entry, hash: Option<Hash>, offsets: Offsets) {
        self.hashes.extend(hash.map(|hash| (entry.path.clone(), hash)));
        self.index.add(entry, offsets);
    }

    /// What does not fit.
    pub(super) fn check(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Err(fault) = self.check_hashes(&mut faults) {
            faults.push(fault);
        }
        let entries = std::mem::take(&mut self.entries);
        std::mem::take(&mut self.index).check(&entries, &mut faults);
        faults
    }

    fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }

    fn check_hashes(&self, faults: &mut Vec<Fault>) -> Result<(), Fault> {
        let Some(entry) = self.entry(PACKAGE) else {
            let place = Place {
                file: self.name.as_str().into(),
                at: At::Whole,
            };
            let message = format!("there is no {PACKAGE} in it, so the hashes of its files are not checked");
            return Err(Fault::new(place, Reason::NoPackage, message));
        };
        let bytes = entry.read(MAX_PACKAGE)?;
        let unreadable =
            |entry: &Entry, message: String| Fault::new(entry.place(At::Whole), Reason::BadJson, message);
        if let Some(digest_entry) = self.entry(PACKAGE_DIGEST) {
            let digest = digest_entry.read(MAX_PACKAGE)?;
            let digest: Value = serde_json::from_slice(&digest)
                .map_err(|error| unreadable(digest_entry, format!("not JSON: {error}")))?;
            match declared(&digest) {
                Ok(declared) if declared.fits(&bytes) => {}
                Ok(_) => faults.push(mismatch(entry, PACKAGE_DIGEST)),
                Err((reason, why)) => faults.push(unchecked(entry, PACKAGE_DIGEST, reason, &why)),
            }
        }
        let package: Value = serde_json::from_slice(&bytes)
            .map_err(|error| unreadable(entry, format!("not JSON: {error}; hashes are not checked")))?;
        let Some(resources) = package.get("resources").and_then(Value::as_array) else {
            let message = "it lists no resources, so the hashes of the files are not checked".to_owned();
            return Err(unreadable(entry, message));
        };
        // By path: a package may list as many files as the zip file holds.
        let mut by_path = FxHashMap::default();
        for entry in &self.entries {
            by_path.entry(entry.path.as_str()).or_insert(entry);
        }
        for resource in resources {
            let Some(path) = resource.get("path").and_then(Value::as_str) else {
                continue;
            };
            let Some(listed) = by_path.get(path).copied() else {
                let place = entry.place(At::Whole);
                let message = format!("it lists {:?}, which is not in the zip file", clip(path));
                faults.push(Fault::new(place, Reason::Vanished, message));
                continue;
            };
            if let Some(bytes) = resource.get("bytes").and_then(Value::as_u64)
                && bytes != listed.length
            {
                let message = format!("{PACKAGE} says {bytes} bytes, but it has {}", listed.length);
                faults.push(Fault::new(listed.place(At::Whole), Reason::BadLength, message));
            }
            match declared(resource).and_then(|declared| self.has(listed, &declared)) {
                Ok(true) => {}
                Ok(false) => faults.push(mismatch(listed, PACKAGE)),
                Err((reason, why)) => faults.push(unchecked(listed, PACKAGE, reason, &why)),
            }
        }
        Ok(())
    }

    /// Whether a file has a digest; else why that cannot be told.
    fn has(&self, entry: &Entry, declared: &Declared) -> Result<bool, Unchecked> {
        if declared.algorithm != Algorithm::Sha256 {
            let bytes = entry
                .read(MAX_PACKAGE)
                .map_err(|fault| (Reason::DigestUnchecked, fault.message))?;
            return Ok(declared.fits(&bytes));
        }
        let hash = self.hashes.get(&entry.path).copied().or_else(|| entry.hash());
        let unreadable = || (Reason::DigestUnchecked, "it cannot be read to its end".to_owned());
        Ok(declared.bytes == hash.ok_or_else(unreadable)?.0)
    }
}

fn mismatch(entry: &Entry, said_by: &str) -> Fault {
    let message = format!("its bytes are not what {said_by} says: the hashes differ");
    Fault::new(entry.place(At::Whole), Reason::DigestMismatch, message)
}

/// Why a hash was not checked.
type Unchecked = (Reason, String);

fn unchecked(entry: &Entry, said_by: &str, reason: Reason, why: &str) -> Fault {
    let message = format!("its hash in {said_by} is not checked: {why}");
    Fault::new(entry.place(At::Whole), reason, message)
}

/// The hash of an object: a digest with its algorithm before it, or 64 hex digits alone, which early
/// tools wrote for SHA-256.
fn declared(object: &Value) -> Result<Declared, Unchecked> {
    let Some(hash) = object.get("hash") else {
        return Err((Reason::DigestUnchecked, "none is given".to_owned()));
    };
    let spelled = hash.as_str().unwrap_or_default();
    Declared::parse(spelled)
        .or_else(|| Declared::parse(&format!("sha256:{spelled}")))
        .ok_or_else(|| {
            let written = clip(&hash.to_string());
            (
                Reason::BadDigest,
                format!("{written} is no digest that can be checked"),
            )
        })
}
