//! The userinfo endpoint as judge of an access token that a caller shows: OIDC Core §5.3, RFC 6750 §3.1.

use super::answers::{Answer, Failure, Question};
use super::kept_claims::{self, KeptClaims};
use super::{Metadatas, Provider, answers, request};
use crate::config;
use crate::jose::{self, MAX_TOKEN};
use crate::words::json::Object;
use crate::words::{Claims, Reason, Refusal, Secret, UnixTime};
use crate::world::{Endpoint, Host, LocalFuture, Metric, ProviderResponse, World};
use std::rc::Rc;

/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// Whom an access token speaks for, by the provider's word.
#[derive(Debug)]
pub struct UserinfoAnswer {
    /// The provider's issuer.
    pub issuer: Rc<str>,
    /// Their `sub`.
    pub subject: Rc<str>,
    /// Those claims that a rule reads.
    pub claims: Claims,
}

impl Provider {
    /// Asks whom a token speaks for, unless the answer is remembered. Neither audience nor end of the token is known then.
    pub async fn ask_userinfo(&self, world: &World, token: &str) -> Result<Rc<UserinfoAnswer>, Refusal> {
        // Into a header field it goes (RFC 6750 §2.1).
        let fits = (1..=MAX_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(Refusal::new(Reason::AccessTokenMalformed, "no token that can be shown to userinfo"));
        }
        self.userinfo.get(&world.host(), token).await
    }
}

/// How one provider is asked.
pub struct UserinfoCheck {
    /// The provider's configuration.
    pub settings: Rc<config::Provider>,
    /// Where the endpoint is learnt.
    pub metadata: Rc<Metadatas>,
    /// What stays of an answer.
    pub kept: KeptClaims,
}

impl Question for UserinfoCheck {
    fn known(&self) -> Metric {
        Metric::UserinfoCached
    }

    fn ask(self: Rc<Self>, host: Rc<dyn Host>, token: Secret) -> LocalFuture<Result<Object, Failure>> {
        Box::pin(async move {
            let metadata = self.metadata.get(&host).await.map_err(Failure::Outage)?;
            let endpoint = metadata.userinfo_endpoint.as_ref().ok_or_else(|| {
                Failure::Outage(self.refusal(Reason::EndpointMissing, "no userinfo_endpoint in its metadata"))
            })?;
            let request = request::get(&self.settings, Endpoint::Userinfo, endpoint, LARGEST);
            let mut request = request.map_err(Failure::Outage)?;
            let bearer = format!("Bearer {}", token.expose_text().unwrap_or_default());
            request.headers.push(("authorization".to_owned(), Secret::new(bearer)));
            self.members(&answers::send(&*host, &self.settings, request, Reason::UserinfoUnavailable).await?)
        })
    }

    fn read(&self, members: &Object, _: UnixTime) -> Result<Rc<dyn Answer>, Failure> {
        match jose::subject(members) {
            Ok(Some(subject)) => Ok(Rc::new(UserinfoAnswer {
                issuer: self.settings.issuer.as_str().into(),
                subject: subject.into(),
                claims: self.kept.filter(members),
            })),
            _ => Err(self.invalid("sub is missing in userinfo, or no text")),
        }
    }

    fn keeps(&self, member: &str) -> bool {
        member == "sub" || self.kept.keeps(member)
    }
}

impl Answer for UserinfoAnswer {
    fn ends(&self) -> Option<UnixTime> {
        None
    }

    fn weight(&self) -> usize {
        kept_claims::weight(&self.claims).saturating_add(1024)
    }
}

impl UserinfoCheck {
    fn members(&self, response: &ProviderResponse) -> Result<Object, Failure> {
        let what = format!("the userinfo endpoint answered {}", response.status);
        match response.status {
            200 => {}
            // 403 is `insufficient_scope`: the token is none that opens userinfo.
            401 | 403 => return Err(Failure::Dead(self.refusal(Reason::AccessTokenInactive, &what))),
            500 => return Err(Failure::Odd(self.refusal(Reason::UserinfoUnavailable, &what))),
            429 | 501..=599 => return Err(Failure::Outage(self.refusal(Reason::UserinfoUnavailable, &what))),
            _ => return Err(self.invalid(&what)),
        }
        if !response.is("application/json") {
            return Err(self.invalid("the userinfo answer is not application/json"));
        }
        response.json().map_err(|_| self.invalid("the userinfo answer is not one JSON object"))
    }

    fn invalid(&self, what: &str) -> Failure {
        Failure::Odd(self.refusal(Reason::UserinfoUnavailable, what))
    }

    fn refusal(&self, reason: Reason, what: &str) -> Refusal {
        Refusal::new(reason, format!("provider={}: {what}", self.settings.name))
    }
}

#[cfg(test)]
mod tests;
