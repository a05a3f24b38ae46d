use super::*;
use crate::jose::testing::{N, ec_jwk, ed25519_jwk, rsa_jwk};
use Algorithm::{EdDsa, Es256, Es384, Es512, Rs256};

fn refused(jwk: &str) -> Option<KeyRefused> {
    PublicKey::parse(jwk.as_bytes()).err()
}

// K02
#[test]
fn a_key_without_alg_use_and_kid_fits_every_algorithm_of_its_type() {
    let fitting = |jwk: &str| {
        let key = PublicKey::parse(jwk.as_bytes()).unwrap();
        Algorithm::ALL.into_iter().filter(|algorithm| key.fits(*algorithm)).collect::<Vec<_>>()
    };
    assert_eq!(fitting(&rsa_jwk("")), &Algorithm::ALL[..6]);
    assert_eq!(fitting(&rsa_jwk(r#","alg":"RS256","use":"sig""#)), [Rs256]);
    assert_eq!(fitting(&ec_jwk(Es256, "")), [Es256]);
    assert_eq!(fitting(&ec_jwk(Es384, "")), [Es384]);
    assert_eq!(fitting(&ec_jwk(Es512, "")), [Es512]);
    assert_eq!(fitting(&ed25519_jwk("")), [EdDsa]);
}

// K01
#[test]
fn types_that_are_not_ours_are_refused() {
    assert_eq!(refused(r#"{"kty":"oct","k":"AAAA"}"#), Some(KeyRefused::Type));
    assert_eq!(refused(r#"{"kty":"rsa"}"#), Some(KeyRefused::Type));
    for curve in ["secp256k1", "p-256", "P-224"] {
        assert_eq!(refused(&ec_jwk(Es256, "").replace("P-256", curve)), Some(KeyRefused::Type), "{curve}");
    }
    for curve in ["X25519", "Ed448"] {
        assert_eq!(refused(&ed25519_jwk("").replace("Ed25519", curve)), Some(KeyRefused::Type), "{curve}");
    }
    assert_eq!(refused(&ec_jwk(Es256, "")), None);
    assert_eq!(refused(&ed25519_jwk("")), None);
}

// K03, K04
#[test]
fn a_key_that_is_not_meant_to_verify_is_refused() {
    for (members, reason) in [
        (r#","use":"sig""#, None),
        (r#","use":"enc""#, Some(KeyRefused::Use)),
        (r#","use":"SIG""#, Some(KeyRefused::Use)),
        (r#","use":["sig"]"#, Some(KeyRefused::Malformed)),
        (r#","key_ops":["verify"]"#, None),
        (r#","key_ops":["verify","x"]"#, None),
        (r#","key_ops":["sign"]"#, Some(KeyRefused::Operations)),
        (r#","key_ops":[]"#, Some(KeyRefused::Operations)),
        (r#","key_ops":["verify","verify"]"#, Some(KeyRefused::Operations)),
        (r#","key_ops":["verify",1]"#, Some(KeyRefused::Malformed)),
        (r#","key_ops":"verify""#, Some(KeyRefused::Malformed)),
        (r#","key_ops":null"#, Some(KeyRefused::Malformed)),
    ] {
        assert_eq!(refused(&rsa_jwk(members)), reason, "{members}");
    }
}

// RFC 7517 §4.4: `alg` that is unknown, or of another type of key.
#[test]
fn an_algorithm_must_be_one_of_the_key_s_type() {
    for (jwk, reason) in [
        (rsa_jwk(r#","alg":"PS512""#), None),
        (rsa_jwk(r#","alg":"RSA-OAEP""#), Some(KeyRefused::Algorithm)),
        (rsa_jwk(r#","alg":"ES256""#), Some(KeyRefused::Algorithm)),
        (rsa_jwk(r#","alg":"HS256""#), Some(KeyRefused::Algorithm)),
        (rsa_jwk(r#","alg":"none""#), Some(KeyRefused::Algorithm)),
        (rsa_jwk(r#","alg":256"#), Some(KeyRefused::Malformed)),
        (ec_jwk(Es256, r#","alg":"ES384""#), Some(KeyRefused::Algorithm)),
        (ed25519_jwk(r#","alg":"Ed25519""#), None),
        (ed25519_jwk(r#","alg":"Ed448""#), Some(KeyRefused::Algorithm)),
    ] {
        assert_eq!(refused(&jwk), reason, "{jwk}");
    }
}

// K05
#[test]
fn an_rsa_key_must_be_sound() {
    let n = base64url::decode(N).unwrap();
    let jwk = |n: &[u8], e: &str| format!(r#"{{"kty":"RSA","n":"{}","e":"{e}"}}"#, base64url::encode(n));
    assert_eq!(refused(&jwk(&n, "AQAB")), None);
    assert_eq!(refused(&jwk(&[&[0, 0], &n[..]].concat(), "AQAB")), None);
    assert_eq!(refused(&jwk(&n[..64], "AQAB")), Some(KeyRefused::Modulus));
    assert_eq!(refused(&jwk(&n[..128], "AQAB")), Some(KeyRefused::Modulus));
    assert_eq!(refused(&jwk(&[&n[..255], &[0xce]].concat(), "AQAB")), Some(KeyRefused::Modulus));
    assert_eq!(refused(&jwk(&[], "AQAB")), Some(KeyRefused::Modulus));
    assert_eq!(refused(&jwk(&n, "AQ")), Some(KeyRefused::Exponent));
    assert_eq!(refused(&jwk(&n, N)), Some(KeyRefused::Exponent));
    assert_eq!(refused(&rsa_jwk("").replace(r#","e":"AQAB""#, "")), Some(KeyRefused::Malformed));
    assert_eq!(refused(&jwk(&n, "AQAB=")), Some(KeyRefused::Malformed));
}

// K06
#[test]
fn a_point_must_lie_on_its_curve_and_have_its_length() {
    for algorithm in [Es256, Es384, Es512] {
        let good: json::Object = serde_json::from_str(&ec_jwk(algorithm, "")).unwrap();
        let with = |name: &str, change: fn(&mut Vec<u8>)| {
            let mut jwk = good.clone();
            let mut bytes = base64url::decode(jwk[name].as_str().unwrap()).unwrap();
            change(&mut bytes);
            jwk.insert(name.to_owned(), base64url::encode(&bytes).into());
            Value::Object(jwk).to_string()
        };
        assert_eq!(refused(&with("x", |_| ())), None);
        for name in ["x", "y"] {
            let changes: [fn(&mut Vec<u8>); 5] = [
                |bytes| *bytes.last_mut().unwrap() ^= 1,
                |bytes| bytes.fill(0),
                |bytes| bytes.fill(0xff),
                |bytes| bytes.insert(0, 0),
                |bytes| bytes.truncate(bytes.len() - 1),
            ];
            for change in changes {
                assert_eq!(refused(&with(name, change)), Some(KeyRefused::Point), "{algorithm:?} {name}");
            }
        }
    }
    let zero = base64url::encode(&[0; 32]);
    let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{zero}","y":"{zero}"}}"#);
    assert_eq!(refused(&jwk), Some(KeyRefused::Point));
}

// RFC 8725 §3.4, for Edwards curves: a point of small order fits any message.
#[test]
fn an_edwards_point_must_exist_and_not_be_of_small_order() {
    let jwk = |x: &[u8]| format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url::encode(x));
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut nowhere = [0; 32];
    nowhere[0] = 2;
    for x in [&neutral[..], &[0; 32], &nowhere, &[7; 31], &[7; 33]] {
        assert_eq!(refused(&jwk(x)), Some(KeyRefused::Point), "{x:?}");
    }
}

#[test]
fn a_private_key_is_refused() {
    for jwk in [rsa_jwk(r#","d":"AQAB""#), ec_jwk(Es256, r#","d":"AQAB""#), ed25519_jwk(r#","d":"AQAB""#)] {
        assert_eq!(refused(&jwk), Some(KeyRefused::Private));
    }
}

// K16, K17
#[test]
fn certificates_have_no_say_and_duplicates_are_refused() {
    assert_eq!(refused(&rsa_jwk(r#","x5c":["AAAA"],"x5t":"AAAA","x5u":7"#)), None);
    assert_eq!(refused(&rsa_jwk(&format!(r#","n":"{N}""#))), Some(KeyRefused::Malformed));
    assert_eq!(refused(&rsa_jwk(r#","kid":null"#)), Some(KeyRefused::Malformed));
    assert_eq!(refused("[]"), Some(KeyRefused::Malformed));
}
