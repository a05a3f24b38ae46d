//! The logout token of a back-channel logout (OIDC Back-Channel Logout §2.4, §2.6).

use super::access_token::{short_type, subject};
use super::claims;
use super::error::JwtError;
use super::jws::Keys;
use super::jwt::{Expected, Untrusted, VerifiedJwt};
use crate::words::UnixTime;
use crate::world::Host;
use serde_json::Value;
use std::time::Duration;

/// The member of `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How old one may be: what comes later was held back by somebody.
pub const OLDEST: Duration = Duration::from_secs(600);
/// The longest `sid` or `jti`, in bytes.
const LONGEST: usize = 1024;

/// What a logout token must be besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogoutTokenRules {
    /// Whether `typ` must be there, and say `logout+jwt`.
    pub require_type: bool,
    /// Whether `exp` must be there, as errata 1 has it.
    pub require_exp: bool,
}

/// A logout token that was verified.
#[derive(Clone, Debug)]
pub struct LogoutToken(VerifiedJwt);

/// Verifies a logout token. Whatever it costs nothing to check comes before the signature.
pub fn verify_logout_token(
    host: &dyn Host,
    token: &str,
    keys: Keys<'_>,
    expected: &Expected<'_>,
    rules: LogoutTokenRules,
) -> Result<LogoutToken, JwtError> {
    let token = Untrusted::parse(token)?;
    token.is_of_kind(expected)?;
    if rules.require_type && token.typ().map(short_type).as_deref() != Some("logout+jwt") {
        return Err(JwtError::Type);
    }
    token.is_addressed(expected)?;
    token.is_in_time(expected.kind, expected.now, expected.skew)?;
    let said = token.unverified_claims();
    if rules.require_exp && !said.contains_key("exp") {
        return Err(JwtError::ClaimMissing("exp"));
    }
    let oldest = expected.now.minus(OLDEST).minus(expected.skew).as_secs() as f64;
    if claims::required_date(said, "iat")? < oldest {
        return Err(JwtError::Expired);
    }
    name(said, "jti")?.ok_or(JwtError::ClaimMissing("jti"))?;
    if subject(said)?.is_none() && name(said, "sid")?.is_none() {
        return Err(JwtError::ClaimMissing("sid"));
    }
    let event = claims_of_events(said)?.get(EVENT).ok_or(JwtError::ClaimMissing("events"))?;
    if !event.is_object() {
        return Err(JwtError::ClaimType("events"));
    }
    // An ID token, which has one, must never pass for a logout token.
    if said.contains_key("nonce") {
        return Err(JwtError::ClaimType("nonce"));
    }
    token.prove(host, keys).map(LogoutToken)
}

fn claims_of_events(said: &crate::words::json::Object) -> Result<&crate::words::json::Object, JwtError> {
    said.get("events").ok_or(JwtError::ClaimMissing("events"))?.as_object().ok_or(JwtError::ClaimType("events"))
}

/// A name of bounded length that is not empty.
fn name<'a>(said: &'a crate::words::json::Object, claim: &'static str) -> Result<Option<&'a str>, JwtError> {
    let Some(text) = claims::text(said, claim)? else { return Ok(None) };
    if (1..=LONGEST).contains(&text.len()) { Ok(Some(text)) } else { Err(JwtError::ClaimType(claim)) }
}

impl LogoutToken {
    /// Whose sessions end, unless one is named.
    pub fn subject(&self) -> Option<&str> {
        self.0.text("sub")
    }

    /// The provider's session that ended.
    pub fn sid(&self) -> Option<&str> {
        self.0.text("sid")
    }

    /// Its own name.
    pub fn id(&self) -> &str {
        self.0.text("jti").unwrap_or_default()
    }

    /// When the provider ended the session.
    pub fn issued(&self) -> UnixTime {
        let seconds = self.0.claims().get("iat").and_then(Value::as_f64).unwrap_or_default();
        UnixTime::from_secs(seconds as u64)
    }
}
