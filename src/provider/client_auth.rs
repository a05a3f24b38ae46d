//! How we authenticate at a provider's endpoints: RFC 6749 §2.3, OIDC Core §9, RFC 7523 §2.2, RFC 8705 §2.

use super::grants::JWT_BEARER;
use crate::config::{self, ClientAuthentication as By, ClientKey, Problem, SignedSecret};
use crate::http::form;
use crate::jose::{PrivateKey, base64url, mac};
use crate::words::json::{self, Object};
use crate::words::{Algorithm, Reason, Refusal, Secret, UnixTime};
use crate::world::{Endpoint, Host};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// How long an assertion is good: for one call, and the difference of two clocks.
const ASSERTION: Duration = Duration::from_secs(60);
/// How long a secret that we signed is good.
const SIGNED_SECRET: Duration = Duration::from_secs(3600);
/// After how long it is made anew.
const RENEWED: Duration = Duration::from_secs(1800);

/// What a request carries to authenticate us. Exactly one method is used (RFC 6749 §2.3).
pub struct Authentication {
    /// Header fields.
    pub headers: Vec<(String, Secret)>,
    /// Form fields.
    pub fields: Vec<(&'static str, Secret)>,
}

/// Who we are at a provider, with what proves it.
pub struct Registration {
    settings: Rc<config::Provider>,
    keys: Vec<PrivateKey>,
    /// What we sign by with the first key.
    algorithm: Option<Algorithm>,
    /// The secret that we signed last, and when another one is due.
    signed: RefCell<Option<(Secret, UnixTime)>>,
}

impl Registration {
    /// Reads our keys, once: what they are is judged here.
    pub fn new(settings: &Rc<config::Provider>) -> Result<Self, Problem> {
        let client = &settings.client;
        let read = |key: &ClientKey| {
            let problem =
                |sentence: &str| Problem::new(format!("providers.{}.client.{}", settings.name, key.place), sentence);
            let parsed = key.text.expose_text().ok_or(problem("is not text"))?;
            PrivateKey::parse(parsed).map_err(|why| problem(why.sentence()))
        };
        let mut keys = client.keys.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if settings.jwks_path.is_some() {
            keys.iter_mut().for_each(PrivateKey::name);
        }
        let asked = client.signing_alg.filter(|algorithm| !algorithm.is_symmetric());
        let algorithm = keys.first().map(|key| asked.unwrap_or_else(|| key.default_algorithm()));
        if let (Some(key), Some(asked)) = (keys.first(), asked)
            && !key.fits(asked)
        {
            let path = format!("providers.{}.client.token_endpoint_auth_signing_alg", settings.name);
            let fit = key.default_algorithm().name();
            return Err(Problem::new(path, format!("{} is nothing that the key can do, such as {fit}", asked.name())));
        }
        Ok(Self { settings: Rc::clone(settings), keys, algorithm, signed: RefCell::default() })
    }

    /// What proves at `endpoint` who we are, in the way that our registration asks for.
    ///
    /// The provider's metadata have no say in it: a document that promises less must not get our secret (RFC 9700 §2.5).
    pub fn authentication(&self, host: &dyn Host, endpoint: Endpoint) -> Result<Authentication, Refusal> {
        let client = &self.settings.client;
        let method = match endpoint {
            Endpoint::Introspection => client.introspection_authentication,
            Endpoint::Revocation => client.revocation_authentication,
            _ => client.authentication,
        };
        let id = ("client_id", Secret::new(client.client_id.as_str()));
        let secret = client.client_secret.as_ref().and_then(Secret::expose_text).unwrap_or_default();
        let by_fields = |fields| Authentication { headers: Vec::new(), fields };
        Ok(match method {
            By::Basic => {
                // §2.3.1: both parts are form-encoded first, so that `:`, `+`, `%` and others survive.
                let pair = format!("{}:{}", form::encode(&client.client_id), form::encode(secret));
                let value = Secret::new(format!("Basic {}", STANDARD.encode(pair)));
                Authentication { headers: vec![("authorization".to_owned(), value)], fields: Vec::new() }
            }
            By::Post => {
                let secret = match &client.signed_secret {
                    Some(signed) => self.signed_secret(host, signed)?,
                    None => Secret::new(secret),
                };
                by_fields(vec![id, ("client_secret", secret)])
            }
            By::SecretJwt | By::PrivateKeyJwt => {
                let assertion = self.assertion(host, method)?;
                let kind = ("client_assertion_type", Secret::new(JWT_BEARER));
                by_fields(vec![id, kind, ("client_assertion", assertion)])
            }
            By::Tls | By::SelfSignedTls | By::None => by_fields(vec![id]),
        })
    }

    /// The JWK set of our public keys, in the order of the list (RFC 7517 §5).
    pub fn published(&self) -> String {
        let public = |key: &PrivateKey| match self.algorithm {
            Some(algorithm) if key.fits(algorithm) => key.public(algorithm),
            _ => key.public(key.default_algorithm()),
        };
        json::of(vec![("keys", self.keys.iter().map(public).collect())]).to_string()
    }

    /// An assertion for one call (RFC 7523 §3). Its audience is who may take it, by the name that the operator wrote down: what
    /// a document names could be somebody else (CVE-2025-27370, CVE-2025-27371).
    fn assertion(&self, host: &dyn Host, method: By) -> Result<Secret, Refusal> {
        let (settings, client, now) = (&self.settings, &self.settings.client, host.now());
        let mut id = [0; 16];
        host.fill_random(&mut id);
        let claims = json::of(vec![
            ("iss", client.client_id.as_str().into()),
            ("sub", client.client_id.as_str().into()),
            ("aud", client.assertion_audience.as_ref().unwrap_or(&settings.issuer).as_str().into()),
            ("jti", base64url::encode(&id).into()),
            ("iat", now.as_secs().into()),
            ("exp", now.plus(ASSERTION).as_secs().into()),
        ]);
        if method == By::PrivateKeyJwt {
            return self.sign(host, &client.assertion_typ, None, &claims);
        }
        let algorithm = client.signing_alg.filter(|algorithm| algorithm.is_symmetric()).unwrap_or(Algorithm::Hs256);
        let header = json::of(vec![("alg", algorithm.name().into()), ("typ", client.assertion_typ.as_str().into())]);
        let signed = client.client_secret.as_ref().map(|secret| move |message: &[u8]| mac(secret, algorithm, message));
        jws(&header, &claims, |message| signed?(message)).ok_or_else(|| self.unsigned())
    }

    /// A client secret as Apple takes it: our own statement that this client is the team's. It is used until half of its
    /// life is over.
    fn signed_secret(&self, host: &dyn Host, signed: &SignedSecret) -> Result<Secret, Refusal> {
        let now = host.now();
        if let Some((secret, due)) = &*self.signed.borrow()
            && (due.minus(RENEWED)..*due).contains(&now)
        {
            return Ok(secret.clone());
        }
        let claims = json::of(vec![
            ("iss", signed.issuer.as_str().into()),
            ("sub", self.settings.client.client_id.as_str().into()),
            ("aud", signed.audience.as_str().into()),
            ("iat", now.as_secs().into()),
            ("exp", now.plus(SIGNED_SECRET).as_secs().into()),
        ]);
        let secret = self.sign(host, "JWT", signed.kid.as_deref(), &claims)?;
        self.signed.replace(Some((secret.clone(), now.plus(RENEWED))));
        Ok(secret)
    }

    fn sign(&self, host: &dyn Host, typ: &str, kid: Option<&str>, claims: &Value) -> Result<Secret, Refusal> {
        let (Some(key), Some(algorithm)) = (self.keys.first(), self.algorithm) else { return Err(self.unsigned()) };
        let mut header: Object = key.header();
        header.insert("alg".to_owned(), algorithm.name().into());
        header.insert("typ".to_owned(), typ.into());
        header.extend(kid.map(|kid| ("kid".to_owned(), kid.into())));
        let signed = jws(&Value::Object(header), claims, |message| key.sign(host, algorithm, message));
        signed.ok_or_else(|| self.unsigned())
    }

    fn unsigned(&self) -> Refusal {
        let detail = format!("provider={}: our key made no signature", self.settings.name);
        Refusal::new(Reason::ClientRefused, detail)
    }
}

/// A JWS in compact serialization (RFC 7515 §7.1).
fn jws(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Option<Secret> {
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = base64url::encode(&sign(message.as_bytes())?);
    Some(Secret::new(format!("{message}.{signature}")))
}
