//! Project Wycheproof's JOSE vectors: whole tokens and key sets. They are not part of this repository; where they lie
//! beside it they run, elsewhere this says that they did not.

mod crypto_host;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto_host::{Crypto, CryptoHost};
use oidc_proxy_wasm::jose::{Jwks, Jws, Keys};
use oidc_proxy_wasm::words::{Algorithm, Secret};
use serde_json::Value;
use std::path::Path;

/// Cases that we judge otherwise than the file, and why.
type Otherwise = &'static [(u64, &'static str)];

const SIGNATURES: Otherwise = &[
    (259, EMPTY),
    (264, EMPTY),
    (268, EMPTY),
    (272, EMPTY),
    (320, EMPTY),
    (325, EMPTY),
    (346, PINNED),
    (347, MISSPELT),
    (350, PINNED),
    (351, MISSPELT),
    (367, SAME),
    (370, SAME),
    (372, INSERTED),
    (373, INSERTED),
];

const KEYS: Otherwise = &[
    (2, "a set of symmetric keys: a client has one secret, and sets are for public keys"),
    (7, "an RSA key of the ROCA generator (CVE-2017-15361), which is not looked for"),
];

const EMPTY: &str = "the payload is empty; no JWT's is, and we take no empty part";
const PINNED: &str = "the key is pinned to PS256, the token says PS384 (RFC 7517 §4.4)";
const MISSPELT: &str = "the key says `ES521`, which is no algorithm";
const SAME: &str = "called invalid, but the same token as case 357, which is called valid";
const INSERTED: &str = "called valid, but a `?` stands in it, which is not base64url";

#[test]
fn tokens() {
    run("json_web_signature_test.json", SIGNATURES);
}

#[test]
fn key_sets() {
    run("json_web_key_test.json", KEYS);
}

fn run(file: &str, otherwise: Otherwise) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/wycheproof").join(file);
    let Ok(text) = std::fs::read(&path) else {
        println!("left out: {file} does not lie in ../shared/vectors/wycheproof");
        return;
    };
    let vectors: Value = serde_json::from_slice(&text).unwrap();
    let mut differing = Vec::new();
    let mut ran = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let expected = test["result"] == "valid";
            let verdicts = Crypto::ALL.map(|crypto| accepts(group, test["jws"].as_str().unwrap(), crypto));
            assert!(verdicts.windows(2).all(|pair| pair[0] == pair[1]), "{file} {test}: {verdicts:?}");
            if verdicts[0] != expected {
                differing.push(test["tcId"].as_u64().unwrap());
            }
            ran += 1;
        }
    }
    println!("{file}: {ran} cases");
    for (case, why) in otherwise {
        println!("  judged otherwise: {case}, {why}");
    }
    assert_eq!(differing, otherwise.iter().map(|(case, _)| *case).collect::<Vec<_>>(), "{file}");
    assert_eq!(Some(ran), vectors["numberOfTests"].as_u64());
}

/// Whether the group's key, or set of keys, verifies the token by the algorithm that the key is registered for.
fn accepts(group: &Value, token: &str, crypto: Crypto) -> bool {
    let published = group.get("public").unwrap_or(&group["private"]);
    let keys = match published.get("keys") {
        Some(keys) => keys.as_array().unwrap().clone(),
        None => vec![published.clone()],
    };
    let registered: Vec<_> = keys.iter().filter_map(|key| Algorithm::from_name(key["alg"].as_str()?)).collect();
    let Ok(jws) = Jws::parse(token) else { return false };
    if !registered.contains(&jws.algorithm()) {
        return false;
    }
    let host = CryptoHost::new(crypto);
    if jws.algorithm().is_symmetric() {
        // A client has one secret; sets of symmetric keys are none of ours.
        let [key] = keys.as_slice() else { return false };
        let secret = Secret::new(URL_SAFE_NO_PAD.decode(key["k"].as_str().unwrap_or_default()).unwrap());
        return jws.check(&host, Keys::Secret(&secret)).is_ok();
    }
    let set = serde_json::json!({ "keys": keys }).to_string();
    Jwks::parse(set.as_bytes()).is_ok_and(|set| jws.check(&host, Keys::Public(&set)).is_ok())
}
