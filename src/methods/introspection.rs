//! An access token of which its provider is asked (RFC 7662).

use super::credential::Presented;
use super::{Guard, Proof};
use crate::words::{Identity, Method, Refusal, Sources};
use crate::world::World;
use std::rc::Rc;

/// The bearer of a token that the provider says is active.
pub async fn identify(world: &World, guard: &Guard, presented: &Presented<'_>) -> Result<Box<Proof>, Refusal> {
    let answer = guard.provider()?.introspect(world, &presented.token).await?;
    answer.judge(&guard.rule.token)?;
    guard.judge_revoked(world, &answer.issuer, answer.subject.as_ref(), answer.client.as_ref(), &answer.lineage)?;
    let identity = Identity {
        method: Method::Introspection,
        issuer: Rc::clone(&answer.issuer),
        subject: answer.subject.clone(),
        client: answer.client.clone(),
        sources: Sources { introspection: Some(Rc::clone(&answer.claims)), ..Sources::default() },
        scope: Rc::clone(&answer.scope),
        id_token: None,
        consumer: None,
        access_token: presented.sent_on(&guard.rule),
    };
    Ok(Proof::of(identity, presented, &guard.rule))
}
