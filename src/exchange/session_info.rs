//! What a web page may know of its user's session: who it is, and until when. Never a token (GO-2024-2965).

use crate::http::{form, navigation};
use crate::methods::Guard;
use crate::session::refresh::{self, Ending, NotRenewed};
use crate::session::{Content, Life, Opened, RelyingParty};
use crate::words::json;
use crate::words::{Reason, Refusal, Request, Response, Stop, UnixTime};
use crate::world::World;
use std::rc::Rc;

/// Answers about the session that the request carries. To ask is no use of the session: its idle life goes on. With
/// `?refresh=1`, a request of this site's own has the tokens renewed first.
pub async fn serve(world: &World, guard: &Guard, request: &Request) -> Stop {
    let Some((_, party)) = guard.login() else { return Reason::NoRule.into() };
    if !matches!(request.method(), Some("GET" | "HEAD" | "POST")) {
        return Refusal::wrong_method("GET, HEAD, POST").into();
    }
    let opened = match found(world, party, request).await {
        Ok(Some(opened)) => opened,
        Ok(None) => return Reason::LoginRequired.into(),
        Err(refusal) => return refusal.into(),
    };
    let mut content = Rc::clone(&opened.content);
    let mut cookies = Vec::new();
    if asks_for_renewal(request) && navigation::is_from_here(request, party.redirect_uri.origin()) {
        match Box::pin(renewed(world, party, &content)).await {
            Ok(Some(next)) => {
                cookies = match party.sessions.replace(world, &opened, &next, &request.headers).await {
                    Ok(cookies) => cookies,
                    Err(refusal) => return refusal.into(),
                };
                content = next;
            }
            Ok(None) => {}
            Err(NotRenewed::Refused(refusal)) => return refusal.into(),
            Err(NotRenewed::Over(reason)) => {
                let refusal = Refusal::from(reason);
                return refusal.with_cookies(party.sessions.discard(world, &request.headers)).into();
            }
        }
    }
    let body = if request.method() == Some("HEAD") { String::new() } else { document(party, &content) };
    let response = Response { body, ..Response::new(200) }
        .with("content-type", "application/json")
        .with("cache-control", "no-store")
        .with("vary", "cookie")
        .with("x-content-type-options", "nosniff");
    let response = cookies.into_iter().fold(response, |response, line| response.with("set-cookie", line));
    Stop::answered(response, Reason::SessionInfo)
}

/// The session of the request, if it lives.
async fn found(world: &World, party: &RelyingParty, request: &Request) -> Result<Option<Rc<Opened>>, Refusal> {
    party.revocations.catch_up(world).await?;
    let Some(opened) = party.sessions.find(world, &request.headers).await? else { return Ok(None) };
    let opened = match party.sessions.is_doubtful(&opened, world.now()) {
        true => party.sessions.again(world, opened).await?,
        false => Some(opened),
    };
    let lives = |opened: &Rc<Opened>| opened.content.life(&party.sessions.settings, world.now()) != Life::Over;
    Ok(opened.filter(lives).filter(|opened| !party.is_revoked(world, &opened.content)))
}

fn asks_for_renewal(request: &Request) -> bool {
    form::parse(request.query().unwrap_or_default())
        .is_ok_and(|fields| fields.iter().any(|(name, value)| name == "refresh" && value == "1"))
}

/// The session with new tokens; `None` where it goes on with those that it has: there is no refresh token, they have just
/// come, or the provider has none now.
async fn renewed(
    world: &World,
    party: &Rc<RelyingParty>,
    content: &Rc<Content>,
) -> Result<Option<Rc<Content>>, NotRenewed> {
    let settings = &party.sessions.settings.refresh;
    let lately = world.now() < content.access_born.plus(settings.backoff);
    if content.refresh_token.is_none() || !settings.is_on || lately {
        return Ok(None);
    }
    let renewed = refresh::renew(world, party, content).await?;
    match renewed.watch {
        Some(watch) => match watch.land().await {
            Ok(Ending::Done(next)) => Ok(Some(next)),
            Ok(Ending::Failed(reason)) if refresh::ends_session(reason) => Err(NotRenewed::Over(reason)),
            Ok(Ending::Failed(_) | Ending::Elsewhere) | Err(_) => Ok(None),
        },
        None => Ok(renewed.is_new.then_some(renewed.content)),
    }
}

/// Times are seconds since the epoch, as in tokens.
fn document(party: &RelyingParty, content: &Content) -> String {
    let settings = &party.sessions.settings;
    let lives = settings.lives_of(content.remembered);
    let access_token_ends = content.access_token.as_ref().map(|_| content.access_expires.as_secs());
    let seconds = UnixTime::as_secs;
    json::of(vec![
        ("iss", (&*party.issuer).into()),
        ("sub", (&*content.subject).into()),
        ("scope", (&*content.scope).into()),
        ("claims", (*content.claims).clone().into()),
        ("created", seconds(content.created).into()),
        ("expires", seconds(content.ends(settings)).into()),
        ("idle_expires", seconds(content.touched.plus(lives.idle)).into()),
        ("absolute_expires", seconds(content.created.plus(lives.absolute)).into()),
        ("access_token_expires", access_token_ends.into()),
        ("refreshable", content.refresh_token.is_some().into()),
    ])
    .to_string()
}
