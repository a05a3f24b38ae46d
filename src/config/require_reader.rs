//! Reads what an identity must be.

use super::section::{Section, claim_path};
use super::{ClaimRule, ClaimTest, Require, ValuesRule};
use serde_json::Value;

/// Adds the conditions of one section `require` to those that there are: all must hold.
pub(super) fn add(require: &mut Require, section: &Section) {
    if section.has("scope") {
        require.scope.push(read_scope(section));
    }
    require.groups.extend(read_values(section, "groups"));
    require.roles.extend(read_values(section, "roles"));
    require.claims.extend(section.sections("claims").iter().filter_map(read_claim));
}

fn read_scope(section: &Section) -> Vec<Vec<String>> {
    let mut alternatives = Vec::new();
    for text in section.texts("scope") {
        let values: Vec<String> = text.split(' ').map(str::to_owned).collect();
        if values.iter().any(String::is_empty) {
            section.problem("scope", "has a space too many: values have one space between them");
        }
        alternatives.push(values);
    }
    alternatives
}

fn read_values(section: &Section, key: &str) -> Option<ValuesRule> {
    if !section.has(key) {
        return None;
    }
    let values = section.section(key);
    let (claim, any_of) = (values.value("claim"), values.value("any_of"));
    let any_of = any_of?.as_array()?.iter().map(names).collect();
    Some(ValuesRule { claim: claim_path(claim?)?, any_of })
}

/// One name, or several that must be there together.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    }
}

fn read_claim(section: &Section) -> Option<ClaimRule> {
    let claim = section.value("claim");
    let test = match (section.value("equals"), section.value("any_of")) {
        (Some(value), None) => ClaimTest::Equals(undoubled(value)),
        (None, Some(values)) => ClaimTest::AnyOf(values.as_array()?.iter().map(undoubled).collect()),
        _ => {
            section.problem_here("needs exactly one of equals and any_of");
            return None;
        }
    };
    Some(ClaimRule { claim: claim_path(claim?)?, test })
}

/// A value as it was meant: where a control plane made every number a double, 10.0 is 10.
fn undoubled(value: &Value) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value.as_f64() {
        Some(double) if value.is_f64() && double.fract() == 0.0 && double.abs() <= EXACT => Value::from(double as i64),
        _ => value.clone(),
    }
}
