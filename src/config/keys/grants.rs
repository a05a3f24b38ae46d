//! The keys of a rule about callers' credentials that are traded for tokens.

use super::{Blanks, Key, Kind, NONE, Preset, Table, key, printed, said};
use crate::config::MOST_PER_PERIOD;

/// The key of a rule.
pub const GRANTS_KEY: Key = key(
    "grants",
    Kind::Section(&GRANTS),
    said("the provider's own scope"),
    "What is asked for with a refresh token, a password or client credentials.",
);

/// The key of a rule.
pub const GUESS_LIMIT_KEY: Key = key(
    "guess_limit",
    Kind::Section(&GUESS_LIMIT),
    said("10 for a name and 100 for an address, per minute"),
    "How many wrong secrets a client may show.",
);

/// What is asked for.
pub static GRANTS: Table = Table {
    place: printed("rules[].grants"),
    doc: printed(
        "What the provider is asked for with a caller's refresh token, password or client credentials. Tokens are \
          remembered under a keyed hash of the credential and of all that stands here, so that the provider is asked once.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "scope",
            Kind::Text,
            NONE,
            "The scope, values separated by spaces (RFC 6749 §3.3). Without one the provider chooses; with a refresh token \
             it must not be wider than what was granted.",
        ),
        key("params", Kind::Map(&Kind::Text), NONE, "Added to these token requests, such as `audience` or `resource`."),
        key(
            "return_refresh_token",
            Kind::Text,
            NONE,
            "The name of a response header in which a refresh token goes back to the caller that has taken the place of the \
             one that was sent. Without it a provider that rotates refresh tokens makes callers' tokens worthless at their \
             first use here: the new one is lost. The load says so in the log.",
        ),
    ],
};

const LIMIT: Kind = Kind::Number { least: 1, most: MOST_PER_PERIOD as u64 };

/// How many wrong secrets.
pub static GUESS_LIMIT: Table = Table {
    place: printed("rules[].guess_limit"),
    doc: printed(
        "How many wrong secrets a client may show before it gets 429 with `Retry-After`, over all workers of the host. A \
          name is counted together with the address that it is guessed from, so that nobody can lock out a user from \
          elsewhere; guesses at one name from many addresses are the provider's to notice. What is known to be right passes \
          all the time, and what is known to be wrong (`cache.grants.negative`) counts once. Addresses are those that the \
          host gives (`source.address`; in Envoy by `use_remote_address` and `xff_num_trusted_hops`), IPv6 by networks of \
          64 bits. Rules with the same provider and period count together.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("per_user", LIMIT, Preset::Number(10), "For one user name or client id from one address."),
        key("per_address", LIMIT, Preset::Number(100), "From one address, refresh tokens too."),
        key(
            "per",
            Kind::Choice(&["second", "minute", "hour", "day"]),
            Preset::Text("minute"),
            "The time that both are for.",
        ),
    ],
};
