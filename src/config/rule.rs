//! A rule: which requests it is for, who may pass, and what the service gets to see.

use super::{ConsumerRule, Exchange, Grants, GuessLimit, Logout, RateLimit, Require};
use crate::http::Url;
use crate::words::{ClaimPath, Method, Source};

/// What happens to the requests that it matches.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Shown in logs and metrics.
    pub name: String,
    /// Which requests.
    pub matches: Match,
    /// Whom it lets in.
    pub allow: Allow,
    /// The providers, by their places in `Config::providers`; several for access tokens alone, none where `allow` needs
    /// no identity.
    pub providers: Vec<usize>,
    /// Whether its verdicts count.
    pub mode: Mode,
    /// Where credentials are looked for.
    pub credentials: Credentials,
    /// What an access token must be.
    pub token: TokenRules,
    /// What is asked for with a caller's credential.
    pub grants: Grants,
    /// How many wrong secrets are taken; present where a method trades credentials.
    pub guess_limit: Option<GuessLimit>,
    /// Who else is asked about the caller.
    pub enrich: Enrich,
    /// What becomes of a path that servers read differently.
    pub ambiguous_paths: AmbiguousPaths,
    /// The credentials that are looked for, in their fixed order.
    pub methods: Vec<Method>,
    /// The login; present when `authorization_code` is among the methods.
    pub login: Option<Login>,
    /// Where a web page may ask who its user is, on the host of the login's `redirect_uri`.
    pub session_info_path: Option<String>,
    /// How people log out; only beside a login.
    pub logout: Option<Logout>,
    /// What an identity must be.
    pub require: Require,
    /// How it is found which consumer the identity is; `None` where none is looked for.
    pub consumer: Option<ConsumerRule>,
    /// What the service learns of the identity.
    pub upstream_headers: Vec<ToldHeader>,
    /// What the client learns of the identity, with the service's answer.
    pub response_headers: Vec<ToldHeader>,
    /// What other parts of the host learn of the identity.
    pub properties: Vec<ToldHeader>,
    /// How the access token travels to the service; unless said otherwise a session's as [`TokenForm::Bearer`], and one
    /// that the caller brought not at all, or as it came, by [`Credentials::hide`].
    pub access_token: Option<TokenForm>,
    /// How often each caller may come.
    pub rate_limit: Option<RateLimit>,
    /// What refusals look like.
    pub errors: Errors,
}

impl Rule {
    /// Every claim that the rule reads.
    pub fn claims_read(&self) -> Vec<ClaimPath> {
        let mut claims = Vec::new();
        for header in self.told() {
            if let HeaderSource::Claim { claim, .. } = &header.source {
                claims.push(claim.clone());
            }
        }
        claims.extend(self.logout.as_ref().and_then(|logout| logout.hint.clone()));
        self.require.add_claims_read(&mut claims);
        if let Some(consumer) = &self.consumer {
            consumer.add_claims_read(&mut claims);
        }
        if let Some(limit) = &self.rate_limit {
            limit.add_claims_read(&mut claims);
        }
        if let Some(exchange) = &self.token.exchange
            && !(exchange.conditions.has_audience.is_empty() && exchange.conditions.missing_audience.is_empty())
        {
            claims.push(ClaimPath::of("aud"));
        }
        if self.token.max_age.is_some() {
            claims.push(ClaimPath::of("auth_time"));
        }
        if !self.token.acr_values.is_empty() {
            claims.push(ClaimPath::of("acr"));
        }
        claims
    }

    /// Whether Basic may be a credential here.
    pub fn takes_basic(&self) -> bool {
        let takes =
            |method, places: &[SecretPlace]| self.methods.contains(&method) && places.contains(&SecretPlace::Basic);
        takes(Method::Password, &self.credentials.password)
            || takes(Method::ClientCredentials, &self.credentials.client_credentials)
    }

    /// Whether the rule tells all claims of `source`, so that none may be left out.
    pub fn tells_all(&self, source: Source) -> bool {
        self.told().any(|header| matches!(header.source, HeaderSource::Claims { source: told, .. } if told == source))
    }

    fn told(&self) -> impl Iterator<Item = &ToldHeader> {
        self.upstream_headers.iter().chain(&self.response_headers).chain(&self.properties)
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

/// Whether a rule's verdicts count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They do.
    #[default]
    Enforce,
    /// A refusal is logged and counted, and the request passes all the same, as a stranger's: a rule on trial.
    Report,
}

/// Where credentials are looked for, and whether they travel on.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The places for access tokens, none of them twice.
    pub bearer: Vec<Place>,
    /// The places for refresh tokens; never [`Place::Authorization`].
    pub refresh_token: Vec<Place>,
    /// The places for users' names and passwords.
    pub password: Vec<SecretPlace>,
    /// The places for clients' ids and secrets.
    pub client_credentials: Vec<SecretPlace>,
    /// Whether what was used is kept from the service.
    pub hide: bool,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            bearer: vec![Place::Authorization],
            refresh_token: vec![Place::Header("refresh-token".to_owned())],
            password: vec![SecretPlace::Basic],
            client_credentials: vec![SecretPlace::Basic],
            hide: true,
        }
    }
}

/// Where a request may carry a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `Authorization: Bearer` (RFC 6750 §2.1).
    Authorization,
    /// Alone in a header of this lower-case name.
    Header(String),
    /// Alone in a cookie of this name.
    Cookie(String),
    /// A parameter in the query (RFC 6750 §2.3).
    Query,
    /// A parameter in a form body (RFC 6750 §2.2).
    Form,
}

/// Where a request may carry a name and its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// `Authorization: Basic` (RFC 7617).
    Basic,
    /// Parameters in a form body.
    Form,
}

/// What an access token must be.
#[derive(Clone, Debug)]
pub struct TokenRules {
    /// Of whose values `aud` must have one; `None` for whatever audience, which was written out.
    pub audience: Option<Vec<String>>,
    /// What a JWT's `typ` may be, in lower case and without `application/`; `None` in it stands for an absent one.
    pub types: Vec<Option<String>>,
    /// Claims that name the client; the first present does.
    pub client_id_claims: Vec<String>,
    /// Whether JWTs are introspected as well as verified.
    pub introspect_jwt: bool,
    /// The resource's own name (RFC 9728 §2), under which its metadata are served.
    pub resource: Option<Resource>,
    /// For what it is exchanged.
    pub exchange: Option<Exchange>,
    /// How long ago the user may have authenticated (RFC 9470).
    pub max_age: Option<std::time::Duration>,
    /// Of which `acr` must be one (RFC 9470).
    pub acr_values: Vec<String>,
}

/// A protected resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its identifier as it was configured. Clients compare it byte for byte (RFC 9728 §3.3), so a slash at its end counts.
    pub name: String,
    /// Where that leads.
    pub url: Url,
}

impl Default for TokenRules {
    fn default() -> Self {
        Self {
            audience: Some(Vec::new()),
            types: vec![Some("at+jwt".to_owned()), Some("jwt".to_owned()), None],
            client_id_claims: ["client_id", "azp", "cid", "appid"].map(str::to_owned).to_vec(),
            introspect_jwt: false,
            resource: None,
            exchange: None,
            max_age: None,
            acr_values: Vec::new(),
        }
    }
}

/// Who else is asked about the caller, for further claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enrich {
    /// The introspection endpoint.
    pub introspection: bool,
    /// The userinfo endpoint.
    pub userinfo: bool,
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
    /// Which tokens [`LoginAction::Tokens`] gives away.
    pub tokens: Vec<TokenName>,
    /// Where others may begin a login (OIDC Core §4), on the host of `redirect_uri`.
    pub initiate_path: Option<String>,
    /// Sets its sessions apart from those of other logins; `session.partition` where it says nothing.
    pub partition: Option<String>,
    /// Paths, with all below them, whose requests do not extend a session's idle life.
    pub passive_paths: Vec<String>,
}

impl Login {
    /// Whether a request for this path leaves a session's idle life as it is: a page that polls is nobody at work.
    pub fn is_passive(&self, path: &str) -> bool {
        self.passive_paths.iter().any(|passive| {
            let rest = path.strip_prefix(passive.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// What follows a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginAction {
    /// Back to where it began.
    #[default]
    Redirect,
    /// The callback request itself goes on to the service.
    Upstream,
    /// The tokens are the answer.
    Tokens,
}

/// A token of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenName {
    /// The access token.
    AccessToken,
    /// The ID token.
    IdToken,
    /// The refresh token.
    RefreshToken,
}

/// A header that tells something.
#[derive(Clone, Debug)]
pub struct ToldHeader {
    /// Its name in lower case.
    pub name: String,
    /// What it tells.
    pub source: HeaderSource,
}

/// What a header tells.
#[derive(Clone, Debug)]
pub enum HeaderSource {
    /// A claim of the identity.
    Claim { claim: ClaimPath, source: Source, form: ClaimForm },
    /// All claims of one source.
    Claims { source: Source, form: ClaimForm },
    /// The access token, alone.
    AccessToken,
    /// The ID token, alone.
    IdToken,
}

/// How a claim is written into a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClaimForm {
    /// Text as it is, numbers and truth values as JSON has them, lists of these joined by commas, objects as JSON.
    #[default]
    Text,
    /// As JSON without white space.
    Json,
    /// That JSON in base64url without padding (RFC 4648 §5).
    Base64,
}

/// How an access token travels to the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenForm {
    /// `Authorization: Bearer` (RFC 6750 §2.1).
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
