//! Callers' credentials, traded for tokens at the token endpoint: RFC 6749 §4.3, §4.4 and §6, RFC 7523 §2.2.

use super::answers::{Answer, Answers, Failure, Question};
use super::id_token::{self, LoginEvidence};
use super::kept_claims::{self, KeptClaims};
use super::token::{self, By, Failed, Tokens};
use super::{Keys, Metadatas, Provider, Registration, answers};
use crate::config;
use crate::http::form;
use crate::jose::{Untrusted, claims};
use crate::words::json::Object;
use crate::words::{Claims, Reason, Refusal, Secret, UnixTime};
use crate::world::{Host, LocalFuture, Metric, World};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::rc::Rc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The life of an access token that says none.
const ASSUMED: Duration = Duration::from_secs(300);
/// How long tokens are used at most, whatever their life.
pub const LONGEST: Duration = Duration::from_secs(86_400);
/// What a client assertion is called (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a caller brings to be traded.
#[derive(Debug)]
pub enum Credential {
    /// A refresh token of our client's.
    RefreshToken(Secret),
    /// A user's name and password, shown by our client.
    Password { username: String, password: Secret },
    /// A client's own id and secret.
    Client { client_id: String, secret: Secret },
    /// A client's own assertion, with its id where that was sent beside it.
    Assertion { client_id: Option<String>, assertion: Secret },
}

impl Credential {
    /// The name whose secret it is, as it says.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::RefreshToken(_) => None,
            Self::Password { username: name, .. } | Self::Client { client_id: name, .. } => Some(name),
            Self::Assertion { client_id, .. } => client_id.as_deref(),
        }
    }
}

/// A credential with what is asked for. By both together the answer is remembered.
pub struct Trade<'a> {
    by: Shown<'a>,
    /// The parameters of the token request.
    fields: Vec<(&'a str, &'a str)>,
}

/// Who is the client in a trade.
enum Shown<'a> {
    /// We.
    Us,
    /// The caller, by its id and secret.
    Secret { id: &'a str, secret: &'a str },
    /// The caller, by what is among the parameters.
    Assertion,
}

/// Who is the client in a trade, as its text says it.
const US: &str = "us";

impl<'a> Trade<'a> {
    /// What is sent for this credential.
    pub fn new(credential: &'a Credential, grants: &'a config::Grants) -> Self {
        let (by, mut fields) = match credential {
            Credential::RefreshToken(token) => {
                (Shown::Us, vec![("grant_type", "refresh_token"), ("refresh_token", shown(token))])
            }
            Credential::Password { username, password } => {
                let fields = vec![("grant_type", "password"), ("username", username), ("password", shown(password))];
                (Shown::Us, fields)
            }
            Credential::Client { client_id, secret } => {
                let by = Shown::Secret { id: client_id, secret: shown(secret) };
                (by, vec![("grant_type", "client_credentials")])
            }
            Credential::Assertion { client_id, assertion } => {
                let mut fields = vec![
                    ("grant_type", "client_credentials"),
                    ("client_assertion_type", JWT_BEARER),
                    ("client_assertion", shown(assertion)),
                ];
                fields.extend(client_id.as_deref().map(|id| ("client_id", id)));
                (Shown::Assertion, fields)
            }
        };
        fields.extend(grants.scope.as_deref().map(|scope| ("scope", scope)));
        fields.extend(grants.params.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Self { by, fields }
    }

    /// What our own client asks for.
    pub(super) fn of_ours(fields: Vec<(&'a str, &'a str)>) -> Self {
        Self { by: Shown::Us, fields }
    }

    /// By what it is remembered. Each text's length stands before it, so that no two trades are written alike.
    fn mark(&self, answers: &Answers<Granted>, host: &dyn Host) -> u128 {
        let (kind, id, secret) = match self.by {
            Shown::Us => (US, "", ""),
            Shown::Secret { id, secret } => ("client", id, secret),
            Shown::Assertion => ("assertion", "", ""),
        };
        let mut written = Zeroizing::new(Vec::with_capacity(256));
        let mut write = |text: &str| {
            written.extend_from_slice(&text.len().to_le_bytes());
            written.extend_from_slice(text.as_bytes());
        };
        [kind, id, secret].into_iter().for_each(&mut write);
        for (name, value) in &self.fields {
            write(name);
            write(value);
        }
        answers.mark(host, &written)
    }

    /// All of it, for the question: the caller's own `Authorization` field stands before the form where the caller is the
    /// client, and `us` where we are.
    fn text(&self) -> Secret {
        let by = match self.by {
            Shown::Us => US.to_owned(),
            // RFC 6749 §2.3.1: both parts are form-encoded first.
            Shown::Secret { id, secret } => {
                format!("Basic {}", STANDARD.encode(format!("{}:{}", form::encode(id), form::encode(secret))))
            }
            Shown::Assertion => String::new(),
        };
        Secret::new(format!("{by}\n{}", form::write(self.fields.iter().copied())))
    }
}

/// What it says; nothing where it is no text.
fn shown(secret: &Secret) -> &str {
    secret.expose_text().unwrap_or_default()
}

/// What the provider gave for a credential. A JWT among it is not yet verified, but for the ID token.
pub struct Granted {
    /// The access token.
    pub access_token: Rc<Secret>,
    /// A refresh token in place of the caller's.
    pub refresh_token: Option<Secret>,
    /// The ID token, which was verified.
    pub id_token: Option<Rc<Secret>>,
    /// Whom it is about.
    pub subject: Option<Rc<str>>,
    /// Those of its claims that a rule reads.
    pub id_claims: Option<Claims>,
    /// What was granted, values separated by spaces.
    pub scope: Rc<str>,
    /// When the access token is no longer used.
    ends: UnixTime,
}

impl Provider {
    /// The tokens for a credential, if they are remembered; or that it is wrong.
    pub fn known_grant(&self, host: &dyn Host, trade: &Trade<'_>) -> Option<Result<Rc<Granted>, Refusal>> {
        self.grants.known(host, trade.mark(&self.grants, host))
    }

    /// Trades a credential of which nothing is known. A call of its own needs leave.
    pub async fn trade(
        &self,
        world: &World,
        trade: &Trade<'_>,
        leave: &mut dyn FnMut() -> Result<(), Refusal>,
    ) -> Result<Rc<Granted>, Refusal> {
        let mark = trade.mark(&self.grants, &**world);
        self.grants.ask(&world.host(), mark, trade.text(), leave).await
    }

    /// Remembers for long that a credential is wrong, since it turned out to be something else.
    pub fn remember_wrong(&self, host: &dyn Host, trade: &Trade<'_>) {
        let mark = trade.mark(&self.grants, host);
        self.grants.remember_bad(host, mark, Reason::CredentialRefused.into(), LONGEST);
    }

    /// Forgets what is known of a credential, or was.
    pub fn forget_grant(&self, host: &dyn Host, trade: &Trade<'_>) {
        self.grants.forget(host, trade.mark(&self.grants, host));
    }
}

/// How one provider is asked.
pub struct Grants {
    /// The provider's configuration.
    pub settings: Rc<config::Provider>,
    /// Who asks.
    pub registration: Rc<Registration>,
    /// Where the endpoint is learnt.
    pub metadata: Rc<Metadatas>,
    /// What ID tokens are verified with.
    pub keys: Rc<Keys>,
    /// What stays of their claims.
    pub kept: KeptClaims,
    /// How long before its end a token is no longer used.
    pub margin: Duration,
}

impl Question for Grants {
    fn known(&self) -> Metric {
        Metric::GrantsCached
    }

    fn shared(&self) -> (u16, usize) {
        // Three tokens are larger than what is said of one.
        (512, 16 * 1024)
    }

    fn once_within(&self) -> Option<Duration> {
        Some(self.settings.timeout)
    }

    fn ask(self: Rc<Self>, host: Rc<dyn Host>, trade: Secret) -> LocalFuture<Result<Object, Failure>> {
        Box::pin(async move {
            let (by, form) = trade.expose_text().and_then(|text| text.split_once('\n')).unwrap_or_default();
            let fields = form::parse(form).unwrap_or_default();
            let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
            let metadata = self.metadata.get(&host).await.map_err(Failure::Outage)?;
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let client = if by == US { By::Us } else { By::Caller(by) };
            let request =
                token::request_by(&*host, &self.settings, &self.registration, &metadata.token_endpoint, client, &pairs);
            let request = request.map_err(Failure::Outage)?;
            let response = answers::send(&*host, &self.settings, request, Reason::TokenUnavailable).await?;
            let tokens = token::read(&self.settings, &response);
            let tokens = tokens.map_err(|failed| self.failure(failed, client, response.status))?;
            let assertion_ends = field("client_assertion").and_then(expiry);
            self.members(&host, tokens, client, field("scope"), assertion_ends).await
        })
    }

    fn read(&self, members: &Object, _: UnixTime) -> Result<Rc<dyn Answer>, Failure> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let token = |name: &str| text(name).map(Secret::new);
        let access_token = token("access_token").ok_or_else(|| self.invalid("there is no access token"))?;
        Ok(Rc::new(Granted {
            access_token: Rc::new(access_token),
            refresh_token: token("refresh_token"),
            id_token: token("id_token").map(Rc::new),
            subject: text("sub").map(Rc::from),
            id_claims: members.get("claims").and_then(Value::as_object).cloned().map(Rc::new),
            scope: text("scope").unwrap_or_default().into(),
            ends: UnixTime::from_secs(members.get("ends").and_then(Value::as_u64).unwrap_or_default()),
        }))
    }

    fn keeps(&self, _: &str) -> bool {
        true
    }
}

impl Answer for Granted {
    fn ends(&self) -> Option<UnixTime> {
        Some(self.ends)
    }

    fn weight(&self) -> usize {
        let tokens = [Some(&*self.access_token), self.refresh_token.as_ref(), self.id_token.as_deref()];
        let tokens: usize = tokens.into_iter().flatten().map(Secret::len).sum();
        let claims = self.id_claims.as_ref().map_or(0, |claims| kept_claims::weight(claims));
        tokens.saturating_add(claims).saturating_add(self.scope.len()).saturating_add(512)
    }
}

impl Grants {
    /// What is kept of an answer, by names of our own.
    async fn members(
        &self,
        host: &Rc<dyn Host>,
        tokens: Tokens,
        by: By<'_>,
        asked: Option<&str>,
        latest: Option<UnixTime>,
    ) -> Result<Object, Failure> {
        let mut members = Object::new();
        let mut say = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
        let now = host.now();
        let life = match (tokens.has_ended, tokens.expires_in) {
            (true, _) => Duration::ZERO,
            (false, Some(life)) => life,
            (false, None) => {
                let ends = tokens.access_token.expose_text().and_then(expiry);
                ends.map_or(ASSUMED, |ends| ends.since(now))
            }
        };
        let ends = now.plus(life).minus(self.margin);
        say("ends", latest.map_or(ends, |latest| latest.min(ends)).as_secs().into());
        say("access_token", shown(&tokens.access_token).into());
        say("scope", tokens.scope.as_deref().or(asked).unwrap_or_default().into());
        // RFC 6749 §4.4.3: to a client that speaks for itself neither belongs, and they are passed over.
        if let By::Us = by {
            if let Some(token) = &tokens.refresh_token {
                say("refresh_token", shown(token).into());
            }
            if let Some(token) = &tokens.id_token {
                let evidence = LoginEvidence { nonce: None, access_token: &tokens.access_token };
                let verified = id_token::verify(host, &self.settings, &self.keys, token, &evidence).await;
                let verified = verified.map_err(|refusal| match refusal.reason.status() {
                    503 => Failure::Odd(refusal),
                    _ => self.invalid(&refusal.to_string()),
                })?;
                say("sub", verified.subject().into());
                say("claims", Value::Object((*self.kept.filter(verified.claims())).clone()));
                say("id_token", shown(token).into());
            }
        }
        Ok(members)
    }

    /// What an error says: of the credential, of our client, or of the provider (RFC 6749 §5.2). Nothing that a stranger can
    /// bring about by what it sends counts as an outage, since that would keep others waiting.
    fn failure(&self, failed: Failed, by: By<'_>, status: u16) -> Failure {
        let is_ours = matches!(by, By::Us);
        let refused = |reason: Reason, what: &str| {
            Refusal::new(reason, format!("provider={}: status {status}, error {what:?}", self.settings.name))
        };
        match failed {
            Failed::Said { code, .. } => {
                let shown = crate::http::text::printable(&code, 60);
                match code.as_str() {
                    "invalid_client" if is_ours => Failure::Outage(refused(Reason::ClientRefused, &shown)),
                    "unauthorized_client" | "invalid_scope" if is_ours => {
                        Failure::Odd(refused(Reason::GrantRefused, &shown))
                    }
                    "unsupported_grant_type" | "invalid_request" => Failure::Odd(refused(Reason::GrantRefused, &shown)),
                    "temporarily_unavailable" | "server_error" | "slow_down" => {
                        Failure::Odd(refused(Reason::TokenUnavailable, &shown))
                    }
                    _ => Failure::Dead(refused(Reason::CredentialRefused, &shown)),
                }
            }
            // Without a word that says so it is not known whether the name, its secret or our client is meant.
            Failed::Otherwise(refusal) => match (refusal.reason, status) {
                (Reason::ClientRefused, _) if !is_ours => Failure::Dead(refused(Reason::CredentialRefused, "")),
                (Reason::TokenUnavailable, 501..=599) => Failure::Outage(refusal),
                (Reason::TokenInvalid, _) => Failure::Odd(refusal.because(Reason::GrantInvalid)),
                _ => Failure::Odd(refusal),
            },
        }
    }

    fn invalid(&self, what: &str) -> Failure {
        Failure::Odd(Refusal::new(Reason::GrantInvalid, format!("provider={}: {what}", self.settings.name)))
    }
}

/// The `exp` of a JWT that the provider has given or accepted.
fn expiry(token: &str) -> Option<UnixTime> {
    let untrusted = Untrusted::parse(token).ok()?;
    // From 0 to the year 9999, so nothing is lost but the fraction.
    claims::date(untrusted.unverified_claims(), "exp").ok().flatten().map(|ends| UnixTime::from_secs(ends as u64))
}
