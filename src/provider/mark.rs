//! By what a token is remembered that is not itself kept: a keyed hash of its bytes.

use crate::world::Host;
use siphasher::sip128::SipHasher24;
use std::cell::OnceCell;

/// Hashes tokens with SipHash-2-4 to 128 bits. Who does not know the key finds no two tokens of one hash.
#[derive(Default)]
pub struct Marker(OnceCell<SipHasher24>);

impl Marker {
    /// With this key; without one, with a random key that is drawn at the first use.
    pub fn new(key: Option<[u8; 16]>) -> Self {
        Self(key.map_or_else(OnceCell::new, |key| OnceCell::from(SipHasher24::new_with_key(&key))))
    }

    /// The token's hash.
    pub fn mark(&self, host: &dyn Host, token: &str) -> u128 {
        let hasher = self.0.get_or_init(|| {
            let mut key = [0; 16];
            host.fill_random(&mut key);
            SipHasher24::new_with_key(&key)
        });
        hasher.hash(token.as_bytes()).as_u128()
    }
}
