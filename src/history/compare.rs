//! How two pages of one article are compared: by the image rule of its site.

use crate::block::Document;
use crate::diff::{Diff, Filter, Options, diff};
use crate::label::{Reader, image_identity};

/// The diff of two pages of the article at `address`.
#[must_use]
pub fn compare(
    old: &Document,
    new: &Document,
    address: &str,
    reader: &Reader,
    filter: Option<&Filter>,
) -> Diff {
    by_rule(reader, address, filter, |options| diff(old, new, &options))
}

/// Hands on how pages of the article at `address` are compared.
pub(super) fn by_rule<T>(
    reader: &Reader,
    address: &str,
    filter: Option<&Filter>,
    then: impl FnOnce(Options) -> T,
) -> T {
    let rule = reader.rule(address);
    let identity = |src: &str| image_identity(rule, src);
    then(Options {
        image_identity: Some(&identity),
        filter,
    })
}
