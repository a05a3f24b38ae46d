//! The operator's endpoint: who may, what is told, what is done.

use crate::support::*;
use Reason::*;

#[test]
fn only_those_who_may_operate() {
    let shop = Shop::with_operator();
    let at = || background("/oauth/operator");
    assert_eq!(shop.decide(&at()).reason(), Some(AccessTokenRequired));
    assert_eq!(shop.decide(&at().bearer(&shop.idp.jwt(|_| {}))).reason(), Some(ScopeMissing));
    let elsewhere = |claims: &mut Value| (claims["scope"], claims["aud"]) = (json!("admin"), json!("other"));
    assert_eq!(shop.decide(&at().bearer(&shop.idp.jwt(elsewhere))).reason(), Some(AccessTokenAudience));
    let mut session = shop.guest();
    assert_eq!(session.send(&at()).reason(), Some(AccessTokenRequired), "no session opens it");
    let good = shop.idp.jwt(|claims| claims["scope"] = json!("read admin"));
    assert_eq!(shop.decide(&at().bearer(&good)).reason(), Some(OperatorServed));
    let answer = shop.decide(&at().bearer(&good).method("DELETE"));
    assert_eq!((answer.reason(), answer.header("allow").as_deref()), (Some(MethodNotAllowed), Some("GET, POST")));
}

#[test]
fn sessions_and_tokens_are_revoked_by_each_of_their_names() {
    for form in ["sid=sid-1", "sub=u-1", "client=shop"] {
        let shop = Shop::with_operator();
        let mut browser = shop.guest();
        let answer = shop.operates(&format!("action=revoke&{form}"));
        assert_eq!(answer.reason(), Some(OperatorServed), "{form}");
        assert!(!is_in(&mut browser), "{form}");
        shop.script.advance(1);
        assert!(is_in(&mut shop.guest()), "{form}: a login after it is good");
    }
    for form in ["sub=u-1", "client=app", "jti=jti-0", "sid=sid-9"] {
        let shop = Shop::with_operator();
        let token = shop.idp.jwt(|claims| claims["sid"] = json!("sid-9"));
        assert_eq!(shop.decide(&background("/api").bearer(&token)).reason(), None);
        shop.operates(&format!("action=revoke&{form}"));
        assert_eq!(shop.decide(&background("/api").bearer(&token)).reason(), Some(AccessTokenRevoked), "{form}");
    }
}

#[test]
fn requests_come_as_json_and_in_the_query_too() {
    let shop = Shop::with_operator();
    let token = shop.idp.jwt(|claims| claims["scope"] = json!("admin"));
    let mut body = background("/oauth/operator").bearer(&token).method("POST").with("content-type", "application/json");
    body.body = Some(json!({ "action": "revoke", "sub": "u-2", "provider": "main" }).to_string());
    let answer = shop.decide(&body);
    assert_eq!(answer.reason(), Some(OperatorServed));
    let told: Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!((told["revoked"].as_str(), told["issuer"].as_str()), (Some("sub"), Some(ISSUER)));
    // Where no body can be read.
    assert_eq!(shop.decide_unread(&body).reason(), Some(BodyUnreadable));
    let query = background("/oauth/operator?action=revoke&sub=u-3").bearer(&token).method("POST");
    assert_eq!(shop.decide_unread(&query).reason(), Some(OperatorServed));
}

#[test]
fn what_is_not_one_request_does_nothing() {
    let shop = Shop::with_operator();
    let mut browser = shop.guest();
    for form in [
        "",
        "action=drop",
        "action=revoke",
        "action=revoke&sub=u-1&sid=sid-1",
        "action=revoke&sub=",
        "action=revoke&sub=u-1&sub=u-1",
        "action=revoke&sub=u-1&provider=other",
        "action=revoke&sub=%",
        "action=refresh&provider=other",
    ] {
        assert_eq!(shop.operates(form).reason(), Some(OperatorMalformed), "{form}");
    }
    assert_eq!(shop.operates(&format!("action=revoke&sub={}", "x".repeat(20_000))).reason(), Some(BodyTooLarge));
    assert!(is_in(&mut browser));
}

#[test]
fn the_state_is_told_without_secrets() {
    let shop = Shop::with_operator();
    shop.guest();
    shop.operates("action=revoke&sub=u-9");
    let state = shop.state();
    assert_eq!(state["revocations"]["known"], json!(1));
    assert_eq!(state["providers"]["main"]["keys"]["count"], json!(1));
    assert_eq!(state["providers"]["main"]["keys"]["stale"], json!(false));
    assert_eq!(state["providers"]["main"]["keys"]["trouble"], Value::Null);
    assert!(!state.to_string().contains(CLIENT_SECRET));
    shop.idp.replies(Endpoint::Jwks, Reply::nothing());
    shop.operates("action=refresh");
    assert_eq!(shop.state()["providers"]["main"]["keys"]["trouble"], json!("jwks_unavailable"));
}

#[test]
fn metadata_and_keys_are_fetched_anew_on_demand() {
    let shop = Shop::with_operator();
    shop.guest();
    let calls = || (shop.calls(Endpoint::Discovery), shop.calls(Endpoint::Jwks));
    let before = calls();
    let answer = shop.operates("action=refresh&provider=main");
    assert_eq!(answer.body(), "{\"refreshed\":[\"main\"]}\n");
    assert_eq!(calls(), (before.0 + 1, before.1 + 1));
}
