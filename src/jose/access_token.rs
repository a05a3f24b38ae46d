//! A JWT access token, as far as it can be judged without a rule (RFC 9068 §2, §4, RFC 8725 §3.12).

use super::claims;
use super::error::JwtError;
use super::jwk::PublicKey;
use super::jwks::Jwks;
use super::jwt::{Kind, Untrusted, VerifiedJwt};
use crate::words::json::Object;
use crate::words::{Algorithm, UnixTime};
use crate::world::Host;
use serde_json::Value;
use std::rc::Rc;
use std::time::Duration;

/// What every access token of an issuer must be.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedAccessToken<'a> {
    /// Those of the issuer. HS* is never taken: who checks such a token could make it.
    pub algorithms: &'a [Algorithm],
    /// The time.
    pub now: UnixTime,
    /// How far the issuer's clock may be from ours.
    pub skew: Duration,
}

/// An access token of which everything was judged but its signature.
pub struct Unproven<'a>(Untrusted<'a>);

/// Judges all that costs nothing. Which issuer it is of, the caller has found out.
pub fn judge_access_token<'a>(
    token: Untrusted<'a>,
    expected: &ExpectedAccessToken<'_>,
) -> Result<Unproven<'a>, JwtError> {
    if token.algorithm().is_symmetric() || !expected.algorithms.contains(&token.algorithm()) {
        return Err(JwtError::AlgorithmNotAllowed);
    }
    let typ = token.typ().map(short_type);
    let claims = token.unverified_claims();
    // An ID token may lack all other marks. Some providers' access tokens have a nonce too, and say what they are.
    let is_named = typ.as_deref() == Some("at+jwt") || has_text(claims, "typ", &["bearer"]);
    if !Kind::AccessToken.has_type(token.typ())
        || names_another_kind(claims)
        || (claims.contains_key("nonce") && !is_named)
    {
        return Err(JwtError::Type);
    }
    token.is_in_time(Kind::AccessToken, expected.now, expected.skew)?;
    Ok(Unproven(token))
}

impl Unproven<'_> {
    /// Its `typ` in lower case, without `application/` (RFC 7515 §4.1.9).
    pub fn typ(&self) -> Option<String> {
        self.0.typ().map(short_type)
    }

    /// Whether its header names the key.
    pub fn names_key(&self) -> bool {
        self.0.kid().is_some()
    }

    /// The last step: the signature, and whose key made it.
    pub fn prove(&self, host: &dyn Host, keys: &Jwks) -> Result<(VerifiedJwt, Rc<PublicKey>), JwtError> {
        self.0.prove_by(host, keys)
    }
}

/// Whether claims are marked as those of something that is no access token: an ID token (OIDC Core §2; Cognito's
/// `token_use`, Keycloak's `typ`), a refresh token, a logout token or another event (RFC 8417 §2.2), an introspection
/// answer (RFC 9701 §5), a request object (RFC 9101 §4), or an authorization response (JARM §2.1).
pub fn names_another_kind(claims: &Object) -> bool {
    const MARKS: [&str; 6] = ["at_hash", "c_hash", "s_hash", "events", "token_introspection", "response_type"];
    const USES: [&str; 4] = ["id", "id_token", "refresh", "refresh_token"];
    const TYPES: [&str; 10] = [
        "id",
        "id_token",
        "serialized-id",
        "refresh",
        "refresh_token",
        "offline",
        "logout",
        "logout+jwt",
        "initialaccesstoken",
        "registrationaccesstoken",
    ];
    let is_response = claims.contains_key("state") && (claims.contains_key("code") || claims.contains_key("error"));
    MARKS.iter().any(|mark| claims.contains_key(*mark))
        || is_response
        || has_text(claims, "token_use", &USES)
        || has_text(claims, "typ", &TYPES)
}

fn has_text(claims: &Object, name: &str, values: &[&str]) -> bool {
    let text = claims.get(name).and_then(Value::as_str);
    text.is_some_and(|text| values.iter().any(|value| text.eq_ignore_ascii_case(value)))
}

/// A `typ` as it is compared: without regard to case, `application/` being implied (RFC 7515 §4.1.9).
pub(super) fn short_type(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").map(str::to_owned).unwrap_or(typ)
}

/// The scope that claims say was granted, values separated by single spaces: `scope`, else `scp`, each as text
/// (RFC 9068 §2.2.3, RFC 8693 §4.2) or, as several providers send it, an array.
pub fn scope(claims: &Object) -> Result<String, JwtError> {
    let Some((name, value)) = ["scope", "scp"].into_iter().find_map(|name| Some((name, claims.get(name)?))) else {
        return Ok(String::new());
    };
    let wrong = JwtError::ClaimType(name);
    match value {
        Value::String(text) => Ok(text.split(' ').filter(|value| !value.is_empty()).collect::<Vec<_>>().join(" ")),
        Value::Array(values) => {
            // A value with a space in it would become two.
            let one = |value: &Value| {
                value.as_str().filter(|text| !text.is_empty() && !text.contains(' ')).map(str::to_owned).ok_or(wrong)
            };
            Ok(values.iter().map(one).collect::<Result<Vec<_>, _>>()?.join(" "))
        }
        _ => Err(wrong),
    }
}

/// Whom claims are about, if anybody: 1 to 255 characters, none of them a control character.
pub fn subject(claims: &Object) -> Result<Option<&str>, JwtError> {
    let Some(subject) = claims::text(claims, "sub")? else { return Ok(None) };
    let fits = (1..=255).contains(&subject.chars().count()) && !subject.chars().any(char::is_control);
    if fits { Ok(Some(subject)) } else { Err(JwtError::ClaimType("sub")) }
}

#[cfg(test)]
mod tests;
