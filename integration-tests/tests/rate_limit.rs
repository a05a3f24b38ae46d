//! How often callers may come: counted over the workers of one Envoy, and by a service for several.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use integration_tests::api::{self, passed, refused, told, with_token};
use integration_tests::client::Answer;
use integration_tests::hostile::Hostile;
use integration_tests::ratelimit::{self, RateLimit, Said};
use integration_tests::setup::Setup;
use integration_tests::shop::Shop;
use integration_tests::signer::Signer;
use serde_json::{Value, json};

/// An API with a limit at `/jwt`.
async fn api(limit: Value, refine: impl FnOnce(Setup) -> Setup) -> Shop {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    let change = |filter: &mut Value| api::change_rule(filter, "jwt", |rule| rule["rate_limit"] = limit);
    api::open(idp, change, refine).await
}

fn token_of(api: &Shop, person: &str) -> String {
    let person = person.to_owned();
    api.idp.access_token(move |claims| claims["sub"] = json!(person))
}

async fn ask(api: &Shop, token: &str) -> Answer {
    with_token(api.envoy.port, "/jwt", token).send().await
}

/// So many requests, eight at a time, each over a connection of its own; how often each verdict came.
async fn crowd(api: &Shop, token: &str, requests: usize) -> BTreeMap<(u16, Option<String>), usize> {
    let mut verdicts = BTreeMap::new();
    for _ in 0..requests / 8 {
        let eight: Vec<_> = (0..8)
            .map(|_| {
                let ask = with_token(api.envoy.port, "/jwt", token);
                tokio::spawn(async move { told(&ask.send().await) })
            })
            .collect();
        for one in eight {
            *verdicts.entry(one.await.unwrap()).or_default() += 1;
        }
    }
    verdicts
}

// A07
#[tokio::test(flavor = "multi_thread")]
async fn two_workers_let_no_more_through_than_the_limit() {
    // One comes back each minute: nothing within this test.
    let api = api(json!({ "default": 60, "per": "hour" }), |setup| setup).await;
    let (one, other) = (token_of(&api, "one"), token_of(&api, "other"));
    let verdicts = crowd(&api, &one, 240).await;
    let expected = BTreeMap::from([(passed(), 60), (refused(429, "rate_limited"), 180)]);
    assert_eq!(verdicts, expected);
    // Everybody has a share of their own.
    assert_eq!(told(&ask(&api, &other).await), passed());
    assert_eq!(api.upstream.seen().len(), 61);
    // Those who were not let in before do not count.
    for _ in 0..3 {
        let expired = api.idp.access_token(|claims| {
            claims["sub"] = json!("third");
            claims["exp"] = json!(1_000_000_000);
        });
        assert_eq!(told(&ask(&api, &expired).await), refused(401, "access_token_expired"));
    }
    let third = ask(&api, &token_of(&api, "third")).await;
    assert_eq!(third.header("ratelimit"), Some(r#""jwt";r=59;t=60"#));
    let counted = api.envoy.all_counted().await;
    assert_eq!((counted["answered.rate_limited"], counted["rate_limit.limited"]), (180, 180));
}

// draft-ietf-httpapi-ratelimit-headers-10 §3, §4; RFC 6585 §4
#[tokio::test(flavor = "multi_thread")]
async fn callers_are_told_what_is_left_to_them() {
    let limit = json!({ "limit_claim": ["plan", "rpm"], "default": 2, "per": "minute" });
    let api = api(limit, |setup| setup).await;
    let token = token_of(&api, "one");
    for left in [1, 0] {
        let answer = ask(&api, &token).await;
        assert_eq!(told(&answer), passed());
        assert_eq!(answer.header("ratelimit-policy"), Some(r#""jwt";q=2;w=60"#));
        let said = answer.header("ratelimit").unwrap();
        assert!(said.starts_with(&format!(r#""jwt";r={left};t="#)), "{said}");
    }
    let answer = ask(&api, &token).await;
    assert_eq!(told(&answer), refused(429, "rate_limited"));
    assert_eq!(answer.header("ratelimit-policy"), Some(r#""jwt";q=2;w=60"#));
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert!(answer.header("ratelimit").unwrap().starts_with(r#""jwt";r=0;t="#));
    // The limit by a claim.
    let rich = api.idp.access_token(|claims| {
        claims["sub"] = json!("rich");
        claims["plan"] = json!({ "rpm": 100 });
    });
    assert_eq!(ask(&api, &rich).await.header("ratelimit-policy"), Some(r#""jwt";q=100;w=60"#));
}

/// Three a minute for every caller of the rule `jwt`, and no limit for one of them.
const LIMITS: &str = "
domain: shop
descriptors:
  - key: rule
    value: jwt
    descriptors:
      - key: caller
        rate_limit: { unit: hour, requests_per_unit: 3 }
      - key: caller
        value: free
        rate_limit: { unlimited: true }
";

fn service(on_failure: &str) -> Value {
    json!({ "service": {
        "cluster": "rate_limit", "domain": "shop", "key": "caller", "timeout": "2s", "on_failure": on_failure,
    }})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_service_counts_for_several_gates() {
    let Some(mut service_part) = RateLimit::start(LIMITS).await else { return };
    let port = service_part.port;
    let with_service = |setup: Setup| setup.cluster_http2("rate_limit", port);
    let closed = api(service("deny"), with_service).await;
    let open = api(service("allow"), with_service).await;

    // Two gates, one count; each has a provider and key of its own.
    let at = |api: &Shop| token_of(api, "one");
    assert_eq!(told(&ask(&closed, &at(&closed)).await), passed());
    let second = ask(&open, &at(&open)).await;
    assert_eq!(told(&second), passed());
    assert_eq!(second.header("ratelimit-policy"), Some(r#""jwt";q=3;w=3600"#));
    assert!(second.header("ratelimit").unwrap().starts_with(r#""jwt";r=1;t="#), "{second:?}");
    assert_eq!(told(&ask(&closed, &at(&closed)).await), passed());
    for api in [&open, &closed] {
        let answer = ask(api, &at(api)).await;
        assert_eq!(told(&answer), refused(429, "rate_limited"));
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3600).contains(&wait), "{wait}");
    }
    for _ in 0..6 {
        assert_eq!(told(&ask(&closed, &token_of(&closed, "free")).await), passed());
    }

    // A limit that the gate itself knows is sent along, and wins.
    let mut sent = service("deny");
    (sent["default"], sent["per"]) = (json!(5), json!("hour"));
    let sending = api(sent, with_service).await;
    let token = token_of(&sending, "two");
    for _ in 0..5 {
        assert_eq!(told(&ask(&sending, &token).await), passed());
    }
    assert_eq!(told(&ask(&sending, &token).await), refused(429, "rate_limited"));

    service_part.stop();
    let lost = ask(&closed, &token_of(&closed, "three")).await;
    assert_eq!(told(&lost), refused(503, "rate_limit_service_lost"));
    assert_eq!(lost.header("retry-after"), Some("5"));
    assert_eq!(told(&ask(&open, &token_of(&open, "three")).await), passed());
    assert_eq!(open.envoy.counted("rate_limit.failed").await, 1);
}

/// `code: OK`, in protobuf.
const GRANTED: [u8; 2] = [0x08, 0x01];

/// Whether the call went well is said in the trailers, after a message that may look good.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_in_its_trailers_has_failed() {
    let cases = [("0", passed()), ("13", refused(503, "rate_limit_service_lost"))];
    for (status, verdict) in cases {
        let port = ratelimit::scripted(Said { message: GRANTED.into(), status, after: Duration::ZERO }).await;
        let api = api(service("deny"), |setup| setup.cluster_http2("rate_limit", port)).await;
        assert_eq!(told(&ask(&api, &token_of(&api, "one")).await), verdict, "grpc-status {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_late_holds_nobody_up() {
    let slow = Said { message: GRANTED.into(), status: "0", after: Duration::from_secs(5) };
    let port = ratelimit::scripted(slow).await;
    let mut limit = service("allow");
    limit["service"]["timeout"] = json!("200ms");
    let api = api(limit, |setup| setup.cluster_http2("rate_limit", port)).await;
    let asked = Instant::now();
    assert_eq!(told(&ask(&api, &token_of(&api, "one")).await), passed());
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}
