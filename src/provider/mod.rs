//! One identity provider: what is kept of it, and a file for each of its endpoints.

mod client_auth;
mod document;
mod id_token;
mod keys;
mod metadata;
mod outage;
mod request;
mod table;
pub mod token;
pub mod userinfo;

pub use id_token::LoginEvidence;
pub use metadata::{Metadata, ResponseIss};

use crate::config::{self, Discovery, Problem};
use crate::jose::Jwks;
use crate::words::{Refusal, Secret};
use crate::world::Host;
use document::Kept;
use keys::KeysRecipe;
use metadata::MetadataRecipe;
use sha2::{Digest, Sha256};
use std::rc::Rc;
use std::time::Duration;
use table::Table;

/// How soon after one look for moved endpoints the next one may follow.
const MOVED: Duration = Duration::from_secs(30);

/// An identity provider, with what we know of it.
pub struct Provider {
    /// Its configuration.
    pub settings: Rc<config::Provider>,
    metadata: Rc<Metadatas>,
    keys: Keys,
}

/// Where metadata comes from.
pub enum Metadatas {
    /// The configuration.
    Inline(Rc<Metadata>),
    /// The provider.
    Fetched(Kept<MetadataRecipe>),
}

enum Keys {
    Inline(Rc<Jwks>),
    Fetched(Kept<KeysRecipe>),
}

impl Provider {
    /// A provider that nobody has asked yet. `ring` seals what workers share of it; an empty one shares nothing.
    pub fn new(settings: config::Provider, ring: &[Secret]) -> Result<Self, Problem> {
        let settings = Rc::new(settings);
        let table = |kind: &str| Table::new(&format!("{kind}/{}", fingerprint(&settings)), ring);
        let metadata =
            Rc::new(match &settings.discovery {
                Discovery::Inline => Metadatas::Inline(Rc::new(metadata::inline(&settings).map_err(|refusal| {
                    Problem::new(format!("providers.{}.metadata", settings.name), refusal.detail)
                })?)),
                Discovery::Fetched(url) => {
                    let recipe = MetadataRecipe { settings: Rc::clone(&settings), url: url.clone() };
                    Metadatas::Fetched(Kept::new(recipe, table("metadata")))
                }
            });
        let keys = match &settings.jwks {
            Some(text) => Keys::Inline(Rc::new(inline_keys(&settings, text)?)),
            None => {
                let recipe = KeysRecipe { settings: Rc::clone(&settings), metadata: Rc::clone(&metadata) };
                Keys::Fetched(Kept::new(recipe, table("keys")))
            }
        };
        Ok(Self { settings, metadata, keys })
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// The metadata, fetched if need be.
    pub async fn metadata(&self, host: &Rc<dyn Host>) -> Result<Rc<Metadata>, Refusal> {
        self.metadata.get(host).await
    }

    /// Fetches what will be needed, before anyone waits for it.
    pub fn prepare(&self, host: &Rc<dyn Host>) {
        if let Metadatas::Fetched(kept) = &*self.metadata {
            kept.prepare(host);
        }
        if let Keys::Fetched(kept) = &self.keys {
            kept.prepare(host);
        }
    }
}

impl Metadatas {
    /// The metadata, fetched if need be.
    pub async fn get(&self, host: &Rc<dyn Host>) -> Result<Rc<Metadata>, Refusal> {
        match self {
            Self::Inline(metadata) => Ok(Rc::clone(metadata)),
            Self::Fetched(kept) => kept.get(host).await,
        }
    }

    /// Newer metadata, because an endpoint in those at hand does not answer as it should; `None` where there are none.
    async fn renew(&self, host: &Rc<dyn Host>) -> Result<Option<Rc<Metadata>>, Refusal> {
        match self {
            Self::Inline(_) => Ok(None),
            Self::Fetched(kept) => kept.renew(host, MOVED).await,
        }
    }
}

fn inline_keys(settings: &config::Provider, text: &str) -> Result<Jwks, Problem> {
    let path = || format!("providers.{}.jwks", settings.name);
    let keys =
        Jwks::parse(text.as_bytes()).map_err(|_| Problem::new(path(), "is no JSON Web Key Set (RFC 7517 §5)"))?;
    if keys.is_empty() {
        return Err(Problem::new(path(), "has no key that can verify a signature"));
    }
    Ok(keys)
}

/// Names a provider in shared data, so that two configurations do not read each other's documents.
fn fingerprint(settings: &config::Provider) -> String {
    let discovery = match &settings.discovery {
        Discovery::Fetched(url) => url.as_str(),
        Discovery::Inline => "",
    };
    let mut hash = Sha256::new();
    for part in [settings.issuer.as_str(), discovery, &settings.client.client_id] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
