//! Bodies of the packs of a writer that the catalog does not know yet.

use std::sync::Arc;

use super::Archive;
use super::cache::Body;
use super::commit::Sealed;
use super::writer::Building;
use crate::digest::{Hash, blake3};
use crate::pack::frame::Frame;

/// The frame of a body in the pack being built or in the one being committed, its payload, and the place of
/// the body in it.
pub(super) fn placed<'a>(
    building: &'a Building,
    sealed: Option<&'a Sealed>,
    hash: &Hash,
) -> Option<(Frame, &'a [u8], u32)> {
    let in_building = building
        .frames
        .get(hash)
        .map(|place| (building.pack.out(), *place));
    let (out, (at, place)) = in_building.or_else(|| {
        let sealed = sealed?;
        Some((&sealed.finished.out, *sealed.frames.get(hash)?))
    })?;
    let frame = Frame::parse(out.get(usize::try_from(at).ok()?..)?, at).ok()?;
    let start = usize::try_from(frame.payload_at()).ok()?;
    let payload = out.get(start..start + frame.stored as usize)?;
    Some((frame, payload, place))
}

/// A body of a pack that the catalog does not know yet.
pub(super) fn from_unfinished(
    archive: &Archive,
    building: &Building,
    sealed: Option<&Sealed>,
    hash: &Hash,
) -> Option<Body> {
    let (mut chain, mut next) = (Vec::new(), Some(*hash));
    let mut body: Option<Body> = None;
    while let Some(wanted) = next {
        if let Some(found) = placed(building, sealed, &wanted) {
            next = found.0.base;
            chain.push(found);
        } else {
            body = Some(archive.body(&wanted).ok()?);
            next = None;
        }
    }
    for (frame, payload, place) in chain.iter().rev() {
        let base = body.as_ref().map(|body| body.as_slice());
        body = Some(Arc::new(frame.body_at(payload, *place, base).ok()?));
    }
    // A page that rests on bytes other than its base's hash says could never be read again.
    body.filter(|body| blake3(body) == *hash)
}
