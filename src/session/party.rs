//! Who we are to one provider, and what comes of its logins.

use super::Sessions;
use super::login::Return;
use crate::http::Url;
use crate::policy::Revocations;
use crate::provider::Provider;
use std::rc::Rc;

/// We as a client of one provider, with one place to come back to, and the sessions that come of it.
pub struct RelyingParty {
    /// The provider.
    pub provider: Rc<Provider>,
    /// Its issuer, for the identities that it vouches for.
    pub issuer: Rc<str>,
    /// Its sessions.
    pub sessions: Sessions,
    /// What was revoked.
    pub revocations: Rc<Revocations>,
    /// Where logins come back to.
    pub redirect_uri: Url,
    /// How they come back.
    pub by: Return,
}

impl RelyingParty {
    /// An absolute URL on our own host: whatever `target` says, the browser stays there (attacks O01, O06).
    pub fn home(&self, target: &str) -> String {
        let tame = target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic());
        format!("{}{}", self.redirect_uri.origin(), if tame { target } else { "/" })
    }
}
