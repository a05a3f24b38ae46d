//! The public half of our keys, for the providers that verify what we sign (RFC 7517 §5).

use super::Gate;
use crate::words::{Reason, Refusal, Request, Response, Stop};

/// The keys of our registration at a provider, to anyone; a private part is never among them.
pub fn serve(gate: &Gate, provider: usize, request: &Request) -> Stop {
    let Some(provider) = gate.provider(provider) else { return Reason::NoRule.into() };
    let body = match request.method() {
        Some("GET") => provider.registration.published(),
        Some("HEAD") => String::new(),
        _ => return Refusal::wrong_method("GET, HEAD").into(),
    };
    let response = Response { body, ..Response::new(200) }
        .with("content-type", "application/jwk-set+json")
        .with("cache-control", "public, max-age=300")
        .with("x-content-type-options", "nosniff");
    Stop::Answered { response, reason: Reason::ClientKeys }
}
