//! The provider posts a logout token when sessions end there: OIDC Back-Channel Logout §2.5 to §2.8.

use super::answered;
use crate::config::Logout;
use crate::http::form;
use crate::jose::{LogoutToken, LogoutTokenRules, OLDEST_LOGOUT_TOKEN};
use crate::policy::{Name, Word};
use crate::session::RelyingParty;
use crate::words::{Reason, Refusal, Request, Response, Stop};
use crate::world::{BodyError, World};
use std::time::Duration;

/// The largest form that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// Ends what a logout token names, and says 200 when every worker will know: only then does the provider not ask again (§2.8).
pub async fn back_channel(world: &World, logout: &Logout, party: &RelyingParty, request: &Request) -> Stop {
    if request.method() != Some("POST") {
        return Refusal::wrong_method("POST").into();
    }
    match hear(world, logout, party, request).await {
        Ok(()) => answered(Response::new(200), Vec::new(), Reason::LogoutTold),
        Err(refusal) => refusal.into(),
    }
}

async fn hear(world: &World, logout: &Logout, party: &RelyingParty, request: &Request) -> Result<(), Refusal> {
    let text = logout_token(world, request).await?;
    let rules = LogoutTokenRules { require_type: logout.require_type, require_exp: logout.require_exp };
    let token = party.provider.verify_logout_token(world, &text, rules).await?;
    let (issuer, revocations) = (&*party.issuer, &party.revocations);
    revocations.catch_up(world).await?;
    // One that came before is no news, and its sender may not be the provider (attack L06).
    let id = format!("logout {}", token.id());
    let spent = Name::Token { issuer, id: &id };
    if revocations.denies(world, &[Some(spent)], token.issued()) {
        return Err(Reason::LogoutTokenReplayed.into());
    }
    // What began after the provider's word stays, also where its clock is ahead of ours.
    let up_to = token.issued().min(world.now());
    revocations.revoke(world, ended(issuer, &token), up_to).await?;
    // As long as it could be taken: its age on either clock.
    let life = OLDEST_LOGOUT_TOKEN.saturating_add(party.provider.settings.clock_skew).saturating_add(GRACE);
    let life = life.saturating_add(party.provider.settings.clock_skew);
    revocations.revoke_for(world, Word::Proven, spent, token.issued(), life).await
}

/// What clocks may lose in rounding.
const GRACE: Duration = Duration::from_secs(5);

/// One session where it is named, else all of the subject (§2.7).
fn ended<'a>(issuer: &'a str, token: &'a LogoutToken) -> Name<'a> {
    match token.sid() {
        Some(sid) => Name::ProviderSession { issuer, sid },
        None => Name::Subject { issuer, subject: token.subject().unwrap_or_default() },
    }
}

/// The one logout token of a form; whatever else is in it does not count (§2.5).
async fn logout_token(world: &World, request: &Request) -> Result<String, Refusal> {
    let malformed = |what: &str| Refusal::new(Reason::LogoutTokenMalformed, what);
    if !form::is_form(request) {
        return Err(malformed("the POST is no form by its content type"));
    }
    let body = world.body(LARGEST).await.map_err(|error| match error {
        BodyError::Unreadable => error.refusal("back-channel logout"),
        BodyError::TooLarge => malformed("the form is larger than any logout token"),
    })?;
    let text = String::from_utf8(body).map_err(|_| malformed("the form is not UTF-8"))?;
    let fields = form::parse(&text).map_err(|_| malformed("the body is no form"))?;
    let mut tokens = fields.into_iter().filter(|(name, _)| name == "logout_token");
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) => Ok(token),
        _ => Err(malformed("not one logout_token")),
    }
}
