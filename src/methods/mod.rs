//! The credentials, one file each, tried in one fixed order; the first one found decides.

pub mod authorization_code;
mod session;

use crate::config::{Allow, Login, Rule};
use crate::http::Url;
use crate::provider::Provider;
use crate::session::Sessions;
use crate::session::login::Return;
use crate::words::{Identity, Method, Request, Stop};
use crate::world::World;
use std::rc::Rc;

/// We as a client of one provider, with one place to come back to, and the sessions that come of it.
pub struct RelyingParty {
    /// The provider.
    pub provider: Rc<Provider>,
    /// Its issuer, for the identities that it vouches for.
    pub issuer: Rc<str>,
    /// Its sessions.
    pub sessions: Sessions,
    /// Where logins come back to.
    pub redirect_uri: Url,
    /// How they come back.
    pub by: Return,
}

/// A rule, with what its methods work with.
pub struct Guard {
    /// The rule.
    pub rule: Rule,
    /// Where it has sessions or logins.
    pub party: Option<Rc<RelyingParty>>,
}

impl Guard {
    /// The login and what it works with, where people may log in.
    pub fn login(&self) -> Option<(&Login, &Rc<RelyingParty>)> {
        Some((self.rule.login.as_ref()?, self.party.as_ref()?))
    }
}

/// An identity, and what the client is to get beside the service's answer.
pub struct Proof {
    /// Who it is.
    pub identity: Identity,
    /// `set-cookie` values.
    pub cookies: Vec<String>,
}

/// Looks for the rule's credentials in their order. `None` when there are none, and none can be asked for.
pub async fn identify(world: &World, guard: &Guard, request: &Request) -> Result<Option<Proof>, Stop> {
    for method in &guard.rule.methods {
        let proof = match method {
            Method::Session => session::identify(world, guard, request)?,
            Method::Bearer | Method::Introspection | Method::Userinfo => None,
            // An optional identity is never asked for.
            Method::AuthorizationCode if guard.rule.allow == Allow::Optional => None,
            Method::AuthorizationCode => {
                Box::pin(authorization_code::begin(world, guard, request)).await.map(|()| None)?
            }
        };
        if proof.is_some() {
            return Ok(proof);
        }
    }
    Ok(None)
}
