//! The keys of a logout.

use super::{Blanks, Key, Kind, NONE, Preset, Table, key, printed, said};

pub(super) const LOGOUT_KEY: Key = key(
    "logout",
    Kind::Section(&LOGOUT),
    NONE,
    "How people log out, and how the provider may end their sessions; only beside a login.",
);

/// A logout.
pub static LOGOUT: Table = Table {
    place: printed("rules[].logout"),
    doc: printed(
        "How people log out, and how the provider may end their sessions. All paths are on the host of `redirect_uri`, and \
          the filter owns them.",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key(
            "path",
            Kind::Text,
            NONE,
            "Where people log out. The session ends on every worker and its cookies are deleted, whatever else goes wrong. \
             A request that another site may have caused is asked back on a page, or refused.",
        ),
        key(
            "methods",
            Kind::Some(&Kind::Choice(&["POST", "GET", "DELETE"])),
            Preset::Words(&["POST", "GET"]),
            "The methods of a logout.",
        ),
        key(
            "all_sessions",
            Kind::Flag,
            Preset::Flag(false),
            "Whether all sessions of the person end, in every browser.",
        ),
        key(
            "revoke",
            Kind::Flag,
            Preset::Flag(true),
            "Whether refresh and access token are revoked at the provider, where it has an endpoint for that (RFC 7009).",
        ),
        key(
            "end_session",
            Kind::Flag,
            Preset::Flag(true),
            "Whether the browser goes on to the provider's `end_session_endpoint`, where it has one, to log out there too \
             (OIDC RP-Initiated Logout).",
        ),
        key(
            "params",
            Kind::Map(&Kind::Text),
            NONE,
            "Fixed parameters of that request; each wins over one of the same name that is sent anyway.",
        ),
        key(
            "hint",
            Kind::ClaimPath,
            said("none is sent"),
            "The claim that is sent as `logout_hint`, such as `[login_hint]` for Entra ID.",
        ),
        key(
            "post_logout_redirect_uri",
            Kind::Text,
            said("a page that says so"),
            "Where the browser goes when all is done. Without `landing_path` the provider sends it there, where it must be \
             registered.",
        ),
        key(
            "return_parameter",
            Kind::Text,
            Preset::Text("post_logout_redirect_uri"),
            "How the provider calls the parameter that says where to come back to: `logout_uri` at Amazon Cognito, whose \
             logout URL goes into the provider's `metadata` as `end_session_endpoint`.",
        ),
        key(
            "landing_path",
            Kind::Text,
            NONE,
            "A path of ours that the provider sends the browser back to, to be registered there. It tells a logout that this \
             browser began, by its `state`, from any other, and goes on to `post_logout_redirect_uri`.",
        ),
        key(
            "front_channel_path",
            Kind::Text,
            NONE,
            "Where the provider loads an iframe when a session ends there (`frontchannel_logout_uri`). It needs `sid` in ID \
             tokens (`frontchannel_logout_session_required`).",
        ),
        key(
            "back_channel_path",
            Kind::Text,
            NONE,
            "Where the provider posts logout tokens (`backchannel_logout_uri`), at an instance with `bodies: readable`.",
        ),
        key(
            "require_type",
            Kind::Flag,
            Preset::Flag(false),
            "Whether a logout token must have `typ: logout+jwt`; older providers write `JWT`.",
        ),
        key(
            "require_exp",
            Kind::Flag,
            Preset::Flag(true),
            "Whether a logout token must have `exp`; older providers leave it out, and then ten minutes from `iat` count.",
        ),
    ],
};
