//! Who is which consumer.

use super::*;
use crate::config::{ConsumerHeaders, Consumers};
use crate::policy::tests::{identity, path};
use serde_json::{Value, json};

fn consumer(username: &str, custom_id: &str) -> Rc<Consumer> {
    let (id, custom_id) = (format!("id-{username}"), Some(custom_id.to_owned()));
    Rc::new(Consumer { id, username: username.to_owned(), custom_id, groups: Vec::new() })
}

fn rule(by: Option<&[&str]>, matches: &[(&str, Value)]) -> ConsumerRule {
    let all = [consumer("acme", "17"), consumer("initech", "18")];
    let by_match = matches.iter().zip(&all).map(|((claim, value), consumer)| {
        (ConsumerMatch { claim: path(&[claim]), any_of: vec![value.clone()] }, Rc::clone(consumer))
    });
    let mut known = Consumers { by_match: by_match.collect(), ..Consumers::default() };
    for one in &all {
        known.by_username.insert(&one.username, Rc::clone(one));
        known.by_custom_id.insert(one.custom_id.as_ref().unwrap(), Rc::clone(one));
    }
    let headers =
        ConsumerHeaders { id: None, username: None, custom_id: None, credential: None, groups: None, anonymous: None };
    ConsumerRule { by: by.map(path), optional: false, headers, known: Rc::new(known) }
}

fn found(rule: &ConsumerRule, claims: &Value) -> Result<Option<String>, Reason> {
    let found = find(rule, &identity("", &claims.to_string()));
    found.map(|consumer| consumer.map(|consumer| consumer.username.clone())).map_err(|refusal| refusal.reason)
}

#[test]
fn a_claim_names_a_consumer_by_username_or_custom_id() {
    let rule = rule(Some(&["app", "name"]), &[]);
    for (name, username) in [("acme", "acme"), ("17", "acme"), ("initech", "initech"), ("18", "initech")] {
        assert_eq!(found(&rule, &json!({ "app": { "name": name } })), Ok(Some(username.to_owned())), "{name}");
    }
    // A10.
    for name in [json!("Acme"), json!("id-acme"), json!(17), json!(["acme"]), json!(""), Value::Null] {
        assert_eq!(found(&rule, &json!({ "app": { "name": name } })), Err(Reason::ConsumerUnknown), "{name}");
    }
    assert_eq!(found(&rule, &json!({ "app.name": "acme" })), Err(Reason::ConsumerUnknown));
}

#[test]
fn the_first_match_of_the_consumers_themselves_decides() {
    let rule = rule(None, &[("azp", json!("acme-app")), ("tags", json!("late"))]);
    assert_eq!(found(&rule, &json!({ "azp": "acme-app", "tags": ["late"] })), Ok(Some("acme".to_owned())));
    assert_eq!(found(&rule, &json!({ "tags": ["x", "late"] })), Ok(Some("initech".to_owned())));
    assert_eq!(found(&rule, &json!({ "azp": "acme", "tags": [] })), Err(Reason::ConsumerUnknown));
}

#[test]
fn who_need_not_be_a_consumer_passes_as_none() {
    let optional = |by: Option<&[&str]>| ConsumerRule { optional: true, ..rule(by, &[("azp", json!("acme-app"))]) };
    for rule in [optional(Some(&["azp"])), optional(None)] {
        assert_eq!(found(&rule, &json!({ "azp": "nobody" })), Ok(None));
    }
    assert_eq!(found(&optional(None), &json!({ "azp": "acme-app" })), Ok(Some("acme".to_owned())));
}
