//! Logins that go well (RFC 6749 §4.1, OIDC Core §3.1).

use crate::support::*;
use Reason::{LoginDone, LoginStarted};

#[test]
fn a_browser_logs_in_and_lands_where_it_began() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let page = browser.open("/cart?item=7");
    page.assert_served_to("alice");
    assert_eq!(page.url, format!("{SHOP}/cart?item=7"));
    assert_eq!(browser.steps, [Some(LoginStarted), Some(LoginDone)]);
    let token = page.service("authorization");
    assert!(token[0].starts_with("Bearer at-"), "{token:?}");
    // The next request needs nobody.
    let calls = shop.script.calls().len();
    browser.get("/orders").assert_served_to("alice");
    assert_eq!(shop.script.calls().len(), calls);
}

/// RFC 9700 §2.1.1, OIDC Core §3.1.2.1, conformance A1 to A3.
#[test]
fn the_authorization_request_has_what_it_must_have() {
    let shop = Shop::new();
    shop.guest();
    shop.browser().open("/");
    let asked = shop.idp.asked();
    for params in &asked {
        assert_eq!(params["response_type"], "code");
        assert_eq!(params["client_id"], "shop");
        assert_eq!(params["scope"], "openid email");
        assert_eq!(params["redirect_uri"], format!("{SHOP}{CALLBACK}"));
        assert_eq!(params["code_challenge_method"], "S256");
        assert_eq!(params["code_challenge"].len(), 43);
        assert_ne!(params["state"], params["nonce"]);
        assert!(params["state"].len() >= 32 && params["nonce"].len() >= 32);
        assert_eq!(params.len(), 8, "nothing else: {params:?}");
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(asked[0][name], asked[1][name], "{name} is new each time");
    }
}

/// D07, RFC 9700 §2.1.1: PKCE does not depend on what the metadata says.
#[test]
fn pkce_is_s256_whatever_the_metadata_says() {
    for methods in [json!(["plain"]), json!([]), json!(["S256"])] {
        let shop = Shop::new();
        shop.idp.metadata(|metadata| metadata["code_challenge_methods_supported"] = methods.clone());
        shop.guest();
        assert_eq!(shop.idp.asked()[0]["code_challenge_method"], "S256", "{methods}");
    }
}

/// Form Post Response Mode §2, conformance B4: the cookie must come along with another site's POST.
#[test]
fn a_login_by_form_post_ends_well() {
    let shop = Shop::with_form_post();
    let mut browser = shop.browser();
    browser.open("/cart").assert_served_to("alice");
    assert_eq!(browser.steps, [Some(LoginStarted), Some(LoginDone)]);
    assert_eq!(shop.idp.asked()[0]["response_mode"], "form_post");
}

/// OIDC Core §5.3, attack I18: userinfo adds claims, and changes none of the ID token's.
#[test]
fn userinfo_adds_claims_and_changes_none() {
    let shop = Shop::with(|config| {
        config["defaults"]["login"]["userinfo"] = json!(true);
        let plan = json!({ "claim": ["plan"], "name": "x-plan" });
        config["defaults"]["upstream_headers"].as_array_mut().unwrap().push(plan);
    });
    shop.idp.userinfo(|claims| {
        claims["plan"] = json!("gold");
        claims["email"] = json!("mallory@example.com");
        claims["iss"] = json!("https://other.example");
        claims["_claim_sources"] = json!({ "x": { "endpoint": "https://169.254.169.254/" } });
    });
    let page = shop.guest().get("/");
    page.assert_served_to("alice");
    assert_eq!(page.service("x-plan"), ["gold"]);
    assert_eq!(page.service("x-email"), ["alice@example.com"]);
    assert_eq!(shop.calls(Endpoint::Userinfo), 1);
    // I19, conformance U2: sources of further claims are not followed.
    assert_eq!(shop.script.calls().len(), 4);
}

#[test]
fn with_action_upstream_the_callback_itself_goes_to_the_service() {
    let shop = Shop::with(|config| config["defaults"]["login"]["action"] = json!("upstream"));
    let mut browser = shop.browser();
    let page = browser.open("/cart");
    page.assert_served_to("alice");
    assert!(page.url.starts_with(&format!("{SHOP}{CALLBACK}?code=")), "{}", page.url);
    assert_eq!(page.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(browser.session_cookies().len(), 1);
    browser.get("/cart").assert_served_to("alice");
}

/// The callback that goes to the service is judged as any request of its rule: by that rule's `require`, with that rule's
/// headers. A person who may not pass is logged in all the same.
#[test]
fn with_action_upstream_the_callback_is_judged_by_the_rule_that_began_the_login() {
    let shop = Shop::with(|config| {
        config["defaults"]["login"]["action"] = json!("upstream");
        let admin = json!({
            "name": "admin",
            "match": { "host": "shop.example.com", "path_prefix": "/admin" },
            "require": { "claims": [{ "claim": ["email"], "equals": "root@example.com" }] },
            "upstream_headers": [{ "claim": ["sub"], "name": "x-admin" }, { "token": "access_token", "as": "none" }],
        });
        config["rules"].as_array_mut().unwrap().insert(3, admin);
    });
    let mut browser = shop.browser();
    let page = browser.open("/admin");
    assert_eq!((page.reason(), page.status()), (Some(Reason::ClaimRefused), 403));
    assert!(shop.script.lines().last().unwrap().contains("rule=admin"), "{:?}", shop.script.lines().last());
    browser.get("/").assert_served_to("alice");
    shop.idp.knows(json!({ "sub": "u-9", "email": "root@example.com" }));
    let page = shop.browser().open("/admin");
    assert_eq!(page.service("x-admin"), ["u-9"]);
    assert_eq!((page.service("authorization").len(), page.service("x-email").len()), (0, 0));
}

/// C03: each tab's login is its own, and both end well, in whatever order.
#[test]
fn two_tabs_log_in_at_once() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let first = browser.until_callback("/one");
    let second = browser.until_callback("/two");
    for (callback, landing) in [(second, "/two"), (first, "/one")] {
        let answer = browser.send(&callback);
        assert_eq!(answer.reason(), Some(LoginDone));
        assert_eq!(answer.location(), Some(format!("{SHOP}{landing}")));
    }
    browser.get("/three").assert_served_to("alice");
}

/// C27 (envoyproxy/gateway#9820): a handful of cookies, and the newest login ends well.
#[test]
fn twenty_tabs_leave_a_handful_of_cookies_and_the_newest_ends_well() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let callbacks: Vec<Req> = (0..20)
        .map(|tab| {
            shop.script.advance(1);
            browser.until_callback(&format!("/{tab}"))
        })
        .collect();
    assert_eq!(browser.login_cookies().len(), 6);
    let bytes: usize = browser.jar.0.iter().map(|cookie| cookie.name.len() + cookie.value.len()).sum();
    assert!(bytes < 8 * 1024, "{bytes}");
    assert_eq!(browser.send(&callbacks[0]).reason(), Some(Reason::LoginUnknown));
    assert_eq!(browser.send(&callbacks[19]).reason(), Some(LoginDone));
}

/// Who logs in again is who the session is for: a new one under a new id (C23, GHSA-f24x-5g9q-753f).
#[test]
fn a_login_while_another_user_has_a_session_replaces_it() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let late = browser.until_callback("/");
    browser.open("/").assert_served_to("alice");
    let before = browser.session();
    shop.idp.logs_in("u-2", "bob");
    assert_eq!(browser.send(&late).reason(), Some(LoginDone));
    browser.get("/").assert_served_to("bob");
    assert_eq!(browser.session_cookies().len(), 1);
    assert_ne!(browser.session(), before);
}

/// RFC 6749 §5.1: what is not said was granted as asked; less is honoured.
#[test]
fn the_granted_scope_counts_and_silence_means_all() {
    let needs_email = |config: &mut Value| config["rules"][3]["require"] = json!({ "scope": ["email"] });
    for (scope, reason) in [
        (json!("openid email"), None),
        (Value::Null, None),
        (json!("openid"), Some(Reason::ScopeMissing)),
        (json!(""), Some(Reason::ScopeMissing)),
    ] {
        let shop = Shop::with(needs_email);
        let granted = scope.clone();
        shop.idp.tokens(move |answer| answer["scope"] = granted.clone());
        assert_eq!(shop.browser().open("/").reason(), reason, "{scope}");
    }
}

/// Three ways to authenticate (more are in `client_auth`), each at a provider that asks for nothing else.
#[test]
fn each_client_authentication_is_exactly_one() {
    let sent = |method: &str| {
        let shop = Shop::with(|config| {
            let client = &mut config["providers"]["main"]["client"];
            client["token_endpoint_auth_method"] = json!(method);
            if method == "none" {
                client.as_object_mut().unwrap().remove("client_secret");
            }
        });
        shop.browser().open("/");
        let call = shop.script.asked().into_iter().find(|call| call.endpoint == Endpoint::Token).unwrap();
        let basic = call.headers.iter().any(|(name, _)| name == "authorization");
        let body = call.body.expose_text().unwrap().to_owned();
        (basic, body.contains("client_secret="), body.contains("client_id=shop"))
    };
    assert_eq!(sent("client_secret_basic"), (true, false, false));
    assert_eq!(sent("client_secret_post"), (false, true, true));
    assert_eq!(sent("none"), (false, false, true));
}
