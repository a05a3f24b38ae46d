//! The answers that are ours: redirects, refusals, pages.

use super::{Gate, challenge, page};
use crate::config::Errors;
use crate::http::navigation::{self, Audience};
use crate::http::{Url, text};
use crate::methods::Guard;
use crate::words::{Blame, Reason, Refusal, Request, Response, Stop, Verdict, hex};
use crate::world::{Metric, Outcome, World};

/// How long a client waits before it asks again for what cannot be now: a provider that is back is found within this.
const RETRY_AFTER: &str = "5";

/// Ends a request that found no identity to go on with.
pub fn stopped(gate: &Gate, world: &World, guard: Option<&Guard>, request: &Request, stop: Stop) -> Verdict {
    match stop {
        Stop::Refused(refusal) => refused(gate, world, guard, request, refusal),
        Stop::Answered { response, reason } => {
            log(world, guard, &Refusal::from(reason), &request_id(world, request), response.status);
            finished(gate, world, guard, *response, reason)
        }
    }
}

/// Refuses a request, in the form that its sender understands.
pub fn refused(gate: &Gate, world: &World, guard: Option<&Guard>, request: &Request, refusal: Refusal) -> Verdict {
    let reason = refusal.reason;
    let id = request_id(world, request);
    log(world, guard, &refusal, &id, reason.status());
    let audience = navigation::audience(request);
    let reader = request.headers.text("accept").unwrap_or_default();
    let response = match errors_of(guard).and_then(|errors| instead(errors, reason)) {
        Some(url) if audience == Audience::PageLoad => Response::new(303).with("location", url.as_str()),
        _ if navigation::prefers_html(reader) => page::html(&refusal, &id),
        _ => page::json(reason, &id),
    };
    let mut response = response.with("cache-control", "no-store").with("referrer-policy", "no-referrer");
    for challenge in challenge::of(guard, reason) {
        response = response.with("www-authenticate", challenge);
    }
    if reason.status() == 503 {
        response = response.with("retry-after", RETRY_AFTER);
    }
    let response = refusal.headers().iter().fold(response, |response, (name, value)| response.with(name, value));
    let response = refusal.cookies().iter().fold(response, |response, line| response.with("set-cookie", line));
    finished(gate, world, guard, response, reason)
}

/// A document that anybody may read and caches may keep for a while.
pub fn published(request: &Request, kind: &str, document: impl FnOnce() -> String) -> Result<Response, Refusal> {
    let body = match request.method() {
        Some("GET") => document(),
        Some("HEAD") => String::new(),
        _ => return Err(Refusal::wrong_method("GET, HEAD")),
    };
    Ok(Response { body, ..Response::new(200) }
        .with("content-type", kind)
        .with("cache-control", "public, max-age=300")
        .with("x-content-type-options", "nosniff"))
}

/// The answer to everything while there is no configuration.
pub fn unconfigured() -> Verdict {
    without_gate(Reason::Unconfigured)
}

/// The answer to a request that still waits when its configuration goes.
pub fn closing() -> Verdict {
    without_gate(Reason::FlightLost)
}

fn without_gate(reason: Reason) -> Verdict {
    let response = page::json(reason, "").with("cache-control", "no-store").with("retry-after", RETRY_AFTER);
    Verdict::Respond { response: Box::new(response), reason }
}

fn finished(gate: &Gate, world: &World, guard: Option<&Guard>, mut response: Response, reason: Reason) -> Verdict {
    let rule = guard.map(|guard| guard.place);
    world.count(Metric::Decided { rule, outcome: Outcome::Answered(reason) });
    if let Some(name) = &gate.observability().reason_header {
        response.headers.push((name.clone().into(), reason.code().to_owned()));
    }
    Verdict::Respond { response: Box::new(response), reason }
}

fn errors_of(guard: Option<&Guard>) -> Option<&Errors> {
    guard.map(|guard| &guard.rule.errors)
}

fn instead(errors: &Errors, reason: Reason) -> Option<&Url> {
    match reason.status() {
        401 => errors.unauthorized_redirect_uri.as_ref(),
        403 => errors.forbidden_redirect_uri.as_ref(),
        500.. => errors.unexpected_redirect_uri.as_ref(),
        _ => None,
    }
}

/// What ties an answer to its log line: the host's own id for the request, else one that we make.
pub fn request_id(world: &World, request: &Request) -> String {
    let given = request.headers.text("x-request-id").map(|id| text::printable(id, 64)).filter(|id| !id.is_empty());
    given.unwrap_or_else(|| hex(&world.random::<8>()))
}

pub fn log(world: &World, guard: Option<&Guard>, refusal: &Refusal, id: &str, status: u16) {
    let level = match refusal.reason.blame() {
        Blame::Nobody | Blame::Caller => log::Level::Info,
        Blame::Provider | Blame::Operator | Blame::Us => log::Level::Warn,
    };
    let rule = guard.map_or("none", |guard| guard.rule.name.as_str());
    let line = format!("{status} {} rule={rule} request={id}: {}", refusal.reason, refusal.detail());
    world.log(level, line.trim_end_matches([':', ' ']));
}
