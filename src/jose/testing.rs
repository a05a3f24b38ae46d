//! What the tests of this floor share: keys that anybody may know, tokens signed with them, hosts with a fixed opinion.

use super::base64url;
use super::error::JwtError;
use super::jwks::Jwks;
use super::jws::{Jws, Keys};
use crate::words::{Algorithm, Secret, UnixTime};
use crate::world::{CallError, Hash, Host, HostCheck, LocalFuture, Metric, NotWritten, Version};
use crate::world::{ProviderRequest, ProviderResponse};
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Signer;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _, Signer as _};
use rsa::{BigUint, RsaPrivateKey, pkcs1v15, pss, rand_core::OsRng, sha2 as rsa_sha2};
use sha2::{Sha256, Sha384, Sha512};
use std::time::Duration;

/// The time in all tests.
pub const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// A client secret long enough for every HMAC.
pub const SECRET: &[u8; 64] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

// The example key of RFC 7520 §3.3 and §3.4.
pub const N: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
pub const D: &str = "bWUC9B-EFRIo8kpGfh0ZuyGPvMNKvYWNtB_ikiH9k20eT-O1q_I78eiZkpXxXQ0UTEs2LsNRS-8uJbvQ-A1irkwMSMkK1J3XTGgdrhCku9gRldY7sNA_AKZGh-Q661_42rINLRCe8W-nZ34ui_qOfkLnK9QWDDqpaIsA-bMwWWSDFu2MUBYwkHTMEzLYGqOe04noqeq1hExBTHBOBdkMXiuFhUq1BU6l-DqEiWxqg82sXt2h-LMnT3046AOYJoRioz75tSUQfGCshWTBnP5uDjd18kKhyv07lhfSJdrPdM5Plyl21hsFf4L_mHCuoFau7gdsPfHPxxjVOcOpBrQzwQ";
pub const P: &str = "3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0AzZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k";
pub const Q: &str = "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc";

/// A host whose crypto always says the same, and which has nothing else.
pub struct FixedHost(pub HostCheck);

/// A host without crypto.
pub const NO_CRYPTO: FixedHost = FixedHost(HostCheck::Unable);

/// A host that takes every signature, so that only our own checks can refuse.
pub const CREDULOUS: FixedHost = FixedHost(HostCheck::Valid);

impl Host for FixedHost {
    fn now(&self) -> UnixTime {
        NOW
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn call(&self, _: ProviderRequest) -> LocalFuture<Result<ProviderResponse, CallError>> {
        Box::pin(async { Err(CallError::UnknownCluster) })
    }

    fn sleep(&self, _: Duration) -> LocalFuture<()> {
        Box::pin(async {})
    }

    fn spawn(&self, _: LocalFuture<()>) {}

    fn verify_signature(&self, _: Hash, _: &[u8], _: &[u8], _: &[u8]) -> HostCheck {
        self.0
    }

    fn shared(&self, _: &str) -> Option<(Vec<u8>, Version)> {
        None
    }

    fn share(&self, _: &str, _: &[u8], _: Version) -> Result<(), NotWritten> {
        Err(NotWritten)
    }

    fn count(&self, _: Metric) {}

    fn log(&self, _: log::Level, _: &str) {}
}

/// The private key behind [`N`].
pub fn rsa_key() -> RsaPrivateKey {
    let number = |text| BigUint::from_bytes_be(&base64url::decode(text).unwrap());
    RsaPrivateKey::from_components(number(N), 65_537_u32.into(), number(D), vec![number(P), number(Q)]).unwrap()
}

pub fn p256_key() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap()
}

pub fn p384_key() -> p384::ecdsa::SigningKey {
    p384::ecdsa::SigningKey::from_slice(&[7; 48]).unwrap()
}

pub fn p521_key() -> p521::ecdsa::SigningKey {
    p521::ecdsa::SigningKey::from_slice(&[&[0], &[7; 65][..]].concat()).unwrap()
}

pub fn ed25519_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[7; 32])
}

/// A JWK with `members` added, such as `,"use":"sig"`.
pub fn rsa_jwk(members: &str) -> String {
    format!(r#"{{"kty":"RSA","n":"{N}","e":"AQAB"{members}}}"#)
}

pub fn ec_jwk(algorithm: Algorithm, members: &str) -> String {
    let (curve, point) = match algorithm {
        Algorithm::Es256 => ("P-256", p256_key().verifying_key().to_sec1_point(false).as_bytes().to_vec()),
        Algorithm::Es384 => ("P-384", p384_key().verifying_key().to_sec1_point(false).as_bytes().to_vec()),
        _ => ("P-521", p521_key().verifying_key().to_sec1_point(false).as_bytes().to_vec()),
    };
    let (x, y) = point[1..].split_at(point.len() / 2);
    let (x, y) = (base64url::encode(x), base64url::encode(y));
    format!(r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}"{members}}}"#)
}

pub fn ed25519_jwk(members: &str) -> String {
    let x = base64url::encode(ed25519_key().verifying_key().as_bytes());
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"{members}}}"#)
}

/// A set of these keys.
pub fn set(keys: &[String]) -> Jwks {
    Jwks::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
}

/// A set with one key for each family, named as [`kid`] says.
pub fn all_keys() -> Jwks {
    set(&[
        rsa_jwk(r#","kid":"rsa""#),
        ec_jwk(Algorithm::Es256, r#","kid":"p256""#),
        ec_jwk(Algorithm::Es384, r#","kid":"p384""#),
        ec_jwk(Algorithm::Es512, r#","kid":"p521""#),
        ed25519_jwk(r#","kid":"ed""#),
    ])
}

pub fn secret() -> Secret {
    Secret::new(SECRET.as_slice())
}

pub fn kid(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Es256 => "p256",
        Algorithm::Es384 => "p384",
        Algorithm::Es512 => "p521",
        Algorithm::EdDsa => "ed",
        _ => "rsa",
    }
}

/// The plain header of a token by that algorithm.
pub fn header(algorithm: Algorithm) -> String {
    format!(r#"{{"alg":"{}","kid":"{}"}}"#, algorithm.name(), kid(algorithm))
}

/// A token with just that header and payload, signed by `algorithm` whatever the header says.
pub fn token(algorithm: Algorithm, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes()));
    let signature = sign(algorithm, message.as_bytes());
    format!("{message}.{}", base64url::encode(&signature))
}

pub fn sign(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Rs256 => pkcs1v15::SigningKey::<rsa_sha2::Sha256>::new(rsa_key()).sign(message).to_vec(),
        Algorithm::Rs384 => pkcs1v15::SigningKey::<rsa_sha2::Sha384>::new(rsa_key()).sign(message).to_vec(),
        Algorithm::Rs512 => pkcs1v15::SigningKey::<rsa_sha2::Sha512>::new(rsa_key()).sign(message).to_vec(),
        Algorithm::Ps256 => {
            pss::SigningKey::<rsa_sha2::Sha256>::new(rsa_key()).sign_with_rng(&mut OsRng, message).to_vec()
        }
        Algorithm::Ps384 => {
            pss::SigningKey::<rsa_sha2::Sha384>::new(rsa_key()).sign_with_rng(&mut OsRng, message).to_vec()
        }
        Algorithm::Ps512 => {
            pss::SigningKey::<rsa_sha2::Sha512>::new(rsa_key()).sign_with_rng(&mut OsRng, message).to_vec()
        }
        Algorithm::Es256 => Signer::<p256::ecdsa::Signature>::sign(&p256_key(), message).to_bytes().to_vec(),
        Algorithm::Es384 => Signer::<p384::ecdsa::Signature>::sign(&p384_key(), message).to_bytes().to_vec(),
        Algorithm::Es512 => Signer::<p521::ecdsa::Signature>::sign(&p521_key(), message).to_bytes().to_vec(),
        Algorithm::EdDsa => ed25519_key().sign(message).to_bytes().to_vec(),
        Algorithm::Hs256 => mac::<Hmac<Sha256>>(SECRET, message),
        Algorithm::Hs384 => mac::<Hmac<Sha384>>(SECRET, message),
        Algorithm::Hs512 => mac::<Hmac<Sha512>>(SECRET, message),
    }
}

/// The plain token of that algorithm with its signature changed.
pub fn with_signature(algorithm: Algorithm, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let good = token(algorithm, &header(algorithm), "{}");
    let (message, signature) = good.rsplit_once('.').unwrap();
    format!("{message}.{}", base64url::encode(&change(base64url::decode(signature).unwrap())))
}

/// What becomes of a token on that host, with these keys.
pub fn judged(token: &str, host: &FixedHost, keys: &Jwks) -> Result<(), JwtError> {
    Jws::parse(token)?.check(host, Keys::Public(keys))
}

/// An HMAC under any key.
pub fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    <M as KeyInit>::new_from_slice(key).unwrap().chain_update(message).finalize().into_bytes().to_vec()
}
