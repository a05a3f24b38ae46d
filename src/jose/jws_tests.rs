use super::*;
use crate::jose::testing::{
    FixedHost, N, NO_CRYPTO, SECRET, all_keys, ec_jwk, header, mac, rsa_jwk, rsa_key, secret, set, sign, token,
};
use crate::world::HostCheck;
use Algorithm::{EdDsa, Es256, Es384, Es512, Hs256, Hs384, Ps256, Rs256, Rs384};
use hmac::Hmac;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, pkcs1::EncodeRsaPublicKey, pkcs8::EncodePublicKey};
use sha2::Sha256;

/// A host that takes every signature, so that only our own checks can refuse.
const CREDULOUS: FixedHost = FixedHost(HostCheck::Valid);

fn judged(token: &str, host: &FixedHost, keys: &Jwks) -> Result<(), JwtError> {
    Jws::parse(token)?.check(host, Keys::Public(keys))
}

fn parsed(token: &str) -> Result<(), JwtError> {
    Jws::parse(token).map(|_| ())
}

/// A token whose header has `members` after `alg` and `kid`; its signature is good.
fn with_header(members: &str) -> String {
    token(Rs256, &format!(r#"{{"alg":"RS256","kid":"rsa"{members}}}"#), "{}")
}

/// The token of [`header`] with another signature.
fn with_signature(algorithm: Algorithm, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let good = token(algorithm, &header(algorithm), "{}");
    let (message, signature) = good.rsplit_once('.').unwrap();
    format!("{message}.{}", base64url::encode(&change(base64url::decode(signature).unwrap())))
}

fn is_symmetric(algorithm: &Algorithm) -> bool {
    algorithm.is_symmetric()
}

#[test]
fn every_algorithm_verifies_and_fits_only_its_own_message() {
    let (keys, secret) = (all_keys(), secret());
    for algorithm in Algorithm::ALL {
        let keys = if algorithm.is_symmetric() { Keys::Secret(&secret) } else { Keys::Public(&keys) };
        let good = token(algorithm, &header(algorithm), r#"{"sub":"a"}"#);
        assert_eq!(Jws::parse(&good).unwrap().check(&NO_CRYPTO, keys), Ok(()), "{algorithm:?}");
        let (_, signature) = good.rsplit_once('.').unwrap();
        let other = token(algorithm, &header(algorithm), r#"{"sub":"b"}"#);
        let (message, _) = other.rsplit_once('.').unwrap();
        let forged = format!("{message}.{signature}");
        assert_eq!(Jws::parse(&forged).unwrap().check(&NO_CRYPTO, keys), Err(JwtError::Signature), "{algorithm:?}");
    }
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

// J14, J19
#[test]
fn a_signature_of_another_length_is_refused_before_anybody_computes() {
    let keys = all_keys();
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| !is_symmetric(algorithm)) {
        let good = token(algorithm, &header(algorithm), "{}");
        assert_eq!(judged(&good, &NO_CRYPTO, &keys), Ok(()), "{algorithm:?}");
        let changes: [fn(Vec<u8>) -> Vec<u8>; 6] = [
            |_| vec![0],
            |signature| vec![0; signature.len()],
            |signature| signature[1..].to_vec(),
            |signature| signature[..signature.len() - 1].to_vec(),
            |signature| [&signature[..], &signature].concat(),
            |signature| [&[0], &signature[..]].concat(),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let forged = with_signature(algorithm, change);
            assert_eq!(judged(&forged, &NO_CRYPTO, &keys), Err(JwtError::Signature), "{algorithm:?} {number}");
            // A zero of the right length is in range for RSA, where the host would compute on.
            if number != 1 || matches!(algorithm, Es256 | Es384 | Es512) {
                assert_eq!(judged(&forged, &CREDULOUS, &keys), Err(JwtError::Signature), "{algorithm:?} {number}");
            }
        }
        let (message, _) = good.rsplit_once('.').unwrap();
        assert_eq!(judged(&format!("{message}."), &CREDULOUS, &keys), Err(JwtError::Malformed));
    }
}

// J15 (CVE-2022-21449)
#[test]
fn halves_outside_the_order_are_refused_before_the_host_is_asked() {
    let order = base64url::decode("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE").unwrap();
    let mut above = order.clone();
    above[31] += 1;
    let mut below = order.clone();
    below[31] -= 1;
    let one = [&[0; 31][..], &[1]].concat();
    let keys = all_keys();
    let forged = |r: &[u8], s: &[u8]| with_signature(Es256, |_| [r, s].concat());
    for (r, s) in [(&[0; 32][..], &[0; 32][..]), (&order, &one), (&one, &order), (&above, &one), (&[0; 32], &one)] {
        assert_eq!(judged(&forged(r, s), &CREDULOUS, &keys), Err(JwtError::Signature), "{r:?} {s:?}");
    }
    assert_eq!(judged(&forged(&below, &one), &CREDULOUS, &keys), Ok(()));
    assert_eq!(judged(&forged(&below, &one), &NO_CRYPTO, &keys), Err(JwtError::Signature));
}

// J16
#[test]
fn a_der_signature_is_refused() {
    let forged = with_signature(Es256, |signature| super::super::ecdsa::der_signature(&signature).unwrap());
    assert_eq!(judged(&forged, &CREDULOUS, &all_keys()), Err(JwtError::Signature));
    assert_eq!(judged(&with_signature(Es256, |signature| signature), &CREDULOUS, &all_keys()), Ok(()));
}

// J17
#[test]
fn a_signature_on_another_curve_is_refused() {
    let swapped = |says: Algorithm, signed: Algorithm| {
        let kid = crate::jose::testing::kid(signed);
        token(signed, &format!(r#"{{"alg":"{}","kid":"{kid}"}}"#, says.name()), "{}")
    };
    let keys = all_keys();
    assert_eq!(judged(&swapped(Es384, Es256), &CREDULOUS, &keys), Err(JwtError::KeyUnknown));
    assert_eq!(judged(&swapped(Es256, Es384), &CREDULOUS, &keys), Err(JwtError::KeyUnknown));
    assert_eq!(judged(&swapped(Es384, Es384), &CREDULOUS, &keys), Ok(()));
    let cut = with_signature(Es512, |signature| [&signature[1..66], &signature[67..]].concat());
    assert_eq!(judged(&cut, &CREDULOUS, &keys), Err(JwtError::Signature));
}

// J18
#[test]
fn pkcs1_padding_is_compared_as_a_whole() {
    let key = rsa_key();
    let good = with_signature(Rs256, |signature| signature);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let opened = BigUint::from_bytes_be(&base64url::decode(signature).unwrap()).modpow(key.e(), key.n());
    let mut encoded = opened.to_bytes_be();
    encoded.insert(0, 0);
    assert_eq!((encoded.len(), encoded[204]), (256, 0));
    // The private operation on what padding we like.
    let forged = |padded: &[u8]| {
        let raw = BigUint::from_bytes_be(padded).modpow(rsa::traits::PrivateKeyParts::d(&key), key.n()).to_bytes_be();
        let raw = [vec![0; 256 - raw.len()], raw].concat();
        format!("{message}.{}", base64url::encode(&raw))
    };
    let keys = all_keys();
    assert_eq!(judged(&forged(&encoded), &NO_CRYPTO, &keys), Ok(()));
    let (padding, info) = encoded.split_at(204);
    let garbage = [&padding[..12], info, &[0x5a; 192][..]].concat();
    let mut other_type = encoded.clone();
    other_type[1] = 2;
    let without_null =
        [&padding[..2], &[0xff; 2], &padding[2..], &[0, 0x30, 0x2f, 0x30, 0x0b], &info[5..16], &info[18..]].concat();
    let bare = [&[0, 1][..], &[0xff; 221], &[0], &info[20..]].concat();
    for padded in [garbage, other_type, without_null, bare] {
        assert_eq!(padded.len(), 256);
        assert_eq!(judged(&forged(&padded), &NO_CRYPTO, &keys), Err(JwtError::Signature));
    }
}

// J19
#[test]
fn a_signature_that_is_not_below_the_modulus_is_refused_before_the_host_is_asked() {
    let n = rsa_key().n().clone();
    for value in [n.clone(), n.clone() + 1_u32] {
        let forged = with_signature(Rs256, |_| value.to_bytes_be());
        assert_eq!(judged(&forged, &CREDULOUS, &all_keys()), Err(JwtError::Signature));
    }
    let forged = with_signature(Rs256, |_| (n - 1_u32).to_bytes_be());
    assert_eq!(judged(&forged, &CREDULOUS, &all_keys()), Ok(()));
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

// J60
#[test]
fn the_host_is_believed_where_it_has_a_say_and_we_compute_where_it_has_none() {
    let keys = all_keys();
    let doubtful = FixedHost(HostCheck::Invalid);
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| !is_symmetric(algorithm)) {
        let asks = !matches!(algorithm, Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 | EdDsa);
        let good = token(algorithm, &header(algorithm), "{}");
        let expected = if asks { Err(JwtError::Signature) } else { Ok(()) };
        assert_eq!(judged(&good, &doubtful, &keys), expected, "{algorithm:?}");
        assert_eq!(judged(&good, &NO_CRYPTO, &keys), Ok(()), "{algorithm:?}");
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
