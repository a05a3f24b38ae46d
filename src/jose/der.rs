//! The little DER that hosts ask for (ITU-T X.690 §8, §10.1): integers, sequences, and keys as `SubjectPublicKeyInfo`
//! (RFC 5280 §4.1.2.7, RFC 3279 §2.3.1, RFC 5480 §2).

use super::ecdsa::{Curve, uncompressed};
use super::montgomery::significant;
use zeroize::Zeroizing;

const RSA_ENCRYPTION: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/// An RSA private key as PKCS#8 (RFC 5958 §2), from n, e, d, p, q, dp, dq and qi (RFC 8017 §A.1.2).
pub fn rsa_private_key(numbers: &[Zeroizing<Vec<u8>>; 8]) -> Vec<u8> {
    let numbers: Vec<Zeroizing<Vec<u8>>> = numbers.iter().map(|number| Zeroizing::new(integer(number))).collect();
    let mut elements = vec![ZERO];
    elements.extend(numbers.iter().map(|number| number.as_slice()));
    let key = Zeroizing::new(sequence(&elements));
    sequence(&[ZERO, RSA_ENCRYPTION, &Zeroizing::new(element(0x04, &key))])
}

/// The number 0: the version of keys.
const ZERO: &[u8] = b"\x02\x01\x00";

/// An RSA public key.
pub fn rsa_key(n: &[u8], e: &[u8]) -> Vec<u8> {
    sequence(&[RSA_ENCRYPTION, &bit_string(&sequence(&[&integer(n), &integer(e)]))])
}

/// A public key on a NIST curve.
pub fn ec_key(curve: Curve, x: &[u8], y: &[u8]) -> Vec<u8> {
    let algorithm: &[u8] = match curve {
        Curve::P256 => b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
        Curve::P384 => b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22",
        Curve::P521 => b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23",
    };
    sequence(&[algorithm, &bit_string(&uncompressed(x, y))])
}

/// A sequence of elements that are DER already.
pub fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    element(0x30, &elements.concat())
}

/// A number that is not negative, from big endian bytes.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let bytes = significant(bytes);
    // A set top bit would read as a minus; and zero is one byte, not none.
    let zero: &[u8] = if bytes.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    element(0x02, &[zero, bytes].concat())
}

fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(0x03, &[&[0], bytes].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = significant(&length);
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => [&[tag, short], content].concat(),
        _ => [&[tag, long_form(length.len())], length, content].concat(),
    }
}

/// How many bytes of length follow; a `usize` has eight at most.
fn long_form(bytes: usize) -> u8 {
    0x80 | u8::try_from(bytes).unwrap_or(8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::pkcs8::DecodePublicKey;
    use rsa::traits::PublicKeyParts;

    #[test]
    fn integers_are_shortest_and_never_negative() {
        assert_eq!(integer(&[]), [2, 1, 0]);
        assert_eq!(integer(&[0, 0, 0]), [2, 1, 0]);
        assert_eq!(integer(&[0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
    }

    #[test]
    fn lengths_take_the_short_form_below_128() {
        assert_eq!(sequence(&[&[0; 127]])[..2], [0x30, 127]);
        assert_eq!(sequence(&[&[0; 128]])[..3], [0x30, 0x81, 128]);
        assert_eq!(sequence(&[&[0; 256]])[..4], [0x30, 0x82, 1, 0]);
    }

    #[test]
    fn a_library_reads_our_rsa_key() {
        use rsa::pkcs8::DecodePublicKey;
        for bytes in [256, 512] {
            let n = vec![0x93; bytes];
            let key = rsa::RsaPublicKey::from_public_key_der(&rsa_key(&n, &[0, 1, 0, 1])).unwrap();
            assert_eq!((key.n().to_bytes_be(), key.e().to_bytes_be()), (n, vec![1, 0, 1]));
        }
    }

    #[test]
    fn a_library_reads_our_keys_on_each_curve() {
        let scalar = [7; 66];
        let key = *p256::ecdsa::SigningKey::from_slice(&scalar[..32]).unwrap().verifying_key();
        let point = key.to_sec1_point(false);
        let der = ec_key(Curve::P256, point.x().unwrap(), point.y().unwrap());
        assert_eq!(p256::ecdsa::VerifyingKey::from_public_key_der(&der).unwrap(), key);

        let key = *p384::ecdsa::SigningKey::from_slice(&scalar[..48]).unwrap().verifying_key();
        let point = key.to_sec1_point(false);
        let der = ec_key(Curve::P384, point.x().unwrap(), point.y().unwrap());
        assert_eq!(p384::ecdsa::VerifyingKey::from_public_key_der(&der).unwrap(), key);

        let scalar = [&[0], &scalar[1..]].concat();
        let key = *p521::ecdsa::SigningKey::from_slice(&scalar).unwrap().verifying_key();
        let point = key.to_sec1_point(false);
        let der = ec_key(Curve::P521, point.x().unwrap(), point.y().unwrap());
        assert_eq!(p521::ecdsa::VerifyingKey::from_public_key_der(&der).unwrap(), key);
    }
}
