//! The keys of `require`.

use super::{Blanks, Kind, NONE, Preset, SOURCE, Table, key, printed, said};

/// What an identity must be.
pub static REQUIRE: Table = Table {
    place: printed("rules[].require"),
    doc: printed(
        "What an identity must be; all parts must hold. What denies is judged first, and nothing outweighs it. A part \
          that is blank (`null`, empty) refuses the load.",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key(
            "scope",
            Kind::Some(&Kind::Text),
            NONE,
            "Granted scope: all values inside one text, of at least one of the texts.",
        ),
        key(
            "audience",
            Kind::Some(&Kind::Text),
            NONE,
            "Audiences of which one must be named in `aud`, whoever says it. In a session that is the ID token, whose \
             audience is the client.",
        ),
        key("groups", Kind::Section(&VALUES), NONE, "Groups that the identity must be in."),
        key("roles", Kind::Section(&VALUES), NONE, "Roles that the identity must have."),
        key("claims", Kind::Some(&Kind::Section(&CLAIM)), NONE, "Conditions on claims; all must hold."),
        key(
            "forbidden_claims",
            Kind::Some(&FORBIDDEN),
            NONE,
            "Claims that must not be there, each as a list of names or with its `source`. A claim that is `null`, \
             `false` or empty is not there.",
        ),
        key(
            "email_domains",
            Kind::Some(&Kind::Text),
            NONE,
            "Domains of which one is that of the caller's email address, exactly: no domain below it. The claim \
             `email_verified` beside `email` must be `true`, or the text `true`, as some providers send it.",
        ),
        key(
            "groups_denied",
            Kind::Some(&Kind::Text),
            NONE,
            "Groups that the identity must not be in, by the names that `groups` reads. An identity without groups \
             passes; one whose groups are no list of names does not.",
        ),
        key(
            "reverify",
            Kind::Choice(&["never", "introspection"]),
            Preset::Text("never"),
            "Whether the provider is asked if a session's access token is still active (RFC 7662), with its answer \
             remembered by `cache.introspection`. A session whose token is not is over; while the provider cannot be \
             asked nobody passes.",
        ),
    ],
};

/// A list of names.
pub static VALUES: Table = Table {
    place: printed("rules[].require.groups and roles"),
    doc: printed("A list of names, and which of them will do."),
    blanks: Blanks::Refused,
    keys: &[
        key(
            "claim",
            Kind::ClaimPath,
            said("needed, unless `source` is `consumer`"),
            "Where the names stand, from the outside in: text that is one name, a list, or an object by its member \
             names. There are no positions in lists.",
        ),
        key(
            "source",
            Kind::Choice(&["any", "id_token", "access_token", "introspection", "userinfo", "consumer"]),
            Preset::Text("any"),
            "Who must say it; `any`: the first of them, in this order, that has the claim. `consumer`, for `groups` \
             alone: the groups are those of the consumer.",
        ),
        key(
            "any_of",
            Kind::Some(&Kind::Names),
            said("needed, unless there is `groups_denied`"),
            "Names of which one must be there; a list inside needs all of its names. Values are exact, never split.",
        ),
    ],
};

/// A condition on one claim.
pub static CLAIM: Table = Table {
    place: printed("rules[].require.claims[]"),
    doc: printed(
        "A condition on one claim: exactly one of `equals`, `any_of`, `all_of`, `none_of`, `present`, and `at_least` \
          with or without `at_most`. An array satisfies it when a member does (`none_of`: when none does). A claim that \
          is missing or `null` satisfies `none_of` and `present: false`, and nothing else.",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key("claim", Kind::ClaimPath, Preset::Required, "Which claim, from the outside in."),
        key("source", SOURCE, Preset::Text("any"), "Who must say it; `any`: the first of them that has the claim."),
        key("equals", Kind::Scalar, NONE, "This very value, of the same JSON type."),
        key("any_of", Kind::Some(&Kind::Scalar), NONE, "One of these."),
        key("all_of", Kind::Some(&Kind::Scalar), NONE, "All of these, as members."),
        key(
            "none_of",
            Kind::Some(&Kind::Scalar),
            NONE,
            "None of these, in no source that counts; a claim that is or holds an object is refused.",
        ),
        key("present", Kind::Flag, NONE, "`true`: there, whatever it says. `false`: not there."),
        key("at_least", Kind::Amount, NONE, "A number, this or more."),
        key("at_most", Kind::Amount, NONE, "A number, this or less."),
        key(
            "space_separated",
            Kind::Flag,
            Preset::Flag(false),
            "Whether text in the claim is several values with spaces between them, as in `scope`.",
        ),
    ],
};

static CLAIM_PATH: Kind = Kind::ClaimPath;
static WITH_SOURCE: Kind = Kind::Section(&FORBIDDEN_CLAIM);
static FORBIDDEN: Kind = Kind::Either(&CLAIM_PATH, &WITH_SOURCE);

/// A claim that must not be there.
pub static FORBIDDEN_CLAIM: Table = Table {
    place: printed("rules[].require.forbidden_claims[]"),
    doc: printed("A claim that must not be there."),
    blanks: Blanks::Refused,
    keys: &[
        key("claim", Kind::ClaimPath, Preset::Required, "Which claim, from the outside in."),
        key("source", SOURCE, Preset::Text("any"), "Who must not say it; `any`: nobody."),
    ],
};
