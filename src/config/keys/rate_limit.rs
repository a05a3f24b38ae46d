//! The keys of a rate limit.

use super::{Blanks, Key, Kind, NONE, Preset, SOURCE, Table, key, printed, said};
use crate::config::rate_limit::MOST;
use std::time::Duration;

/// The key of a rule.
pub const RATE_LIMIT_KEY: Key = key(
    "rate_limit",
    Kind::Section(&RATE_LIMIT),
    NONE,
    "How often each caller may come. Not for a rule that looks at no identity.",
);

const LIMIT: Kind = Kind::Number { least: 1, most: MOST as u64 };

/// How often each caller may come.
pub static RATE_LIMIT: Table = Table {
    place: printed("rules[].rate_limit"),
    doc: printed(
        "How often each caller may come: a bucket per rule and caller, which holds `burst` requests and refills at the \
          limit. Who has spent it gets 429 with `Retry-After`. The workers of one host count together, as far as it has shared \
          data, else each by itself; several hosts count together through a `service`. A host knows 65536 callers that \
          have spent something; of more, those are forgotten that have spent the least. A caller without the claim is counted as its client, one without a client \
          with all such callers of the rule; strangers (`allow: optional`) have one bucket between them.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "by",
            Kind::ClaimPath,
            Preset::Words(&["sub"]),
            "The claim that tells callers apart: text, a number or a truth value.",
        ),
        key(
            "source",
            SOURCE,
            Preset::Text("any"),
            "Who says `by` and `limit_claim`; `any`: whoever has the claim, in this order.",
        ),
        key(
            "limit_claim",
            Kind::ClaimPath,
            NONE,
            "A claim that has the limit, where it is a whole number from 1 to 10000000.",
        ),
        key(
            "default",
            LIMIT,
            said("needed, but with a `service` that knows its limits"),
            "The limit where no claim has one.",
        ),
        key(
            "per",
            Kind::Choice(&["second", "minute", "hour", "day"]),
            said("needed beside `default`"),
            "The time that the limit is for.",
        ),
        key("burst", LIMIT, said("the limit"), "How many requests may come at once after a rest."),
        key(
            "headers",
            Kind::Flag,
            Preset::Flag(true),
            "Whether clients see what is left to them, in `RateLimit` and `RateLimit-Policy` \
             (draft-ietf-httpapi-ratelimit-headers-10), in place of what the service says there.",
        ),
        key("service", Kind::Section(&RATE_LIMIT_SERVICE), NONE, "A service that counts for several hosts."),
    ],
};

/// A service that counts.
pub static RATE_LIMIT_SERVICE: Table = Table {
    place: printed("rules[].rate_limit.service"),
    doc: printed(
        "A service that speaks Envoy's rate limit protocol (`envoy.service.ratelimit.v3.RateLimitService`). It is asked \
          for each request with one descriptor: `rule`, the rule's name; `key`, who calls: the claim's value, else the \
          client's, else `unnamed`, and `stranger` for all without identity. Where the rule has a limit it is sent along \
          and wins over the service's own.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("cluster", Kind::Text, Preset::Required, "The host's cluster for it, which speaks HTTP/2."),
        key("authority", Kind::Text, Preset::Text("ratelimit"), "What it is addressed as."),
        key("domain", Kind::Text, Preset::Required, "The domain of its configuration."),
        key("key", Kind::Text, Preset::Text("key"), "The descriptor's key for the caller."),
        key(
            "timeout",
            Kind::Duration { least: Duration::from_millis(1), most: Duration::from_secs(60) },
            Preset::Text("200ms"),
            "How long it may take.",
        ),
        key(
            "on_failure",
            Kind::Choice(&["allow", "deny"]),
            Preset::Text("deny"),
            "What becomes of a request when it does not answer: `allow`, it passes uncounted; `deny`, 503.",
        ),
    ],
};
