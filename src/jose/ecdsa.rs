//! ECDSA signatures on the NIST curves (RFC 7518 §3.4): fixed length, `R` then `S`, both from 1 to below the order.

use super::der;
use super::digest::digest;
use super::jwk::KeyRefused;
use crate::world::Hash;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::elliptic_curve::point::AffineCoordinates;

/// A point on one of the curves, never the one at infinity.
pub enum EcKey {
    /// P-256.
    P256(p256::ecdsa::VerifyingKey),
    /// P-384.
    P384(p384::ecdsa::VerifyingKey),
    /// P-521.
    P521(p521::ecdsa::VerifyingKey),
}

/// A curve by its registered name (RFC 7518 §6.2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// `P-256`.
    P256,
    /// `P-384`.
    P384,
    /// `P-521`.
    P521,
}

impl Curve {
    /// The curve of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "P-256" => Some(Self::P256),
            "P-384" => Some(Self::P384),
            "P-521" => Some(Self::P521),
            _ => None,
        }
    }

    /// Length of a coordinate and of each half of a signature, in bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl EcKey {
    /// Takes coordinates of exactly the curve's length (RFC 7518 §6.2.1.2) that name a point on it.
    pub fn new(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, KeyRefused> {
        if x.len() != curve.length() || y.len() != curve.length() {
            return Err(KeyRefused::Point);
        }
        let key = match curve {
            Curve::P256 => {
                point(x, y).and_then(|point| p256::ecdsa::VerifyingKey::from_affine(point).ok()).map(Self::P256)
            }
            Curve::P384 => {
                point(x, y).and_then(|point| p384::ecdsa::VerifyingKey::from_affine(point).ok()).map(Self::P384)
            }
            Curve::P521 => {
                point(x, y).and_then(|point| p521::ecdsa::VerifyingKey::from_affine(point).ok()).map(Self::P521)
            }
        };
        key.ok_or(KeyRefused::Point)
    }

    /// The curve.
    pub const fn curve(&self) -> Curve {
        match self {
            Self::P256(_) => Curve::P256,
            Self::P384(_) => Curve::P384,
            Self::P521(_) => Curve::P521,
        }
    }

    /// Whether `signature` has exactly the curve's length, and both halves are from 1 to below the order.
    pub fn in_range(&self, signature: &[u8]) -> bool {
        match self {
            Self::P256(_) => p256::ecdsa::Signature::from_slice(signature).is_ok(),
            Self::P384(_) => p384::ecdsa::Signature::from_slice(signature).is_ok(),
            Self::P521(_) => p521::ecdsa::Signature::from_slice(signature).is_ok(),
        }
    }

    /// Whether `signature` is one over `message`.
    pub fn verifies(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let digest = digest(hash, &[message]);
        match self {
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok()),
            Self::P384(key) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok()),
            Self::P521(key) => p521::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok()),
        }
    }
}

/// The point of those coordinates, if it is on the curve.
///
/// Not by way of its encoding: that could be a compressed one, whose square roots would never be taken.
fn point<P: AffineCoordinates>(x: &[u8], y: &[u8]) -> Option<P>
where
    P::FieldRepr: for<'a> TryFrom<&'a [u8]>,
{
    P::from_coordinates(&x.try_into().ok()?, &y.try_into().ok()?).into_option()
}

/// A point as X9.62 writes it (SEC 1 §2.3.3).
pub fn uncompressed(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

/// A signature of fixed length as hosts take it: DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3). `None` when it has no halves.
pub fn der_signature(signature: &[u8]) -> Option<Vec<u8>> {
    if !signature.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    Some(der::sequence(&[&der::integer(r), &der::integer(s)]))
}
