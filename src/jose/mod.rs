//! JOSE: key sets, signed tokens, and what makes them believed (RFC 7515, 7517, 7518, 7519, 8037, 8725).
//!
//! A token is [`Untrusted`] until [`verify`] or [`verify_id_token`] has made a [`VerifiedJwt`] of it. Framing is our
//! own, for it is stricter than the RFCs must be: one spelling of base64url, no duplicate members, no `crit`.

mod access_token;
pub mod base64url;
pub mod claims;
mod der;
mod digest;
mod ecdsa;
mod error;
mod id_token;
mod jwk;
mod jwks;
mod jws;
mod jwt;
mod logout_token;
pub mod montgomery;
mod pem;
mod private_key;
mod rsa;
mod rsa_private;
pub mod signature;
#[cfg(test)]
pub mod testing;

pub use access_token::{ExpectedAccessToken, Unproven, judge_access_token, names_another_kind, scope, subject};
pub use error::JwtError;
pub use id_token::{Authentication, ExpectedIdToken, Nonce, verify_id_token};
pub use jwk::{KeyRefused, PublicKey};
pub use jwks::{Jwks, JwksError};
pub use jws::{Jws, Keys, MAX_TOKEN, has_form};
pub use jwt::{Expected, Kind, Untrusted, VerifiedJwt, verify};
pub use logout_token::{LogoutToken, LogoutTokenRules, OLDEST as OLDEST_LOGOUT_TOKEN, verify_logout_token};
pub use private_key::{PrivateKey, Unusable};
pub use signature::mac;
