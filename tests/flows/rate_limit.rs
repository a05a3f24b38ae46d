//! Callers who come too often, as they and the service see it (conformance W9, attacks A07 to A09).

use crate::support::*;
use Reason::*;
use oidc_proxy_wasm::world::Metric;

/// A shop with this limit on every rule that has an identity.
fn limited(limit: Value) -> Shop {
    Shop::with(move |config| config["defaults"]["rate_limit"] = limit)
}

fn two_a_second() -> Value {
    json!({ "default": 2, "per": "second" })
}

/// A shop that asks a service, which answers this.
fn served(service: Value, reply: Reply) -> Shop {
    let shop = limited(json!({ "service": service }));
    shop.idp.replies(Endpoint::RateLimit, reply);
    shop
}

fn service(on_failure: &str) -> Value {
    json!({ "cluster": "limits", "domain": "shop", "key": "user", "on_failure": on_failure })
}

/// A gRPC answer: one message, not compressed.
fn grpc(message: &[u8]) -> Reply {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    Reply::of(200, "application/grpc", [&[0][..], &length, message].concat())
}

/// `overall_code: OK`, 599 of 600 a minute left, for 12 s.
const GRANTED: &[u8] = b"\x08\x01\x12\x10\x08\x01\x12\x05\x08\xd8\x04\x10\x02\x18\xd7\x04\x22\x02\x08\x0c";
/// `overall_code: OVER_LIMIT`, for 12 s.
const REFUSED: &[u8] = b"\x08\x02\x12\x0d\x08\x02\x12\x05\x08\xd8\x04\x10\x02\x22\x02\x08\x0c";

/// W9: 429 with `Retry-After` and no challenge; when that has passed, so does the caller.
#[test]
fn who_comes_too_often_waits_as_long_as_it_is_told() {
    let shop = limited(two_a_second());
    let mut alice = shop.guest();
    let second = alice.get("/");
    second.assert_served_to("alice");
    assert_eq!(second.header("ratelimit-policy").as_deref(), Some(r#""shop";q=2;w=1"#));
    assert_eq!(second.header("ratelimit").as_deref(), Some(r#""shop";r=0;t=1"#));
    assert_eq!(second.header("retry-after"), None);
    let third = alice.get("/");
    assert_eq!((third.reason(), third.status()), (Some(RateLimited), 429));
    assert_eq!(third.header("retry-after").as_deref(), Some("1"));
    assert_eq!(third.header("ratelimit").as_deref(), Some(r#""shop";r=0;t=1"#));
    assert_eq!(third.header("www-authenticate"), None);
    assert!(third.body().contains("Too many requests"));
    assert_eq!(shop.script.counted(Metric::Limited), 1);
    shop.script.advance(1);
    alice.get("/").assert_served_to("alice");
}

#[test]
fn one_caller_s_haste_is_not_another_s() {
    let shop = limited(json!({ "default": 1, "per": "day" }));
    let mut alice = shop.guest();
    assert_eq!(alice.get("/").reason(), Some(RateLimited));
    shop.idp.logs_in("u-2", "bob");
    shop.guest();
    assert_eq!(alice.get("/").reason(), Some(RateLimited));
}

/// A session that was used keeps that, though its request is refused.
#[test]
fn a_refusal_does_not_cost_the_session_its_use() {
    let shop = limited(json!({ "default": 1, "per": "day" }));
    let mut alice = shop.guest();
    shop.script.advance(61);
    let refused = alice.get("/");
    assert_eq!(refused.reason(), Some(RateLimited));
    assert!(!refused.all("set-cookie").is_empty(), "the use is not written down");
    // The twin: one that passes writes it down as well.
    let free = Shop::new();
    let mut alice = free.guest();
    free.script.advance(61);
    assert!(!alice.get("/").all("set-cookie").is_empty());
}

#[test]
fn strangers_share_a_bucket_where_they_may_pass() {
    let shop = limited(two_a_second());
    let passed = |path: &str| (0..5).filter(|_| shop.decide(&background(path)).reason().is_none()).count();
    assert_eq!(passed("/maybe"), 2);
    assert_eq!(passed("/public"), 5, "a rule without identity has no limit");
    let refused = shop.decide(&background("/maybe"));
    assert_eq!((refused.reason(), refused.header("retry-after").as_deref()), (Some(RateLimited), Some("1")));
}

/// A07: a session that goes from worker to worker.
#[test]
fn two_workers_of_a_host_count_together() {
    let first = limited(json!({ "default": 10, "per": "hour" }));
    let second = first.worker();
    let mut here = first.guest();
    let mut there = here.at(&second);
    let passed = (0..30).filter(|turn| {
        let answer = if turn % 2 == 0 { here.get("/") } else { there.get("/") };
        answer.reason().is_none()
    });
    assert_eq!(passed.count(), 9, "the first was spent at login");
}

/// A08: what a claim says counts where it is a limit; A09: a claim that is not there gives no freedom.
#[test]
fn limits_come_from_claims() {
    let passes = |rpm: Value, by: &str| {
        let limit = json!({ "by": [by], "limit_claim": ["rpm"], "default": 3, "per": "hour" });
        let shop = limited(limit);
        shop.idp.claims(move |claims| claims["rpm"] = rpm.clone());
        let mut alice = shop.guest();
        1 + (0..20).filter(|_| alice.get("/").reason().is_none()).count()
    };
    assert_eq!(passes(json!(5), "sub"), 5);
    for wrong in [json!(0), json!(-5), json!("5"), json!(1e30), json!(2.5), json!(null)] {
        assert_eq!(passes(wrong.clone(), "sub"), 3, "{wrong}");
    }
    assert_eq!(passes(json!(5), "no_such_claim"), 5);
}

#[test]
fn the_service_is_asked_and_its_word_is_told() {
    let shop = served(service("deny"), grpc(GRANTED));
    let mut alice = shop.guest();
    let answer = alice.get("/");
    answer.assert_served_to("alice");
    assert_eq!(answer.header("ratelimit-policy").as_deref(), Some(r#""shop";q=600;w=60"#));
    assert_eq!(answer.header("ratelimit").as_deref(), Some(r#""shop";r=599;t=12"#));
    let asked = shop.script.asked().pop().unwrap();
    assert_eq!(asked.endpoint, Endpoint::RateLimit);
    assert_eq!(asked.path, "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit");
    let entry = b"\x0a\x04user\x12\x03u-1";
    assert!(asked.body.expose().windows(entry.len()).any(|bytes| bytes == entry));

    let shop = served(service("allow"), grpc(REFUSED));
    let refused = shop.browser().open("/");
    assert_eq!((refused.reason(), refused.status()), (Some(RateLimited), 429));
    assert_eq!(refused.header("retry-after").as_deref(), Some("12"));
    assert_eq!(refused.header("ratelimit").as_deref(), Some(r#""shop";r=0;t=12"#));
    assert!(shop.script.shared_keys().iter().all(|key| !key.contains("limit")), "nothing is counted here");
}

#[test]
fn a_service_that_fails_lets_pass_or_not_as_configured() {
    let error = Reply(Ok(oidc_proxy_wasm::world::ProviderResponse {
        status: 200,
        content_type: Some("application/grpc".to_owned()),
        grpc_status: Some("14".to_owned()),
        ..Default::default()
    }));
    let failures = [
        Reply::nothing(),
        Reply::failed(CallError::UnknownCluster),
        Reply::failed(CallError::Busy),
        Reply::failed(CallError::TooLarge),
        Reply::of(503, "text/plain", "no healthy upstream"),
        grpc(b""),
        grpc(b"\x08\x00"),
        grpc(b"\xff\xff"),
        grpc(&[0; 20_000]),
        error,
    ];
    for failure in failures {
        let closed = served(service("deny"), failure.clone());
        let refused = closed.browser().open("/");
        assert_eq!((refused.reason(), refused.status()), (Some(RateLimitUnavailable), 503), "{failure:?}");
        assert_eq!(refused.header("retry-after").as_deref(), Some("5"));
        let open = served(service("allow"), failure.clone());
        let answer = open.browser().open("/");
        answer.assert_served_to("alice");
        assert_eq!(answer.header("ratelimit"), None);
        assert!(open.script.lines().iter().any(|line| line.contains("passes uncounted rule=shop")), "{failure:?}");
        for shop in [closed, open] {
            assert_eq!(shop.script.counted(Metric::LimitFailed), 1, "{failure:?}");
            assert_eq!(shop.script.counted(Metric::CallsFailed(Endpoint::RateLimit)), 1, "{failure:?}");
        }
    }
}

/// A callback that goes on to the service is a request like others.
#[test]
fn a_callback_that_goes_on_counts_as_well() {
    let shop = Shop::with(|config| {
        config["defaults"]["login"]["action"] = json!("upstream");
        config["defaults"]["rate_limit"] = json!({ "default": 1, "per": "day" });
    });
    let mut alice = shop.browser();
    let callback = alice.until_callback("/");
    let answer = alice.send(&callback);
    answer.assert_served_to("alice");
    assert_eq!(answer.header("ratelimit").as_deref(), Some(r#""shop";r=0;t=86400"#));
    assert_eq!(alice.get("/").reason(), Some(RateLimited));
}
