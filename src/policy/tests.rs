//! Each requirement, met and unmet.

use super::*;
use crate::words::{ClaimPath, Method, Sources, json};
use std::rc::Rc;

fn identity(scope: &str, claims: &str) -> Identity {
    Identity {
        method: Method::Session,
        issuer: "https://idp.example.com".into(),
        subject: Some("alice".into()),
        client: None,
        sources: Sources { id_token: Some(Rc::new(json::object(claims.as_bytes()).unwrap())), ..Sources::default() },
        scope: scope.into(),
        access_token: None,
    }
}

fn path(names: &[&str]) -> ClaimPath {
    ClaimPath::new(names.iter().map(|name| (*name).to_owned()).collect()).unwrap()
}

fn words(alternatives: &[&[&str]]) -> Vec<Vec<String>> {
    alternatives.iter().map(|all| all.iter().map(|word| (*word).to_owned()).collect()).collect()
}

fn verdict(require: &Require, identity: &Identity) -> Option<Reason> {
    super::require(require, identity).err().map(|refusal| refusal.reason)
}

#[test]
fn nothing_required_is_always_met() {
    assert_eq!(verdict(&Require::default(), &identity("", "{}")), None);
}

// A01: neither a prefix, nor a longer word, nor another case.
#[test]
fn scope_is_whole_words_and_within_an_entry_and_or_between_them() {
    let require = Require { scope: vec![words(&[&["openid", "email"], &["admin"]])], ..Require::default() };
    for granted in ["openid email", "email x openid", "admin"] {
        assert_eq!(verdict(&require, &identity(granted, "{}")), None, "{granted}");
    }
    for granted in ["", "openid", "administrator", "admin:read", "ADMIN", "openidemail"] {
        assert_eq!(verdict(&require, &identity(granted, "{}")), Some(Reason::ScopeMissing), "{granted}");
    }
}

#[test]
fn what_the_rule_adds_to_the_defaults_must_hold_as_well() {
    let require = Require { scope: vec![words(&[&["a"]]), words(&[&["b"]])], ..Require::default() };
    assert_eq!(verdict(&require, &identity("a b", "{}")), None);
    assert_eq!(verdict(&require, &identity("a", "{}")), Some(Reason::ScopeMissing));
}

// A02, A04, A05.
#[test]
fn groups_are_exact_and_never_split() {
    let groups = |claim: &[&str]| Require {
        groups: vec![ValuesRule { claim: path(claim), any_of: words(&[&["staff", "big spenders"], &["root"]]) }],
        ..Require::default()
    };
    let nested = groups(&["realm", "groups"]);
    for claims in [
        r#"{"realm":{"groups":["big spenders","x","staff"]}}"#,
        r#"{"realm":{"groups":"root"}}"#,
        r#"{"realm":{"groups":{"root":{"id":1}}}}"#,
    ] {
        assert_eq!(verdict(&nested, &identity("", claims)), None, "{claims}");
    }
    for claims in [
        "{}",
        r#"{"realm":null}"#,
        r#"{"realm":[{"groups":"root"}]}"#,
        r#"{"realm.groups":"root"}"#,
        r#"{"realm":{"groups":["staff","big","spenders"]}}"#,
        r#"{"realm":{"groups":["Root","root ","groot"]}}"#,
        r#"{"realm":{"groups":"root,staff"}}"#,
        r#"{"realm":{"groups":"staff big spenders"}}"#,
        r#"{"realm":{"groups":[["root"]]}}"#,
    ] {
        assert_eq!(verdict(&nested, &identity("", claims)), Some(Reason::GroupMissing), "{claims}");
    }
}

#[test]
fn roles_have_a_reason_of_their_own() {
    let require = Require {
        roles: vec![ValuesRule { claim: path(&["roles"]), any_of: words(&[&["editor"]]) }],
        ..Require::default()
    };
    assert_eq!(verdict(&require, &identity("", r#"{"roles":["editor"]}"#)), None);
    assert_eq!(verdict(&require, &identity("", r#"{"roles":["reader"]}"#)), Some(Reason::RoleMissing));
}

#[test]
fn claims_compare_by_json_type() {
    let rule = |test| Require { claims: vec![ClaimRule { claim: path(&["c"]), test }], ..Require::default() };
    let equals_true = rule(ClaimTest::Equals(Value::Bool(true)));
    assert_eq!(verdict(&equals_true, &identity("", r#"{"c":true}"#)), None);
    assert_eq!(verdict(&equals_true, &identity("", r#"{"c":[false,true]}"#)), None);
    for claims in [r#"{"c":"true"}"#, r#"{"c":1}"#, r#"{"c":null}"#, "{}", r#"{"c":{"true":true}}"#] {
        assert_eq!(verdict(&equals_true, &identity("", claims)), Some(Reason::ClaimRefused), "{claims}");
    }
    let number = rule(ClaimTest::AnyOf(vec![Value::from(3.0), Value::from("x")]));
    assert_eq!(verdict(&number, &identity("", r#"{"c":3}"#)), None);
    assert_eq!(verdict(&number, &identity("", r#"{"c":"x"}"#)), None);
    assert_eq!(verdict(&number, &identity("", r#"{"c":"3"}"#)), Some(Reason::ClaimRefused));
}
