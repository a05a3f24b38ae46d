//! May this identity do this here?

mod rate_limit;
mod step_up;

pub use rate_limit::{Fields, Limiter};
pub use step_up::step_up;

use crate::config::{ClaimRule, ClaimTest, Require, ValuesRule};
use crate::words::{Identity, Reason, Refusal, Source};
use serde_json::Value;

/// Accepts `identity` where every part of `require` holds. Whatever cannot be judged is refused.
pub fn require(require: &Require, identity: &Identity) -> Result<(), Refusal> {
    let scope: Vec<&str> = identity.scope.split(' ').collect();
    let all_granted = |wanted: &Vec<String>| wanted.iter().all(|value| scope.contains(&value.as_str()));
    if let Some(unmet) = require.scope.iter().find(|alternatives| !alternatives.iter().any(all_granted)) {
        let wanted: Vec<String> = unmet.iter().map(|values| values.join(" ")).collect();
        return Err(Refusal::new(
            Reason::ScopeMissing,
            format!("granted {:?}, needed one of {wanted:?}", &*identity.scope),
        ));
    }
    if let Some(unmet) = require.groups.iter().find(|rule| !names_suffice(rule, identity)) {
        return Err(Refusal::new(Reason::GroupMissing, needed(unmet)));
    }
    if let Some(unmet) = require.roles.iter().find(|rule| !names_suffice(rule, identity)) {
        return Err(Refusal::new(Reason::RoleMissing, needed(unmet)));
    }
    if let Some(unmet) = require.claims.iter().find(|rule| !claim_holds(rule, identity)) {
        return Err(Refusal::new(Reason::ClaimRefused, format!("claim {} is not as required", unmet.claim)));
    }
    Ok(())
}

fn needed(rule: &ValuesRule) -> String {
    format!("needed in claim {}: all of one of {:?}", rule.claim, rule.any_of)
}

fn names_suffice(rule: &ValuesRule, identity: &Identity) -> bool {
    let Some(claim) = identity.sources.find(Source::Any, &rule.claim) else { return false };
    rule.any_of.iter().any(|all_of| !all_of.is_empty() && all_of.iter().all(|name| is_named(claim, name)))
}

/// Whether a claim names `name`: exactly, as one text, as a member of an array, or as a member name of an object, which is
/// how some providers list roles.
fn is_named(claim: &Value, name: &str) -> bool {
    match claim {
        Value::String(text) => text == name,
        Value::Array(items) => items.iter().any(|item| item.as_str() == Some(name)),
        Value::Object(members) => members.contains_key(name),
        _ => false,
    }
}

fn claim_holds(rule: &ClaimRule, identity: &Identity) -> bool {
    let Some(claim) = identity.sources.find(Source::Any, &rule.claim) else { return false };
    match &rule.test {
        ClaimTest::Equals(wanted) => is_or_holds(claim, wanted),
        ClaimTest::AnyOf(wanted) => wanted.iter().any(|wanted| is_or_holds(claim, wanted)),
    }
}

fn is_or_holds(claim: &Value, wanted: &Value) -> bool {
    same(claim, wanted) || claim.as_array().is_some_and(|items| items.iter().any(|item| same(item, wanted)))
}

/// Equal, numbers by value: configuration written by some control planes knows only floating point.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => found == wanted || found.as_f64() == wanted.as_f64(),
        _ => found == wanted,
    }
}

#[cfg(test)]
mod tests;
