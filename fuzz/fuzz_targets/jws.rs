//! No text makes the reader of tokens panic, and none that is not signed verifies.

#![no_main]

mod host;

use libfuzzer_sys::fuzz_target;
use oidc_proxy_wasm::jose::{Authentication, ExpectedIdToken, Keys, Nonce, verify_id_token};
use oidc_proxy_wasm::words::{Algorithm, Secret, UnixTime};
use std::time::Duration;

fuzz_target!(|data: &[u8]| {
    let Ok(token) = std::str::from_utf8(data) else { return };
    let expected = ExpectedIdToken {
        issuer: "i",
        client_id: "c",
        trusted_audiences: &[],
        algorithms: &Algorithm::ALL,
        nonce: Nonce::NotChecked,
        authentication: Authentication::OfAnyAge,
        access_token: Some("t"),
        now: UnixTime::from_secs(1_700_000_000),
        skew: Duration::from_secs(60),
    };
    let secret = Secret::new([0x5a; 64]);
    assert!(verify_id_token(&host::BareHost, token, Keys::Secret(&secret), &expected).is_err());
});
