//! The provider's keys, which sign for real (RFC 7515, RFC 7518 §3.3, §3.4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use rsa::RsaPrivateKey;
use rsa::signature::{SignatureEncoding, Signer as _};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// A private key, and the `kid` that it goes by.
#[derive(Clone)]
pub struct Signer {
    kid: Option<String>,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Rsa(&'static RsaPrivateKey),
    P256(p256::ecdsa::SigningKey),
}

/// Making an RSA key takes a while: two serve all tests.
fn rsa_key(at: usize) -> &'static RsaPrivateKey {
    static KEYS: [OnceLock<RsaPrivateKey>; 2] = [OnceLock::new(), OnceLock::new()];
    KEYS[at].get_or_init(|| RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap())
}

impl Signer {
    /// RS256, one of two keys.
    pub fn rsa(kid: &str, at: usize) -> Self {
        Self { kid: Some(kid.to_owned()), key: Key::Rsa(rsa_key(at)) }
    }

    /// ES256; another `seed`, another key.
    pub fn p256(kid: &str, seed: u8) -> Self {
        let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
        Self { kid: Some(kid.to_owned()), key: Key::P256(key) }
    }

    /// The same key without a name.
    pub fn nameless(mut self) -> Self {
        self.kid = None;
        self
    }

    /// The public half (RFC 7517 §4).
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.key {
            Key::Rsa(key) => json!({
                "kty": "RSA", "use": "sig", "n": encode(key.n().to_bytes_be()), "e": encode(key.e().to_bytes_be()),
            }),
            Key::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let part = |part: Option<&[u8]>| encode(part.unwrap());
                json!({
                    "kty": "EC", "use": "sig", "crv": "P-256",
                    "x": part(point.x().map(|x| &x[..])), "y": part(point.y().map(|y| &y[..])),
                })
            }
        };
        if let Some(kid) = &self.kid {
            jwk["kid"] = json!(kid);
        }
        jwk
    }

    /// The header of what it signs.
    pub fn header(&self) -> Value {
        let mut header = json!({ "alg": match self.key { Key::Rsa(_) => "RS256", Key::P256(_) => "ES256" } });
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        header
    }

    /// A compact JWS over this header and payload, signed with this key whatever the header says.
    pub fn sign(&self, header: &Value, payload: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(payload.to_string()));
        let signature = match &self.key {
            Key::Rsa(key) => {
                rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new((*key).clone()).sign(message.as_bytes()).to_vec()
            }
            Key::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message.as_bytes());
                signature.to_bytes().to_vec()
            }
        };
        format!("{message}.{}", encode(signature))
    }
}

/// base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
