//! A token for another one with another audience or scope (RFC 8693).

use super::Provider;
use super::grants::{Granted, Trade};
use crate::config::Exchange;
use crate::words::{Reason, Refusal, Secret};
use crate::world::World;
use std::rc::Rc;

/// The grant (RFC 8693 §2.1).
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// What both tokens are, and the one that is asked for (RFC 8693 §3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl Provider {
    /// The access token that this one is good for by `settings`. Asked once for each, and remembered as other grants are.
    pub async fn exchange(&self, world: &World, settings: &Exchange, token: &Secret) -> Result<Rc<Secret>, Refusal> {
        let actor = match settings.acts {
            true => Some(self.granted(world, &Trade::of_ours(vec![("grant_type", "client_credentials")])).await?),
            false => None,
        };
        let actor = actor.as_ref().and_then(|granted| granted.access_token.expose_text());
        let actor = actor.into_iter().flat_map(|actor| [("actor_token", actor), ("actor_token_type", ACCESS_TOKEN)]);
        let fixed = [
            ("grant_type", GRANT),
            ("subject_token", token.expose_text().unwrap_or_default()),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
        ];
        let audience = settings.audience.iter().map(|audience| ("audience", audience.as_str()));
        let resource = settings.resource.iter().map(|resource| ("resource", resource.as_str()));
        let scope = settings.scope.iter().map(|scope| ("scope", scope.as_str()));
        let fields = fixed.into_iter().chain(audience).chain(resource).chain(scope).chain(actor);
        Ok(Rc::clone(&self.granted(world, &Trade::of_ours(fields.collect())).await?.access_token))
    }

    /// What is remembered of a trade, else what the provider says to it now.
    async fn granted(&self, world: &World, trade: &Trade<'_>) -> Result<Rc<Granted>, Refusal> {
        let granted = match self.known_grant(&**world, trade) {
            Some(known) => known,
            // Whoever comes here has shown a good token: nobody guesses.
            None => self.trade(world, trade, &mut || Ok(())).await,
        };
        granted.map_err(|refusal| match refusal.reason {
            Reason::CredentialRefused => refusal.because(Reason::ExchangeRefused),
            _ => refusal,
        })
    }
}
