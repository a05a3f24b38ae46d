//! The provider loads an iframe of ours when a session ends there: OIDC Front-Channel Logout §2.
//!
//! The frame is another site's, so our cookies seldom come along: the provider's name of the session is what counts. Anybody
//! may load it, so whoever knows that name may end the session, and nothing else happens; never is the provider told.

use super::answered;
use crate::http::page::{May, page};
use crate::http::{Url, form};
use crate::policy::{Name, Word};
use crate::session::RelyingParty;
use crate::words::{Reason, Refusal, Request, Stop};
use crate::world::World;

/// The longest `sid`, in bytes.
const LONGEST: usize = 1024;

/// Ends the session that `iss` and `sid` name; without both, or with another issuer, nothing ends. The answer is the same.
pub async fn front_channel(world: &World, party: &RelyingParty, request: &Request) -> Stop {
    if !matches!(request.method(), Some("GET" | "HEAD")) {
        return Refusal::wrong_method("GET, HEAD").into();
    }
    let mut cookies = Vec::new();
    if let Some(sid) = named(party, request) {
        let revocations = &party.revocations;
        let name = Name::ProviderSession { issuer: &party.issuer, sid: &sid };
        let life = revocations.settings.max_age;
        if let Err(refusal) = revocations.revoke_for(world, Word::Anyones, name, world.now(), life).await {
            return refusal.into();
        }
        let opened = party.sessions.find(world, &request.headers).await.ok().flatten();
        if opened.is_some_and(|opened| opened.content.origin.sid.as_deref() == Some(&sid)) {
            cookies = party.sessions.discard(world, &request.headers);
        }
    }
    let origin = Url::parse(&party.issuer).map_or_else(|_| "'none'".to_owned(), |issuer| issuer.origin().to_owned());
    answered(page(200, "Logged out", "", May::BeFramedBy(&origin)), cookies, Reason::LogoutHeard)
}

/// The session that is named: both parameters, each once.
fn named(party: &RelyingParty, request: &Request) -> Option<String> {
    let fields = form::parse(request.query()?).ok()?;
    let one = |name: &str| {
        let mut values = fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none())
    };
    let sid = one("sid").filter(|sid| (1..=LONGEST).contains(&sid.len()))?;
    (one("iss").map(String::as_str) == Some(&*party.issuer)).then(|| sid.clone())
}
