//! The public half of our keys, for the providers that verify what we sign (RFC 7517 §5).

use super::{Gate, answer};
use crate::words::{Reason, Refusal, Request, Stop};

/// The keys of our registration at a provider, to anyone; a private part is never among them.
pub fn serve(gate: &Gate, provider: usize, request: &Request) -> Result<Stop, Refusal> {
    let provider = gate.provider(provider).ok_or(Reason::NoRule)?;
    let response = answer::published(request, "application/jwk-set+json", || provider.registration.published())?;
    Ok(Stop::answered(response, Reason::ClientKeys))
}
