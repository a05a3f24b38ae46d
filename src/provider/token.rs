//! The token endpoint: RFC 6749 §4.1.3, §5, §6; OIDC Core §3.1.3, §12.

use super::request;
use super::{Provider, Registration};
use crate::config;
use crate::http::{Url, form, text};
use crate::words::json::Object;
use crate::words::{Reason, Refusal, Secret};
use crate::world::{Endpoint, Host, ProviderRequest, ProviderResponse, World};
use serde_json::Value;
use std::time::Duration;

/// The largest token answer that is read, in bytes.
const LARGEST: usize = 128 * 1024;
/// The longest token that is taken.
const LONGEST_TOKEN: usize = 32 * 1024;

/// What a login trades for tokens.
pub struct Code<'a> {
    /// The authorization code.
    pub code: &'a str,
    /// The same bytes as in the authorization request (§4.1.3).
    pub redirect_uri: &'a str,
    /// The PKCE verifier (RFC 7636 §4.5).
    pub verifier: &'a str,
}

/// A token answer, its members typed but its tokens not yet verified.
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if one came.
    pub refresh_token: Option<Secret>,
    /// The ID token, if one came.
    pub id_token: Option<Secret>,
    /// How long the access token lives, if that was said.
    pub expires_in: Option<Duration>,
    /// Whether it was said that it has no life left.
    pub has_ended: bool,
    /// What was granted, if that was said; else what was asked for (§5.1).
    pub scope: Option<String>,
}

/// Trades a code for tokens. Tried once: a code works once.
pub async fn exchange(world: &World, provider: &Provider, endpoint: &Url, code: Code<'_>) -> Result<Tokens, Refusal> {
    let fixed = [
        ("grant_type", "authorization_code"),
        ("code", code.code),
        ("redirect_uri", code.redirect_uri),
        ("code_verifier", code.verifier),
    ];
    let settings = &provider.settings;
    let request = request_of(&**world, settings, &provider.registration, endpoint, &fixed)?;
    let response = request::send(&**world, settings, request, Reason::TokenUnavailable).await?;
    read(settings, &response).map_err(|error| error.refusal(settings))
}

/// Why a refresh brought no tokens.
pub enum NotRefreshed {
    /// The grant is over: the user or the provider ended it, or the token was used before (`invalid_grant`, §5.2).
    Over,
    /// Anything else, which says nothing of the grant.
    Trouble(Refusal),
}

/// Trades a refresh token for new tokens (§6). No scope is asked for, so that none wider than what was granted is.
pub async fn refresh(
    host: &dyn Host,
    provider: &Provider,
    endpoint: &Url,
    refresh_token: &Secret,
) -> Result<Tokens, NotRefreshed> {
    let token = refresh_token.expose_text().unwrap_or_default();
    let fixed = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let settings = &provider.settings;
    let request =
        request_of(host, settings, &provider.registration, endpoint, &fixed).map_err(NotRefreshed::Trouble)?;
    let sent = request::send(host, settings, request, Reason::RefreshUnavailable).await;
    read(settings, &sent.map_err(NotRefreshed::Trouble)?).map_err(|error| {
        if matches!(&error, Failed::Said { code, .. } if code == "invalid_grant") {
            return NotRefreshed::Over;
        }
        let refusal = error.refusal(settings);
        let reason = match refusal.reason {
            Reason::ClientRefused => Reason::ClientRefused,
            _ => Reason::RefreshUnavailable,
        };
        NotRefreshed::Trouble(refusal.because(reason))
    })
}

/// Who is the client of a token request.
#[derive(Clone, Copy, Debug)]
pub(super) enum By<'a> {
    /// We.
    Us,
    /// The caller, by this `Authorization` field, or by what the form says where it is empty. Nothing of ours goes along.
    Caller(&'a str),
}

/// A token request of either.
pub(super) fn request_by(
    host: &dyn Host,
    settings: &config::Provider,
    registration: &Registration,
    endpoint: &Url,
    by: By<'_>,
    fixed: &[(&str, &str)],
) -> Result<Box<ProviderRequest>, Refusal> {
    let By::Caller(authorization) = by else { return request_of(host, settings, registration, endpoint, fixed) };
    let added = settings.token_params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let body = form::write(fixed.iter().copied().chain(added));
    let mut request = request::post(settings, Endpoint::Token, endpoint, body, LARGEST)?;
    if !authorization.is_empty() {
        request.headers.push(("authorization".to_owned(), Secret::new(authorization)));
    }
    Ok(request)
}

/// Why a token answer brought no tokens.
pub(super) enum Failed {
    /// The error that it names (§5.2).
    Said { status: u16, code: String },
    /// Another fault.
    Otherwise(Refusal),
}

fn request_of(
    host: &dyn Host,
    settings: &config::Provider,
    registration: &Registration,
    endpoint: &Url,
    fixed: &[(&str, &str)],
) -> Result<Box<ProviderRequest>, Refusal> {
    let authentication = registration.authentication(host, Endpoint::Token)?;
    let client = authentication.fields.iter().map(|(name, value)| (*name, value.expose_text().unwrap_or_default()));
    let added = settings.token_params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let body = form::write(fixed.iter().copied().chain(client).chain(added));
    let mut request = request::post(settings, Endpoint::Token, endpoint, body, LARGEST)?;
    request.headers.extend(authentication.headers);
    Ok(request)
}

pub(super) fn read(settings: &config::Provider, response: &ProviderResponse) -> Result<Tokens, Failed> {
    let invalid = |what: &str| {
        Failed::Otherwise(Refusal::new(Reason::TokenInvalid, format!("provider={}: {what}", settings.name)))
    };
    let answer = response.is("application/json").then(|| response.json().ok()).flatten();
    // §5.2: the error decides, the status class is the fallback. Some providers send errors with 200.
    if let Some(error) = answer.as_ref().and_then(|answer| answer.get("error")) {
        let code = error.as_str().unwrap_or_default().to_owned();
        return Err(Failed::Said { status: response.status, code });
    }
    if response.status != 200 {
        let detail = format!("provider={}: the token endpoint answered {}", settings.name, response.status);
        let reason = match response.status {
            401 | 403 => Reason::ClientRefused,
            429 | 500..=599 => Reason::TokenUnavailable,
            _ => Reason::TokenInvalid,
        };
        return Err(Failed::Otherwise(Refusal::new(reason, detail)));
    }
    let answer = answer.ok_or_else(|| invalid("the token answer is not one JSON object"))?;
    let reader = Reader { answer: &answer };
    let kind = reader.text("token_type").map_err(invalid)?.unwrap_or_default();
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(invalid("token_type is not Bearer"));
    }
    Ok(Tokens {
        access_token: reader
            .token("access_token")
            .map_err(invalid)?
            .ok_or_else(|| invalid("access_token is missing"))?,
        refresh_token: reader.token("refresh_token").map_err(invalid)?,
        id_token: reader.token("id_token").map_err(invalid)?,
        expires_in: reader.seconds("expires_in").map_err(invalid)?,
        has_ended: reader.has_ended("expires_in"),
        scope: reader.text("scope").map_err(invalid)?.map(str::to_owned),
    })
}

impl Failed {
    fn refusal(self, settings: &config::Provider) -> Refusal {
        let (status, code) = match self {
            Self::Said { status, code } => (status, code),
            Self::Otherwise(refusal) => return refusal,
        };
        let reason = match code.as_str() {
            "invalid_client" | "unauthorized_client" => Reason::ClientRefused,
            "temporarily_unavailable" | "server_error" | "slow_down" => Reason::TokenUnavailable,
            _ => Reason::TokenRefused,
        };
        let shown = text::printable(&code, 60);
        Refusal::new(reason, format!("provider={}: status {status}, error {shown:?}", settings.name))
    }
}

/// Members of known names must have their type: a wrong one never counts as absent.
struct Reader<'a> {
    answer: &'a Object,
}

impl<'a> Reader<'a> {
    fn text(&self, member: &'static str) -> Result<Option<&'a str>, &'static str> {
        match self.answer.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err("a member of the token answer has a wrong type"),
        }
    }

    fn token(&self, member: &'static str) -> Result<Option<Secret>, &'static str> {
        let Some(token) = self.text(member)? else { return Ok(None) };
        // VSCHAR of RFC 6749 appendix A; without the space in what goes into a header field (RFC 6750 §2.1).
        let known = |byte: u8| byte.is_ascii_graphic() || (byte == b' ' && member == "refresh_token");
        let fit = (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(known);
        if fit { Ok(Some(Secret::new(token))) } else { Err("a token is empty, too long, or not printable") }
    }

    /// Whether a member is a number of seconds, and none is left.
    fn has_ended(&self, member: &'static str) -> bool {
        let seconds = match self.answer.get(member) {
            // As a whole number: reading others costs more than all the rest of this file.
            Some(Value::String(text)) => return text.parse::<i64>().is_ok_and(|seconds| seconds < 1),
            Some(value) => value.as_f64(),
            None => None,
        };
        seconds.is_some_and(|seconds| seconds < 1.0)
    }

    fn seconds(&self, member: &'static str) -> Result<Option<Duration>, &'static str> {
        match self.answer.get(member) {
            None | Some(Value::Null) => Ok(None),
            // Some providers send it as text; what is not a sensible number of seconds is as good as absent, and the
            // configured life is assumed.
            Some(Value::String(text)) => {
                Ok(text.parse().ok().filter(|seconds| sensible(*seconds)).map(Duration::from_secs))
            }
            Some(Value::Number(number)) => {
                let whole =
                    number.as_u64().or_else(|| number.as_f64().filter(|n| (0.0..1e15).contains(n)).map(|n| n as u64));
                Ok(whole.filter(|seconds| sensible(*seconds)).map(Duration::from_secs))
            }
            Some(_) => Err("expires_in is not a number"),
        }
    }
}

const fn sensible(seconds: u64) -> bool {
    seconds >= 1 && seconds <= 10 * 365 * 86_400
}
