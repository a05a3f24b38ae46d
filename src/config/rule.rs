//! A rule: which requests it is for, who may pass, and what the service gets to see.

use crate::http::Url;
use crate::words::{ClaimPath, Method};
use serde_json::Value;

/// What happens to the requests that it matches.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Shown in logs and metrics.
    pub name: String,
    /// Which requests.
    pub matches: Match,
    /// Whom it lets in.
    pub allow: Allow,
    /// The provider, by its place in `Config::providers`; present unless `allow` needs no identity.
    pub provider: Option<usize>,
    /// What becomes of a path that servers read differently.
    pub ambiguous_paths: AmbiguousPaths,
    /// The credentials that are looked for, in their fixed order.
    pub methods: Vec<Method>,
    /// The login; present when `authorization_code` is among the methods.
    pub login: Option<Login>,
    /// What an identity must be.
    pub require: Require,
    /// What the service learns of the identity.
    pub upstream_headers: Vec<UpstreamHeader>,
    /// How a session's access token travels.
    pub access_token: TokenForm,
    /// What refusals look like.
    pub errors: Errors,
}

impl Rule {
    /// Every claim that the rule reads.
    pub fn claims_read(&self) -> Vec<ClaimPath> {
        let headers = self.upstream_headers.iter().map(|header| match &header.source {
            HeaderSource::Claim { claim, .. } => claim,
        });
        let names = self.require.groups.iter().chain(&self.require.roles).map(|rule| &rule.claim);
        headers.chain(names).chain(self.require.claims.iter().map(|rule| &rule.claim)).cloned().collect()
    }
}

/// Which requests a rule is for; all parts must hold.
#[derive(Clone, Debug)]
pub struct Match {
    /// The host.
    pub host: HostMatch,
    /// The path.
    pub path: PathMatch,
    /// The methods; empty for all.
    pub methods: Vec<String>,
    /// Header fields by lower-case name and exact value.
    pub headers: Vec<(String, String)>,
}

/// Hosts, in lower case and without a trailing dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostMatch {
    /// Every host.
    Any,
    /// This host on every port, or on the one port where one is written.
    Exact { host: String, port: Option<u16> },
    /// Every host that ends in this, which begins with a dot: `*.example.com`.
    Suffix(String),
}

/// Canonical paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// The path itself and everything below it, by whole segments; without its trailing slash, so empty for `/`.
    Prefix(String),
    /// Exactly this path.
    Exact(String),
}

/// Whom a rule lets in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allow {
    /// One proven identity that satisfies `require`.
    #[default]
    Authenticated,
    /// Anyone; credentials are not looked at.
    Anonymous,
    /// Anyone; an identity where there is one.
    Optional,
    /// Nobody.
    Nobody,
}

/// What becomes of a path that means different things to different servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AmbiguousPaths {
    /// 400.
    #[default]
    Refuse,
    /// It passes as any other: the rule covers its whole host, so the path changes nothing.
    Forward,
}

/// How a person logs in under a rule.
#[derive(Clone, Debug)]
pub struct Login {
    /// Where the provider sends the browser back to; a path of ours.
    pub redirect_uri: Url,
    /// What is asked for, values separated by spaces.
    pub scope: String,
    /// Fixed authorization parameters.
    pub params: Vec<(String, String)>,
    /// Query parameters of the first request that go along to the provider.
    pub pass_params: Vec<String>,
    /// Whether userinfo is asked and its claims are merged in.
    pub userinfo: bool,
    /// What follows a login.
    pub action: LoginAction,
    /// Where others may begin a login (OIDC Core §4), on the host of `redirect_uri`.
    pub initiate_path: Option<String>,
}

/// What follows a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginAction {
    /// Back to where it began.
    #[default]
    Redirect,
    /// The callback request itself goes on to the service.
    Upstream,
}

/// What an identity must be; all parts must hold. Empty lists ask for nothing.
#[derive(Clone, Debug, Default)]
pub struct Require {
    /// Granted scope: every value of at least one entry of each list. One list from `defaults`, one from the rule.
    pub scope: Vec<Vec<Vec<String>>>,
    /// Groups.
    pub groups: Vec<ValuesRule>,
    /// Roles.
    pub roles: Vec<ValuesRule>,
    /// Claims.
    pub claims: Vec<ClaimRule>,
}

/// A claim that lists names, and which of them will do: all names of at least one entry.
#[derive(Clone, Debug)]
pub struct ValuesRule {
    /// Where the names stand.
    pub claim: ClaimPath,
    /// Alternatives; within one, all must be there. Exact, never split.
    pub any_of: Vec<Vec<String>>,
}

/// A condition on one claim.
#[derive(Clone, Debug)]
pub struct ClaimRule {
    /// Which claim.
    pub claim: ClaimPath,
    /// What it must be.
    pub test: ClaimTest,
}

/// What a claim must be. An array satisfies a test when one of its members does.
#[derive(Clone, Debug)]
pub enum ClaimTest {
    /// This very value, of the same JSON type.
    Equals(Value),
    /// One of these.
    AnyOf(Vec<Value>),
}

/// A header that tells the service something.
#[derive(Clone, Debug)]
pub struct UpstreamHeader {
    /// Its name in lower case.
    pub name: String,
    /// What it tells.
    pub source: HeaderSource,
}

/// What a header tells.
#[derive(Clone, Debug)]
pub enum HeaderSource {
    /// A claim of the identity.
    Claim { claim: ClaimPath, source: Source },
}

/// Whose claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The identity's: the ID token's claims, with those of userinfo where it is asked.
    #[default]
    Identity,
}

/// How a session's access token travels to the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TokenForm {
    /// `Authorization: Bearer` (RFC 6750 §2.1).
    #[default]
    Bearer,
    /// Alone in a header of this lower-case name.
    Header(String),
    /// Not at all.
    None,
}

/// What refusals look like to a browser.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// Where a browser goes instead of a 401.
    pub unauthorized_redirect_uri: Option<Url>,
    /// Where a browser goes instead of a 403.
    pub forbidden_redirect_uri: Option<Url>,
    /// Where a browser goes instead of a 5xx.
    pub unexpected_redirect_uri: Option<Url>,
    /// The realm in challenges (RFC 9110 §11.5); default the host of `redirect_uri`.
    pub realm: Option<String>,
}
