use super::{BadSignature, check};
use crate::jose::base64url;
use crate::jose::ecdsa::der_signature;
use crate::jose::error::JwtError;
use crate::jose::jwk::PublicKey;
use crate::jose::jws::{Jws, Keys};
use crate::jose::testing::{
    CREDULOUS, FixedHost, NO_CRYPTO, all_keys, header, judged, kid, rsa_key, secret, token, with_signature,
};
use crate::words::Algorithm::{self, EdDsa, Es256, Es384, Es512, Ps256, Rs256};
use crate::world::HostCheck;
use rsa::rand_core::OsRng;
use rsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BigUint, RsaPrivateKey, pkcs1v15, pss};

fn of_key_pairs() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric())
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

// J14, J19
#[test]
fn a_signature_of_another_length_is_refused_before_anybody_computes() {
    let keys = all_keys();
    for algorithm in of_key_pairs() {
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
    let forged = with_signature(Es256, |signature| der_signature(&signature).unwrap());
    assert_eq!(judged(&forged, &CREDULOUS, &all_keys()), Err(JwtError::Signature));
    assert_eq!(judged(&with_signature(Es256, |signature| signature), &CREDULOUS, &all_keys()), Ok(()));
}

// J17
#[test]
fn a_signature_on_another_curve_is_refused() {
    let swapped = |says: Algorithm, signed: Algorithm| {
        let kid = kid(signed);
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
        let raw = BigUint::from_bytes_be(padded).modpow(key.d(), key.n()).to_bytes_be();
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

// J60
#[test]
fn the_host_is_believed_where_it_has_a_say_and_we_compute_where_it_has_none() {
    let keys = all_keys();
    let doubtful = FixedHost(HostCheck::Invalid);
    for algorithm in of_key_pairs() {
        let asks = !matches!(algorithm, Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 | EdDsa);
        let good = token(algorithm, &header(algorithm), "{}");
        let expected = if asks { Err(JwtError::Signature) } else { Ok(()) };
        assert_eq!(judged(&good, &doubtful, &keys), expected, "{algorithm:?}");
        assert_eq!(judged(&good, &NO_CRYPTO, &keys), Ok(()), "{algorithm:?}");
    }
}

// RFC 8017 §8.1.2, 2c: at 2049 bits the encoded message of PSS is a byte shorter than the modulus.
#[test]
fn moduli_that_do_not_fill_their_bytes_work_too() {
    for bits in [2049, 2050, 2056] {
        let key = RsaPrivateKey::new(&mut OsRng, bits).unwrap();
        let (n, e) = (base64url::encode(&key.n().to_bytes_be()), base64url::encode(&key.e().to_bytes_be()));
        let jwk = PublicKey::parse(format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#).as_bytes()).unwrap();
        let pkcs1 = pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(key.clone()).sign(b"message").to_vec();
        let pss = pss::SigningKey::<rsa::sha2::Sha256>::new(key).sign_with_rng(&mut OsRng, b"message").to_vec();
        for (algorithm, signature, other) in [(Rs256, &pkcs1, &pss), (Ps256, &pss, &pkcs1)] {
            assert_eq!(check(&NO_CRYPTO, &jwk, algorithm, b"message", signature), Ok(()), "{bits} {algorithm:?}");
            assert_eq!(check(&NO_CRYPTO, &jwk, algorithm, b"message", other), Err(BadSignature), "{bits}");
            assert_eq!(check(&NO_CRYPTO, &jwk, algorithm, b"massage", signature), Err(BadSignature), "{bits}");
        }
    }
}
