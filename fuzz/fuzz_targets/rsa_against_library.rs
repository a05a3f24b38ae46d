//! Our powers modulo an odd number are those of a library, whatever the modulus, the base and the exponent.

#![no_main]

use libfuzzer_sys::fuzz_target;
use num_bigint::BigUint;
use oidc_proxy_wasm::jose::montgomery::Modulus;

fuzz_target!(|data: (u32, &[u8], &[u8])| {
    let (exponent, modulus, base) = data;
    // An RSA key has 8192 bits at most.
    let modulus = &modulus[..modulus.len().min(1024)];
    let library = BigUint::from_bytes_be(modulus);
    let Some(ours) = Modulus::new(modulus) else {
        assert!(!library.bit(0) || library == BigUint::from(1_u32));
        return;
    };
    assert_eq!(ours.bits() as u64, library.bits());
    let number = BigUint::from_bytes_be(base);
    assert_eq!(ours.exceeds(base), number < library);
    match ours.power(base, exponent) {
        Some(power) => assert_eq!(BigUint::from_bytes_be(&power), number.modpow(&exponent.into(), &library)),
        None => assert!(number >= library || exponent < 3 || exponent.is_multiple_of(2)),
    }
});
