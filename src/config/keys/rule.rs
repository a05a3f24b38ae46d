//! The keys of a rule.

use super::grants::{GRANTS_KEY, GUESS_LIMIT_KEY};
use super::logout::LOGOUT_KEY;
use super::rate_limit::RATE_LIMIT_KEY;
use super::{
    Blanks, CREDENTIALS, Key, Kind, NONE, Preset, REQUIRE, RULE_CONSUMER, SOURCE, TOKEN, Table, key, printed, said,
};

/// A rule.
pub static RULE: Table = Table {
    place: printed("rules[]"),
    doc: printed("A rule: which requests it is for, who may pass, and what the service gets to see."),
    blanks: Blanks::Unset,
    keys: &KEYS,
};

/// What every rule has unless it says otherwise.
pub static DEFAULTS: Table = Table {
    place: printed("defaults"),
    doc: printed(
        "What every rule has unless it says otherwise: maps merge, lists and values replace, `null` unsets, and \
          `require` only ever adds. The keys are those of a rule, but for `name`, `match` and `allow`.",
    ),
    blanks: Blanks::Unset,
    keys: KEYS.split_at(OWN).1,
};

/// How many keys, the first ones, each rule has for itself.
const OWN: usize = 3;
static KEYS: [Key; 22] = [
    NAME,
    MATCHES,
    ALLOW,
    MODE,
    PROVIDER,
    AMBIGUOUS_PATHS,
    METHODS,
    CREDENTIALS_KEY,
    TOKEN_KEY,
    GRANTS_KEY,
    GUESS_LIMIT_KEY,
    LOGIN_KEY,
    SESSION_INFO,
    LOGOUT_KEY,
    REQUIRE_KEY,
    CONSUMER,
    ENRICH,
    UPSTREAM_HEADERS,
    RESPONSE_HEADERS,
    PROPERTIES,
    RATE_LIMIT_KEY,
    ERRORS_KEY,
];

const NAME: Key = key(
    "name",
    Kind::Text,
    said("`rule_` and its place, from 0"),
    "Shown in logs and metrics: letters, digits, `_`, `-` and `.`.",
);
const MATCHES: Key =
    key("match", Kind::Section(&MATCH), said("every request"), "Which requests the rule is for; all parts must hold.");
const ALLOW: Key = key(
    "allow",
    Kind::Choice(&["authenticated", "anonymous", "optional", "nobody"]),
    Preset::Text("authenticated"),
    "Whom it lets in. `authenticated`: one proven identity that satisfies `require`. `anonymous`: anyone, credentials \
     are not looked at. `optional`: anyone, with the identity where there is one. `nobody`: 403.",
);
const MODE: Key = key(
    "mode",
    Kind::Choice(&["enforce", "report"]),
    Preset::Text("enforce"),
    "`enforce`: verdicts count. `report`: a request that the rule would refuse or send to log in is logged, counted and \
     let through, with nothing told of its sender: a new rule on trial.",
);
const PROVIDER: Key = key(
    "provider",
    Kind::Names,
    said("the only one"),
    "A name under `providers`; or a list of names, any of which may have issued an access token (`bearer` alone).",
);
const AMBIGUOUS_PATHS: Key = key(
    "ambiguous_paths",
    Kind::Choice(&["refuse", "forward"]),
    Preset::Text("refuse"),
    "What becomes of a path that means different things to different servers (`..`, `//`, `%2e`, `%2f`, …). `refuse`: \
     400. `forward`: it passes as any other; only where the rule covers its whole host and no rule before it does in \
     part, so that the path cannot change the verdict.",
);
const METHODS: Key = key(
    "methods",
    Kind::Some(&Kind::Choice(&[
        "session",
        "bearer",
        "gateway_token",
        "introspection",
        "userinfo",
        "refresh_token",
        "password",
        "client_credentials",
        "authorization_code",
    ])),
    Preset::Words(&["session", "authorization_code"]),
    "The credentials that are looked for, always in this order; the first one found decides. `session`: a cookie of \
     ours. `bearer`: a JWT access token, judged by its signature (RFC 9068). `gateway_token`: one that \
     `gateway_tokens` issued, which needs no provider. `introspection`: any other access token, or \
     all without `bearer`, of which the provider is asked (RFC 7662). `userinfo`: the same, by asking for userinfo. \
     `refresh_token`: the caller's, which our client trades for an access token (RFC 6749 §6). `password`: a user's name \
     and password, traded likewise (RFC 6749 §4.3); OAuth's current practice forbids it (RFC 9700 §2.4), since passwords \
     pass through here and no second factor can be asked for: only for callers that cannot do better, and never on by \
     itself. `client_credentials`: the caller's own client id and secret or assertion (RFC 6749 §4.4, RFC 7523 §2.2), \
     never ours. Where Basic may be either, it is taken for a user's first, and what turned out to be a client's is \
     remembered: a wrong secret costs two calls, and a client that is new here one refused password. \
     `authorization_code`: a login.",
);
const CREDENTIALS_KEY: Key = key(
    "credentials",
    Kind::Section(&CREDENTIALS),
    said("`Authorization`, or `Refresh-Token`, hidden from the service"),
    "Where credentials are looked for, and whether they travel on.",
);
const TOKEN_KEY: Key = key(
    "token",
    Kind::Section(&TOKEN),
    said("none; `bearer` needs `token.audience`"),
    "What an access token must be, and how fresh and strong the user's authentication.",
);
const ENRICH: Key = key(
    "enrich",
    Kind::Some(&Kind::Choice(&["introspection", "userinfo"])),
    NONE,
    "Who else is asked about the bearer of a JWT access token, for further claims; answers are cached.",
);
const LOGIN_KEY: Key = key(
    "login",
    Kind::Section(&LOGIN),
    said("none; needed for `authorization_code`"),
    "How a person logs in (OIDC Core §3.1).",
);
const SESSION_INFO: Key = key(
    "session_info_path",
    Kind::Text,
    NONE,
    "A path on the host of `login.redirect_uri` where a web page may ask who its user is, as JSON: issuer, subject, scope, \
     the claims that are kept, and until when. Never a token. To ask is no use of the session. `?refresh=1`, in a request \
     of the site's own, renews the tokens first.",
);
const REQUIRE_KEY: Key = key(
    "require",
    Kind::Section(&REQUIRE),
    said("nothing but a proven identity"),
    "What an identity must be; all parts must hold, those of `defaults` too.",
);
static EACH_HEADER: Kind = Kind::Section(&TOLD_HEADER);
const UPSTREAM_HEADERS: Key = key(
    "upstream_headers",
    Kind::List(&EACH_HEADER),
    said("the access token as `Authorization: Bearer`, no claims"),
    "What the service learns of the identity. No client can set these headers itself, on any rule.",
);
const RESPONSE_HEADERS: Key = key(
    "response_headers",
    Kind::List(&EACH_HEADER),
    NONE,
    "What the client learns of the identity, with the service's answer. The service cannot set these headers itself.",
);
const PROPERTIES: Key = key(
    "properties",
    Kind::List(&EACH_HEADER),
    NONE,
    "What other parts of the host learn of the identity: its access log, RBAC, tap. Envoy keeps each entry in its filter \
     state under `wasm.` and the entry's `name`. Claims alone, never a token.",
);
const CONSUMER: Key = key(
    "consumer",
    Kind::Section(&RULE_CONSUMER),
    said("none is looked for"),
    "Which of the `consumers` the identity is.",
);
const ERRORS_KEY: Key = key("errors", Kind::Section(&ERRORS), NONE, "What refusals look like to a browser.");

/// Which requests a rule is for.
pub static MATCH: Table = Table {
    place: printed("rules[].match"),
    doc: printed(
        "Which requests a rule is for; all parts must hold. A part that is blank (`null`, empty) refuses the load.",
    ),
    blanks: Blanks::Refused,
    keys: &[
        key(
            "host",
            Kind::Text,
            said("every host"),
            "A host, with a port for that port alone, or `*.example.com` for all hosts below one.",
        ),
        key("path", Kind::Text, said("every path"), "Exactly this path."),
        key(
            "path_prefix",
            Kind::Text,
            said("every path"),
            "This path and all below it, by whole segments: `/a` is for `/a` and `/a/b`, not for `/ab`.",
        ),
        key("methods", Kind::Some(&Kind::Text), said("every method"), "Request methods, in capitals."),
        key("headers", Kind::Map(&Kind::Text), NONE, "Header fields with exactly these values."),
    ],
};

/// A login.
pub static LOGIN: Table = Table {
    place: printed("rules[].login"),
    doc: printed("How a person logs in: the authorization code flow with PKCE, state and nonce."),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "redirect_uri",
            Kind::Text,
            Preset::Required,
            "Where the provider sends the browser back to, as registered there: `https` (`http` on loopback with \
             `allow_http`), without query, on a host of the rule. The filter owns its path on that host.",
        ),
        key("scope", Kind::Text, Preset::Text("openid"), "What is asked for, values separated by spaces."),
        key("params", Kind::Map(&Kind::Text), NONE, "Fixed authorization parameters, such as `prompt`."),
        key(
            "pass_params",
            Kind::List(&Kind::Text),
            NONE,
            "Query parameters of the first request that go along to the provider, such as `login_hint`.",
        ),
        key(
            "userinfo",
            Kind::Flag,
            Preset::Flag(false),
            "Whether userinfo is asked at login and its claims are merged in (OIDC Core §5.3).",
        ),
        key(
            "action",
            Kind::Choice(&["redirect", "upstream", "tokens"]),
            Preset::Text("redirect"),
            "What follows a login: `redirect` back to where it began; `upstream`: the callback request itself goes on \
             to the service; `tokens`: the callback is answered with `tokens` as JSON, for a program that logs a person in.",
        ),
        key(
            "tokens",
            Kind::Some(&Kind::Choice(&["access_token", "id_token", "refresh_token"])),
            Preset::Words(&["id_token"]),
            "Which tokens `action: tokens` gives away, of those that the provider gave.",
        ),
        key(
            "initiate_path",
            Kind::Text,
            NONE,
            "A path on the host of `redirect_uri` where others may begin a login (OIDC Core §4).",
        ),
        key(
            "partition",
            Kind::Text,
            said("`session.partition`"),
            "Sets the sessions of this login apart from those of others at the same provider and host. It needs a \
             `redirect_uri` of its own.",
        ),
        key(
            "passive_paths",
            Kind::List(&Kind::Text),
            NONE,
            "Paths, with all below them, whose requests do not extend a session's idle life: a page that polls is nobody \
             at work.",
        ),
    ],
};

/// A header that tells something.
pub static TOLD_HEADER: Table = Table {
    place: printed("rules[].upstream_headers[], response_headers[] and properties[]"),
    doc: printed(
        "A header: one claim (`claim`), all claims of one source (`claims`), or a token (`token`). What is longer than \
          8 KB or has control characters is left out, with a warning.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("claim", Kind::ClaimPath, NONE, "Which claim, from the outside in."),
        key("source", SOURCE, Preset::Text("any"), "Who must say the claim; `any`: the first of them that has it."),
        key(
            "claims",
            Kind::Choice(&["id_token", "access_token", "introspection", "userinfo"]),
            NONE,
            "All claims of this source. With `id_token`, a session keeps every claim.",
        ),
        key(
            "token",
            Kind::Choice(&["access_token", "id_token"]),
            NONE,
            "A token. The ID token is known in sessions alone, and not where `session.budget` was too small for it.",
        ),
        key("name", Kind::Text, NONE, "The header's or property's name; without it only for `token` with `as`."),
        key(
            "as",
            Kind::Choice(&["text", "json", "base64", "bearer", "none"]),
            said("`text` for a claim, `json` for `claims`"),
            "`text`: text as it is, lists joined by commas, objects as JSON. `json`: JSON. `base64`: that JSON in \
             base64url without padding. For the access token in `upstream_headers`, `bearer`: in `Authorization`, as \
             without an entry; `none`: it is kept away from the service.",
        ),
    ],
};

/// What refusals look like.
pub static ERRORS: Table = Table {
    place: printed("rules[].errors"),
    doc: printed("What refusals look like to a browser."),
    blanks: Blanks::Unset,
    keys: &[
        key("unauthorized_redirect_uri", Kind::Text, NONE, "Where a browser goes instead of a 401."),
        key("forbidden_redirect_uri", Kind::Text, NONE, "Where a browser goes instead of a 403."),
        key("unexpected_redirect_uri", Kind::Text, NONE, "Where a browser goes instead of a 5xx."),
        key("realm", Kind::Text, said("the host of `redirect_uri`"), "The realm in challenges (RFC 9110 §11.5)."),
    ],
};
