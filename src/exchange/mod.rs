//! One request, from its headers to its verdict.

mod answer;
mod endpoints;
mod forward;
mod gate;
mod page;
mod rules;
mod tell;

pub use answer::{closing, unconfigured};
pub use gate::Gate;

use crate::config::Allow;
use crate::methods::{self, Guard, Proof};
use crate::policy;
use crate::words::{Reason, Request, Stop, Verdict};
use crate::world::World;

/// Who comes in.
enum Guest {
    /// Anyone.
    Anonymous,
    /// One proven identity.
    Known(Proof),
}

/// Decides one request. Never fails: what goes wrong becomes an answer with its [`Reason`].
pub async fn decide(gate: &Gate, world: &World, request: &Request) -> Verdict {
    let asked = match rules::asked(request) {
        Ok(asked) => asked,
        Err(reason) => return answer::refused(gate, world, None, request, reason.into()),
    };
    if let Some(endpoint) = gate.endpoint(&asked) {
        // Boxed, as all that is rare: the future of a request that just passes stays small.
        return Box::pin(endpoints::serve(gate, world, endpoint, request)).await;
    }
    let guard = match rules::rule_for(gate.rules(), &asked, request) {
        Ok(guard) => guard,
        Err(reason) => return answer::refused(gate, world, None, request, reason.into()),
    };
    match admit(world, guard, request).await {
        Ok(guest) => forward::upstream(gate, world, guard, request, guest),
        Err(stop) => answer::stopped(gate, world, Some(guard), request, stop),
    }
}

/// Who comes in: anyone where the rule says so, else one proven identity that the policy accepts.
async fn admit(world: &World, guard: &Guard, request: &Request) -> Result<Guest, Stop> {
    match guard.rule.allow {
        Allow::Anonymous => return Ok(Guest::Anonymous),
        Allow::Nobody => return Err(Reason::RuleForbids.into()),
        Allow::Authenticated | Allow::Optional => {}
    }
    let Some(mut proof) = methods::identify(world, guard, request).await? else {
        return match guard.rule.allow {
            Allow::Optional => Ok(Guest::Anonymous),
            _ => Err(Reason::LoginRequired.into()),
        };
    };
    policy::judge(&guard.rule, &mut proof.identity)?;
    Ok(Guest::Known(proof))
}
