//! The browser comes back from the provider: RFC 6749 §4.1.2, OIDC Core §3.1.2.5 and §3.1.3.

use super::super::{Guard, Proof};
use super::response::{self, AuthorizationResponse};
use super::{Start, landing, redirect};
use crate::config::{self, LoginAction, TokenName};
use crate::http::cookie::SameSite;
use crate::http::text;
use crate::policy;
use crate::provider::token::{self, Code, Tokens};
use crate::provider::{LoginEvidence, Metadata, ResponseIss, userinfo};
use crate::session::login::{Found, Login};
use crate::session::{Content, Facts, Origin, RelyingParty};
use crate::words::json::Object;
use crate::words::{Identity, Method, Reason, Refusal, Request, Response, Secret, Sources, Stop};
use crate::world::World;
use std::rc::Rc;

/// Errors that ask for a person, after a login that asked for none (OIDC Core §3.1.2.6).
const WANTS_A_PERSON: [&str; 4] =
    ["login_required", "interaction_required", "consent_required", "account_selection_required"];

/// How a callback ended.
pub struct Ending<'a> {
    /// The rule that began the login; none where no login waited for this callback.
    pub guard: Option<&'a Guard>,
    /// `Ok` is a login that ends with the callback itself going on to the service (`login.action: upstream`), if the rule
    /// lets this person pass.
    pub outcome: Result<Box<Proof>, Stop>,
}

/// Takes a browser back from the provider. `guards` are the rules that share this redirect URI; the one that began the
/// login decides how it ends.
pub async fn callback<'a>(world: &World, guards: &[&'a Guard], request: &Request) -> Ending<'a> {
    let callback = match Callback::begun(world, guards, request).await {
        Ok(callback) => callback,
        Err(stop) => return Ending { guard: None, outcome: Err(stop) },
    };
    let outcome = match callback.finish(world, request).await {
        Err(Stop::Refused(refusal)) => Err(spent(callback.party, &callback.login, refusal)),
        ended => ended,
    };
    Ending { guard: Some(callback.guard), outcome }
}

/// An answer, and the login of this browser's that waited for it.
struct Callback<'a> {
    party: &'a Rc<RelyingParty>,
    settings: &'a config::Login,
    guard: &'a Guard,
    login: Box<Login>,
    response: AuthorizationResponse,
    metadata: Rc<Metadata>,
}

impl<'a> Callback<'a> {
    async fn begun(world: &World, guards: &[&'a Guard], request: &Request) -> Result<Self, Stop> {
        let party = guards.iter().find_map(|guard| guard.login()).map(|(_, party)| party).ok_or(Reason::NoRule)?;
        let response = response::read(world, request, party.provider.settings.response_mode).await?;
        // Nothing is asked of the provider before the browser has shown that the login is its own (RFC 6749 §10.12).
        let malformed = || Refusal::new(Reason::CallbackMalformed, "state is missing");
        let state = response.state.as_deref().ok_or_else(malformed)?;
        let login = match party.sessions.find_login(world.now(), &request.headers, state) {
            Found::Waiting(login) => login,
            Found::Done(login) => {
                return Err(Stop::answered(redirect(party.home(&login.target)), Reason::LoginDoneBefore));
            }
            Found::Expired(login) => return Err(spent(party, &login, Reason::LoginExpired.into())),
            Found::Unknown => return Err(unknown(party)),
        };
        let guard = guards.iter().find(|guard| guard.rule.name == login.rule).or(guards.first());
        let Some((guard, settings)) = guard.and_then(|guard| Some((guard, guard.login()?.0))) else {
            return Err(unknown(party));
        };
        // A provider that cannot be asked now has spent nothing: the same callback may be tried again.
        let metadata = party.provider.metadata(&world.host()).await?;
        Ok(Self { party, settings, guard, login, response, metadata })
    }

    async fn finish(&self, world: &World, request: &Request) -> Result<Box<Proof>, Stop> {
        self.judge_iss()?;
        let code = match (&self.response.code, &self.response.error) {
            (Some(code), None) => code,
            (None, Some(error)) => return Err(self.provider_says(world, request, error).await),
            (Some(_), Some(_)) => return Err(Refusal::new(Reason::CallbackMalformed, "code and error at once").into()),
            (None, None) => return Err(Refusal::new(Reason::CallbackMalformed, "neither code nor error").into()),
        };
        let tokens = self.exchange(world, code).await?;
        let claims = self.claims(world, &tokens).await?;
        self.log_in(world, request, tokens, claims).await
    }

    /// RFC 9207 §2.4: compared byte for byte, in success and in error; absent only where it was not announced.
    fn judge_iss(&self) -> Result<(), Refusal> {
        let wrong = |what: &str| Err(Refusal::new(Reason::CallbackIssuerMismatch, what));
        match (&self.response.iss, self.metadata.response_iss) {
            (Some(iss), _) if iss == self.party.provider.issuer() => Ok(()),
            (Some(_), _) => wrong("iss is of another issuer"),
            (None, ResponseIss::Always) => wrong("iss is missing, though the provider announces it"),
            (None, ResponseIss::Perhaps) => Ok(()),
        }
    }

    /// The provider ended the login. A silent one that needs a person is begun once more, aloud.
    async fn provider_says(&self, world: &World, request: &Request, error: &str) -> Stop {
        let mut fixed = self.settings.params.iter().chain(&self.party.provider.settings.authorization_params);
        let silent = fixed.any(|(name, value)| name == "prompt" && value == "none");
        if silent && self.login.round == 0 && WANTS_A_PERSON.contains(&error) {
            let target = &self.login.target;
            let (guard, login, party) = (self.guard, self.settings, &**self.party);
            let (passed, remember) = (Vec::new(), self.login.remember);
            return Start { guard, login, party, target, round: 1, passed, remember }.redirect(world, request).await;
        }
        let reason = if error == "access_denied" { Reason::LoginRefused } else { Reason::ProviderError };
        Refusal::new(reason, format!("error {:?}", text::printable(error, 60))).into()
    }

    async fn exchange(&self, world: &World, code: &str) -> Result<Tokens, Refusal> {
        let method = self.party.provider.settings.client.authentication.name();
        if !self.metadata.token_endpoint_auth_methods.iter().any(|known| known == method) {
            // What is configured is used: a document must not talk us into another method.
            world.log(log::Level::Warn, &format!("the provider does not list token_endpoint_auth_method {method}"));
        }
        let code = Code { code, redirect_uri: self.party.redirect_uri.as_str(), verifier: &self.login.verifier };
        token::exchange(world, &self.party.provider, &self.metadata.token_endpoint, code).await
    }

    /// The verified claims: of the ID token, and of userinfo where the rule asks for it.
    async fn claims(&self, world: &World, tokens: &Tokens) -> Result<(Rc<str>, Origin, Object), Refusal> {
        let id_token = tokens.id_token.as_ref().ok_or(Reason::IdTokenMissing)?;
        let evidence = LoginEvidence { nonce: Some(&self.login.nonce), access_token: &tokens.access_token };
        let verified = self.party.provider.verify_id_token(world, id_token, &evidence).await?;
        let subject: Rc<str> = verified.subject().into();
        let skew = self.party.provider.settings.clock_skew;
        policy::step_up(&self.guard.rule.token, |name| verified.claims().get(name), world.now(), skew)?;
        let mut claims = (**verified.claims()).clone();
        if self.settings.userinfo {
            let settings = &self.party.provider.settings;
            let said = userinfo::fetch(world, settings, &self.metadata, &tokens.access_token, &subject).await?;
            userinfo::add(&mut claims, said);
        }
        Ok((subject, Origin::of(verified.claims()), claims))
    }

    /// A new session under a new id, whatever the browser had before (GHSA-f24x-5g9q-753f).
    async fn log_in(
        &self,
        world: &World,
        request: &Request,
        tokens: Tokens,
        (subject, origin, claims): (Rc<str>, Origin, Object),
    ) -> Result<Box<Proof>, Stop> {
        let sessions = &self.party.sessions;
        let now = world.now();
        let given = (self.settings.action == LoginAction::Tokens).then(|| given(&self.settings.tokens, &tokens));
        let content = Content {
            sid: world.random(),
            generation: 0,
            created: now,
            touched: now,
            subject,
            scope: tokens.scope.as_deref().unwrap_or(&self.settings.scope).into(),
            claims: sessions.claims_to_keep(&Rc::new(claims)),
            access_token: Some(Rc::new(tokens.access_token)),
            access_born: now,
            access_expires: now.plus(tokens.expires_in.unwrap_or(sessions.settings.refresh.assumed_lifetime)),
            refresh_token: tokens.refresh_token,
            id_token: tokens.id_token.map(Rc::new),
            origin,
            remembered: self.login.remember,
        };
        let mut cookies = sessions.begin(world, &content, &request.headers).await?;
        cookies.extend(sessions.login_done(world, &self.login, self.party.by));
        if self.settings.action == LoginAction::Upstream {
            let facts = Facts::of(&content, &sessions.settings, now);
            return Ok(Box::new(Proof { cookies, facts, ..Proof::from(self.identity(content)) }));
        }
        if let Some(given) = given {
            let response = cookies.into_iter().fold(given, |response, line| response.with("set-cookie", line));
            return Err(Stop::answered(response, Reason::LoginTokens));
        }
        let home = self.party.home(&self.login.target);
        let home = match sessions.settings.cookie.same_site {
            SameSite::Strict => landing(&home),
            SameSite::Lax | SameSite::None => redirect(home),
        };
        let response = cookies.into_iter().fold(home, |response, line| response.with("set-cookie", line));
        Err(Stop::answered(response, Reason::LoginDone))
    }

    fn identity(&self, content: Content) -> Identity {
        Identity {
            method: Method::AuthorizationCode,
            issuer: Rc::clone(&self.party.issuer),
            subject: Some(content.subject),
            client: None,
            sources: Sources { id_token: Some(content.claims), ..Sources::default() },
            scope: content.scope,
            access_token: content.access_token,
            id_token: content.id_token,
            consumer: None,
        }
    }
}

/// The tokens of a login for whoever logged in, in the form in which they came (RFC 6749 §5.1).
fn given(names: &[TokenName], tokens: &Tokens) -> Response {
    let mut members = Object::new();
    let mut give =
        |name: &str, value: Option<serde_json::Value>| drop(value.map(|it| members.insert(name.to_owned(), it)));
    let text = |token: &Secret| token.expose_text().map(serde_json::Value::from);
    for name in names {
        match name {
            TokenName::AccessToken => {
                give("access_token", text(&tokens.access_token));
                give("token_type", Some("Bearer".into()));
                give("expires_in", tokens.expires_in.map(|life| life.as_secs().into()));
                give("scope", tokens.scope.as_deref().map(serde_json::Value::from));
            }
            TokenName::IdToken => give("id_token", tokens.id_token.as_ref().and_then(text)),
            TokenName::RefreshToken => give("refresh_token", tokens.refresh_token.as_ref().and_then(text)),
        }
    }
    let body = serde_json::Value::Object(members).to_string();
    let response = Response { body, ..Response::new(200) }.with("content-type", "application/json");
    response.with("cache-control", "no-store").with("pragma", "no-cache").with("x-content-type-options", "nosniff")
}

fn unknown(party: &RelyingParty) -> Stop {
    let detail = "no login of this browser has this state: it is done, was begun elsewhere, or its cookie is lost";
    Refusal::new(Reason::LoginUnknown, detail).with_again(party.home("/")).into()
}

/// A login that failed is over: its cookie goes, and the person may begin again where it began.
fn spent(party: &RelyingParty, login: &Login, refusal: Refusal) -> Stop {
    let over = party.sessions.login_over(login, party.by).into_iter().collect();
    refusal.with_cookies(over).with_again(party.home(&login.target)).into()
}
