//! The keys of what was revoked.

use super::{Blanks, Kind, Preset, SPAN, Table, key, printed};

/// The deny list.
pub static REVOCATION: Table = Table {
    place: printed("revocation"),
    doc: printed(
        "What was revoked before its end, sessions and access tokens, is remembered by all workers of the host, as keyed \
          hashes. Without `store` it is forgotten with the process.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "entries",
            Kind::Number { least: 100, most: 1_000_000 },
            Preset::Number(100_000),
            "How many names at most; beyond that the oldest are forgotten, and counted. They take 32 bytes each in the \
             host, and about 100 in each worker.",
        ),
        key(
            "max_age",
            SPAN,
            Preset::Text("24h"),
            "For how long; at least as long as a session can live, which is also what holds without this key.",
        ),
        key(
            "tokens",
            Kind::Flag,
            Preset::Flag(false),
            "Whether access tokens that callers bring are looked up in it too: by `jti`, `sid`, `sub` and client. A token \
             of which nobody says when it was issued counts as older than any revocation.",
        ),
    ],
};
