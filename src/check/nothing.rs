//! The hashes of empty text, which say nothing about the block they stand on.

use std::sync::LazyLock;

use crate::catalog::blocks::declared_prefix;
use crate::catalog::ledger::Nothing;
use crate::recipe::{Algorithm, Spelling};

/// The keys of the digest of empty text, by every algorithm and in every spelling that is read.
pub(super) static NOTHING: LazyLock<Nothing> = LazyLock::new(|| {
    let mut keys = Nothing::default();
    for algorithm in Algorithm::ALL {
        let digest = algorithm.digest(b"");
        for spelling in Spelling::ALL {
            let spelled = spelling.spell(digest.as_bytes(), Some(algorithm));
            // Base64 is read with padding and without.
            let bare = spelled.trim_end_matches('=');
            for padding in ["", "=", "=="] {
                keys.insert(declared_prefix(&format!("{bare}{padding}")));
            }
        }
    }
    keys
});
