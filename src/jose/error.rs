//! Why a token is not accepted: one name for each check.

use std::fmt;

/// The check that a token did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JwtError {
    /// It is not a JWS in compact serialization with an object for a header, or no JWT (RFC 7515 §3.1, RFC 7519 §7.2).
    Malformed,
    /// The token or its header is larger than any that we take.
    TooLarge,
    /// It is signed with an algorithm that is not expected, or not signed (RFC 8725 §3.1).
    AlgorithmNotAllowed,
    /// The header demands an extension, and we have none (RFC 7515 §4.1.11, RFC 7797).
    Critical,
    /// It is of another kind by its `typ` (RFC 8725 §3.11).
    Type,
    /// `iss` is another issuer's.
    Issuer,
    /// `aud` does not name us, or names somebody whom we do not trust (OIDC Core §3.1.3.7, 3).
    Audience,
    /// `azp` is missing beside several audiences, or not us (OIDC Core §3.1.3.7, 4 and 5).
    AuthorizedParty,
    /// A claim that must be there is missing.
    ClaimMissing(&'static str),
    /// A claim is of a wrong JSON type, or outside what its definition allows.
    ClaimType(&'static str),
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// `nonce` is missing or not the one that was sent.
    Nonce,
    /// The user authenticated longer ago than was asked for (OIDC Core §3.1.2.1, `max_age`).
    AuthenticationTooOld,
    /// `at_hash` does not fit the access token.
    AccessTokenHash,
    /// No key fits `alg` and `kid`, while everything else would do: a fresh key set may have it.
    KeyUnknown,
    /// The shared secret is shorter than the hash (RFC 7518 §3.2).
    SecretTooShort,
    /// The signature is wrong.
    Signature,
}

impl fmt::Display for JwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a signed JWT in compact form",
            Self::TooLarge => "larger than any token that is taken",
            Self::AlgorithmNotAllowed => "`alg` is not one that is expected",
            Self::Critical => "the header demands an extension (`crit`, `b64`)",
            Self::Type => "`typ` is that of another kind of token",
            Self::Issuer => "`iss` is not the issuer",
            Self::Audience => "`aud` does not name us alone",
            Self::AuthorizedParty => "`azp` is missing or not us",
            Self::ClaimMissing(name) => return write!(f, "`{name}` is missing"),
            Self::ClaimType(name) => return write!(f, "`{name}` is of a wrong type or out of range"),
            Self::Expired => "`exp` has passed",
            Self::NotYetValid => "`nbf` or `iat` lies in the future",
            Self::Nonce => "`nonce` is not the one that was sent",
            Self::AuthenticationTooOld => "`auth_time` is longer ago than `max_age`",
            Self::AccessTokenHash => "`at_hash` does not fit the access token",
            Self::KeyUnknown => "no key fits `alg` and `kid`",
            Self::SecretTooShort => "the client secret is shorter than the hash",
            Self::Signature => "the signature is wrong",
        })
    }
}

impl std::error::Error for JwtError {}
