//! A provider's signature keys: RFC 7517 §5, OIDC Core §10.1.1.

use super::Metadatas;
use super::document::{Fetched, Recipe};
use super::request;
use crate::config;
use crate::http::Url;
use crate::jose::Jwks;
use crate::words::{Reason, Refusal};
use crate::world::{Endpoint, Host, LocalFuture, ProviderResponse};
use std::rc::Rc;
use std::time::Duration;

/// The largest key set that is read, in bytes.
const LARGEST: usize = 256 * 1024;

/// How keys are fetched and judged.
pub struct KeysRecipe {
    /// The provider's configuration.
    pub settings: Rc<config::Provider>,
    /// Where `jwks_uri` is learnt.
    pub metadata: Rc<Metadatas>,
    /// When a set is asked for again.
    pub cache: config::KeysCache,
}

impl Recipe for KeysRecipe {
    type Document = Jwks;

    fn fetch(self: Rc<Self>, host: Rc<dyn Host>) -> LocalFuture<Result<Fetched, Refusal>> {
        Box::pin(async move {
            let metadata = self.metadata.get(&host).await?;
            match self.ask(&*host, metadata.jwks_uri.as_ref()).await {
                // Keys move at times, and the metadata at hand may be an hour old.
                Err(refusal) => match self.metadata.renew(&host).await? {
                    Some(newer) if newer.jwks_uri != metadata.jwks_uri => {
                        self.ask(&*host, newer.jwks_uri.as_ref()).await
                    }
                    _ => Err(refusal),
                },
                fetched => fetched,
            }
        })
    }

    fn read(&self, bytes: &[u8]) -> Result<Jwks, Refusal> {
        let keys = Jwks::parse(bytes).map_err(|_| self.invalid("the key set is not one"))?;
        if keys.is_empty() {
            return Err(self.invalid("the key set has no key that can verify a signature"));
        }
        Ok(keys)
    }

    fn unavailable(&self) -> Reason {
        Reason::JwksUnavailable
    }

    fn timeout(&self) -> Duration {
        self.settings.timeout
    }
}

impl KeysRecipe {
    async fn ask(&self, host: &dyn Host, url: Option<&Url>) -> Result<Fetched, Refusal> {
        let url = url.ok_or_else(|| self.invalid("the keys are configured, and none is fetched"))?;
        let request = request::get(&self.settings, Endpoint::Jwks, url, LARGEST)?;
        let response = request::send(host, &self.settings, request, Reason::JwksUnavailable).await?;
        if response.status != 200 {
            let detail = format!("provider={}: status {}", self.settings.name, response.status);
            return Err(Refusal::new(Reason::JwksUnavailable, detail));
        }
        // Some providers serve their keys as plain text; the type tells nothing that the content does not.
        if !["application/json", "application/jwk-set+json", "text/plain"].iter().any(|essence| response.is(essence)) {
            return Err(self.invalid("the key set is not JSON by its content type"));
        }
        let fresh_for = fresh_for(&response, self.cache);
        Ok(Fetched { bytes: response.body, fresh_for })
    }

    fn invalid(&self, what: &str) -> Refusal {
        Refusal::new(Reason::JwksInvalid, format!("provider={}: {what}", self.settings.name))
    }
}

/// The answer's own `max-age` (RFC 9111 §5.2.2.1), within our bounds; an hour when it says nothing.
fn fresh_for(response: &ProviderResponse, cache: config::KeysCache) -> Duration {
    let directives = response.cache_control.as_deref().unwrap_or_default();
    let seconds = directives.split(',').find_map(|directive| {
        let (name, value) = directive.trim().split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| value.trim_matches('"').parse().ok())?
    });
    // Not `clamp`, which stops the VM where the bounds are the wrong way round.
    Duration::from_secs(seconds.unwrap_or(3600)).min(cache.ceiling).max(cache.floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(cache_control: Option<&str>) -> u64 {
        let cache_control = cache_control.map(str::to_owned);
        let seconds = Duration::from_secs;
        let cache = config::KeysCache { refetch: seconds(30), floor: seconds(300), ceiling: seconds(86_400) };
        fresh_for(&ProviderResponse { cache_control, ..ProviderResponse::default() }, cache).as_secs()
    }

    #[test]
    fn the_provider_s_cache_times_count_between_floor_and_ceiling() {
        assert_eq!(fresh(None), 3600);
        assert_eq!(fresh(Some("public, max-age=7200, must-revalidate")), 7200);
        assert_eq!(fresh(Some("Max-Age=1")), 300);
        assert_eq!(fresh(Some("max-age=99999999")), 86_400);
        assert_eq!(fresh(Some("max-age=-5, no-store")), 3600);
        assert_eq!(fresh(Some("max-age=99999999999999999999999")), 3600);
    }
}
