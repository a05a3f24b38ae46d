//! Providers and our registration there.

use super::*;
use oidc_proxy_wasm::config::{ClientAuthentication, Discovery, Provider, ResponseMode};
use oidc_proxy_wasm::words::Algorithm;
use std::rc::Rc;
use std::time::Duration;

const SECRET: &str = "cR6yW3zH5jP0sDaE9fK2mQ7xT4vB8nL1";

fn provider(config: &Value) -> Provider {
    Rc::unwrap_or_clone(loaded(config).providers.remove(0))
}

fn discovered_at(config: &Value) -> String {
    match provider(config).discovery {
        Discovery::Fetched(url) => url.as_str().to_owned(),
        Discovery::Inline => "inline".into(),
    }
}

fn whole_metadata() -> Value {
    json!({
        "issuer": "https://idp.example.com/realms/main",
        "authorization_endpoint": "https://idp.example.com/authorize",
        "token_endpoint": "https://idp.example.com/token",
        "jwks_uri": "https://keys.example.com/jwks",
    })
}

#[test]
fn what_is_left_out_has_the_safe_default() {
    let provider = provider(&shop());
    assert_eq!(provider.issuer, "https://idp.example.com/realms/main");
    assert_eq!((provider.clock_skew, provider.timeout), (Duration::from_secs(30), Duration::from_secs(5)));
    assert!(!provider.allow_http && provider.jwks.is_none() && provider.metadata.is_empty());
    assert_eq!(provider.client.authentication, ClientAuthentication::Basic);
    assert_eq!(provider.response_mode, ResponseMode::Query);
    assert_eq!(provider.signing_algs.len(), 10);
    assert!(provider.signing_algs.iter().all(|algorithm| !algorithm.is_symmetric()));
}

#[test]
fn discovery_is_derived_from_the_issuer_unless_it_is_configured() {
    let derived = "https://idp.example.com/realms/main/.well-known/openid-configuration";
    assert_eq!(discovered_at(&shop()), derived);
    // OIDC Discovery §4.1: one slash at the end is taken away first; the issuer itself keeps it.
    let slash = with(shop(), "/providers/main/issuer", json!("https://idp.example.com/"));
    assert_eq!(discovered_at(&slash), "https://idp.example.com/.well-known/openid-configuration");
    assert_eq!(provider(&slash).issuer, "https://idp.example.com/");
    let configured = with(shop(), "/providers/main/discovery_url", json!("https://idp.example.com/d?x=1"));
    assert_eq!(discovered_at(&configured), "https://idp.example.com/d?x=1");
}

#[test]
fn an_issuer_has_its_form() {
    let wrong = [
        ("https://idp.example.com/.well-known/openid-configuration", "write https://idp.example.com, or"),
        ("https://idp.example.com/.well-known/oauth-authorization-server/x", "write it as discovery_url"),
        ("http://idp.example.com", "is http: write https"),
        ("idp.example.com", "is not an absolute URL"),
        ("https://idp.example.com/?tenant=1", "has a query"),
        ("https://idp.example.com/#", "has a fragment"),
        ("https://user:hunter2@idp.example.com", "has a user name"),
    ];
    for (issuer, sentence) in wrong {
        twins("/providers/main/issuer", json!(issuer), sentence, json!("https://idp.example.com"));
        let found = problem(&with(shop(), "/providers/main/issuer", json!(issuer)));
        assert!(found.starts_with("providers.main.issuer: ") && !found.contains("hunter2"), "{found}");
    }
}

#[test]
fn http_is_for_loopback_with_a_switch() {
    let open = with(shop(), "/providers/main/allow_http", json!(true));
    twins_in(
        open,
        "/providers/main/issuer",
        json!("http://idp.example.com"),
        "not loopback",
        json!("http://localhost:9000"),
    );
    let closed = with(shop(), "/providers/main/issuer", json!("http://localhost:9000"));
    twins_in(closed, "/providers/main/allow_http", json!(false), "is http: write https", json!(true));
}

#[test]
fn whole_metadata_needs_no_discovery() {
    let inline = with(shop(), "/providers/main/metadata", whole_metadata());
    assert_eq!(discovered_at(&inline), "inline");
    let part = without(inline.clone(), "/providers/main/metadata/jwks_uri");
    assert!(discovered_at(&part).starts_with("https://"));
    let keys = json!({ "keys": [{ "kty": "RSA", "n": "AQAB", "e": "AQAB" }] });
    assert_eq!(discovered_at(&with(part, "/providers/main/jwks", keys)), "inline");
    twins_in(
        inline.clone(),
        "/providers/main/metadata/issuer",
        json!("https://idp.example.com"),
        "metadata.issuer: is not the configured issuer",
        json!("https://idp.example.com/realms/main"),
    );
    // D02
    for wrong in ["http://idp.example.com/t", "/token", "javascript:1", "https://idp.example.com/#t"] {
        twins_in(
            inline.clone(),
            "/providers/main/metadata/token_endpoint",
            json!(wrong),
            "token_endpoint: ",
            json!("https://a/t"),
        );
    }
    let slip = with(inline.clone(), "/providers/main/metadata/userinfo_endpont", json!("https://idp.example.com/u"));
    assert!(problem(&slip).contains("nearest is \"userinfo_endpoint\""));
    let others = json!({ "registration_endpoint": "https://a/r", "revocation_endpoint": "https://a/v", "x_our": [1] });
    loaded(&with(shop(), "/providers/main/metadata", others));
    let userinfo = with(inline, "/rules/1/login/userinfo", json!(true));
    assert!(problem(&userinfo).starts_with("rules[1].login.userinfo: needs userinfo_endpoint"));
    loaded(&with(userinfo, "/providers/main/metadata/userinfo_endpoint", json!("https://idp.example.com/u")));
}

#[test]
fn inline_keys_are_public_keys() {
    let public = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ" }] });
    let private = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "d": "hunter2" }] });
    for (wrong, sentence) in [
        (private, "jwks.keys[0]: is a private or secret key"),
        (json!({ "keys": [] }), "jwks.keys: needs a list"),
        (json!({}), "jwks.keys: needs a list"),
        (json!({ "keys": ["x"] }), "jwks.keys[0]: is not an object"),
        (json!({ "keys": [{ "crv": "P-256" }] }), "jwks.keys[0]: has no kty"),
    ] {
        assert!(!problem(&with(shop(), "/providers/main/jwks", wrong.clone())).contains("hunter2"));
        twins("/providers/main/jwks", wrong, sentence, public.clone());
    }
}

#[test]
fn every_endpoint_that_is_known_has_a_cluster() {
    let without_any = without(shop(), "/providers/main/cluster");
    assert!(problem(&without_any).starts_with("providers.main.cluster: is missing"));
    twins("/providers/main/cluster", json!(""), "cluster: is empty", json!("idp"));
    let (other, own) = (json!({ "keys.example.com": "k" }), json!({ "IDP.example.com": "idp" }));
    let found = "providers.main.clusters: no cluster for idp.example.com: add `idp.example.com: NAME`";
    twins_in(without_any.clone(), "/providers/main/clusters", other, found, own.clone());
    twins_in(
        without_any.clone(),
        "/providers/main/clusters",
        json!({ "a/b": "x", "idp.example.com": "y" }),
        "is not a host",
        own,
    );
    let inline = with(without_any, "/providers/main/metadata", whole_metadata());
    let both = json!({ "idp.example.com": "idp", "keys.example.com": "keys" });
    let one = json!({ "idp.example.com": "idp" });
    twins_in(inline, "/providers/main/clusters", one, "no cluster for keys.example.com", both);
}

#[test]
fn a_secret_goes_with_its_method() {
    let client = |method: &str, secret: Value| {
        let mut client = json!({ "client_id": "shop", "token_endpoint_auth_method": method });
        client["client_secret"] = secret;
        client
    };
    let (none, some) = (json!(null), json!(SECRET));
    let at = "/providers/main/client";
    twins(
        at,
        client("none", some.clone()),
        "contradicts token_endpoint_auth_method: none",
        client("none", none.clone()),
    );
    for method in ["client_secret_basic", "client_secret_post"] {
        twins(
            at,
            client(method, none.clone()),
            "client_secret: is missing; a public client",
            client(method, some.clone()),
        );
    }
    twins(at, client("private_key", none), "\"private_key\" is not one of", client("client_secret_post", some));
}

/// Z12.
#[test]
fn variables_are_named_and_never_shown() {
    let at = "/providers/main/client/client_secret";
    for (wrong, sentence) in [
        (json!({ "env": "NOT_SET" }), "the variable NOT_SET is not set"),
        (json!({ "env": "EMPTY" }), "the variable EMPTY is empty"),
        (json!({ "env": "WITH_LINE_BREAK" }), "has a line break"),
        (json!({ "env": "${NAME}" }), "needs the name of a variable"),
        (json!({ "env": "" }), "needs { env: NAME }"),
        (json!({ "enf": "SESSION_KEY_1" }), "needs { env: NAME }"),
        (json!({ "env": "SESSION_KEY_1", "x": 1 }), "needs { env: NAME }"),
        (json!({ "env": ["SESSION_KEY_1"] }), "needs { env: NAME }"),
        (json!(""), "is empty"),
        (json!(" x"), "white space"),
        (json!(7), "found a number"),
    ] {
        assert!(!problem(&with(shop(), at, wrong.clone())).contains("9fK2"));
        twins(at, wrong, sentence, json!({ "env": "SHOP_CLIENT_SECRET" }));
    }
    assert!(!format!("{:?}", provider(&shop())).contains(SECRET));
}

/// Z04.
#[test]
fn algorithms_are_signatures_that_we_can_check() {
    for wrong in ["none", "RSA1_5", "PBES2-HS256+A128KW", "rs256", "ES256K", "dir"] {
        twins("/providers/main/signing_algs", json!([wrong]), "is not one of RS256", json!(["ES256"]));
    }
    twins("/providers/main/signing_algs", json!([]), "is an empty list", json!(["EdDSA", "Ed25519"]));
    let both = provider(&with(shop(), "/providers/main/signing_algs", json!(["Ed25519", "EdDSA", "RS256"])));
    assert_eq!(both.signing_algs, [Algorithm::EdDsa, Algorithm::Rs256]);
    let registered = "/providers/main/client/id_token_signed_response_alg";
    twins(registered, json!("HS256"), "HS256 is not among signing_algs", json!("PS256"));
}

/// Z04: HS256 with a public client, or with a secret shorter than the hash (RFC 7518 §3.2).
#[test]
fn hs_needs_a_secret_as_long_as_the_hash() {
    let listed = |algorithm: &str| with(shop(), "/providers/main/signing_algs", json!([algorithm]));
    let at = "/providers/main/client/client_secret";
    for (algorithm, length) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let (short, enough) = (json!("x".repeat(length - 1)), json!("x".repeat(length)));
        let sentence = format!("{} bytes, needs {length} for {algorithm}", length - 1);
        twins_in(listed(algorithm), at, short, &sentence, enough);
    }
    let public = json!({ "client_id": "shop", "token_endpoint_auth_method": "none" });
    let public = with(shop(), "/providers/main/client", public);
    twins_in(public, "/providers/main/signing_algs", json!(["HS256"]), "HS256 needs a client_secret", json!(["RS256"]));
}

#[test]
fn what_the_flow_sets_cannot_be_configured() {
    for name in ["client_id", "redirect_uri", "response_type", "state", "nonce", "code_challenge_method", "request_uri"]
    {
        let (wrong, right) = (json!({ name: "x" }), json!({ "audience": "x" }));
        twins("/providers/main/authorization_params", wrong, &format!("{name}: is set by the flow"), right);
    }
    let scope = json!({ "scope": "openid" });
    twins("/providers/main/authorization_params", scope, "use login.scope", json!({ "audience": "x" }));
    for name in ["grant_type", "code", "client_secret", "code_verifier"] {
        twins("/providers/main/token_params", json!({ name: "x" }), "is set by the flow", json!({ "resource": "x" }));
    }
    twins("/providers/main/token_params", json!({ "a": 1 }), "put it in quotes", json!({ "a": "1" }));
    twins("/providers/main/token_params", json!({ "": "1" }), "has an empty name", json!({ "a": "1" }));
}

/// H12.
#[test]
fn request_headers_are_no_headers_of_http() {
    for name in ["Host", "content-length", "Authorization", "cookie", ":path", "a b", "x-envoy-retry-on"] {
        twins("/providers/main/request_headers", json!({ name: "x" }), "request_headers", json!({ "X-Api-Key": "x" }));
    }
    twins("/providers/main/request_headers", json!({ "x-key": "ä" }), "not visible ASCII", json!({ "x-key": "a b" }));
    let headers =
        provider(&with(shop(), "/providers/main/request_headers", json!({ "X-Api-Key": { "env": "SESSION_KEY_1" } })));
    assert_eq!(headers.request_headers[0].0, "x-api-key");
}

#[test]
fn names_and_choices_are_known_words() {
    twins("/providers/main/response_mode", json!("form-post"), "nearest is \"form_post\"", json!("form_post"));
    twins("/providers/main/response_mode", json!("fragment"), "is not one of query, form_post", json!("query"));
    let odd = json!({ "my provider": shop()["providers"]["main"] });
    twins("/providers", odd, "a provider's name has", json!({ "my-provider": shop()["providers"]["main"] }));
    twins("/providers/main/trusted_audiences", json!([""]), "trusted_audiences[0]: is empty", json!([]));
}

/// Judging what others bring needs no registration; asking the provider, or sending people there, does.
#[test]
fn only_who_asks_the_provider_is_registered_there() {
    let api = |methods: Value| {
        json!({
            "providers": { "main": { "issuer": "https://idp.example.com", "cluster": "idp" } },
            "rules": [{ "name": "api", "methods": methods, "token": { "audience": "any" } }],
        })
    };
    let found = config::load(api(json!(["bearer"])).to_string().as_bytes(), &|_| None).unwrap();
    assert!(!found.providers[0].client.is_registered());
    let problems = config::load(api(json!(["bearer", "introspection"])).to_string().as_bytes(), &|_| None).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["providers.main.client: is missing: the rule \"api\" logs in or introspects there"]);
}
