//! SHA-2 (FIPS 180-4) by name, and the hash that belongs to an algorithm (RFC 7518 §3.1, RFC 8032 §5.1).

use crate::words::Algorithm;
use crate::world::Hash;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// The hash function of `algorithm`. That of Ed25519 is SHA-512.
pub const fn hash_of(algorithm: Algorithm) -> Hash {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 | Algorithm::Hs256 => Hash::Sha256,
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 | Algorithm::Hs384 => Hash::Sha384,
        Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::Es512 | Algorithm::Hs512 | Algorithm::EdDsa => Hash::Sha512,
    }
}

/// Length of a digest, in bytes.
pub const fn length(hash: Hash) -> usize {
    match hash {
        Hash::Sha256 => 32,
        Hash::Sha384 => 48,
        Hash::Sha512 => 64,
    }
}

/// The digest of all `parts`, one after the other.
pub fn digest(hash: Hash, parts: &[&[u8]]) -> Vec<u8> {
    match hash {
        Hash::Sha256 => with::<Sha256>(parts),
        Hash::Sha384 => with::<Sha384>(parts),
        Hash::Sha512 => with::<Sha512>(parts),
    }
}

fn with<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}
