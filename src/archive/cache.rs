//! Decoded bodies and groups, kept as long as there is room.

use std::collections::BTreeMap;
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

/// The group decoded last, as far as it was needed.
#[derive(Debug, Default)]
pub struct GroupCache {
    last: Option<(i64, u64, Body)>,
}

impl GroupCache {
    /// The decoded beginning of a group.
    #[must_use]
    pub fn get(&self, pack: i64, at: u64) -> Option<Body> {
        let (known_pack, known_at, content) = self.last.as_ref()?;
        (*known_pack == pack && *known_at == at).then(|| content.clone())
    }

    /// Keeps the decoded beginning of a group.
    pub fn put(&mut self, pack: i64, at: u64, content: Body) {
        self.last = Some((pack, at, content));
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
}
