//! No text makes the reader of key sets panic, and what it keeps is bounded and answers for its own name.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oidc_proxy_wasm::jose::Jwks;
use oidc_proxy_wasm::words::Algorithm;

fuzz_target!(|data: &[u8]| {
    let Ok(keys) = Jwks::parse(data) else { return };
    assert!((1..=100).contains(&keys.len()));
    for algorithm in Algorithm::ALL {
        for key in keys.candidates(algorithm, None) {
            assert!(key.fits(algorithm) && !algorithm.is_symmetric());
            assert!(key.kid().is_none_or(|kid| keys.knows(kid)));
        }
    }
});
