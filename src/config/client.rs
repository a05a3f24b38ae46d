//! Our registration at a provider, as configured.

use crate::words::{Algorithm, Secret};

/// Our registration at a provider.
#[derive(Clone, Debug)]
pub struct Client {
    /// Our name there.
    pub client_id: String,
    /// Our secret there; none where we have no need of one.
    pub client_secret: Option<Secret>,
    /// A client secret that we sign ourselves, as Apple wants it.
    pub signed_secret: Option<SignedSecret>,
    /// How we authenticate at the token endpoint.
    pub authentication: ClientAuthentication,
    /// How we authenticate at the introspection endpoint.
    pub introspection_authentication: ClientAuthentication,
    /// How we authenticate at the revocation endpoint.
    pub revocation_authentication: ClientAuthentication,
    /// Our private keys, each as a JWK or as PEM. The first signs, all are published.
    pub keys: Vec<ClientKey>,
    /// What we sign by, where that is not left to the key.
    pub signing_alg: Option<Algorithm>,
    /// The audience of our assertions, where it is not the issuer.
    pub assertion_audience: Option<String>,
    /// The `typ` of our assertions.
    pub assertion_typ: String,
    /// The one algorithm of ID tokens, where registered; else any of `signing_algs`.
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// The one algorithm of introspection answers, where registered; else any of `signing_algs`.
    pub introspection_signed_response_alg: Option<Algorithm>,
}

/// One private key, not yet looked into.
#[derive(Clone, Debug)]
pub struct ClientKey {
    /// Where it stands below `client`.
    pub place: String,
    /// Its text.
    pub text: Secret,
}

/// What a client secret says that we sign ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedSecret {
    /// Apple's team.
    pub issuer: String,
    /// Whom it is for.
    pub audience: String,
    /// The key's name there, where the key itself has none.
    pub kid: Option<String>,
}

impl Client {
    /// No registration: enough to judge tokens that others bring.
    pub fn unregistered() -> Self {
        Self {
            client_id: String::new(),
            client_secret: None,
            signed_secret: None,
            authentication: ClientAuthentication::None,
            introspection_authentication: ClientAuthentication::None,
            revocation_authentication: ClientAuthentication::None,
            keys: Vec::new(),
            signing_alg: None,
            assertion_audience: None,
            assertion_typ: String::new(),
            id_token_signed_response_alg: None,
            introspection_signed_response_alg: None,
        }
    }

    /// Whether there is a registration at all.
    pub fn is_registered(&self) -> bool {
        !self.client_id.is_empty()
    }

    /// How we authenticate at each of the endpoints that want to know us.
    pub fn authentications(&self) -> [ClientAuthentication; 3] {
        [self.authentication, self.introspection_authentication, self.revocation_authentication]
    }

    /// A secret that only we know, if we have one.
    pub fn own_secret(&self) -> Option<&Secret> {
        self.client_secret.as_ref().or_else(|| self.keys.first().map(|key| &key.text))
    }
}

/// How we authenticate at an endpoint (RFC 6749 §2.3, OIDC Core §9, RFC 8705 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// `client_secret_jwt`: an assertion under our secret.
    SecretJwt,
    /// `private_key_jwt`: an assertion under our private key.
    PrivateKeyJwt,
    /// `tls_client_auth`: by the certificate of the host's cluster, which an authority vouches for.
    Tls,
    /// `self_signed_tls_client_auth`: by the certificate of the host's cluster, which is registered itself.
    SelfSignedTls,
    /// `none`: a public client.
    None,
}

impl ClientAuthentication {
    const ALL: [Self; 7] =
        [Self::Basic, Self::Post, Self::SecretJwt, Self::PrivateKeyJwt, Self::Tls, Self::SelfSignedTls, Self::None];

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::SecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::Tls => "tls_client_auth",
            Self::SelfSignedTls => "self_signed_tls_client_auth",
            Self::None => "none",
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Whether the connection itself says who we are.
    pub const fn is_by_tls(self) -> bool {
        matches!(self, Self::Tls | Self::SelfSignedTls)
    }

    /// Whether the client secret has a part in it.
    pub const fn needs_secret(self) -> bool {
        matches!(self, Self::Basic | Self::Post | Self::SecretJwt)
    }
}
