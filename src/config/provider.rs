//! An identity provider, as configured.

use super::Client;
use crate::http::Url;
use crate::words::json::Object;
use crate::words::{Algorithm, ByName, Secret};
use std::time::Duration;

/// Stands for the token's `tid` in an accepted issuer.
pub const TENANT: &str = "{tenantid}";

/// One identity provider and our registration there.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The name under `providers`.
    pub name: String,
    /// Compared byte for byte with `iss` and with the discovery document.
    pub issuer: String,
    /// Where the metadata comes from.
    pub discovery: Discovery,
    /// Members that win over the discovered ones (RFC 8414 §2).
    pub metadata: Object,
    /// Inline keys, as JSON; with them no key set is fetched.
    pub jwks: Option<String>,
    /// The host's names for the provider's hosts.
    pub clusters: Clusters,
    /// Further issuers of access tokens. `{tenantid}` in one stands for the token's own `tid`.
    pub accepted_issuers: Vec<String>,
    /// Algorithms that a signature may have.
    pub signing_algs: Vec<Algorithm>,
    /// How far clocks may differ.
    pub clock_skew: Duration,
    /// How long one call may take.
    pub timeout: Duration,
    /// Whether `http` URLs are taken; on loopback only.
    pub allow_http: bool,
    /// Our registration.
    pub client: Client,
    /// Added to authorization requests.
    pub authorization_params: Vec<(String, String)>,
    /// Added to token requests.
    pub token_params: Vec<(String, String)>,
    /// Added to introspection requests.
    pub introspection_params: Vec<(String, String)>,
    /// What an introspection answer is.
    pub introspection_form: IntrospectionForm,
    /// Added to every call, names in lower case.
    pub request_headers: Vec<(String, Secret)>,
    /// How the authorization response comes back.
    pub response_mode: ResponseMode,
    /// Further audiences that an ID token may carry.
    pub trusted_audiences: Vec<String>,
    /// Where the public half of our keys is served.
    pub jwks_path: Option<String>,
}

/// Where a provider's metadata comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// From this URL.
    Fetched(Url),
    /// From the configuration alone; nothing is fetched.
    Inline,
}

/// The host's clusters for a provider's hosts.
///
/// A document from outside must not choose where secrets are sent: only hosts that the operator wrote down are reached.
#[derive(Clone, Debug, Default)]
pub struct Clusters {
    /// For the provider's own hosts.
    pub default: Option<String>,
    /// The provider's own hosts, in lower case: those of `issuer`, `discovery_url` and `metadata`.
    pub own: Vec<String>,
    /// For further hosts by name, in lower case; they come first.
    pub by_host: ByName<String>,
}

impl Clusters {
    /// The cluster that reaches `url`'s host; `None` means that nothing may be sent there.
    pub fn reaching(&self, url: &Url) -> Option<&str> {
        let own = self.default.as_ref().filter(|_| self.own.iter().any(|host| host == url.host()));
        self.by_host.get(url.host()).or(own).map(String::as_str)
    }
}

/// What an introspection answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IntrospectionForm {
    /// A JSON object (RFC 7662 §2.2).
    #[default]
    Json,
    /// A signed JWT, and nothing else (RFC 9701).
    Jwt,
}

/// How the authorization response comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ResponseMode {
    /// In the callback's query.
    #[default]
    Query,
    /// In the body of a POST (Form Post Response Mode).
    FormPost,
}
