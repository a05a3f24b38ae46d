//! Our registration at a provider: each method has what it needs, and nothing that it does not.

use super::*;
use oidc_proxy_wasm::config::{Client, ClientAuthentication as By};
use oidc_proxy_wasm::words::Algorithm;

const AT: &str = "/providers/main/client";
const SECRET: &str = "cR6yW3zH5jP0sDaE9fK2mQ7xT4vB8nL1";

fn key() -> Value {
    json!({ "kty": "EC", "crv": "P-256", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI" })
}

fn with_client(members: Value) -> Value {
    let mut client = json!({ "client_id": "shop" });
    client.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    with(shop(), AT, client)
}

fn client(members: Value) -> Client {
    loaded(&with_client(members)).providers[0].client.clone()
}

/// The first client refuses the load with a sentence, the second loads.
#[track_caller]
fn mended(wrong: Value, sentence: &str, right: Value) {
    let found = problem(&with_client(wrong));
    assert!(
        found.starts_with("providers.main.client") && found.contains(sentence),
        "found  {found}\nneeded {sentence}"
    );
    assert!(!found.contains(SECRET) && !found.contains("jpsQ"), "{found}");
    client(right);
}

#[test]
fn each_method_is_read_and_other_endpoints_follow_the_token_endpoint() {
    let methods = [
        ("client_secret_basic", By::Basic),
        ("client_secret_post", By::Post),
        ("client_secret_jwt", By::SecretJwt),
        ("private_key_jwt", By::PrivateKeyJwt),
        ("tls_client_auth", By::Tls),
        ("self_signed_tls_client_auth", By::SelfSignedTls),
        ("none", By::None),
    ];
    for (name, method) in methods {
        let mut members = json!({ "token_endpoint_auth_method": name });
        if method.needs_secret() {
            members["client_secret"] = json!(SECRET);
        }
        if method == By::PrivateKeyJwt {
            members["jwk"] = key();
        }
        assert_eq!(method.name(), name);
        assert_eq!(client(members).authentications(), [method; 3]);
    }
    let own = client(json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwk": key(), "client_secret": SECRET,
        "introspection_endpoint_auth_method": "client_secret_jwt", "revocation_endpoint_auth_method": "none",
    }));
    assert_eq!(own.authentications(), [By::PrivateKeyJwt, By::SecretJwt, By::None]);
}

#[test]
fn a_method_has_what_it_signs_with_and_nothing_that_it_does_not_use() {
    let by_key = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwk": key() });
    let extended = |base: &Value, name: &str, value: Value| {
        let mut members = base.clone();
        members[name] = value;
        members
    };
    let by_secret = json!({ "client_secret": SECRET });
    mended(json!({ "token_endpoint_auth_method": "private_key_jwt" }), "client.jwk: is missing", by_key.clone());
    mended(
        json!({ "token_endpoint_auth_method": "client_secret_jwt" }),
        "client.client_secret: is missing: client_secret_jwt signs with it",
        json!({ "token_endpoint_auth_method": "client_secret_jwt", "client_secret": SECRET }),
    );
    mended(extended(&by_key, "client_secret", json!(SECRET)), "client.client_secret: is of no use", by_key.clone());
    mended(
        json!({ "token_endpoint_auth_method": "tls_client_auth", "client_secret": SECRET }),
        "is of no use: tls_client_auth sends none",
        json!({ "token_endpoint_auth_method": "tls_client_auth" }),
    );
    mended(extended(&by_secret, "jwk", key()), "client.jwk: is of no use", by_secret.clone());
    mended(extended(&by_secret, "jwks", json!([key()])), "client.jwks: is of no use", by_secret.clone());
    mended(extended(&by_key, "jwks", json!([key()])), "client.jwks: stands beside jwk", by_key.clone());
    mended(
        extended(&by_key, "introspection_endpoint_auth_method", json!("client_secret_post")),
        "client.client_secret: is missing",
        by_key.clone(),
    );
    // What checks HS256 signatures is of use.
    let checked = with(
        with_client(extended(&by_key, "client_secret", json!(SECRET))),
        "/providers/main/signing_algs",
        json!(["HS256"]),
    );
    loaded(&checked);
}

#[test]
fn what_is_signed_by_belongs_to_who_signs() {
    let alg = |mut members: Value, alg: &str| {
        members["token_endpoint_auth_signing_alg"] = json!(alg);
        members
    };
    let by_key = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwk": key() });
    let by_secret = json!({ "token_endpoint_auth_method": "client_secret_jwt", "client_secret": SECRET });
    mended(alg(by_key.clone(), "HS256"), "HS256 is for client_secret_jwt alone", alg(by_key.clone(), "ES256"));
    mended(
        alg(by_secret.clone(), "ES256"),
        "ES256 is for private_key_jwt and signed_secret alone",
        alg(by_secret.clone(), "HS256"),
    );
    mended(alg(by_secret.clone(), "HS384"), "client_secret: 32 bytes, needs 48 for HS384", by_secret.clone());
    mended(
        json!({ "token_endpoint_auth_method": "client_secret_jwt", "client_secret": "short" }),
        "client_secret: 5 bytes, needs 32 for HS256",
        by_secret,
    );
    assert_eq!(client(alg(by_key, "ES256")).signing_alg, Some(Algorithm::Es256));
    let plain = json!({ "client_secret": SECRET });
    for name in ["assertion_audience", "assertion_typ"] {
        let mut members = plain.clone();
        members[name] = json!("JWT");
        mended(members, "is for private_key_jwt and client_secret_jwt", plain.clone());
    }
}

#[test]
fn a_secret_that_we_sign_is_sent_in_the_body_and_is_the_only_one() {
    let apple = json!({
        "token_endpoint_auth_method": "client_secret_post", "jwk": key(), "signed_secret": { "issuer": "TEAM" },
    });
    let changed = |name: &str, value: Option<Value>| {
        let mut members = apple.clone();
        match value {
            Some(value) => members[name] = value,
            None => drop(members.as_object_mut().unwrap().remove(name)),
        }
        members
    };
    mended(
        changed("token_endpoint_auth_method", None),
        "signed_secret: is sent as it stands, in the body",
        apple.clone(),
    );
    mended(changed("client_secret", Some(json!(SECRET))), "client_secret: contradicts signed_secret", apple.clone());
    mended(changed("jwk", None), "jwk: is missing: signed_secret is signed with it", apple.clone());
    mended(
        changed("signed_secret", Some(json!({ "audience": "https://a" }))),
        "signed_secret.issuer: is missing",
        apple.clone(),
    );
    let signed = client(apple.clone()).signed_secret.unwrap();
    assert_eq!((signed.issuer.as_str(), signed.audience.as_str()), ("TEAM", "https://appleid.apple.com"));
}

#[test]
fn a_key_is_an_object_or_text_or_in_a_variable() {
    let by = |jwk: Value| json!({ "token_endpoint_auth_method": "private_key_jwt", "jwk": jwk });
    let text = |jwk: Value| client(by(jwk)).keys.remove(0).text.expose_text().unwrap().to_owned();
    assert_eq!(text(key()), key().to_string());
    assert_eq!(text(json!("-----BEGIN PRIVATE KEY-----\nAA==\n")), "-----BEGIN PRIVATE KEY-----\nAA==\n");
    // As it stands: whether it is a key is seen when it is read.
    assert_eq!(text(json!({ "env": "WITH_LINE_BREAK" })), "9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDaE\n");
    for (wrong, sentence) in [
        (json!({ "env": "NOT_THERE" }), "the variable NOT_THERE is not set"),
        (json!({ "env": 5 }), "needs { env: NAME }"),
        (json!({ "env": "EMPTY" }), "the variable EMPTY is empty"),
        (json!(5), "found a number, needs an object"),
    ] {
        mended(by(wrong), sentence, by(key()));
    }
    let several = client(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": [key(), "two"] }));
    assert_eq!(several.keys.iter().map(|key| key.place.as_str()).collect::<Vec<_>>(), ["jwks[0]", "jwks[1]"]);
    assert!(!format!("{several:?}").contains("jpsQ"));
}

#[test]
fn the_path_of_our_keys_means_nothing_else() {
    let by_key = with_client(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwk": key() }));
    let at = "/providers/main/jwks_path";
    for (wrong, sentence) in [
        ("/oauth/callback", "jwks_path: means something else in rules[1]"),
        ("/oauth/session", "jwks_path: means something else in rules[1]"),
        ("/out", "jwks_path: means something else in rules[1]"),
        ("/oauth/operator", "jwks_path: is that of operator.path"),
        ("/a/../b", "jwks_path: "),
        ("/a?b", "jwks_path: is a path alone"),
    ] {
        let config = with(by_key.clone(), "/rules/1/session_info_path", json!("/oauth/session"));
        let config = with(config, "/rules/1/logout", json!({ "path": "/out" }));
        let operator =
            json!({ "path": "/oauth/operator", "token": { "audience": ["x"] }, "require": { "scope": ["x"] } });
        twins_in(with(config, "/operator", operator), at, json!(wrong), sentence, json!("/oauth/jwks"));
    }
    let found = problem(&with(shop(), at, json!("/oauth/jwks")));
    assert!(found.contains("jwks_path: has no key to show"), "{found}");
    let mut two = with(by_key, at, json!("/oauth/jwks"));
    two["providers"]["other"] = two["providers"]["main"].clone();
    two["rules"][1]["provider"] = json!("main");
    let found = problem(&two);
    assert!(found.contains("providers.other.jwks_path: is that of providers.main"), "{found}");
    loaded(&with(two, "/providers/other/jwks_path", json!("/oauth/other")));
}

/// C31 (RFC 9700 §4.4.2): several clients at one provider are several entries with one issuer; each has a callback of its own.
#[test]
fn two_clients_of_one_provider_have_callbacks_of_their_own() {
    let mut two = shop();
    two["providers"]["admin"] = with(two["providers"]["main"].clone(), "/client/client_id", json!("admin"));
    two["rules"][1]["provider"] = json!("main");
    let rule = json!({
        "name": "admin", "match": { "host": "shop.example.com", "path_prefix": "/admin" }, "provider": "admin",
        "login": { "redirect_uri": "https://shop.example.com/oauth/callback" },
    });
    two["rules"].as_array_mut().unwrap().insert(1, rule);
    let own = json!("https://shop.example.com/admin/callback");
    let shared = json!("https://shop.example.com/oauth/callback");
    twins_in(two, "/rules/1/login/redirect_uri", shared, "logs in at another provider: give each its own path", own);
}

/// An alias that the operator wrote down is reached as any endpoint is (RFC 8705 §5).
#[test]
fn inline_aliases_have_their_form_and_a_cluster() {
    let mut config = with_client(json!({ "token_endpoint_auth_method": "tls_client_auth" }));
    config["providers"]["main"].as_object_mut().unwrap().remove("cluster");
    let config = with(config, "/providers/main/clusters", json!({ "idp.example.com": "idp" }));
    let at = "/providers/main/metadata";
    let aliases = |url: &str| json!({ "mtls_endpoint_aliases": { "token_endpoint": url } });
    let right = aliases("https://idp.example.com/mtls/token");
    twins_in(
        config.clone(),
        at,
        aliases("https://mtls.example.com/token"),
        "no cluster for mtls.example.com",
        right.clone(),
    );
    twins_in(config.clone(), at, aliases("http://idp.example.com/token"), "is http", right.clone());
    twins_in(config, at, json!({ "mtls_endpoint_aliases": [] }), "needs an object of URLs", right);
}
