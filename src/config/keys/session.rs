//! The keys of sessions.

use super::{Blanks, Kind, NONE, Preset, SPAN, Table, key};

/// Sessions.
pub static SESSION: Table = Table {
    place: "session",
    doc: "How sessions are kept: sealed, in the browser's cookies.",
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
            Preset::Said("`60s`, or half of `idle` where that is shorter"),
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
            "keep_claims",
            Kind::List(&Kind::ClaimPath),
            NONE,
            "Claims to keep besides those that a rule reads; all others are left out of the session.",
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

/// The session cookie.
pub static COOKIE: Table = Table {
    place: "session.cookie",
    doc: "The session cookie. It is always `HttpOnly`, and `Secure` unless `redirect_uri` is `http` on loopback.",
    blanks: Blanks::Unset,
    keys: &[
        key(
            "name",
            Kind::Text,
            Preset::Said(
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
