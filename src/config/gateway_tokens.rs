//! Tokens that the gateway itself issues, as configured.

use super::GuessLimit;
use crate::http::Url;
use crate::words::Secret;
use std::time::Duration;

/// Who gets which tokens of ours, and where.
#[derive(Clone, Debug)]
pub struct GatewayTokens {
    /// The issuer as it was written: compared byte for byte.
    pub issuer: String,
    /// Where that leads; the endpoints are on its host.
    pub url: Url,
    /// The token endpoint's path.
    pub path: String,
    /// The revocation endpoint's path (RFC 7009).
    pub revocation_path: Option<String>,
    /// The introspection endpoint's path (RFC 7662).
    pub introspection_path: Option<String>,
    /// What seals the tokens: the first seals, all open.
    pub secrets: Vec<Secret>,
    /// How long a token lives.
    pub lifetime: Duration,
    /// How many wrong secrets a client may show.
    pub guess_limit: GuessLimit,
    /// The clients, no two of one name.
    pub clients: Vec<GatewayClient>,
}

impl GatewayTokens {
    /// The paths that are there, with the keys that say them.
    pub fn paths(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let optional = [
            ("revocation_path", self.revocation_path.as_deref()),
            ("introspection_path", self.introspection_path.as_deref()),
        ];
        let optional = optional.into_iter().filter_map(|(key, path)| Some((key, path?)));
        std::iter::once(("path", self.path.as_str())).chain(optional)
    }
}

/// A client of the gateway's own.
#[derive(Clone, Debug)]
pub struct GatewayClient {
    /// Its name.
    pub client_id: String,
    /// Any of which its secret may have.
    pub secrets: Vec<SecretHash>,
    /// Its public keys, as JSON.
    pub jwks: Option<String>,
    /// What it may ask for.
    pub scope: Vec<String>,
    /// Whom its tokens are for.
    pub audience: Vec<String>,
    /// The username of the consumer that it is.
    pub consumer: Option<String>,
    /// Whether it may introspect others' tokens.
    pub introspects: bool,
}

/// What is known of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretHash {
    /// Its SHA-256: only for one that nobody can guess.
    Sha256([u8; 32]),
    /// Its PBKDF2 with HMAC-SHA-256 (RFC 8018 §5.2).
    Pbkdf2 {
        /// How often it is hashed.
        rounds: u32,
        /// What makes equal secrets differ.
        salt: Vec<u8>,
        /// What comes out.
        hash: [u8; 32],
    },
}
