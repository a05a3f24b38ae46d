//! What is remembered, and how providers are asked about tokens.

use super::*;
use oidc_proxy_wasm::config::{IntrospectionForm, keys};
use oidc_proxy_wasm::words::Algorithm;
use std::time::Duration;

#[test]
fn every_cache_is_bounded_without_being_configured() {
    let cache = loaded(&shop()).cache;
    let seconds = Duration::from_secs;
    assert_eq!(
        (cache.keys.refetch, cache.keys.floor, cache.keys.ceiling),
        (seconds(30), seconds(300), seconds(86_400))
    );
    assert_eq!(cache.metadata_refresh, seconds(3600));
    assert_eq!((cache.tokens.entries, cache.tokens.max_age), (10_000, seconds(300)));
    assert_eq!((cache.introspection.entries, cache.introspection.max_age), (10_000, seconds(60)));
    assert_eq!((cache.userinfo.entries, cache.userinfo.max_age), (2_000, seconds(300)));
    assert_eq!(cache.negative, seconds(10));
}

#[test]
fn bounds_are_bounds() {
    assert!(keys::CACHE.keys.len() >= 5);
    for cache in ["tokens", "introspection", "userinfo"] {
        let entries = format!("/cache/{cache}/entries");
        for wrong in [json!(0), json!(1), json!(1_000_001)] {
            twins(&entries, wrong, "needs 2 to 1000000", json!(2));
        }
        twins(&entries, json!("10"), "needs a whole number", json!(10));
        let max_age = format!("/cache/{cache}/max_age");
        twins(&max_age, json!("2d"), "needs 0s to 1d", json!("0s"));
        twins(&max_age, json!(60), "needs a number and a unit", json!("60s"));
    }
    twins("/cache/introspection/negative", json!("25h"), "needs 0s to 1d", json!("1s"));
    assert!(problem(&with(shop(), "/cache/tokens/negative", json!("1s"))).contains("unknown key"));
    twins("/cache/keys/refetch", json!("0s"), "needs 1s to 1h", json!("1s"));
    twins("/cache/keys", json!({ "floor": "2h", "ceiling": "1h" }), "shorter than floor", json!({ "floor": "1h" }));
    twins("/cache/metadata/refresh", json!("0s"), "needs 1s", json!("1s"));
}

#[test]
fn an_accepted_issuer_has_one_placeholder_and_is_more_than_that() {
    let wrong = ["https://x/{tenant}/v2.0", "https://x/{tenantid}/{tenantid}", "https://*.example", "{tenantid}"];
    for wrong in wrong {
        let sentence = format!("accepted_issuers[0]: is {}", if wrong == "{tenantid}" { wrong } else { "compared" });
        twins("/providers/main/accepted_issuers", json!([wrong]), &sentence, json!(["https://x/{tenantid}/v2.0", "x"]));
    }
    twins("/providers/main/accepted_issuers", json!("x"), "needs a list", json!(["x"]));
}

#[test]
fn introspection_is_configured_without_contradictions() {
    for name in ["token", "client_id", "client_secret", "client_assertion", "client_assertion_type"] {
        let right = json!({ "token_type_hint": "x" });
        twins("/providers/main/introspection_params", json!({ name: "x" }), "is set by the flow", right);
    }
    twins("/providers/main/introspection_accept", json!("JWT"), "is not one of json, jwt", json!("jwt"));
    let provider = |config: &Value| loaded(config).providers.remove(0);
    assert_eq!(provider(&shop()).introspection_form, IntrospectionForm::Json);

    let registered = "/providers/main/client/introspection_signed_response_alg";
    let signed = with(shop(), "/providers/main/introspection_accept", json!("jwt"));
    twins_in(signed.clone(), registered, json!("HS256"), "HS256 is not among signing_algs", json!("PS256"));
    assert!(problem(&with(shop(), registered, json!("ES256"))).contains("say introspection_accept: jwt"));
    let provider = provider(&with(signed, registered, json!("ES256")));
    assert_eq!(provider.introspection_form, IntrospectionForm::Jwt);
    assert_eq!(provider.client.introspection_signed_response_alg, Some(Algorithm::Es256));
}

// D3: an endpoint that is known already must be reachable.
#[test]
fn the_introspection_endpoint_needs_a_cluster_and_a_right_name() {
    let metadata = |name: &str| json!({ name: "https://check.example.com/introspect" });
    let by_host = with(shop(), "/providers/main/cluster", Value::Null);
    let by_host = with(by_host, "/providers/main/clusters", json!({ "idp.example.com": "idp" }));
    let right = with(by_host.clone(), "/providers/main/clusters/check.example.com", json!("check"));
    let wrong = with(by_host, "/providers/main/metadata", metadata("introspection_endpoint"));
    assert!(problem(&wrong).contains("no cluster for check.example.com"));
    loaded(&with(right, "/providers/main/metadata", metadata("introspection_endpoint")));
    twins(
        "/providers/main/metadata",
        metadata("introspection_endpoints"),
        "nearest is \"introspection_endpoint\"",
        metadata("introspection_endpoint"),
    );
}
