//! Whether a signature fits a message: by the host's crypto where it can, else by ours, with the same verdict.

use super::digest::{hash_of, length};
use super::ecdsa::der_signature;
use super::jwk::{Material, PublicKey};
use crate::words::{Algorithm, Secret};
use crate::world::{Hash, Host, HostCheck};
use ed25519_dalek::Signature;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

/// The signature does not fit the message, the key or the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSignature;

/// Checks a signature by a key pair (RFC 7515 §5.2, 8).
///
/// Length and range are judged here, before the host is asked: hosts are known to be less strict.
pub fn check(
    host: &dyn Host,
    key: &PublicKey,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), BadSignature> {
    if !key.fits(algorithm) {
        return Err(BadSignature);
    }
    let hash = hash_of(algorithm);
    let fits = match key.material() {
        Material::Rsa(rsa) if !rsa.in_range(signature) => false,
        Material::Rsa(rsa) if is_pss(algorithm) => rsa.verifies_pss(hash, message, signature),
        Material::Rsa(rsa) => {
            ask(host, key, hash, message, signature).unwrap_or_else(|| rsa.verifies_pkcs1(hash, message, signature))
        }
        Material::Ec(ec) if !ec.in_range(signature) => false,
        Material::Ec(ec) => der_signature(signature)
            .and_then(|der| ask(host, key, hash, message, &der))
            .unwrap_or_else(|| ec.verifies(hash, message, signature)),
        // Strict: neither key nor `R` of small order, so that a signature binds to one key and message (RFC 8032 §8.9).
        Material::Ed25519(ed) => {
            Signature::from_slice(signature).is_ok_and(|signature| ed.verify_strict(message, &signature).is_ok())
        }
    };
    if fits { Ok(()) } else { Err(BadSignature) }
}

/// Checks an HMAC, whichever byte differs in the same time (RFC 7518 §3.2). The secret must be as long as the hash.
pub fn check_mac(secret: &Secret, algorithm: Algorithm, message: &[u8], mac: &[u8]) -> Result<(), BadSignature> {
    if !is_long_enough(secret, algorithm) {
        return Err(BadSignature);
    }
    match algorithm {
        Algorithm::Hs256 => mac_fits::<Hmac<Sha256>>(secret, message, mac),
        Algorithm::Hs384 => mac_fits::<Hmac<Sha384>>(secret, message, mac),
        Algorithm::Hs512 => mac_fits::<Hmac<Sha512>>(secret, message, mac),
        _ => Err(BadSignature),
    }
}

/// An HMAC; `None` for another algorithm, and under a secret that is too short for it.
pub fn mac(secret: &Secret, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
    fn of<M: Mac + KeyInit>(secret: &Secret, message: &[u8]) -> Option<Vec<u8>> {
        let keyed = <M as KeyInit>::new_from_slice(secret.expose()).ok()?;
        Some(keyed.chain_update(message).finalize().into_bytes().to_vec())
    }
    if !is_long_enough(secret, algorithm) {
        return None;
    }
    match algorithm {
        Algorithm::Hs256 => of::<Hmac<Sha256>>(secret, message),
        Algorithm::Hs384 => of::<Hmac<Sha384>>(secret, message),
        Algorithm::Hs512 => of::<Hmac<Sha512>>(secret, message),
        _ => None,
    }
}

/// Whether `secret` is at least as long as the algorithm's hash (RFC 7518 §3.2).
pub fn is_long_enough(secret: &Secret, algorithm: Algorithm) -> bool {
    secret.len() >= length(hash_of(algorithm))
}

pub(super) const fn is_pss(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512)
}

/// The host's verdict, if it has one.
fn ask(host: &dyn Host, key: &PublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> Option<bool> {
    match host.verify_signature(hash, key.spki(), message, signature) {
        HostCheck::Valid => Some(true),
        HostCheck::Invalid => Some(false),
        HostCheck::Unable => None,
    }
}

fn mac_fits<M: Mac + KeyInit>(secret: &Secret, message: &[u8], mac: &[u8]) -> Result<(), BadSignature> {
    let computed = <M as KeyInit>::new_from_slice(secret.expose()).map_err(|_| BadSignature)?;
    computed.chain_update(message).verify_slice(mac).map_err(|_| BadSignature)
}

#[cfg(test)]
mod tests;
