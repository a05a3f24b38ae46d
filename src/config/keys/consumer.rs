//! The keys of consumers, and of the rule that looks for one.

use super::{Blanks, Kind, NONE, Preset, Table, key, printed, said};

/// A consumer.
pub static CONSUMER: Table = Table {
    place: printed("consumers[]"),
    doc: printed(
        "A consumer: an application or a person that the gateway knows by name. No username, custom id or id may stand \
          for two consumers, and no value of one claim may match two.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("username", Kind::Text, Preset::Required, "Its name."),
        key("custom_id", Kind::Text, NONE, "Its name in another system."),
        key("id", Kind::Text, said("`username`"), "What identifies it to the service."),
        key(
            "match",
            Kind::Section(&MATCH),
            said("it is found by its names alone"),
            "Which identities it is, for rules whose `consumer` has no `by`. The first consumer that matches is meant.",
        ),
        key(
            "groups",
            Kind::List(&Kind::Text),
            NONE,
            "Its groups, without commas, which stand between them in the header.",
        ),
    ],
};

/// Which identities are a consumer.
pub static MATCH: Table = Table {
    place: printed("consumers[].match"),
    doc: printed(
        "Which identities are the consumer: exactly one of `equals` and `any_of`. An array satisfies it when a member \
          does.",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key("claim", Kind::ClaimPath, Preset::Required, "Which claim, from the outside in."),
        key("equals", Kind::Scalar, NONE, "This very value, of the same JSON type."),
        key("any_of", Kind::Some(&Kind::Scalar), NONE, "One of these."),
    ],
};

/// How a rule finds the consumer.
pub static RULE_CONSUMER: Table = Table {
    place: printed("rules[].consumer"),
    doc: printed("Looks the identity up under `consumers`, and tells the service which one it is."),
    blanks: Blanks::Refused,
    keys: &[
        key(
            "by",
            Kind::ClaimPath,
            said("the consumers' own `match` decides"),
            "The claim whose text is the username, or else the custom id, of a consumer.",
        ),
        key(
            "optional",
            Kind::Flag,
            Preset::Flag(false),
            "Whether an identity that is no consumer passes; it is refused with `consumer_unknown` otherwise.",
        ),
        key("headers", Kind::Section(&HEADERS), said("their usual names"), "How the headers are called."),
    ],
};

/// What the headers are called.
pub static HEADERS: Table = Table {
    place: printed("rules[].consumer.headers"),
    doc: printed(
        "What the headers about a consumer are called; `none` switches one off. No client can set them itself, on any \
          rule.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("id", Kind::Text, Preset::Text("X-Consumer-Id"), "Its id."),
        key("username", Kind::Text, Preset::Text("X-Consumer-Username"), "Its username."),
        key("custom_id", Kind::Text, Preset::Text("X-Consumer-Custom-Id"), "Its custom id."),
        key(
            "credential",
            Kind::Text,
            Preset::Text("X-Credential-Identifier"),
            "The subject of the identity, or its client where it has no subject; whether or not it is a consumer.",
        ),
        key(
            "groups",
            Kind::Text,
            Preset::Text("X-Authenticated-Groups"),
            "The consumer's groups with `, ` between them; where there is no consumer, the names in the claim of \
             `require.groups`, without those that have a comma.",
        ),
        key(
            "anonymous",
            Kind::Text,
            Preset::Text("X-Anonymous-Consumer"),
            "`true` where `allow: optional` lets a stranger through.",
        ),
    ],
};
