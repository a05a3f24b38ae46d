//! A client of the gateway's own, and how it shows that it is it.

use super::GatewayTokens;
use crate::config::{self, Problem};
use crate::jose::Jwks;
use crate::world::World;

/// A client of the gateway's own.
pub struct Client {
    /// What is configured of it.
    pub settings: config::GatewayClient,
    pub(super) keys: Option<Jwks>,
}

/// It did not show who it is. Every cause looks the same to whoever tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotProven(pub &'static str);

impl Client {
    /// The client at `place` of the configuration.
    pub(super) fn new(settings: &config::GatewayClient, place: usize) -> Result<Self, Problem> {
        let keys = match &settings.jwks {
            None => None,
            Some(text) => Some(Jwks::parse(text.as_bytes()).ok().filter(|keys| !keys.is_empty()).ok_or_else(|| {
                let path = format!("gateway_tokens.clients[{place}].jwks");
                Problem::new(path, "has no key that can verify a signature (RFC 7517 §5)")
            })?),
        };
        Ok(Self { settings: settings.clone(), keys })
    }

    /// The scope that it gets who asks for `asked`, values separated by spaces; `None` where it may not have all of it.
    pub fn granted(&self, asked: Option<&str>) -> Option<String> {
        let may = &self.settings.scope;
        let Some(asked) = asked else { return Some(may.join(" ")) };
        let asked: Vec<&str> = asked.split(' ').filter(|value| !value.is_empty()).collect();
        asked.iter().all(|value| may.iter().any(|known| known == value)).then(|| asked.join(" "))
    }
}

impl GatewayTokens {
    /// The client whose name and secret these are (RFC 6749 §2.3.1).
    pub fn by_secret(&self, world: &World, client_id: &str, secret: &str) -> Result<&Client, NotProven> {
        let client = self.client(client_id).ok_or(NotProven("no client of this name"))?;
        let mut hashes = client.settings.secrets.iter();
        let fits = hashes.any(|hash| self.checked.fits(world, hash, client_id, secret));
        if fits { Ok(client) } else { Err(NotProven("another secret, or none that it could have")) }
    }
}
