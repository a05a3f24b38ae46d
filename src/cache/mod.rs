//! A bounded cache: so many bytes and no more, whatever strangers send.

mod spread;

pub use spread::Spread;

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
    /// Where each key's entry stands. Apart from the entries, so that one table's code serves all kinds of values.
    places: HashMap<K, usize, BuildHasherDefault<Spread>>,
    /// Values with their weights; `None` for what was taken out.
    entries: Vec<Option<(V, usize)>>,
    /// Of all entries, and of what was taken out, whose places are not used again.
    weight: usize,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// A cache whose entries weigh at most `bound` together, in the unit of [`Self::insert`].
    pub fn new(bound: usize) -> Self {
        Self { young: Generation::default(), old: Generation::default(), half: bound / 2 }
    }

    /// What is remembered under `key`.
    pub fn get(&mut self, key: &K) -> Option<V> {
        if let Some(place) = self.young.places.get(key) {
            let entry = self.young.entries.get(*place)?;
            return entry.as_ref().map(|(value, _)| value.clone());
        }
        let (key, place) = self.old.places.remove_entry(key)?;
        let (value, weight) = self.old.entries.get_mut(place)?.take()?;
        self.insert(key, value.clone(), weight);
        Some(value)
    }

    /// Remembers `value`, which weighs `weight`; what weighs more than half of the bound is not kept.
    pub fn insert(&mut self, key: K, value: V, weight: usize) {
        if weight > self.half {
            return;
        }
        if self.young.weight.saturating_add(weight) > self.half {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        let Generation { places, entries, weight: whole } = &mut self.young;
        let place = *places.entry(key).or_insert(entries.len());
        let entry = Some((value, weight));
        *whole = whole.saturating_add(weight);
        match entries.get_mut(place) {
            Some(known) => {
                let replaced = std::mem::replace(known, entry).map_or(0, |(_, weight)| weight);
                *whole = whole.saturating_sub(replaced);
            }
            None => entries.push(entry),
        }
    }

    /// Forgets `key`.
    pub fn remove(&mut self, key: &K) {
        for generation in [&mut self.young, &mut self.old] {
            let place = generation.places.remove(key);
            if let Some(entry) = place.and_then(|place| generation.entries.get_mut(place)) {
                *entry = None;
            }
        }
    }

    /// How many entries there are; an upper bound, as one may stand in both generations.
    pub fn len(&self) -> usize {
        self.young.places.len().saturating_add(self.old.places.len())
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K, V> Generation<K, V> {
    fn clear(&mut self) {
        self.places.clear();
        self.entries.clear();
        self.weight = 0;
    }
}

impl<K, V> Default for Generation<K, V> {
    fn default() -> Self {
        Self { places: HashMap::default(), entries: Vec::new(), weight: 0 }
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
        assert_eq!(cache.get(&"big"), None);
        cache.insert("small", (), 50);
        assert_eq!(cache.get(&"small"), Some(()));
        cache.remove(&"small");
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
