//! Keyed hashes of what comes with a request.

use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;

/// SipHash-2-4 to 128 bits under one key. Who does not know the key finds no two texts of one hash.
#[derive(Clone)]
pub struct Marks(SipHasher24);

impl Marks {
    /// Under this key.
    pub fn new(key: &[u8; 16]) -> Self {
        Self(SipHasher24::new_with_key(key))
    }

    /// The hash of these parts, written one behind the other.
    pub fn of(&self, parts: &[&[u8]]) -> u128 {
        let mut hasher = self.0;
        for part in parts {
            hasher.write(part);
        }
        hasher.finish128().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and the last of the vectors that come with the reference code: the key and the text count up from zero.
    #[test]
    fn the_reference_s_vectors_come_out() {
        let marks = Marks::new(&std::array::from_fn(|at| u8::try_from(at).unwrap()));
        let text: Vec<u8> = (0..63).collect();
        let hash = |hex: &str| u128::from_str_radix(hex, 16).unwrap().swap_bytes();
        assert_eq!(marks.of(&[]), hash("a3817f04ba25a8e66df67214c7550293"));
        assert_eq!(marks.of(&[&text]), hash("5150d1772f50834a503e069a973fbd7c"));
        assert_eq!(marks.of(&[&text[..20], b"", &text[20..]]), hash("5150d1772f50834a503e069a973fbd7c"));
    }
}
