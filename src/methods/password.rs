//! A user's name and password, which our client trades: RFC 6749 §4.3. RFC 9700 §2.4 forbids it; it is off unless a rule
//! names it.

use super::grant::{self, Attempt, Offer};
use super::{Guard, Proof, basic};
use crate::config::SecretPlace;
use crate::provider::{Credential, Provider, Trade};
use crate::words::{Method, Reason, Refusal, Request};
use crate::world::World;

/// The user behind a name and a password; `None` when there are none, or when Basic turned out to be a client's.
pub async fn identify(
    world: &World,
    guard: &Guard,
    request: &Request,
    attempt: &mut Attempt,
) -> Result<Option<Box<Proof>>, Refusal> {
    for place in &guard.rule.credentials.password {
        let pair = match place {
            SecretPlace::Basic => basic::in_header(request)?,
            SecretPlace::Form => basic::in_form(world, request, ["username", "password"]).await?,
        };
        let Some(pair) = pair else { continue };
        let is_ambiguous = *place == SecretPlace::Basic && is_also_a_client(guard);
        let client = Credential::Client { client_id: pair.name.clone(), secret: pair.secret.clone() };
        let credential = Credential::Password { username: pair.name, password: pair.secret };
        if is_ambiguous && is_known_as_client(world, guard, guard.provider()?, &credential, &client) {
            return Ok(None);
        }
        let offer = Offer { credential, hiding: pair.hiding };
        return match grant::identify(world, guard, request, Method::Password, &offer, attempt).await {
            // Then it may be a client's, which comes next.
            Err(refusal) if is_ambiguous && refusal.reason == Reason::CredentialRefused => Ok(None),
            outcome => outcome.map(Some),
        };
    }
    Ok(None)
}

/// Whether Basic may be a client's as well.
fn is_also_a_client(guard: &Guard) -> bool {
    guard.rule.methods.contains(&Method::ClientCredentials)
        && guard.rule.credentials.client_credentials.contains(&SecretPlace::Basic)
}

/// Whether nobody need be asked for a password of this name.
fn is_known_as_client(
    world: &World,
    guard: &Guard,
    provider: &Provider,
    user: &Credential,
    client: &Credential,
) -> bool {
    let known = |credential| provider.known_grant(&**world, &Trade::new(credential, &guard.rule.grants));
    known(user).map_or_else(|| matches!(known(client), Some(Ok(_))), |known| known.is_err())
}
