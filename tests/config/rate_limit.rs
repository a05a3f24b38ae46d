//! How often callers may come, as it is written.

use super::*;
use oidc_proxy_wasm::config::{Counted, OnFailure, Period, RateLimit, Rule};
use oidc_proxy_wasm::words::Source;
use std::rc::Rc;
use std::time::Duration;

const AT: &str = "/rules/1/rate_limit";

fn rule(config: &Value) -> Rule {
    Rc::unwrap_or_clone(loaded(config).rules.pop().unwrap())
}

fn limit(value: Value) -> RateLimit {
    rule(&with(shop(), AT, value)).rate_limit.unwrap()
}

fn at(key: &str) -> String {
    format!("{AT}/{key}")
}

/// The shop with a limit, without and with a service.
fn limited() -> Value {
    with(shop(), AT, json!({ "default": 600, "per": "minute" }))
}

fn served() -> Value {
    with(shop(), AT, json!({ "service": { "cluster": "limits", "domain": "shop" } }))
}

#[test]
fn what_is_left_out_has_a_default() {
    assert!(rule(&shop()).rate_limit.is_none());
    let limit = limit(json!({ "default": 600, "per": "minute" }));
    assert!(limit.by.is("sub"));
    assert_eq!((limit.source, limit.headers), (Source::Any, true));
    let Counted::Here { rate, burst } = limit.counted else { panic!("{limit:?}") };
    assert_eq!((rate.default, rate.per, rate.claim, burst), (600, Period::Minute, None, None));
}

#[test]
fn a_limit_is_a_number_in_a_time() {
    twins(AT, json!({ "per": "minute" }), "rate_limit.default: is missing", json!({ "default": 1, "per": "minute" }));
    twins(AT, json!({ "default": 1 }), "rate_limit.per: is missing", json!({ "default": 1, "per": "day" }));
    assert_eq!(problem(&with(shop(), AT, json!("600/m"))), "rules[1].rate_limit: found text, needs an object");
    let both = load(&with(shop(), AT, json!({}))).unwrap_err();
    assert_eq!(both.len(), 2, "{both:?}");
    for wrong in [json!(0), json!(-1), json!(1.5), json!(10_000_001), json!(1e30), json!("600")] {
        let found = problem(&with(limited(), &at("default"), wrong.clone()));
        assert!(found.contains("1 to 10000000"), "{wrong}: {found}");
        let found = problem(&with(limited(), &at("burst"), wrong.clone()));
        assert!(found.contains("1 to 10000000"), "{wrong}: {found}");
    }
    for right in [json!(1), json!(600.0), json!(10_000_000)] {
        loaded(&with(limited(), &at("default"), right));
    }
    twins_in(limited(), &at("per"), json!("week"), "is not one of second, minute, hour, day", json!("second"));
    let periods = ["second", "minute", "hour", "day"].map(|per| limit(json!({ "default": 1, "per": per })));
    let seconds = periods.map(|limit| limit.rate().unwrap().per.as_secs());
    assert_eq!(seconds, [1, 60, 3600, 86_400]);
}

#[test]
fn claims_are_paths_and_are_kept_for_the_rule() {
    twins_in(limited(), &at("by"), json!("sub"), "write [\"sub\"]", json!(["sub"]));
    twins_in(limited(), &at("by"), json!([]), "is an empty list", json!(["org", "id"]));
    twins_in(limited(), &at("limit_claim"), json!("rpm"), "write [\"rpm\"]", json!(["plan", "rpm"]));
    twins_in(limited(), &at("source"), json!("token"), "is not one of", json!("access_token"));
    let claims = json!({ "by": ["org"], "limit_claim": ["plan", "rpm"], "default": 600, "per": "minute" });
    let read: Vec<String> = rule(&with(shop(), AT, claims)).claims_read().iter().map(ToString::to_string).collect();
    assert_eq!(read, ["org", "plan / rpm"]);
}

#[test]
fn a_service_may_know_its_limits_itself() {
    let Counted::ByService { service, rate } = rule(&served()).rate_limit.unwrap().counted else { panic!() };
    assert!(rate.is_none());
    assert_eq!((service.cluster.as_str(), service.authority.as_str()), ("limits", "ratelimit"));
    assert_eq!((service.domain.as_str(), service.key.as_str()), ("shop", "key"));
    assert_eq!((service.timeout, service.on_failure), (Duration::from_millis(200), OnFailure::Deny));
    // A limit from a claim needs one for those that have none.
    let wrong = problems_of(&with(served(), &at("limit_claim"), json!(["rpm"])));
    assert!(wrong.iter().all(|problem| problem.contains("is missing")) && wrong.len() == 2, "{wrong:?}");
    let whole = with(with(served(), &at("default"), json!(5)), &at("per"), json!("hour"));
    let limit = rule(&with(whole, &at("limit_claim"), json!(["rpm"]))).rate_limit.unwrap();
    assert_eq!(limit.rate().map(|rate| (rate.default, rate.per)), Some((5, Period::Hour)));
}

fn problems_of(config: &Value) -> Vec<String> {
    load(config).expect_err("loads")
}

#[test]
fn a_service_is_named_whole() {
    for key in ["cluster", "domain"] {
        let found = problem(&without(served(), &at(&format!("service/{key}"))));
        assert_eq!(found, format!("rules[1].rate_limit.service.{key}: is missing"));
    }
    let service = |key: &str| at(&format!("service/{key}"));
    twins_in(served(), &service("authority"), json!("http://x"), "is no host", json!("limits.example:8081"));
    twins_in(served(), &service("domain"), json!("a\u{e9}"), "visible ASCII", json!("shop"));
    twins_in(served(), &service("key"), json!("a\u{e9}"), "visible ASCII", json!("user"));
    twins_in(served(), &service("timeout"), json!("0s"), "1ms to 1m", json!("1ms"));
    twins_in(served(), &service("on_failure"), json!("open"), "is not one of allow, deny", json!("allow"));
    twins_in(served(), &at("burst"), json!(5), "contradicts service", json!(null));
}

#[test]
fn a_rule_that_looks_at_no_identity_has_no_limit() {
    let limit = json!({ "default": 1, "per": "minute" });
    let found = problem(&with(shop(), "/rules/0/rate_limit", limit.clone()));
    assert!(found.contains("rate_limit: contradicts allow: anonymous"), "{found}");
    let optional = with(shop(), "/rules/1/allow", json!("optional"));
    assert!(rule(&with(optional, AT, limit.clone())).rate_limit.is_some());
    // That of `defaults` is for those rules that have an identity.
    let config = loaded(&with(shop(), "/defaults/rate_limit", limit));
    let limits: Vec<bool> = config.rules.iter().map(|rule| rule.rate_limit.is_some()).collect();
    assert_eq!(limits, [false, true]);
}

#[test]
fn a_rule_s_limit_lies_over_that_of_the_defaults() {
    let config = with(shop(), "/defaults/rate_limit", json!({ "default": 600, "per": "minute", "burst": 5 }));
    let Counted::Here { rate, burst } =
        rule(&with(config.clone(), AT, json!({ "default": 7 }))).rate_limit.unwrap().counted
    else {
        panic!("counted elsewhere")
    };
    assert_eq!((rate.default, rate.per, burst), (7, Period::Minute, Some(5)));
    assert!(rule(&with(config, AT, json!(null))).rate_limit.is_none());
}
