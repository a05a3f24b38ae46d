//! Tokens that the gateway itself issues.

use super::*;
use oidc_proxy_wasm::config::SecretHash;
use oidc_proxy_wasm::words::Method;

/// A gateway that issues tokens, and no provider at all.
fn gateway() -> Value {
    json!({
        "rules": [{ "name": "jobs", "methods": ["gateway_token"] }],
        "gateway_tokens": {
            "issuer": "https://jobs.example.com",
            "path": "/oauth/token",
            "secrets": [{ "env": "SESSION_KEY_1" }],
            "clients": [{ "client_id": "batch", "client_secret": { "env": "SESSION_KEY_2" }, "scope": "read write" }],
        },
        "consumers": [{ "username": "acme" }],
    })
}

#[track_caller]
fn twins(pointer: &str, wrong: Value, sentence: &str, right: Value) {
    twins_in(gateway(), &format!("/gateway_tokens/{pointer}"), wrong, sentence, right);
}

#[test]
fn a_rule_for_tokens_of_our_own_needs_no_provider() {
    let config = loaded(&gateway());
    assert!(config.providers.is_empty());
    assert_eq!(config.rules[0].methods, [Method::GatewayToken]);
    let issued = config.gateway_tokens.unwrap();
    assert_eq!((issued.lifetime.as_secs(), issued.clients[0].scope.len()), (3600, 2));
    let other = with(gateway(), "/rules/0/methods", json!(["gateway_token", "introspection"]));
    assert!(load(&other).unwrap_err().concat().contains("needs a provider"));
}

#[test]
fn tokens_that_nobody_issues_are_not_taken() {
    let config = without(gateway(), "/gateway_tokens");
    assert!(problem(&config).contains("rules[0].methods: has gateway_token, which needs `gateway_tokens`"));
    // What is wrong with the section is said once, and not as if it were missing.
    assert!(problem(&with(gateway(), "/gateway_tokens/lifetime", json!("1s"))).contains("lifetime"));
}

#[test]
fn issuer_paths_and_keys_are_judged() {
    twins("issuer", json!("http://jobs.example.com"), "http", json!("http://localhost:8080"));
    twins("issuer", json!("https://jobs.example.com/?a"), "has a query", json!("https://jobs.example.com/a"));
    twins("path", json!("oauth/token"), "path", json!("/token"));
    twins("revocation_path", json!("/oauth/token"), "is that of gateway_tokens.path", json!("/oauth/revoke"));
    twins("introspection_path", json!("/oauth/token"), "is that of gateway_tokens.path", json!("/oauth/introspect"));
    twins("secrets", json!(["changeme"]), "needs 32 or more", json!(["bN5uQ1zX8wE3rT6yU9iO2pA4sD7fG0hJ"]));
    twins("secrets", json!([]), "secrets", json!([{ "env": "SESSION_KEY_1" }, { "env": "SESSION_KEY_2" }]));
    twins("lifetime", json!("25h"), "lifetime", json!("24h"));
    let shop = with(shop(), "/gateway_tokens", gateway()["gateway_tokens"].clone());
    let (callback, other) = (json!("/oauth/callback"), json!("/oauth/token"));
    twins_in(shop, "/gateway_tokens/path", callback, "gateway_tokens.path: means something else in rules[1]", other);
}

#[test]
fn each_client_can_show_who_it_is() {
    let client = |extra: Value| {
        let mut client = json!({ "client_id": "batch" });
        client.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!([client])
    };
    let (salt, hash) = ("00".repeat(16), "ab".repeat(32));
    let secret = || client(json!({ "client_secret": { "env": "SESSION_KEY_2" } }));
    twins("clients", client(json!({})), "has nothing to show", secret());
    twins("clients", client(json!({ "client_secret": "hunter2" })), "7 bytes, needs 32 or more", secret());
    for wrong in [
        hash.clone(),
        format!("sha256:{}", "ab".repeat(31)),
        format!("sha256:{}", "zz".repeat(32)),
        format!("md5:{hash}"),
        format!("pbkdf2-sha256:9999:{salt}:{hash}"),
        format!("pbkdf2-sha256:100001:{salt}:{hash}"),
        format!("pbkdf2-sha256:10000:{}:{hash}", "00".repeat(15)),
        format!("pbkdf2-sha256:10000:{salt}:{}", "ab".repeat(16)),
    ] {
        let right = client(json!({ "client_secret_hash": format!("pbkdf2-sha256:10000:{salt}:{hash}") }));
        twins("clients", client(json!({ "client_secret_hash": wrong })), "is neither sha256:HEX", right);
    }
    let hashed = client(json!({ "client_secret_hash": format!("sha256:{hash}") }));
    let config = loaded(&with(gateway(), "/gateway_tokens/clients", hashed));
    assert_eq!(config.gateway_tokens.unwrap().clients[0].secrets, [SecretHash::Sha256([0xab; 32])]);
}

#[test]
fn a_client_is_one_and_asks_for_what_there_is() {
    let one = gateway()["gateway_tokens"]["clients"][0].clone();
    let named = |name: &str| with(one.clone(), "/client_id", json!(name));
    twins("clients", json!([one, one]), "has \"batch\" twice", json!([one, named("other")]));
    twins("clients", json!([named("naïve")]), "visible ASCII", json!([named("with space")]));
    twins("clients/0/scope", json!("read \"write\""), "no scope has", json!("read write"));
    twins("clients/0/consumer", json!("nobody"), "is the username of none", json!("acme"));
}
