//! Who is sent to log in, and who is told to (attacks O07 to O11, C12; conformance A5, A6, T1, B5).

use crate::support::*;
use Reason::*;

/// O07 (RFC 9700 §4.12), O08, O09: told, not sent; and no cookie.
#[test]
fn all_but_page_loads_are_told_that_a_login_is_needed() {
    let shop = Shop::new();
    let mut cases: Vec<Req> =
        ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"].iter().map(|method| get("/").method(method)).collect();
    let fetched = |mode: &str, destination: &str| {
        get("/")
            .without("sec-fetch-mode")
            .without("sec-fetch-dest")
            .with("sec-fetch-mode", mode)
            .with("sec-fetch-dest", destination)
    };
    cases.extend([
        get("/").with("x-requested-with", "XMLHttpRequest"),
        background("/"),
        background("/").without("accept").with("accept", "text/event-stream"),
        background("/").without("accept"),
        background("/").without("accept").with("accept", "*/*"),
        fetched("cors", "empty"),
        fetched("no-cors", "image"),
        fetched("no-cors", "script"),
        fetched("navigate", "iframe"),
        get("/").with("upgrade", "websocket"),
        get("/").with("sec-purpose", "prefetch;prerender"),
        get("/").with("purpose", "prefetch"),
    ]);
    for request in cases {
        let answer = shop.decide(&request);
        assert_eq!((answer.reason(), answer.status()), (Some(LoginRequired), 401), "{:?}", request.headers);
        assert_eq!(answer.all("set-cookie"), [""; 0]);
        // RFC 6750 §3.1, RFC 9110 §11.6.1: a challenge, without `error`.
        assert_eq!(answer.header("www-authenticate").as_deref(), Some("Bearer realm=\"shop.example.com\""));
    }
    assert!(shop.script.calls().is_empty(), "and nobody asks the provider");
    let answer = shop.decide(&get("/"));
    assert_eq!((answer.reason(), answer.status()), (Some(LoginStarted), 303));
    assert_eq!(answer.all("set-cookie").len(), 1);
}

/// Also old browsers, by what they accept.
#[test]
fn a_browser_without_fetch_metadata_is_sent_to_log_in() {
    let shop = Shop::new();
    let old = get("/").without("sec-fetch-mode").without("sec-fetch-dest").without("sec-fetch-site");
    assert_eq!(shop.decide(&old).reason(), Some(LoginStarted));
    assert_eq!(shop.decide(&old.without("accept")).reason(), Some(LoginRequired));
}

/// The cookies live on the redirect URI's host: a login that began elsewhere begins there once more.
#[test]
fn a_login_on_another_host_moves_to_the_host_of_the_redirect_uri() {
    let shop = Shop::with(|config| {
        config["rules"][3]["match"] = json!({ "path_prefix": "/" });
    });
    let mut browser = shop.browser();
    let page = browser.follow(get("/cart?x=1").to("www.shop.example.com"));
    page.assert_served_to("alice");
    assert_eq!(page.url, format!("{SHOP}/cart?x=1"));
    assert_eq!(browser.steps, [Some(LoginStarted), Some(LoginStarted), Some(LoginDone)]);
    assert_eq!(shop.idp.asked().len(), 1);
}

/// O10 (CVE: peers): what stands in `Host` chooses no redirect URI.
#[test]
fn the_redirect_uri_comes_from_the_configuration() {
    let shop = Shop::with(|config| config["rules"][3]["match"] = json!({ "path_prefix": "/" }));
    for host in ["evil.example", "shop.example.com.evil.example", "shop.example.com:8443", "SHOP.example.com."] {
        let answer = shop.decide(&get("/a").to(host));
        let location = answer.location().unwrap();
        if host.starts_with("shop.example.com:") || host.starts_with("SHOP") {
            assert!(location.starts_with(&format!("{ISSUER}/authorize?")), "{host}: {location}");
            assert!(location.contains("redirect_uri=https%3A%2F%2Fshop.example.com%2Foauth%2Fcallback"), "{location}");
        } else {
            assert_eq!(location, format!("{SHOP}/a"), "{host}");
        }
    }
}

#[test]
fn fixed_and_passed_parameters_go_along_and_nothing_else_does() {
    let shop = Shop::with(|config| {
        config["providers"]["main"]["authorization_params"] = json!({ "audience": "api" });
        config["defaults"]["login"]["params"] = json!({ "prompt": "login" });
        config["defaults"]["login"]["pass_params"] = json!(["login_hint", "ui_locales"]);
    });
    let hint = "h".repeat(1_000);
    let mut browser = shop.browser();
    browser.open(&format!("/?login_hint={hint}&ui_locales=de&state=evil&scope=admin&redirect_uri=x&claims=c"));
    let asked = &shop.idp.asked()[0];
    assert_eq!((asked["audience"].as_str(), asked["ui_locales"].as_str()), ("api", "de"));
    assert_eq!(asked["prompt"], "login");
    assert_eq!(asked["login_hint"], "h".repeat(256));
    assert_eq!((asked["scope"].as_str(), asked.contains_key("claims")), ("openid email", false));
    assert_eq!(asked["redirect_uri"], format!("{SHOP}{CALLBACK}"));
}

/// B5, C12: a silent login that needs a person is begun once more aloud, and never a third time.
#[test]
fn a_silent_login_falls_back_once() {
    for error in ["login_required", "interaction_required", "consent_required", "account_selection_required"] {
        let shop = Shop::with(|config| config["defaults"]["login"]["params"] = json!({ "prompt": "none" }));
        shop.idp.response(move |params| params[0] = ("error".to_owned(), error.to_owned()));
        let mut browser = shop.browser();
        assert_eq!(browser.open("/cart").reason(), Some(ProviderError), "{error}");
        assert_eq!(browser.steps, [Some(LoginStarted), Some(LoginStarted)]);
        let prompts: Vec<_> = shop.idp.asked().iter().map(|params| params.get("prompt").cloned()).collect();
        assert_eq!(prompts, [Some("none".to_owned()), None]);
    }
    // Its twin: the second time, the person is there.
    let shop = Shop::with(|config| config["defaults"]["login"]["params"] = json!({ "prompt": "none" }));
    let mut browser = shop.browser();
    shop.idp.response(|params| params[0] = ("error".to_owned(), "login_required".to_owned()));
    let first = browser.until_callback("/cart");
    let again = browser.send(&first);
    assert_eq!(again.reason(), Some(LoginStarted));
    shop.idp.response(|_| {});
    let page = browser.follow(browser.next(&again.location().unwrap()));
    page.assert_served_to("alice");
    assert_eq!(page.url, format!("{SHOP}/cart"));
}

/// B5: silence that is configured for the whole provider is no other.
#[test]
fn a_silent_login_falls_back_wherever_silence_is_configured() {
    let shop = Shop::with(|config| {
        config["providers"]["main"]["authorization_params"] = json!({ "prompt": "none" });
    });
    let mut browser = shop.browser();
    shop.idp.response(|params| params[0] = ("error".to_owned(), "login_required".to_owned()));
    let first = browser.until_callback("/cart");
    let again = browser.send(&first);
    assert_eq!(again.reason(), Some(LoginStarted));
    shop.idp.response(|_| {});
    browser.follow(browser.next(&again.location().unwrap())).assert_served_to("alice");
    let prompts: Vec<_> = shop.idp.asked().iter().map(|params| params.get("prompt").cloned()).collect();
    assert_eq!(prompts, [Some("none".to_owned()), None]);
}

/// B5: where nobody asked for silence, the error ends the login.
#[test]
fn an_error_of_a_login_aloud_ends_it() {
    for error in ["login_required", "server_error", "temporarily_unavailable", "invalid_scope"] {
        let shop = Shop::new();
        shop.idp.response(move |params| params[0] = ("error".to_owned(), error.to_owned()));
        let mut browser = shop.browser();
        assert_eq!(browser.open("/cart").reason(), Some(ProviderError), "{error}");
        assert_eq!(browser.steps, [Some(LoginStarted)]);
        assert_eq!(browser.cookies(), [""; 0], "the login's cookie is gone");
    }
}

fn with_initiate() -> Shop {
    Shop::with(|config| config["defaults"]["login"]["initiate_path"] = json!("/oauth/initiate"))
}

/// T1 (OIDC Core §4): our provider, a target on our own host.
#[test]
fn another_site_begins_a_login() {
    let shop = with_initiate();
    let path = format!("/oauth/initiate?iss={ISSUER}&login_hint=alice&target_link_uri={SHOP}/cart?x=1");
    let mut browser = shop.browser();
    let page = browser.open(&path);
    page.assert_served_to("alice");
    assert_eq!(page.url, format!("{SHOP}/cart?x=1"));
    assert_eq!(shop.idp.asked()[0]["login_hint"], "alice");
    let page = shop.browser().open(&format!("/oauth/initiate?iss={ISSUER}"));
    assert_eq!(page.url, format!("{SHOP}/"));
}

/// O11, O03 (CVE-2021-32786, CVE-2022-23527).
#[test]
fn another_site_begins_nothing_else() {
    let shop = with_initiate();
    let good = format!("iss={ISSUER}");
    let refused = [
        String::new(),
        "iss=".to_owned(),
        "iss=https://evil.example".to_owned(),
        "iss=http://idp.example.com".to_owned(),
        format!("iss={ISSUER}/"),
        format!("{good}&{good}"),
        format!("{good}&login_hint=a&login_hint=b"),
        format!("{good}&target_link_uri=https://evil.example/"),
        format!("{good}&target_link_uri=//evil.example/"),
        format!("{good}&target_link_uri=/cart"),
        format!("{good}&target_link_uri=http://shop.example.com/"),
        format!("{good}&target_link_uri=https://shop.example.com.evil.io/"),
        format!("{good}&target_link_uri=https://shop.example.com:8443/"),
        format!("{good}&target_link_uri=https://shop.example.com%40evil.example/"),
        format!("{good}&target_link_uri=https://evil-shop.example.com/"),
        format!("{good}&target_link_uri=javascript:alert(1)"),
        format!("{good}&target_link_uri=https:shop.example.com"),
        format!("{good}&target_link_uri="),
        "%zz".to_owned(),
    ];
    for query in refused {
        let answer = shop.browser().get(&format!("/oauth/initiate?{query}"));
        assert_eq!((answer.reason(), answer.status()), (Some(InitiateRefused), 400), "{query}");
        assert_eq!(answer.all("set-cookie"), [""; 0]);
    }
    assert!(shop.script.calls().is_empty());
    assert_eq!(shop.decide(&get(&format!("/oauth/initiate?{good}")).method("PUT")).reason(), Some(InitiateRefused));
    let hint = "h".repeat(10_000);
    shop.browser().open(&format!("/oauth/initiate?{good}&login_hint={hint}"));
    assert_eq!(shop.idp.asked()[0]["login_hint"], "h".repeat(256));
}
