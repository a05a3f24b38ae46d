//! Each requirement, met and unmet.

use super::*;
use crate::config::{ClaimAt, ClaimRule, ClaimTest, TextForm};
use crate::words::{ClaimPath, Consumer, Method, Source, Sources, json};
use serde_json::{Value, json};
use std::rc::Rc;

pub fn identity(scope: &str, claims: &str) -> Identity {
    Identity {
        method: Method::Session,
        issuer: "https://idp.example.com".into(),
        subject: Some("alice".into()),
        client: None,
        sources: Sources { id_token: Some(Rc::new(json::object(claims.as_bytes()).unwrap())), ..Sources::default() },
        scope: scope.into(),
        access_token: None,
        id_token: None,
        consumer: None,
    }
}

/// What the ID token and the access token say.
fn two_sources(id_token: &str, access_token: &str) -> Identity {
    let mut identity = identity("", id_token);
    identity.sources.access_token = Some(Rc::new(json::object(access_token.as_bytes()).unwrap()));
    identity
}

fn at(names: &[&str]) -> ClaimAt {
    ClaimAt { claim: path(names), source: Source::Any }
}

fn values(claim: &[&str], any_of: &[&[&str]]) -> ValuesRule {
    ValuesRule { names: Names::Claim(at(claim)), any_of: Some(words(any_of)) }
}

pub fn path(names: &[&str]) -> ClaimPath {
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
        groups: vec![values(claim, &[&["staff", "big spenders"], &["root"]])],
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
    let require = Require { roles: vec![values(&["roles"], &[&["editor"]])], ..Require::default() };
    assert_eq!(verdict(&require, &identity("", r#"{"roles":["editor"]}"#)), None);
    assert_eq!(verdict(&require, &identity("", r#"{"roles":["reader"]}"#)), Some(Reason::RoleMissing));
}

fn claim(test: ClaimTest, text: TextForm) -> Require {
    Require { claims: vec![ClaimRule { at: at(&["c"]), text, test }], ..Require::default() }
}

/// `test` holds for all of `good`, and for none of `bad`; each is the value of a claim, or nothing.
#[track_caller]
fn holds_for(test: ClaimTest, text: TextForm, good: &[Option<Value>], bad: &[Option<Value>]) {
    let require = claim(test, text);
    let verdict_on = |value: &Option<Value>| {
        let claims = value.as_ref().map_or_else(|| json!({}), |value| json!({ "c": value }));
        verdict(&require, &identity("", &claims.to_string()))
    };
    for value in good {
        assert_eq!(verdict_on(value), None, "{value:?}");
    }
    for value in bad {
        assert_eq!(verdict_on(value), Some(Reason::ClaimRefused), "{value:?}");
    }
}

fn some(values: &[Value]) -> Vec<Option<Value>> {
    values.iter().cloned().map(Some).collect()
}

#[test]
fn claims_compare_by_json_type() {
    let wrong = [json!("true"), json!(1), Value::Null, json!({ "true": true }), json!([[true]])];
    let wrong = [some(&wrong), vec![None]].concat();
    holds_for(ClaimTest::Equals(json!(true)), TextForm::Whole, &some(&[json!(true), json!([false, true])]), &wrong);
    let either = ClaimTest::AnyOf(vec![json!(3.0), json!("x")]);
    let good = some(&[json!(3), json!("x"), json!(["y", "x"])]);
    holds_for(either, TextForm::Whole, &good, &some(&[json!("3"), json!(4), json!("x y"), json!({ "x": 1 })]));
}

#[test]
fn all_of_wants_every_member() {
    let both = || ClaimTest::AllOf(vec![json!("a"), json!(2)]);
    let good = some(&[json!(["a", 2]), json!([2, "b", "a"])]);
    let bad = [some(&[json!(["a"]), json!("a"), json!("a 2"), json!(["a", "2"]), Value::Null]), vec![None]].concat();
    holds_for(both(), TextForm::Whole, &good, &bad);
}

#[test]
fn none_of_holds_where_nobody_says_it() {
    let unwanted = || ClaimTest::NoneOf(vec![json!("guest"), json!(0)]);
    let good =
        [some(&[json!("staff"), json!(["staff"]), json!([]), json!("guest x"), Value::Null]), vec![None]].concat();
    let bad = some(&[json!("guest"), json!(0.0), json!(["a", "guest"]), json!({ "guest": 1 }), json!([["guest"]])]);
    holds_for(unwanted(), TextForm::Whole, &good, &bad);
    let require = claim(unwanted(), TextForm::Whole);
    assert_eq!(verdict(&require, &two_sources(r#"{"c":"staff"}"#, r#"{"c":"staff"}"#)), None);
    assert_eq!(verdict(&require, &two_sources(r#"{"c":"staff"}"#, r#"{"c":"guest"}"#)), Some(Reason::ClaimRefused));
}

#[test]
fn presence_is_not_null() {
    let there = some(&[json!(false), json!(""), json!([]), json!({ "a": 1 })]);
    let not_there = [some(&[Value::Null]), vec![None]].concat();
    holds_for(ClaimTest::Present(true), TextForm::Whole, &there, &not_there);
    holds_for(ClaimTest::Present(false), TextForm::Whole, &not_there, &there);
}

#[test]
fn a_range_is_for_numbers_and_has_its_bounds() {
    let within = || ClaimTest::Range { least: 2.0, most: 3.5 };
    let good = some(&[json!(2), json!(2.0), json!(3.5), json!([9, 3])]);
    let bad =
        [some(&[json!(1.999), json!(3.6), json!("3"), json!(-3), json!(1e30), json!(true), json!([])]), vec![None]];
    holds_for(within(), TextForm::Whole, &good, &bad.concat());
}

#[test]
fn text_is_split_at_spaces_where_the_rule_says_so_alone() {
    let reads = || ClaimTest::AllOf(vec![json!("read"), json!("write")]);
    let text = json!("write x read");
    holds_for(
        reads(),
        TextForm::SpaceSeparated,
        &some(&[text.clone(), json!(["read", "write"])]),
        &some(&[json!("read")]),
    );
    holds_for(reads(), TextForm::Whole, &some(&[json!(["read", "write"])]), &some(&[text]));
    // Members of a list are whole even then.
    holds_for(
        reads(),
        TextForm::SpaceSeparated,
        &[],
        &some(&[json!(["read write"]), json!("readwrite"), json!("READ write")]),
    );
}

#[test]
fn a_named_source_is_the_only_one_that_counts() {
    let named = |source| Require {
        claims: vec![ClaimRule {
            at: ClaimAt { claim: path(&["c"]), source },
            text: TextForm::Whole,
            test: ClaimTest::Equals(json!(1)),
        }],
        ..Require::default()
    };
    let only_access = two_sources("{}", r#"{"c":1}"#);
    assert_eq!(verdict(&named(Source::Any), &only_access), None);
    assert_eq!(verdict(&named(Source::AccessToken), &only_access), None);
    for other in [Source::IdToken, Source::Introspection, Source::Userinfo] {
        assert_eq!(verdict(&named(other), &only_access), Some(Reason::ClaimRefused), "{other:?}");
    }
    // The first source that has the claim speaks for all.
    assert_eq!(verdict(&named(Source::Any), &two_sources(r#"{"c":2}"#, r#"{"c":1}"#)), Some(Reason::ClaimRefused));
}

#[test]
fn an_audience_is_one_of_those_that_are_named() {
    let wanted = || vec!["api".to_owned(), "shop".to_owned()];
    let require = Require { audience: vec![wanted()], ..Require::default() };
    for claims in [r#"{"aud":"api"}"#, r#"{"aud":["x","shop"]}"#] {
        assert_eq!(verdict(&require, &identity("", claims)), None, "{claims}");
        assert_eq!(verdict(&require, &two_sources(r#"{"aud":"client"}"#, claims)), None, "{claims}");
    }
    for claims in [
        "{}",
        r#"{"aud":null}"#,
        r#"{"aud":"api shop"}"#,
        r#"{"aud":"API"}"#,
        r#"{"aud":{"api":1}}"#,
        r#"{"aud":[["api"]]}"#,
    ] {
        assert_eq!(verdict(&require, &identity("", claims)), Some(Reason::AudienceMissing), "{claims}");
    }
    let both = Require { audience: vec![wanted(), vec!["x".to_owned()]], ..Require::default() };
    assert_eq!(verdict(&both, &identity("", r#"{"aud":["x","shop"]}"#)), None);
    assert_eq!(verdict(&both, &identity("", r#"{"aud":"shop"}"#)), Some(Reason::AudienceMissing));
}

#[test]
fn a_forbidden_claim_is_one_that_says_something() {
    let require = Require { forbidden_claims: vec![at(&["state", "suspended"])], ..Require::default() };
    for said in [json!(true), json!(0), json!("no"), json!([false]), json!({ "since": 1 })] {
        let claims = json!({ "state": { "suspended": said } }).to_string();
        assert_eq!(verdict(&require, &identity("", &claims)), Some(Reason::ClaimForbidden), "{claims}");
        // Whoever says it, and whoever else denies it.
        let denied = two_sources(r#"{"state":{"suspended":false}}"#, &claims);
        assert_eq!(verdict(&require, &denied), Some(Reason::ClaimForbidden), "{claims}");
    }
    for said in [json!(false), json!(null), json!(""), json!([]), json!({})] {
        let claims = json!({ "state": { "suspended": said } }).to_string();
        assert_eq!(verdict(&require, &identity("", &claims)), None, "{claims}");
    }
    assert_eq!(verdict(&require, &identity("", r#"{"suspended":true}"#)), None);
}

// A03 (CVE-2026-40574).
#[test]
fn an_email_address_is_verified_and_of_a_domain() {
    let require = Require { email_domains: vec![vec!["good.com".to_owned()]], ..Require::default() };
    let on = |email: Value, verified: Value| {
        verdict(&require, &identity("", &json!({ "email": email, "email_verified": verified }).to_string()))
    };
    for email in ["a@good.com", "a@GOOD.com"] {
        assert_eq!(on(json!(email), json!(true)), None, "{email}");
        assert_eq!(on(json!(email), json!("true")), None, "{email}");
        for unverified in [json!(false), json!("false"), json!("True"), json!(1), Value::Null, json!([true])] {
            assert_eq!(on(json!(email), unverified), Some(Reason::EmailRefused));
        }
    }
    let wrong = [
        json!("a@evil@good.com"),
        json!("a@sub.good.com"),
        json!("a@good.com.evil"),
        json!("good.com"),
        json!(["a@good.com"]),
        Value::Null,
    ];
    for email in wrong {
        assert_eq!(on(email.clone(), json!(true)), Some(Reason::EmailRefused), "{email}");
    }
    assert_eq!(verdict(&require, &identity("", r#"{"email":"a@good.com"}"#)), Some(Reason::EmailRefused));
    // One source's word about another source's address counts for nothing.
    let mixed = two_sources(r#"{"email":"a@good.com"}"#, r#"{"email":"b@good.com","email_verified":true}"#);
    assert_eq!(verdict(&require, &mixed), Some(Reason::EmailRefused));
}

// A06.
#[test]
fn what_denies_outweighs_what_allows() {
    let groups = values(&["groups"], &[&["staff"]]);
    let require = Require { groups: vec![groups], groups_denied: vec!["guests".to_owned()], ..Require::default() };
    assert_eq!(verdict(&require, &identity("", r#"{"groups":["staff"]}"#)), None);
    assert_eq!(verdict(&require, &identity("", r#"{"groups":["staff","guests"]}"#)), Some(Reason::GroupDenied));
    let elsewhere = two_sources(r#"{"groups":["staff"]}"#, r#"{"groups":"guests"}"#);
    assert_eq!(verdict(&require, &elsewhere), Some(Reason::GroupDenied));

    // Groups that are listed for the denial alone; what is no list of names cannot be judged.
    let listed = ValuesRule { names: Names::Claim(at(&["groups"])), any_of: None };
    let require = Require { groups: vec![listed], ..require };
    for claims in ["{}", r#"{"groups":null}"#, r#"{"groups":["x"]}"#, r#"{"groups":"guest"}"#, r#"{"groups":{"x":1}}"#]
    {
        assert_eq!(verdict(&require, &identity("", claims)), None, "{claims}");
    }
    for claims in [
        r#"{"groups":"guests"}"#,
        r#"{"groups":{"guests":1}}"#,
        r#"{"groups":7}"#,
        r#"{"groups":["x",{"name":"guests"}]}"#,
    ] {
        assert_eq!(verdict(&require, &identity("", claims)), Some(Reason::GroupDenied), "{claims}");
    }
}

#[test]
fn groups_may_be_those_of_the_consumer() {
    let partners = ValuesRule { names: Names::Consumer, any_of: Some(words(&[&["partners"]])) };
    let require =
        Require { groups: vec![partners], groups_denied: vec!["late payers".to_owned()], ..Require::default() };
    let of = |groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let consumer = Consumer { id: "a".to_owned(), username: "a".to_owned(), custom_id: None, groups };
        Identity { consumer: Some(Rc::new(consumer)), ..identity("", r#"{"groups":["partners"]}"#) }
    };
    assert_eq!(verdict(&require, &of(&["partners"])), None);
    assert_eq!(verdict(&require, &of(&["partner"])), Some(Reason::GroupMissing));
    assert_eq!(verdict(&require, &of(&["partners", "late payers"])), Some(Reason::GroupDenied));
    assert_eq!(verdict(&require, &identity("", r#"{"groups":["partners"]}"#)), Some(Reason::GroupMissing));
}
