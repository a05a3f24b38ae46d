//! What a provider says of itself: OIDC Discovery §3 and §4, RFC 8414 §2 and §3.

use super::document::{Fetched, Recipe};
use super::request;
use crate::config::{self, ClientAuthentication};
use crate::http::Url;
use crate::words::json::{self, Object};
use crate::words::{Reason, Refusal};
use crate::world::{Endpoint, Host, LocalFuture};
use serde_json::Value;
use std::rc::Rc;
use std::time::Duration;

/// The largest metadata document that is read, in bytes; real ones have a few thousand.
const LARGEST: usize = 256 * 1024;

/// A provider's metadata, as far as it is used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where browsers log in.
    pub authorization_endpoint: Url,
    /// Where codes become tokens.
    pub token_endpoint: Url,
    /// Where claims are asked for, if anywhere.
    pub userinfo_endpoint: Option<Url>,
    /// Where access tokens are asked about (RFC 7662), if anywhere.
    pub introspection_endpoint: Option<Url>,
    /// Where tokens are revoked (RFC 7009), if anywhere.
    pub revocation_endpoint: Option<Url>,
    /// Where browsers log out (OIDC RP-Initiated Logout §2.1), if anywhere.
    pub end_session_endpoint: Option<Url>,
    /// Where the keys are; none when they are configured.
    pub jwks_uri: Option<Url>,
    /// Whether each authorization response carries `iss` (RFC 9207 §3).
    pub response_iss: ResponseIss,
    /// Ways for a client to authenticate at the token endpoint.
    pub token_endpoint_auth_methods: Vec<String>,
}

/// What is known of `iss` in authorization responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseIss {
    /// It is announced: a response without it is not the provider's.
    Always,
    /// It is not announced; one that comes is still compared.
    Perhaps,
}

/// How metadata is fetched and judged.
pub struct MetadataRecipe {
    /// The provider's configuration.
    pub settings: Rc<config::Provider>,
    /// Where the document is.
    pub url: Url,
    /// How long it need not be asked for again.
    pub refresh: Duration,
}

impl Recipe for MetadataRecipe {
    type Document = Metadata;

    fn fetch(self: Rc<Self>, host: Rc<dyn Host>) -> LocalFuture<Result<Fetched, Refusal>> {
        Box::pin(async move {
            let request = request::get(&self.settings, Endpoint::Discovery, &self.url, LARGEST)?;
            let response = request::send(&*host, &self.settings, request, Reason::DiscoveryUnavailable).await?;
            let name = &self.settings.name;
            if response.status != 200 {
                let detail = format!("provider={name}: status {}", response.status);
                return Err(Refusal::new(Reason::DiscoveryUnavailable, detail));
            }
            if !response.is("application/json") {
                let detail = format!("provider={name}: the metadata document is not application/json");
                return Err(Refusal::new(Reason::DiscoveryInvalid, detail));
            }
            Ok(Fetched { bytes: response.body, fresh_for: self.refresh })
        })
    }

    fn read(&self, bytes: &[u8]) -> Result<Metadata, Refusal> {
        let document =
            json::object(bytes).map_err(|_| invalid(&self.settings, "the metadata is not one JSON object"))?;
        judge_issuer(&self.settings, &document)?;
        read(&self.settings, document)
    }

    fn unavailable(&self) -> Reason {
        Reason::DiscoveryUnavailable
    }

    fn timeout(&self) -> Duration {
        self.settings.timeout
    }
}

/// The configured metadata alone.
pub fn inline(settings: &config::Provider) -> Result<Metadata, Refusal> {
    read(settings, Object::new())
}

/// The issuer must be the configured one, byte for byte (OIDC Discovery §4.3): else the document is somebody else's.
fn judge_issuer(settings: &config::Provider, document: &Object) -> Result<(), Refusal> {
    let found = document.get("issuer").and_then(Value::as_str);
    if found == Some(settings.issuer.as_str()) {
        return Ok(());
    }
    let found = found.map_or("none".to_owned(), |found| format!("{:?}", crate::http::text::printable(found, 200)));
    let detail = format!("provider={}: issuer is {:?}, the document says {found}", settings.name, settings.issuer);
    Err(Refusal::new(Reason::DiscoveryIssuerMismatch, detail))
}

fn read(settings: &config::Provider, mut document: Object) -> Result<Metadata, Refusal> {
    document.extend(settings.metadata.clone());
    let reader = Reader { settings, document: &document };
    let client = &settings.client;
    let needs_keys = settings.jwks.is_none();
    Ok(Metadata {
        authorization_endpoint: reader.needed("authorization_endpoint")?,
        token_endpoint: reader
            .ours("token_endpoint", client.authentication)?
            .ok_or_else(|| reader.missing("token_endpoint"))?,
        userinfo_endpoint: reader.url("userinfo_endpoint")?,
        introspection_endpoint: reader.ours("introspection_endpoint", client.introspection_authentication)?,
        revocation_endpoint: reader.ours("revocation_endpoint", client.revocation_authentication)?,
        end_session_endpoint: reader.url("end_session_endpoint")?,
        jwks_uri: if needs_keys { Some(reader.needed("jwks_uri")?) } else { None },
        response_iss: reader.response_iss()?,
        token_endpoint_auth_methods: reader
            .list("token_endpoint_auth_methods_supported")?
            .unwrap_or_else(|| vec!["client_secret_basic".to_owned()]),
    })
}

struct Reader<'a> {
    settings: &'a config::Provider,
    document: &'a Object,
}

impl Reader<'_> {
    fn needed(&self, member: &str) -> Result<Url, Refusal> {
        self.url(member)?.ok_or_else(|| self.missing(member))
    }

    fn missing(&self, member: &str) -> Refusal {
        invalid(self.settings, &format!("{member} is missing"))
    }

    fn url(&self, member: &str) -> Result<Option<Url>, Refusal> {
        self.url_in(self.document, member)
    }

    /// An endpoint that knows us by `authentication`: where that is by TLS, its alias for such clients comes first
    /// (RFC 8705 §5).
    fn ours(&self, member: &str, authentication: ClientAuthentication) -> Result<Option<Url>, Refusal> {
        const MEMBER: &str = "mtls_endpoint_aliases";
        let alias = match self.document.get(MEMBER).filter(|_| authentication.is_by_tls()) {
            None => None,
            Some(Value::Object(aliases)) => self.url_in(aliases, member)?,
            Some(_) => return Err(invalid(self.settings, &format!("{MEMBER} is not an object"))),
        };
        if alias.is_some() { Ok(alias) } else { self.url(member) }
    }

    fn url_in(&self, members: &Object, member: &str) -> Result<Option<Url>, Refusal> {
        let Some(value) = members.get(member) else { return Ok(None) };
        let wrong = |what: &str| invalid(self.settings, &format!("{member} {what}"));
        let text = value.as_str().ok_or_else(|| wrong("is not text"))?;
        let url = Url::parse(text).map_err(|error| wrong(&format!("is no absolute http(s) URL: {error}")))?;
        let plain = url.scheme() == crate::http::Scheme::Http;
        if plain && !(self.settings.allow_http && url.is_loopback()) {
            return Err(wrong("is not https"));
        }
        Ok(Some(url))
    }

    fn list(&self, member: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.document.get(member) else { return Ok(None) };
        let wrong = || invalid(self.settings, &format!("{member} is not a list of text"));
        let items = value.as_array().ok_or_else(wrong)?;
        items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
    }

    fn response_iss(&self) -> Result<ResponseIss, Refusal> {
        const MEMBER: &str = "authorization_response_iss_parameter_supported";
        match self.document.get(MEMBER) {
            None | Some(Value::Bool(false)) => Ok(ResponseIss::Perhaps),
            Some(Value::Bool(true)) => Ok(ResponseIss::Always),
            Some(_) => Err(invalid(self.settings, &format!("{MEMBER} is not true or false"))),
        }
    }
}

fn invalid(settings: &config::Provider, what: &str) -> Refusal {
    Refusal::new(Reason::DiscoveryInvalid, format!("provider={}: {what}", settings.name))
}
