//! May this identity do this here?

mod buckets;
mod claims;
mod consumer;
mod email;
mod guess;
mod rate_limit;
mod revocation;
mod step_up;

pub use guess::{Guess, Guesser, Guesses, address};
pub use rate_limit::{Field, Limiter};
pub use revocation::{Counts, Name, Revocations, Word};
pub use step_up::step_up;

use crate::config::{Names, Require, Rule, ValuesRule};
use crate::words::{Identity, Reason, Refusal};

/// Accepts `identity` under `rule`, and finds which consumer it is where the rule asks that.
pub fn judge(rule: &Rule, identity: &mut Identity) -> Result<(), Refusal> {
    if let Some(looks) = &rule.consumer {
        identity.consumer = consumer::find(looks, identity)?;
    }
    require(&rule.require, identity)
}

/// Accepts `identity` where every part of `require` holds. Whatever cannot be judged is refused. What denies comes first:
/// nothing outweighs it (A06).
pub fn require(require: &Require, identity: &Identity) -> Result<(), Refusal> {
    if let Some(denied) = require.groups_denied.iter().find(|name| is_denied(&require.groups, name, identity)) {
        return Err(refused(Reason::GroupDenied, &|| format!("in group {denied:?}, or in none that can be read")));
    }
    if let Some(said) = require.forbidden_claims.iter().find(|at| claims::is_said(at, identity)) {
        return Err(refused(Reason::ClaimForbidden, &|| format!("claim {} is there", said.claim)));
    }
    // RFC 6749 §3.3: values are compared whole, and with regard to case.
    let granted = |value: &String| identity.scope.split(' ').any(|granted| granted == value);
    let suffices = |alternatives: &&Vec<Vec<String>>| !alternatives.iter().any(|all| all.iter().all(granted));
    if let Some(unmet) = require.scope.iter().find(suffices) {
        return Err(refused(Reason::ScopeMissing, &|| {
            let wanted: Vec<String> = unmet.iter().map(|values| values.join(" ")).collect();
            format!("granted {:?}, needed one of {wanted:?}", &*identity.scope)
        }));
    }
    if let Some(unmet) = require.audience.iter().find(|audiences| !claims::is_for_one_of(audiences, identity)) {
        return Err(refused(Reason::AudienceMissing, &|| format!("needed one of {unmet:?}")));
    }
    if let Some(unmet) = require.groups.iter().find(|rule| !names_suffice(rule, identity)) {
        return Err(refused(Reason::GroupMissing, &|| needed(unmet)));
    }
    if let Some(unmet) = require.roles.iter().find(|rule| !names_suffice(rule, identity)) {
        return Err(refused(Reason::RoleMissing, &|| needed(unmet)));
    }
    if let Some(unmet) = require.claims.iter().find(|rule| !claims::holds(rule, identity)) {
        return Err(refused(Reason::ClaimRefused, &|| format!("claim {} is not as required", unmet.at.claim)));
    }
    if let Some(unmet) = require.email_domains.iter().find(|domains| !email::is_of(domains, identity)) {
        let detail = || format!("needed a verified address of one of {unmet:?}");
        return Err(refused(Reason::EmailRefused, &detail));
    }
    Ok(())
}

/// A call apart, so that what is said to the few does not lie in the way of the many.
#[inline(never)]
fn refused(reason: Reason, detail: &dyn Fn() -> String) -> Refusal {
    Refusal::new(reason, detail())
}

fn needed(rule: &ValuesRule) -> String {
    let names = match &rule.names {
        Names::Claim(at) => format!("in claim {}", at.claim),
        Names::Consumer => "of the consumer".to_owned(),
    };
    format!("needed {names}: all of one of {:?}", rule.any_of.as_deref().unwrap_or_default())
}

fn names_suffice(rule: &ValuesRule, identity: &Identity) -> bool {
    let Some(any_of) = &rule.any_of else { return true };
    match &rule.names {
        Names::Claim(at) => identity
            .sources
            .find(at.source, &at.claim)
            .is_some_and(|claim| all_of_one(any_of, |name| claims::names(claim, name))),
        Names::Consumer => identity
            .consumer
            .as_ref()
            .is_some_and(|consumer| all_of_one(any_of, |name| consumer.groups.iter().any(|group| group == name))),
    }
}

fn all_of_one(any_of: &[Vec<String>], is_there: impl Fn(&str) -> bool) -> bool {
    any_of.iter().any(|all_of| !all_of.is_empty() && all_of.iter().all(|name| is_there(name)))
}

/// Whether any source of groups has `name`, or what is no list of names.
fn is_denied(groups: &[ValuesRule], name: &str, identity: &Identity) -> bool {
    groups.iter().any(|rule| match &rule.names {
        Names::Claim(at) => identity
            .sources
            .each(at.source, &at.claim)
            .any(|claim| claims::names(claim, name) || !claims::is_list_of_names(claim)),
        Names::Consumer => identity.consumer.iter().any(|consumer| consumer.groups.iter().any(|group| group == name)),
    })
}

#[cfg(test)]
mod tests;
