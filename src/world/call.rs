//! One request to a provider, and what comes back.

use crate::words::{Secret, json};
use std::time::Duration;

/// Which endpoint of a provider is called; names metrics and log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// The metadata document (OIDC Discovery §4).
    Discovery,
    /// The key set (RFC 7517 §5).
    Jwks,
    /// The token endpoint (RFC 6749 §3.2).
    Token,
    /// The userinfo endpoint (OIDC Core §5.3).
    Userinfo,
    /// A rate limit service, which is no provider's.
    RateLimit,
    /// The introspection endpoint (RFC 7662 §2).
    Introspection,
    /// The revocation endpoint (RFC 7009 §2).
    Revocation,
    /// The store that several hosts share.
    Store,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 8] = [
        Self::Discovery,
        Self::Jwks,
        Self::Token,
        Self::Userinfo,
        Self::Introspection,
        Self::Revocation,
        Self::RateLimit,
        Self::Store,
    ];

    /// The name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Token => "token",
            Self::Userinfo => "userinfo",
            Self::RateLimit => "rate_limit",
            Self::Introspection => "introspection",
            Self::Revocation => "revocation",
            Self::Store => "store",
        }
    }
}

/// A request to a provider, ready to go out.
#[derive(Clone, Debug)]
pub struct ProviderRequest {
    /// What is called.
    pub endpoint: Endpoint,
    /// The host's name for where it goes.
    pub cluster: String,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Host and, where not the scheme's own, port.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Further header fields; values may be secret.
    pub headers: Vec<(String, Secret)>,
    /// The body; empty for none.
    pub body: Secret,
    /// How long to wait for the whole answer.
    pub timeout: Duration,
    /// How large an answer may be, in bytes.
    pub limit: usize,
}

/// A provider's answer, not yet judged.
#[derive(Clone, Debug, Default)]
pub struct ProviderResponse {
    /// The status code.
    pub status: u16,
    /// `content-type`, as sent.
    pub content_type: Option<String>,
    /// `cache-control`, as sent.
    pub cache_control: Option<String>,
    /// `grpc-status`, from the trailers or, where there is nothing else, the header fields; only of gRPC answers.
    pub grpc_status: Option<String>,
    /// The body, at most as large as the request allowed.
    pub body: Vec<u8>,
}

impl ProviderResponse {
    /// Whether the media type is `essence`, parameters aside (RFC 9110 §8.3.1).
    pub fn is(&self, essence: &str) -> bool {
        let sent = self.content_type.as_deref().unwrap_or_default();
        let (sent, _) = sent.split_once(';').unwrap_or((sent, ""));
        sent.trim().eq_ignore_ascii_case(essence)
    }

    /// The body as one JSON object (RFC 8259), whatever the status.
    pub fn json(&self) -> Result<json::Object, json::JsonError> {
        json::object(&self.body)
    }
}

/// Why there is no answer. None of these is the provider's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The host does not know the cluster.
    UnknownCluster,
    /// Too many calls are under way.
    Busy,
    /// No connection, a reset, or no answer in time.
    NoAnswer,
    /// The answer is larger than the request allows.
    TooLarge,
}
