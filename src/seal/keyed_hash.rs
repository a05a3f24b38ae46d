//! Names for things that must not be written down as they are: HMAC-SHA256 under a derived key (RFC 2104, RFC 5869).

use crate::words::Secret;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A hash that only those compute who hold the same secret, and all of them alike.
pub struct KeyedHash(Option<Hmac<Sha256>>);

impl KeyedHash {
    /// The hash for one purpose under the first secret of a ring. Without any secret the key is known to everybody: the
    /// hash still spreads evenly, but hides nothing that can be guessed.
    pub fn new(ring: &[Secret], purpose: &[u8]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, ring.first().map_or(&[], Secret::expose));
        let mut key = zeroize::Zeroizing::new([0; 32]);
        let expanded = hkdf.expand(&[purpose, b" hash"].concat(), key.as_mut());
        Self(expanded.ok().and_then(|()| Hmac::new_from_slice(key.as_ref()).ok()))
    }

    /// The hash of these parts; other parts, or the same bytes cut otherwise, have another one.
    pub fn of(&self, parts: &[&[u8]]) -> [u8; 32] {
        // HMAC takes keys of every length, so there is always a key.
        let Some(mut mac) = self.0.clone() else { return [0; 32] };
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_depends_on_the_secret_the_purpose_and_the_parts() {
        let ring = |byte: u8| [Secret::new(vec![byte; 32]), Secret::new(vec![9; 32])];
        let hash = |ring: &[Secret], purpose: &[u8], parts: &[&[u8]]| KeyedHash::new(ring, purpose).of(parts);
        let one = hash(&ring(1), b"p", &[b"ab", b"c"]);
        assert_eq!(one, hash(&ring(1)[..1], b"p", &[b"ab", b"c"]), "the first secret counts");
        let others = [
            hash(&ring(2), b"p", &[b"ab", b"c"]),
            hash(&[], b"p", &[b"ab", b"c"]),
            hash(&ring(1), b"q", &[b"ab", b"c"]),
            hash(&ring(1), b"p", &[b"a", b"bc"]),
            hash(&ring(1), b"p", &[b"abc"]),
        ];
        assert!(others.iter().all(|other| *other != one && *other != [0; 32]));
    }
}
