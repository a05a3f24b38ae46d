//! A client that shows its own id and secret, or its own assertion: RFC 6749 §4.4, RFC 7523 §2.2. Nothing of ours goes along.

use super::grant::{self, Attempt, Offer};
use super::{Guard, Hiding, Proof, basic, credential};
use crate::config::SecretPlace;
use crate::provider::{Credential, JWT_BEARER, Trade};
use crate::words::{Method, Reason, Refusal, Request, Secret};
use crate::world::World;

/// What an assertion is sent as.
const ASSERTION: [&str; 3] = ["client_assertion_type", "client_assertion", "client_id"];
/// The longest assertion that is handed on, in bytes.
const LONGEST: usize = 16 * 1024;

/// The client behind the credentials in a request; `None` when there are none.
///
/// The provider alone judges the secret; all that is kept of it is a keyed hash.
pub async fn identify(
    world: &World,
    guard: &Guard,
    request: &Request,
    attempt: &mut Attempt,
) -> Result<Option<Box<Proof>>, Refusal> {
    let Some(offer) = offer(world, guard, request).await? else { return Ok(None) };
    let outcome = grant::identify(world, guard, request, Method::ClientCredentials, &offer, attempt).await;
    // Where Basic may be a user's as well, it is remembered whose it was.
    if let (true, Hiding::Header(_), Credential::Client { client_id, secret }) =
        (guard.rule.methods.contains(&Method::Password), &offer.hiding, &offer.credential)
    {
        let user = Credential::Password { username: client_id.clone(), password: secret.clone() };
        let (provider, user) = (guard.provider()?, Trade::new(&user, &guard.rule.grants));
        match &outcome {
            Ok(_) => provider.remember_wrong(&**world, &user),
            Err(refusal) if refusal.reason == Reason::CredentialRefused => provider.forget_grant(&**world, &user),
            Err(_) => {}
        }
    }
    outcome.map(Some)
}

async fn offer(world: &World, guard: &Guard, request: &Request) -> Result<Option<Offer>, Refusal> {
    for place in &guard.rule.credentials.client_credentials {
        let pair = match place {
            SecretPlace::Basic => basic::in_header(request)?,
            SecretPlace::Form => match in_form(world, request).await? {
                Some(offer) => return Ok(Some(offer)),
                None => basic::in_form(world, request, ["client_id", "client_secret"]).await?,
            },
        };
        if let Some(pair) = pair {
            let credential = Credential::Client { client_id: pair.name, secret: pair.secret };
            return Ok(Some(Offer { credential, hiding: pair.hiding }));
        }
    }
    Ok(None)
}

/// The assertion in a form.
async fn in_form(world: &World, request: &Request) -> Result<Option<Offer>, Refusal> {
    let Some((values, rest)) = credential::in_form(world, request, &ASSERTION).await? else { return Ok(None) };
    let [kind, assertion, client_id] = values.as_slice() else { return Ok(None) };
    let Some(assertion) = assertion else { return Ok(None) };
    let fits = (1..=LONGEST).contains(&assertion.len()) && assertion.bytes().all(|byte| byte.is_ascii_graphic());
    if kind.as_deref() != Some(JWT_BEARER) || !fits || client_id.as_ref().is_some_and(|id| !is_id(id)) {
        return Err(Refusal::new(Reason::CredentialMalformed, "no client assertion that is known (RFC 7523 §2.2)"));
    }
    let credential = Credential::Assertion { client_id: client_id.clone(), assertion: Secret::new(assertion.as_str()) };
    Ok(Some(Offer { credential, hiding: Hiding::Body(rest) }))
}

fn is_id(id: &str) -> bool {
    (1..=256).contains(&id.len()) && !id.chars().any(char::is_control)
}
