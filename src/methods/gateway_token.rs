//! An access token that this gateway issued itself.

use super::credential::Presented;
use super::{Guard, Proof};
use crate::gateway::{GatewayToken, GatewayTokens};
use crate::policy::{Name, Revocations};
use crate::provider;
use crate::words::{Identity, Method, Reason, Refusal, Sources};
use crate::world::World;
use std::rc::Rc;

/// The bearer of a token of ours; `None` when it is none, and another method takes such.
pub fn identify(world: &World, guard: &Guard, presented: &Presented<'_>) -> Result<Option<Box<Proof>>, Refusal> {
    let Some(gateway) = &guard.gateway else { return Err(Reason::Unconfigured.into()) };
    if !GatewayTokens::is_ours(&presented.token) && guard.asks_about_tokens() {
        return Ok(None);
    }
    let token = gateway.open(world, &presented.token)?;
    provider::judge_audience(&guard.rule.token, &token.audience)?;
    if is_revoked(world, &guard.revocations, gateway, &token) {
        return Err(Reason::AccessTokenRevoked.into());
    }
    let identity = Identity {
        method: Method::GatewayToken,
        issuer: gateway.issuer(),
        subject: Some(Rc::clone(&token.client_id)),
        client: Some(Rc::clone(&token.client_id)),
        sources: Sources { access_token: Some(Rc::clone(&token.claims)), ..Sources::default() },
        scope: Rc::clone(&token.scope),
        id_token: None,
        consumer: None,
        access_token: presented.sent_on(&guard.rule),
    };
    Ok(Some(Proof::of(identity, presented, &guard.rule)))
}

/// Whether a token of ours was given back, or all of its client's were revoked.
pub fn is_revoked(world: &World, revocations: &Revocations, gateway: &GatewayTokens, token: &GatewayToken) -> bool {
    let (issuer, client_id) = (gateway.settings.issuer.as_str(), &*token.client_id);
    let names = [Some(Name::Token { issuer, id: &token.id }), Some(Name::Client { issuer, client_id })];
    revocations.denies(world, &names, token.issued)
}
