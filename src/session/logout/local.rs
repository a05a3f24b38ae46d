//! A person logs out here, and at the provider if it takes part: OIDC RP-Initiated Logout §2.

use super::answered;
use super::landing::done;
use crate::config::Logout;
use crate::http::navigation::{self, Audience};
use crate::http::page::{May, page};
use crate::http::text;
use crate::policy::Name;
use crate::provider::{EndSession, Way};
use crate::session::{Opened, RelyingParty};
use crate::words::{Reason, Refusal, Request, Response, Stop};
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::rc::Rc;

/// Ends the session of this browser, whatever the provider does or fails to do.
pub async fn log_out(world: &World, logout: &Logout, party: &Rc<RelyingParty>, request: &Request) -> Stop {
    let method = request.method().unwrap_or_default();
    if !logout.methods.iter().any(|known| known == method) {
        return Refusal::wrong_method(logout.methods.join(", ")).into();
    }
    if !navigation::is_from_here(request, party.redirect_uri.origin()) {
        return match navigation::audience(request) {
            Audience::PageLoad => ask(logout),
            Audience::Background => Refusal::new(Reason::LogoutElsewhere, "no request of this site's own").into(),
        };
    }
    let found = party.sessions.find(world, &request.headers).await;
    let mut cookies = party.sessions.discard(world, &request.headers);
    let opened = match found {
        Ok(opened) => opened,
        Err(refusal) => return refusal.with_cookies(cookies).into(),
    };
    if let Some(opened) = &opened
        && let Err(refusal) = revoke(world, logout, party, opened).await
    {
        return refusal.with_cookies(cookies).into();
    }
    if let Some(opened) = opened.as_ref().filter(|_| logout.revoke) {
        let (host, party, opened) = (world.host(), Rc::clone(party), Rc::clone(opened));
        world.spawn(Box::pin(async move {
            let content = &opened.content;
            party.provider.revoke(&host, content.refresh_token.clone(), content.access_token.clone()).await;
        }));
    }
    match way(world, logout, party, opened.as_deref(), &mut cookies).await {
        None => done(logout, cookies, Reason::LogoutDone),
        Some((_, Way::Redirect(location))) => {
            answered(Response::new(303).with("location", location), cookies, Reason::LogoutStarted)
        }
        Some((endpoint, Way::Post(fields))) => answered(post(&endpoint, &fields), cookies, Reason::LogoutStarted),
    }
}

/// Denies the session to every worker, and with it all others of the person where that is configured.
async fn revoke(world: &World, logout: &Logout, party: &RelyingParty, opened: &Opened) -> Result<(), Refusal> {
    let (revocations, content) = (&party.revocations, &opened.content);
    revocations.revoke(world, Name::Session(&content.sid), world.now()).await?;
    if logout.all_sessions {
        let name = Name::Subject { issuer: &party.issuer, subject: &content.subject };
        revocations.revoke(world, name, world.now()).await?;
    }
    Ok(())
}

/// The way to the provider's logout; none where there is none, or while nobody knows where that is (attack L15).
async fn way(
    world: &World,
    logout: &Logout,
    party: &RelyingParty,
    opened: Option<&Opened>,
    cookies: &mut Vec<String>,
) -> Option<(String, Way)> {
    if !logout.end_session {
        return None;
    }
    let metadata = match party.provider.metadata(&world.host()).await {
        Ok(metadata) => metadata,
        Err(refusal) => {
            let line = format!("{refusal}; the session ended here alone");
            world.log(log::Level::Warn, &line);
            return None;
        }
    };
    let endpoint = metadata.end_session_endpoint.as_ref()?;
    let state = URL_SAFE_NO_PAD.encode(world.random::<16>());
    let landing = logout.landing_path.as_ref().map(|path| format!("{}{path}", party.redirect_uri.origin()));
    if landing.is_some() {
        cookies.push(party.sessions.logout_begun(&state));
    }
    let back = landing.as_deref().or(logout.post_logout_redirect_uri.as_ref().map(|url| url.as_str()));
    let content = opened.map(|opened| &opened.content);
    let end_session = EndSession {
        client_id: &party.provider.settings.client.client_id,
        id_token: content.and_then(|content| content.id_token.as_deref()),
        logout_hint: content.zip(logout.hint.as_ref()).and_then(|(content, hint)| hint.find(&content.claims)?.as_str()),
        back: back.map(|url| (logout.return_parameter.as_str(), url)),
        state: &state,
        params: &logout.params,
    };
    Some((endpoint.as_str().to_owned(), end_session.way(endpoint)))
}

/// A page that posts itself to the provider: an ID token may be too long for a redirect (attack L16).
fn post(endpoint: &str, fields: &[(String, String)]) -> Response {
    let fields: String = fields
        .iter()
        .map(|(name, value)| {
            let (name, value) = (text::html(name), text::html(value));
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
        })
        .collect();
    let main = format!(
        "<h1>Logging out</h1><form method=\"post\" action=\"{}\">{fields}<button class=\"button\">Continue</button></form>",
        text::html(endpoint)
    );
    page(200, "Logging out", &main, May::Send { script: "document.forms[0].submit()" })
}

/// Another site's link may lead here as well as one's own bookmark: the person decides.
fn ask(logout: &Logout) -> Stop {
    let method = if logout.methods.iter().any(|method| method == "POST") { "post" } else { "get" };
    let main = format!(
        "<h1>Log out?</h1><p>You came here from another place.</p>\
         <form method=\"{method}\"><button class=\"button\">Log out</button></form>"
    );
    answered(page(200, "Log out?", &main, May::Send { script: "" }), Vec::new(), Reason::LogoutAsked)
}
