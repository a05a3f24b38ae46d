//! The deny list, as configured.

use std::time::Duration;

/// How much that was revoked is remembered, and for how long.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// How many names at most, on one host.
    pub entries: usize,
    /// For how long; at least as long as any session or token lives.
    pub max_age: Duration,
    /// Whether access tokens that callers bring are looked up in it.
    pub tokens: bool,
}
