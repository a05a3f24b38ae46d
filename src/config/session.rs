//! Sessions, as configured.

pub use crate::http::cookie::SameSite;
use crate::words::{ClaimPath, Secret};
use std::time::Duration;

/// How sessions are kept.
#[derive(Clone, Debug)]
pub struct Session {
    /// The key ring: the first seals, all open. At least 32 bytes each.
    pub secrets: Vec<Secret>,
    /// The cookie.
    pub cookie: CookieSettings,
    /// A session unused for so long is over.
    pub idle: Duration,
    /// A session older than this is over.
    pub absolute: Duration,
    /// How often use is written down; at most half of `idle`.
    pub touch: Duration,
    /// Rules with the same provider, client and partition share a session.
    pub partition: String,
    /// All cookies together, in bytes.
    pub budget: usize,
    /// Claims to keep besides those that a rule reads.
    pub keep_claims: Vec<ClaimPath>,
    /// How its tokens are renewed.
    pub refresh: Refresh,
}

/// How a session's tokens are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// Whether they are.
    pub is_on: bool,
    /// How long before the access token ends; zero for when it has ended.
    pub before: Duration,
    /// How much earlier still, at most; each session has its own share of it.
    pub jitter: Duration,
    /// How long the old cookie works after the new one was seen.
    pub grace: Duration,
    /// The life of an access token that says none.
    pub assumed_lifetime: Duration,
    /// How long a try that failed is not repeated.
    pub backoff: Duration,
}

/// The session cookie.
#[derive(Clone, Debug)]
pub struct CookieSettings {
    /// The name's first part, prefix (`__Host-`, `__Secure-`) included. Where a `redirect_uri` is `http`, which is on
    /// loopback alone, it has no prefix, and the cookie cannot be `Secure`.
    pub name: String,
    /// Sent along from other sites' pages?
    pub same_site: SameSite,
    /// For a whole domain; never with `__Host-`.
    pub domain: Option<String>,
    /// For which paths.
    pub path: String,
}
