//! The outermost keys.

use super::{
    Blanks, CACHE, CONSUMER, DEFAULTS, GATEWAY_TOKENS, Key, Kind, NONE, OPERATOR, PROVIDER, Preset, REVOCATION, RULE,
    SESSION, STORE, Table, key, printed, said,
};

/// The whole configuration.
pub static TOP: Table = Table {
    place: printed("The whole"),
    doc: printed("One JSON object; in the files of Envoy and Istio it is written as YAML."),
    blanks: Blanks::Unset,
    keys: KEYS,
};

static EACH_PROVIDER: Kind = Kind::Section(&PROVIDER);
static EACH_CONSUMER: Kind = Kind::Section(&CONSUMER);
static EACH_RULE: Kind = Kind::Section(&RULE);

const KEYS: &[Key] = &[
    key(
        "bodies",
        Kind::Choice(&["unreadable", "readable"]),
        Preset::Text("unreadable"),
        "Whether the host lets this instance read request bodies. The gate in front of all traffic does not; a second \
         instance with the same configuration and `readable` serves the endpoints that read one (`form_post`).",
    ),
    key("providers", Kind::Map(&EACH_PROVIDER), NONE, "The identity providers, each under a name."),
    key(
        "defaults",
        Kind::Section(&DEFAULTS),
        NONE,
        "What every rule has unless it says otherwise: maps merge, lists and values replace, `null` unsets, and \
         `require` only ever adds.",
    ),
    key(
        "rules",
        Kind::Some(&EACH_RULE),
        said("one rule, `everything`, that needs a login"),
        "The first rule that matches a request decides; a request that none matches is denied.",
    ),
    key(
        "consumers",
        Kind::List(&EACH_CONSUMER),
        NONE,
        "The applications and people that the gateway knows by name, for rules with `consumer`.",
    ),
    key(
        "gateway_tokens",
        Kind::Section(&GATEWAY_TOKENS),
        NONE,
        "Tokens that the filter itself issues, for jobs that have no identity provider.",
    ),
    key("session", Kind::Section(&SESSION), NONE, "How sessions are kept; needed as soon as a rule uses them."),
    key(
        "store",
        Kind::Section(&STORE),
        NONE,
        "Where several hosts keep sessions, what was revoked and what providers said of tokens.",
    ),
    key("revocation", Kind::Section(&REVOCATION), NONE, "What was revoked before its end."),
    key("operator", Kind::Section(&OPERATOR), NONE, "An endpoint for those who run this."),
    key("cache", Kind::Section(&CACHE), NONE, "What is remembered, and for how long."),
    key("observability", Kind::Section(&OBSERVABILITY), NONE, "What operators see."),
];

/// What operators see.
pub static OBSERVABILITY: Table = Table {
    place: printed("observability"),
    doc: printed("What operators see."),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "reason_header",
            Kind::Text,
            NONE,
            "Name of a response header that carries the reason code of an answer that the filter gave.",
        ),
        key(
            "log",
            Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
            Preset::Text("info"),
            "The least severe level that is written to the host's log. No level writes secrets.",
        ),
    ],
};
