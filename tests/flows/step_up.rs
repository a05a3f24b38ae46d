//! How strongly and lately the user authenticated (RFC 9470, attacks B19, O13, I18).

use crate::support::*;
use oidc_proxy_wasm::world::Metric;

fn strong() -> Value {
    json!({ "audience": ["api"], "acr_values": ["gold", "silver"], "max_age": "10m" })
}

/// A shop whose last rule wants a strong and late login.
fn login() -> Shop {
    Shop::with(|config| config["rules"][3]["token"] = strong())
}

/// The same, with a rule that asks for less.
fn login_and_lax() -> Shop {
    Shop::with(|config| {
        let lax = json!({ "name": "lax", "match": { "host": "shop.example.com", "path_prefix": "/lax" } });
        config["rules"][3]["token"] = strong();
        config["rules"].as_array_mut().unwrap().insert(3, lax);
    })
}

/// The provider authenticates in this way from now on.
fn authenticates(shop: &Shop, acr: &'static str, seconds_ago: u64) {
    let script = shop.script.clone();
    shop.idp.claims(move |claims| {
        use oidc_proxy_wasm::world::Host;
        claims["acr"] = json!(acr);
        claims["auth_time"] = json!(script.now().as_secs() - seconds_ago);
    });
}

/// RFC 9470 §4: the browser is sent to log in with what the rule asks for.
#[test]
fn a_login_asks_for_what_the_rule_wants() {
    let shop = login();
    authenticates(&shop, "gold", 0);
    shop.browser().open("/").assert_served_to("alice");
    let asked = shop.idp.asked().pop().unwrap();
    assert_eq!((asked["acr_values"].as_str(), asked["max_age"].as_str()), ("gold silver", "600"));
}

/// O13 (RFC 9470 §6), J56, J57: what the provider gives in its stead is refused with a page, and the browser not sent round.
#[test]
fn a_login_that_is_too_weak_fails() {
    for (acr, ago, reason) in [
        ("iron", 0, Reason::AuthenticationWeak),
        ("gold", 631, Reason::AuthenticationOld),
        ("", 0, Reason::AuthenticationWeak),
    ] {
        let shop = login();
        authenticates(&shop, acr, ago);
        let mut browser = shop.browser();
        let answer = browser.open("/");
        assert_eq!((answer.reason(), answer.status()), (Some(reason), 401), "{acr} {ago}");
        assert!(browser.session_cookies().is_empty());
        assert_eq!(shop.calls(Endpoint::Token), 1);
        authenticates(&shop, "silver", 600);
        browser.open("/").assert_served_to("alice");
    }
}

/// A session ends to suffice with time: a page load gets a new login, a background request a challenge, and the session lives
/// on for rules that ask for less.
#[test]
fn a_session_that_does_not_suffice_any_more_is_stepped_up() {
    let shop = login_and_lax();
    authenticates(&shop, "gold", 0);
    let mut browser = shop.browser();
    browser.open("/").assert_served_to("alice");
    shop.script.advance(620);
    browser.get("/").assert_served_to("alice");
    shop.script.advance(20);
    let told = browser.send(&background("/"));
    assert_eq!((told.reason(), told.location()), (Some(Reason::AuthenticationOld), None));
    let challenge = told.header("www-authenticate").unwrap();
    assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
    browser.get("/lax").assert_served_to("alice");
    let page = browser.get("/");
    assert_eq!(page.reason(), Some(Reason::LoginStarted));
    assert!(page.location().unwrap().contains("max_age=600"));
    browser.open("/").assert_served_to("alice");
}

/// A session of a rule that asks for less is too weak for one that asks for more.
#[test]
fn a_weak_session_is_sent_to_log_in_once_more() {
    let shop = login_and_lax();
    authenticates(&shop, "iron", 0);
    let mut browser = shop.browser();
    browser.open("/lax").assert_served_to("alice");
    assert_eq!(browser.send(&background("/")).reason(), Some(Reason::AuthenticationWeak));
    authenticates(&shop, "gold", 0);
    browser.open("/").assert_served_to("alice");
    assert_eq!(browser.send(&background("/")).reason(), None);
}

/// What is known and too weak is looked for, and counted, once for each request.
#[test]
fn what_is_too_weak_is_found_once() {
    let shop = Shop::api(json!({ "token": strong() }));
    let token = shop.idp.jwt(|_| {});
    for request in 0..3 {
        assert_eq!(shop.decide(&background("/").bearer(&token)).reason(), Some(Reason::AuthenticationWeak));
        assert_eq!(shop.script.counted(Metric::TokensCached), request);
        assert_eq!(shop.script.counted(Metric::TokensVerified), 1);
    }
    let shop = login_and_lax();
    authenticates(&shop, "iron", 0);
    let mut browser = shop.browser();
    browser.open("/lax").assert_served_to("alice");
    let before = shop.script.counted(Metric::SessionsCached);
    for request in 1..4 {
        assert_eq!(browser.send(&background("/")).reason(), Some(Reason::AuthenticationWeak));
        assert_eq!(shop.script.counted(Metric::SessionsCached) - before, request);
    }
}

/// I18: userinfo says who somebody is, not how they authenticated; neither at a login nor beside an access token.
#[test]
fn userinfo_cannot_add_an_acr() {
    let said = |shop: &Shop| {
        let now = shop.now().as_secs();
        shop.idp.userinfo(move |said| {
            said["acr"] = json!("gold");
            said["auth_time"] = json!(now);
        });
    };
    let shop = Shop::with(|config| {
        config["rules"][3]["token"] = strong();
        config["rules"][3]["login"] = json!({ "userinfo": true });
    });
    said(&shop);
    assert_eq!(shop.browser().open("/").reason(), Some(Reason::AuthenticationWeak));
    authenticates(&shop, "gold", 0);
    shop.browser().open("/").assert_served_to("alice");

    let shop = Shop::api(json!({ "token": strong(), "enrich": ["userinfo"] }));
    said(&shop);
    let reason = |token: &str| shop.decide(&background("/").bearer(token)).reason();
    assert_eq!(reason(&shop.idp.jwt(|_| {})), Some(Reason::AuthenticationWeak));
    let now = shop.now().as_secs();
    let strongly = |claims: &mut Value| {
        claims["acr"] = json!("gold");
        claims["auth_time"] = json!(now);
    };
    assert_eq!(reason(&shop.idp.jwt(strongly)), None);

    let shop = Shop::api(json!({ "token": strong(), "methods": ["bearer", "userinfo"] }));
    said(&shop);
    let reason = |token: &str| shop.decide(&background("/").bearer(token)).reason();
    assert_eq!(reason(&shop.idp.opaque(|_| {})), Some(Reason::AuthenticationWeak));
}

/// RFC 9470 §6.2: introspection may say how somebody authenticated.
#[test]
fn introspection_says_how_somebody_authenticated() {
    let shop = Shop::api(json!({ "token": strong(), "methods": ["introspection"] }));
    let now = shop.now().as_secs();
    let token = |acr: &'static str| {
        shop.idp.opaque(|said| {
            said["acr"] = json!(acr);
            said["auth_time"] = json!(now);
        })
    };
    let reason = |token: &str| shop.decide(&background("/").bearer(token)).reason();
    assert_eq!(reason(&token("iron")), Some(Reason::AuthenticationWeak));
    assert_eq!(reason(&token("gold")), None);
}

/// An optional identity is never asked for: one that is too weak is refused, and no browser sent to log in again.
#[test]
fn an_optional_identity_is_not_sent_to_step_up() {
    let shop = Shop::with(|config| {
        config["rules"][1]["token"] = strong();
        config["rules"][1]["login"] = json!({ "scope": "openid" });
        config["rules"][1]["methods"] = json!(["session", "authorization_code"]);
    });
    let mut guest = shop.guest();
    assert_eq!(guest.open("/maybe").reason(), Some(Reason::AuthenticationWeak));
    authenticates(&shop, "gold", 0);
    let mut browser = shop.browser();
    browser.open("/").assert_served_to("alice");
    browser.open("/maybe").assert_served_to("alice");
}
