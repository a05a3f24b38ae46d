//! One request, from its headers to its verdict.

mod answer;
mod challenge;
mod client_keys;
mod endpoints;
mod forward;
mod gate;
mod gateway;
mod index;
mod limit;
mod operator;
mod page;
mod resource_metadata;
mod rules;
mod session_info;
mod tell;

pub use answer::{closing, unconfigured};
pub use gate::Gate;

use crate::config::{Allow, Mode};
use crate::methods::{self, Guard, Proof, authorization_code};
use crate::policy;
use crate::words::{Identity, Method, Reason, Refusal, Request, Stop, Verdict};
use crate::world::World;

/// Who comes in.
#[allow(clippy::large_enum_variant, reason = "it lives for one call, and a box would cost every request one")]
enum Guest {
    /// Anyone.
    Anonymous,
    /// One proven identity.
    Known(Box<Proof>),
}

impl Guest {
    /// The identity, if it is known.
    fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Anonymous => None,
            Self::Known(proof) => Some(&proof.identity),
        }
    }
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
    let guard = match rules::rule_for(gate.rules(), gate.index(), &asked, request) {
        Ok(guard) => guard,
        Err(reason) => return answer::refused(gate, world, None, request, reason.into()),
    };
    match admit(world, guard, request).await {
        Ok(guest) => limit::upstream(gate, world, guard, request, guest).await,
        Err(stop) if guard.rule.mode == Mode::Report => forward::on_trial(gate, world, guard, request, stop),
        Err(stop) => answer::stopped(gate, world, Some(guard), request, stop),
    }
}

/// Whether the user authenticated as strongly and lately as the rule asks for.
fn strong_enough(world: &World, guard: &Guard, proof: &Proof) -> Result<(), Refusal> {
    let rules = &guard.rule.token;
    if rules.max_age.is_none() && rules.acr_values.is_empty() {
        return Ok(());
    }
    let skew = guard.provider()?.settings.clock_skew;
    policy::step_up(rules, |name| proof.identity.sources.of_authentication(name), world.now(), skew)
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
            _ => Err(guard.nothing_shown().into()),
        };
    };
    if let Err(weak) = strong_enough(world, guard, &proof) {
        let asks = guard.rule.mode == Mode::Enforce && guard.rule.allow == Allow::Authenticated;
        if asks && proof.identity.method == Method::Session {
            // A person may do something about it; a background request, which nobody sees, is told.
            Box::pin(authorization_code::begin_again(world, guard, request)).await?;
        }
        return Err(weak.into());
    }
    if let Err(refusal) = policy::judge(&guard.rule, &mut proof.identity) {
        // What became of the session is told all the same.
        return Err(refusal.with_cookies(proof.cookies).into());
    }
    // Asked here too: without an exchange there is no future to make.
    if guard.rule.token.exchange.is_some() {
        proof = Box::pin(methods::exchanged(world, guard, proof)).await?;
    }
    Ok(Guest::Known(proof))
}
