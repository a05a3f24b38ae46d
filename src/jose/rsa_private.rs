//! RSA signatures under a private key (RFC 8017 §5.2.1, §8.1.1, §8.2.1), by the constant-time arithmetic of `crypto-bigint`.

use super::der;
use super::montgomery::significant;
use super::rsa::{RsaKey, pkcs1_encoding, pss_encoding};
use crate::words::Secret;
use crate::world::{Hash, Host};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, ConcatenatingMul, Odd, Resize};
use zeroize::{Zeroize, Zeroizing};

/// The numbers of a private key of two primes (RFC 8017 §3.2), all but the public ones made for speed alone.
pub struct RsaPrivateKey {
    public: RsaKey,
    p: Prime,
    q: Prime,
    /// The inverse of `q` modulo `p`.
    inverse: BoxedUint,
    /// The whole key as PKCS#8, for hosts that sign.
    pkcs8: Secret,
}

/// One prime, with the private exponent modulo that prime less one.
struct Prime {
    modulus: BoxedMontyParams,
    exponent: BoxedUint,
}

impl RsaPrivateKey {
    /// Takes n, e, d, p, q, dp, dq and qi as big endian bytes, of which `public` has the first two. `None` when one is out of
    /// all bounds.
    pub fn new(public: RsaKey, numbers: &[Zeroizing<Vec<u8>>; 8]) -> Option<Self> {
        let [n, _, _, p, q, dp, dq, qi] = numbers;
        let longest = significant(p).len().max(significant(q).len());
        // As long as half the modulus, or little longer: the arithmetic takes time by it.
        if longest > significant(n).len() {
            return None;
        }
        let bits = u32::try_from(longest.next_multiple_of(8)).ok()?.checked_mul(8)?;
        let number = |bytes: &[u8]| BoxedUint::from_be_slice(significant(bytes), bits).ok();
        let prime = |prime: &[u8], exponent: &[u8]| {
            // This takes a time that tells of the prime, but it happens once, when the configuration is loaded.
            let modulus = BoxedMontyParams::new_vartime(Odd::new(number(prime)?).into_option()?);
            Some(Prime { modulus, exponent: number(exponent)? })
        };
        Some(Self {
            public,
            p: prime(p, dp)?,
            q: prime(q, dq)?,
            inverse: number(qi)?,
            pkcs8: Secret::new(der::rsa_private_key(numbers)),
        })
    }

    /// Whether the numbers belong together: a signature shows it.
    pub fn is_sound(&self) -> bool {
        let signed =
            pkcs1_encoding(Hash::Sha256, b"", self.public.bytes()).and_then(|encoded| self.power(&encoded, &|_| {}));
        signed.is_some_and(|signature| self.public.verifies_pkcs1(Hash::Sha256, b"", &signature))
    }

    /// A signature by RSASSA-PKCS1-v1_5: the host's where it can, since ours keeps the worker busy for milliseconds.
    pub fn sign_pkcs1(&self, host: &dyn Host, hash: Hash, message: &[u8]) -> Option<Vec<u8>> {
        // A signature with a fault in it would give the key away: whoever made it, it is checked.
        let fits = |signature: &Vec<u8>| self.public.verifies_pkcs1(hash, message, signature);
        host.sign(hash, &self.pkcs8, message).filter(fits).or_else(|| {
            let encoded = pkcs1_encoding(hash, message, self.public.bytes())?;
            self.power(&encoded, &|blind| host.fill_random(blind)).filter(fits)
        })
    }

    /// A signature by RSASSA-PSS with a random salt as long as the hash.
    pub fn sign_pss(&self, host: &dyn Host, hash: Hash, message: &[u8]) -> Option<Vec<u8>> {
        let mut salt = vec![0; super::digest::length(hash)];
        host.fill_random(&mut salt);
        let encoded = pss_encoding(hash, message, &salt, self.public.bits())?;
        self.power(&encoded, &|blind| host.fill_random(blind))
            .filter(|signature| self.public.verifies_pss(hash, message, signature))
    }

    /// RSASP1 by the Chinese remainder theorem (RFC 8017 §5.2.1, 2.b).
    fn power(&self, encoded: &[u8], random: &dyn Fn(&mut [u8])) -> Option<Vec<u8>> {
        let bytes = u32::try_from(encoded.len()).ok()?;
        let encoded = BoxedUint::from_be_slice(encoded, bytes.checked_next_multiple_of(8)?.checked_mul(8)?).ok()?;
        let m2 = self.q.power(&encoded, random).retrieve();
        let difference = self.p.power(&encoded, random).sub(&self.p.reduce(&m2));
        let h = difference.mul(&self.p.reduce(&self.inverse)).retrieve();
        let product = h.concatenating_mul(self.q.modulus.modulus().as_ref());
        let m2 = m2.resize_unchecked(product.bits_precision());
        let signature = product.wrapping_add(&m2).to_be_bytes();
        let skipped = signature.len().checked_sub(self.public.bytes())?;
        signature.get(skipped..).map(<[u8]>::to_vec)
    }
}

impl Prime {
    /// `base` to the private exponent. The exponent is another one each time, with the same result: a random multiple of
    /// the prime less one is added to it.
    fn power(&self, base: &BoxedUint, random: &dyn Fn(&mut [u8])) -> BoxedMontyForm {
        let mut blind = [0; 8];
        random(&mut blind);
        let order = self.modulus.modulus().as_ref().wrapping_sub(BoxedUint::one());
        let multiple = order.concatenating_mul(&BoxedUint::from(u64::from_le_bytes(blind)));
        let mut exponent = self.exponent.clone().resize_unchecked(multiple.bits_precision()).wrapping_add(&multiple);
        let power = self.reduce(base).pow(&exponent);
        exponent.zeroize();
        power
    }

    /// `number` modulo the prime, however long it is, by Horner's rule: a division would tell of the prime by its time.
    fn reduce(&self, number: &BoxedUint) -> BoxedMontyForm {
        let bits = self.modulus.bits_precision();
        let radix = BoxedMontyForm::from_montgomery(self.modulus.as_ref().r2().clone(), &self.modulus);
        let width = self.modulus.modulus().as_limbs().len();
        let digits = number.as_limbs().chunks(width).rev().map(|limbs| {
            let digit = BoxedUint::from_words(limbs.iter().map(|limb| limb.0)).resize_unchecked(bits);
            BoxedMontyForm::new(digit, &self.modulus)
        });
        digits.fold(BoxedMontyForm::zero(&self.modulus), |sum, digit| sum.mul(&radix).add(&digit))
    }
}

impl Drop for RsaPrivateKey {
    fn drop(&mut self) {
        self.inverse.zeroize();
        self.p.exponent.zeroize();
        self.q.exponent.zeroize();
    }
}
