//! What operators see: a scrape of Envoy's admin pages by Prometheus.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use integration_tests::api::{self, passed, refused, verdict};
use integration_tests::client::get;
use integration_tests::hostile::Hostile;
use integration_tests::shop::Shop;
use integration_tests::signer::Signer;
use serde_json::json;

/// The samples of a scrape by their full name, labels included.
fn samples(scrape: &str) -> BTreeMap<&str, f64> {
    let lines = scrape.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect()
}

/// A scrape after Envoy has put its workers' histograms together, as it does every few seconds.
async fn whole_scrape(api: &Shop) -> String {
    let since = Instant::now();
    loop {
        let scrape = api.envoy.scrape().await;
        if samples(&scrape).get("oidc_call_milliseconds_introspection_count{}").is_some_and(|count| *count > 0.0) {
            return scrape;
        }
        assert!(since.elapsed() < Duration::from_secs(15), "no histogram: {scrape}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_sees_what_was_decided_and_what_it_took() {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    let change = |filter: &mut serde_json::Value| {
        api::change_rule(filter, "both", |rule| rule["mode"] = json!("report"));
        api::change_rule(filter, "jwt", |rule| rule["require"] = json!({ "scope": ["read"] }));
    };
    // One worker: what is fresh and what is remembered can be told apart.
    let api = api::open(idp, change, |setup| setup.workers(1)).await;
    let port = api.envoy.port;
    let (jwt, opaque) = (api.idp.access_token(|_| {}), api.idp.opaque_token(|_| {}));
    let weak = api.idp.access_token(|claims| claims["scope"] = json!("write"));
    for _ in 0..3 {
        assert_eq!(verdict(port, "/jwt", &jwt).await, passed());
        assert_eq!(verdict(port, "/opaque", &opaque).await, passed());
        assert_eq!(get(port, "/public").send().await.status, 200);
    }
    assert_eq!(verdict(port, "/jwt", &weak).await, refused(403, "scope_missing"));
    assert_eq!(verdict(port, "/opaque", "never-issued").await, refused(401, "access_token_inactive"));
    assert_eq!(get(port, "/nowhere").send().await.status, 404);
    assert_eq!(verdict(port, "/both", "never-issued").await, passed());

    let scrape = whole_scrape(&api).await;
    let samples = samples(&scrape);
    let expected = [
        // By rule, method, verdict and reason.
        ("oidc_rule_jwt_forwarded_bearer", 3.0),
        ("oidc_rule_jwt_answered_scope_missing", 1.0),
        ("oidc_rule_opaque_forwarded_introspection", 3.0),
        ("oidc_rule_opaque_answered_access_token_inactive", 1.0),
        ("oidc_rule_public_forwarded_anonymous", 3.0),
        ("oidc_rule_both_reported_access_token_inactive", 1.0),
        // Over all rules, and where there is none.
        ("oidc_forwarded_bearer", 3.0),
        ("oidc_answered_access_token_inactive", 1.0),
        ("oidc_answered_no_rule", 1.0),
        // What was remembered.
        ("oidc_tokens_verified", 2.0),
        ("oidc_tokens_cached", 2.0),
        ("oidc_introspection_cached", 3.0),
        // What providers were asked, and how long they took.
        ("oidc_calls_introspection", 2.0),
        ("oidc_call_milliseconds_introspection_count", 2.0),
        (r#"oidc_call_milliseconds_introspection_bucket{le="+Inf"}"#, 2.0),
    ];
    let found = |name: &str| {
        let bare = format!("{name}{{}}");
        samples.get(name).or_else(|| samples.get(bare.as_str())).copied()
    };
    for (name, value) in expected {
        let ours: Vec<_> = samples.iter().filter(|(name, _)| name.contains("oidc_")).collect();
        assert_eq!(found(name), Some(value), "{name} in {ours:#?}");
    }
    for secret in [&jwt, &opaque, &weak] {
        assert!(!scrape.contains(secret.as_str()), "a token among the statistics");
    }
}

/// E07: what strangers send makes no new counters.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_make_no_counters() {
    let api = api::open(Hostile::start_with(Signer::es256("first")).await, |_| {}, |setup| setup).await;
    let port = api.envoy.port;
    let names = || async { api.envoy.all_counted().await.into_keys().collect::<Vec<_>>() };
    let attack = |number: usize| async move {
        let path = format!("/opaque/{number}");
        assert_eq!(verdict(port, &path, &format!("token-{number}")).await, refused(401, "access_token_inactive"));
        assert_eq!(get(port, &format!("/nowhere/{number}")).send().await.status, 404);
    };
    attack(0).await;
    let before = names().await;
    for number in 1..50 {
        attack(number).await;
    }
    let after: Vec<_> =
        names().await.into_iter().filter(|name| !name.ends_with("_cached") && !before.contains(name)).collect();
    assert_eq!(after, Vec::<String>::new());
}
