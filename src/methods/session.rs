//! A session cookie that we sealed.

use super::{Found, Guard, Proof, Unproven};
use crate::http::path;
use crate::session::refresh::{self, Ending, NotRenewed, Renewed};
use crate::session::{Content, Facts, Life, Opened, RelyingParty};
use crate::words::{Headers, Identity, Late, Method, Reason, Refusal, Request, Sources, Stop, UnixTime};
use crate::world::{Metric, Watch, World};
use std::rc::Rc;

/// What a request's session comes to.
#[allow(clippy::large_enum_variant, reason = "it lives for one call, and a box would cost every request one")]
pub enum Shown {
    /// There is none that lives.
    Nothing,
    /// The person whose it is.
    Person(Box<Proof>),
    /// It is over: revoked, or with its last refresh. Whoever has nothing else to show is told so.
    Over(Refusal),
}

/// The person whose session the request carries, where this worker can read it and there is nothing to do about it; what it
/// finds else goes into `found`.
pub fn known(
    world: &World,
    guard: &Guard,
    request: &Request,
    found: &mut Found,
) -> Result<Option<Box<Proof>>, Unproven> {
    let Some(party) = &guard.party else { return Ok(None) };
    let looked = party.sessions.look(world, &request.headers);
    if looked.has_strangers() {
        *found = Found::Session(looked);
        return Err(Unproven::Waits);
    }
    let Some(opened) = &looked.found else { return Ok(None) };
    let (content, now) = (&opened.content, world.now());
    let is_fresh = content.life(&party.sessions.settings, now) == Life::Fresh && now < opened.due && !opened.has_news();
    if !is_fresh || guard.rule.require.reverify || party.is_revoked(world, content) {
        *found = Found::Session(looked);
        return Err(Unproven::Waits);
    }
    opened.count(world);
    Ok(Some(proof(party, content, now)))
}

/// The person whose session the request carries; `found` is what a look has already.
pub async fn identify(world: &World, guard: &Guard, request: &Request, found: Found) -> Result<Shown, Stop> {
    let Some(party) = &guard.party else { return Ok(Shown::Nothing) };
    let looked = match found {
        Found::Session(looked) => looked,
        _ => party.sessions.look(world, &request.headers),
    };
    let found = party.sessions.find_after(world, &request.headers, looked).await?;
    let Some(mut opened) = found else { return Ok(Shown::Nothing) };
    let settings = &party.sessions.settings;
    let now = world.now();
    let mut life = opened.content.life(settings, now);
    if party.sessions.is_doubtful(&opened, now) {
        let Some(again) = Box::pin(party.sessions.again(world, opened)).await? else { return Ok(Shown::Nothing) };
        opened = again;
        life = opened.content.life(settings, now);
    }
    if life == Life::Over {
        return Ok(Shown::Nothing);
    }
    opened.count(world);
    if party.is_revoked(world, &opened.content) {
        world.count(Metric::SessionsRevoked);
        return Ok(over(world, party, request, guard.nothing_shown()));
    }
    if opened.is_news() {
        let work = Box::pin(refresh::acknowledge(world.clone(), Rc::clone(party), Rc::clone(&opened.content)));
        match party.sessions.have_store() {
            true => world.spawn(work),
            false => work.await,
        }
    }
    let (Renewed { content, is_new, watch }, now, life) = if now < opened.due {
        (Renewed { content: Rc::clone(&opened.content), is_new: false, watch: None }, now, life)
    } else {
        match Box::pin(refresh::renew(world, party, &opened.content)).await {
            Ok(renewed) => {
                let now = world.now();
                let life = renewed.content.life(settings, now);
                (renewed, now, life)
            }
            Err(NotRenewed::Refused(refusal)) => return Err(refusal.into()),
            Err(NotRenewed::Over(reason)) => return Ok(over(world, party, request, reason)),
        }
    };
    let news = match life {
        Life::Over => return Ok(Shown::Nothing),
        Life::TouchDue if !is_passive(guard, request) => Some(content.touched_at(now)),
        Life::TouchDue | Life::Fresh => is_new.then(|| (*content).clone()),
    };
    let (cookies, late) = match (watch, news) {
        (Some(watch), news) => (Vec::new(), Some(late(world, party, &opened, &request.headers, watch, news))),
        (None, Some(news)) => (set(world, party, &opened, &news, &request.headers), None),
        (None, None) => (Vec::new(), None),
    };
    let mut proof = proof(party, &content, now);
    proof.cookies = cookies;
    proof.late = late;
    if guard.rule.require.reverify && !Box::pin(is_active(world, party, &mut proof.identity)).await? {
        return Ok(Shown::Nothing);
    }
    Ok(Shown::Person(proof))
}

/// The person whose session it is, and what is told of the session.
fn proof(party: &RelyingParty, content: &Content, now: UnixTime) -> Box<Proof> {
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
    let mut proof = Box::new(Proof::from(identity));
    proof.facts = Facts::of(content, &party.sessions.settings, now);
    proof
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

/// The end of a session, whose cookies go.
fn over(world: &World, party: &RelyingParty, request: &Request, reason: Reason) -> Shown {
    Shown::Over(Refusal::from(reason).with_cookies(party.sessions.discard(world, &request.headers)))
}

/// Tells a person who is sent to log in, or is told to, that it is because the session is over.
pub fn because(over: Option<Refusal>, stop: Stop) -> Stop {
    let Some(over) = over else { return stop };
    match stop {
        Stop::Answered { response, reason } => {
            let response = over.cookies().iter().fold(*response, |response, line| response.with("set-cookie", line));
            Stop::answered(response, reason)
        }
        Stop::Refused(refusal) if matches!(refusal.reason, Reason::LoginRequired | Reason::AccessTokenRequired) => {
            Stop::Refused(over)
        }
        Stop::Refused(refusal) => Stop::Refused(refusal.with_cookies(over.cookies().to_vec())),
    }
}

/// Gives the browser the session as it is now. One that does not fit any more, since the budget was lowered or its tokens
/// grew, goes on as it was until it is over.
fn set(world: &World, party: &RelyingParty, opened: &Rc<Opened>, content: &Content, headers: &Headers) -> Vec<String> {
    party.sessions.update(world, opened, content, headers).unwrap_or_else(|refusal| {
        world.log(log::Level::Warn, &refusal.to_string());
        Vec::new()
    })
}

/// The session's cookies when the service answers: as refreshed if it is by then, else with what there is to tell anyhow.
fn late(
    world: &World,
    party: &Rc<RelyingParty>,
    opened: &Rc<Opened>,
    headers: &Headers,
    watch: Watch<Ending>,
    news: Option<Content>,
) -> Late {
    let (world, party, opened, headers) = (world.clone(), Rc::clone(party), Rc::clone(opened), headers.clone());
    Late::new(move || {
        let content = match (watch.landed(), news) {
            (Some(Ending::Done(content)), Some(news)) => content.touched_at(news.touched),
            (Some(Ending::Done(content)), None) => (*content).clone(),
            (_, Some(news)) => news,
            (_, None) => return Vec::new(),
        };
        set(&world, &party, &opened, &content, &headers)
    })
}
