//! What is remembered of providers and tokens, as configured. All of it is per worker.

use std::time::Duration;

/// How much is remembered, and for how long.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Key sets.
    pub keys: KeysCache,
    /// How long a provider's metadata need not be asked for again.
    pub metadata_refresh: Duration,
    /// Verified JWT access tokens.
    pub tokens: Bounds,
    /// What providers said of tokens at introspection.
    pub introspection: Bounds,
    /// What providers said of people at userinfo, who showed an access token.
    pub userinfo: Bounds,
    /// Tokens that callers' credentials were traded for.
    pub grants: GrantsCache,
    /// How long a provider's word that a token is not active is remembered, at introspection and at userinfo.
    pub negative: Duration,
}

/// When a key set is asked for again.
#[derive(Clone, Copy, Debug)]
pub struct KeysCache {
    /// At least so long between two fetches that nobody's schedule asked for.
    pub refetch: Duration,
    /// The shortest life of a set, whatever the provider's cache headers say.
    pub floor: Duration,
    /// The longest.
    pub ceiling: Duration,
}

/// How long tokens for callers' credentials are used again.
#[derive(Clone, Copy, Debug)]
pub struct GrantsCache {
    /// How many, of 2 KiB each; a larger one counts as several.
    pub entries: usize,
    /// How long before its end a token is no longer used.
    pub margin: Duration,
    /// How long it is remembered that a credential was wrong.
    pub negative: Duration,
}

/// The bound of one cache.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many entries, of 2 KiB each; a larger one counts as several.
    pub entries: usize,
    /// How long an entry is good at most.
    pub max_age: Duration,
}
