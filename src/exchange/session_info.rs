//! What a web page may know of its user's session: who it is, and until when. Never a token (GO-2024-2965).

use crate::methods::Guard;
use crate::session::{Life, Opened, RelyingParty};
use crate::words::{Reason, Refusal, Request, Response, Stop, UnixTime};
use crate::world::World;
use serde_json::json;
use std::rc::Rc;

/// Answers about the session that the request carries. To ask is no use of the session: its idle life goes on.
pub async fn serve(world: &World, guard: &Guard, request: &Request) -> Stop {
    let Some((_, party)) = guard.login() else { return Reason::NoRule.into() };
    if !matches!(request.method(), Some("GET" | "HEAD")) {
        return Refusal::new(Reason::MethodNotAllowed, "a session's information is read with GET").into();
    }
    let settings = &party.sessions.settings;
    let lives = |opened: &Rc<Opened>| {
        opened.content.life(settings, world.now()) != Life::Over && !party.is_revoked(world, &opened.content)
    };
    let Some(opened) = party.sessions.open(world, &request.headers).filter(lives) else {
        return Reason::LoginRequired.into();
    };
    let body = if request.method() == Some("GET") { document(party, &opened) } else { String::new() };
    let response = Response { body, ..Response::new(200) }
        .with("content-type", "application/json")
        .with("cache-control", "no-store")
        .with("vary", "cookie")
        .with("x-content-type-options", "nosniff");
    Stop::Answered { response, reason: Reason::SessionInfo }
}

/// Times are seconds since the epoch, as in tokens.
fn document(party: &RelyingParty, opened: &Opened) -> String {
    let (content, settings) = (&opened.content, &party.sessions.settings);
    let lives = settings.lives_of(content.remembered);
    let access_token_ends = content.access_token.as_ref().map(|_| content.access_expires.as_secs());
    let seconds = UnixTime::as_secs;
    json!({
        "iss": &*party.issuer,
        "sub": &*content.subject,
        "scope": &*content.scope,
        "claims": &*content.claims,
        "created": seconds(content.created),
        "expires": seconds(content.ends(settings)),
        "idle_expires": seconds(content.touched.plus(lives.idle)),
        "absolute_expires": seconds(content.created.plus(lives.absolute)),
        "access_token_expires": access_token_ends,
        "refreshable": content.refresh_token.is_some(),
    })
    .to_string()
}
