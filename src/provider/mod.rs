//! One identity provider: what is kept of it, and a file for each of its endpoints.

mod access_token;
mod answers;
mod client_auth;
mod document;
mod end_session;
mod exchange;
mod grants;
mod id_token;
mod introspection;
mod issuers;
mod kept_claims;
mod keys;
mod lineage;
mod logout_token;
mod mark;
mod metadata;
mod outage;
mod proof;
mod request;
mod revocation;
mod slots;
mod table;
#[cfg(test)]
mod testing;
pub mod token;
pub mod userinfo;
mod userinfo_check;

pub use access_token::{AccessToken, AccessTokens, UnknownToken, judge_audience};
pub use client_auth::Registration;
pub use document::Condition;
pub use end_session::{EndSession, Way};
pub use grants::{Credential, Granted, JWT_BEARER, Trade};
pub use id_token::LoginEvidence;
pub use introspection::Introspected;
pub use kept_claims::KeptClaims;
pub use lineage::Lineage;
pub use mark::Marker;
pub use metadata::{Metadata, ResponseIss};
pub use slots::{Slot, Slots};
pub use userinfo_check::UserinfoAnswer;

use crate::config::{self, Discovery, Problem};
use crate::jose::Jwks;
use crate::store::Store;
use crate::words::{Refusal, Secret, UnixTime, hex};
use crate::world::Host;
use answers::{Answers, Lives, Memory};
use document::Kept;
use grants::Grants;
use introspection::Introspection;
use keys::KeysRecipe;
use metadata::MetadataRecipe;
use sha2::{Digest, Sha256};
use std::rc::Rc;
use std::time::Duration;
use table::Table;
use userinfo_check::UserinfoCheck;

/// How soon after one look for moved endpoints the next one may follow.
const MOVED: Duration = Duration::from_secs(30);

/// An identity provider, with what we know of it.
pub struct Provider {
    /// Its configuration.
    pub settings: Rc<config::Provider>,
    /// Who we are there.
    pub registration: Rc<Registration>,
    metadata: Rc<Metadatas>,
    keys: Rc<Keys>,
    refetch: Duration,
    introspection: Answers<Introspected>,
    userinfo: Answers<UserinfoAnswer>,
    grants: Answers<Granted>,
}

/// What all providers' answers about tokens are remembered in, so that bounds hold however many providers there are.
pub struct Memories {
    cache: config::Cache,
    store: Option<Rc<Store>>,
    introspection: Rc<Memory>,
    userinfo: Rc<Memory>,
    grants: Rc<Memory>,
}

impl Memories {
    /// Nothing yet, within the configured bounds; what is in `store` all hosts know.
    pub fn new(cache: &config::Cache, store: Option<&Rc<Store>>) -> Self {
        Self {
            store: store.map(Rc::clone),
            introspection: Rc::new(Memory::new(cache.introspection.entries)),
            userinfo: Rc::new(Memory::new(cache.userinfo.entries)),
            grants: Rc::new(Memory::new(cache.grants.entries)),
            cache: cache.clone(),
        }
    }
}

/// Where metadata comes from.
pub enum Metadatas {
    /// The configuration.
    Inline(Rc<Metadata>),
    /// The provider.
    Fetched(Kept<MetadataRecipe>),
}

/// Where keys come from.
pub enum Keys {
    /// The configuration.
    Inline(Rc<Jwks>),
    /// The provider.
    Fetched(Kept<KeysRecipe>),
}

impl Provider {
    /// A provider that nobody has asked yet. `ring` seals what workers share of it; an empty one shares nothing. Of what
    /// it says about access tokens, `kept` stays.
    pub fn new(
        settings: Rc<config::Provider>,
        ring: &[Secret],
        memories: &Memories,
        kept: KeptClaims,
    ) -> Result<Self, Problem> {
        let cache = &memories.cache;
        let registration = Rc::new(Registration::new(&settings)?);
        let table = |kind: &str| Table::new(&format!("{kind}/{}", fingerprint(&settings)), ring);
        let metadata =
            Rc::new(match &settings.discovery {
                Discovery::Inline => Metadatas::Inline(Rc::new(metadata::inline(&settings).map_err(|refusal| {
                    Problem::new(format!("providers.{}.metadata", settings.name), refusal.detail())
                })?)),
                Discovery::Fetched(url) => {
                    let refresh = cache.metadata_refresh;
                    let recipe = MetadataRecipe { settings: Rc::clone(&settings), url: url.clone(), refresh };
                    Metadatas::Fetched(Kept::new(recipe, table("metadata")))
                }
            });
        let keys = Rc::new(match &settings.jwks {
            Some(text) => Keys::Inline(Rc::new(inline_keys(&settings, text)?)),
            None => {
                let (settings, metadata) = (Rc::clone(&settings), Rc::clone(&metadata));
                let recipe = KeysRecipe { settings, metadata, cache: cache.keys };
                Keys::Fetched(Kept::new(recipe, table("keys")))
            }
        });
        let refetch = cache.keys.refetch;
        let lives = |bounds: config::Bounds| Lives { max_age: bounds.max_age, negative: cache.negative };
        let name = |kind: &str| format!("{kind}/{}", fingerprint_of_answers(&settings, &kept));
        let store = memories.store.as_ref();
        let userinfo = {
            let (settings, metadata, kept) = (Rc::clone(&settings), Rc::clone(&metadata), kept.clone());
            let question = UserinfoCheck { settings, metadata, kept };
            Answers::new(question, &name("userinfo"), lives(cache.userinfo), ring, &memories.userinfo, store)
        };
        let introspection = {
            let (settings, metadata, keys) = (Rc::clone(&settings), Rc::clone(&metadata), Rc::clone(&keys));
            let registration = Rc::clone(&registration);
            let question = Introspection { settings, registration, metadata, keys, refetch, kept: kept.clone() };
            let (name, lives) = (name("introspection"), lives(cache.introspection));
            Answers::new(question, &name, lives, ring, &memories.introspection, store)
        };
        let grants = {
            let (settings, metadata, keys) = (Rc::clone(&settings), Rc::clone(&metadata), Rc::clone(&keys));
            let (config::GrantsCache { margin, negative, .. }, registration) = (cache.grants, Rc::clone(&registration));
            let question = Grants { settings, registration, metadata, keys, kept: kept.clone(), margin };
            let lives = Lives { max_age: grants::LONGEST, negative };
            Answers::new(question, &name("grants"), lives, ring, &memories.grants, store)
        };
        Ok(Self { settings, registration, metadata, keys, refetch, introspection, userinfo, grants })
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// The metadata, fetched if need be.
    pub async fn metadata(&self, host: &Rc<dyn Host>) -> Result<Rc<Metadata>, Refusal> {
        self.metadata.get(host).await
    }

    /// What an operator may know of its metadata and its keys, and how many keys there are.
    pub fn conditions(&self, now: UnixTime) -> (Condition, Condition, usize) {
        let metadata = match &*self.metadata {
            Metadatas::Inline(_) => Condition::default(),
            Metadatas::Fetched(kept) => kept.state(now),
        };
        let keys = match &*self.keys {
            Keys::Inline(_) => Condition::default(),
            Keys::Fetched(kept) => kept.state(now),
        };
        (metadata, keys, self.keys.held().map_or(0, |keys| keys.len()))
    }

    /// Fetches its metadata and its keys anew, whatever their schedule says. What went wrong is in [`Self::conditions`].
    pub async fn refresh(&self, host: &Rc<dyn Host>) {
        if let Metadatas::Fetched(kept) = &*self.metadata {
            let _ = kept.renew(host, Duration::ZERO).await;
        }
        if let Keys::Fetched(kept) = &*self.keys {
            let _ = kept.renew(host, Duration::ZERO).await;
        }
    }

    /// Fetches what will be needed, before anyone waits for it.
    pub fn prepare(&self, host: &Rc<dyn Host>) {
        if let Metadatas::Fetched(kept) = &*self.metadata {
            kept.prepare(host);
        }
        if let Keys::Fetched(kept) = &*self.keys {
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
    hash_of([settings.issuer.as_str(), discovery, &settings.client.client_id].into_iter())
}

/// Names answers about tokens in shared data: where another configuration asks or keeps differently, they are not the same.
fn fingerprint_of_answers(settings: &config::Provider, kept: &KeptClaims) -> String {
    let (provider, kept) = (fingerprint(settings), kept.fingerprint());
    let form = format!("{:?}", settings.introspection_form);
    let params = settings.introspection_params.iter().chain(&settings.token_params);
    let params = params.flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    hash_of([provider.as_str(), form.as_str(), kept.as_str()].into_iter().chain(params))
}

fn hash_of<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hex(hash.finalize().get(..16).unwrap_or_default())
}
