//! The keys of sessions.

use super::{Blanks, Kind, NONE, Preset, SPAN, Table, key, printed, said};
use std::time::Duration;

/// Sessions.
pub static SESSION: Table = Table {
    place: printed("session"),
    doc: printed("How sessions are kept: sealed, in the browser's cookies."),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "secrets",
            Kind::Some(&Kind::Secret),
            Preset::Required,
            "The key ring: 32 random bytes or more each, as from `openssl rand -base64 32`. The first seals, all open: \
             a new secret is added last everywhere, then moved first, and the old one is taken out when its sessions \
             are over.",
        ),
        key("cookie", Kind::Section(&COOKIE), NONE, "The session cookie."),
        key("idle", SPAN, Preset::Text("15m"), "A session unused for so long is over."),
        key("absolute", SPAN, Preset::Text("8h"), "A session older than this is over, used or not."),
        key(
            "touch",
            SPAN,
            said("`60s`, or half of `idle` where that is shorter"),
            "How often use is written down; at most half of `idle`.",
        ),
        key(
            "partition",
            Kind::Text,
            Preset::Text("default"),
            "Rules with the same provider, client and partition share a session; two deployments with different \
             partitions never do.",
        ),
        key(
            "budget",
            Kind::Number { least: 4096, most: 65536 },
            Preset::Number(12288),
            "All session cookies together, in bytes.",
        ),
        key(
            "remember",
            Kind::Section(&REMEMBER),
            said("nobody is remembered"),
            "Longer lives for those who ask for them when they log in. All other sessions then end with the browser too.",
        ),
        key(
            "bind",
            Kind::List(&Kind::Choice(&["scheme", "user_agent", "address"])),
            NONE,
            "What a session's cookies are bound to besides: where it differs, they open nothing. `address` is what the \
             host says in `x-envoy-external-address`, else in the last entry of `x-forwarded-for`; people who move \
             between networks lose their sessions by it, and a browser's update ends one bound to `user_agent`.",
        ),
        key(
            "headers",
            Kind::Section(&SESSION_HEADERS),
            NONE,
            "What is told of sessions, by the reference suite's names.",
        ),
        key(
            "keep_claims",
            Kind::List(&Kind::ClaimPath),
            NONE,
            "Claims to keep besides those that a rule reads; all others are left out of the session.",
        ),
        key(
            "refresh",
            Kind::Either(&NEVER, &Kind::Section(&REFRESH)),
            NONE,
            "How tokens are renewed where the provider gave a refresh token; `never` for not at all: then requests go on \
             without an access token when it has ended.",
        ),
        key(
            "accept_older_sessions",
            Kind::Flag,
            Preset::Flag(true),
            "Whether a session is taken that is older than this process, whose deny list began empty. `false`: after a \
             restart everybody logs in anew, and nobody whose session was revoked before comes back.",
        ),
    ],
};

static NEVER: Kind = Kind::Choice(&["never"]);
/// A length of time that may be none.
const PAUSE: Kind = Kind::Duration { least: Duration::ZERO, most: Duration::from_secs(86_400) };

/// The renewal of tokens.
pub static REFRESH: Table = Table {
    place: printed("session.refresh"),
    doc: printed(
        "How a session's tokens are renewed (RFC 6749 §6): once for all tabs, requests and workers of a host. Its workers \
          tell each other in shared data, sealed, in 4096 slots of at most four sessions each; what a session takes there \
          is about what it takes in its cookies, until the browser has shown the new one.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "before",
            PAUSE,
            Preset::Text("60s"),
            "How long before the access token ends it is renewed, beside a request that still goes on with it; at the \
             earliest after half of its life. `0s` for when it has ended, while the request waits.",
        ),
        key("jitter", PAUSE, Preset::Text("20s"), "How much earlier still, at most: each session has its own share."),
        key(
            "grace",
            PAUSE,
            said("`30s`, or `idle` where that is shorter"),
            "How long the old cookie works after the browser has shown the new one. Until then it works as long as the \
             session lives.",
        ),
        key("assumed_lifetime", SPAN, Preset::Text("5m"), "The life of an access token whose answer says none."),
        key(
            "backoff",
            Kind::Duration { least: Duration::from_secs(1), most: Duration::from_secs(3600) },
            Preset::Text("5s"),
            "How long a try that failed is not repeated.",
        ),
    ],
};

static REMEMBER: Table = Table {
    place: printed("session.remember"),
    doc: printed("Longer lives for those who ask for them when they log in; their cookie outlives the browser."),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "parameter",
            Kind::Text,
            Preset::Text("remember"),
            "The query parameter by which the request that begins a login asks for it, with `1`, `true` or `on`.",
        ),
        key(
            "cookie",
            Kind::Text,
            said("`session.cookie.name` with `-remember`"),
            "The first part of the cookie's name; it begins with `session.cookie.name` and `-`.",
        ),
        key("idle", SPAN, Preset::Text("7d"), "Such a session unused for so long is over."),
        key("absolute", SPAN, Preset::Text("30d"), "Such a session older than this is over, used or not."),
    ],
};

static FACT: Kind = Kind::Choice(&["id", "subject", "timeout", "idle", "absolute"]);

static SESSION_HEADERS: Table = Table {
    place: printed("session.headers"),
    doc: printed(
        "What is told of a session: `id` as `Session-Id`, which is no credential, `subject` as `Session-Subject`, and in how \
          many seconds it ends as `Session-Timeout`, for want of use as `Session-Idling-Timeout`, used or not as \
          `Session-Absolute-Timeout`. No client can set these headers itself.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("request", Kind::List(&FACT), NONE, "To the service."),
        key("response", Kind::List(&FACT), NONE, "To the client."),
    ],
};

/// The session cookie.
pub static COOKIE: Table = Table {
    place: printed("session.cookie"),
    doc: printed(
        "The session cookie. It is always `HttpOnly`, and `Secure` unless `redirect_uri` is `http` on loopback.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "name",
            Kind::Text,
            said(
                "`__Host-oidc`; with `domain` or a `path` of its own `__Secure-oidc`; where a `redirect_uri` is `http` \
                 on loopback `oidc`",
            ),
            "The name's first part; a short hash of issuer, client and partition follows it.",
        ),
        key(
            "same_site",
            Kind::Choice(&["Lax", "Strict", "None"]),
            Preset::Text("Lax"),
            "Whether it is sent along from other sites' pages.",
        ),
        key("domain", Kind::Text, NONE, "For a whole domain instead of one host; never with `__Host-`."),
        key("path", Kind::Text, Preset::Text("/"), "For which paths; `/` with `__Host-`."),
    ],
};
