//! A login at the provider: the authorization code flow with PKCE (RFC 6749 §4.1, RFC 7636, OIDC Core §3.1).
//!
//! `begin` sends the browser off, `callback` takes it back, `initiate` lets another site begin.

mod callback;
mod initiate;
mod response;

pub use callback::{Ending, callback};
pub use initiate::initiate;

use super::Guard;
use crate::config::{Login, ResponseMode};
use crate::http::navigation::{self, Audience};
use crate::http::{form, host, text};
use crate::provider::Metadata;
use crate::session::RelyingParty;
use crate::session::login::{self, Beginning};
use crate::words::{Reason, Refusal, Request, Response, Stop};
use crate::world::World;

/// Pass-through parameters are cut to so many characters.
const LONGEST_PASSED: usize = 256;

/// Sends a page load to log in once more, since the login that there is does not suffice; does nothing for all else.
pub async fn begin_again(world: &World, guard: &Guard, request: &Request) -> Result<(), Stop> {
    match navigation::audience(request) {
        Audience::Background => Ok(()),
        _ => begin(world, guard, request).await,
    }
}

/// Sends a page load to log in; all else is told that a login is needed. Does nothing where the rule has no login.
pub async fn begin(world: &World, guard: &Guard, request: &Request) -> Result<(), Stop> {
    let Some((login, party)) = guard.login() else { return Ok(()) };
    if navigation::audience(request) == Audience::Background {
        let tokens = guard.takes_access_tokens();
        return Err(if tokens { Reason::AccessTokenRequired } else { Reason::LoginRequired }.into());
    }
    if let Some(stop) = to_the_right_host(party, request) {
        return Err(stop);
    }
    let target = request.target().unwrap_or("/");
    let passed = passed_params(login, target);
    let start = Start { guard, login, party, target, round: 0, passed, remember: asks_to_be_remembered(party, target) };
    Err(start.redirect(world, request).await)
}

/// Cookies live on the redirect URI's host: a login that began elsewhere could not be finished.
fn to_the_right_host(party: &RelyingParty, request: &Request) -> Option<Stop> {
    let (asked, _) = host(request.authority()?)?;
    if asked == party.redirect_uri.host() || party.sessions.spans(&asked) {
        return None;
    }
    let location = party.home(request.target().unwrap_or("/"));
    Some(Stop::answered(redirect(location), Reason::LoginStarted))
}

/// One authorization request to be.
struct Start<'a> {
    guard: &'a Guard,
    login: &'a Login,
    party: &'a RelyingParty,
    target: &'a str,
    round: u8,
    passed: Vec<(String, String)>,
    remember: bool,
}

impl Start<'_> {
    /// The redirect to the provider, or why there is none.
    async fn redirect(&self, world: &World, request: &Request) -> Stop {
        let metadata = match self.party.provider.metadata(&world.host()).await {
            Ok(metadata) => metadata,
            Err(refusal) => return refusal.into(),
        };
        let beginning = Beginning {
            rule: &self.guard.rule.name,
            target: self.target,
            by: self.party.by,
            round: self.round,
            remember: self.remember,
        };
        let Ok((login, cookies)) = self.party.sessions.begin_login(world, &request.headers, &beginning) else {
            let detail = "three logins ended well within a minute and left no session: does something eat the cookie \
                          (its size, its domain, plain HTTP), or is a clock wrong?";
            return Refusal::new(Reason::LoginLoop, detail).with_again(self.party.home(self.target)).into();
        };
        let location = self.location(&metadata, &login);
        let response = cookies.into_iter().fold(redirect(location), |response, line| response.with("set-cookie", line));
        Stop::answered(response, Reason::LoginStarted)
    }

    /// The authorization request (OIDC Core §3.1.2.1).
    fn location(&self, metadata: &Metadata, login: &login::Login) -> String {
        let settings = &self.party.provider.settings;
        let challenge = login.challenge();
        let mut params: Vec<(&str, &str)> = vec![
            ("response_type", "code"),
            ("client_id", &settings.client.client_id),
            ("redirect_uri", self.party.redirect_uri.as_str()),
            ("scope", &self.login.scope),
            ("state", &login.state),
            ("nonce", &login.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if settings.response_mode == ResponseMode::FormPost {
            params.push(("response_mode", "form_post"));
        }
        let acr_values = self.guard.rule.token.acr_values.join(" ");
        if !acr_values.is_empty() {
            params.push(("acr_values", &acr_values));
        }
        let max_age = self.guard.rule.token.max_age.map(|age| age.as_secs().to_string());
        if let Some(seconds) = &max_age {
            params.push(("max_age", seconds));
        }
        // What is passed on wins over the rule's own, and that over the provider's.
        for (name, value) in self.passed.iter().chain(&self.login.params).chain(&settings.authorization_params) {
            let silenced = name == "prompt" && self.round > 0;
            if !silenced && !params.iter().any(|(known, _)| known == name) {
                params.push((name, value));
            }
        }
        let endpoint = metadata.authorization_endpoint.as_str();
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        format!("{endpoint}{joint}{}", form::write(params))
    }
}

/// The query of a path, as a form; what is no form says nothing.
fn query_of(target: &str) -> Vec<(String, String)> {
    target.split_once('?').and_then(|(_, query)| form::parse(query).ok()).unwrap_or_default()
}

fn asks_to_be_remembered(party: &RelyingParty, target: &str) -> bool {
    party.sessions.settings.remember.as_ref().is_some_and(|remember| {
        let asks = |value: &str| ["1", "true", "on"].contains(&value);
        query_of(target).iter().any(|(name, value)| *name == remember.parameter && asks(value))
    })
}

fn passed_params(login: &Login, target: &str) -> Vec<(String, String)> {
    let passed = query_of(target).into_iter().filter(|(name, _)| login.pass_params.contains(name));
    passed.map(|(name, value)| (name, value.chars().take(LONGEST_PASSED).collect())).collect()
}

/// 303: the browser comes with GET, whatever it came with before; never 307 (RFC 9700 §4.12).
fn redirect(location: String) -> Response {
    Response::new(303)
        .with("location", location)
        .with("cache-control", "no-store")
        .with("referrer-policy", "no-referrer")
}

/// A page of our own that goes on to `location` by itself: what a redirect from the provider leads to still counts as come
/// from another site, and `SameSite=Strict` cookies stay behind on such a way (RFC 6265bis §5.2).
fn landing(location: &str) -> Response {
    let location = text::html(location);
    let body = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Logged in</title>\
         <meta http-equiv=\"refresh\" content=\"0;url={location}\"></head>\
         <body><p><a href=\"{location}\">Continue</a></p></body></html>\n"
    );
    Response { body, ..Response::new(200) }
        .with("content-type", "text/html; charset=utf-8")
        .with("content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
        .with("cache-control", "no-store")
        .with("referrer-policy", "no-referrer")
}
