//! The keys of the operator's endpoint.

use super::{Blanks, Kind, NONE, Preset, REQUIRE, TOKEN, Table, key, printed, said};

/// The operator's endpoint.
pub static OPERATOR: Table = Table {
    place: printed("operator"),
    doc: printed(
        "An endpoint for those who run this: it revokes sessions and tokens, tells how providers, keys and the deny list are, \
          and fetches metadata and keys anew. It takes a JWT access token, as a rule with `methods: [bearer]` does.",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key("path", Kind::Text, Preset::Required, "Its path, on every host; the filter owns it."),
        key("provider", Kind::Names, said("the only one"), "Who issues the access tokens, as in a rule."),
        key("token", Kind::Section(&TOKEN), NONE, "What the access token must be, as in a rule."),
        key(
            "require",
            Kind::Section(&REQUIRE),
            Preset::Required,
            "What its bearer must be, as in a rule, such as `{ scope: [oidc-admin] }`.",
        ),
    ],
};
