//! Logouts, the operator's endpoint, the deny list.

use super::*;

const LOGOUT: &str = "/rules/1/logout";

fn full() -> Value {
    json!({
        "path": "/oauth/logout",
        "landing_path": "/oauth/landing",
        "front_channel_path": "/oauth/front",
        "back_channel_path": "/oauth/back",
        "post_logout_redirect_uri": "https://www.example.com/bye",
    })
}

fn logout_with(key: &str, value: Value) -> Value {
    let mut logout = full();
    logout[key] = value;
    logout
}

#[test]
fn what_is_not_said_has_the_safe_default() {
    let config = loaded(&with(shop(), LOGOUT, json!({ "path": "/bye" })));
    let logout = config.rules[1].logout.clone().unwrap();
    assert_eq!(logout.methods, ["POST", "GET"]);
    assert!(logout.revoke && logout.end_session && logout.require_exp && !logout.all_sessions && !logout.require_type);
    assert!(loaded(&shop()).rules[1].logout.is_none());
    assert!(!config.revocation.tokens);
    assert!(config.session.unwrap().accept_older_sessions);
}

#[test]
fn each_path_means_one_thing() {
    for (key, path, sentence) in [
        ("path", "/oauth/callback", "logout.path: means something else in rules[1]"),
        ("landing_path", "/oauth/logout", "logout.landing_path: is that of another key beside it"),
        ("back_channel_path", "/oauth/front", "logout.back_channel_path: is that of another key beside it"),
        ("front_channel_path", "/oauth//front", "has an empty segment"),
    ] {
        twins(LOGOUT, logout_with(key, json!(path)), sentence, full());
    }
    let two = |logout: Value| {
        json!([
            { "match": { "host": "shop.example.com", "path_prefix": "/a" }, "logout": { "path": "/bye" },
              "login": { "redirect_uri": "https://shop.example.com/oauth/callback" } },
            { "match": { "host": "shop.example.com" }, "logout": logout,
              "login": { "redirect_uri": "https://shop.example.com/oauth/callback" } },
        ])
    };
    let sentence = "rules[1].logout.path: is that of rules[0], which logs out differently";
    let other = json!({ "path": "/bye", "all_sessions": true });
    twins("/rules", two(other), sentence, two(json!({ "path": "/bye" })));
}

#[test]
fn keys_that_would_do_nothing_are_refused() {
    twins(LOGOUT, json!({ "revoke": true }), "names none of path, front_channel_path", json!({ "path": "/bye" }));
    let back = json!({ "back_channel_path": "/back", "all_sessions": true });
    twins(LOGOUT, back, "all_sessions: is for logouts that begin here", json!({ "back_channel_path": "/back" }));
    let local = logout_with("end_session", json!(false));
    twins(LOGOUT, local, "landing_path: is for the logout at the provider", full());
    twins(LOGOUT, logout_with("post_logout_redirect_uri", json!("http://a.example")), "is http on a host", full());
    twins(LOGOUT, logout_with("methods", json!(["PUT"])), "is not one of POST, GET, DELETE", full());
    let anonymous = with(shop(), "/rules/0/logout", full());
    assert!(problem(&anonymous).contains("contradicts allow: anonymous"));
    let bearer = |logout: Value| {
        let rule = json!({ "methods": ["bearer"], "token": { "audience": ["api"] }, "match": { "path": "/api" } });
        with(rule, "/logout", logout)
    };
    twins("/rules/0", bearer(full()), "rules[0].logout: needs a login", bearer(Value::Null));
}

#[test]
fn an_operator_s_endpoint_says_who_may() {
    let good = json!({ "path": "/ops", "token": { "audience": ["ops"] }, "require": { "scope": ["admin"] } });
    let changed = |key: &str, value: Option<Value>| {
        let mut operator = good.clone();
        match value {
            Some(value) => operator[key] = value,
            None => drop(operator.as_object_mut().unwrap().remove(key)),
        }
        operator
    };
    for (wrong, sentence) in [
        (changed("require", None), "operator.require: is missing"),
        (changed("require", Some(json!({}))), "operator.require: is empty"),
        (changed("require", Some(Value::Null)), "operator.require: is null"),
        (changed("token", None), "operator.token.audience: is missing"),
        (changed("path", None), "operator.path: is missing"),
        (changed("path", Some(json!("/oauth/callback"))), "operator.path: means something else in rules[1]"),
        (changed("provider", Some(json!("other"))), "operator.provider: \"other\" is not under providers"),
        (changed("methods", Some(json!(["session"]))), "operator.methods: unknown key"),
    ] {
        twins("/operator", wrong, sentence, good.clone());
    }
}

#[test]
fn a_deny_list_is_remembered_as_long_as_any_session_lives() {
    twins(
        "/revocation",
        json!({ "max_age": "7h" }),
        "max_age: is shorter than the longest session",
        json!({ "max_age": "8h" }),
    );
}
