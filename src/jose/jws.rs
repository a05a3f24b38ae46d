//! A JWS in compact serialization: its three parts, its header, its signature (RFC 7515 §3.1, §4.1, §5.2).

use super::base64url;
use super::error::JwtError;
use super::jwk::PublicKey;
use super::jwks::Jwks;
use super::signature;
use crate::http::Bytes;
use crate::words::{Algorithm, Secret, json};
use crate::world::Host;
use serde_json::Value;
use std::rc::Rc;

/// The largest token that is taken, in bytes.
pub const MAX_TOKEN: usize = 64 * 1024;

/// The largest header that is taken, in characters of its base64url; it has room for a certificate chain.
const MAX_HEADER: usize = 12 * 1024;

/// The alphabet of base64url (RFC 4648 §5).
static BASE64URL: Bytes = Bytes::letters_digits_and(b"-_");

/// Whether a credential has the form of a signed JWT: three parts in the alphabet of base64url, the first one a JSON
/// object with `alg`. The last part may be empty, so that an unsigned token is refused as what it is.
pub fn has_form(token: &str) -> bool {
    let plain = |part: &str| BASE64URL.hold(part.as_bytes());
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let readable = header.len() <= MAX_HEADER && !payload.is_empty() && plain(payload) && plain(signature);
    let header = readable.then(|| base64url::decode(header)).flatten();
    header.and_then(|header| json::object(&header).ok()).is_some_and(|members| members.contains_key("alg"))
}

/// A token whose form and header have been judged, and nothing else.
pub struct Jws<'a> {
    header: Header,
    /// The first two parts as they came (RFC 7515 §5.2, 8).
    message: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What may have signed a token. The two never mix: an HMAC under a public key proves nothing (CVE-2016-10555).
#[derive(Clone, Copy)]
pub enum Keys<'a> {
    /// The issuer's key set, for every algorithm but HS256, HS384 and HS512.
    Public(&'a Jwks),
    /// The client secret, for these three alone.
    Secret(&'a Secret),
}

/// The header's members that have a say. `jwk`, `jku`, `x5u`, `x5c` have none (RFC 8725 §3.10).
struct Header {
    algorithm: Algorithm,
    kid: Option<String>,
    typ: Option<String>,
}

impl<'a> Jws<'a> {
    /// Takes a token apart. It has exactly three parts, none of them empty, each in base64url's one right spelling.
    pub fn parse(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > MAX_TOKEN {
            return Err(JwtError::TooLarge);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(JwtError::Malformed)?;
        if header.len() > MAX_HEADER {
            return Err(JwtError::TooLarge);
        }
        let header = Header::parse(&decode(header)?)?;
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        Ok(Self { header, message, payload, signature })
    }

    /// The `alg` of its header.
    pub const fn algorithm(&self) -> Algorithm {
        self.header.algorithm
    }

    /// The `kid` of its header.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The `typ` of its header.
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// What is signed, believed by nobody yet.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether its signature is by one of `keys`.
    ///
    /// [`JwtError::KeyUnknown`] when a fresh key set may help: no key fits, or one does that lacks the token's `kid`.
    pub fn check(&self, host: &dyn Host, keys: Keys<'_>) -> Result<(), JwtError> {
        match keys {
            Keys::Public(keys) if !self.algorithm().is_symmetric() => self.signer(host, keys).map(drop),
            Keys::Secret(secret) if self.algorithm().is_symmetric() => self.check_secret(secret),
            Keys::Public(_) | Keys::Secret(_) => Err(JwtError::AlgorithmNotAllowed),
        }
    }

    /// The key of the set that made its signature, with errors as of [`Self::check`].
    pub fn signer(&self, host: &dyn Host, keys: &Jwks) -> Result<Rc<PublicKey>, JwtError> {
        let candidates = keys.candidates(self.algorithm(), self.kid());
        let fits = |key: &&Rc<PublicKey>| {
            signature::check(host, key, self.algorithm(), self.message.as_bytes(), &self.signature).is_ok()
        };
        if let Some(key) = candidates.iter().find(fits) {
            return Ok(Rc::clone(key));
        }
        let named = self.kid().is_none_or(|kid| keys.knows(kid));
        Err(if candidates.is_empty() || !named { JwtError::KeyUnknown } else { JwtError::Signature })
    }

    fn check_secret(&self, secret: &Secret) -> Result<(), JwtError> {
        if !signature::is_long_enough(secret, self.algorithm()) {
            return Err(JwtError::SecretTooShort);
        }
        signature::check_mac(secret, self.algorithm(), self.message.as_bytes(), &self.signature)
            .map_err(|_| JwtError::Signature)
    }
}

impl Header {
    fn parse(text: &[u8]) -> Result<Self, JwtError> {
        let members = json::object(text).map_err(|_| JwtError::Malformed)?;
        // No extension is implemented, so that no `crit` can be satisfied; `b64` without `crit` is void (RFC 7797 §6).
        if members.contains_key("crit") || members.contains_key("b64") {
            return Err(JwtError::Critical);
        }
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(JwtError::Malformed),
        };
        let algorithm = text("alg")?.ok_or(JwtError::Malformed)?;
        let algorithm = Algorithm::from_name(&algorithm).ok_or(JwtError::AlgorithmNotAllowed)?;
        Ok(Self { algorithm, kid: text("kid")?, typ: text("typ")? })
    }
}

fn decode(part: &str) -> Result<Vec<u8>, JwtError> {
    base64url::decode(part).filter(|bytes| !bytes.is_empty()).ok_or(JwtError::Malformed)
}

#[cfg(test)]
mod tests;
