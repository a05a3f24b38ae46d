//! The keys of tokens that the gateway itself issues.

use super::{Blanks, GUESS_LIMIT, Kind, NONE, Preset, Table, key, printed, said};
use std::time::Duration;

static EACH_SECRET: Kind = Kind::Secret;
static EACH_CLIENT: Kind = Kind::Section(&GATEWAY_CLIENT);

/// Tokens that the gateway itself issues.
pub static GATEWAY_TOKENS: Table = Table {
    place: printed("gateway_tokens"),
    doc: printed(
        "Tokens that the filter itself issues to configured clients (RFC 6749 §4.4), for jobs that have no identity provider. \
          They are opaque and sealed; rules with the method `gateway_token` open them with no call. The endpoints read bodies: \
          route their paths to an instance with `bodies: readable`. Where there is a provider, use that: it knows more of its \
          clients than a list in a file.",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key(
            "issuer",
            Kind::Text,
            Preset::Required,
            "Who issues them: the URL of this host, `https` but on loopback. The endpoints below are served there, and so is \
             their metadata (RFC 8414), at `/.well-known/oauth-authorization-server`.",
        ),
        key("path", Kind::Text, Preset::Required, "The token endpoint's path."),
        key(
            "revocation_path",
            Kind::Text,
            NONE,
            "The path of an endpoint where clients revoke their tokens (RFC 7009).",
        ),
        key(
            "introspection_path",
            Kind::Text,
            NONE,
            "The path of an endpoint that tells what a token is (RFC 7662): its own to each client, and all to those that say \
             `introspect`.",
        ),
        key(
            "secrets",
            Kind::Some(&EACH_SECRET),
            Preset::Required,
            "Seal the tokens; 32 bytes or more each. The first seals, all open: a new one is first added last everywhere, then \
             moved first, and the old one goes once its tokens have ended.",
        ),
        key(
            "lifetime",
            Kind::Duration { least: Duration::from_secs(60), most: Duration::from_secs(86_400) },
            Preset::Text("1h"),
            "How long a token lives.",
        ),
        key(
            "guess_limit",
            Kind::Section(&GUESS_LIMIT),
            said("10 for a name and 100 for an address, per minute"),
            "How many wrong secrets a client may show, as in a rule.",
        ),
        key("clients", Kind::Some(&EACH_CLIENT), Preset::Required, "Who gets tokens."),
    ],
};

/// A client of the gateway's own.
pub static GATEWAY_CLIENT: Table = Table {
    place: printed("gateway_tokens.clients[]"),
    doc: printed(
        "A client of the gateway's own. It shows a secret, or signs with its key; where both `client_secret` and \
          `client_secret_hash` stand, either will do, so that one may replace the other.",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key("client_id", Kind::Text, Preset::Required, "Its name."),
        key("client_secret", Kind::Secret, NONE, "Its secret, 32 random bytes or more, as text or `{ env: NAME }`."),
        key(
            "client_secret_hash",
            Kind::Text,
            NONE,
            "A hash of its secret. `sha256:HEX` for one that is random and 32 bytes or more; \
             `pbkdf2-sha256:ROUNDS:SALT_HEX:HASH_HEX` for others, with 10,000 to 100,000 rounds (the check blocks a worker, for \
             40 ms or more at the most) and a salt of 16 bytes or more.",
        ),
        key(
            "jwks",
            Kind::Object,
            NONE,
            "Its public keys (RFC 7517 §5), for `private_key_jwt` (RFC 7523 §2.2): its assertions name it as `iss` and `sub`, our \
             issuer or the token endpoint as `aud`, and live five minutes at most.",
        ),
        key(
            "scope",
            Kind::Text,
            NONE,
            "What it may ask for, values separated by spaces; all of it where it asks for nothing.",
        ),
        key("audience", Kind::Some(&Kind::Text), NONE, "The `aud` of its tokens, for rules with `token.audience`."),
        key(
            "consumer",
            Kind::Text,
            NONE,
            "The username of the consumer that it is; the token says so in the claim `consumer` (`consumer: { by: [consumer] }`).",
        ),
        key("introspect", Kind::Flag, Preset::Flag(false), "Whether it may introspect the tokens of others."),
    ],
};
