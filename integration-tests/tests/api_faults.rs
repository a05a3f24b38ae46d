//! A provider that is down, slow or lying when it is asked about access tokens: callers it has spoken for go on, the others
//! get a clear answer, and all is well as soon as it is.

use std::time::{Duration, Instant};

use integration_tests::api::{self, passed, refused, told, verdict, with_token};
use integration_tests::client::get;
use integration_tests::hostile::{Endpoint, Hostile, Trick};
use integration_tests::random_hex;
use integration_tests::shop::Shop;
use integration_tests::signer::Signer;
use serde_json::json;

/// An API whose provider is given half a second.
async fn api() -> Shop {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    api::open(idp, |filter| filter["providers"]["main"]["timeout"] = json!("500ms"), |setup| setup).await
}

/// Asks until the gate gives this verdict.
async fn until_verdict(api: &Shop, path: &str, token: &str, wanted: (u16, Option<String>), patience: Duration) {
    let since = Instant::now();
    loop {
        let found = verdict(api.envoy.port, path, token).await;
        if found == wanted {
            return;
        }
        assert!(since.elapsed() < patience, "{path}: {found:?} and not {wanted:?} after {patience:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Enough requests over connections of their own that both workers have answered some.
async fn both_workers(api: &Shop, path: &str, token: &str) {
    for _ in 0..12 {
        assert_eq!(verdict(api.envoy.port, path, token).await, passed());
    }
}

fn answer(status: u16, content_type: &'static str, body: &str) -> Trick {
    Trick::Answer(status, content_type, body.into())
}

// I06, I07, I08, V01 to V04: W10, and tokens that are known go on working.
#[tokio::test(flavor = "multi_thread")]
async fn at_the_introspection_endpoint() {
    let api = api().await;
    let known = api.idp.opaque_token(|_| {});
    both_workers(&api, "/opaque", &known).await;
    let json = "application/json";
    let cases = [
        ("is slow", Trick::Stall, "introspection_unavailable"),
        ("stops halfway", Trick::StallMidway, "introspection_unavailable"),
        ("breaks off", Trick::CutOff, "introspection_unavailable"),
        ("resets", Trick::Reset, "introspection_unavailable"),
        ("is huge", Trick::Flood(20_000_000), "introspection_unavailable"),
        ("fails", answer(500, "text/plain", "oops"), "introspection_unavailable"),
        ("is overloaded", answer(503, "text/plain", "later"), "introspection_unavailable"),
        ("has enough", answer(429, "text/plain", "later"), "introspection_unavailable"),
        ("refuses us", answer(401, json, r#"{"error":"invalid_client"}"#), "introspection_refused"),
        ("forbids us", answer(403, json, "{}"), "introspection_refused"),
        ("is HTML", answer(200, "text/html", "<p>active</p>"), "introspection_invalid"),
        ("is text", answer(200, "text/plain", r#"{"active":true}"#), "introspection_invalid"),
        ("is truncated", answer(200, json, r#"{"active":true"#), "introspection_invalid"),
        ("is a list", answer(200, json, r#"[{"active":true}]"#), "introspection_invalid"),
        ("is null", answer(200, json, "null"), "introspection_invalid"),
        ("is empty", answer(200, json, ""), "introspection_invalid"),
        ("is twofold", answer(200, json, r#"{"active":false,"active":true}"#), "introspection_invalid"),
        ("redirects", Trick::Redirect("http://127.0.0.1:1/".into()), "introspection_invalid"),
    ];
    for (what, trick, code) in cases {
        let new = api.idp.opaque_token(|_| {});
        api.idp.play(Endpoint::Introspection, trick);
        let asked = api.idp.count(Endpoint::Introspection);
        let found = loop {
            let found = with_token(api.envoy.port, "/opaque", &new).send().await;
            if api.idp.count(Endpoint::Introspection) > asked {
                break found;
            }
            // That worker still leaves the provider alone after what came before.
            assert_eq!(found.status, 503, "{what}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        assert_eq!(told(&found), refused(503, code), "{what}");
        assert_eq!(found.header("retry-after"), Some("5"), "{what}");
        assert_eq!(found.header("www-authenticate"), None, "{what}: it is nothing that the caller could mend");
        assert_eq!(api.idp.count(Endpoint::Introspection), asked + 1, "{what}");
        both_workers(&api, "/opaque", &known).await;
        api.idp.repent();
        until_verdict(&api, "/opaque", &new, passed(), Duration::from_secs(5)).await;
        // The other worker may be in its pause after the failure, or know nothing of it.
        until_both(&api, || ("/opaque", api.idp.opaque_token(|_| {}))).await;
    }
    let seen = api.upstream.seen().len();
    assert_eq!(verdict(api.envoy.port, "/opaque", "never-issued").await, refused(401, "access_token_inactive"));
    assert_eq!(api.upstream.seen().len(), seen);
}

/// Waits until neither worker leaves the provider alone any more: with a token each time that nobody has seen.
async fn until_both(api: &Shop, new: impl Fn() -> (&'static str, String)) {
    let since = Instant::now();
    let mut good = 0;
    while good < 8 {
        let (path, token) = new();
        good = if verdict(api.envoy.port, path, &token).await == passed() { good + 1 } else { 0 };
        assert!(since.elapsed() < Duration::from_secs(8), "not both workers are well again");
    }
}

// I01, I02, I03, I04, I21: each by a signed-in API, with the one answer that is good.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_introspection_answer() {
    type Lie = fn(&mut serde_json::Value);
    let cases: [(&str, Lie, u16, &str); 14] = [
        ("active as text", |answer| answer["active"] = json!("true"), 401, "access_token_inactive"),
        ("active as number", |answer| answer["active"] = json!(1), 401, "access_token_inactive"),
        ("active null", |answer| answer["active"] = json!(null), 401, "access_token_inactive"),
        ("active in a list", |answer| answer["active"] = json!([true]), 401, "access_token_inactive"),
        ("not active", |answer| drop(answer.as_object_mut().unwrap().remove("active")), 401, "access_token_inactive"),
        ("expired", |answer| answer["exp"] = json!(1_000_000_000), 401, "access_token_expired"),
        ("exp as text", |answer| answer["exp"] = json!("9999999999"), 503, "introspection_invalid"),
        ("too early", |answer| answer["nbf"] = json!(9_000_000_000_u64), 401, "access_token_not_yet_valid"),
        ("another issuer", |answer| answer["iss"] = json!("https://evil.example"), 401, "access_token_issuer"),
        ("another audience", |answer| answer["aud"] = json!("https://other.example"), 401, "access_token_audience"),
        ("no audience", |answer| drop(answer.as_object_mut().unwrap().remove("aud")), 401, "access_token_audience"),
        ("bound", |answer| answer["cnf"] = json!({ "jkt": "x" }), 401, "binding_unsupported"),
        ("DPoP", |answer| answer["token_type"] = json!("DPoP"), 401, "binding_unsupported"),
        ("scope as number", |answer| answer["scope"] = json!(5), 503, "introspection_invalid"),
    ];
    let api = api().await;
    for (what, lie, status, code) in cases {
        let token = api.idp.opaque_token(lie);
        assert_eq!(verdict(api.envoy.port, "/opaque", &token).await, refused(status, code), "{what}");
        let honest = api.idp.opaque_token(|_| {});
        assert_eq!(verdict(api.envoy.port, "/opaque", &honest).await, passed(), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_slows_nobody_else() {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    let api = api::open(idp, |filter| filter["providers"]["main"]["timeout"] = json!("10s"), |setup| setup).await;
    let (known, jwt) = (api.idp.opaque_token(|_| {}), api.idp.access_token(|_| {}));
    both_workers(&api, "/opaque", &known).await;
    both_workers(&api, "/jwt", &jwt).await;
    let new = api.idp.opaque_token(|_| {});
    api.idp.play(Endpoint::Introspection, Trick::Late(Duration::from_secs(5)));
    let (port, waiting) = (api.envoy.port, Instant::now());
    let slow: Vec<_> = (0..20)
        .map(|_| {
            let new = new.clone();
            tokio::spawn(async move { verdict(port, "/opaque", &new).await })
        })
        .collect();
    api.asked(Endpoint::Introspection, 2).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let others = [with_token(port, "/opaque", &known), with_token(port, "/jwt", &jwt), get(port, "/public")];
        for other in others {
            let sent = Instant::now();
            assert_eq!(other.send().await.status, 200);
            slowest = slowest.max(sent.elapsed());
        }
    }
    assert!(waiting.elapsed() < Duration::from_secs(5), "the measurement took longer than the provider");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    for request in slow {
        assert_eq!(request.await.unwrap(), passed());
    }
}

// I12
#[tokio::test(flavor = "multi_thread")]
async fn many_requests_with_one_new_token_ask_once_a_worker() {
    let api = api().await;
    let warm = api.idp.opaque_token(|_| {});
    both_workers(&api, "/opaque", &warm).await;
    let before = api.idp.count(Endpoint::Introspection);
    let new = api.idp.opaque_token(|_| {});
    api.idp.play(Endpoint::Introspection, Trick::Late(Duration::from_millis(300)));
    let port = api.envoy.port;
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let new = new.clone();
            tokio::spawn(async move { verdict(port, "/opaque", &new).await })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), passed());
    }
    let calls = api.idp.count(Endpoint::Introspection) - before;
    assert!((1..=2).contains(&calls), "{calls} calls for one token and two workers");
}

/// What one worker was told, good or bad, the other knows.
#[tokio::test(flavor = "multi_thread")]
async fn workers_share_what_they_were_told() {
    let api = api().await;
    let token = api.idp.opaque_token(|_| {});
    both_workers(&api, "/opaque", &token).await;
    assert_eq!(api.idp.count(Endpoint::Introspection), 1);
    for _ in 0..12 {
        assert_eq!(verdict(api.envoy.port, "/opaque", "never-issued").await, refused(401, "access_token_inactive"));
    }
    assert_eq!(api.idp.count(Endpoint::Introspection), 2);
    for _ in 0..12 {
        let person = "a-token-for-userinfo";
        assert_eq!(verdict(api.envoy.port, "/person", person).await, passed());
    }
    assert_eq!(api.idp.count(Endpoint::Userinfo), 1);
}

// I06, I16 at userinfo: an answer that is none is never the caller's 401.
#[tokio::test(flavor = "multi_thread")]
async fn at_the_userinfo_endpoint() {
    let api = api().await;
    let json = "application/json";
    let cases = [
        ("is slow", Trick::Stall, 503, "userinfo_unavailable"),
        ("resets", Trick::Reset, 503, "userinfo_unavailable"),
        ("is overloaded", answer(503, "text/plain", "later"), 503, "userinfo_unavailable"),
        ("refuses the token", answer(401, json, r#"{"error":"invalid_token"}"#), 401, "access_token_inactive"),
    ];
    for (number, (what, trick, status, code)) in cases.into_iter().enumerate() {
        api.idp.play(Endpoint::Userinfo, trick);
        let token = format!("a-token-{number}");
        let asked = api.idp.count(Endpoint::Userinfo);
        let found = loop {
            let found = verdict(api.envoy.port, "/person", &token).await;
            if api.idp.count(Endpoint::Userinfo) > asked {
                break found;
            }
            // That worker still leaves the provider alone after what came before.
            assert_eq!(found, refused(503, "userinfo_unavailable"), "{what}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        assert_eq!(found, refused(status, code), "{what}");
        api.idp.repent();
        until_both(&api, || ("/person", random_hex::<8>())).await;
    }
}

/// The endpoint is away before the gate has ever asked: it is found as soon as it is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_from_the_start_heals() {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    let (opaque, jwt) = (idp.opaque_token(|_| {}), idp.access_token(|_| {}));
    for endpoint in [Endpoint::Discovery, Endpoint::Introspection, Endpoint::Jwks] {
        idp.play(endpoint, Trick::Reset);
    }
    let api = api::open(idp, |_| {}, |setup| setup).await;
    for (path, token) in [("/opaque", &opaque), ("/jwt", &jwt), ("/both", &jwt)] {
        let found = with_token(api.envoy.port, path, token).send().await;
        assert_eq!(told(&found), refused(503, "discovery_unavailable"), "{path}");
        assert_eq!(found.header("retry-after"), Some("5"), "{path}");
    }
    assert_eq!(get(api.envoy.port, "/public").send().await.status, 200);
    api.idp.repent();
    for (path, token) in [("/opaque", &opaque), ("/jwt", &jwt), ("/both", &jwt)] {
        until_verdict(&api, path, token, passed(), Duration::from_secs(8)).await;
    }
}
