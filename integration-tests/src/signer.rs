//! Keys of a scripted provider, and compact JWS made with them (RFC 7515 §3.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use rsa::traits::PublicKeyParts;
use rsa::{pkcs1v15, pss};
use serde_json::{Value, json};

/// A private key with its name and algorithm.
#[derive(Clone)]
pub struct Signer {
    /// The `kid` of its JWK and of what it signs.
    pub kid: String,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Rs256(Box<rsa::RsaPrivateKey>),
    Ps256(Box<rsa::RsaPrivateKey>),
    Es256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl Signer {
    /// A new RSA key of 2048 bits.
    pub fn rs256(kid: &str) -> Signer {
        Signer { kid: kid.into(), key: Key::Rs256(rsa_key()) }
    }

    /// The same for signatures with PSS (RFC 7518 §3.5).
    pub fn ps256(kid: &str) -> Signer {
        Signer { kid: kid.into(), key: Key::Ps256(rsa_key()) }
    }

    /// A new key on P-256.
    pub fn es256(kid: &str) -> Signer {
        let key = p256::ecdsa::SigningKey::from_slice(&seed()).expect("a scalar below the order, as nearly all are");
        Signer { kid: kid.into(), key: Key::Es256(key) }
    }

    /// A new Ed25519 key (RFC 8037).
    pub fn ed25519(kid: &str) -> Signer {
        Signer { kid: kid.into(), key: Key::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed())) }
    }

    /// Its `alg`.
    pub fn alg(&self) -> &'static str {
        match self.key {
            Key::Rs256(_) => "RS256",
            Key::Ps256(_) => "PS256",
            Key::Es256(_) => "ES256",
            Key::Ed25519(_) => "EdDSA",
        }
    }

    /// The public half as a JWK (RFC 7517).
    pub fn jwk(&self) -> Value {
        match &self.key {
            Key::Rs256(key) | Key::Ps256(key) => json!({
                "kty": "RSA", "kid": self.kid, "use": "sig", "alg": self.alg(),
                "n": encode(&key.n().to_bytes_be()), "e": encode(&key.e().to_bytes_be()),
            }),
            Key::Es256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                json!({
                    "kty": "EC", "kid": self.kid, "use": "sig", "alg": "ES256", "crv": "P-256",
                    "x": encode(point.x().expect("uncompressed")), "y": encode(point.y().expect("uncompressed")),
                })
            }
            Key::Ed25519(key) => json!({
                "kty": "OKP", "kid": self.kid, "use": "sig", "alg": "EdDSA", "crv": "Ed25519",
                "x": encode(key.verifying_key().as_bytes()),
            }),
        }
    }

    /// The header that an honest token has.
    pub fn header(&self) -> Value {
        json!({ "alg": self.alg(), "kid": self.kid, "typ": "JWT" })
    }

    /// A compact JWS over exactly this header and these claims, sensible or not.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let signature = match &self.key {
            Key::Rs256(key) => {
                let key = pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(key.as_ref().clone());
                rsa::signature::Signer::sign(&key, message.as_bytes()).to_vec()
            }
            Key::Ps256(key) => {
                let key = pss::SigningKey::<rsa::sha2::Sha256>::new(key.as_ref().clone());
                key.sign_with_rng(&mut rsa::rand_core::OsRng, message.as_bytes()).to_vec()
            }
            Key::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message.as_bytes());
                signature.to_bytes().to_vec()
            }
            Key::Ed25519(key) => key.sign(message.as_bytes()).to_bytes().to_vec(),
        };
        format!("{message}.{}", encode(&signature))
    }
}

fn rsa_key() -> Box<rsa::RsaPrivateKey> {
    Box::new(rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("an RSA key"))
}

fn seed() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
