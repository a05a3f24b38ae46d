//! One private key of ours, from its JWK (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2) or from PEM, and what it signs.

use super::base64url;
use super::digest::{digest, hash_of};
use super::ecdsa::Curve;
use super::pem::{self, Numbers};
use super::rsa::RsaKey;
use super::rsa_private::RsaPrivateKey;
use super::signature;
use crate::words::json::{self, Object};
use crate::words::{Algorithm, Secret};
use crate::world::{Hash, Host};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use serde_json::Value;
use std::fmt;
use zeroize::Zeroizing;

/// A key that signs. `Debug` shows its public half alone, and its memory is wiped when it goes.
pub struct PrivateKey {
    material: Material,
    /// The algorithm that it is for, where it names one.
    algorithm: Option<Algorithm>,
    /// Its public half (RFC 7517 §4), with what it says of itself.
    public: Object,
}

enum Material {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(Box<p521::ecdsa::SigningKey>),
    Ed25519(ed25519_dalek::SigningKey),
}

/// Why a key cannot sign for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Neither a JWK nor PEM of a kind that we know, or a part is missing or broken.
    Malformed,
    /// A public key.
    Public,
    /// Its `use`, `key_ops` or `alg` is for something else (RFC 7517 §4.2 to §4.4).
    Purpose,
    /// An RSA key of less than 2048 bits (RFC 7518 §3.3), or more than 8192.
    Size,
    /// Private and public half do not belong together.
    Mismatch,
}

impl Unusable {
    /// What to do about it, for who configured the key.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed => {
                "is no private key: needs a JWK of kty RSA (with p, q, dp, dq, qi), EC or OKP (Ed25519), or PEM that is \
                 not encrypted (PRIVATE KEY, RSA PRIVATE KEY, EC PRIVATE KEY)"
            }
            Self::Public => "is a public key: signing needs the private one",
            Self::Purpose => "says by its use, key_ops or alg that it is not for signing, or not with this kind of key",
            Self::Size => "is an RSA key of a size that is not taken: needs 2048 to 8192 bits (RFC 7518 §3.3)",
            Self::Mismatch => "has a private part that does not belong to its public one",
        }
    }
}

/// Members of a JWK that may be shown to anybody, beside those of its type.
const SHOWN: [&str; 5] = ["kid", "alg", "x5c", "x5t", "x5t#S256"];

impl PrivateKey {
    /// Reads one key: a JWK as JSON, or PEM.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        if pem::has_form(text) { Self::from_pem(text) } else { Self::from_jwk(text) }
    }

    fn from_pem(text: &str) -> Result<Self, Unusable> {
        match pem::read(text) {
            Some(numbers) => Self::new(&numbers, Object::new()),
            None if text.contains("PUBLIC KEY-----") => Err(Unusable::Public),
            None => Err(Unusable::Malformed),
        }
    }

    fn from_jwk(text: &str) -> Result<Self, Unusable> {
        let mut members = json::object(text.as_bytes()).map_err(|_| Unusable::Malformed)?;
        let mut secret = |name: &str| {
            Some(Zeroizing::new(base64url::decode(Secret::new(taken(&mut members, name)?).expose_text()?)?))
        };
        let d = secret("d");
        let private = ["p", "q", "dp", "dq", "qi"].map(&mut secret);
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let bytes = |name: &str| text(name).and_then(base64url::decode).map(Zeroizing::new);
        check_purpose(&members)?;
        let missing = if text("kty").is_some() { Unusable::Public } else { Unusable::Malformed };
        let d = d.ok_or(missing)?;
        let numbers = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => {
                let [p, q, dp, dq, qi] = private;
                let all = (|| Some([bytes("n")?, bytes("e")?, d, p?, q?, dp?, dq?, qi?]))();
                Numbers::Rsa(all.ok_or(Unusable::Malformed)?)
            }
            (Some("EC"), Some(curve)) => Numbers::Ec(Curve::from_name(curve).ok_or(Unusable::Malformed)?, d),
            (Some("OKP"), Some("Ed25519")) => Numbers::Ed25519(d),
            _ => return Err(Unusable::Malformed),
        };
        Self::new(&numbers, members)
    }

    /// `said` is what a JWK says: where it names the public half, that must be the one.
    fn new(numbers: &Numbers, said: Object) -> Result<Self, Unusable> {
        let (material, own) = match numbers {
            Numbers::Rsa(numbers) => {
                let [n, e, ..] = numbers;
                let public = RsaKey::new(n, e).map_err(|_| Unusable::Size)?;
                let own = json::of(vec![("kty", "RSA".into()), ("n", short(n).into()), ("e", short(e).into())]);
                let key = RsaPrivateKey::new(public, numbers).ok_or(Unusable::Malformed)?;
                if !key.is_sound() {
                    return Err(Unusable::Mismatch);
                }
                (Material::Rsa(Box::new(key)), own)
            }
            Numbers::Ec(curve, scalar) => ec(*curve, scalar).ok_or(Unusable::Malformed)?,
            Numbers::Ed25519(seed) => {
                let key = ed25519_dalek::SigningKey::try_from(seed.as_slice()).map_err(|_| Unusable::Malformed)?;
                let x = base64url::encode(key.verifying_key().as_bytes());
                let own = json::of(vec![("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", x.into())]);
                (Material::Ed25519(key), own)
            }
        };
        let Value::Object(mut public) = own else { return Err(Unusable::Malformed) };
        if public.iter().any(|(name, own)| said.get(name).is_some_and(|said| said != own)) {
            return Err(Unusable::Mismatch);
        }
        public.extend(said.into_iter().filter(|(name, _)| SHOWN.contains(&name.as_str())));
        let algorithm = match public.get("alg") {
            None => None,
            Some(name) => Some(name.as_str().and_then(Algorithm::from_name).ok_or(Unusable::Purpose)?),
        };
        let key = Self { material, algorithm, public };
        if algorithm.is_some_and(|algorithm| !key.fits(algorithm)) { Err(Unusable::Purpose) } else { Ok(key) }
    }

    /// Whether it can sign by `algorithm`.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        let of_kind = match self.material {
            Material::Rsa(_) => algorithm.name().starts_with(['R', 'P']),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::P384(_) => algorithm == Algorithm::Es384,
            Material::P521(_) => algorithm == Algorithm::Es512,
            Material::Ed25519(_) => algorithm == Algorithm::EdDsa,
        };
        of_kind && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// The algorithm that it signs by unless another one is asked for.
    pub fn default_algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(match self.material {
            Material::Rsa(_) => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
            Material::P384(_) => Algorithm::Es384,
            Material::P521(_) => Algorithm::Es512,
            Material::Ed25519(_) => Algorithm::EdDsa,
        })
    }

    /// What a JWS's header says of the key: `kid`, and the certificate's hashes, which some providers go by (RFC 7515
    /// §4.1.4, §4.1.7, §4.1.8).
    pub fn header(&self) -> Object {
        let mut header = json::filtered(&self.public, &|name, _| ["kid", "x5t", "x5t#S256"].contains(&name));
        let certificate = self.public.get("x5c").and_then(|chain| STANDARD.decode(chain.get(0)?.as_str()?).ok());
        if let Some(certificate) = certificate {
            let hash = base64url::encode(&digest(Hash::Sha256, &[&certificate]));
            header.entry("x5t#S256").or_insert_with(|| hash.into());
        }
        header
    }

    /// The JWK of its public half, for a signature by `algorithm`.
    pub fn public(&self, algorithm: Algorithm) -> Object {
        let mut public = self.public.clone();
        public.insert("use".to_owned(), "sig".into());
        public.insert("alg".to_owned(), algorithm.name().into());
        public
    }

    /// Where it has no name, it gets its thumbprint for one (RFC 7638 §3).
    pub fn name(&mut self) {
        // The members of its type alone, in the order of their names, as `Object` keeps them.
        let of_type = json::filtered(&self.public, &|name, _| ["crv", "e", "kty", "n", "x", "y"].contains(&name));
        let print = base64url::encode(&digest(Hash::Sha256, &[Value::Object(of_type).to_string().as_bytes()]));
        self.public.entry("kid").or_insert_with(|| print.into());
    }

    /// A signature over `message` (RFC 7518 §3.3 to §3.5, RFC 8037 §3.1); `None` when the key cannot make it.
    ///
    /// ECDSA is deterministic (RFC 6979), so that a poor generator of random numbers gives no key away.
    pub fn sign(&self, host: &dyn Host, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        if !self.fits(algorithm) {
            return None;
        }
        let hash = hash_of(algorithm);
        let hashed = || digest(hash, &[message]);
        match &self.material {
            Material::Rsa(key) if signature::is_pss(algorithm) => key.sign_pss(host, hash, message),
            Material::Rsa(key) => key.sign_pkcs1(host, hash, message),
            Material::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&hashed()).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Material::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(&hashed()).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Material::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign_prehash(&hashed()).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Material::Ed25519(key) => Some(key.sign(message).to_bytes().to_vec()),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A key on a curve, with its public half. The scalar may lack zeros in front, or have some too many.
fn ec(curve: Curve, scalar: &[u8]) -> Option<(Material, Value)> {
    let scalar = super::montgomery::significant(scalar);
    let missing = curve.length().checked_sub(scalar.len())?;
    let scalar = Zeroizing::new([&vec![0; missing], scalar].concat());
    let (material, name, point) = match curve {
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(&scalar).ok()?;
            let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
            (Material::P256(key), "P-256", point)
        }
        Curve::P384 => {
            let key = p384::ecdsa::SigningKey::from_slice(&scalar).ok()?;
            let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
            (Material::P384(key), "P-384", point)
        }
        Curve::P521 => {
            let key = p521::ecdsa::SigningKey::from_slice(&scalar).ok()?;
            let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
            (Material::P521(Box::new(key)), "P-521", point)
        }
    };
    let (x, y) = point.get(1..)?.split_at_checked(curve.length())?;
    let (x, y) = (base64url::encode(x), base64url::encode(y));
    Some((material, json::of(vec![("kty", "EC".into()), ("crv", name.into()), ("x", x.into()), ("y", y.into())])))
}

/// A number as JWKs write it: without zeros in front (RFC 7518 §2, Base64urlUInt).
fn short(number: &[u8]) -> String {
    base64url::encode(super::montgomery::significant(number))
}

fn taken(members: &mut Object, name: &str) -> Option<String> {
    match members.get_mut(name)?.take() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn check_purpose(members: &Object) -> Result<(), Unusable> {
    let signs = members.get("use").is_none_or(|purpose| purpose == "sig");
    let operates = match members.get("key_ops") {
        None => true,
        Some(operations) => operations.as_array().is_some_and(|all| all.iter().any(|one| one == "sign")),
    };
    if signs && operates { Ok(()) } else { Err(Unusable::Purpose) }
}

#[cfg(test)]
mod tests;
