//! What a token of ours says, and how it is written down.

use super::Client;
use crate::words::json::Object;
use crate::words::{Claims, UnixTime};
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::rc::Rc;
use std::time::Duration;

/// The first byte of what is sealed.
const FORMAT: u8 = 1;

/// A token that we issued.
pub struct GatewayToken {
    /// Its `jti`.
    pub id: Rc<str>,
    /// Whose it is.
    pub client_id: Rc<str>,
    /// What it is good for, values separated by spaces.
    pub scope: Rc<str>,
    /// Whom it is for.
    pub audience: Vec<String>,
    /// Since when it lives.
    pub issued: UnixTime,
    /// Until when it lives.
    pub expires: UnixTime,
    /// All of that as claims, named as in a JWT access token (RFC 9068 §2.2), and `consumer`.
    pub claims: Claims,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
pub struct Wire<'a> {
    id: [u8; 16],
    issued: u64,
    expires: u64,
    #[serde(borrow)]
    client_id: &'a str,
    #[serde(borrow)]
    scope: &'a str,
    #[serde(borrow)]
    audience: Vec<&'a str>,
    #[serde(borrow)]
    consumer: Option<&'a str>,
}

impl<'a> Wire<'a> {
    /// A token for `client`, from now on.
    pub fn new(world: &World, client: &'a Client, scope: &'a str, lifetime: Duration) -> Self {
        let (now, settings) = (world.now(), &client.settings);
        Self {
            id: world.random(),
            issued: now.as_secs(),
            expires: now.plus(lifetime).as_secs(),
            client_id: &settings.client_id,
            scope,
            audience: settings.audience.iter().map(String::as_str).collect(),
            consumer: settings.consumer.as_deref(),
        }
    }

    /// The bytes to seal.
    pub fn write(&self) -> Vec<u8> {
        postcard::to_allocvec(&(FORMAT, self)).unwrap_or_default()
    }

    /// Reads what [`Self::write`] wrote.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&FORMAT, bytes) = bytes.split_first()? else { return None };
        postcard::from_bytes(bytes).ok()
    }

    /// What it says, as `issuer` does.
    pub fn token(&self, issuer: &Rc<str>) -> GatewayToken {
        let id = URL_SAFE_NO_PAD.encode(self.id);
        let mut claims = Object::new();
        let mut say = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        say("iss", Value::from(&**issuer));
        say("sub", Value::from(self.client_id));
        say("client_id", Value::from(self.client_id));
        say("scope", Value::from(self.scope));
        say("jti", Value::from(id.as_str()));
        say("iat", Value::from(self.issued));
        say("exp", Value::from(self.expires));
        if !self.audience.is_empty() {
            say("aud", Value::from(self.audience.clone()));
        }
        if let Some(consumer) = self.consumer {
            say("consumer", Value::from(consumer));
        }
        GatewayToken {
            id: id.into(),
            client_id: self.client_id.into(),
            scope: self.scope.into(),
            audience: self.audience.iter().map(|audience| (*audience).to_owned()).collect(),
            issued: UnixTime::from_secs(self.issued),
            expires: UnixTime::from_secs(self.expires),
            claims: Rc::new(claims),
        }
    }
}

impl GatewayToken {
    /// About how many bytes it takes: each text stands in it and in its claims.
    pub fn weight(&self) -> usize {
        let audience: usize = self.audience.iter().map(|audience| audience.len().saturating_add(96)).sum();
        let texts = self.client_id.len().saturating_mul(3).saturating_add(self.scope.len().saturating_mul(2));
        texts.saturating_add(audience.saturating_mul(2)).saturating_add(2048)
    }
}
