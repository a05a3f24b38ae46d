//! A session cookie that we sealed.

use super::{Guard, Proof};
use crate::http::path;
use crate::session::{Facts, Life, Opened, RelyingParty};
use crate::words::{Identity, Method, Reason, Refusal, Request, Sources, Stop};
use crate::world::World;
use std::rc::Rc;

/// The person whose session the request carries; `None` when there is no session that lives.
pub async fn identify(world: &World, guard: &Guard, request: &Request) -> Result<Option<Proof>, Stop> {
    let Some(party) = &guard.party else { return Ok(None) };
    let Some(opened) = party.sessions.open(world, &request.headers) else { return Ok(None) };
    let now = world.now();
    let cookies = match opened.content.life(&party.sessions.settings, now) {
        Life::Over => return Ok(None),
        Life::Fresh => Vec::new(),
        Life::TouchDue if is_passive(guard, request) => Vec::new(),
        Life::TouchDue => touch(world, party, &opened, request),
    };
    let content = &opened.content;
    let identity = Identity {
        method: Method::Session,
        issuer: Rc::clone(&party.issuer),
        subject: Some(Rc::clone(&content.subject)),
        client: None,
        sources: Sources { id_token: Some(Rc::clone(&content.claims)), ..Sources::default() },
        scope: Rc::clone(&content.scope),
        // A token that has ended helps no service.
        access_token: content.access_token.clone().filter(|_| content.access_token_lives(now)),
        id_token: content.id_token.clone(),
        consumer: None,
    };
    let facts = Facts::of(content, &party.sessions.settings, now);
    let mut proof = Proof { cookies, facts, ..Proof::from(identity) };
    if guard.rule.require.reverify && !Box::pin(is_active(world, party, &mut proof.identity)).await? {
        return Ok(None);
    }
    Ok(Some(proof))
}

/// Whether the provider says that the session's access token is active; what it says is a source of claims then.
async fn is_active(world: &World, party: &RelyingParty, identity: &mut Identity) -> Result<bool, Refusal> {
    let token = identity.access_token.as_ref().and_then(|token| token.expose_text());
    let Some(token) = token else { return Ok(false) };
    let answer = match party.provider.introspect(world, token).await {
        Err(refusal) if refusal.reason == Reason::AccessTokenInactive => return Ok(false),
        answer => answer?,
    };
    if answer.subject.is_some() && answer.subject != identity.subject {
        return Err(Refusal::new(
            Reason::AccessTokenClaims,
            "introspection speaks of another subject than the session",
        ));
    }
    identity.sources.introspection = Some(Rc::clone(&answer.claims));
    Ok(true)
}

/// Whether nobody's work speaks of the request. A path that servers read differently is somebody's.
fn is_passive(guard: &Guard, request: &Request) -> bool {
    let path = request.target().and_then(|target| path::canonical(target).ok());
    guard.login().zip(path).is_some_and(|((login, _), path)| login.is_passive(&path))
}

/// Writes the use of a session down. One that does not fit any more, since the budget was lowered, goes on untouched until
/// it is over.
fn touch(world: &World, party: &RelyingParty, opened: &Opened, request: &Request) -> Vec<String> {
    party.sessions.set(world, &opened.touched(world.now()), &request.headers).unwrap_or_else(|refusal| {
        world.log(log::Level::Warn, &format!("{}: {}", refusal.reason, refusal.detail));
        Vec::new()
    })
}
