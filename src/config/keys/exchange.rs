//! The keys of a rule about tokens that are exchanged.

use super::{Blanks, Kind, NONE, Preset, Table, key, printed, said};

const TEXTS: Kind = Kind::Some(&Kind::Text);

/// How a rule exchanges tokens.
pub static EXCHANGE: Table = Table {
    place: printed("rules[].token.exchange"),
    doc: printed(
        "Once it is known whose the caller's token is, and that it is good, it is exchanged for another one, which the service \
          gets as `Authorization: Bearer` (RFC 8693). The answer is remembered for each token (`cache.grants`).",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key("provider", Kind::Text, said("the rule's only one"), "The provider that exchanges, with our client there."),
        key("audience", TEXTS, NONE, "Whom the new token is for, by names that the provider knows."),
        key("resource", TEXTS, NONE, "Whom the new token is for, by URLs (RFC 8707)."),
        key("scope", Kind::Text, said("the provider's choice"), "What the new token is good for."),
        key(
            "actor_token",
            Kind::Choice(&["none", "client"]),
            Preset::Text("none"),
            "`client`: our client acts for the caller. Its own access token goes along (RFC 8693 §1.1), got by its credentials.",
        ),
        key(
            "conditions",
            Kind::Section(&CONDITIONS),
            said("always"),
            "When the provider's own tokens are exchanged; a token that is not goes on as it is. Those of other issuers always are.",
        ),
    ],
};

/// When tokens are exchanged.
pub static CONDITIONS: Table = Table {
    place: printed("rules[].token.exchange.conditions"),
    doc: printed(
        "When a token is exchanged; all must hold. What an opaque or a session's token is for is known only if its provider is \
          asked (`introspection`).",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key("has_scopes", TEXTS, NONE, "The token's scope has all of these."),
        key("missing_scopes", TEXTS, NONE, "It has none of these."),
        key("has_audience", TEXTS, NONE, "The token's `aud` has all of these."),
        key("missing_audience", TEXTS, NONE, "It has none of these."),
    ],
};
