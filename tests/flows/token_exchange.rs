//! The caller's token is exchanged for the one that the service gets (RFC 8693): when, for what, and what of it is remembered.

use crate::support::*;
use Reason::*;

fn shop(exchange: Value) -> Shop {
    Shop::api(json!({ "token": { "audience": ["api"], "exchange": exchange } }))
}

/// What the service gets for a token of the caller's.
fn got(shop: &Shop, token: &str) -> Vec<String> {
    let answer = shop.decide(&background("/").bearer(token));
    assert_eq!(answer.reason(), None, "{:?}", shop.script.lines());
    answer.service("authorization")
}

/// The token requests, as fields.
fn asked(shop: &Shop) -> Vec<Vec<(String, String)>> {
    let calls = shop.script.asked();
    let calls = calls.iter().filter(|call| call.endpoint == Endpoint::Token);
    calls.map(|call| oidc_proxy_wasm::http::form::parse(call.body.expose_text().unwrap()).unwrap()).collect()
}

fn field(fields: &[(String, String)], name: &str) -> Vec<String> {
    fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
}

// RFC 8693 §2.1
#[test]
fn the_service_gets_another_token_which_is_asked_for_once() {
    let shop = shop(json!({
        "audience": ["orders", "bills"], "resource": ["https://orders.example.com"], "scope": "orders:read",
    }));
    let (one, other) = (shop.idp.jwt(|_| {}), shop.idp.jwt(|claims| claims["jti"] = json!("another")));
    let first = got(&shop, &one);
    assert!(first.len() == 1 && first[0].starts_with("Bearer ") && !first[0].contains(&one));
    assert_eq!(got(&shop, &one), first, "remembered");
    assert_eq!(asked(&shop).len(), 1);
    assert_ne!(got(&shop, &other), first, "for each token its own");
    let fields = &asked(&shop)[0];
    assert_eq!(field(fields, "subject_token"), [one]);
    assert_eq!(field(fields, "audience"), ["orders", "bills"]);
    assert_eq!(field(fields, "resource"), ["https://orders.example.com"]);
    assert_eq!(field(fields, "scope"), ["orders:read"]);
    assert!(field(fields, "actor_token").is_empty());
    // Its life less the margin has passed.
    shop.script.advance(291);
    got(&shop, &other);
    assert_eq!(asked(&shop).len(), 3);
}

#[test]
fn only_a_token_that_was_found_good_is_exchanged() {
    let shop = shop(json!({ "audience": ["orders"] }));
    let good = shop.idp.jwt(|_| {});
    let bad = format!("{}AAAA", &good[..good.len() - 4]);
    assert_eq!(shop.decide(&background("/").bearer(&bad)).reason(), Some(AccessTokenSignature));
    let other = shop.idp.jwt(|claims| claims["aud"] = json!("other"));
    assert_eq!(shop.decide(&background("/").bearer(&other)).reason(), Some(AccessTokenAudience));
    let denied = shop.reconfigured(|config| config["rules"][3]["require"] = json!({ "scope": ["admin"] }));
    assert_eq!(denied.decide(&background("/").bearer(&good)).reason(), Some(ScopeMissing));
    assert_eq!(asked(&shop).len(), 0, "nobody is asked for what is refused anyway");
    got(&shop, &good);
    assert_eq!(asked(&shop).len(), 1);
}

#[test]
fn conditions_spare_tokens_that_are_good_as_they_are() {
    for (conditions, exchanged) in [
        (json!({ "missing_audience": ["orders"] }), true),
        (json!({ "missing_audience": ["api"] }), false),
        (json!({ "has_audience": ["api"] }), true),
        (json!({ "has_audience": ["api", "orders"] }), false),
        (json!({ "has_scopes": ["read"] }), true),
        (json!({ "has_scopes": ["admin"] }), false),
        (json!({ "missing_scopes": ["admin"] }), true),
        (json!({ "missing_scopes": ["read"] }), false),
        (json!({ "has_scopes": ["read"], "missing_audience": ["api"] }), false),
    ] {
        let shop = shop(json!({ "audience": ["orders"], "conditions": conditions }));
        let token = shop.idp.jwt(|claims| claims["scope"] = json!("read"));
        let told = got(&shop, &token);
        assert_eq!(told == [format!("Bearer {token}")], !exchanged, "{conditions}");
        assert_eq!(asked(&shop).len(), usize::from(exchanged), "{conditions}");
    }
}

// RFC 8693 §1.1, §4.1
#[test]
fn our_client_acts_for_the_caller_with_a_token_of_its_own() {
    let shop = shop(json!({ "audience": ["orders"], "actor_token": "client" }));
    shop.idp.knows_client_by("shop", CLIENT_SECRET);
    got(&shop, &shop.idp.jwt(|_| {}));
    got(&shop, &shop.idp.jwt(|claims| claims["jti"] = json!("another")));
    let asked = asked(&shop);
    let grants: Vec<String> = asked.iter().flat_map(|fields| field(fields, "grant_type")).collect();
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    assert_eq!(grants, ["client_credentials", exchange, exchange], "its own token is got once");
    let actors: Vec<String> = asked.iter().flat_map(|fields| field(fields, "actor_token")).collect();
    assert!(actors.len() == 2 && actors[0] == actors[1]);
}

#[test]
fn a_session_s_token_is_exchanged_too() {
    let shop = Shop::with(|config| config["rules"][3]["token"] = json!({ "exchange": { "audience": ["orders"] } }));
    let mut browser = shop.guest();
    let first = browser.open("/").service("authorization");
    let subject = field(asked(&shop).last().unwrap(), "subject_token");
    assert!(!first[0].contains(&subject[0]));
    assert_eq!(browser.open("/again").service("authorization"), first);
    // A callback that goes on to the service is no way around it.
    let upstream = Shop::with(|config| {
        config["rules"][3]["token"] = json!({ "exchange": { "audience": ["orders"] } });
        config["defaults"]["login"]["action"] = json!("upstream");
    });
    let answer = upstream.browser().open("/");
    let subject = field(asked(&upstream).last().unwrap(), "subject_token");
    assert!(!subject.is_empty() && !answer.service("authorization")[0].contains(&subject[0]));
}

// RFC 8693 §2.2.2
#[test]
fn what_the_provider_does_not_exchange_does_not_pass() {
    let refused = shop(json!({ "audience": ["forbidden"] }));
    let token = refused.idp.jwt(|_| {});
    for _ in 0..3 {
        assert_eq!(refused.decide(&background("/").bearer(&token)).reason(), Some(ExchangeRefused));
    }
    assert_eq!(asked(&refused).len(), 1, "a refusal is remembered for a while");
    let down = shop(json!({ "audience": ["orders"] }));
    let known = down.idp.jwt(|_| {});
    let before = got(&down, &known);
    down.idp.answers_with(Endpoint::Token, 503);
    assert_eq!(got(&down, &known), before, "what is known goes on");
    let new = down.idp.jwt(|claims| claims["jti"] = json!("new"));
    assert_eq!(down.decide(&background("/").bearer(&new)).reason(), Some(TokenUnavailable));
}
