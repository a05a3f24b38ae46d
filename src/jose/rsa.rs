//! RSA signatures under a public key: RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017 §8.1.2, §8.2.2; RFC 7518 §3.3, §3.5).

use super::digest::{digest, length};
use super::jwk::KeyRefused;
use super::montgomery::{Modulus, significant};
use crate::world::Hash;
use std::ops::RangeInclusive;

/// Shorter is too weak (RFC 7518 §3.3); longer only costs time.
const MODULUS_BITS: RangeInclusive<usize> = 2048..=8192;

/// A public key of sound size.
pub struct RsaKey {
    modulus: Modulus,
    exponent: u32,
}

impl RsaKey {
    /// Takes modulus and exponent as big endian bytes, zeros in front allowed.
    ///
    /// The modulus must be odd and have 2048 to 8192 bits, the exponent odd and from 3 to below 2^32.
    pub fn new(n: &[u8], e: &[u8]) -> Result<Self, KeyRefused> {
        let bits = significant(n).len().saturating_mul(8);
        if bits > *MODULUS_BITS.end() {
            return Err(KeyRefused::Modulus);
        }
        let modulus = Modulus::new(n).ok_or(KeyRefused::Modulus)?;
        if !MODULUS_BITS.contains(&modulus.bits()) {
            return Err(KeyRefused::Modulus);
        }
        let e = significant(e);
        if e.len() > 4 {
            return Err(KeyRefused::Exponent);
        }
        let exponent = e.iter().fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
        if exponent < 3 || exponent & 1 == 0 {
            return Err(KeyRefused::Exponent);
        }
        Ok(Self { modulus, exponent })
    }

    /// Length of the modulus, in bits.
    pub fn bits(&self) -> usize {
        self.modulus.bits()
    }

    /// Length of the modulus and of each signature, in bytes.
    pub fn bytes(&self) -> usize {
        self.modulus.bytes()
    }

    /// Whether `signature` has exactly the modulus's length and a value below it (RFC 8017 §5.2.2, §8.2.2).
    pub fn in_range(&self, signature: &[u8]) -> bool {
        signature.len() == self.modulus.bytes() && self.modulus.exceeds(signature)
    }

    /// Whether `signature` is one by RSASSA-PKCS1-v1_5: the whole encoded message is built and compared, never parsed.
    pub fn verifies_pkcs1(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        match self.opened(signature) {
            Some(opened) => pkcs1_encoding(hash, message, opened.len()).is_some_and(|expected| expected == opened),
            None => false,
        }
    }

    /// Whether `signature` is one by RSASSA-PSS with MGF1 over the same hash and a salt of its length.
    pub fn verifies_pss(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let bits = self.modulus.bits();
        self.opened(signature).is_some_and(|opened| pss_fits(hash, message, &opened, bits).is_some())
    }

    fn opened(&self, signature: &[u8]) -> Option<Vec<u8>> {
        if !self.in_range(signature) {
            return None;
        }
        self.modulus.power(signature, self.exponent)
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2): `00 01 ff … ff 00`, then the digest with its algorithm in DER.
pub(super) fn pkcs1_encoding(hash: Hash, message: &[u8], length: usize) -> Option<Vec<u8>> {
    let digest = digest(hash, &[message]);
    let info = digest_info(hash);
    let padding = length.checked_sub(info.len())?.checked_sub(digest.len())?.checked_sub(3)?;
    if padding < 8 {
        return None;
    }
    Some([&[0, 1], vec![0xff; padding].as_slice(), &[0], info, &digest].concat())
}

/// What stands before the digest in a DER `DigestInfo` (RFC 8017 §9.2, note 1).
const fn digest_info(hash: Hash) -> &'static [u8] {
    match hash {
        Hash::Sha256 => b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
        Hash::Sha384 => b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
        Hash::Sha512 => b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
    }
}

/// EMSA-PSS-ENCODE (RFC 8017 §9.1.1), as long as the modulus.
pub(super) fn pss_encoding(hash: Hash, message: &[u8], salt: &[u8], modulus_bits: usize) -> Option<Vec<u8>> {
    // The encoding has a bit less than the modulus, which may take a whole byte from it.
    let bits = modulus_bits.checked_sub(1)?;
    let block = bits.div_ceil(8).checked_sub(length(hash))?.checked_sub(1)?;
    let zeros = block.checked_sub(salt.len())?.checked_sub(1)?;
    let hashed = digest(hash, &[&[0; 8], &digest(hash, &[message]), salt]);
    let padded = [&vec![0; zeros], &[1][..], salt].concat();
    let mut masked: Vec<u8> = padded.iter().zip(mgf1(hash, &hashed, block)).map(|(byte, mask)| byte ^ mask).collect();
    let unused = u32::try_from(bits.div_ceil(8).checked_mul(8)?.checked_sub(bits)?).ok()?;
    *masked.first_mut()? &= 0xff_u8.checked_shr(unused)?;
    let in_front = modulus_bits.div_ceil(8).checked_sub(bits.div_ceil(8))?;
    Some([&vec![0; in_front], masked.as_slice(), &hashed, &[0xbc]].concat())
}

/// EMSA-PSS-VERIFY (RFC 8017 §9.1.2); `None` is "inconsistent".
fn pss_fits(hash: Hash, message: &[u8], opened: &[u8], modulus_bits: usize) -> Option<()> {
    let bits = modulus_bits.checked_sub(1)?;
    // Where the encoded message is a byte shorter than the modulus, the byte in front must be zero.
    let (front, encoded) = opened.split_at_checked(opened.len().checked_sub(bits.div_ceil(8))?)?;
    let (encoded, trailer) = encoded.split_at_checked(encoded.len().checked_sub(1)?)?;
    let (masked, seed) = encoded.split_at_checked(encoded.len().checked_sub(length(hash))?)?;
    if front.iter().any(|byte| *byte != 0) || trailer != [0xbc] {
        return None;
    }
    let unused =
        u32::try_from(masked.len().checked_add(seed.len())?.checked_add(1)?.checked_mul(8)?.checked_sub(bits)?);
    let used = 0xff_u8.checked_shr(unused.ok()?)?;
    if masked.first()? & !used != 0 {
        return None;
    }
    let mask = mgf1(hash, seed, masked.len());
    let mut block: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    *block.first_mut()? &= used;
    let (padding, salt) = block.split_at_checked(block.len().checked_sub(length(hash))?)?;
    let (one, zeros) = padding.split_last()?;
    if *one != 1 || zeros.iter().any(|byte| *byte != 0) {
        return None;
    }
    let expected = digest(hash, &[&[0; 8], &digest(hash, &[message]), salt]);
    (expected == seed).then_some(())
}

/// MGF1 (RFC 8017 §B.2.1).
fn mgf1(hash: Hash, seed: &[u8], length: usize) -> impl Iterator<Item = u8> {
    (0_u32..).flat_map(move |counter| digest(hash, &[seed, &counter.to_be_bytes()])).take(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A modulus of `bits` bits; no product of primes, which nothing here asks for.
    fn modulus(bits: usize) -> Vec<u8> {
        let mut bytes = vec![0xa5; bits.div_ceil(8)];
        bytes[0] = 1 << ((bits - 1) % 8);
        bytes
    }

    fn refused(n: &[u8], e: &[u8]) -> Option<KeyRefused> {
        RsaKey::new(n, e).err()
    }

    // K05
    #[test]
    fn a_modulus_must_be_odd_and_neither_short_nor_long() {
        for bits in [2048, 2049, 3072, 8191, 8192] {
            assert_eq!(refused(&modulus(bits), &[1, 0, 1]), None, "{bits}");
        }
        for bits in [8, 512, 1024, 2047, 8193, 16_384] {
            assert_eq!(refused(&modulus(bits), &[1, 0, 1]), Some(KeyRefused::Modulus), "{bits}");
        }
        let mut even = modulus(2048);
        even[255] = 0xa4;
        assert_eq!(refused(&even, &[1, 0, 1]), Some(KeyRefused::Modulus));
        assert_eq!(refused(&[], &[1, 0, 1]), Some(KeyRefused::Modulus));
        let zeros = [vec![0; 2000], modulus(2048)].concat();
        assert_eq!(refused(&zeros, &[1, 0, 1]), None);
    }

    // K05
    #[test]
    fn an_exponent_must_be_odd_and_neither_one_nor_huge() {
        let n = modulus(2048);
        for e in [&[3][..], &[1, 0, 1], &[0, 0, 1, 0, 1], &[0xff, 0xff, 0xff, 0xff]] {
            assert_eq!(refused(&n, e), None, "{e:?}");
        }
        for e in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1], &[0xff; 256]] {
            assert_eq!(refused(&n, e), Some(KeyRefused::Exponent), "{e:?}");
        }
    }

    // J19
    #[test]
    fn a_signature_has_the_modulus_s_length_and_a_smaller_value() {
        let n = modulus(2048);
        let key = RsaKey::new(&n, &[1, 0, 1]).unwrap();
        let mut below = n.clone();
        below[255] -= 1;
        assert!(key.in_range(&below));
        assert!(!key.in_range(&n));
        assert!(!key.in_range(&[0xff; 256]));
        assert!(!key.in_range(&below[1..]));
        assert!(!key.in_range(&[&[0], &below[..]].concat()));
    }

    /// EMSA-PSS-ENCODE (RFC 8017 §9.1.1) with any block before the salt; `used` masks the first byte.
    fn encoding_with(padding: &[u8], salt: &[u8], used: u8) -> Vec<u8> {
        let hash = digest(Hash::Sha256, &[&[0; 8], &digest(Hash::Sha256, &[b"message"]), salt]);
        let block = [padding, salt].concat();
        let mask = mgf1(Hash::Sha256, &hash, block.len());
        let mut masked: Vec<u8> = block.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        masked[0] &= used;
        [&masked[..], &hash, &[0xbc]].concat()
    }

    // RFC 8017 §9.1.2, steps 4 to 14, each with the encoding that fails it alone.
    #[test]
    fn every_part_of_a_pss_encoding_is_checked() {
        let fits = |opened: &[u8], bits| pss_fits(Hash::Sha256, b"message", opened, bits).is_some();
        let salt = [7; 32];
        let padding = |length: usize, last: u8| [&vec![0; length - 33][..], &[last]].concat();
        // 2048 bits leave one bit of the first byte unused; 2049 bits leave a whole byte in front.
        let good = encoding_with(&padding(223, 1), &salt, 0x7f);
        let in_front = |byte: u8| [&[byte][..], &encoding_with(&padding(223, 1), &salt, 0xff)].concat();
        assert!(fits(&good, 2048) && fits(&in_front(0), 2049));
        assert!(!fits(&in_front(1), 2049));

        let mut trailer = good.clone();
        trailer[255] = 0xcc;
        let mut unused_bit = good.clone();
        unused_bit[0] |= 0x80;
        let mut not_zero = padding(223, 1);
        not_zero[100] = 1;
        for bad in [
            trailer,
            unused_bit,
            encoding_with(&padding(223, 2), &salt, 0x7f),
            encoding_with(&not_zero, &salt, 0x7f),
            encoding_with(&padding(224, 1), &salt[1..], 0x7f),
            encoding_with(&padding(222, 1), &[7; 33], 0x7f),
        ] {
            assert!(!fits(&bad, 2048));
        }
        assert!(pss_fits(Hash::Sha256, b"massage", &good, 2048).is_none());
        assert!(!fits(&good[1..], 2048) && !fits(&[], 2048));
    }
}
