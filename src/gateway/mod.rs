//! The gateway as an issuer of its own: opaque tokens for configured clients, sealed, and opened with no call and no store.

mod assertion;
mod client;
mod secret_hash;
mod token;

pub use assertion::ALGORITHMS;
pub use client::{Client, NotProven};
pub use token::GatewayToken;

use crate::cache::Cache;
use crate::config::{self, Problem};
use crate::provider::Marker;
use crate::seal::{Purpose, Sealer};
use crate::words::{ByName, Reason, Refusal, Secret};
use crate::world::World;
use assertion::Assertions;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secret_hash::Checked;
use std::cell::RefCell;
use std::rc::Rc;
use token::Wire;

/// What every token of ours begins with: nothing else is taken for one, and scanners for leaked secrets find it.
const PREFIX: &str = "ogt_";
/// The longest token of ours; those of many audiences are long.
const LONGEST: usize = 16 * 1024;
/// What the tokens that a worker has opened lately may weigh together, in bytes.
const OPENED: usize = 4 * 1024 * 1024;

/// Issues tokens, and opens them again.
pub struct GatewayTokens {
    /// What is configured.
    pub settings: Rc<config::GatewayTokens>,
    issuer: Rc<str>,
    clients: ByName<Client>,
    sealer: Sealer,
    marker: Marker,
    opened: RefCell<Cache<u128, Rc<GatewayToken>>>,
    checked: Checked,
    assertions: Assertions,
}

impl GatewayTokens {
    /// With these clients; says what is wrong with their keys.
    pub fn new(settings: Rc<config::GatewayTokens>) -> Result<Self, Vec<Problem>> {
        let (mut clients, mut problems) = (ByName::default(), Vec::new());
        for (place, client) in settings.clients.iter().enumerate() {
            match Client::new(client, place) {
                Ok(client_of_ours) => clients.insert(&client.client_id, client_of_ours),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            issuer: settings.issuer.as_str().into(),
            clients,
            sealer: Sealer::new(&settings.secrets, Purpose::GatewayToken),
            marker: Marker::default(),
            opened: RefCell::new(Cache::new(OPENED)),
            checked: Checked::default(),
            assertions: Assertions::new(&settings.secrets),
            settings,
        })
    }

    /// The issuer, as tokens name it.
    pub fn issuer(&self) -> Rc<str> {
        Rc::clone(&self.issuer)
    }

    /// Where the token endpoint is.
    pub fn token_endpoint(&self) -> String {
        format!("{}{}", self.settings.url.origin(), self.settings.path)
    }

    /// A client by its name.
    pub fn client(&self, client_id: &str) -> Option<&Client> {
        self.clients.get(client_id)
    }

    /// A new token for `client`, who has shown that it is it. `scope` is within what it may have.
    pub fn issue(&self, world: &World, client: &Client, scope: &str) -> Result<Secret, Refusal> {
        let wire = Wire::new(world, client, scope, self.settings.lifetime);
        let sealed = self.sealer.seal(world.random(), self.issuer.as_bytes(), &wire.write());
        let sealed =
            sealed.ok_or_else(|| Refusal::new(Reason::Unconfigured, "gateway_tokens.secrets seals nothing"))?;
        Ok(Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed))))
    }

    /// Whether a credential claims to be a token of ours.
    pub fn is_ours(token: &str) -> bool {
        token.starts_with(PREFIX)
    }

    /// What a token says that we issued, whose client is still known, and that lives.
    pub fn open(&self, world: &World, token: &str) -> Result<Rc<GatewayToken>, Refusal> {
        let mark = self.marker.mark(&**world, token.as_bytes());
        let known = self.opened.borrow_mut().get(&mark);
        let opened = match known {
            Some(opened) => opened,
            None => {
                let opened = Rc::new(self.open_anew(token).ok_or(Reason::GatewayTokenUnreadable)?);
                self.opened.borrow_mut().insert(mark, Rc::clone(&opened), opened.weight());
                opened
            }
        };
        if opened.expires <= world.now() {
            self.opened.borrow_mut().remove(&mark);
            return Err(Reason::AccessTokenExpired.into());
        }
        Ok(opened)
    }

    fn open_anew(&self, token: &str) -> Option<GatewayToken> {
        let text = token.strip_prefix(PREFIX).filter(|text| text.len() <= LONGEST)?;
        let plain = self.sealer.open(self.issuer.as_bytes(), &URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let opened = Wire::read(&plain)?.token(&self.issuer);
        self.clients.get(&opened.client_id).map(|_| opened)
    }
}
