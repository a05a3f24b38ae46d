//! The introspection endpoint: RFC 7662, with signed answers by RFC 9701.

use super::access_token::{audience, judge_audience};
use super::answers::{Answer, Failure, Question};
use super::kept_claims::{self, KeptClaims};
use super::proof::NoProof;
use super::{Keys, Lineage, Metadatas, Provider, Registration, answers, issuers, request};
use crate::config::{self, IntrospectionForm};
use crate::http::{Url, form};
use crate::jose::{self, Expected, JwtError, Kind, MAX_TOKEN, Untrusted, VerifiedJwt, claims};
use crate::words::json::{self, Object};
use crate::words::{Claims, Reason, Refusal, Secret, UnixTime};
use crate::world::{Endpoint, Host, LocalFuture, Metric, ProviderRequest, ProviderResponse, World};
use serde_json::Value;
use std::rc::Rc;
use std::time::Duration;

/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;
/// The media type of a signed answer (RFC 9701 §5).
const SIGNED: &str = "application/token-introspection+jwt";
/// Members that are judged here, and therefore kept whatever the rules read.
const JUDGED: [&str; 15] = [
    "active",
    "iss",
    "sub",
    "aud",
    "scope",
    "scp",
    "exp",
    "nbf",
    "iat",
    "token_type",
    "cnf",
    "tid",
    "client_id",
    "jti",
    "sid",
];

/// What the provider says of an active token.
#[derive(Debug)]
pub struct Introspected {
    /// Its `iss`, or the provider's issuer where it names none.
    pub issuer: Rc<str>,
    /// Its `sub`.
    pub subject: Option<Rc<str>>,
    /// The client that it was issued to.
    pub client: Option<Rc<str>>,
    /// The values of its `aud`.
    pub audience: Vec<String>,
    /// What was granted, values separated by spaces.
    pub scope: Rc<str>,
    /// Those members of the answer that a rule reads.
    pub claims: Claims,
    /// Its `exp`, in whole seconds, if it ends.
    pub expires: Option<UnixTime>,
    /// Where it comes from.
    pub lineage: Lineage,
    /// Its `token_type`, in lower case.
    token_type: Option<String>,
    /// Whether it has a `cnf`.
    is_bound: bool,
}

impl Introspected {
    /// What one rule asks of it: that it is a bearer token, bound to no key, and for the rule's audience.
    pub fn judge(&self, rules: &config::TokenRules) -> Result<(), Refusal> {
        self.judge_kind()?;
        judge_audience(rules, &self.audience)
    }

    /// What every rule asks of it: that it is a bearer token, bound to no key.
    pub fn judge_kind(&self) -> Result<(), Refusal> {
        const BEARER: [&str; 3] = ["bearer", "access_token", "urn:ietf:params:oauth:token-type:access_token"];
        let kind = self.token_type.as_deref();
        if self.is_bound || kind == Some("dpop") {
            return Err(Reason::BindingUnsupported.into());
        }
        if kind.is_some_and(|kind| !BEARER.contains(&kind)) {
            return Err(Refusal::new(Reason::AccessTokenType, "`token_type` is not Bearer"));
        }
        Ok(())
    }
}

impl Provider {
    /// Asks about a token, unless the answer is remembered.
    pub async fn introspect(&self, world: &World, token: &str) -> Result<Rc<Introspected>, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(Refusal::new(Reason::AccessTokenMalformed, "larger than any token that is taken"));
        }
        self.introspection.get(&world.host(), token).await
    }
}

/// How one provider is asked.
pub struct Introspection {
    /// The provider's configuration.
    pub settings: Rc<config::Provider>,
    /// Who asks.
    pub registration: Rc<Registration>,
    /// Where the endpoint is learnt.
    pub metadata: Rc<Metadatas>,
    /// What signed answers are verified with.
    pub keys: Rc<Keys>,
    /// At least so long between two looks for new keys.
    pub refetch: Duration,
    /// What stays of an answer.
    pub kept: KeptClaims,
}

impl Question for Introspection {
    fn known(&self) -> Metric {
        Metric::IntrospectionCached
    }

    fn ask(self: Rc<Self>, host: Rc<dyn Host>, token: Secret) -> LocalFuture<Result<Object, Failure>> {
        Box::pin(async move {
            let metadata = self.metadata.get(&host).await.map_err(Failure::Outage)?;
            let endpoint = metadata.introspection_endpoint.as_ref().ok_or_else(|| self.no_endpoint())?;
            let request = self.request(&*host, endpoint, &token).map_err(Failure::Outage)?;
            let response = answers::send(&*host, &self.settings, request, Reason::IntrospectionUnavailable).await?;
            self.judge_status(&response)?;
            match self.settings.introspection_form {
                IntrospectionForm::Json => self.plain(&response),
                IntrospectionForm::Jwt => self.signed(&host, &response).await,
            }
        })
    }

    fn read(&self, members: &Object, now: UnixTime) -> Result<Rc<dyn Answer>, Failure> {
        self.judge(members, now)?;
        let introspected = self.introspected(members).map_err(|error| self.invalid(&error.to_string()))?;
        Ok(Rc::new(introspected))
    }

    fn keeps(&self, member: &str) -> bool {
        JUDGED.contains(&member) || self.kept.keeps(member)
    }
}

impl Answer for Introspected {
    fn ends(&self) -> Option<UnixTime> {
        self.expires
    }

    fn weight(&self) -> usize {
        let audience: usize = self.audience.iter().map(|audience| audience.len().saturating_add(48)).sum();
        // Scope, subject, client and issuer are short beside the claims, or weigh what they are long.
        let texts = self.scope.len().saturating_add(self.issuer.len()).saturating_add(audience);
        kept_claims::weight(&self.claims)
            .saturating_add(self.lineage.weight())
            .saturating_add(texts)
            .saturating_add(1024)
    }
}

impl Introspection {
    fn request(&self, host: &dyn Host, endpoint: &Url, token: &Secret) -> Result<Box<ProviderRequest>, Refusal> {
        let settings = &self.settings;
        let authentication = self.registration.authentication(host, Endpoint::Introspection)?;
        let added = || settings.introspection_params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let hint = added().all(|(name, _)| name != "token_type_hint").then_some(("token_type_hint", "access_token"));
        let client = authentication.fields.iter().map(|(name, value)| (*name, value.expose_text().unwrap_or_default()));
        let token = ("token", token.expose_text().unwrap_or_default());
        let body = form::write(std::iter::once(token).chain(hint).chain(client).chain(added()));
        let mut request = request::post(settings, Endpoint::Introspection, endpoint, body, LARGEST)?;
        if settings.introspection_form == IntrospectionForm::Jwt {
            request.headers.retain(|(name, _)| name != "accept");
            request.headers.push(("accept".to_owned(), Secret::new(SIGNED)));
        }
        request.headers.extend(authentication.headers);
        Ok(request)
    }

    /// Whether there is an answer at all. That the endpoint refuses us is never the caller's fault (RFC 7662 §2.3).
    fn judge_status(&self, response: &ProviderResponse) -> Result<(), Failure> {
        let error = || response.is("application/json").then(|| response.json().ok()).flatten()?.get("error").cloned();
        let what = format!("provider={}: the introspection endpoint answered {}", self.settings.name, response.status);
        match response.status {
            200 => Ok(()),
            401 | 403 => Err(Failure::Outage(Refusal::new(Reason::IntrospectionRefused, what))),
            400..=499 if error().is_some_and(|error| error == "invalid_client" || error == "unauthorized_client") => {
                Err(Failure::Outage(Refusal::new(Reason::IntrospectionRefused, what)))
            }
            // Such as oidc-provider's word on its own JWTs. It is about the token, and nobody else's.
            400 if error().is_some_and(|error| error == "unsupported_token_type") => {
                Err(Failure::Dead(Refusal::new(Reason::AccessTokenInactive, what)))
            }
            // Some providers stumble over a token: that must not keep others waiting.
            500 => Err(Failure::Odd(Refusal::new(Reason::IntrospectionUnavailable, what))),
            429 | 501..=599 => Err(Failure::Outage(Refusal::new(Reason::IntrospectionUnavailable, what))),
            _ => Err(Failure::Odd(Refusal::new(Reason::IntrospectionInvalid, what))),
        }
    }

    fn plain(&self, response: &ProviderResponse) -> Result<Object, Failure> {
        if !response.is("application/json") {
            return Err(self.invalid("the answer is not application/json"));
        }
        response.json().map_err(|_| self.invalid("the answer is not one JSON object"))
    }

    /// The one member of a signed answer that counts, once the signature does (RFC 9701 §5).
    async fn signed(&self, host: &Rc<dyn Host>, response: &ProviderResponse) -> Result<Object, Failure> {
        if !response.is(SIGNED) {
            return Err(self.invalid("the answer is not signed, as introspection_accept says it is"));
        }
        let text = std::str::from_utf8(&response.body).map_err(|_| self.invalid("the answer is no JWT"))?;
        let verified = self.verified(host, text.trim_ascii()).await?;
        let answer = verified.claims().get("token_introspection").and_then(Value::as_object);
        answer.cloned().ok_or_else(|| self.invalid("the signed answer has no token_introspection"))
    }

    async fn verified(&self, host: &Rc<dyn Host>, text: &str) -> Result<VerifiedJwt, Failure> {
        let settings = &self.settings;
        let algorithms = match settings.client.introspection_signed_response_alg {
            Some(registered) => vec![registered],
            None => settings.signing_algs.clone(),
        };
        let judge = |keys: jose::Keys<'_>| {
            let expected = Expected {
                issuer: &settings.issuer,
                audience: &settings.client.client_id,
                algorithms: &algorithms,
                kind: Kind::Introspection,
                now: host.now(),
                skew: settings.clock_skew,
            };
            jose::verify(&**host, Untrusted::parse(text)?, keys, &expected)
        };
        let secret = settings.client.client_secret.as_ref();
        self.keys.prove_given(host, self.refetch, secret, text, judge).await.map_err(|lack| match lack {
            NoProof::Token(error) => self.invalid(&error.to_string()),
            NoProof::Perhaps(_, refusal) => Failure::Outage(refusal),
            NoProof::Keys(refusal) => Failure::Outage(refusal),
        })
    }

    /// Whether the token is good, by all that the answer says of it and no rule has a say in (RFC 7662 §4).
    fn judge(&self, members: &Object, now: UnixTime) -> Result<(), Failure> {
        let dead = |reason: Reason| {
            Failure::Dead(Refusal::new(reason, format!("provider={}: by its introspection", self.settings.name)))
        };
        if members.get("active") != Some(&Value::Bool(true)) {
            return Err(dead(Reason::AccessTokenInactive));
        }
        // Several providers call refresh and ID tokens active as well.
        if jose::names_another_kind(members) {
            return Err(dead(Reason::AccessTokenType));
        }
        let date = |name| claims::date(members, name).map_err(|error| self.invalid(&error.to_string()));
        let skew = self.settings.clock_skew;
        let (early, late) = (now.minus(skew).as_secs() as f64, now.plus(skew).as_secs() as f64);
        if date("exp")?.is_some_and(|expires| expires <= early) {
            return Err(dead(Reason::AccessTokenExpired));
        }
        for name in ["nbf", "iat"] {
            if date(name)?.is_some_and(|begins| begins > late) {
                return Err(dead(Reason::AccessTokenNotYetValid));
            }
        }
        let issuer = text(members, "iss").map_err(|error| self.invalid(&error.to_string()))?;
        match issuer {
            Some(issuer) if !issuers::accepts(&self.settings, issuer, members) => Err(dead(Reason::AccessTokenIssuer)),
            _ => Ok(()),
        }
    }

    fn introspected(&self, members: &Object) -> Result<Introspected, JwtError> {
        // A member that is null says nothing; dates were judged before, and are never null.
        let members = &json::filtered(members, &|_, value| !value.is_null());
        let mut names = std::iter::once("client_id").chain(self.kept.clients().iter().map(String::as_str));
        let client = match names.find_map(|name| members.get(name)) {
            Some(client) => Some(client.as_str().ok_or(JwtError::ClaimType("client_id"))?),
            None => None,
        };
        Ok(Introspected {
            issuer: text(members, "iss")?.unwrap_or(&self.settings.issuer).into(),
            subject: jose::subject(members)?.map(Rc::from),
            client: client.map(Rc::from),
            audience: audience(members)?,
            scope: jose::scope(members)?.into(),
            claims: self.kept.filter(members),
            // From 0 to the year 9999, so nothing is lost but the fraction.
            expires: claims::date(members, "exp")?.map(|expires| UnixTime::from_secs(expires as u64)),
            token_type: text(members, "token_type")?.map(str::to_ascii_lowercase),
            lineage: Lineage::of(members),
            is_bound: members.contains_key("cnf"),
        })
    }

    fn no_endpoint(&self) -> Failure {
        let detail = format!("provider={}: no introspection_endpoint in its metadata", self.settings.name);
        Failure::Outage(Refusal::new(Reason::EndpointMissing, detail))
    }

    fn invalid(&self, what: &str) -> Failure {
        Failure::Odd(Refusal::new(Reason::IntrospectionInvalid, format!("provider={}: {what}", self.settings.name)))
    }
}

/// A member that is text; one that is null says nothing.
fn text<'a>(members: &'a Object, name: &'static str) -> Result<Option<&'a str>, JwtError> {
    if members.get(name).is_some_and(Value::is_null) { Ok(None) } else { claims::text(members, name) }
}

#[cfg(test)]
mod tests;
