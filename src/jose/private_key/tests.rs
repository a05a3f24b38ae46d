//! What is signed here is verified by what verifies others' signatures; known keys, known signatures, and PEM by openssl.

use super::super::testing::*;
use super::*;
use crate::jose::PublicKey;
use crate::world::script::Script;
use p256::pkcs8::EncodePrivateKey as _;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use serde_json::json;
use std::sync::LazyLock;

static RSA: LazyLock<Value> = LazyLock::new(|| {
    let (key, number) = (rsa_key(), |number: &rsa::BigUint| base64url::encode(&number.to_bytes_be()));
    let qi = key.qinv().unwrap().to_biguint().unwrap();
    json!({
        "kty": "RSA", "n": N, "e": "AQAB", "d": D, "p": P, "q": Q,
        "dp": number(key.dp().unwrap()), "dq": number(key.dq().unwrap()), "qi": number(&qi),
    })
});

fn ec(algorithm: Algorithm, scalar: &[u8]) -> Value {
    let mut jwk: Value = serde_json::from_str(&ec_jwk(algorithm, "")).unwrap();
    jwk["d"] = base64url::encode(scalar).into();
    jwk
}

fn keys() -> [(Value, Vec<Algorithm>); 5] {
    use Algorithm as A;
    let ed = ed25519_key();
    let x = base64url::encode(ed.verifying_key().as_bytes());
    [
        (RSA.clone(), vec![A::Rs256, A::Rs384, A::Rs512, A::Ps256, A::Ps384, A::Ps512]),
        (ec(A::Es256, &[7; 32]), vec![A::Es256]),
        (ec(A::Es384, &[7; 48]), vec![A::Es384]),
        (ec(A::Es512, &[&[0], &[7; 65][..]].concat()), vec![A::Es512]),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "d": base64url::encode(&[7; 32]) }), vec![A::EdDsa]),
    ]
}

fn parse(key: &Value) -> Result<PrivateKey, Unusable> {
    PrivateKey::parse(&key.to_string())
}

fn public(key: &PrivateKey, algorithm: Algorithm) -> PublicKey {
    PublicKey::parse(Value::Object(key.public(algorithm)).to_string().as_bytes()).unwrap()
}

#[test]
fn every_signature_fits_its_message_and_public_half_and_no_other() {
    let host = Script::new();
    for (jwk, algorithms) in keys() {
        let key = parse(&jwk).unwrap();
        assert_eq!(key.default_algorithm(), algorithms[0]);
        for algorithm in Algorithm::ALL {
            let signed = key.sign(&host, algorithm, b"message");
            assert_eq!(signed.is_some(), algorithms.contains(&algorithm), "{algorithm:?}");
            let Some(signed) = signed else { continue };
            let public = public(&key, algorithm);
            signature::check(&host, &public, algorithm, b"message", &signed).unwrap();
            assert!(signature::check(&host, &public, algorithm, b"massage", &signed).is_err());
        }
    }
}

// Other code agrees: RSASSA-PSS with the library's verifier, whose salt length is the hash's.
#[test]
fn a_library_takes_our_pss_signatures_and_each_has_another_salt() {
    use rsa::signature::Verifier as _;
    let (host, key) = (Script::new(), parse(&RSA).unwrap());
    let verifier = rsa::pss::VerifyingKey::<rsa::sha2::Sha256>::new(rsa_key().to_public_key());
    let signatures = [(); 3].map(|()| key.sign(&host, Algorithm::Ps256, b"message").unwrap());
    for signature in &signatures {
        verifier.verify(b"message", &signature.as_slice().try_into().unwrap()).unwrap();
    }
    assert!(signatures[0] != signatures[1] && signatures[1] != signatures[2]);
}

// PKCS#1 v1.5 is deterministic: whoever signs, the bytes are the same. Half as many random bits as the exponents are
// blinded with must not show.
#[test]
fn our_pkcs1_signatures_are_the_library_s() {
    use rsa::signature::{SignatureEncoding as _, Signer as _};
    let (host, key) = (Script::new(), parse(&RSA).unwrap());
    let library = rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(rsa_key());
    for message in [&b"one"[..], b"two", b""] {
        assert_eq!(key.sign(&host, Algorithm::Rs256, message).unwrap(), library.sign(message).to_vec());
    }
}

// Moduli whose primes or whose own length are no multiple of a limb's.
#[test]
fn rsa_keys_of_odd_sizes_sign() {
    let host = Script::new();
    let public = |key: &PrivateKey, algorithm| public(key, algorithm);
    for bits in [2049, 2056, 3072] {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
        let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        let ours = PrivateKey::parse(&pem).unwrap();
        for algorithm in [Algorithm::Rs256, Algorithm::Ps512] {
            let signed = ours.sign(&host, algorithm, b"message").unwrap();
            assert_eq!(signed.len(), key.size());
            signature::check(&host, &public(&ours, algorithm), algorithm, b"message", &signed).unwrap();
        }
    }
}

// RFC 6979 §A.2.5, §A.2.6, §A.2.7: "sample" with the hash that belongs to the curve.
#[test]
fn ecdsa_is_deterministic_as_in_the_rfc_s_vectors() {
    let vectors = [
        (
            "P-256",
            "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
             F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        ),
        (
            "P-384",
            "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8\
             96D5724E4C70A825F872C9EA60D2EDF5",
            "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C\
             81A648152E44ACF96E36DD1E80FABE4699EF4AEB15F178CEA1FE40DB2603138F\
             130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
        ),
        (
            "P-521",
            "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75\
             CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B8\
             3538",
            "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F\
             174E25A1EE9017B5D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E3\
             77FA00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B\
             68AF282623EAA63E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E4\
             4DA4A67A",
        ),
    ];
    for (curve, d, expected) in vectors {
        let key = parse(&json!({ "kty": "EC", "crv": curve, "d": base64url::encode(&hex(d)) })).unwrap();
        let signed = key.sign(&NO_CRYPTO, key.default_algorithm(), b"sample").unwrap();
        assert_eq!(signed, hex(expected), "{curve}");
    }
}

// RFC 8032 §7.1, test 3; the same key in PEM as `openssl genpkey` writes it.
#[test]
fn ed25519_signs_as_in_the_rfc_s_vector() {
    let seed = hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
    let der = [&hex("302e020100300506032b657004220420")[..], &seed].concat();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
    let expected = hex("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
    for text in [json!({ "kty": "OKP", "crv": "Ed25519", "d": base64url::encode(&seed) }).to_string(), pem] {
        let key = PrivateKey::parse(&text).unwrap();
        assert_eq!(key.sign(&NO_CRYPTO, Algorithm::EdDsa, &[0xaf, 0x82]).unwrap(), expected);
        assert_eq!(key.public["x"], "_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU");
    }
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn pem_of_each_kind_is_the_key_of_its_jwk() {
    let rsa = rsa_key();
    let sec1 = |bytes: usize, oid: &str, scalar: &[u8]| {
        let key = [&hex("020101")[..], &[4, bytes as u8], scalar].concat();
        let oid = [&[6, (oid.len() / 2) as u8][..], &hex(oid)].concat();
        let body = [key, vec![0xa0, oid.len() as u8], oid].concat();
        let der = [&[0x30, body.len() as u8][..], &body].concat();
        format!("-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----", STANDARD.encode(der))
    };
    let p521 = [&[0], &[7; 65][..]].concat();
    let [rsa_jwk, p256, p384, p521_jwk, _] = keys().map(|(jwk, _)| jwk);
    let pairs = [
        (rsa.to_pkcs8_pem(LineEnding::CRLF).unwrap().to_string(), &rsa_jwk),
        (rsa.to_pkcs1_pem(LineEnding::LF).unwrap().to_string(), &rsa_jwk),
        (p256::SecretKey::from_slice(&[7; 32]).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap().to_string(), &p256),
        (p384::SecretKey::from_slice(&[7; 48]).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap().to_string(), &p384),
        (p521::SecretKey::from_slice(&p521).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap().to_string(), &p521_jwk),
        (sec1(32, "2a8648ce3d030107", &[7; 32]), &p256),
        (sec1(48, "2b81040022", &[7; 48]), &p384),
        (sec1(66, "2b81040023", &p521), &p521_jwk),
    ];
    for (pem, jwk) in pairs {
        let expected = parse(jwk).unwrap().public;
        // A variable may have lost its line breaks, and a file may have more in it.
        for text in [
            pem.clone(),
            pem.replace(['\r', '\n'], " "),
            format!("-----BEGIN EC PARAMETERS-----\nBg==\n-----END EC PARAMETERS-----\n{pem}\n"),
        ] {
            assert_eq!(PrivateKey::parse(&text).unwrap().public, expected, "{text}");
        }
        for cut in [pem.len() / 2, pem.len() - 8] {
            assert_eq!(PrivateKey::parse(&pem[..cut]).unwrap_err(), Unusable::Malformed);
        }
    }
    for kind in ["ENCRYPTED PRIVATE KEY", "CERTIFICATE"] {
        let text = format!("-----BEGIN {kind}-----\nMAA=\n-----END {kind}-----");
        assert_eq!(PrivateKey::parse(&text).unwrap_err(), Unusable::Malformed);
    }
    let public = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----";
    assert_eq!(PrivateKey::parse(public).unwrap_err(), Unusable::Public);
}

#[test]
fn a_key_that_cannot_sign_is_told_why() {
    let [rsa, p256, ..] = keys().map(|(jwk, _)| jwk);
    let with = |base: &Value, name: &str, value: Value| {
        let mut jwk = base.clone();
        jwk[name] = value;
        jwk
    };
    let without = |base: &Value, name: &str| {
        let mut jwk = base.clone();
        jwk.as_object_mut().unwrap().remove(name);
        jwk
    };
    let other = ec(Algorithm::Es256, &[8; 32]);
    let short = base64url::encode(&[&[0xa5; 127][..], &[1]].concat());
    let wrong = [
        (without(&p256, "d"), Unusable::Public),
        (without(&rsa, "d"), Unusable::Public),
        (without(&rsa, "qi"), Unusable::Malformed),
        (without(&p256, "kty"), Unusable::Malformed),
        (with(&p256, "crv", json!("secp256k1")), Unusable::Malformed),
        (with(&p256, "d", json!("!")), Unusable::Public),
        (with(&p256, "d", json!("AA")), Unusable::Malformed),
        (with(&p256, "use", json!("enc")), Unusable::Purpose),
        (with(&p256, "key_ops", json!(["decrypt"])), Unusable::Purpose),
        (with(&p256, "alg", json!("ES384")), Unusable::Purpose),
        (with(&rsa, "alg", json!("RSA-OAEP")), Unusable::Purpose),
        (with(&p256, "d", other["d"].clone()), Unusable::Mismatch),
        (with(&rsa, "dp", rsa["dq"].clone()), Unusable::Mismatch),
        (with(&rsa, "q", rsa["p"].clone()), Unusable::Mismatch),
        (with(&rsa, "p", json!("Ag")), Unusable::Malformed),
        (with(&rsa, "n", short.into()), Unusable::Size),
    ];
    for (jwk, why) in wrong {
        assert_eq!(parse(&jwk).unwrap_err(), why, "{jwk}");
        assert!(
            why.sentence().starts_with("is ")
                || why.sentence().starts_with("says ")
                || why.sentence().starts_with("has ")
        );
    }
    for right in [
        with(&p256, "use", json!("sig")),
        with(&p256, "key_ops", json!(["sign", "verify"])),
        with(&rsa, "alg", json!("PS256")),
    ] {
        parse(&right).unwrap();
    }
    assert_eq!(PrivateKey::parse("hunter2").unwrap_err(), Unusable::Malformed);
}

#[test]
fn nothing_private_is_shown() {
    for (mut jwk, algorithms) in keys() {
        jwk["kid"] = json!("one");
        jwk["oth"] = json!("hunter2");
        let key = parse(&jwk).unwrap();
        let (shown, public) = (format!("{key:?}"), Value::Object(key.public(algorithms[0])));
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
            let Some(secret) = jwk[name].as_str() else { continue };
            assert!(public.get(name).is_none() && !shown.contains(secret), "{name}");
        }
        assert_eq!(
            (public["kid"].as_str(), public["use"].as_str(), public["alg"].as_str()),
            (Some("one"), Some("sig"), Some(algorithms[0].name()))
        );
    }
}

// RFC 7638 §3.1.
#[test]
fn a_key_without_a_name_is_named_by_its_thumbprint() {
    let key = parse(&RSA).unwrap();
    assert!(key.header().is_empty());
    let mut named = parse(&ec(Algorithm::Es256, &[7; 32])).unwrap();
    named.name();
    let expected = digest(
        Hash::Sha256,
        &[ec_jwk(Algorithm::Es256, "")
            .replace(r#""kty":"EC","crv":"P-256""#, r#""crv":"P-256","kty":"EC""#)
            .as_bytes()],
    );
    assert_eq!(named.header()["kid"], base64url::encode(&expected));
    let mut own = RSA.clone();
    own["kid"] = json!("mine");
    let mut own = parse(&own).unwrap();
    own.name();
    assert_eq!(own.header()["kid"], "mine");
}

// RFC 7515 §4.1.7, §4.1.8: Entra looks for the key by its certificate.
#[test]
fn a_certificate_s_hashes_go_into_the_header() {
    let mut jwk = RSA.clone();
    jwk["x5c"] = json!([STANDARD.encode(b"a certificate")]);
    let hash = base64url::encode(&digest(Hash::Sha256, &[b"a certificate"]));
    assert_eq!(Value::Object(parse(&jwk).unwrap().header()), json!({ "x5t#S256": hash }));
    jwk["x5t"] = json!("dGhpcw");
    jwk["x5t#S256"] = json!("dGhhdA");
    assert_eq!(Value::Object(parse(&jwk).unwrap().header()), json!({ "x5t": "dGhpcw", "x5t#S256": "dGhhdA" }));
}

/// A host that signs, well or badly.
struct Signing(Option<fn(Vec<u8>) -> Vec<u8>>);

impl Host for Signing {
    fn sign(&self, hash: Hash, pkcs8: &Secret, message: &[u8]) -> Option<Vec<u8>> {
        use rsa::pkcs8::DecodePrivateKey as _;
        use rsa::signature::{SignatureEncoding as _, Signer as _};
        assert_eq!(hash, Hash::Sha256);
        // It reads the key as hosts do.
        let key = rsa::RsaPrivateKey::from_pkcs8_der(pkcs8.expose()).unwrap();
        assert_eq!(key.validate(), Ok(()));
        self.0.map(|bend| bend(rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(key).sign(message).to_vec()))
    }
    fn now(&self) -> crate::words::UnixTime {
        NOW
    }
    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(0xff);
    }
    fn call(
        &self,
        request: crate::world::ProviderRequest,
    ) -> crate::world::LocalFuture<Result<crate::world::ProviderResponse, crate::world::CallError>> {
        NO_CRYPTO.call(request)
    }
    fn sleep(&self, span: std::time::Duration) -> crate::world::LocalFuture<()> {
        NO_CRYPTO.sleep(span)
    }
    fn spawn(&self, _: crate::world::LocalFuture<()>) {}
    fn verify_signature(&self, _: Hash, _: &[u8], _: &[u8], _: &[u8]) -> crate::world::HostCheck {
        crate::world::HostCheck::Unable
    }
    fn shared(&self, _: &str) -> Option<(Vec<u8>, crate::world::Version)> {
        None
    }
    fn share(&self, _: &str, _: &[u8], _: crate::world::Version) -> Result<(), crate::world::NotWritten> {
        Err(crate::world::NotWritten)
    }
    fn count(&self, _: crate::world::Metric) {}
    fn log(&self, _: log::Level, _: &str) {}
}

// A faulty RSA signature gives the key away (Boneh, DeMillo, Lipton): what the host made is checked before it leaves.
#[test]
fn the_host_signs_where_it_can_and_a_bad_signature_of_its_own_is_not_used() {
    let ours = parse(&RSA).unwrap().sign(&NO_CRYPTO, Algorithm::Rs256, b"message").unwrap();
    type Bend = fn(Vec<u8>) -> Vec<u8>;
    let bends: [Option<Bend>; 4] = [
        Some(|signature| signature),
        None,
        Some(|mut signature| {
            signature[9] ^= 1;
            signature
        }),
        Some(|_| Vec::new()),
    ];
    for bend in bends {
        let host = Signing(bend);
        let key = PrivateKey::parse(&RSA.to_string()).unwrap();
        assert_eq!(key.sign(&host, Algorithm::Rs256, b"message").unwrap(), ours);
        assert!(key.sign(&host, Algorithm::Ps256, b"message").is_some());
    }
}
