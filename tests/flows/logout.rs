//! A person logs out (attacks L15 to L19; conformance Q4, L1 to L3; OIDC RP-Initiated Logout).

use crate::support::*;
use Reason::*;
use oidc_proxy_wasm::http::form;
use std::collections::HashMap;

/// The parameters of a redirect to the provider's logout.
fn sent(answer: &Answer) -> HashMap<String, String> {
    let location = answer.location().unwrap();
    let (endpoint, query) = location.split_once('?').unwrap();
    assert_eq!(endpoint, format!("{ISSUER}/logout"));
    form::parse(query).unwrap().into_iter().collect()
}

/// A form of the shop's own.
fn own_post(path: &str) -> Req {
    let mut request = post(path, "").without("sec-fetch-site").with("sec-fetch-site", "same-origin");
    request.cross_site = false;
    request
}

fn with(logout: &Value) -> Shop {
    let shop = Shop::with_logout();

    shop.reconfigured(|config| {
        config["defaults"]["logout"].as_object_mut().unwrap().extend(logout.as_object().unwrap().clone());
    })
}

/// L1: cookies go in the same answer, the ID token goes back, and a copy of the cookies is worth nothing any more.
#[test]
fn a_logout_ends_the_session_here_and_at_the_provider() {
    let shop = Shop::with_logout();
    let mut browser = shop.guest();
    let mut stolen = browser.clone();
    assert!(is_in(&mut stolen));
    let answer = browser.send(&own_post("/oauth/logout"));
    assert_eq!((answer.reason(), answer.status()), (Some(LogoutStarted), 303));
    let params = sent(&answer);
    assert!(params["id_token_hint"].starts_with("ey"));
    assert_eq!(params["client_id"], "shop");
    assert!(browser.session_cookies().is_empty());
    assert!(!is_in(&mut stolen), "a copy of the cookie is denied");
    assert!(stolen.session_cookies().is_empty(), "and deleted");
}

/// L12: logged out at one worker, denied at the other within a second; another person's session stays.
#[test]
fn every_worker_knows_within_a_second() {
    let shop = Shop::with_logout();
    let other = shop.worker();
    let mut browser = shop.guest();
    let mut stolen = browser.at(&other);
    assert!(is_in(&mut stolen));
    shop.idp.logs_in("u-2", "bob");
    let mut bob = other.guest();
    browser.send(&own_post("/oauth/logout"));
    shop.script.advance(1);
    assert!(!is_in(&mut stolen));
    assert!(is_in(&mut bob));
}

/// L17, Q4: only this site's own requests log out; a link from elsewhere is asked back, all else is refused.
#[test]
fn another_site_logs_nobody_out() {
    let shop = Shop::with_logout();
    let from = |request: Req, site: &str| request.without("sec-fetch-site").with("sec-fetch-site", site);
    for (request, reason) in [
        (from(get("/oauth/logout"), "cross-site"), LogoutAsked),
        (from(get("/oauth/logout"), "same-site"), LogoutAsked),
        (get("/oauth/logout").without("sec-fetch-site"), LogoutAsked),
        (from(own_post("/oauth/logout"), "cross-site"), LogoutElsewhere),
        (own_post("/oauth/logout").without("sec-fetch-site").with("origin", "https://evil.example"), LogoutElsewhere),
        (own_post("/oauth/logout").without("sec-fetch-site").with("origin", "null"), LogoutElsewhere),
        (background("/oauth/logout"), LogoutElsewhere),
        (
            from(get("/oauth/logout").without("sec-fetch-dest").with("sec-fetch-dest", "image"), "cross-site"),
            LogoutElsewhere,
        ),
    ] {
        let mut browser = shop.guest();
        let answer = browser.send(&request);
        assert_eq!(answer.reason(), Some(reason), "{:?}", request.headers);
        assert!(answer.all("set-cookie").is_empty());
        assert!(is_in(&mut browser), "{:?}", request.headers);
    }
    for request in [
        get("/oauth/logout"),
        from(get("/oauth/logout"), "same-origin"),
        own_post("/oauth/logout"),
        own_post("/oauth/logout").without("sec-fetch-site").with("origin", SHOP),
        own_post("/oauth/logout").without("sec-fetch-site"),
    ] {
        let mut browser = shop.guest();
        assert_eq!(browser.send(&request).reason(), Some(LogoutStarted), "{:?}", request.headers);
        assert!(!is_in(&mut browser));
    }
}

/// Q3: the page that asks loads nothing, and nobody frames it.
#[test]
fn the_page_that_asks_posts_to_itself_alone() {
    let shop = Shop::with_logout();
    let answer = shop.guest().send(&get("/oauth/logout").without("sec-fetch-site"));
    assert!(answer.body().contains("<form method=\"post\">"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
}

#[test]
fn other_methods_are_refused_with_those_that_there_are() {
    let shop = Shop::with_logout();
    let mut browser = shop.guest();
    let answer = browser.send(&own_post("/oauth/logout").method("DELETE"));
    assert_eq!((answer.reason(), answer.header("allow").as_deref()), (Some(MethodNotAllowed), Some("POST, GET")));
    assert!(is_in(&mut browser));
    let by_delete = with(&json!({ "methods": ["DELETE"] }));
    let mut browser = by_delete.guest();
    assert_eq!(browser.send(&own_post("/oauth/logout").method("DELETE")).reason(), Some(LogoutStarted));
}

/// L15: whatever becomes of the provider, the session ends here.
#[test]
fn a_provider_that_is_away_keeps_nobody_logged_in() {
    let shop = Shop::with_logout();
    let mut browser = shop.guest();
    shop.idp.replies_always(&Reply::nothing());
    let answer = browser.send(&own_post("/oauth/logout"));
    assert_eq!(answer.reason(), Some(LogoutStarted), "where the endpoint is, is known from before");
    assert!(!answer.all("set-cookie").is_empty());
    assert!(!is_in(&mut browser));
}

/// L15, D15: where the provider was never reached, or has no such endpoint, the logout ends on a page of ours.
#[test]
fn without_the_provider_s_endpoint_the_logout_ends_here() {
    let shop = Shop::with_logout();
    shop.idp.metadata(|metadata| drop(metadata.as_object_mut().unwrap().remove("end_session_endpoint")));
    let mut browser = shop.guest();
    let answer = browser.send(&own_post("/oauth/logout"));
    assert_eq!((answer.reason(), answer.status()), (Some(LogoutDone), 200));
    assert!(!is_in(&mut browser));
    let away = Shop::with_logout();
    away.idp.replies_always(&Reply::nothing());
    assert_eq!(away.browser().send(&own_post("/oauth/logout")).reason(), Some(LogoutDone));
    let on = with(&json!({ "end_session": false, "post_logout_redirect_uri": "https://www.example.com/bye" }));
    let answer = on.guest().send(&own_post("/oauth/logout"));
    assert_eq!(
        (answer.reason(), answer.location().as_deref()),
        (Some(LogoutDone), Some("https://www.example.com/bye"))
    );
}

/// L16: without a session there is no hint and no crash.
#[test]
fn a_logout_without_a_session_goes_to_the_provider_all_the_same() {
    let shop = with(&json!({ "post_logout_redirect_uri": "https://www.example.com/bye" }));
    let params = sent(&shop.browser().send(&own_post("/oauth/logout")));
    assert_eq!(params.get("id_token_hint"), None);
    assert_eq!(
        (params["client_id"].as_str(), params["post_logout_redirect_uri"].as_str()),
        ("shop", "https://www.example.com/bye")
    );
}

/// L16: an ID token that is too long for a redirect is posted.
#[test]
fn a_huge_id_token_is_posted_to_the_provider() {
    let shop = Shop::with_logout();
    shop.idp.claims(|claims| {
        claims["sid"] = json!("sid-1");
        claims["groups"] = json!(vec!["a-group-of-a-name-of-some-length"; 100]);
    });
    let answer = shop.guest().send(&own_post("/oauth/logout"));
    assert_eq!((answer.reason(), answer.status(), answer.location()), (Some(LogoutStarted), 200, None));
    assert!(answer.body().contains(&format!("<form method=\"post\" action=\"{ISSUER}/logout\">")));
    assert!(answer.body().contains("name=\"id_token_hint\" value=\"ey"));
}

/// Providers that call things otherwise: Cognito's `logout_uri`, Entra's `logout_hint`.
#[test]
fn parameters_are_called_as_the_provider_calls_them() {
    let shop = with(&json!({
        "return_parameter": "logout_uri",
        "post_logout_redirect_uri": "https://www.example.com/bye",
        "hint": ["email"],
        "params": { "client_id": "other", "federated": "1" },
    }));
    let params = sent(&shop.guest().send(&own_post("/oauth/logout")));
    let told = |name: &str| params.get(name).map(String::as_str);
    assert_eq!(told("logout_uri"), Some("https://www.example.com/bye"));
    assert_eq!(told("post_logout_redirect_uri"), None);
    assert_eq!(
        (told("logout_hint"), told("client_id"), told("federated")),
        (Some("alice@example.com"), Some("other"), Some("1"))
    );
}

/// L17, L18, conformance L2: a fresh `state` each time; right, wrong, absent or repeated, everybody lands well.
#[test]
fn the_landing_is_the_same_for_everybody() {
    let shop = Shop::with_landing();
    let mut states = Vec::new();
    for _ in 0..2 {
        let mut browser = shop.guest();
        let params = sent(&browser.send(&own_post("/oauth/logout")));
        assert_eq!(params["post_logout_redirect_uri"], format!("{SHOP}/oauth/bye"));
        let state = params["state"].clone();
        for wrong in ["/oauth/bye", "/oauth/bye?state=", "/oauth/bye?state=x", "/oauth/bye?state=%ff&a=%"] {
            let answer = browser.get(wrong);
            assert_eq!((answer.reason(), answer.status()), (Some(LogoutLanded), 200), "{wrong}");
        }
        let right = format!("/oauth/bye?state={state}");
        assert_eq!(browser.get(&right).reason(), Some(LogoutDone));
        assert_eq!(browser.get(&right).reason(), Some(LogoutLanded), "it was forgotten");
        states.push(state);
    }
    assert_ne!(states[0], states[1]);
    let on = shop.reconfigured(|config| {
        config["defaults"]["logout"]["post_logout_redirect_uri"] = json!("https://www.example.com/bye");
    });
    assert_eq!(on.browser().get("/oauth/bye").location().as_deref(), Some("https://www.example.com/bye"));
}

/// L3 (RFC 7009 §2.1): the refresh token first, then the access token, behind the answer.
#[test]
fn tokens_are_revoked_at_the_provider() {
    let shop = Shop::with_logout();
    shop.idp.tokens(|answer| answer["refresh_token"] = json!("rt-0123456789"));
    shop.guest().send(&own_post("/oauth/logout"));
    shop.script.settle();
    let bodies: Vec<String> = revocations(&shop);
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], "token=rt-0123456789&token_type_hint=refresh_token");
    assert!(bodies[1].starts_with("token=at-") && bodies[1].ends_with("&token_type_hint=access_token"));
    let without = with(&json!({ "revoke": false }));
    without.guest().send(&own_post("/oauth/logout"));
    without.script.settle();
    assert!(revocations(&without).is_empty());
}

/// L19 (RFC 7009 §2.2).
#[test]
fn a_revocation_that_fails_keeps_nobody_logged_in() {
    let unsupported = Reply::json(400, &json!({ "error": "unsupported_token_type" }));
    for reply in [unsupported, Reply::json(503, &json!({})), Reply::nothing()] {
        let shop = Shop::with_logout();
        shop.idp.replies(Endpoint::Revocation, reply);
        let mut browser = shop.guest();
        assert_eq!(browser.send(&own_post("/oauth/logout")).reason(), Some(LogoutStarted));
        shop.script.settle();
        assert_eq!(shop.calls(Endpoint::Revocation), 1);
        assert!(shop.script.lines().iter().any(|line| line.contains("was not revoked there")));
        assert!(!is_in(&mut browser));
    }
}

/// A logout while the tokens are being renewed: what the provider gives then is of no use to anybody, and it is told so.
#[test]
fn a_logout_in_the_middle_of_a_renewal_ends_what_comes_of_it() {
    for logs_out in [true, false] {
        let shop = Shop::with_logout();
        shop.idp.rotates_refresh_tokens();
        let mut browser = shop.guest();
        shop.script.advance(241);
        shop.is_quick.set(true);
        let mut other_tab = browser.clone();
        browser.get("/").assert_served_to("alice");
        if logs_out {
            other_tab.send(&own_post("/oauth/logout"));
        }
        shop.script.settle();
        let told = revocations(&shop);
        let refresh_tokens: Vec<&String> = told.iter().filter(|body| body.contains("token=rt-")).collect();
        assert_eq!(refresh_tokens.len(), if logs_out { 2 } else { 0 }, "the old one and the new one: {told:?}");
        assert_eq!(is_in(&mut browser), !logs_out);
    }
}

fn revocations(shop: &Shop) -> Vec<String> {
    let asked = shop.script.asked();
    let bodies = asked.iter().filter(|call| call.endpoint == Endpoint::Revocation);
    bodies.map(|call| call.body.expose_text().unwrap().to_owned()).collect()
}

/// All of a person's sessions, and nobody else's; a login afterwards is good.
#[test]
fn all_sessions_of_a_person_end_where_that_is_asked_for() {
    for (all, stays) in [(true, false), (false, true)] {
        let shop = with(&json!({ "all_sessions": all }));
        let (mut one, mut two) = (shop.guest(), shop.guest());
        shop.idp.logs_in("u-2", "bob");
        let mut bob = shop.guest();
        one.send(&own_post("/oauth/logout"));
        assert_eq!(is_in(&mut two), stays);
        assert!(is_in(&mut bob));
        shop.idp.logs_in("u-1", "alice");
        shop.script.advance(1);
        assert!(is_in(&mut shop.guest()));
    }
}

/// A session that is denied: a page load is sent to log in anew, and gets a new session.
#[test]
fn who_was_logged_out_elsewhere_logs_in_again() {
    let shop = Shop::with_logout();
    let mut browser = shop.guest();
    browser.clone().send(&own_post("/oauth/logout"));
    shop.script.advance(1);
    browser.open("/").assert_served_to("alice");
}

/// `accept_older_sessions: false`: what is older than the deny list may have been on the one before.
#[test]
fn a_session_from_before_the_list_is_refused_where_that_is_configured() {
    let shop = Shop::with_logout();
    let session = shop.guest().session();
    let request = session
        .iter()
        .fold(background("/"), |request, (name, value)| request.with("cookie", format!("{name}={value}")));
    for (accept, reason) in [(true, None), (false, Some(LoginRequired))] {
        // Another process: shared data of its own, a later clock.
        let restarted = Shop::with_logout();
        restarted.script.advance(5);
        let restarted = restarted.reconfigured(|config| config["session"]["accept_older_sessions"] = json!(accept));
        assert_eq!(restarted.decide(&request).reason(), reason);
        assert!(is_in(&mut restarted.guest()));
    }
    let same = shop.reconfigured(|config| config["session"]["accept_older_sessions"] = json!(false));
    assert_eq!(same.decide(&request).reason(), None, "a worker of the same process");
}
