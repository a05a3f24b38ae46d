//! A bounded cache: so many bytes and no more, whatever strangers send.

mod spread;

pub use spread::Spread;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash};

/// Remembers what was used lately, within a bound on the weight of all entries.
///
/// Two generations: when the young one holds half of the bound it becomes the old one, and what was not used since
/// is forgotten. Memory of a wasm VM never shrinks, so the bound is what the cache costs for good.
///
/// Keys are what [`Spread`] can hash: keyed hashes, or the marks of what we sealed ourselves.
pub struct Cache<K, V> {
    young: Generation<K, V>,
    old: Generation<K, V>,
    half: usize,
}

struct Generation<K, V> {
    entries: HashMap<K, (V, usize), BuildHasherDefault<Spread>>,
    weight: usize,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// A cache whose entries weigh at most `bound` together, in the unit of [`Self::insert`].
    pub fn new(bound: usize) -> Self {
        Self { young: Generation::default(), old: Generation::default(), half: bound / 2 }
    }

    /// What is remembered under `key`.
    pub fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        if let Some((value, _)) = self.young.entries.get(key) {
            return Some(value.clone());
        }
        let (key, (value, weight)) = self.old.entries.remove_entry(key)?;
        self.insert(key, value.clone(), weight);
        Some(value)
    }

    /// Remembers `value`, which weighs `weight`; what weighs more than half of the bound is not kept.
    pub fn insert(&mut self, key: K, value: V, weight: usize) {
        if weight > self.half {
            return;
        }
        if self.young.weight.saturating_add(weight) > self.half {
            self.old = std::mem::take(&mut self.young);
        }
        let replaced = self.young.entries.insert(key, (value, weight)).map_or(0, |(_, weight)| weight);
        self.young.weight = self.young.weight.saturating_sub(replaced).saturating_add(weight);
    }

    /// Forgets `key`.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Some((_, weight)) = self.young.entries.remove(key) {
            self.young.weight = self.young.weight.saturating_sub(weight);
        }
        self.old.entries.remove(key);
    }

    /// How many entries there are; an upper bound, as one may stand in both generations.
    pub fn len(&self) -> usize {
        self.young.entries.len().saturating_add(self.old.entries.len())
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K, V> Default for Generation<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::default(), weight: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_make_it_grow() {
        let mut cache = Cache::new(1000);
        for key in 0..100_000_u32 {
            cache.insert(key, (), 10);
            assert!(cache.len() <= 100);
        }
    }

    #[test]
    fn what_is_used_stays() {
        let mut cache = Cache::new(100);
        cache.insert(0, "kept", 10);
        for key in 1..1000 {
            assert_eq!(cache.get(&0), Some("kept"), "after {key}");
            cache.insert(key, "passing", 10);
        }
        assert_eq!(cache.get(&500), None);
    }

    #[test]
    fn what_weighs_too_much_is_not_kept_and_what_is_removed_is_gone() {
        let mut cache = Cache::new(100);
        cache.insert("big", (), 51);
        assert_eq!(cache.get("big"), None);
        cache.insert("small", (), 50);
        assert_eq!(cache.get("small"), Some(()));
        cache.remove("small");
        assert!(cache.is_empty());
    }

    #[test]
    fn replacing_an_entry_does_not_count_it_twice() {
        let mut cache = Cache::new(100);
        cache.insert(1, 'a', 10);
        for _ in 0..50 {
            cache.insert(2, 'b', 10);
        }
        assert_eq!(cache.get(&1), Some('a'));
    }
}
