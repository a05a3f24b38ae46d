//! Another site begins a login: OIDC Core §4.

use super::super::Guard;
use super::{LONGEST_PASSED, Start};
use crate::http::{Url, form};
use crate::words::{Reason, Refusal, Request, Stop};
use crate::world::World;

/// The largest form that is read, in bytes.
const LARGEST: usize = 16 * 1024;

/// Begins a login for whoever asks properly: our provider, and a target on our own host.
pub async fn initiate(world: &World, guard: &Guard, request: &Request) -> Stop {
    let Some((login, party)) = guard.login() else { return Reason::NoRule.into() };
    let text = match request.method() {
        Some("GET" | "HEAD") => request.query().unwrap_or_default().to_owned(),
        Some("POST") => match world.body(LARGEST).await {
            Ok(body) => String::from_utf8(body).unwrap_or_default(),
            Err(crate::world::BodyError::Unreadable) => return Reason::BodyUnreadable.into(),
            Err(crate::world::BodyError::TooLarge) => return Reason::BodyTooLarge.into(),
        },
        _ => return refused("neither GET nor POST"),
    };
    let Ok(fields) = form::parse(&text) else { return refused("the parameters are no form") };
    let one = |name: &str| {
        let mut values = fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() { Err(()) } else { Ok(first) }
    };
    let (Ok(iss), Ok(hint), Ok(target)) = (one("iss"), one("login_hint"), one("target_link_uri")) else {
        return refused("a parameter stands there twice");
    };
    if iss != Some(party.provider.issuer()) {
        return refused("iss is not our provider");
    }
    let target = match target.map(Url::parse) {
        None => "/".to_owned(),
        Some(Ok(url)) if url.origin() == party.redirect_uri.origin() => url.target().to_owned(),
        Some(_) => return refused("target_link_uri is not on our own host"),
    };
    let hint = hint.map(|hint| ("login_hint".to_owned(), hint.chars().take(LONGEST_PASSED).collect()));
    let (passed, remember) = (hint.into_iter().collect(), super::asks_to_be_remembered(party, &target));
    let start = Start { guard, login, party, target: &target, round: 0, passed, remember };
    start.redirect(world, request).await
}

fn refused(why: &str) -> Stop {
    Refusal::new(Reason::InitiateRefused, why).into()
}
