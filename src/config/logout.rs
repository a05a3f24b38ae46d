//! How people log out, as configured.

use crate::http::Url;
use crate::words::ClaimPath;

/// How people log out under a rule, and how the provider may end their sessions. All paths are on the host of `redirect_uri`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logout {
    /// Where people log out.
    pub path: Option<String>,
    /// By which methods.
    pub methods: Vec<String>,
    /// Whether all sessions of the person end.
    pub all_sessions: bool,
    /// Whether the tokens are revoked at the provider (RFC 7009).
    pub revoke: bool,
    /// Whether the session at the provider ends too (OIDC RP-Initiated Logout).
    pub end_session: bool,
    /// Fixed parameters for that.
    pub params: Vec<(String, String)>,
    /// The claim that tells the provider who logs out.
    pub hint: Option<ClaimPath>,
    /// Where the browser goes when all is done.
    pub post_logout_redirect_uri: Option<Url>,
    /// How the provider calls the parameter that says where to come back to.
    pub return_parameter: String,
    /// A path of ours that the provider sends the browser back to.
    pub landing_path: Option<String>,
    /// Where the provider loads an iframe (Front-Channel Logout).
    pub front_channel_path: Option<String>,
    /// Where the provider posts logout tokens (Back-Channel Logout).
    pub back_channel_path: Option<String>,
    /// Whether a logout token must say `typ: logout+jwt`.
    pub require_type: bool,
    /// Whether a logout token must have `exp`.
    pub require_exp: bool,
}

impl Logout {
    /// The paths of ours, each with its key.
    pub fn paths(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let paths = [
            ("path", &self.path),
            ("landing_path", &self.landing_path),
            ("front_channel_path", &self.front_channel_path),
            ("back_channel_path", &self.back_channel_path),
        ];
        paths.into_iter().filter_map(|(key, path)| Some((key, path.as_deref()?)))
    }
}
