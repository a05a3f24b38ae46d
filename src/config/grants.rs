//! How callers' credentials are traded for tokens.

/// What is asked for with a caller's credential, and what comes back to the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// The scope that is asked for, values separated by spaces; the provider's own choice without one.
    pub scope: Option<String>,
    /// Added to the token requests.
    pub params: Vec<(String, String)>,
    /// The response header, in lower case, that gives a rotated refresh token back to who sent the old one.
    pub return_refresh_token: Option<String>,
}
