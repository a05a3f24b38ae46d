//! Authenticated encryption under a ring of keys: XChaCha20-Poly1305, keys by HKDF-SHA256 (RFC 5869, RFC 8439).

mod keyed_hash;

pub use keyed_hash::KeyedHash;

use crate::words::Secret;
use hkdf::Hkdf;
use oidc_proxy_wasm_cipher::{Cipher, NONCE, TAG};
use sha2::Sha256;

/// Bytes of a key's id, in the clear before the nonce.
const KEY_ID: usize = 4;

/// What is sealed. Each purpose has keys of its own, so nothing sealed for one opens for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A session in its cookies.
    Session,
    /// A login in progress.
    Login,
    /// What workers of one host tell each other.
    Table,
    /// An access token that the gateway itself issued.
    GatewayToken,
    /// What several hosts keep together.
    Store,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Session => b"oidc-proxy-wasm session v1",
            Self::Login => b"oidc-proxy-wasm login v1",
            Self::Table => b"oidc-proxy-wasm table v1",
            Self::GatewayToken => b"oidc-proxy-wasm gateway token v1",
            Self::Store => b"oidc-proxy-wasm store v1",
        }
    }
}

/// The seal is not ours, or not for this. Every cause looks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// The keys of one purpose: the first seals, all open.
pub struct Sealer {
    keys: Vec<Key>,
}

struct Key {
    id: [u8; KEY_ID],
    cipher: Cipher,
}

impl Sealer {
    /// Derives the keys of `purpose` from a ring of secrets, which must not be empty for `seal` to work.
    pub fn new(ring: &[Secret], purpose: Purpose) -> Self {
        Self { keys: ring.iter().filter_map(|secret| Key::derive(secret, purpose)).collect() }
    }

    /// Seals `plain` so that it opens only beside the same `associated` data. `nonce` must be fresh and random.
    ///
    /// The result is the key's id, the nonce, the ciphertext and its tag. `None` when the ring is empty.
    pub fn seal(&self, nonce: [u8; NONCE], associated: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let key = self.keys.first()?;
        let mut text = plain.to_vec();
        let tag = key.cipher.seal(&nonce, associated, &mut text)?;
        Some([key.id.as_slice(), &nonce, &text, &tag].concat())
    }

    /// Opens what [`Self::seal`] made with the same `associated` data under any key of the ring.
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let (id, rest) = sealed.split_first_chunk::<KEY_ID>().ok_or(Unreadable)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(Unreadable)?;
        let (text, tag) = rest.split_last_chunk::<TAG>().ok_or(Unreadable)?;
        let mut text = text.to_vec();
        let opens = |key: &Key| key.id == *id && key.cipher.open(nonce, associated, &mut text, tag);
        if self.keys.iter().any(opens) { Ok(text) } else { Err(Unreadable) }
    }
}

impl Key {
    fn derive(secret: &Secret, purpose: Purpose) -> Option<Self> {
        let hkdf = Hkdf::<Sha256>::new(None, secret.expose());
        let mut id = [0; KEY_ID];
        let mut key = zeroize::Zeroizing::new([0; 32]);
        hkdf.expand(&[purpose.label(), b" id"].concat(), &mut id).ok()?;
        hkdf.expand(&[purpose.label(), b" key"].concat(), key.as_mut()).ok()?;
        Some(Self { id, cipher: Cipher::new(&key) })
    }
}

/// A key for hashes that those who hold the same ring agree on; none without a ring.
pub fn hash_key(ring: &[Secret]) -> Option<[u8; 16]> {
    let mut key = [0; 16];
    Hkdf::<Sha256>::new(None, ring.first()?.expose()).expand(b"oidc-proxy-wasm hash v1", &mut key).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(names: &[&str]) -> Vec<Secret> {
        names.iter().map(|name| Secret::new(name.repeat(32))).collect()
    }

    fn sealer(names: &[&str]) -> Sealer {
        Sealer::new(&ring(names), Purpose::Session)
    }

    #[test]
    fn what_is_sealed_opens_beside_the_same_data_only() {
        let keys = sealer(&["a"]);
        let sealed = keys.seal([7; 24], b"ours", b"plain").unwrap();
        assert_eq!(keys.open(b"ours", &sealed), Ok(b"plain".to_vec()));
        assert_eq!(keys.open(b"theirs", &sealed), Err(Unreadable));
    }

    // S01 (CVE-2026-47775): every failure is the same failure.
    #[test]
    fn a_change_of_any_byte_makes_it_unreadable() {
        let keys = sealer(&["a"]);
        let sealed = keys.seal([7; 24], b"ours", b"plain").unwrap();
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert_eq!(keys.open(b"ours", &bent), Err(Unreadable), "byte {at}");
            assert_eq!(keys.open(b"ours", &sealed[..at]), Err(Unreadable), "cut at {at}");
        }
    }

    // S03: a new key is first added last everywhere, then moved first.
    #[test]
    fn a_key_rotates_without_losing_what_it_sealed() {
        let old = sealer(&["a"]);
        let both = sealer(&["a", "b"]);
        let turned = sealer(&["b", "a"]);
        let sealed_old = old.seal([1; 24], b"", b"x").unwrap();
        let sealed_new = turned.seal([2; 24], b"", b"x").unwrap();
        assert!(both.open(b"", &sealed_new).is_ok());
        assert!(turned.open(b"", &sealed_old).is_ok());
        assert_eq!(old.open(b"", &sealed_new), Err(Unreadable));
        assert_eq!(sealer(&["b"]).open(b"", &sealed_old), Err(Unreadable));
    }

    #[test]
    fn purposes_do_not_open_each_other() {
        let sealed = sealer(&["a"]).seal([1; 24], b"", b"x").unwrap();
        assert_eq!(Sealer::new(&ring(&["a"]), Purpose::Login).open(b"", &sealed), Err(Unreadable));
    }

    #[test]
    fn an_empty_ring_seals_nothing() {
        assert_eq!(sealer(&[]).seal([0; 24], b"", b"x"), None);
    }
}
