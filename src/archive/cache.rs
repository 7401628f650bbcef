//! Decoded bodies and groups, kept as long as there is room.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::digest::Hash;

/// The bytes of a page, shared.
pub type Body = Arc<Vec<u8>>;

/// Bodies by their hash; the one not used for longest goes first.
#[derive(Debug)]
pub struct BodyCache {
    limit: usize,
    bytes: usize,
    clock: u64,
    bodies: FxHashMap<Hash, (Body, u64)>,
    by_use: BTreeMap<u64, Hash>,
}

impl BodyCache {
    /// A cache of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            clock: 0,
            bodies: FxHashMap::default(),
            by_use: BTreeMap::new(),
        }
    }

    /// The body with this hash.
    pub fn get(&mut self, hash: &Hash) -> Option<Body> {
        let (body, used) = self.bodies.get_mut(hash)?;
        self.by_use.remove(used);
        self.clock += 1;
        *used = self.clock;
        self.by_use.insert(self.clock, *hash);
        Some(body.clone())
    }

    /// Takes the body with this hash out.
    pub fn remove(&mut self, hash: &Hash) -> Option<Body> {
        let (body, used) = self.bodies.remove(hash)?;
        self.by_use.remove(&used);
        self.bytes -= body.len();
        Some(body)
    }

    /// Keeps a body. One that is larger than half of the cache is not worth all the others.
    pub fn put(&mut self, hash: Hash, body: Body) {
        if body.len() > self.limit / 2 || self.get(&hash).is_some() {
            return;
        }
        self.clock += 1;
        self.bytes += body.len();
        self.bodies.insert(hash, (body, self.clock));
        self.by_use.insert(self.clock, hash);
        while self.bytes > self.limit {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                break;
            };
            if let Some((body, _)) = self.bodies.remove(&oldest) {
                self.bytes -= body.len();
            }
        }
    }
}

/// Bodies that may become bases. What a page rested on once is likely to serve again; of the others some are
/// likelier than others.
#[derive(Debug)]
pub(super) struct BaseCache {
    likely: BodyCache,
    unlikely: BodyCache,
}

impl BaseCache {
    /// A cache of at most `limit` bytes, a quarter of them for bodies that are unlikely to be asked for.
    pub fn new(limit: usize) -> Self {
        Self {
            likely: BodyCache::new(limit - limit / 4),
            unlikely: BodyCache::new(limit / 4),
        }
    }

    /// The body with this hash.
    pub fn get(&mut self, hash: &Hash) -> Option<Body> {
        let Some(body) = self.unlikely.remove(hash) else {
            return self.likely.get(hash);
        };
        self.likely.put(*hash, body.clone());
        Some(body)
    }

    /// Keeps a body that is likely to be asked for.
    pub fn put(&mut self, hash: Hash, body: Body) {
        self.likely.put(hash, body);
    }

    /// Keeps a body for a while.
    pub fn put_unlikely(&mut self, hash: Hash, body: Body) {
        self.unlikely.put(hash, body);
    }

    /// Lets go of a body that nothing will rest on.
    pub fn forget(&mut self, hash: &Hash) {
        self.unlikely.remove(hash);
        self.likely.remove(hash);
    }
}

/// Number of a pack in the catalog, offset of a frame in bytes, and whether only some packs were read for it:
/// what came from others as well proves nothing about those.
pub type GroupPlace = (i64, u64, bool);

/// Bytes of decoded groups that are kept, ...
const GROUP_CACHE: usize = 16 << 20;

/// ... but those decoded last are kept whatever their length: so many threads may read in groups at a time.
pub const GROUPS_IN_USE: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// Groups decoded last, each as far as it was needed.
#[derive(Debug, Default)]
pub struct GroupCache {
    /// The one asked for last stands last.
    groups: Vec<(GroupPlace, Body)>,
}

impl GroupCache {
    /// The decoded beginning of a group.
    pub fn get(&mut self, place: GroupPlace) -> Option<Body> {
        let index = self.groups.iter().position(|(known, _)| *known == place)?;
        let group = self.groups.remove(index);
        let content = group.1.clone();
        self.groups.push(group);
        Some(content)
    }

    /// Keeps the decoded beginning of a group.
    pub fn put(&mut self, place: GroupPlace, content: Body) {
        self.groups.retain(|(known, _)| *known != place);
        self.groups.push((place, content));
        let mut bytes: usize = self.groups.iter().map(|(_, content)| content.len()).sum();
        while bytes > GROUP_CACHE && self.groups.len() > GROUPS_IN_USE.get() {
            bytes -= self.groups.remove(0).1.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut cache = BodyCache::new(1000);
        let body = |n: u8| (Hash([n; 32]), Arc::new(vec![n; 400]));
        for n in [1, 2] {
            let (hash, body) = body(n);
            cache.put(hash, body);
        }
        assert!(cache.get(&Hash([1; 32])).is_some());
        let (hash, bytes) = body(3);
        cache.put(hash, bytes);
        assert!(cache.get(&Hash([2; 32])).is_none());
        assert!(cache.get(&Hash([1; 32])).is_some());
        assert_eq!(cache.bytes, 800);
        cache.put(Hash([9; 32]), Arc::new(vec![0; 900]));
        assert!(cache.get(&Hash([9; 32])).is_none(), "too large to be worth it");
    }

    #[test]
    fn what_is_unlikely_goes_early_unless_it_was_asked_for() {
        let mut cache = BaseCache::new(4000);
        let hash = |n: u8| Hash([n; 32]);
        let body = |n: u8| Arc::new(vec![n; 400]);
        cache.put(hash(9), body(9));
        for n in [1, 2, 3] {
            cache.put_unlikely(hash(n), body(n));
        }
        assert!(cache.get(&hash(1)).is_none());
        assert_eq!(cache.get(&hash(2)), Some(body(2)));
        for n in [4, 5] {
            cache.put_unlikely(hash(n), body(n));
        }
        assert!(cache.get(&hash(3)).is_none());
        assert_eq!(cache.get(&hash(2)), Some(body(2)));
        assert_eq!(cache.get(&hash(9)), Some(body(9)));
        for n in [2, 5] {
            cache.forget(&hash(n));
            assert!(cache.get(&hash(n)).is_none());
        }
    }

    #[test]
    fn groups_that_were_not_asked_for_go_first() {
        let mut cache = GroupCache::default();
        let content = |bytes: usize| Arc::new(vec![0; bytes]);
        cache.put((1, 32, false), content(GROUP_CACHE / 2));
        cache.put((1, 99, false), content(GROUP_CACHE / 4));
        assert!(cache.get((1, 32, false)).is_some());
        assert!(cache.get((1, 32, true)).is_none());
        cache.put((2, 32, false), content(GROUP_CACHE / 2));
        assert!(cache.get((1, 99, false)).is_none());
        assert!(cache.get((1, 32, false)).is_some());
        cache.put((3, 32, false), content(2 * GROUP_CACHE));
        cache.put((4, 32, false), content(2 * GROUP_CACHE));
        assert!(cache.get((1, 32, false)).is_none());
        for last in [3, 4] {
            assert!(cache.get((last, 32, false)).is_some(), "the last two stay");
        }
    }
}
