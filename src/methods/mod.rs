//! The credentials, one file each, tried in one fixed order; the first one found decides.

pub mod authorization_code;
mod bearer;
mod credential;
mod introspection;
mod session;
mod userinfo;

pub use credential::Hiding;

use crate::config::{Allow, Login, Mode, Rule};
use crate::policy::Revocations;
use crate::provider::{AccessTokens, Provider};
use crate::session::RelyingParty;
use crate::words::{Identity, Method, Reason, Refusal, Request, Stop};
use crate::world::World;
use credential::Presented;
use std::rc::Rc;

/// A rule, with what its methods work with.
pub struct Guard {
    /// The rule's place in the configuration.
    pub place: u32,
    /// The rule.
    pub rule: Rule,
    /// Where it has sessions or logins.
    pub party: Option<Rc<RelyingParty>>,
    /// Every provider of the configuration, in its order.
    pub providers: Rc<[Rc<Provider>]>,
    /// JWT access tokens that were verified.
    pub tokens: Rc<AccessTokens>,
    /// What was revoked.
    pub revocations: Rc<Revocations>,
}

impl Guard {
    /// The login and what it works with, where people may log in.
    pub fn login(&self) -> Option<(&Login, &Rc<RelyingParty>)> {
        Some((self.rule.login.as_ref()?, self.party.as_ref()?))
    }

    /// The rule's one provider.
    pub fn provider(&self) -> Result<&Provider, Refusal> {
        self.rule.providers.first().map_or_else(|| Err(Reason::Unconfigured.into()), |at| self.provider_at(*at))
    }

    /// A provider by its place.
    pub fn provider_at(&self, at: usize) -> Result<&Provider, Refusal> {
        self.providers.get(at).map(Rc::as_ref).ok_or_else(|| Reason::Unconfigured.into())
    }

    /// Whether it takes access tokens that callers bring.
    pub fn takes_access_tokens(&self) -> bool {
        self.rule.methods.iter().any(|method| method.takes_access_tokens())
    }
}

/// An identity, and what follows of how it was shown.
pub struct Proof {
    /// Who it is.
    pub identity: Identity,
    /// `set-cookie` values for the client.
    pub cookies: Vec<String>,
    /// How the credential is kept from the service.
    pub hiding: Option<Hiding>,
    /// Whether the URL held the credential, so that nobody else may get what is answered to it (RFC 6750 §2.3).
    pub in_url: bool,
}

impl Proof {
    /// The bearer of an access token.
    fn of(identity: Identity, presented: &Presented<'_>, rule: &Rule) -> Self {
        let hiding = rule.credentials.hide.then(|| presented.hiding.clone());
        let in_url = matches!(presented.hiding, Hiding::Target(_));
        Self { identity, cookies: Vec::new(), hiding, in_url }
    }
}

/// Looks for the rule's credentials in their order; the first one found decides. `None` when there are none, and none can be
/// asked for.
pub async fn identify(world: &World, guard: &Guard, request: &Request) -> Result<Option<Proof>, Stop> {
    let mut token = None;
    for method in &guard.rule.methods {
        if method.takes_access_tokens() && token.is_none() {
            token = Some(credential::presented(world, &guard.rule, request).await?);
        }
        let presented = token.as_ref().and_then(Option::as_ref);
        let proof = match (method, presented) {
            (Method::Session, _) => session::identify(world, guard, request).await?,
            (Method::Bearer, Some(presented)) => bearer::identify(world, guard, presented).await?,
            (Method::Introspection, Some(presented)) => {
                Some(Box::pin(introspection::identify(world, guard, presented)).await?)
            }
            (Method::Userinfo, Some(presented)) => Some(Box::pin(userinfo::identify(world, guard, presented)).await?),
            (Method::Bearer | Method::Introspection | Method::Userinfo, None) => None,
            // Neither an optional identity nor one on trial is ever asked for.
            (Method::AuthorizationCode, _) if guard.rule.allow == Allow::Optional => None,
            (Method::AuthorizationCode, _) if guard.rule.mode == Mode::Report => None,
            (Method::AuthorizationCode, _) => {
                Box::pin(authorization_code::begin(world, guard, request)).await.map(|()| None)?
            }
        };
        if proof.is_some() {
            return Ok(proof);
        }
    }
    Ok(None)
}
