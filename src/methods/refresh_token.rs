//! The caller's refresh token, which our client trades: RFC 6749 §6.

use super::grant::{self, Attempt, Offer};
use super::{Guard, Proof, credential};
use crate::provider::Credential;
use crate::words::{Method, Refusal, Request, Secret};
use crate::world::World;

/// Whom the caller's refresh token speaks for; `None` when there is none.
pub async fn identify(
    world: &World,
    guard: &Guard,
    request: &Request,
    attempt: &mut Attempt,
) -> Result<Option<Box<Proof>>, Refusal> {
    let Some(presented) = credential::refresh_token(world, &guard.rule, request).await? else { return Ok(None) };
    let credential = Credential::RefreshToken(Secret::new(&*presented.token));
    let offer = Offer { credential, hiding: presented.hiding };
    grant::identify(world, guard, request, Method::RefreshToken, &offer, attempt).await.map(Some)
}
