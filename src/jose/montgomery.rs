//! Powers modulo an odd number by Montgomery's products (Handbook of Applied Cryptography §14.3.2), on public data only.
//!
//! Limbs are 32 bits, since WebAssembly multiplies 32 by 32 bits into 64 and no wider. Nothing here hides its timing:
//! signatures and public keys are no secrets. Sums of limbs wrap nowhere; each `wrapping_` operation says why it cannot.

use std::cmp::Ordering;

/// An odd modulus of `k` limbs, with what its products need. `R` is 2 to the power of 32·`k`.
pub struct Modulus {
    /// Little endian; the last limb is not zero.
    limbs: Vec<u32>,
    /// `-1 / limbs[0]` modulo 2^32.
    inverse: u32,
    /// `R²` modulo the modulus: what brings a number into Montgomery form.
    r_squared: Vec<u32>,
    bits: usize,
}

impl Modulus {
    /// Takes a modulus as big endian bytes, zeros in front allowed. `None` when it is even or less than 3.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let limbs = limbs(significant(bytes));
        let lowest = *limbs.first()?;
        if lowest & 1 == 0 || limbs == [1] {
            return None;
        }
        let top = limbs.last()?.leading_zeros();
        let bits = limbs.len().checked_mul(32)?.checked_sub(usize::try_from(top).ok()?)?;
        let mut modulus = Self { inverse: negative_inverse(lowest), r_squared: Vec::new(), bits, limbs };
        modulus.r_squared = modulus.r_squared()?;
        Some(modulus)
    }

    /// Length in bits.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// Length in bytes, zeros in front not counted.
    pub fn bytes(&self) -> usize {
        self.bits.div_ceil(8)
    }

    /// Whether `number`, as big endian bytes, is less than the modulus.
    pub fn exceeds(&self, number: &[u8]) -> bool {
        let number = limbs(significant(number));
        number.len() < self.limbs.len() || (number.len() == self.limbs.len() && compare(&number, &self.limbs).is_lt())
    }

    /// `base` to the power of `exponent`, as big endian bytes of the modulus's length.
    ///
    /// `None` when `base` is not less than the modulus, or `exponent` is even or less than 3.
    pub fn power(&self, base: &[u8], exponent: u32) -> Option<Vec<u8>> {
        if !self.exceeds(base) || exponent & 1 == 0 || exponent < 3 {
            return None;
        }
        let mut base = limbs(significant(base));
        base.resize(self.limbs.len(), 0);
        let mut scratch = vec![0; self.limbs.len().checked_mul(2)?];
        let form = self.product(&base, &self.r_squared, &mut scratch)?.to_vec();
        let mut power = form.clone();
        let below_top = exponent.ilog2();
        for bit in (1..below_top).rev() {
            self.square(&mut power, &mut scratch)?;
            if exponent.checked_shr(bit)? & 1 == 1 {
                self.multiply(&mut power, &form, &mut scratch)?;
            }
        }
        self.square(&mut power, &mut scratch)?;
        // The lowest bit is set: its factor, taken in plain form, leads out of Montgomery form as well.
        let power = self.product(&power, &base, &mut scratch)?;
        let bytes: Vec<u8> = power.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
        Some(bytes.get(bytes.len().checked_sub(self.bytes())?..)?.to_vec())
    }

    fn multiply(&self, number: &mut Vec<u32>, factor: &[u32], scratch: &mut [u32]) -> Option<()> {
        let product = self.product(number, factor, scratch)?;
        number.clear();
        number.extend_from_slice(product);
        Some(())
    }

    fn square(&self, number: &mut Vec<u32>, scratch: &mut [u32]) -> Option<()> {
        let product = self.product(number, number, scratch)?;
        number.clear();
        number.extend_from_slice(product);
        Some(())
    }

    /// `a · b / R` modulo the modulus, for `a` and `b` of `k` limbs below it; it lies in the upper half of `scratch`,
    /// which has 2·`k` limbs.
    fn product<'a>(&self, a: &[u32], b: &[u32], scratch: &'a mut [u32]) -> Option<&'a [u32]> {
        scratch.fill(0);
        let mut top = 0;
        for (index, digit) in a.iter().enumerate() {
            let (window, above) = scratch.get_mut(index..)?.split_at_mut_checked(self.limbs.len())?;
            let carry = add_products(window, *digit, b, &self.limbs, self.inverse);
            // Two carries of 32 bits and a bit from the step before: 34 bits at most.
            let sum = carry.0.wrapping_add(carry.1).wrapping_add(top);
            *above.first_mut()? = low(sum);
            top = sum >> 32;
        }
        let result = scratch.get_mut(self.limbs.len()..)?;
        if top != 0 || compare(result, &self.limbs).is_ge() {
            subtract(result, &self.limbs);
        }
        Some(result)
    }

    /// `R²`: 2^`q` in Montgomery form by doubling, then squared until it is 2^(32·`k`), for 32·`k` = `q`·2^`j`.
    fn r_squared(&self) -> Option<Vec<u32>> {
        let count = self.limbs.len();
        let twos = count.trailing_zeros();
        let odd = count.checked_shr(twos)?;
        let mut power = vec![0; count];
        // The highest bit alone is below an odd modulus of the same length.
        let highest = u32::try_from(self.bits.checked_sub(1)?.checked_rem(32)?).ok()?;
        *power.last_mut()? = 1_u32.checked_shl(highest)?;
        let doublings = count.checked_mul(32)?.checked_add(odd)?.checked_sub(self.bits.checked_sub(1)?)?;
        for _ in 0..doublings {
            if double(&mut power) != 0 || compare(&power, &self.limbs).is_ge() {
                subtract(&mut power, &self.limbs);
            }
        }
        let mut scratch = vec![0; count.checked_mul(2)?];
        for _ in 0..twos.checked_add(5)? {
            self.square(&mut power, &mut scratch)?;
        }
        Some(power)
    }
}

/// Adds `digit · b + m · modulus` to `window`, `m` chosen so that its lowest limb becomes zero; gives the two carries.
fn add_products(window: &mut [u32], digit: u32, b: &[u32], modulus: &[u32], inverse: u32) -> (u64, u64) {
    let (Some(first), Some(factor)) = (window.first(), b.first()) else { return (0, 0) };
    let m = first.wrapping_add(digit.wrapping_mul(*factor)).wrapping_mul(inverse);
    let (digit, m) = (u64::from(digit), u64::from(m));
    let mut carry = (0_u64, 0_u64);
    // Eight limbs at a time, which the compiler does not do by itself: a tenth less time in WebAssembly.
    let (window, window_rest) = window.as_chunks_mut::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let (modulus, modulus_rest) = modulus.as_chunks::<8>();
    for ((window, b), modulus) in window.iter_mut().zip(b).zip(modulus) {
        for ((limb, b), modulus) in window.iter_mut().zip(b).zip(modulus) {
            *limb = add_product((*limb, *b, *modulus), digit, m, &mut carry);
        }
    }
    for ((limb, b), modulus) in window_rest.iter_mut().zip(b_rest).zip(modulus_rest) {
        *limb = add_product((*limb, *b, *modulus), digit, m, &mut carry);
    }
    carry
}

/// One limb of [`add_products`]. `(2^32 - 1)² + 2 · (2^32 - 1)` is `2^64 - 1`, so that neither sum wraps.
#[inline(always)]
fn add_product((limb, b, modulus): (u32, u32, u32), digit: u64, m: u64, carry: &mut (u64, u64)) -> u32 {
    let sum = digit.wrapping_mul(u64::from(b)).wrapping_add(u64::from(limb)).wrapping_add(carry.0);
    carry.0 = sum >> 32;
    let sum = m.wrapping_mul(u64::from(modulus)).wrapping_add(u64::from(low(sum))).wrapping_add(carry.1);
    carry.1 = sum >> 32;
    low(sum)
}

/// The lower half.
const fn low(wide: u64) -> u32 {
    wide as u32
}

/// Subtracts in place; a borrow out of the top is dropped, for it meets the bit that stood above.
fn subtract(from: &mut [u32], number: &[u32]) {
    let mut borrow = false;
    for (limb, number) in from.iter_mut().zip(number) {
        let (difference, under) = limb.overflowing_sub(*number);
        let (difference, under_again) = difference.overflowing_sub(u32::from(borrow));
        *limb = difference;
        borrow = under || under_again;
    }
}

/// Doubles in place; gives the bit that falls out of the top.
fn double(number: &mut [u32]) -> u32 {
    number.iter_mut().fold(0, |carry, limb| {
        let out = *limb >> 31;
        *limb = (*limb << 1) | carry;
        out
    })
}

/// Compares two numbers of the same length.
fn compare(a: &[u32], b: &[u32]) -> Ordering {
    a.iter().rev().cmp(b.iter().rev())
}

/// `-1 / odd` modulo 2^32, by Newton's iteration: each step doubles the bits that are right, from 3.
fn negative_inverse(odd: u32) -> u32 {
    let inverse = (0..4).fold(odd, |x, _| x.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(x))));
    inverse.wrapping_neg()
}

/// The bytes without the zeros in front.
pub fn significant(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

fn limbs(bytes: &[u8]) -> Vec<u32> {
    bytes.rchunks(4).map(|limb| limb.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    #[test]
    fn an_even_modulus_or_one_below_three_is_refused() {
        for bytes in [&[][..], &[0], &[1], &[0, 0, 1], &[2], &[0x80, 0, 0, 0, 0, 0]] {
            assert!(Modulus::new(bytes).is_none(), "{bytes:?}");
        }
        assert_eq!(Modulus::new(&[0, 0, 3]).map(|modulus| (modulus.bits(), modulus.bytes())), Some((2, 1)));
    }

    #[test]
    fn a_base_that_is_not_below_the_modulus_is_refused() {
        let modulus = Modulus::new(&[0xff; 8]).unwrap();
        assert_eq!(modulus.power(&[0xff; 8], 3), None);
        assert_eq!(modulus.power(&[1, 0, 0, 0, 0, 0, 0, 0, 0], 3), None);
        let mut below = [0xff; 8];
        below[7] = 0xfe;
        // (-1)³ is -1.
        assert_eq!(modulus.power(&below, 3), Some(below.to_vec()));
        assert_eq!(modulus.power(&below, 4), None);
        assert_eq!(modulus.power(&below, 1), None);
    }

    proptest! {
        #[test]
        fn powers_are_those_of_a_library(
            mut modulus in proptest::collection::vec(any::<u8>(), 1..300),
            base in proptest::collection::vec(any::<u8>(), 1..300),
            exponent in prop_oneof![Just(3_u32), Just(65_537), Just(u32::MAX), any::<u32>().prop_map(|e| e | 3)],
            fill in prop_oneof![4 => Just(false), 1 => Just(true)],
        ) {
            if fill {
                modulus.fill(0xff);
            }
            *modulus.last_mut().unwrap() |= 3;
            let ours = Modulus::new(&modulus).unwrap();
            let library = BigUint::from_bytes_be(&modulus);
            let base = BigUint::from_bytes_be(&base) % &library;
            let expected = base.modpow(&exponent.into(), &library);
            let power = ours.power(&base.to_bytes_be(), exponent).unwrap();
            prop_assert_eq!(power.len(), ours.bytes());
            prop_assert_eq!(ours.bits() as u64, library.bits());
            prop_assert_eq!(BigUint::from_bytes_be(&power), expected);
        }
    }
}
