//! Maps by the host's numbers for what it has: looked into several times for each request.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by numbers that nobody but the host chooses: no hash that withstands an enemy is needed.
pub type ByNumber<T> = HashMap<u32, T, BuildHasherDefault<Spread>>;

/// Spreads numbers that follow each other over the whole range.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u32(&mut self, number: u32) {
        // The golden ratio as a fraction of 2^64 (Knuth, The Art of Computer Programming, volume 3, §6.4).
        self.0 = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
}
