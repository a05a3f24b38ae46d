//! The last question before a request goes on: has its caller come too often?

use super::{Gate, Guest, answer, forward};
use crate::config::{Mode, RateLimit};
use crate::methods::Guard;
use crate::words::{Request, Verdict};
use crate::world::World;

/// Lets a guest's request go on who has not spent what the rule grants. One who has keeps what became of its session.
pub async fn upstream(gate: &Gate, world: &World, guard: &Guard, request: &Request, guest: Guest) -> Verdict {
    match &guard.rule.rate_limit {
        None => forward::upstream(gate, world, guard, request, guest, &[]),
        // Boxed, as all that few rules have: the future of a request that just passes stays small.
        Some(limit) => Box::pin(counted(gate, world, guard, limit, request, guest)).await,
    }
}

async fn counted(
    gate: &Gate,
    world: &World,
    guard: &Guard,
    limit: &RateLimit,
    request: &Request,
    guest: Guest,
) -> Verdict {
    match gate.limiter().take(world, &guard.rule, limit, guest.identity()).await {
        Ok(fields) => forward::upstream(gate, world, guard, request, guest, &fields),
        Err(refusal) if guard.rule.mode == Mode::Report => {
            forward::on_trial(gate, world, guard, request, refusal.into())
        }
        Err(refusal) => {
            let cookies = match guest {
                Guest::Anonymous => Vec::new(),
                Guest::Known(proof) => proof.cookies,
            };
            answer::refused(gate, world, Some(guard), request, refusal.with_cookies(cookies))
        }
    }
}
