//! Access tokens that are good when they open userinfo (OIDC Core §5.3).

use crate::support::*;
use oidc_proxy_wasm::world::Metric;

fn shop() -> Shop {
    Shop::api(json!({ "methods": ["userinfo"] }))
}

fn judged(shop: &Shop, token: &str) -> Option<Reason> {
    shop.decide(&background("/").bearer(token)).reason()
}

#[test]
fn who_opens_userinfo_passes_and_is_remembered() {
    let shop = shop();
    for token in [shop.idp.opaque(|_| {}), shop.idp.jwt(|_| {})] {
        for _ in 0..2 {
            shop.decide(&background("/").bearer(&token)).assert_served_to("alice");
        }
    }
    assert_eq!(shop.calls(Endpoint::Userinfo), 2);
    assert_eq!(shop.script.counted(Metric::UserinfoCached), 2);
    assert_eq!(judged(&shop, "unknown"), Some(Reason::AccessTokenInactive));
    let revoked = shop.idp.opaque(|_| {});
    shop.idp.revokes(&revoked);
    assert_eq!(judged(&shop, &revoked), Some(Reason::AccessTokenInactive));
}

/// I16 (OIDC Core §5.3.2): nobody is somebody only with a `sub`.
#[test]
fn an_answer_about_nobody_is_none() {
    for sub in [json!(null), json!(7), json!(""), json!(["u-1"]), json!("a\nb")] {
        let shop = shop();
        shop.idp.userinfo(move |said| said["sub"] = sub.clone());
        assert_eq!(judged(&shop, &shop.idp.opaque(|_| {})), Some(Reason::UserinfoUnavailable));
        shop.idp.userinfo(|_| {});
        assert_eq!(judged(&shop, &shop.idp.opaque(|_| {})), None);
    }
}

/// Userinfo grants nothing: a scope in it is a claim, and what a rule asks of scope or audience is not met.
#[test]
fn userinfo_says_nothing_of_scope_or_audience() {
    for (require, reason) in [
        (json!({ "scope": ["read"] }), Reason::ScopeMissing),
        (
            json!({ "claims": [{ "claim": ["scope"], "source": "access_token", "equals": "read" }] }),
            Reason::ClaimRefused,
        ),
    ] {
        let shop = Shop::api(json!({ "methods": ["userinfo"], "require": require }));
        shop.idp.userinfo(|said| said["scope"] = json!("read"));
        assert_eq!(judged(&shop, &shop.idp.opaque(|_| {})), Some(reason));
    }
    let require = json!({ "claims": [{ "claim": ["scope"], "source": "userinfo", "equals": "read" }] });
    let shop = Shop::api(json!({ "methods": ["userinfo"], "require": require }));
    shop.idp.userinfo(|said| said["scope"] = json!("read"));
    assert_eq!(judged(&shop, &shop.idp.opaque(|_| {})), None);
}

/// I20 (OIDC Core §5.3.3): a token that userinfo refuses right after a login ends that login; the browser is not sent round.
#[test]
fn a_login_that_userinfo_refuses_fails() {
    let shop = Shop::with(|config| config["defaults"]["login"]["userinfo"] = json!(true));
    shop.idp.replies(Endpoint::Userinfo, Reply::json(401, &json!({ "error": "invalid_token" })));
    let mut browser = shop.browser();
    let answer = browser.open("/");
    assert_eq!((answer.reason(), answer.location()), (Some(Reason::UserinfoRefused), None));
    assert!(browser.session_cookies().is_empty());
    assert_eq!(shop.calls(Endpoint::Userinfo), 1);
    shop.idp.recovers();
    browser.open("/").assert_served_to("alice");
}
