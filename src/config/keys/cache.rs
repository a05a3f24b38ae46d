//! The keys of what is remembered.

use super::{Blanks, Kind, NONE, Preset, SPAN, Table, key, printed};
use std::time::Duration;

/// What is remembered.
pub static CACHE: Table = Table {
    place: printed("cache"),
    doc: printed(
        "What is remembered of providers and tokens, by each worker for itself; answers of introspection and userinfo \
          also by all workers of the host, sealed, and tokens for callers' credentials likewise. Credentials themselves are \
          not kept, only keyed hashes of them.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("keys", Kind::Section(&KEYS), NONE, "When key sets are asked for again."),
        key("metadata", Kind::Section(&METADATA), NONE, "When providers' metadata are asked for again."),
        key("tokens", Kind::Section(&TOKENS), NONE, "JWT access tokens that were verified."),
        key("introspection", Kind::Section(&INTROSPECTION), NONE, "Answers of introspection endpoints (RFC 7662 §4)."),
        key("userinfo", Kind::Section(&USERINFO), NONE, "Answers of userinfo endpoints to access tokens."),
        key(
            "grants",
            Kind::Section(&GRANTS),
            NONE,
            "Tokens for refresh tokens, passwords and client credentials that callers bring.",
        ),
    ],
};

static KEYS: Table = Table {
    place: printed("cache.keys"),
    doc: printed("When key sets are asked for again. The last good one serves while the provider is down."),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "refetch",
            Kind::Duration { least: Duration::from_secs(1), most: Duration::from_secs(3600) },
            Preset::Text("30s"),
            "At least so long between two fetches because a token names an unknown key; anybody can make such tokens.",
        ),
        key(
            "floor",
            SPAN,
            Preset::Text("5m"),
            "The shortest life of a set, whatever the provider's cache headers say.",
        ),
        key("ceiling", SPAN, Preset::Text("24h"), "The longest."),
    ],
};

static METADATA: Table = Table {
    place: printed("cache.metadata"),
    doc: printed("When providers' metadata are asked for again. The last good ones serve while the provider is down."),
    blanks: Blanks::Unset,
    keys: &[key("refresh", SPAN, Preset::Text("1h"), "After so long.")],
};

/// How many entries a cache may have.
const ENTRIES: Kind = Kind::Number { least: 2, most: 1_000_000 };
const ENTRIES_DOC: &str =
    "How many at most, on each worker. Memory for 2 KiB each is the bound; a larger one counts as several.";
/// How long an answer may be good; at once over is no cache.
const AGE: Kind = Kind::Duration { least: Duration::ZERO, most: Duration::from_secs(86_400) };

static TOKENS: Table = Table {
    place: printed("cache.tokens"),
    doc: printed(
        "JWT access tokens that were verified. One is forgotten at its `exp`, and as soon as the key that verified it is \
          not published any more.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("entries", ENTRIES, Preset::Number(10_000), ENTRIES_DOC),
        key("max_age", AGE, Preset::Text("5m"), "For how long at most; `0s` verifies each time."),
    ],
};

static INTROSPECTION: Table = Table {
    place: printed("cache.introspection"),
    doc: printed("Answers of introspection endpoints. A token that is revoked works until its answer is forgotten."),
    blanks: Blanks::Unset,
    keys: &[
        key("entries", ENTRIES, Preset::Number(10_000), ENTRIES_DOC),
        key(
            "max_age",
            AGE,
            Preset::Text("60s"),
            "For how long at most, never past the token's `exp`; `0s` asks each time.",
        ),
        key(
            "negative",
            AGE,
            Preset::Text("10s"),
            "For how long the word is remembered that a token is not active; at userinfo too.",
        ),
    ],
};

static USERINFO: Table = Table {
    place: printed("cache.userinfo"),
    doc: printed(
        "Answers of userinfo endpoints to access tokens. They say nothing of the token's end, so that `max_age` alone \
          bounds them.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("entries", ENTRIES, Preset::Number(2_000), ENTRIES_DOC),
        key("max_age", AGE, Preset::Text("5m"), "For how long at most; `0s` asks each time."),
    ],
};

static GRANTS: Table = Table {
    place: printed("cache.grants"),
    doc: printed(
        "Tokens for refresh tokens, passwords and client credentials that callers bring. A credential that the provider no \
          longer takes works here until its token ends; with `enrich: [introspection]` on the rule, until the provider says \
          that the token is not active.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("entries", ENTRIES, Preset::Number(2_000), ENTRIES_DOC),
        key(
            "margin",
            AGE,
            Preset::Text("10s"),
            "How long before its end a token is no longer used. One that says no end counts as one of five minutes.",
        ),
        key("negative", AGE, Preset::Text("10s"), "For how long it is remembered that a credential is wrong."),
    ],
};
