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
    /// Whether a session is taken that is older than the deny list, which may once have named it.
    pub accept_older_sessions: bool,
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
