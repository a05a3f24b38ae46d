//! A JWT from an issuer that we know, and when it is believed (RFC 7519 §7.2, RFC 8725 §3).
//!
//! What costs nothing is checked first and the signature last, so that a token which could not be accepted anyway
//! costs no arithmetic, and never makes anybody fetch keys.

use super::access_token::short_type;
use super::claims;
use super::error::JwtError;
use super::jwk::PublicKey;
use super::jwks::Jwks;
use super::jws::{Jws, Keys};
use crate::words::json::{self, Object};
use crate::words::{Algorithm, Claims, UnixTime};
use crate::world::Host;
use std::rc::Rc;
use std::time::Duration;

/// A compact JWS whose header has been judged, and whose claims are readable but not believed.
pub struct Untrusted<'a> {
    jws: Jws<'a>,
    claims: Claims,
}

/// What a token must be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Equal to `iss`, byte for byte.
    pub issuer: &'a str,
    /// Among the values of `aud`.
    pub audience: &'a str,
    /// Those that the issuer is registered with; never chosen by the token.
    pub algorithms: &'a [Algorithm],
    /// What the token is for.
    pub kind: Kind,
    /// The time.
    pub now: UnixTime,
    /// How far the issuer's clock may be from ours.
    pub skew: Duration,
}

/// What a token is for. A token of one kind is never taken for another (RFC 8725 §3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ID token (OIDC Core §2): `exp`, `iat` and `sub` are required.
    IdToken,
    /// An access token (RFC 9068 §2): `exp` is required; `typ` may be any but that of a kind that is known as another.
    AccessToken,
    /// An introspection answer (RFC 9701 §5): `typ` and `iat` are required.
    Introspection,
    /// A client's assertion of who it is (RFC 7523 §3): `exp` is required; `typ` is `client-authentication+jwt`, or says nothing.
    ClientAssertion,
    /// A logout token (OIDC Back-Channel Logout §2.4): `iat` is required; `typ` is `logout+jwt`, or says nothing.
    LogoutToken,
}

/// A token that was verified. Nothing but [`verify`] and [`verify_id_token`](super::verify_id_token) makes one.
#[derive(Clone, Debug)]
pub struct VerifiedJwt {
    claims: Claims,
    algorithm: Algorithm,
}

/// Verifies a token: header, issuer, audience, times, then the signature.
///
/// Not checked: whatever else an ID token must be for one login, which [`verify_id_token`](super::verify_id_token) adds.
pub fn verify(
    host: &dyn Host,
    token: Untrusted<'_>,
    keys: Keys<'_>,
    expected: &Expected<'_>,
) -> Result<VerifiedJwt, JwtError> {
    token.is_of_kind(expected)?;
    token.is_addressed(expected)?;
    token.is_in_time(expected.kind, expected.now, expected.skew)?;
    token.prove(host, keys)
}

impl<'a> Untrusted<'a> {
    /// Reads a token of at most 64 KiB; claims must be one JSON object without duplicate members.
    pub fn parse(token: &'a str) -> Result<Self, JwtError> {
        let jws = Jws::parse(token)?;
        let claims = json::object(jws.payload()).map_err(|_| JwtError::Malformed)?;
        Ok(Self { jws, claims: Rc::new(claims) })
    }

    /// The `alg` of its header.
    pub const fn algorithm(&self) -> Algorithm {
        self.jws.algorithm()
    }

    /// The `kid` of its header.
    pub fn kid(&self) -> Option<&str> {
        self.jws.kid()
    }

    /// The `typ` of its header.
    pub fn typ(&self) -> Option<&str> {
        self.jws.typ()
    }

    /// What the token says, true or not.
    pub fn unverified_claims(&self) -> &Object {
        &self.claims
    }

    /// `alg` is expected, and `typ` is that of the kind.
    pub(super) fn is_of_kind(&self, expected: &Expected<'_>) -> Result<(), JwtError> {
        if !expected.algorithms.contains(&self.algorithm()) {
            return Err(JwtError::AlgorithmNotAllowed);
        }
        if !expected.kind.has_type(self.typ()) {
            return Err(JwtError::Type);
        }
        Ok(())
    }

    /// `iss` and `aud` name the two whom this is between.
    pub(super) fn is_addressed(&self, expected: &Expected<'_>) -> Result<(), JwtError> {
        if claims::required_text(&self.claims, "iss")? != expected.issuer {
            return Err(JwtError::Issuer);
        }
        if !claims::audiences(&self.claims)?.contains(&expected.audience) {
            return Err(JwtError::Audience);
        }
        Ok(())
    }

    /// `exp` lies ahead, `nbf` and `iat` do not, each give or take the skew.
    pub(super) fn is_in_time(&self, kind: Kind, now: UnixTime, skew: Duration) -> Result<(), JwtError> {
        let (early, late) = (seconds(now.minus(skew)), seconds(now.plus(skew)));
        let expires = self.date("exp", matches!(kind, Kind::IdToken | Kind::AccessToken | Kind::ClientAssertion))?;
        let issued = self.date("iat", !matches!(kind, Kind::AccessToken | Kind::ClientAssertion))?;
        let begins = self.date("nbf", false)?;
        if expires.is_some_and(|expires| expires <= early) {
            return Err(JwtError::Expired);
        }
        if issued.is_some_and(|issued| issued > late) || begins.is_some_and(|begins| begins > late) {
            return Err(JwtError::NotYetValid);
        }
        Ok(())
    }

    fn date(&self, name: &'static str, required: bool) -> Result<Option<f64>, JwtError> {
        if required { claims::required_date(&self.claims, name).map(Some) } else { claims::date(&self.claims, name) }
    }

    /// The last step: the signature. Who calls it has judged everything else.
    pub(super) fn prove(self, host: &dyn Host, keys: Keys<'_>) -> Result<VerifiedJwt, JwtError> {
        self.jws.check(host, keys)?;
        Ok(VerifiedJwt { algorithm: self.algorithm(), claims: self.claims })
    }

    /// The same, and which key of the set it was.
    pub(super) fn prove_by(&self, host: &dyn Host, keys: &Jwks) -> Result<(VerifiedJwt, Rc<PublicKey>), JwtError> {
        if self.algorithm().is_symmetric() {
            return Err(JwtError::AlgorithmNotAllowed);
        }
        let key = self.jws.signer(host, keys)?;
        Ok((VerifiedJwt { algorithm: self.algorithm(), claims: Rc::clone(&self.claims) }, key))
    }
}

impl Kind {
    /// Whether `typ` may stand on a token of this kind (RFC 7519 §5.1, RFC 8725 §3.11).
    pub(super) fn has_type(self, typ: Option<&str>) -> bool {
        const OTHERS: [&str; 8] = [
            "id_token",
            "logout+jwt",
            "dpop+jwt",
            "token-introspection+jwt",
            "secevent+jwt",
            "oauth-authz-req+jwt",
            "entity-statement+jwt",
            "client-authentication+jwt",
        ];
        match self {
            Self::IdToken => typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT")),
            Self::AccessToken => typ.is_none_or(|typ| !OTHERS.contains(&short_type(typ).as_str())),
            Self::Introspection => typ.is_some_and(|typ| short_type(typ) == "token-introspection+jwt"),
            Self::ClientAssertion => {
                typ.is_none_or(|typ| matches!(short_type(typ).as_str(), "client-authentication+jwt" | "jwt"))
            }
            Self::LogoutToken => typ.is_none_or(|typ| matches!(short_type(typ).as_str(), "logout+jwt" | "jwt")),
        }
    }
}

impl VerifiedJwt {
    /// All claims.
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The algorithm of its signature.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Who vouches for it.
    pub fn issuer(&self) -> &str {
        self.text("iss").unwrap_or_default()
    }

    /// Whom it is about; empty where the kind does not require `sub`.
    pub fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// When it ends, in whole seconds.
    pub fn expires(&self) -> Option<UnixTime> {
        let seconds = claims::date(&self.claims, "exp").ok()??;
        // From 0 to the year 9999, so nothing is lost but the fraction.
        Some(UnixTime::from_secs(seconds as u64))
    }

    /// A claim that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }
}

/// For comparison with a `NumericDate`; exact up to 2^53.
const fn seconds(time: UnixTime) -> f64 {
    time.as_secs() as f64
}

#[cfg(test)]
mod tests;
