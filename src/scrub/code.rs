//! The codes of findings. A code never changes its meaning and is never given to another; `docs/checks.md`
//! lists them, `archive/damaged/` holds a specimen of each.

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The file is not what its name says, though everything in it can be read.
    PackName,
    /// The header of a pack is damaged.
    PackHeader,
    /// The footer or the directory of a pack is damaged or missing.
    PackFooter,
    /// The page table is damaged or tells something else than the frames.
    PackTable,
    /// Bytes between frames that are no frame.
    PackGap,
    /// The payload of a frame does not match its check.
    FramePayload,
    /// A payload matches its check but does not decode to the body its head names.
    FrameContent,
    /// The base of a delta cannot be read.
    FrameBase,
    /// A frame of records is damaged.
    FrameRecords,
    /// A newer pressmark wrote this.
    PackNewer,
    /// The system cannot read the file.
    PackUnreadable,
    /// A pack vanished with snapshots that no other pack holds.
    PackMissing,
    /// A record names a body that no pack holds.
    BodyMissing,
    /// A page that was taken out for ever is still stored.
    BodyForgotten,
    /// The catalog lacks something that a pack holds.
    CatalogLacks,
    /// The catalog names something that its pack does not hold.
    CatalogStale,
    /// The blocks of a snapshot are missing in the catalog.
    OutlineMissing,
    /// The blocks of a snapshot cannot be decoded.
    OutlineDamaged,
    /// The content hashes in the catalog are not those of the page.
    OutlineDiffers,
    /// `SQLite` finds the catalog damaged.
    CatalogDamaged,
    /// A block cannot be found by its content hash.
    PostingMissing,
    /// A file in `packs/` that is no pack.
    StrayFile,
}

impl Code {
    /// Every code, in the order of `docs/checks.md`.
    pub const ALL: [Self; 22] = [
        Self::PackName,
        Self::PackHeader,
        Self::PackFooter,
        Self::PackTable,
        Self::PackGap,
        Self::FramePayload,
        Self::FrameContent,
        Self::FrameBase,
        Self::FrameRecords,
        Self::PackNewer,
        Self::PackUnreadable,
        Self::PackMissing,
        Self::BodyMissing,
        Self::BodyForgotten,
        Self::CatalogLacks,
        Self::CatalogStale,
        Self::OutlineMissing,
        Self::OutlineDamaged,
        Self::OutlineDiffers,
        Self::CatalogDamaged,
        Self::PostingMissing,
        Self::StrayFile,
    ];

    /// The code as printed: a letter for the part (pack, snapshot, catalog, file) and two digits.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PackName => "P01",
            Self::PackHeader => "P02",
            Self::PackFooter => "P03",
            Self::PackTable => "P04",
            Self::PackGap => "P05",
            Self::FramePayload => "P06",
            Self::FrameContent => "P07",
            Self::FrameBase => "P08",
            Self::FrameRecords => "P09",
            Self::PackNewer => "P10",
            Self::PackUnreadable => "P11",
            Self::PackMissing => "P12",
            Self::BodyMissing => "S01",
            Self::BodyForgotten => "S02",
            Self::CatalogLacks => "C01",
            Self::CatalogStale => "C02",
            Self::OutlineMissing => "C03",
            Self::OutlineDamaged => "C04",
            Self::OutlineDiffers => "C05",
            Self::CatalogDamaged => "C06",
            Self::PostingMissing => "C07",
            Self::StrayFile => "F01",
        }
    }

    /// Whether `repair` makes a new pack out of what can be read of the damaged one.
    #[must_use]
    pub fn is_of_pack(self) -> bool {
        matches!(
            self,
            Self::PackName
                | Self::PackHeader
                | Self::PackFooter
                | Self::PackTable
                | Self::PackGap
                | Self::FramePayload
                | Self::FrameContent
                | Self::FrameRecords
        )
    }

    /// Whether `repair` makes the catalog anew.
    #[must_use]
    pub fn is_of_catalog(self) -> bool {
        self.as_str().starts_with('C')
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_listed_once_in_the_code_and_in_the_docs() {
        let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/checks.md");
        let docs = std::fs::read_to_string(path).unwrap();
        let listed: BTreeSet<&str> = docs
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .filter_map(|line| line.split('`').next())
            .collect();
        assert_eq!(listed, codes);
    }
}
