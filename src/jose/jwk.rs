//! One public key that may verify signatures, from its JWK (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).

use super::base64url;
use super::der;
use super::ecdsa::{Curve, EcKey};
use super::rsa::RsaKey;
use crate::words::{Algorithm, json};
use ed25519_dalek::VerifyingKey;
use serde_json::Value;
use std::fmt;

/// A key that is sound and meant to verify.
pub struct PublicKey {
    kid: Option<Box<str>>,
    algorithm: Option<Algorithm>,
    material: Material,
    spki: Vec<u8>,
}

/// What the arithmetic needs.
pub(super) enum Material {
    /// `kty` `RSA`.
    Rsa(RsaKey),
    /// `kty` `EC`.
    Ec(Box<EcKey>),
    /// `kty` `OKP`, `crv` `Ed25519`.
    Ed25519(Box<VerifyingKey>),
}

/// Why a JWK is not used. One bad key does not spoil its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRefused {
    /// Not a JSON object, a duplicate member, or a member that is missing or of a wrong type.
    Malformed,
    /// `kty` or `crv` is none of ours.
    Type,
    /// `use` is not `sig` (RFC 7517 §4.2).
    Use,
    /// `key_ops` has a duplicate, or no `verify` (RFC 7517 §4.3).
    Operations,
    /// `alg` is unknown, or none of the key's type (RFC 7517 §4.4).
    Algorithm,
    /// It is a private key: whoever reads the set can sign with it.
    Private,
    /// The RSA modulus is even, too short (RFC 7518 §3.3) or too long.
    Modulus,
    /// The RSA exponent is even, 1, or huge.
    Exponent,
    /// The coordinates are of a wrong length or no point of the curve, or one of small order (RFC 8725 §3.4).
    Point,
}

impl PublicKey {
    /// Reads one JWK. `x5c`, `x5t` and `x5u` have no say.
    pub fn parse(text: &[u8]) -> Result<Self, KeyRefused> {
        let members = Members(json::object(text).map_err(|_| KeyRefused::Malformed)?);
        let kind = members.text("kty")?.ok_or(KeyRefused::Malformed)?;
        members.check_purpose()?;
        let (material, spki) = match kind {
            "RSA" => rsa(&members)?,
            "EC" => ec(&members)?,
            "OKP" => okp(&members)?,
            _ => return Err(KeyRefused::Type),
        };
        // `d` is the private part of all three types (RFC 7518 §6.2.2, §6.3.2, RFC 8037 §2).
        if members.0.contains_key("d") {
            return Err(KeyRefused::Private);
        }
        let algorithm = match members.text("alg")? {
            Some(name) => Some(Algorithm::from_name(name).ok_or(KeyRefused::Algorithm)?),
            None => None,
        };
        if algorithm.is_some_and(|algorithm| !material.fits(algorithm)) {
            return Err(KeyRefused::Algorithm);
        }
        Ok(Self { kid: members.text("kid")?.map(Box::from), algorithm, material, spki })
    }

    /// Its name within the set (RFC 7517 §4.5).
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether a signature by `algorithm` may be checked with it.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.material.fits(algorithm)
    }

    /// Whether `other` is the same key under the same name, for the same algorithms.
    pub fn is(&self, other: &Self) -> bool {
        let same_material = match (&self.material, &other.material) {
            (Material::Ed25519(own), Material::Ed25519(theirs)) => own == theirs,
            // The `SubjectPublicKeyInfo` tells all others apart; Ed25519 has none here.
            _ => self.spki == other.spki && !self.spki.is_empty(),
        };
        self.kid == other.kid && self.algorithm == other.algorithm && same_material
    }

    /// What the arithmetic needs.
    pub(super) const fn material(&self) -> &Material {
        &self.material
    }

    /// The key as DER `SubjectPublicKeyInfo`, as hosts take it; empty for Ed25519, which they do not.
    pub(super) fn spki(&self) -> &[u8] {
        &self.spki
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("kid", &self.kid).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl Material {
    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm as A;
        match self {
            Self::Rsa(_) => matches!(algorithm, A::Rs256 | A::Rs384 | A::Rs512 | A::Ps256 | A::Ps384 | A::Ps512),
            Self::Ec(key) => match key.curve() {
                Curve::P256 => algorithm == A::Es256,
                Curve::P384 => algorithm == A::Es384,
                Curve::P521 => algorithm == A::Es512,
            },
            Self::Ed25519(_) => algorithm == A::EdDsa,
        }
    }
}

fn rsa(members: &Members) -> Result<(Material, Vec<u8>), KeyRefused> {
    let (n, e) = (members.bytes("n")?, members.bytes("e")?);
    let key = RsaKey::new(&n, &e)?;
    Ok((Material::Rsa(key), der::rsa_key(&n, &e)))
}

fn ec(members: &Members) -> Result<(Material, Vec<u8>), KeyRefused> {
    let curve = members.text("crv")?.ok_or(KeyRefused::Malformed)?;
    let curve = Curve::from_name(curve).ok_or(KeyRefused::Type)?;
    let (x, y) = (members.bytes("x")?, members.bytes("y")?);
    let key = EcKey::new(curve, &x, &y)?;
    Ok((Material::Ec(Box::new(key)), der::ec_key(curve, &x, &y)))
}

fn okp(members: &Members) -> Result<(Material, Vec<u8>), KeyRefused> {
    if members.text("crv")?.ok_or(KeyRefused::Malformed)? != "Ed25519" {
        return Err(KeyRefused::Type);
    }
    let x: [u8; 32] = members.bytes("x")?.try_into().map_err(|_| KeyRefused::Point)?;
    let key = VerifyingKey::from_bytes(&x).map_err(|_| KeyRefused::Point)?;
    if key.is_weak() {
        return Err(KeyRefused::Point);
    }
    Ok((Material::Ed25519(Box::new(key)), Vec::new()))
}

struct Members(json::Object);

impl Members {
    /// A member of a wrong type is an error, never absent.
    fn text(&self, name: &str) -> Result<Option<&str>, KeyRefused> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(KeyRefused::Malformed),
        }
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, KeyRefused> {
        self.text(name)?.and_then(base64url::decode).ok_or(KeyRefused::Malformed)
    }

    fn check_purpose(&self) -> Result<(), KeyRefused> {
        if self.text("use")?.is_some_and(|purpose| purpose != "sig") {
            return Err(KeyRefused::Use);
        }
        let operations = match self.0.get("key_ops") {
            None => return Ok(()),
            Some(Value::Array(operations)) => operations,
            Some(_) => return Err(KeyRefused::Malformed),
        };
        let mut rest = operations.iter();
        while let Some(operation) = rest.next() {
            if !operation.is_string() {
                return Err(KeyRefused::Malformed);
            }
            if operations.len() > MAX_OPERATIONS || rest.clone().any(|other| other == operation) {
                return Err(KeyRefused::Operations);
            }
        }
        match operations.iter().any(|operation| operation == "verify") {
            true => Ok(()),
            false => Err(KeyRefused::Operations),
        }
    }
}

/// RFC 7517 §4.3 registers eight.
const MAX_OPERATIONS: usize = 16;

#[cfg(test)]
mod tests;
