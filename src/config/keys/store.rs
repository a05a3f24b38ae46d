//! The keys of the store.

use super::{Blanks, Kind, NONE, Preset, Table, key, printed};
use std::time::Duration;

/// What several hosts keep together.
pub static STORE: Table = Table {
    place: printed("store"),
    doc: printed(
        "Where several hosts keep sessions, what was revoked and what providers said of tokens. All of it is sealed with \
          `session.secrets`, under names that tell nothing.",
    ),
    blanks: Blanks::Refused,
    keys: &[key(
        "redis_http",
        Kind::Section(&REDIS_HTTP),
        Preset::Required,
        "Redis behind Webdis, or another server of that form.",
    )],
};

/// Redis, over HTTP.
pub static REDIS_HTTP: Table = Table {
    place: printed("store.redis_http"),
    doc: printed(
        "Redis 5 or later behind Webdis: a command is the body of a `POST`, its words apart by `/`, and the answer is \
          JSON. The commands are `MGET`, `SET`, `DEL`, `PEXPIRE`, `PTTL`, `LPUSH`, `LRANGE` and `LTRIM`; no others need be \
          allowed there.",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key("cluster", Kind::Text, Preset::Required, "The host's cluster for it."),
        key("authority", Kind::Text, Preset::Text("webdis"), "What it is addressed as."),
        key("path_prefix", Kind::Text, Preset::Text("/"), "The path that commands are posted to."),
        key(
            "prefix",
            Kind::Text,
            Preset::Text("oidc:"),
            "What every name in Redis begins with: letters, digits, `:`, `-` and `_`.",
        ),
        key(
            "timeout",
            Kind::Duration { least: Duration::from_millis(1), most: Duration::from_secs(10) },
            Preset::Text("200ms"),
            "How long an answer may take.",
        ),
        key(
            "on_failure",
            Kind::Choice(&["deny", "local"]),
            Preset::Text("deny"),
            "What holds while it does not answer. `deny`: requests that need it get 503 `store_unavailable`. `local`: what \
             this worker knows: its sessions go on, others count as none, new ones are kept whole in their cookies, and \
             what was revoked elsewhere meanwhile is not known here.",
        ),
        key("headers", Kind::Map(&Kind::Secret), NONE, "Header fields of each call, such as `authorization`."),
    ],
};
