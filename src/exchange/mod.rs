//! One request, from its headers to its verdict.

mod answer;
mod challenge;
mod client_keys;
mod endpoints;
mod forward;
mod gate;
mod gateway;
mod index;
mod known_lines;
mod limit;
mod operator;
mod page;
mod resource_metadata;
mod rules;
mod session_info;
mod tell;

pub use crate::methods::Begun;
pub use answer::{closing, unconfigured};
pub use gate::Gate;

use crate::config::{Allow, Mode};
use crate::methods::{self, Guard, Proof, Unproven, authorization_code};
use crate::policy;
use crate::words::{Identity, Method, Reason, Refusal, Request, Stop, Verdict};
use crate::world::{Metric, World};
use endpoints::Endpoint;
use known_lines::Line;

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

/// Where a request goes.
enum Place<'a> {
    /// To an endpoint of ours.
    Endpoint(&'a Endpoint),
    /// To the service, under this rule.
    Rule(&'a Guard),
}

/// Decides one request without waiting, as most can be: what they bring is known here, and no future need be made for them.
/// `None` where somebody may have to be asked: [`decide`] goes on then from what is left in `begun`.
pub fn at_once(gate: &Gate, world: &World, request: &Request, begun: &mut Begun) -> Option<Verdict> {
    let guard = match place(gate, world, request) {
        Ok(Place::Rule(guard)) => guard,
        Ok(Place::Endpoint(_)) => return None,
        Err(reason) => return Some(answer::refused(gate, world, None, request, reason.into())),
    };
    if guard.rule.rate_limit.is_some() || guard.rule.token.exchange.is_some() {
        return None;
    }
    let guest = match guard.rule.allow {
        Allow::Anonymous => Ok(Guest::Anonymous),
        Allow::Nobody => Err(Reason::RuleForbids.into()),
        Allow::Authenticated | Allow::Optional => known(world, guard, request, begun)?,
    };
    Some(match guest {
        Ok(guest) => forward::upstream(gate, world, guard, request, guest, &[]),
        Err(stop) => stopped(gate, world, guard, request, stop),
    })
}

/// Decides one request, of which `begun` is known. Never fails: what goes wrong becomes an answer with its [`Reason`].
pub async fn decide(gate: &Gate, world: &World, request: &Request, begun: Begun) -> Verdict {
    let guard = match place(gate, world, request) {
        Ok(Place::Rule(guard)) => guard,
        // Boxed, as all that is rare: the future of a request that just passes stays small.
        Ok(Place::Endpoint(endpoint)) => return Box::pin(endpoints::serve(gate, world, endpoint, request)).await,
        Err(reason) => return answer::refused(gate, world, None, request, reason.into()),
    };
    match admit(world, guard, request, begun).await {
        Ok(guest) => limit::upstream(gate, world, guard, request, guest).await,
        Err(stop) => stopped(gate, world, guard, request, stop),
    }
}

/// Where a request goes: what came before in the same words goes where that went.
fn place<'a>(gate: &'a Gate, world: &World, request: &Request) -> Result<Place<'a>, Reason> {
    let line = Line::of(request);
    if let Some(guard) = gate.known_lines().find(&line).and_then(|rule| gate.rule(rule)) {
        return Ok(Place::Rule(guard));
    }
    let place = place_anew(gate, request);
    if let Ok(Place::Rule(guard)) = &place
        && gate.known_lines().passed(&line, guard.place)
    {
        world.count(Metric::LinesKept);
    }
    place
}

#[inline(never)]
fn place_anew<'a>(gate: &'a Gate, request: &Request) -> Result<Place<'a>, Reason> {
    let asked = rules::asked(request)?;
    if let Some(endpoint) = gate.endpoint(&asked) {
        return Ok(Place::Endpoint(endpoint));
    }
    rules::rule_for(gate.rules(), gate.index(), &asked, request).map(Place::Rule)
}

/// What becomes of a request whose rule does not let it through.
fn stopped(gate: &Gate, world: &World, guard: &Guard, request: &Request, stop: Stop) -> Verdict {
    match guard.rule.mode {
        Mode::Report => forward::on_trial(gate, world, guard, request, stop),
        Mode::Enforce => answer::stopped(gate, world, Some(guard), request, stop),
    }
}

/// Who comes in, where that is known here.
fn known(world: &World, guard: &Guard, request: &Request, begun: &mut Begun) -> Option<Result<Guest, Stop>> {
    match methods::known(world, guard, request, begun) {
        Ok(Some(proof)) if strong_enough(world, guard, &proof).is_err() => {
            *begun = Begun::with(proof);
            None
        }
        Ok(Some(proof)) => Some(judged(guard, proof).map(Guest::Known)),
        Ok(None) => Some(nobody(guard)),
        Err(Unproven::Refused(refusal)) => Some(Err(refusal.into())),
        Err(Unproven::Waits) => None,
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
async fn admit(world: &World, guard: &Guard, request: &Request, begun: Begun) -> Result<Guest, Stop> {
    match guard.rule.allow {
        Allow::Anonymous => return Ok(Guest::Anonymous),
        Allow::Nobody => return Err(Reason::RuleForbids.into()),
        Allow::Authenticated | Allow::Optional => {}
    }
    let Some(proof) = methods::identify(world, guard, request, begun).await? else { return nobody(guard) };
    if let Err(weak) = strong_enough(world, guard, &proof) {
        let asks = guard.rule.mode == Mode::Enforce && guard.rule.allow == Allow::Authenticated;
        if asks && proof.identity.method == Method::Session {
            // A person may do something about it; a background request, which nobody sees, is told.
            Box::pin(authorization_code::begin_again(world, guard, request)).await?;
        }
        return Err(weak.into());
    }
    let mut proof = judged(guard, proof)?;
    // Asked here too: without an exchange there is no future to make.
    if guard.rule.token.exchange.is_some() {
        proof = Box::pin(methods::exchanged(world, guard, proof)).await?;
    }
    Ok(Guest::Known(proof))
}

/// One who shows nothing.
fn nobody(guard: &Guard) -> Result<Guest, Stop> {
    match guard.rule.allow {
        Allow::Optional => Ok(Guest::Anonymous),
        _ => Err(guard.nothing_shown().into()),
    }
}

/// An identity that the policy accepts.
fn judged(guard: &Guard, mut proof: Box<Proof>) -> Result<Box<Proof>, Stop> {
    match policy::judge(&guard.rule, &mut proof.identity) {
        Ok(()) => Ok(proof),
        // What became of the session is told all the same.
        Err(refusal) => Err(refusal.with_cookies(proof.cookies).into()),
    }
}
