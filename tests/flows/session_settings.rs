//! What a session can be set to: remembered, bound, apart, passive, told of, verified again (issue 5, §4).

use crate::support::*;
use Reason::*;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn remembering() -> Shop {
    Shop::with(|config| config["session"]["remember"] = json!({ "idle": "7d", "absolute": "30d" }))
}

/// Logs in at `target`; the names of the session's cookies without their hashes.
fn logged_in<'a>(shop: &'a Shop, target: &str) -> Browser<'a> {
    let mut browser = shop.browser();
    browser.open(target).assert_served_to("alice");
    browser
}

/// The browser after it was closed and opened again.
fn reopened<'a>(browser: &Browser<'a>) -> Browser<'a> {
    let mut browser = browser.clone();
    browser.jar.close();
    browser
}

#[test]
fn who_asks_to_be_remembered_is_and_nobody_else() {
    let shop = remembering();
    for (target, remembered) in
        [("/?remember=1", true), ("/?remember=true&x=1", true), ("/?remember=0", false), ("/", false)]
    {
        let browser = logged_in(&shop, target);
        let cookies = browser.session_cookies();
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        assert_eq!(cookies[0].starts_with("__Host-oidc-remember-"), remembered, "{target}: {cookies:?}");
        let mut later = reopened(&browser);
        let answer = later.send(&background("/"));
        assert_eq!(answer.reason(), (!remembered).then_some(LoginRequired), "{target}: after the browser was closed");
    }
    // Without the setting the parameter means nothing.
    let plain = Shop::new();
    assert!(!logged_in(&plain, "/?remember=1").session_cookies()[0].contains("remember"));
}

#[test]
fn remembered_sessions_have_their_own_lives_to_the_second() {
    for (target, idle) in [("/?remember=1", 7 * DAY), ("/", 15 * 60)] {
        for (wait, alive) in [(idle - 1, true), (idle, false)] {
            let shop = remembering();
            let browser = logged_in(&shop, target);
            let session = browser.session();
            shop.script.advance(wait);
            let field = session.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let answer = shop.decide(&background("/").with("cookie", field));
            assert_eq!(answer.reason(), (!alive).then_some(LoginRequired), "{target} after {wait} s");
        }
    }
}

/// One user's second login leaves no old cookie behind, and has a new id (GHSA-f24x-5g9q-753f).
#[test]
fn a_second_login_takes_the_place_of_the_first_whatever_it_asked_for() {
    let shop = Shop::with(|config| {
        config["session"]["remember"] = json!({});
        config["session"]["headers"] = json!({ "request": ["id"] });
        config["rules"][3]["login"] = json!({ "initiate_path": "/login" });
    });
    let mut browser = logged_in(&shop, "/?remember=1");
    let first = browser.get("/").service("session-id");
    let initiate = |target: &str| get(&format!("/login?iss={ISSUER}&target_link_uri={SHOP}{target}"));
    for (target, remembered) in [("/", false), ("/?remember=1", true)] {
        let before = browser.session();
        let answer = browser.follow(initiate(target));
        answer.assert_served_to("alice");
        assert_ne!(answer.service("session-id"), first);
        assert_eq!(browser.session_cookies().len(), 1, "{:?}", browser.session_cookies());
        assert_eq!(browser.session_cookies()[0].contains("remember"), remembered);
        assert_ne!(browser.session(), before);
    }
}

#[test]
fn a_bound_session_opens_where_it_was_given_alone() {
    let request = || {
        background("/")
            .without("user-agent")
            .with("user-agent", "one browser")
            .with("x-forwarded-for", "203.0.113.9, 192.0.2.7")
    };
    let elsewhere = [
        ("user_agent", request().without("user-agent").with("user-agent", "another browser")),
        ("address", request().without("x-forwarded-for").with("x-forwarded-for", "203.0.113.9, 192.0.2.8")),
    ];
    for (bond, elsewhere) in elsewhere {
        for bound in [true, false] {
            let shop = Shop::with(|config| {
                config["session"]["bind"] = if bound { json!([bond]) } else { json!([]) };
            });
            let mut browser = shop.browser();
            let page = get("/").without("user-agent").with("user-agent", "one browser");
            let page = page.with("x-forwarded-for", "203.0.113.9, 192.0.2.7");
            let begun = browser.send(&page);
            let mut callback = browser.next(&begun.location().unwrap());
            callback = callback.without("user-agent").with("user-agent", "one browser");
            let done = browser.send(&callback.with("x-forwarded-for", "203.0.113.9, 192.0.2.7"));
            assert_eq!(done.reason(), Some(LoginDone));
            // Twice: the second time the session is known.
            for _ in 0..2 {
                browser.send(&request()).assert_served_to("alice");
            }
            let answer = browser.send(&elsewhere);
            assert_eq!(answer.reason(), bound.then_some(LoginRequired), "{bond}, bound: {bound}");
            assert_eq!(answer.all("set-cookie").len(), 0);
        }
    }
}

/// `partition`: an application of its own on the same host, with the same provider and client.
#[test]
fn sessions_of_another_partition_are_no_sessions_here() {
    let shop = |partition: Option<&str>| {
        Shop::with(|config| {
            let mut rule = json!({
                "name": "pay",
                "match": { "host": "shop.example.com", "path_prefix": "/pay" },
                "login": { "redirect_uri": format!("{SHOP}/pay/callback") },
            });
            if let Some(partition) = partition {
                rule["login"]["partition"] = json!(partition);
            }
            config["rules"].as_array_mut().unwrap().insert(0, rule);
        })
    };
    let apart = shop(Some("pay"));
    let mut browser = apart.guest();
    assert_eq!(browser.send(&background("/pay/cart")).reason(), Some(LoginRequired));
    browser.open("/pay/cart").assert_served_to("alice");
    assert_eq!(browser.session_cookies().len(), 2);
    browser.send(&background("/cart")).assert_served_to("alice");
    // Without a partition of its own the one session serves both.
    let together = shop(None);
    together.guest().send(&background("/pay/cart")).assert_served_to("alice");
}

#[test]
fn what_polls_does_not_keep_a_session_alive() {
    for (path, keeps) in [("/poll", false), ("/poll/x?y=1", false), ("/pollen", true), ("/", true)] {
        let shop = Shop::with(|config| config["defaults"]["login"]["passive_paths"] = json!(["/poll"]));
        let mut browser = shop.guest();
        for _ in 0..15 {
            shop.script.advance(59);
            browser.send(&background(path));
        }
        shop.script.advance(59);
        let answer = browser.send(&background("/"));
        assert_eq!(answer.reason(), (!keeps).then_some(LoginRequired), "{path}");
    }
}

#[test]
fn a_session_is_told_of_in_the_headers_that_are_asked_for() {
    let all = ["id", "subject", "timeout", "idle", "absolute"];
    let shop = Shop::with(|config| config["session"]["headers"] = json!({ "request": all, "response": ["timeout"] }));
    let mut browser = shop.guest();
    shop.script.advance(100);
    let forged = background("/").with("session-subject", "root").with("Session_Id", "x");
    let answer = browser.send(&forged);
    let told = |name: &str| answer.service(name);
    assert_eq!(told("session-subject"), ["u-1"]);
    // The use of it was just written down.
    assert_eq!(
        (told("session-timeout"), told("session-idling-timeout")),
        (vec!["800".to_owned()], vec!["800".to_owned()])
    );
    assert_eq!(told("session-absolute-timeout"), [(8 * HOUR - 100).to_string()]);
    assert_eq!(answer.header("session-timeout").as_deref(), Some("800"));
    let id = told("session-id");
    assert_eq!(id.len(), 1);
    // It opens nothing.
    let name = browser.session()[0].0.clone();
    let stranger = background("/").with("cookie", format!("{name}={}", id[0]));
    assert_eq!(shop.decide(&stranger).reason(), Some(LoginRequired));
    assert_eq!(told("session_id"), [""; 0]);
    // Nobody is told of what nobody asked for.
    let quiet = Shop::new();
    let names = quiet.guest().send(&background("/")).service_names();
    assert!(names.iter().all(|name| !name.starts_with("session-")), "{names:?}");
}

fn informing() -> Shop {
    Shop::with(|config| config["defaults"]["session_info_path"] = json!("/oauth/session"))
}

/// S24, S27 (GO-2024-2965).
#[test]
fn a_page_may_know_who_its_user_is_and_never_a_token() {
    let shop = informing();
    let mut browser = shop.guest();
    shop.script.advance(600);
    let answer = browser.send(&background("/oauth/session"));
    assert_eq!((answer.reason(), answer.status()), (Some(SessionInfo), 200));
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(answer.header("vary").as_deref(), Some("cookie"));
    let said: Value = serde_json::from_str(answer.body()).unwrap();
    let now = shop.now().as_secs();
    assert_eq!((&said["iss"], &said["sub"]), (&json!(ISSUER), &json!("u-1")));
    assert_eq!(said["claims"]["preferred_username"], json!("alice"));
    assert_eq!(said["idle_expires"], json!(now + 300));
    assert_eq!(said["expires"], said["idle_expires"]);
    assert_eq!(said["absolute_expires"], json!(now - 600 + 8 * HOUR));
    for secret in shop.idp.secrets() {
        assert!(!answer.body().contains(&secret));
    }
    // To ask is no use.
    shop.script.advance(299);
    assert_eq!(browser.send(&background("/oauth/session")).reason(), Some(SessionInfo));
    shop.script.advance(1);
    assert_eq!(browser.send(&background("/oauth/session")).reason(), Some(LoginRequired));
    assert_eq!(shop.decide(&background("/oauth/session")).reason(), Some(LoginRequired));
    assert_eq!(shop.guest().send(&background("/oauth/session").method("PUT")).reason(), Some(MethodNotAllowed));
    // Elsewhere the path is the service's.
    Shop::new().guest().send(&background("/oauth/session")).assert_served_to("alice");
}

/// `?refresh=1` renews on purpose; another site's page cannot, and nobody can do it again and again.
#[test]
fn a_page_may_have_the_tokens_renewed() {
    for (site, renews) in [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)] {
        let shop = informing();
        shop.idp.rotates_refresh_tokens();
        let mut browser = shop.guest();
        let before = browser.session();
        shop.script.advance(6);
        let mut ask = background("/oauth/session?refresh=1").without("sec-fetch-site").with("sec-fetch-site", site);
        ask.cross_site = false;
        let answer = browser.send(&ask);
        assert_eq!((answer.reason(), browser.session() != before), (Some(SessionInfo), renews), "{site}");
        assert_eq!(shop.calls(Endpoint::Token), if renews { 2 } else { 1 });
        let said: Value = serde_json::from_str(answer.body()).unwrap();
        let ends = shop.now().as_secs() + if renews { 300 } else { 294 };
        assert_eq!(said["access_token_expires"], json!(ends), "{site}");
        browser.send(&ask);
        assert_eq!(shop.calls(Endpoint::Token), if renews { 2 } else { 1 }, "at once again");
        // When the provider ends the login, so does the session.
        shop.idp.ends_all_logins();
        shop.script.advance(6);
        let reason = browser.send(&ask).reason();
        assert_eq!(reason, Some(if renews { RefreshRefused } else { SessionInfo }), "{site}");
    }
}

/// Who was logged out in another tab is nobody here either.
#[test]
fn a_page_is_told_of_a_logout() {
    let shop = Shop::with_logout().reconfigured(|config| config["defaults"]["session_info_path"] = json!("/me"));
    let mut browser = shop.guest();
    assert_eq!(browser.send(&background("/me")).reason(), Some(SessionInfo));
    let mut logout = post("/oauth/logout", "").without("sec-fetch-site").with("sec-fetch-site", "same-origin");
    logout.cross_site = false;
    browser.clone().send(&logout);
    assert_eq!(browser.send(&background("/me")).reason(), Some(LoginRequired));
}

fn reverifying() -> Shop {
    Shop::with(|config| config["defaults"]["require"] = json!({ "reverify": "introspection" }))
}

#[test]
fn a_session_whose_token_is_not_active_any_more_is_over() {
    let shop = reverifying();
    let mut browser = shop.guest();
    browser.send(&background("/")).assert_served_to("alice");
    shop.idp.introspection(|answer| *answer = json!({ "active": false }));
    // What was said holds for a minute.
    shop.script.advance(59);
    browser.send(&background("/")).assert_served_to("alice");
    shop.script.advance(2);
    assert_eq!(browser.send(&background("/")).reason(), Some(LoginRequired));
}

#[test]
fn a_session_that_cannot_be_verified_again_does_not_pass() {
    let shop = reverifying();
    let mut browser = shop.browser();
    shop.idp.answers_with(Endpoint::Introspection, 500);
    assert_eq!(browser.open("/").reason(), Some(IntrospectionUnavailable));
    shop.idp.recovers();
    shop.script.advance(10);
    browser.send(&background("/")).assert_served_to("alice");
    // Another subject than the session's.
    let shop = reverifying();
    shop.idp.introspection(|answer| answer["sub"] = json!("u-2"));
    assert_eq!(shop.browser().open("/").reason(), Some(AccessTokenClaims));
}
