//! Who we are to one provider, and what comes of its logins.

use super::login::Return;
use super::refresh::Refreshes;
use super::{Content, Sessions};
use crate::http::Url;
use crate::policy::{Name, Revocations};
use crate::provider::Provider;
use crate::words::UnixTime;
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
    /// Whether a session was revoked: itself, or what it comes of.
    pub fn is_revoked(&self, world: &World, content: &Content) -> bool {
        let issuer = &*self.issuer;
        let names = [
            Some(Name::Session(&content.sid)),
            content.origin.sid.as_deref().map(|sid| Name::ProviderSession { issuer, sid }),
            Some(Name::Subject { issuer, subject: &content.subject }),
            Some(Name::Client { issuer, client_id: &self.provider.settings.client.client_id }),
        ];
        // Of our clock and the provider's the one that says less: neither may make a session look younger than its end.
        let issued = content.origin.issued;
        let born = if issued == UnixTime::default() { content.created } else { content.created.min(issued) };
        let too_old =
            !self.sessions.settings.accept_older_sessions && self.revocations.precedes(world, content.created);
        too_old || self.revocations.denies(world, &names, born)
    }

    /// An absolute URL on our own host: whatever `target` says, the browser stays there (attacks O01, O06).
    pub fn home(&self, target: &str) -> String {
        let tame = target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic());
        format!("{}{}", self.redirect_uri.origin(), if tame { target } else { "/" })
    }
}
