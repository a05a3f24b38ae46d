//! The ID token of one login (OIDC Core §2, §3.1.3.7, §3.1.3.8).

use super::base64url;
use super::claims;
use super::digest::{digest, hash_of};
use super::error::JwtError;
use super::jws::Keys;
use super::jwt::{Expected, Kind, Untrusted, VerifiedJwt};
use crate::words::{Algorithm, UnixTime};
use crate::world::Host;
use std::time::Duration;

/// What an ID token must be.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedIdToken<'a> {
    /// Equal to `iss`, byte for byte.
    pub issuer: &'a str,
    /// We: among the values of `aud`, and `azp` where there is one.
    pub client_id: &'a str,
    /// Further values that `aud` may have.
    pub trusted_audiences: &'a [String],
    /// Those that we are registered with.
    pub algorithms: &'a [Algorithm],
    /// What was sent with the authorization request.
    pub nonce: Nonce<'a>,
    /// How long ago the user may have authenticated.
    pub authentication: Authentication,
    /// The access token that came with it, for `at_hash`; none where none came.
    pub access_token: Option<&'a str>,
    /// The time.
    pub now: UnixTime,
    /// How far the provider's clock may be from ours.
    pub skew: Duration,
}

/// Whether a `nonce` was sent.
#[derive(Clone, Copy, Debug)]
pub enum Nonce<'a> {
    /// This one.
    Expect(&'a str),
    /// This token answers no authorization request of ours, as in a refresh (OIDC Core §12.2).
    NotChecked,
}

/// Whether the age of the user's authentication matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// It does not.
    OfAnyAge,
    /// It was asked for by `max_age`: `auth_time` is required, and at most so long ago.
    AtMost(Duration),
}

/// Verifies an ID token. Whatever it costs nothing to check comes before the signature.
pub fn verify_id_token(
    host: &dyn Host,
    token: &str,
    keys: Keys<'_>,
    expected: &ExpectedIdToken<'_>,
) -> Result<VerifiedJwt, JwtError> {
    let token = Untrusted::parse(token)?;
    let common = expected.common();
    token.is_of_kind(&common)?;
    token.is_addressed(&common)?;
    parties(&token, expected)?;
    token.is_in_time(common.kind, common.now, common.skew)?;
    authentication(&token, expected)?;
    nonce(&token, expected.nonce)?;
    subject(&token)?;
    access_token_hash(&token, expected.access_token)?;
    token.prove(host, keys)
}

impl<'a> ExpectedIdToken<'a> {
    const fn common(&self) -> Expected<'a> {
        Expected {
            issuer: self.issuer,
            audience: self.client_id,
            algorithms: self.algorithms,
            kind: Kind::IdToken,
            now: self.now,
            skew: self.skew,
        }
    }
}

/// No audience that we do not trust; `azp` beside several audiences, and never another client's (§3.1.3.7, 3 to 5).
fn parties(token: &Untrusted<'_>, expected: &ExpectedIdToken<'_>) -> Result<(), JwtError> {
    let audiences = claims::audiences(token.unverified_claims())?;
    let trusted = |audience: &str| {
        audience == expected.client_id || expected.trusted_audiences.iter().any(|trusted| trusted == audience)
    };
    if !audiences.iter().all(|audience| trusted(audience)) {
        return Err(JwtError::Audience);
    }
    match claims::text(token.unverified_claims(), "azp")? {
        Some(party) if party == expected.client_id => Ok(()),
        None if audiences.len() == 1 => Ok(()),
        _ => Err(JwtError::AuthorizedParty),
    }
}

/// `auth_time` where `max_age` was asked for (§3.1.2.1, §3.1.3.7, 13).
fn authentication(token: &Untrusted<'_>, expected: &ExpectedIdToken<'_>) -> Result<(), JwtError> {
    let time = claims::date(token.unverified_claims(), "auth_time")?;
    let Authentication::AtMost(age) = expected.authentication else { return Ok(()) };
    let time = time.ok_or(JwtError::ClaimMissing("auth_time"))?;
    let oldest = expected.now.minus(age).minus(expected.skew).as_secs() as f64;
    if time < oldest { Err(JwtError::AuthenticationTooOld) } else { Ok(()) }
}

/// The `nonce` that was sent (§3.1.3.7, 11).
fn nonce(token: &Untrusted<'_>, nonce: Nonce<'_>) -> Result<(), JwtError> {
    let Nonce::Expect(sent) = nonce else { return Ok(()) };
    match token.unverified_claims().get("nonce").and_then(|nonce| nonce.as_str()) {
        Some(nonce) if nonce == sent => Ok(()),
        _ => Err(JwtError::Nonce),
    }
}

/// 1 to 255 printable ASCII characters (§2).
fn subject(token: &Untrusted<'_>) -> Result<(), JwtError> {
    let subject = claims::required_text(token.unverified_claims(), "sub")?;
    let printable = subject.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if (1..=255).contains(&subject.len()) && printable { Ok(()) } else { Err(JwtError::ClaimType("sub")) }
}

/// `at_hash`, where there is one: the left half of the access token's hash (§3.1.3.8). The code flow may omit it.
fn access_token_hash(token: &Untrusted<'_>, access_token: Option<&str>) -> Result<(), JwtError> {
    let (Some(sent), Some(access_token)) = (token.unverified_claims().get("at_hash"), access_token) else {
        return Ok(());
    };
    let digest = digest(hash_of(token.algorithm()), &[access_token.as_bytes()]);
    let (left, _) = digest.split_at_checked(digest.len() / 2).ok_or(JwtError::AccessTokenHash)?;
    match sent.as_str() {
        Some(sent) if sent == base64url::encode(left) => Ok(()),
        _ => Err(JwtError::AccessTokenHash),
    }
}

#[cfg(test)]
mod tests;
