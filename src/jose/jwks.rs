//! A key set, and which of its keys may have signed a token (RFC 7517 §5; OIDC Core §10.1).

use super::jwk::PublicKey;
use crate::words::Algorithm;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::rc::Rc;

/// How many usable keys of a set are kept; those that come after are not looked at.
const MAX_KEYS: usize = 100;

/// How many keys are tried for one token.
const MAX_TRIES: usize = 8;

/// The usable keys of a JWK Set, in its order.
#[derive(Clone, Debug)]
pub struct Jwks {
    keys: Vec<Rc<PublicKey>>,
}

/// Why a text is not used as a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JwksError {
    /// Not one JSON object with one member `keys` that is an array.
    NotAKeySet,
    /// A key set without one key that could verify a signature.
    NoUsableKey,
}

impl Jwks {
    /// Reads a set. A key that cannot be used is skipped, whatever is wrong with it, and the set lives; the caller
    /// bounds the text's length.
    pub fn parse(text: &[u8]) -> Result<Self, JwksError> {
        // The derived reader would take an array for an object's members in their order.
        if text.trim_ascii_start().first() != Some(&b'{') {
            return Err(JwksError::NotAKeySet);
        }
        let set: Set = serde_json::from_slice(text).map_err(|_| JwksError::NotAKeySet)?;
        match set.keys.0.is_empty() {
            true => Err(JwksError::NoUsableKey),
            false => Ok(Self { keys: set.keys.0 }),
        }
    }

    /// Number of usable keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no usable key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a usable key has that name.
    pub fn knows(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid() == Some(kid))
    }

    /// Whether `key` is one of the set.
    pub fn holds(&self, key: &PublicKey) -> bool {
        self.keys.iter().any(|own| own.is(key))
    }

    /// The keys that may have made a signature by `algorithm`, at most eight.
    ///
    /// With a `kid`: those of that name; where there is none, a key without a name, if it is the only one that fits.
    /// Without: all that fit.
    pub fn candidates(&self, algorithm: Algorithm, kid: Option<&str>) -> Vec<Rc<PublicKey>> {
        let fitting = self.keys.iter().filter(|key| key.fits(algorithm));
        let Some(kid) = kid else {
            return fitting.take(MAX_TRIES).map(Rc::clone).collect();
        };
        if self.knows(kid) {
            return fitting.filter(|key| key.kid() == Some(kid)).take(MAX_TRIES).map(Rc::clone).collect();
        }
        match fitting.filter(|key| key.kid().is_none()).take(2).collect::<Vec<_>>().as_slice() {
            [only] => vec![Rc::clone(only)],
            _ => Vec::new(),
        }
    }
}

/// The set as it stands in JSON; members that are not known are passed over (RFC 7517 §5).
#[derive(Deserialize)]
struct Set {
    keys: Usable,
}

/// Each key is judged on its own text, so that a duplicate member spoils one key only.
struct Usable(Vec<Rc<PublicKey>>);

impl<'de> Deserialize<'de> for Usable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Usable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Usable, A::Error> {
        let mut keys = Vec::new();
        while keys.len() < MAX_KEYS {
            match items.next_element::<&RawValue>()? {
                Some(text) => keys.extend(PublicKey::parse(text.get().as_bytes()).map(Rc::new)),
                None => return Ok(Usable(keys)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Usable(keys))
    }
}

#[cfg(test)]
mod tests;
