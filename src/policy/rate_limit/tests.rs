//! Limits as callers meet them: over all workers of a host, by claims of all kinds, and under what attacks them.

use super::*;
use crate::config;
use crate::words::{ClaimPath, Method, Sources, json};
use crate::world::script::Script;
use crate::world::{Host, Version};
use serde_json::json;
use std::rc::Rc;

const RING: [&str; 2] = ["9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDaE", "vB8nL1cR6yW3zH5jP0sDaE9fK2mQ7xT4"];

/// A rule with this limit.
fn rule(name: &str, limit: &Value) -> Rule {
    let config = json!({
        "providers": { "main": {
            "issuer": "https://idp.example.com",
            "cluster": "idp",
            "client": { "client_id": "shop", "client_secret": RING[0] },
        } },
        "rules": [{
            "name": name,
            "match": { "host": "shop.example.com" },
            "login": { "redirect_uri": "https://shop.example.com/cb" },
            "rate_limit": limit,
        }],
        "session": { "secrets": [RING[0]] },
    });
    let loaded = config::load(config.to_string().as_bytes(), &|_| None);
    Rc::unwrap_or_clone(loaded.unwrap_or_else(|problems| panic!("{problems:?}")).rules.pop().unwrap())
}

fn per_minute(limit: u32) -> Rule {
    rule("api", &json!({ "default": limit, "per": "minute" }))
}

fn identity(claims: &Value) -> Identity {
    Identity {
        method: Method::Bearer,
        issuer: "https://idp.example.com".into(),
        subject: None,
        client: None,
        sources: Sources {
            access_token: Some(Rc::new(json::object(claims.to_string().as_bytes()).unwrap())),
            ..Sources::default()
        },
        scope: "".into(),
        access_token: None,
        id_token: None,
        consumer: None,
    }
}

fn person(sub: &str) -> Identity {
    identity(&json!({ "sub": sub }))
}

fn limiter() -> Limiter {
    Limiter::new(&[Secret::new(RING[0])])
}

fn take(limiter: &Limiter, script: &Script, rule: &Rule, caller: Option<&Identity>) -> Result<Vec<Field>, Refusal> {
    let limit = rule.rate_limit.as_ref().expect("a rule with a limit");
    script.run(limiter.take(&script.world(), rule, limit, caller)).expect("it waits for ever")
}

/// How many of `requests` pass.
fn passed(limiter: &Limiter, script: &Script, rule: &Rule, caller: Option<&Identity>, requests: usize) -> usize {
    (0..requests).filter(|_| take(limiter, script, rule, caller).is_ok()).count()
}

#[test]
fn what_is_left_is_told_and_so_is_when_to_come_again() {
    let (script, limiter, rule, alice) = (Script::new(), limiter(), per_minute(3), person("alice"));
    let field = |fields: &[(&str, String)], name| {
        fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    };
    let fields = take(&limiter, &script, &rule, Some(&alice)).unwrap();
    assert_eq!(field(&fields, "ratelimit-policy").as_deref(), Some(r#""api";q=3;w=60"#));
    assert_eq!(field(&fields, "ratelimit").as_deref(), Some(r#""api";r=2;t=20"#));
    assert_eq!(field(&fields, "retry-after"), None);
    assert_eq!(passed(&limiter, &script, &rule, Some(&alice), 5), 2);
    let refusal = take(&limiter, &script, &rule, Some(&alice)).unwrap_err();
    assert_eq!(refusal.reason, Reason::RateLimited);
    assert_eq!(field(refusal.headers(), "retry-after").as_deref(), Some("20"));
    assert_eq!(field(refusal.headers(), "ratelimit").as_deref(), Some(r#""api";r=0;t=20"#));
    assert_eq!(script.counted(Metric::Limited), 4);
    script.advance(19);
    assert_eq!(passed(&limiter, &script, &rule, Some(&alice), 1), 0);
    script.advance(1);
    assert_eq!(passed(&limiter, &script, &rule, Some(&alice), 2), 1);
}

#[test]
fn without_headers_only_the_refusal_says_when() {
    let (script, limiter) = (Script::new(), limiter());
    let rule = rule("api", &json!({ "default": 1, "per": "second", "headers": false }));
    assert_eq!(take(&limiter, &script, &rule, None).unwrap(), []);
    assert_eq!(take(&limiter, &script, &rule, None).unwrap_err().headers(), [("retry-after", "1".to_owned())]);
}

#[test]
fn each_rule_period_issuer_and_value_has_a_bucket() {
    let (script, limiter) = (Script::new(), limiter());
    let alice = person("alice");
    assert_eq!(passed(&limiter, &script, &per_minute(2), Some(&alice), 5), 2);
    assert_eq!(passed(&limiter, &script, &per_minute(2), Some(&person("bob")), 5), 2);
    let elsewhere = Identity { issuer: "https://other.example".into(), ..person("alice") };
    assert_eq!(passed(&limiter, &script, &per_minute(2), Some(&elsewhere), 5), 2);
    let other = rule("other", &json!({ "default": 2, "per": "minute" }));
    assert_eq!(passed(&limiter, &script, &other, Some(&alice), 5), 2);
    let hourly = rule("api", &json!({ "default": 2, "per": "hour" }));
    assert_eq!(passed(&limiter, &script, &hourly, Some(&alice), 5), 2);
    let client = Identity { client: Some("alice".into()), ..identity(&json!({})) };
    assert_eq!(passed(&limiter, &script, &per_minute(2), Some(&client), 5), 2);
}

/// A09: neither a missing claim nor one that names nobody is a way around the limit.
#[test]
fn who_cannot_be_told_apart_is_counted_with_the_others() {
    let alike = [
        json!({}),
        json!({ "org": null }),
        json!({ "org": "" }),
        json!({ "org": ["a"] }),
        json!({ "org": { "a": 1 } }),
    ];
    let rule = rule("api", &json!({ "by": ["org"], "default": 3, "per": "minute" }));
    let total = |callers: Vec<Identity>| {
        let (script, limiter) = (Script::new(), limiter());
        callers.iter().map(|caller| passed(&limiter, &script, &rule, Some(caller), 2)).sum::<usize>()
    };
    assert_eq!(total(alike.iter().map(identity).collect()), 3, "all of the rule have one bucket");
    let with_client = |client: &str| {
        let client: Rc<str> = client.into();
        alike.iter().map(identity).map(move |caller| Identity { client: Some(Rc::clone(&client)), ..caller })
    };
    assert_eq!(total(with_client("app").collect()), 3, "all of a client have one bucket");
    assert_eq!(total(with_client("app").chain(with_client("other")).collect()), 6);
    // The twin: a claim that names somebody.
    let named = [json!({ "org": "a" }), json!({ "org": "b" }), json!({ "org": 7 }), json!({ "org": true })];
    assert_eq!(total(named.iter().map(identity).collect()), 8);
}

#[test]
fn strangers_have_one_bucket_that_is_not_the_unnamed_s() {
    let (script, limiter, rule) = (Script::new(), limiter(), per_minute(2));
    assert_eq!(passed(&limiter, &script, &rule, None, 5), 2);
    assert_eq!(passed(&limiter, &script, &rule, Some(&identity(&json!({}))), 5), 2);
}

#[test]
fn a_session_from_before_the_limit_is_counted_by_its_subject() {
    let (script, limiter, rule) = (Script::new(), limiter(), per_minute(2));
    let session = |subject: &str| Identity { subject: Some(subject.into()), ..identity(&json!({})) };
    assert_eq!(passed(&limiter, &script, &rule, Some(&session("alice")), 5), 2);
    assert_eq!(passed(&limiter, &script, &rule, Some(&session("bob")), 5), 2);
    assert_eq!(passed(&limiter, &script, &rule, Some(&person("bob")), 5), 0);
}

/// A08: a limit that is none is the default, never none at all.
#[test]
fn a_claim_is_a_limit_where_it_is_a_whole_number_within_bounds() {
    let rule = rule("api", &json!({ "limit_claim": ["plan", "rpm"], "default": 2, "per": "minute" }));
    let limit = rule.rate_limit.as_ref().unwrap();
    let limit_of = |claim: &str| {
        let claims = format!(r#"{{"sub":"a","plan":{{"rpm":{claim}}}}}"#);
        let mut caller = person("a");
        caller.sources.access_token = Some(Rc::new(json::object(claims.as_bytes()).unwrap()));
        let asked = Asked { rule: &rule, limit, identity: Some(&caller), counts: Counts::Unnamed };
        asked.granted(limit.rate().unwrap())
    };
    for (claim, limit) in [("1", 1), ("5", 5), ("5.0", 5), ("5e0", 5), ("10000000", 10_000_000), ("1e7", 10_000_000)] {
        assert_eq!(limit_of(claim), limit, "{claim}");
    }
    let wrong = [
        "0",
        "-1",
        "-0.0",
        "1.5",
        "10000001",
        "1e30",
        "1e308",
        "18446744073709551615",
        "4294967297",
        "\"5\"",
        "\"\"",
        "null",
        "true",
        "[5]",
        "{}",
    ];
    for claim in wrong {
        assert_eq!(limit_of(claim), 2, "{claim}");
    }
    let (script, limiter) = (Script::new(), limiter());
    let gold = identity(&json!({ "sub": "gold", "plan": { "rpm": 5 } }));
    assert_eq!(passed(&limiter, &script, &rule, Some(&gold), 10), 5);
    assert_eq!(passed(&limiter, &script, &rule, Some(&person("plain")), 10), 2);
    let bent = identity(&json!({ "sub": "bent", "plan": { "rpm": -5 } }));
    assert_eq!(passed(&limiter, &script, &rule, Some(&bent), 10), 2);
}

#[test]
fn the_source_says_the_claims() {
    let rule = rule("api", &json!({ "source": "id_token", "limit_claim": ["rpm"], "default": 1, "per": "minute" }));
    let mut caller = identity(&json!({ "sub": "a", "rpm": 9 }));
    assert_eq!(passed(&limiter(), &Script::new(), &rule, Some(&caller), 20), 1);
    caller.sources.id_token = Some(Rc::new(json::object(br#"{"sub":"a","rpm":4}"#).unwrap()));
    assert_eq!(passed(&limiter(), &Script::new(), &rule, Some(&caller), 20), 4);
}

#[test]
fn a_burst_of_its_own() {
    let rule = rule("api", &json!({ "default": 600, "per": "minute", "burst": 4 }));
    let (script, limiter, alice) = (Script::new(), limiter(), person("alice"));
    assert_eq!(passed(&limiter, &script, &rule, Some(&alice), 50), 4);
    script.advance(1);
    assert_eq!(passed(&limiter, &script, &rule, Some(&alice), 50), 4, "ten came back, four have room");
}

/// A07: the workers of a host count together.
#[test]
fn two_workers_let_through_as_many_as_one() {
    let (script, one, two, rule, alice) = (Script::new(), limiter(), limiter(), per_minute(10), person("alice"));
    let round = || passed(&one, &script, &rule, Some(&alice), 1) + passed(&two, &script, &rule, Some(&alice), 1);
    assert_eq!((0..50).map(|_| round()).sum::<usize>(), 10);
    script.advance(6);
    assert_eq!((0..50).map(|_| round()).sum::<usize>(), 1);
}

/// A07: where nothing is shared, each worker keeps to the limit by itself.
#[test]
fn without_shared_data_the_factor_is_the_number_of_workers() {
    let script = Script::new().without_shared_data();
    let (one, two, rule, alice) = (limiter(), limiter(), per_minute(10), person("alice"));
    assert_eq!(passed(&one, &script, &rule, Some(&alice), 50), 10);
    assert_eq!(passed(&two, &script, &rule, Some(&alice), 50), 10);
    script.advance(6);
    assert_eq!(passed(&one, &script, &rule, Some(&alice), 50), 1);
}

#[test]
fn a_write_that_others_were_faster_with_is_tried_again() {
    let (script, one, two, rule, alice) = (Script::new(), limiter(), limiter(), per_minute(3), person("alice"));
    for limiter in [&one, &two, &one] {
        script.outrun(7);
        assert!(take(limiter, &script, &rule, Some(&alice)).is_ok());
    }
    assert_eq!(passed(&two, &script, &rule, Some(&alice), 5), 0, "each try that succeeded was counted");
}

/// A07: a worker that never gets to write counts by itself what it lets through, and what it let through before.
#[test]
fn a_worker_that_always_loses_keeps_to_the_limit_by_itself() {
    let (script, one, two, rule, alice) = (Script::new(), limiter(), limiter(), per_minute(10), person("alice"));
    let before = passed(&one, &script, &rule, Some(&alice), 4);
    script.outrun(u32::MAX);
    let alone = passed(&one, &script, &rule, Some(&alice), 50);
    assert_eq!((before, alone), (4, 6));
    assert_eq!(passed(&two, &script, &rule, Some(&alice), 50), 10, "two workers, twice the limit at worst");
}

/// E07: whoever comes, the host keeps a bounded table for us, and a worker another one.
#[test]
fn a_hundred_thousand_callers_stay_within_the_bound() {
    let (script, limiter, rule) = (Script::new(), limiter(), per_minute(1));
    for caller in 0..100_000 {
        assert!(take(&limiter, &script, &rule, Some(&person(&caller.to_string()))).is_ok());
    }
    assert_eq!(script.shared_keys().len(), 4096);
    assert!(script.shared_bytes() <= 4096 * 16 * 36, "{}", script.shared_bytes());
    assert!(limiter.0.own_are_bounded());
    let late =
        (99_000..100_000).filter(|caller| take(&limiter, &script, &rule, Some(&person(&caller.to_string()))).is_ok());
    assert_eq!(late.count(), 0, "whoever came last is known");
    // Full buckets make room: after a rest, slots that are used hold who uses them.
    script.advance(60);
    for caller in 0..30_000 {
        take(&limiter, &script, &rule, Some(&person(&format!("later {caller}")))).unwrap();
    }
    assert!(script.shared_bytes() <= 30_000 * 36 + 4096, "{}", script.shared_bytes());
}

/// Another module may write where we do: what is no table counts as none, and nothing worse comes of any of it.
#[test]
fn what_others_write_into_a_slot_is_replaced() {
    let (limiter, rule, alice) = (limiter(), per_minute(3), person("alice"));
    for forged in [&b""[..], b"x", &[0; 36], &[0xff; 36], &[0xff; 35], &[7; 36 * 16], &[7; 36 * 17], &[7; 100_000]] {
        let script = Script::new();
        let fresh = self::limiter();
        take(&limiter, &script, &rule, Some(&alice)).unwrap();
        let key = script.shared_keys().pop().unwrap();
        let (_, version) = script.shared(&key).unwrap();
        assert_ne!(version, Version::NEW);
        script.share(&key, forged, version).unwrap();
        assert_eq!(passed(&fresh, &script, &rule, Some(&alice), 9), 3, "{} bytes", forged.len());
        assert!(script.shared_bytes() <= 16 * 36);
    }
}

#[test]
fn a_clock_that_goes_back_locks_nobody_out() {
    let (script, limiter, rule, alice) = (Script::new(), limiter(), per_minute(60), person("alice"));
    assert_eq!(passed(&limiter, &script, &rule, Some(&alice), 100), 60);
    script.turn_back(86_400);
    assert_eq!(passed(&limiter, &script, &rule, Some(&alice), 100), 0, "and refills nothing");
    script.advance(2);
    assert_eq!(passed(&limiter, &script, &rule, Some(&alice), 100), 2);
}

#[test]
fn workers_with_the_same_secret_count_together_and_others_do_not_know_who_it_is() {
    let (script, rule, alice) = (Script::new(), per_minute(2), person("alice"));
    let rotated = Limiter::new(&[Secret::new(RING[1]), Secret::new(RING[0])]);
    let keyless = Limiter::new(&[]);
    for limiter in [&limiter(), &rotated, &keyless] {
        assert_eq!(passed(limiter, &script, &rule, Some(&alice), 5), 2);
    }
    assert_eq!(passed(&limiter(), &script, &rule, Some(&alice), 5), 0);
    let text = |key: &String| script.shared(key).map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned());
    assert!(script.shared_keys().iter().filter_map(text).all(|bytes| !bytes.contains("alice")));
}

#[test]
fn a_path_names_one_member_alone() {
    let path = |names: &[&str]| ClaimPath::new(names.iter().map(|name| (*name).to_owned()).collect()).unwrap();
    assert!(path(&["sub"]).is("sub") && !path(&["sub", "sub"]).is("sub") && !path(&["Sub"]).is("sub"));
}
