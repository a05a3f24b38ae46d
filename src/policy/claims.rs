//! Conditions on claims.

use crate::config::{ClaimAt, ClaimRule, ClaimTest, TextForm};
use crate::words::{Identity, Source};
use serde_json::Value;

/// Whether a claim is as `rule` wants it. One that is missing is not, but where it is its absence that is wanted.
pub fn holds(rule: &ClaimRule, identity: &Identity) -> bool {
    let found = || identity.sources.find(rule.at.source, &rule.at.claim);
    let says = |claim: &Value, wanted: &Value| says(rule.text, claim, wanted);
    match &rule.test {
        ClaimTest::Equals(wanted) => found().is_some_and(|claim| says(claim, wanted)),
        ClaimTest::AnyOf(wanted) => found().is_some_and(|claim| wanted.iter().any(|wanted| says(claim, wanted))),
        ClaimTest::AllOf(wanted) => found().is_some_and(|claim| wanted.iter().all(|wanted| says(claim, wanted))),
        // Nobody may say it: a source that is silent does not hide one that speaks.
        ClaimTest::NoneOf(unwanted) => identity
            .sources
            .each(rule.at.source, &rule.at.claim)
            .all(|claim| is_plain(claim) && !unwanted.iter().any(|unwanted| says(claim, unwanted))),
        ClaimTest::Present(wanted) => found().is_some() == *wanted,
        ClaimTest::Range { least, most } => {
            let within = |value: &Value| value.as_f64().is_some_and(|number| (*least..=*most).contains(&number));
            found().is_some_and(|claim| within(claim) || claim.as_array().is_some_and(|items| items.iter().any(within)))
        }
    }
}

/// Whether a claim is there and says more than `false` or nothing; for [`Source::Any`], by anyone.
pub fn is_said(at: &ClaimAt, identity: &Identity) -> bool {
    identity.sources.each(at.source, &at.claim).any(|claim| match claim {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    })
}

/// Whether `aud` names one of `audiences`, whoever says it: one text or several (RFC 7519 §4.1.3).
pub fn is_for_one_of(audiences: &[String], identity: &Identity) -> bool {
    let is_one = |value: &Value| value.as_str().is_some_and(|text| audiences.iter().any(|audience| audience == text));
    let said = Source::ALL.into_iter().filter_map(|source| identity.sources.of(source)?.get("aud"));
    said.into_iter().any(|claim| is_one(claim) || claim.as_array().is_some_and(|items| items.iter().any(is_one)))
}

/// Whether a claim names `name`: exactly, as one text, as a member of an array, or as a member name of an object, which is
/// how some providers list roles.
pub fn names(claim: &Value, name: &str) -> bool {
    match claim {
        Value::String(text) => text == name,
        Value::Array(items) => items.iter().any(|item| item.as_str() == Some(name)),
        Value::Object(members) => members.contains_key(name),
        _ => false,
    }
}

/// Whether all that a claim lists can be read as names.
pub fn is_list_of_names(claim: &Value) -> bool {
    match claim {
        Value::String(_) | Value::Object(_) => true,
        Value::Array(items) => items.iter().all(Value::is_string),
        _ => false,
    }
}

/// Whether a claim is `wanted`, or one of its members is.
pub fn says(form: TextForm, claim: &Value, wanted: &Value) -> bool {
    match (form, claim, wanted) {
        (_, Value::Array(items), _) => items.iter().any(|item| same(item, wanted)),
        (TextForm::SpaceSeparated, Value::String(text), Value::String(wanted)) => {
            text.split(' ').any(|value| value == wanted)
        }
        _ => same(claim, wanted),
    }
}

/// Equal, numbers by value: configuration written by some control planes knows only floating point.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => found == wanted || found.as_f64() == wanted.as_f64(),
        _ => found == wanted,
    }
}

/// Whether a claim is a value or a list of values, so that what it does not say is known.
fn is_plain(claim: &Value) -> bool {
    let is_scalar = |value: &Value| !value.is_array() && !value.is_object();
    claim.as_array().map_or_else(|| is_scalar(claim), |items| items.iter().all(is_scalar))
}
