//! Reads what an identity must be.

use super::problem::quoted;
use super::section::{Section, claim_path};
use super::{ClaimAt, ClaimRule, ClaimTest, Names, Require, TextForm, ValuesRule};
use crate::words::Source;
use serde_json::Value;

/// The conditions of the sections `require` of `defaults` and of a rule: all must hold.
pub(super) fn read(defaults: &Section, own: &Section, finds_consumer: bool) -> Require {
    let mut require = Require::default();
    for section in [defaults, own] {
        add(&mut require, section, finds_consumer);
    }
    for section in [defaults, own].into_iter().filter(|section| section.has("groups_denied")) {
        if require.groups.is_empty() && !section.has("groups") {
            section.problem("groups_denied", "needs groups.claim, which says where groups are listed");
        }
    }
    require
}

fn add(require: &mut Require, section: &Section, finds_consumer: bool) {
    if section.has("scope") {
        require.scope.push(read_scope(section));
    }
    if section.has("audience") {
        require.audience.push(owned(section.texts("audience")));
    }
    if section.has("email_domains") {
        require.email_domains.push(read_domains(section));
    }
    if section.has("groups") {
        let groups = section.section("groups");
        if groups.text("source") == Some("consumer") && !finds_consumer {
            groups.problem("source", "is consumer, which needs `consumer` in the rule");
        }
        if !has_or_told(&groups, "any_of") && !section.has("groups_denied") {
            groups.problem("any_of", "is missing: the groups that will do");
        }
        require.groups.extend(read_values(&groups));
    }
    if section.has("roles") {
        let roles = section.section("roles");
        if roles.text("source") == Some("consumer") {
            roles.problem("source", "is consumer, which has groups and no roles");
        }
        if !has_or_told(&roles, "any_of") {
            roles.problem("any_of", "is missing: the roles that will do");
        }
        require.roles.extend(read_values(&roles));
    }
    require.reverify |= section.text("reverify") == Some("introspection");
    require.groups_denied.extend(owned(section.texts("groups_denied")));
    require.claims.extend(section.sections("claims").iter().filter_map(read_claim));
    require.forbidden_claims.extend(read_forbidden(section));
}

/// Whether a key is there, or was reported as one that is `null`.
fn has_or_told(section: &Section, key: &str) -> bool {
    section.has(key) || section.is_null(key)
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
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

fn read_domains(section: &Section) -> Vec<String> {
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let domains = section.texts("email_domains");
    for domain in domains.iter().filter(|domain| !domain.is_empty() && !domain.split('.').all(is_label)) {
        let message = format!("{} is no domain: write it as in example.com, without @ and *", quoted(domain));
        section.problem("email_domains", message);
    }
    domains.into_iter().map(str::to_ascii_lowercase).collect()
}

fn read_values(values: &Section) -> Option<ValuesRule> {
    let names = match (values.text("source"), values.has("claim")) {
        (Some("consumer"), true) => {
            values.problem("claim", "contradicts source: consumer, whose groups are configured");
            return None;
        }
        (Some("consumer"), false) => Names::Consumer,
        (_, false) => {
            if !values.is_null("claim") {
                values.problem("claim", "is missing");
            }
            return None;
        }
        (_, true) => Names::Claim(read_at(values)?),
    };
    let any_of = values.has("any_of").then(|| values.items("any_of").iter().map(all_names).collect());
    Some(ValuesRule { names, any_of })
}

fn read_at(section: &Section) -> Option<ClaimAt> {
    Some(ClaimAt { claim: section.claim_path("claim")?, source: section.source("source") })
}

/// One name, or several that must be there together.
fn all_names(value: &Value) -> Vec<String> {
    match value {
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    }
}

fn read_forbidden(section: &Section) -> Vec<ClaimAt> {
    let sections = section.sections("forbidden_claims");
    let entries = section.items("forbidden_claims").iter().zip(&sections);
    entries
        .filter_map(|(value, section)| match value {
            Value::Array(_) => Some(ClaimAt { claim: claim_path(value)?, source: Source::Any }),
            Value::Object(_) => read_at(section),
            _ => None,
        })
        .collect()
}

/// Of these, or of the two ends of a range, a claim rule has one.
const TESTS: [&str; 5] = ["equals", "any_of", "all_of", "none_of", "present"];
const RANGE: [&str; 2] = ["at_least", "at_most"];

fn read_claim(section: &Section) -> Option<ClaimRule> {
    let at = match section.value("claim") {
        Some(path) => claim_path(path).map(|claim| ClaimAt { claim, source: section.source("source") }),
        None => None,
    };
    if TESTS.into_iter().chain(RANGE).any(|key| section.is_null(key)) {
        return None;
    }
    let in_range = RANGE.into_iter().any(|key| section.has(key));
    let named: Vec<&str> = TESTS.into_iter().filter(|key| section.has(key)).collect();
    let values = |key: &str| section.items(key).iter().map(undoubled).collect::<Vec<_>>();
    let test = match (named.as_slice(), in_range) {
        (["equals"], false) => ClaimTest::Equals(undoubled(section.value("equals")?)),
        (["any_of"], false) => ClaimTest::AnyOf(values("any_of")),
        (["all_of"], false) => ClaimTest::AllOf(values("all_of")),
        (["none_of"], false) => ClaimTest::NoneOf(values("none_of")),
        (["present"], false) => ClaimTest::Present(section.flag("present")),
        ([], true) => read_range(section),
        _ => {
            let message = "needs exactly one of equals, any_of, all_of, none_of, present, and at_least or at_most";
            section.problem_here(message);
            return None;
        }
    };
    let text = if section.flag("space_separated") { TextForm::SpaceSeparated } else { TextForm::Whole };
    if text == TextForm::SpaceSeparated {
        check_space_separated(section, &test);
    }
    Some(ClaimRule { at: at?, text, test })
}

fn read_range(section: &Section) -> ClaimTest {
    let bound = |key: &str| section.value(key).and_then(Value::as_f64);
    let (least, most) = (bound("at_least").unwrap_or(f64::MIN), bound("at_most").unwrap_or(f64::MAX));
    if least > most {
        section.problem("at_least", "is more than at_most beside it: no number is both");
    }
    ClaimTest::Range { least, most }
}

fn check_space_separated(section: &Section, test: &ClaimTest) {
    let wanted = match test {
        ClaimTest::Equals(value) => std::slice::from_ref(value),
        ClaimTest::AnyOf(values) | ClaimTest::AllOf(values) | ClaimTest::NoneOf(values) => values,
        ClaimTest::Present(_) | ClaimTest::Range { .. } => {
            return section.problem("space_separated", "goes with equals, any_of, all_of and none_of");
        }
    };
    if wanted.iter().filter_map(Value::as_str).any(|text| text.contains(' ')) {
        section.problem("space_separated", "contradicts a wanted value that has a space: no value would be it");
    }
}

/// A value as it was meant: where a control plane made every number a double, 10.0 is 10.
pub(super) fn undoubled(value: &Value) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value.as_f64() {
        Some(double) if value.is_f64() && double.fract() == 0.0 && double.abs() <= EXACT => Value::from(double as i64),
        _ => value.clone(),
    }
}
