//! Numbers for element names, so that open elements are compared and found without text.

use rustc_hash::FxHashMap;

use super::tag::{KNOWN, Tag};

/// An element name and whether it is foreign (SVG or `MathML`), as one number: known HTML names come
/// first, then known foreign ones, then the others as they turn up.
pub(super) type NameId = u32;

/// Different unknown names that are told apart; all beyond share one number.
const MAX_NAMES: usize = 1 << 16;

const FOREIGN: NameId = KNOWN as NameId;
const OTHERS: NameId = 2 * FOREIGN;

/// The names met so far, and for each the innermost open element of that name.
#[derive(Debug)]
pub(super) struct Names {
    others: FxHashMap<Box<[u8]>, NameId>,
    /// One more than the stack position of the innermost open element of each name; 0: none.
    innermost: Vec<u32>,
    scratch: Vec<u8>,
}

impl Names {
    pub fn new() -> Self {
        Self {
            others: FxHashMap::default(),
            innermost: vec![0; OTHERS as usize],
            scratch: Vec::new(),
        }
    }

    /// The number of a name in any case.
    pub fn id(&mut self, tag: Tag, name: &[u8], foreign: bool) -> NameId {
        if tag != Tag::Unknown {
            return Self::known(tag) + if foreign { FOREIGN } else { 0 };
        }
        self.scratch.clear();
        self.scratch.extend(name.iter().map(u8::to_ascii_lowercase));
        let id = match self.others.get(self.scratch.as_slice()) {
            Some(&id) => id,
            None if self.others.len() >= MAX_NAMES => OTHERS,
            None => {
                let id = self.innermost.len() as NameId;
                self.others.insert(self.scratch.as_slice().into(), id);
                self.innermost.extend([0, 0]);
                id
            }
        };
        id + NameId::from(foreign)
    }

    /// The number of a known HTML name.
    pub fn known(tag: Tag) -> NameId {
        NameId::from(tag as u8)
    }

    /// One more than the stack position of the innermost open element of this name; 0: none.
    pub fn innermost(&self, id: NameId) -> u32 {
        self.innermost.get(id as usize).copied().unwrap_or(0)
    }

    /// The same for a known HTML name.
    pub fn innermost_of(&self, tag: Tag) -> u32 {
        self.innermost(Self::known(tag))
    }

    pub fn set_innermost(&mut self, id: NameId, position: u32) {
        if let Some(known) = self.innermost.get_mut(id as usize) {
            *known = position;
        }
    }
}
