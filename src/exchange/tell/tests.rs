//! How each value is written.

use super::*;
use crate::words::{ClaimPath, Method, Secret, Source, Sources, json};
use serde_json::json;
use std::rc::Rc;

fn identity(claims: &Value) -> Identity {
    let claims = Rc::new(json::object(claims.to_string().as_bytes()).unwrap());
    Identity {
        method: Method::Session,
        issuer: "https://idp.example.com".into(),
        subject: Some("alice".into()),
        client: None,
        sources: Sources { userinfo: Some(claims), ..Sources::default() },
        scope: "".into(),
        access_token: Some(Rc::new(Secret::new("at-1"))),
        id_token: None,
        consumer: None,
    }
}

fn told(source: &HeaderSource, claims: &Value) -> Option<String> {
    value(source, &identity(claims)).map(Cow::into_owned)
}

#[test]
fn a_claim_has_the_form_that_is_asked_for() {
    let claim = ClaimPath::new(vec!["c".to_owned()]).unwrap();
    let form = |form| HeaderSource::Claim { claim: claim.clone(), source: Source::Any, form };
    for (value, text, json, base64) in [
        (json!("Žo"), "Žo", "\"Žo\"", "IsW9byI"),
        (json!(["a", 1, null]), "a,1", "[\"a\",1,null]", "WyJhIiwxLG51bGxd"),
        (json!({ "a": [1] }), "{\"a\":[1]}", "{\"a\":[1]}", "eyJhIjpbMV19"),
        (json!(false), "false", "false", "ZmFsc2U"),
    ] {
        let claims = json!({ "c": value });
        assert_eq!(told(&form(ClaimForm::Text), &claims).as_deref(), Some(text));
        assert_eq!(told(&form(ClaimForm::Json), &claims).as_deref(), Some(json));
        assert_eq!(told(&form(ClaimForm::Base64), &claims).as_deref(), Some(base64));
    }
    for form_of in [ClaimForm::Text, ClaimForm::Json, ClaimForm::Base64] {
        assert_eq!(told(&form(form_of), &json!({ "c": null })), None);
    }
    let elsewhere = HeaderSource::Claim { claim, source: Source::IdToken, form: ClaimForm::Text };
    assert_eq!(told(&elsewhere, &json!({ "c": "x" })), None);
}

#[test]
fn all_claims_of_a_source_and_tokens_are_told_whole() {
    let all = |source, form| HeaderSource::Claims { source, form };
    let claims = json!({ "a": 1 });
    assert_eq!(told(&all(Source::Userinfo, ClaimForm::Json), &claims).as_deref(), Some("{\"a\":1}"));
    assert_eq!(told(&all(Source::Userinfo, ClaimForm::Base64), &claims).as_deref(), Some("eyJhIjoxfQ"));
    assert_eq!(told(&all(Source::AccessToken, ClaimForm::Json), &claims), None);
    assert_eq!(told(&HeaderSource::AccessToken, &claims).as_deref(), Some("at-1"));
    assert_eq!(told(&HeaderSource::IdToken, &claims), None);
}

#[test]
fn names_with_a_comma_are_not_joined() {
    assert_eq!(joined(["a b", "c,admin", "d"].into_iter()).as_deref(), Some("a b, d"));
    assert_eq!(joined(["x, admin"].into_iter()), None);
    assert_eq!(joined(std::iter::empty()), None);
}
