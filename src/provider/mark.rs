//! By what a token is remembered that is not itself kept: a keyed hash of its bytes.

use crate::world::Host;
use oidc_proxy_wasm_cipher::Marks;
use std::cell::OnceCell;

/// Hashes tokens. Who does not know the key finds no two tokens of one hash.
#[derive(Default)]
pub struct Marker(OnceCell<Marks>);

impl Marker {
    /// With this key; without one, with a random key that is drawn at the first use.
    pub fn new(key: Option<[u8; 16]>) -> Self {
        Self(key.map_or_else(OnceCell::new, |key| OnceCell::from(Marks::new(&key))))
    }

    /// The token's hash.
    pub fn mark(&self, host: &dyn Host, token: &[u8]) -> u128 {
        let marks = self.0.get_or_init(|| {
            let mut key = [0; 16];
            host.fill_random(&mut key);
            Marks::new(&key)
        });
        marks.of(&[token])
    }
}
