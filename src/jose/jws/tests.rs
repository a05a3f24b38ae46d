use super::*;
use crate::jose::testing::{
    CREDULOUS, N, NO_CRYPTO, SECRET, all_keys, ec_jwk, header, judged, mac, rsa_jwk, rsa_key, secret, set, sign, token,
    with_signature,
};
use Algorithm::{EdDsa, Es256, Hs256, Hs384, Ps256, Rs256, Rs384};
use hmac::Hmac;
use rsa::traits::PublicKeyParts;
use rsa::{pkcs1::EncodeRsaPublicKey, pkcs8::EncodePublicKey};
use sha2::Sha256;

fn parsed(token: &str) -> Result<(), JwtError> {
    Jws::parse(token).map(|_| ())
}

/// A token whose header has `members` after `alg` and `kid`; its signature is good.
fn with_header(members: &str) -> String {
    token(Rs256, &format!(r#"{{"alg":"RS256","kid":"rsa"{members}}}"#), "{}")
}

// J01
#[test]
fn an_algorithm_must_be_named_and_known() {
    for (alg, reason) in [
        (r#""none""#, JwtError::AlgorithmNotAllowed),
        (r#""None""#, JwtError::AlgorithmNotAllowed),
        (r#""nOnE""#, JwtError::AlgorithmNotAllowed),
        (r#""NONE""#, JwtError::AlgorithmNotAllowed),
        (r#""rs256""#, JwtError::AlgorithmNotAllowed),
        (r#""""#, JwtError::AlgorithmNotAllowed),
        ("256", JwtError::Malformed),
        ("null", JwtError::Malformed),
    ] {
        assert_eq!(parsed(&token(Rs256, &format!(r#"{{"alg":{alg}}}"#), "{}")), Err(reason), "{alg}");
    }
    assert_eq!(parsed(&token(Rs256, r#"{"typ":"JWT"}"#, "{}")), Err(JwtError::Malformed));
    let unsigned = format!("{}.e30", base64url::encode(br#"{"alg":"none"}"#));
    assert_eq!(parsed(&unsigned), Err(JwtError::Malformed));
    assert_eq!(parsed(&format!("{unsigned}.")), Err(JwtError::AlgorithmNotAllowed));
    assert_eq!(parsed(&with_header("")), Ok(()));
}

// J02, J03
#[test]
fn an_hmac_under_what_anybody_knows_is_no_signature() {
    let public = rsa_key().to_public_key();
    let pem = public.to_public_key_pem(rsa::pkcs8::LineEnding::LF).unwrap();
    let (spki, pkcs1) = (public.to_public_key_der().unwrap(), public.to_pkcs1_der().unwrap());
    let keys: [&[u8]; 7] = [
        pem.as_bytes(),
        pem.trim_end().as_bytes(),
        &[b"\n", pem.as_bytes()].concat(),
        &[b" ", pem.as_bytes()].concat(),
        spki.as_bytes(),
        pkcs1.as_bytes(),
        N.as_bytes(),
    ];
    let message = format!("{}.e30", base64url::encode(header(Hs256).as_bytes()));
    for key in keys.into_iter().chain([&[][..], SECRET]) {
        let signature = base64url::encode(&mac::<Hmac<Sha256>>(key, message.as_bytes()));
        let forged = format!("{message}.{signature}");
        assert_eq!(judged(&forged, &CREDULOUS, &all_keys()), Err(JwtError::AlgorithmNotAllowed));
        let judged = Jws::parse(&forged).unwrap().check(&NO_CRYPTO, Keys::Secret(&secret()));
        assert_eq!(judged, if key == SECRET { Ok(()) } else { Err(JwtError::Signature) });
    }
}

// J03: and the secret is never used for another algorithm.
#[test]
fn a_secret_serves_hmacs_alone_and_must_be_long_enough() {
    let short = Secret::new(&SECRET[..47]);
    let judged = |algorithm, secret: &Secret| {
        Jws::parse(&token(algorithm, &header(algorithm), "{}")).unwrap().check(&NO_CRYPTO, Keys::Secret(secret))
    };
    assert_eq!(judged(Rs256, &secret()), Err(JwtError::AlgorithmNotAllowed));
    assert_eq!(judged(Hs384, &secret()), Ok(()));
    assert_eq!(judged(Hs384, &short), Err(JwtError::SecretTooShort));
    assert_eq!(judged(Hs256, &Secret::new("")), Err(JwtError::SecretTooShort));
}

// J04
#[test]
fn a_key_pinned_to_one_algorithm_serves_no_other() {
    let keys = set(&[rsa_jwk(r#","kid":"rsa","alg":"RS256""#)]);
    assert_eq!(judged(&token(Rs256, &header(Rs256), "{}"), &NO_CRYPTO, &keys), Ok(()));
    for algorithm in [Rs384, Ps256] {
        let token = token(algorithm, &header(algorithm), "{}");
        assert_eq!(judged(&token, &CREDULOUS, &keys), Err(JwtError::KeyUnknown), "{algorithm:?}");
    }
}

// J06, J07, J08
#[test]
fn keys_in_the_header_have_no_say() {
    let own = ec_jwk(Es256, "");
    for member in [
        format!(r#","jwk":{own}"#),
        r#","jku":"https://attacker.example/jwks""#.to_owned(),
        r#","x5u":"https://attacker.example/cert""#.to_owned(),
        r#","x5c":["AAAA"]"#.to_owned(),
    ] {
        let forged = token(Es256, &format!(r#"{{"alg":"ES256","kid":"p256"{member}}}"#), "{}");
        let published = set(&[ec_jwk(Es256, r#","kid":"p256""#)]);
        assert_eq!(judged(&forged, &NO_CRYPTO, &published), Ok(()), "{member}");
        let others = set(&[rsa_jwk(r#","kid":"p256""#)]);
        assert_eq!(judged(&forged, &NO_CRYPTO, &others), Err(JwtError::KeyUnknown), "{member}");
    }
}

// J09
#[test]
fn a_strange_kid_finds_no_key() {
    let keys = all_keys();
    for kid in ["../../dev/null", "' OR 1=1 --", "\\u0000", "\u{1f511}", "RSA", "rsa ", ""] {
        let forged = token(Rs256, &format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#), "{}");
        assert_eq!(judged(&forged, &NO_CRYPTO, &keys), Err(JwtError::KeyUnknown), "{kid}");
    }
    for kid in ["7", "{}", "null", r#"["rsa"]"#] {
        let forged = token(Rs256, &format!(r#"{{"alg":"RS256","kid":{kid}}}"#), "{}");
        assert_eq!(parsed(&forged), Err(JwtError::Malformed), "{kid}");
    }
    assert_eq!(parsed(&with_header(&format!(r#","x":"{}""#, "k".repeat(10_000)))), Err(JwtError::TooLarge));
    assert_eq!(parsed(&with_header(&format!(r#","x":"{}""#, "k".repeat(9_000)))), Ok(()));
}

// J10, J11, J12
#[test]
fn extensions_are_refused_however_they_are_named() {
    for members in [
        r#","crit":["x"],"x":1"#,
        r#","crit":["x"]"#,
        r#","crit":[]"#,
        r#","crit":null"#,
        r#","crit":"exp""#,
        r#","crit":[1]"#,
        r#","crit":["alg"]"#,
        r#","crit":["x","x"],"x":1"#,
        r#","b64":false,"crit":["b64"]"#,
        r#","b64":false"#,
        r#","b64":true"#,
    ] {
        assert_eq!(parsed(&with_header(members)), Err(JwtError::Critical), "{members}");
    }
    assert_eq!(parsed(&with_header(r#","x":1"#)), Ok(()));
}

// J13, J24
#[test]
fn a_header_is_one_small_object_without_duplicates() {
    for header in [
        r#"{"alg":"RS256","alg":"RS256"}"#,
        r#"{"alg":"RS256","\u0061lg":"none"}"#,
        r#"["alg","RS256"]"#,
        r#"{"alg":"RS256"}x"#,
        r#"{"alg":"RS256","typ":7}"#,
        "null",
    ] {
        assert_eq!(parsed(&token(Rs256, header, "{}")), Err(JwtError::Malformed), "{header}");
    }
    let mebibyte = base64url::encode(&vec![b' '; 1 << 20]);
    assert_eq!(parsed(&format!("{mebibyte}.e30.e30")), Err(JwtError::TooLarge));
    assert_eq!(parsed(&"a".repeat(MAX_TOKEN + 1)), Err(JwtError::TooLarge));
}

// J20, J21, J22
#[test]
fn a_token_has_three_parts_in_one_spelling() {
    let good = with_header(r#","x":"?>""#);
    let parts: Vec<&str> = good.split('.').collect();
    assert_eq!((parts.len(), parsed(&good)), (3, Ok(())));
    let [header, payload, signature] = [parts[0], parts[1], parts[2]];
    for bad in [
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}.{payload}.{signature}%3D"),
        format!("{header}.{payload} .{signature}"),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{header}.{}.{signature}", "e3\n0"),
        format!("{header}.e31.{signature}"),
        format!("{header}.{payload}.{}+", &signature[1..]),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{good}.{payload}.{signature}"),
        format!("{good}.a.b.c"),
        "..".to_owned(),
        "....".to_owned(),
        String::new(),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#),
    ] {
        assert_eq!(parsed(&bad), Err(JwtError::Malformed), "{bad}");
    }
}

// K15
#[test]
fn without_a_kid_the_right_key_is_found_among_eight() {
    let own = rsa_jwk("");
    let mut n = rsa_key().n().clone();
    let mut others = Vec::new();
    while others.len() < 8 {
        n -= 2_u32;
        let other = base64url::encode(&n.to_bytes_be());
        others.push(own.replace(N, &other));
    }
    let good = token(Rs256, r#"{"alg":"RS256"}"#, "{}");
    let eighth = set(&[&others[..7], std::slice::from_ref(&own)].concat());
    assert_eq!(judged(&good, &NO_CRYPTO, &eighth), Ok(()));
    let ninth = set(&[&others[..8], std::slice::from_ref(&own)].concat());
    assert_eq!(judged(&good, &NO_CRYPTO, &ninth), Err(JwtError::Signature));
}

// RFC 7517 §4.5: after a rotation among keys without names, a fresh set may help a token that has one.
#[test]
fn a_nameless_key_that_does_not_fit_leaves_the_kid_unknown() {
    let keys = set(&[rsa_jwk("")]);
    let named = token(Rs256, &header(Rs256), "{}");
    assert_eq!(judged(&named, &NO_CRYPTO, &keys), Ok(()));
    let forged = with_signature(Rs256, |_| sign(Rs256, b"another message"));
    assert_eq!(judged(&forged, &NO_CRYPTO, &keys), Err(JwtError::KeyUnknown));
    assert_eq!(judged(&forged, &NO_CRYPTO, &all_keys()), Err(JwtError::Signature));
}

#[test]
fn no_byte_of_a_token_can_change() {
    let keys = all_keys();
    for algorithm in [Rs256, Es256, EdDsa] {
        let good = token(algorithm, &header(algorithm), r#"{"sub":"a"}"#);
        assert_eq!(judged(&good, &NO_CRYPTO, &keys), Ok(()));
        for at in 0..good.len() {
            for flip in [1, 2, 0x20] {
                let mut bytes = good.clone().into_bytes();
                bytes[at] ^= flip;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                assert!(judged(&changed, &NO_CRYPTO, &keys).is_err(), "{algorithm:?}: byte {at} by {flip}");
            }
        }
    }
}
