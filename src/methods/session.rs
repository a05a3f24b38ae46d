//! A session cookie that we sealed.

use super::{Guard, Proof};
use crate::session::{Life, Opened, RelyingParty};
use crate::words::{Identity, Method, Request, Sources, Stop};
use crate::world::{Metric, World};
use std::rc::Rc;

/// The person whose session the request carries; `None` when there is no session that lives.
///
/// The cookies of one that was revoked are deleted with `ended`.
pub fn identify(
    world: &World,
    guard: &Guard,
    request: &Request,
    ended: &mut Vec<String>,
) -> Result<Option<Proof>, Stop> {
    let Some(party) = &guard.party else { return Ok(None) };
    let Some(opened) = party.sessions.open(world, &request.headers) else { return Ok(None) };
    if party.is_revoked(world, &opened.content) {
        world.count(Metric::SessionsRevoked);
        ended.extend(party.sessions.end(&request.headers));
        return Ok(None);
    }
    let now = world.now();
    let cookies = match opened.content.life(&party.sessions.settings, now) {
        Life::Over => return Ok(None),
        Life::Fresh => Vec::new(),
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
    Ok(Some(Proof { identity, cookies, hiding: None, in_url: false }))
}

/// Writes the use of a session down. One that does not fit any more, since the budget was lowered, goes on untouched until
/// it is over.
fn touch(world: &World, party: &RelyingParty, opened: &Opened, request: &Request) -> Vec<String> {
    party.sessions.set(world, &opened.touched(world.now()), &request.headers).unwrap_or_else(|refusal| {
        world.log(log::Level::Warn, &format!("{}: {}", refusal.reason, refusal.detail));
        Vec::new()
    })
}
