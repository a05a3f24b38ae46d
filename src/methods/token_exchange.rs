//! The caller's token is exchanged for the one that the service gets (RFC 8693), once it is known whose it is.

use super::{Guard, Proof};
use crate::config::{Exchange, ExchangeConditions};
use crate::words::{Identity, Reason, Refusal, Secret, Stop};
use crate::world::World;
use serde_json::Value;
use std::rc::Rc;

/// The same proof with the exchanged token, where the rule exchanges and this token has to be.
pub async fn exchanged(world: &World, guard: &Guard, mut proof: Box<Proof>) -> Result<Box<Proof>, Stop> {
    let Some(exchange) = &guard.rule.token.exchange else { return Ok(proof) };
    match exchange_token(world, guard, exchange, &proof.identity).await {
        Ok(None) => Ok(proof),
        Ok(Some(token)) => {
            proof.identity.access_token = Some(token);
            Ok(proof)
        }
        // What became of the session is told all the same.
        Err(refusal) => Err(refusal.with_cookies(proof.cookies).into()),
    }
}

async fn exchange_token(
    world: &World,
    guard: &Guard,
    exchange: &Exchange,
    identity: &Identity,
) -> Result<Option<Rc<Secret>>, Refusal> {
    let provider = guard.provider_at(exchange.provider)?;
    // Another issuer's token means nothing to the service; the provider's own may be good as it is.
    if *identity.issuer == *provider.issuer() && !hold(&exchange.conditions, identity) {
        return Ok(None);
    }
    let ended =
        || Refusal::new(Reason::AccessTokenExpired, "there is no access token any more that could be exchanged");
    let token = identity.access_token.as_ref().ok_or_else(ended)?;
    provider.exchange(world, exchange, token).await.map(Some)
}

/// Whether a token has to be exchanged.
fn hold(conditions: &ExchangeConditions, identity: &Identity) -> bool {
    let has_scope = |value: &String| identity.scope.split(' ').any(|granted| granted == value);
    let sources = &identity.sources;
    let said =
        [&sources.access_token, &sources.introspection].into_iter().flatten().find_map(|claims| claims.get("aud"));
    let audience: Vec<&str> = match said {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let has_audience = |value: &String| audience.contains(&value.as_str());
    conditions.has_scopes.iter().all(has_scope)
        && !conditions.missing_scopes.iter().any(has_scope)
        && conditions.has_audience.iter().all(has_audience)
        && !conditions.missing_audience.iter().any(has_audience)
}
