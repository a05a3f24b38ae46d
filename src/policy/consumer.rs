//! Which of the known consumers an identity is.

use super::claims;
use crate::config::{ConsumerMatch, ConsumerRule, TextForm};
use crate::words::{Consumer, Identity, Reason, Refusal, Source};
use std::rc::Rc;

/// The consumer; `None` where the identity is none and need not be one (A10).
pub fn find(rule: &ConsumerRule, identity: &Identity) -> Result<Option<Rc<Consumer>>, Refusal> {
    let known = &rule.known;
    let found = match &rule.by {
        Some(claim) => identity
            .sources
            .find(Source::Any, claim)
            .and_then(|claim| claim.as_str())
            .and_then(|name| known.by_username.get(name).or_else(|| known.by_custom_id.get(name))),
        None => known.by_match.iter().find(|(matches, _)| is_match(matches, identity)).map(|(_, consumer)| consumer),
    };
    match (found, &rule.by) {
        (None, Some(claim)) if !rule.optional => {
            Err(Refusal::new(Reason::ConsumerUnknown, format!("claim {claim} names no consumer")))
        }
        (None, None) if !rule.optional => Err(Refusal::new(Reason::ConsumerUnknown, "no consumer matches")),
        (found, _) => Ok(found.cloned()),
    }
}

fn is_match(matches: &ConsumerMatch, identity: &Identity) -> bool {
    let claim = identity.sources.find(Source::Any, &matches.claim);
    claim.is_some_and(|claim| matches.any_of.iter().any(|value| claims::says(TextForm::Whole, claim, value)))
}

#[cfg(test)]
mod tests;
