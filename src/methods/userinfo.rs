//! An access token that opens the provider's userinfo endpoint (OIDC Core §5.3).

use super::credential::Presented;
use super::{Guard, Proof};
use crate::provider::Lineage;
use crate::words::{Identity, Method, Refusal, Sources};
use crate::world::World;
use std::rc::Rc;

/// The person about whom userinfo tells. It says nothing of scope, audience or client.
pub async fn identify(world: &World, guard: &Guard, presented: &Presented<'_>) -> Result<Box<Proof>, Refusal> {
    let provider = guard.provider()?;
    let answer = provider.ask_userinfo(world, &presented.token).await?;
    guard.judge_revoked(world, provider.issuer(), Some(&answer.subject), None, &Lineage::default())?;
    let identity = Identity {
        method: Method::Userinfo,
        issuer: provider.issuer().into(),
        subject: Some(Rc::clone(&answer.subject)),
        client: None,
        sources: Sources { userinfo: Some(Rc::clone(&answer.claims)), ..Sources::default() },
        scope: "".into(),
        id_token: None,
        consumer: None,
        access_token: presented.sent_on(&guard.rule),
    };
    Ok(Proof::of(identity, presented, &guard.rule))
}
