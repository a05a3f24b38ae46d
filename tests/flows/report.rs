//! `mode: report`: a rule on trial (attack H14).

use crate::support::*;
use oidc_proxy_wasm::world::{Metric, Outcome};

fn shop(mode: &str, rule: Value) -> Shop {
    let mut rule = rule;
    rule["mode"] = json!(mode);
    Shop::api(rule)
}

fn reported(shop: &Shop, reason: Reason) -> u64 {
    shop.script.counted(Metric::Decided { rule: Some(3), outcome: Outcome::Reported(reason) })
}

/// H14: what the rule would stop passes as a stranger's, with nothing told of its sender, and is logged and counted.
#[test]
fn what_the_rule_would_stop_passes_as_a_stranger_s() {
    let require = json!({ "require": { "scope": ["admin"] } });
    let trial = shop("report", require.clone());
    let expired = trial.now().as_secs() - 60;
    for (request, reason) in [
        (background("/"), Reason::AccessTokenRequired),
        (background("/").bearer("x"), Reason::AccessTokenMalformed),
        (background("/").bearer("x").bearer("y"), Reason::CredentialRepeated),
        (background("/").bearer(&trial.idp.jwt(|claims| claims["exp"] = json!(expired))), Reason::AccessTokenExpired),
        (background("/").bearer(&trial.idp.jwt(|_| {})), Reason::ScopeMissing),
    ] {
        // Its twin: enforced, it is refused for this reason.
        let enforced = trial.reconfigured(|config| config["rules"][3]["mode"] = json!("enforce"));
        assert_eq!(enforced.decide(&request).reason(), Some(reason));
        let before = reported(&trial, reason);
        let forged = request.clone().with("x-user", "admin").with("X_Email", "a@b").with("x-other", "1");
        let answer = trial.decide(&forged);
        assert_eq!(answer.reason(), None);
        for name in ["x-user", "x-email", "X_Email"] {
            assert!(answer.service(name).is_empty(), "{name}");
        }
        assert_eq!(answer.service("x-other"), ["1"]);
        assert_eq!(answer.service("authorization").len(), request.headers.len() - 1);
        assert_eq!((answer.all("set-cookie").len(), answer.header("www-authenticate")), (0, None));
        assert_eq!(reported(&trial, reason), before + 1);
        let line = trial.script.lines().pop().unwrap();
        assert!(line.contains("let through, mode: report") && line.contains(reason.code()), "{line}");
    }
}

/// A good request is a good request.
#[test]
fn what_the_rule_lets_through_passes_as_its_sender_s() {
    let trial = shop("report", json!({}));
    let answer = trial.decide(&background("/").bearer(&trial.idp.jwt(|_| {})).with("x-user", "admin"));
    answer.assert_served_to("alice");
    assert!(answer.service("authorization").is_empty());
    assert_eq!(reported(&trial, Reason::AccessTokenRequired), 0);
}

/// Nobody is sent to log in by a rule on trial, and a login that there is counts.
#[test]
fn nobody_is_sent_to_log_in() {
    let login = Shop::new();
    let guest = login.guest();
    let cookie = guest.jar.field(login.now(), &get("/")).unwrap();
    let trial = login.reconfigured(|config| config["rules"][3]["mode"] = json!("report"));
    for request in [get("/"), background("/"), get("/").with("cookie", "__Host-oidc-x=1")] {
        let answer = trial.decide(&request);
        assert_eq!((answer.reason(), answer.location(), answer.service("x-user").len()), (None, None, 0));
    }
    trial.decide(&get("/").with("cookie", &cookie)).assert_served_to("alice");
    assert_eq!(login.decide(&get("/")).reason(), Some(Reason::LoginStarted));
}

/// Too weak an authentication neither, and too many requests pass.
#[test]
fn step_up_and_rate_limits_are_on_trial_too() {
    let rule = json!({ "token": { "audience": ["api"], "acr_values": ["gold"] } });
    let trial = shop("report", rule);
    let answer = trial.decide(&get("/").bearer(&trial.idp.jwt(|_| {})));
    assert_eq!((answer.reason(), answer.service("x-user").len()), (None, 0));
    assert_eq!(reported(&trial, Reason::AuthenticationWeak), 1);
    let trial = shop("report", json!({ "rate_limit": { "default": 1, "per": "day" } }));
    let request = background("/").bearer(&trial.idp.jwt(|_| {}));
    trial.decide(&request).assert_served_to("alice");
    assert_eq!(trial.decide(&request).reason(), None);
    assert_eq!(reported(&trial, Reason::RateLimited), 1);
}

/// A provider that is away stops nothing on trial.
#[test]
fn an_outage_is_reported() {
    let trial = shop("report", json!({}));
    trial.idp.replies_always(&Reply::nothing());
    assert_eq!(trial.decide(&background("/").bearer(&trial.idp.jwt(|_| {}))).reason(), None);
    assert_eq!(reported(&trial, Reason::DiscoveryUnavailable), 1);
}
