//! Private keys as PEM (RFC 7468): PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 §A.1.2) and SEC1 (RFC 5915), not encrypted.

use super::ecdsa::Curve;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// The DER element tags that private keys are made of (X.690 §8).
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
const ED25519: &[u8] = b"\x2b\x65\x70";
const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x2b\x81\x04\x00\x22";
const P521: &[u8] = b"\x2b\x81\x04\x00\x23";

/// White space in the text is of no matter: a variable may have lost its line breaks.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The numbers of a private key, as they stand in it.
pub enum Numbers {
    /// n, e, d, p, q, dp, dq and qi, in this order.
    Rsa([Zeroizing<Vec<u8>>; 8]),
    /// The scalar, which may lack zeros in front.
    Ec(Curve, Zeroizing<Vec<u8>>),
    /// The seed.
    Ed25519(Zeroizing<Vec<u8>>),
}

/// Whether the text is meant as PEM.
pub fn has_form(text: &str) -> bool {
    text.trim_start().starts_with("-----BEGIN ")
}

/// Reads the first private key of the text; `None` where there is none, or none of a kind that we know.
pub fn read(text: &str) -> Option<Numbers> {
    type Read = fn(&[u8]) -> Option<Numbers>;
    const KINDS: [(&str, Read); 3] =
        [("PRIVATE KEY", pkcs8), ("RSA PRIVATE KEY", rsa), ("EC PRIVATE KEY", |der| sec1(der, None))];
    KINDS.into_iter().find_map(|(label, read)| {
        let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        let body: Zeroizing<Vec<u8>> =
            Zeroizing::new(body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
        read(&Zeroizing::new(LENIENT.decode(&*body).ok()?))
    })
}

/// `PrivateKeyInfo` (RFC 5958 §2): version, algorithm, key, and perhaps more.
fn pkcs8(der: &[u8]) -> Option<Numbers> {
    let mut info = Elements(Elements(der).next(SEQUENCE)?);
    info.next(INTEGER)?;
    let mut algorithm = Elements(info.next(SEQUENCE)?);
    let (kind, key) = (algorithm.next(OBJECT)?, info.next(OCTETS)?);
    match kind {
        RSA => rsa(key),
        EC => sec1(key, Some(algorithm.next(OBJECT)?)),
        ED25519 => Some(Numbers::Ed25519(Zeroizing::new(Elements(key).next(OCTETS)?.to_vec()))),
        _ => None,
    }
}

/// `RSAPrivateKey` of two primes.
fn rsa(der: &[u8]) -> Option<Numbers> {
    let mut key = Elements(Elements(der).next(SEQUENCE)?);
    key.next(INTEGER).filter(|version| *version == [0])?;
    let mut numbers: [Zeroizing<Vec<u8>>; 8] = Default::default();
    for number in &mut numbers {
        *number = Zeroizing::new(key.next(INTEGER)?.to_vec());
    }
    Some(Numbers::Rsa(numbers))
}

/// `ECPrivateKey`; the curve stands in it, or in what is around it.
fn sec1(der: &[u8], curve: Option<&[u8]>) -> Option<Numbers> {
    const PARAMETERS: u8 = 0xa0;
    let mut key = Elements(Elements(der).next(SEQUENCE)?);
    key.next(INTEGER)?;
    let scalar = key.next(OCTETS)?;
    let curve = match curve {
        Some(curve) => curve,
        None => Elements(key.next(PARAMETERS)?).next(OBJECT)?,
    };
    let curve = match curve {
        P256 => Curve::P256,
        P384 => Curve::P384,
        P521 => Curve::P521,
        _ => return None,
    };
    Some(Numbers::Ec(curve, Zeroizing::new(scalar.to_vec())))
}

/// DER elements, one after the other.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The content of the next element, which must have this tag.
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let rest = self.0.strip_prefix(&[tag])?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first.checked_sub(0x80) {
            None => (usize::from(*first), rest),
            // The long form: so many bytes of length follow. No key needs more than two.
            Some(bytes @ 1..=2) => {
                let (length, rest) = rest.split_at_checked(usize::from(bytes))?;
                (length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte)), rest)
            }
            Some(_) => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }
}
