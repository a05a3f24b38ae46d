//! A hash for keys that nobody chooses.

use std::hash::Hasher;

/// The golden ratio as a fraction of 2^64 (Knuth, The Art of Computer Programming, volume 3, §6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads keys over a table in a step or two. For the host's own numbers, and for what is a keyed hash already: an enemy who
/// can choose keys would find many that fall on one place.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(GOLDEN);
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_le_bytes());
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    /// Tables place by the lowest bits, and tell neighbours apart by the highest seven.
    #[test]
    fn numbers_that_follow_each_other_fall_apart() {
        let hashes: Vec<u64> =
            (0..4096_u32).map(|number| BuildHasherDefault::<Spread>::default().hash_one(number)).collect();
        let low: BTreeSet<u64> = hashes.iter().map(|hash| hash % 4096).collect();
        let high: BTreeSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert_eq!((low.len(), high.len()), (4096, 128));
    }
}
