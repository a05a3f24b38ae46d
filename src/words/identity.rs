//! Who a request comes from, once that is proven.

use super::json::Object;
use serde_json::Value;
use std::rc::Rc;

/// The claims of one verified source. Only code that verified them makes these.
pub type Claims = Rc<Object>;

/// The nine ways to show who one is, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// A session cookie that we sealed.
    Session,
    /// A JWT access token, judged by its signature (RFC 6750, RFC 9068).
    Bearer,
    /// An access token that this gateway issued itself.
    GatewayToken,
    /// An access token that its provider is asked about (RFC 7662).
    Introspection,
    /// An access token that opens the provider's userinfo endpoint (OIDC Core §5.3).
    Userinfo,
    /// The caller's refresh token, traded at the provider (RFC 6749 §6).
    RefreshToken,
    /// A user's name and password, traded at the provider (RFC 6749 §4.3).
    Password,
    /// A client's own id and secret, traded at the provider (RFC 6749 §4.4).
    ClientCredentials,
    /// A login at the provider (RFC 6749 §4.1).
    AuthorizationCode,
}

impl Method {
    /// Every method that works, in the order in which they are tried.
    pub const ALL: [Self; 9] = [
        Self::Session,
        Self::Bearer,
        Self::GatewayToken,
        Self::Introspection,
        Self::Userinfo,
        Self::RefreshToken,
        Self::Password,
        Self::ClientCredentials,
        Self::AuthorizationCode,
    ];

    /// Whether its credential is an access token that the caller brings.
    pub const fn takes_access_tokens(self) -> bool {
        matches!(self, Self::Bearer | Self::GatewayToken | Self::Introspection | Self::Userinfo)
    }

    /// Whether its credential is traded for tokens at the provider, whenever it comes.
    pub const fn is_grant(self) -> bool {
        matches!(self, Self::RefreshToken | Self::Password | Self::ClientCredentials)
    }

    /// The name in configuration, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Bearer => "bearer",
            Self::GatewayToken => "gateway_token",
            Self::Introspection => "introspection",
            Self::Userinfo => "userinfo",
            Self::RefreshToken => "refresh_token",
            Self::Password => "password",
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
        }
    }
}

/// A caller whose credential was accepted.
#[derive(Clone, Debug)]
pub struct Identity {
    /// By which credential.
    pub method: Method,
    /// The issuer that vouches for `subject`; the two together name the caller.
    pub issuer: Rc<str>,
    /// The `sub` claim; a token that speaks for no one has none.
    pub subject: Option<Rc<str>>,
    /// The client that the token was issued to, where it says so.
    pub client: Option<Rc<str>>,
    /// What is known of the caller, by who says so.
    pub sources: Sources,
    /// The scope that was granted, values separated by spaces (RFC 6749 §3.3).
    pub scope: Rc<str>,
    /// The access token to send on, where there is one that still lives.
    pub access_token: Option<Rc<super::Secret>>,
    /// The ID token of the login, in a session that keeps it.
    pub id_token: Option<Rc<super::Secret>>,
    /// Which of the known consumers it is, where a rule asks that.
    pub consumer: Option<Rc<Consumer>>,
}

/// An application or a person that the gateway knows by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// What identifies it to the service.
    pub id: String,
    /// Its name.
    pub username: String,
    /// Its name in another system.
    pub custom_id: Option<String>,
    /// Its groups.
    pub groups: Vec<String>,
}

/// Who says a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Source {
    /// Whoever knows: the first of the sources below that has the claim.
    #[default]
    Any,
    /// The ID token of the login, with userinfo's claims where the login asks for them.
    IdToken,
    /// The access token, which is a JWT.
    AccessToken,
    /// The introspection endpoint's answer.
    Introspection,
    /// The userinfo endpoint's answer.
    Userinfo,
}

/// Claims that were verified, by who says them. Whatever was not asked is `None`.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Of the ID token.
    pub id_token: Option<Claims>,
    /// Of the access token.
    pub access_token: Option<Claims>,
    /// Of the introspection endpoint.
    pub introspection: Option<Claims>,
    /// Of the userinfo endpoint.
    pub userinfo: Option<Claims>,
}

impl Sources {
    /// The claims of one source; for [`Source::Any`] none, as it is not one.
    pub fn of(&self, source: Source) -> Option<&Claims> {
        match source {
            Source::Any => None,
            Source::IdToken => self.id_token.as_ref(),
            Source::AccessToken => self.access_token.as_ref(),
            Source::Introspection => self.introspection.as_ref(),
            Source::Userinfo => self.userinfo.as_ref(),
        }
    }

    /// An outermost claim about the authentication, such as `acr`, of whoever has a say in it: userinfo tells of the person
    /// (OIDC Core §5.3), not of how a token came to be. A `null` counts as missing.
    pub fn of_authentication(&self, name: &str) -> Option<&Value> {
        let sources = [Source::IdToken, Source::AccessToken, Source::Introspection];
        let mut said = sources.into_iter().filter_map(|source| self.of(source)?.get(name));
        said.find(|value| !value.is_null())
    }

    /// A claim, as `source` says it. A `null` counts as missing.
    pub fn find(&self, source: Source, claim: &ClaimPath) -> Option<&Value> {
        match source {
            Source::Any => Source::ALL.into_iter().find_map(|source| claim.find(self.of(source)?)),
            source => claim.find(self.of(source)?),
        }
    }

    /// A claim as `source` says it; for [`Source::Any`] as each one does that has it, for tests that any of them may fail.
    pub fn each<'a>(&'a self, source: Source, claim: &'a ClaimPath) -> impl Iterator<Item = &'a Value> {
        let asked = Source::ALL.into_iter().filter(move |one| source == Source::Any || source == *one);
        asked.filter_map(move |one| claim.find(self.of(one)?))
    }
}

impl Source {
    /// Every source, in the order in which [`Source::Any`] asks them.
    pub const ALL: [Self; 4] = [Self::IdToken, Self::AccessToken, Self::Introspection, Self::Userinfo];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::IdToken => "id_token",
            Self::AccessToken => "access_token",
            Self::Introspection => "introspection",
            Self::Userinfo => "userinfo",
        }
    }
}

/// Where a claim stands: member names from the outside in. Never split at dots, which names may contain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// A path of at least one name; `None` when empty.
    pub fn new(names: Vec<String>) -> Option<Self> {
        (!names.is_empty()).then_some(Self(names))
    }

    /// The outermost member of that name.
    pub fn of(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// The outermost member's name.
    pub fn root(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether it is this outermost member.
    pub fn is(&self, name: &str) -> bool {
        self.0 == [name]
    }

    /// The claim in `claims`; `None` when a member on the way is missing or no object. A `null` counts as missing.
    pub fn find<'a>(&self, claims: &'a Object) -> Option<&'a Value> {
        let (first, inner) = self.0.split_first()?;
        let found = inner.iter().try_fold(claims.get(first)?, |value, name| value.as_object()?.get(name))?;
        (!found.is_null()).then_some(found)
    }
}

impl std::fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(" / "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::json;

    fn path(names: &[&str]) -> ClaimPath {
        ClaimPath::new(names.iter().map(|name| (*name).to_owned()).collect()).unwrap()
    }

    #[test]
    fn a_path_walks_objects_and_never_splits_names() {
        let claims = json::object(br#"{"a.b":1,"a":{"b":2,"n":null},"https://x/roles":["r"]}"#).unwrap();
        assert_eq!(path(&["a.b"]).find(&claims), Some(&Value::from(1)));
        assert_eq!(path(&["a", "b"]).find(&claims), Some(&Value::from(2)));
        assert!(path(&["https://x/roles"]).find(&claims).is_some());
        assert_eq!(path(&["a", "n"]).find(&claims), None);
        assert_eq!(path(&["a.b", "c"]).find(&claims), None);
        assert_eq!(path(&["https://x/roles", "0"]).find(&claims), None);
        assert_eq!(ClaimPath::new(vec![]), None);
    }
}
