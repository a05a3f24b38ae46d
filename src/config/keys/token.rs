//! The keys of a rule about credentials and access tokens.

use super::{Blanks, EXCHANGE, Kind, NONE, Preset, SPAN, Table, key, printed, said};

static WORD: Kind = Kind::Choice(&["header", "query", "form"]);
static ELSEWHERE: Kind = Kind::Section(&PLACE);
static A_PLACE: Kind = Kind::Either(&WORD, &ELSEWHERE);
static REFRESH_WORD: Kind = Kind::Choice(&["query", "form"]);
static A_REFRESH_PLACE: Kind = Kind::Either(&REFRESH_WORD, &ELSEWHERE);
static SECRET_PLACE: Kind = Kind::Choice(&["basic", "form"]);
static ANY: Kind = Kind::Choice(&["any"]);
static NAMES: Kind = Kind::Some(&Kind::Text);

/// Where credentials are looked for.
pub static CREDENTIALS: Table = Table {
    place: printed("rules[].credentials"),
    doc: printed(
        "Where credentials are looked for. Two access tokens in one request are refused (RFC 6750 §2); of refresh tokens, \
          and of names and secrets, the first that is found counts. `form` needs `bodies: readable`.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "bearer",
            Kind::Some(&A_PLACE),
            Preset::Words(&["header"]),
            "`header`: `Authorization: Bearer`. `query` and `form`: a parameter `access_token`; `form` where `bodies` are \
             readable. `{ header: NAME }` and `{ cookie: NAME }`: alone in a field or cookie of that name.",
        ),
        key(
            "refresh_token",
            Kind::Some(&A_REFRESH_PLACE),
            said("`[{ header: Refresh-Token }]`"),
            "`{ header: NAME }`, where `Bearer ` may stand before it, and `{ cookie: NAME }`; `query` and `form`: a parameter \
             `refresh_token`.",
        ),
        key(
            "password",
            Kind::Some(&SECRET_PLACE),
            Preset::Words(&["basic"]),
            "`basic`: `Authorization: Basic` (RFC 7617). `form`: `username` and `password`.",
        ),
        key(
            "client_credentials",
            Kind::Some(&SECRET_PLACE),
            Preset::Words(&["basic"]),
            "`basic`: `Authorization: Basic`, as it is, not form-encoded. `form`: `client_id` and `client_secret`, or \
             `client_assertion_type` and `client_assertion` (RFC 7523 §2.2), which are handed on.",
        ),
        key(
            "hide",
            Kind::Flag,
            Preset::Flag(true),
            "Whether the credential that was used is kept from the service: out of the field, the cookie, the path or the \
             body that carried it. `upstream_headers` may hand it on in a place of its own.",
        ),
    ],
};

/// Another place for a token.
pub static PLACE: Table = Table {
    place: printed("rules[].credentials.bearer[] and refresh_token[]"),
    doc: printed("Another place for a token; exactly one of the two."),
    blanks: Blanks::Refused,
    keys: &[
        key("header", Kind::Text, NONE, "The name of a header field that holds nothing else."),
        key("cookie", Kind::Text, NONE, "The name of a cookie that holds nothing else."),
    ],
};

/// What an access token must be.
pub static TOKEN: Table = Table {
    place: printed("rules[].token"),
    doc: printed(
        "What an access token must be, whoever issued it, and how fresh and strong the user's authentication. An ID \
          token is never taken for an access token, whatever stands here.",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key(
            "audience",
            Kind::Either(&ANY, &NAMES),
            said("none; `bearer` and `client_credentials` need it"),
            "Of these the token's `aud` must have one (RFC 9068 §4). `any`, written out: whatever audience; then \
             `require` should say something about the client.",
        ),
        key(
            "types",
            Kind::Some(&Kind::Text),
            Preset::Words(&["at+jwt", "JWT", "absent"]),
            "What a JWT's `typ` may be; `absent` for none. RFC 9068 alone: `[at+jwt]`.",
        ),
        key(
            "client_id_claims",
            Kind::Some(&Kind::Text),
            Preset::Words(&["client_id", "azp", "cid", "appid"]),
            "Claims that name the client; the first that is present does.",
        ),
        key(
            "introspect_jwt",
            Kind::Flag,
            Preset::Flag(false),
            "Whether the provider is asked about JWTs too, after their signature was found good.",
        ),
        key(
            "resource",
            Kind::Text,
            NONE,
            "This resource's own name, an `https` URL. Its metadata are then served at its well-known path (RFC 9728), \
             and challenges say where.",
        ),
        key(
            "exchange",
            Kind::Section(&EXCHANGE),
            NONE,
            "The token is exchanged for another one, which the service gets (RFC 8693).",
        ),
        key(
            "max_age",
            SPAN,
            NONE,
            "How long ago the user may have authenticated (`auth_time`, in which userinfo has no say). Else: a challenge \
             (RFC 9470), or a new login.",
        ),
        key(
            "acr_values",
            Kind::Some(&Kind::Text),
            NONE,
            "Of these the authentication's `acr`, in which userinfo has no say, must be one. Else: a challenge (RFC 9470), \
             or a new login.",
        ),
    ],
};
