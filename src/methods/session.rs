//! A session cookie that we sealed.

use super::{Guard, Proof};
use crate::session::{Life, Opened, RelyingParty};
use crate::words::{Identity, Method, Request, Sources, Stop};
use crate::world::World;
use std::rc::Rc;

/// The person whose session the request carries; `None` when there is no session that lives.
pub async fn identify(world: &World, guard: &Guard, request: &Request) -> Result<Option<Proof>, Stop> {
    let Some(party) = &guard.party else { return Ok(None) };
    let sessions = &party.sessions;
    let found = match sessions.has_unknown(&request.headers) {
        // Boxed, as all that waits: the future of a request that just passes stays small.
        true => Box::pin(sessions.find(world, &request.headers)).await?,
        false => sessions.open(world, &request.headers),
    };
    let Some(mut opened) = found else { return Ok(None) };
    let now = world.now();
    let mut life = opened.content.life(&sessions.settings, now);
    if sessions.must_ask(&opened, life, now) {
        let Some(again) = Box::pin(sessions.again(world, &opened)).await? else { return Ok(None) };
        opened = again;
        life = opened.content.life(&sessions.settings, now);
    }
    let cookies = match life {
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
fn touch(world: &World, party: &RelyingParty, opened: &Rc<Opened>, request: &Request) -> Vec<String> {
    party.sessions.touch(world, opened, &request.headers).unwrap_or_else(|refusal| {
        world.log(log::Level::Warn, &format!("{}: {}", refusal.reason, refusal.detail));
        Vec::new()
    })
}
