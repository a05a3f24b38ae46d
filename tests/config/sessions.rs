//! Sessions, their secrets and their cookie.

use super::*;
use oidc_proxy_wasm::config::{Refresh, SameSite, Session};
use std::rc::Rc;
use std::time::Duration;

fn session(config: &Value) -> Session {
    Rc::unwrap_or_clone(loaded(config).session.unwrap())
}

fn on_loopback() -> Value {
    let config = with(shop(), "/providers/main/allow_http", json!(true));
    let config = with(config, "/rules/1/match", json!({ "host": "localhost:10000" }));
    with(config, "/rules/1/login/redirect_uri", json!("http://localhost:10000/oauth/callback"))
}

#[test]
fn what_is_left_out_has_the_safe_default() {
    let session = session(&shop());
    assert_eq!(session.secrets.len(), 2);
    assert_eq!(session.secrets[0].expose(), env("SESSION_KEY_2").unwrap().as_bytes());
    assert_eq!(session.cookie.name, "__Host-oidc");
    assert_eq!((session.cookie.same_site, session.cookie.path.as_str()), (SameSite::Lax, "/"));
    assert_eq!((session.lives.idle, session.lives.absolute), (Duration::from_secs(900), Duration::from_secs(28_800)));
    assert!(session.remember.is_none() && session.bind.is_empty());
    assert_eq!(session.touch, Duration::from_secs(60));
    assert_eq!((session.partition.as_str(), session.budget), ("default", 12288));
    assert!(session.keep_claims.is_empty());
    let second = Duration::from_secs;
    assert_eq!(
        session.refresh,
        Refresh {
            is_on: true,
            before: second(60),
            jitter: second(20),
            grace: second(30),
            assumed_lifetime: second(300),
            backoff: second(5),
        }
    );
}

/// Z02.
#[test]
fn a_weak_secret_is_refused_and_never_shown() {
    let right = json!([{ "env": "SESSION_KEY_1" }]);
    for (wrong, sentence) in [
        (json!(["9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDa"]), "session.secrets[0]: 31 bytes, needs 32 or more"),
        (json!([""]), "session.secrets[0]: is empty"),
        (json!(["changemechangemechangemechangeme"]), "is easy to guess"),
        (json!(["0123456789abcdef0123456789abcdef"]), "is easy to guess"),
        (json!(["secretsecretsecretsecretsecretsecret"]), "is easy to guess"),
        (json!(["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]), "is easy to guess"),
        (json!([{ "env": "SESSION_KEY_1" }, { "env": "SESSION_KEY_1" }]), "secrets[1]: stands twice"),
        (json!([{ "env": "NOT_SET" }]), "the variable NOT_SET is not set"),
        (json!([]), "is an empty list"),
        (json!({ "env": "SESSION_KEY_1" }), "found an object, needs a list"),
    ] {
        let found = problem(&with(shop(), "/session/secrets", wrong.clone()));
        assert!(!found.contains("changeme") && !found.contains("9fK2"), "{found}");
        twins("/session/secrets", wrong, sentence, right.clone());
    }
}

#[test]
fn lives_do_not_contradict_each_other() {
    twins("/session/absolute", json!("14m"), "absolute: is shorter than idle", json!("15m"));
    twins("/session/remember", json!({ "idle": "5m" }), "who asks to be remembered", json!({ "idle": "20m" }));
    twins("/session/remember", json!({ "idle": "31d" }), "remember.absolute: is shorter than idle", json!({}));
    twins("/revocation/max_age", json!("7h"), "max_age: is shorter than the longest session", json!("8h"));
    let remembering = with(shop(), "/session/remember", json!({}));
    twins_in(remembering.clone(), "/revocation/max_age", json!("24h"), "is shorter than the longest", json!("30d"));
    assert_eq!(loaded(&remembering).revocation.max_age, Duration::from_secs(30 * 86_400));
    assert_eq!(session(&with(shop(), "/session/idle", json!("10s"))).refresh.grace, Duration::from_secs(10));
    twins("/session/touch", json!("451s"), "touch: is more than half of idle", json!("450s"));
    assert_eq!(session(&with(shop(), "/session/idle", json!("1m"))).touch, Duration::from_secs(30));
}

#[test]
fn a_prefix_of_the_cookie_s_name_keeps_its_promise() {
    for (wrong, sentence, right) in [
        (json!({ "name": "__Host-a", "domain": "example.com" }), "use __Secure-", json!({ "domain": "example.com" })),
        (json!({ "name": "__Host-a", "path": "/a" }), "use __Secure-", json!({ "name": "__Secure-a", "path": "/a" })),
        (json!({ "name": "__host-a" }), "begins with __", json!({ "name": "__Host-a" })),
        (json!({ "name": "a b" }), "is not a cookie name", json!({ "name": "a" })),
        (json!({ "name": "a=b" }), "is not a cookie name", json!({ "name": "a-b" })),
        (json!({ "domain": "com" }), "is a top-level domain", json!({ "domain": ".example.com" })),
        (
            json!({ "domain": "other.example" }),
            "does not cover shop.example.com",
            json!({ "domain": "shop.example.com" }),
        ),
        (json!({ "domain": "p.example.com" }), "does not cover shop.example.com", json!({ "domain": "example.com" })),
        (json!({ "path": "a" }), "does not begin with /", json!({ "path": "/a" })),
        (json!({ "path": "/a/../b" }), "has a segment . or ..", json!({ "path": "/b" })),
        (json!({ "same_site": "lax" }), "nearest is \"Lax\"", json!({ "same_site": "None" })),
    ] {
        twins("/session/cookie", wrong, sentence, right);
    }
    assert_eq!(
        session(&with(shop(), "/session/cookie", json!({ "domain": "example.com" }))).cookie.name,
        "__Secure-oidc"
    );
}

#[test]
fn the_cookie_of_the_remembered_is_known_by_its_beginning() {
    let name = |cookie: &str| json!({ "cookie": cookie });
    let sentence = "cookie: is not a cookie name that begins with __Host-oidc-";
    for wrong in ["__Host-remember", "__Host-oidc", "__Host-oidc-", "__Host-oidc-a b", "remember"] {
        twins("/session/remember", name(wrong), sentence, name("__Host-oidc-r"));
    }
    twins("/session/bind", json!(["ip"]), "is not one of scheme, user_agent, address", json!(["address"]));
    let headers = |facts: Value| json!({ "request": facts });
    twins("/session/headers", headers(json!(["audience"])), "is not one of id, subject", headers(json!(["id"])));
}

#[test]
fn on_loopback_without_https_the_cookie_has_no_prefix() {
    assert_eq!(session(&on_loopback()).cookie.name, "oidc");
    twins_in(on_loopback(), "/session/cookie", json!({ "name": "__Host-a" }), "needs https", json!({ "name": "a" }));
    twins_in(
        on_loopback(),
        "/session/cookie",
        json!({ "same_site": "None" }),
        "needs Secure",
        json!({ "same_site": "Strict" }),
    );
}

#[test]
fn a_session_is_there_when_a_rule_needs_one() {
    let found = problem(&without(shop(), "/session"));
    assert_eq!(found, "session: is missing: the rule \"shop\" keeps sessions, which need session.secrets");
    let public = with(shop(), "/rules", json!([{ "allow": "anonymous" }]));
    assert!(loaded(&without(without(public, "/session"), "/providers")).session.is_none());
}

#[test]
fn claims_to_keep_are_paths() {
    twins(
        "/session/keep_claims",
        json!(["email"]),
        "keep_claims[0]: is a list of names",
        json!([["email"], ["a", "b"]]),
    );
    twins("/session/keep_claims", json!([[]]), "keep_claims[0]: is an empty list", json!([]));
}

#[test]
fn renewal_can_be_late_or_never_and_its_times_make_sense() {
    let refresh = |value: Value| session(&with(shop(), "/session/refresh", value)).refresh;
    assert!(!refresh(json!("never")).is_on);
    assert_eq!(refresh(json!({ "before": "0s" })).before, Duration::ZERO);
    twins("/session/refresh", json!("off"), "refresh: ", json!("never"));
    twins(
        "/session/refresh",
        json!({ "grace": "16m" }),
        "grace: is longer than session.idle",
        json!({ "grace": "15m" }),
    );
    let short = session(&with(shop(), "/session/idle", json!("4s")));
    assert_eq!(short.refresh.grace, Duration::from_secs(4), "what nobody wrote refuses no load");
    twins("/session/refresh", json!({ "backoff": "0s" }), "backoff: ", json!({ "backoff": "1s" }));
    twins("/session/refresh", json!({ "assumed_lifetime": "0s" }), "lifetime: ", json!({ "assumed_lifetime": "1s" }));
}
