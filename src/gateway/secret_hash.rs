//! Whether a secret is the one that is known by its hash.

use crate::cache::Cache;
use crate::config::SecretHash;
use crate::provider::Marker;
use crate::world::World;
use hmac::Hmac;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How many secrets that were found right are remembered.
const KNOWN: usize = 1024;

/// What was found right before: slow hashes are computed once for each secret that is used.
pub struct Checked {
    marker: Marker,
    known: RefCell<Cache<u128, ()>>,
}

impl Default for Checked {
    fn default() -> Self {
        Self { marker: Marker::default(), known: RefCell::new(Cache::new(KNOWN)) }
    }
}

impl Checked {
    /// Whether `secret`, which came with `client_id`, has this hash. A wrong one costs what the hash costs, each time: whoever
    /// asks limits how often.
    pub fn fits(&self, world: &World, hash: &SecretHash, client_id: &str, secret: &str) -> bool {
        match hash {
            SecretHash::Sha256(hash) => Sha256::digest(secret).as_slice().ct_eq(hash.as_slice()).into(),
            SecretHash::Pbkdf2 { rounds, salt, hash } => {
                // No name of a client has a NUL in it.
                let shown = Zeroizing::new(format!("{client_id}\0{secret}"));
                let mark = self.marker.mark(&**world, shown.as_bytes());
                if self.known.borrow_mut().get(&mark).is_some() {
                    return true;
                }
                let mut derived = Zeroizing::new([0; 32]);
                let fits = pbkdf2::pbkdf2::<Hmac<Sha256>>(secret.as_bytes(), salt, *rounds, derived.as_mut()).is_ok()
                    && bool::from(derived.ct_eq(hash));
                if fits {
                    self.known.borrow_mut().insert(mark, (), 1);
                }
                fits
            }
        }
    }
}
