//! Who we are to one provider, and what comes of its logins.

use super::login::Return;
use super::refresh::Refreshes;
use super::{Content, Sessions};
use crate::http::Url;
use crate::policy::{Name, Revocations};
use crate::provider::Provider;
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
    /// What was revoked.
    pub revocations: Rc<Revocations>,
    /// How their tokens are renewed.
    pub refreshes: Rc<Refreshes>,
    /// Whether claims come from userinfo too.
    pub asks_userinfo: bool,
    /// Where logins come back to.
    pub redirect_uri: Url,
    /// How they come back.
    pub by: Return,
}

impl RelyingParty {
    /// Whether a session was revoked, by any of its names.
    pub fn is_revoked(&self, world: &World, content: &Content) -> bool {
        let (issuer, subject) = (&*self.issuer, &*content.subject);
        let sid = content.origin.sid.as_deref().map(|sid| Name::ProviderSession { issuer, sid });
        let names = [Name::Session(&content.sid), Name::Subject { issuer, subject }].into_iter().chain(sid);
        // Made when something was revoked at all.
        self.revocations.denies(world, names.map(|name| self.revocations.mark(name)), content.created)
    }

    /// An absolute URL on our own host: whatever `target` says, the browser stays there (attacks O01, O06).
    pub fn home(&self, target: &str) -> String {
        let tame = target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic());
        format!("{}{}", self.redirect_uri.origin(), if tame { target } else { "/" })
    }
}
