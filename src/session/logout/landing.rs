//! The browser comes back from the provider's logout: OIDC RP-Initiated Logout §3. Whoever lands here is done, and has nothing
//! to gain: the `state` tells only whether this browser began it.

use super::answered;
use crate::config::Logout;
use crate::http::cookie::{self, Attributes, Keep, SameSite};
use crate::http::form;
use crate::http::page::{May, page};
use crate::session::{RelyingParty, Sessions};
use crate::words::{Headers, Reason, Refusal, Request, Response, Stop};

/// How long a logout at the provider may take, in seconds.
const LIFE: u64 = 600;

impl Sessions {
    fn logout_cookie(&self) -> (String, Attributes) {
        let attributes = Attributes { same_site: SameSite::Lax, ..self.attributes.clone() };
        (format!("{}-logout", self.names.session), attributes)
    }

    /// The `set-cookie` value that remembers a logout under way.
    pub(super) fn logout_begun(&self, state: &str) -> String {
        let (name, attributes) = self.logout_cookie();
        attributes.set(&name, state, Keep::Seconds(LIFE))
    }

    /// The `set-cookie` value that forgets the logout with this `state`; none where this browser has none.
    fn logout_over(&self, request: &Headers, state: &str) -> Option<String> {
        let (name, attributes) = self.logout_cookie();
        cookie::named(request, &name).contains(&state.as_bytes()).then(|| attributes.delete(&name))
    }
}

/// Takes a browser back.
pub fn land(logout: &Logout, party: &RelyingParty, request: &Request) -> Stop {
    if !matches!(request.method(), Some("GET" | "HEAD")) {
        return Refusal::wrong_method("GET, HEAD").into();
    }
    let fields = form::parse(request.query().unwrap_or_default()).unwrap_or_default();
    let state = fields.iter().find(|(name, _)| name == "state").map(|(_, value)| value.as_str());
    match state.and_then(|state| party.sessions.logout_over(&request.headers, state)) {
        Some(forgotten) => done(logout, vec![forgotten], Reason::LogoutDone),
        None => done(logout, Vec::new(), Reason::LogoutLanded),
    }
}

/// The end of a logout: on to where the configuration says, else a page.
pub(super) fn done(logout: &Logout, cookies: Vec<String>, reason: Reason) -> Stop {
    let response = match &logout.post_logout_redirect_uri {
        Some(uri) => Response::new(303).with("location", uri.as_str()),
        None => page(200, "Logged out", "<h1>You are logged out</h1><p>You may close this window.</p>", May::Nothing),
    };
    answered(response, cookies, reason)
}
