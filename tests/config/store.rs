//! `store`: where several hosts keep what they share.

use super::*;
use oidc_proxy_wasm::config::OnLoss;
use std::time::Duration;

fn stored() -> Value {
    with(shop(), "/store", json!({ "redis_http": { "cluster": "webdis" } }))
}

fn wrong(key: &str, value: Value, sentence: &str, right: Value) {
    twins_in(stored(), &format!("/store/redis_http/{key}"), value, sentence, right);
}

#[test]
fn what_is_left_out_has_a_default() {
    assert!(loaded(&shop()).store.is_none());
    let store = loaded(&stored()).store.unwrap();
    assert_eq!((store.cluster.as_str(), store.authority.as_str(), store.path.as_str()), ("webdis", "webdis", "/"));
    assert_eq!((store.prefix.as_str(), store.timeout), ("oidc:", Duration::from_millis(200)));
    assert_eq!((store.on_loss, store.headers), (OnLoss::Deny, Vec::new()));
}

#[test]
fn what_is_given_counts() {
    let config = with(stored(), "/store/redis_http/on_failure", json!("local"));
    let config = with(config, "/store/redis_http/headers", json!({ "Authorization": { "env": "SHOP_CLIENT_SECRET" } }));
    let store = loaded(&config).store.unwrap();
    assert_eq!(store.on_loss, OnLoss::Local);
    assert_eq!(store.headers[0].0, "authorization");
}

/// W12: nothing of what is configured can be read as another command.
#[test]
fn names_and_paths_are_plain() {
    for prefix in ["a/b", "a.b", "a b", "ä", "a%2f"] {
        wrong("prefix", json!(prefix), "letters, digits", json!("shop-1:oidc_"));
    }
    wrong("prefix", json!("a".repeat(65)), "64 at most", json!("a".repeat(64)));
    wrong("path_prefix", json!("webdis"), "is no path", json!("/webdis/"));
    wrong("path_prefix", json!("/?x"), "is no path", json!("/"));
    wrong("authority", json!("a b"), "is no host", json!("webdis:7379"));
    wrong("headers", json!({ "host": "x" }), "belongs to HTTP", json!({ "x-api-key": "x" }));
    wrong("headers", json!({ "x-key": "ä" }), "visible ASCII", json!({ "x-key": "a" }));
    wrong("timeout", json!("11s"), "10s", json!("10s"));
    wrong("on_failure", json!("open"), "local", json!("local"));
}

/// A condition that a template left blank refuses the load.
#[test]
fn a_blank_store_is_none() {
    let blank = problem(&with(shop(), "/store", json!({})));
    assert!(blank.contains("is empty"), "{blank}");
    assert!(load(&with(stored(), "/store/redis_http", json!({}))).is_err());
    let missing = problem(&with(shop(), "/store", json!({ "redis_http": { "timeout": "1s" } })));
    assert!(missing.contains("store.redis_http.cluster: is missing"), "{missing}");
}

/// What it holds is sealed: there must be something to seal it with.
#[test]
fn a_store_needs_the_secrets_of_sessions() {
    let api = json!([{ "methods": ["bearer"], "token": { "audience": ["api"] } }]);
    let config = with(with(stored(), "/rules", api), "/store/redis_http/prefix", json!("api:"));
    loaded(&config);
    let found = problem(&without(config, "/session"));
    assert!(found.contains("session: is missing: what the store holds is sealed"), "{found}");
}
