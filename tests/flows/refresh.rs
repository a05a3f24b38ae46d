//! When a session's tokens are renewed, and by whom (attacks S17 to S20, S24; conformance F2).

use crate::support::*;
use Reason::*;

/// A shop whose provider gives access tokens for 300 s, and refresh tokens that each work once.
fn shop() -> Shop {
    shop_with(|_| {})
}

fn shop_with(change: impl FnOnce(&mut Value)) -> Shop {
    let shop = Shop::with(|config| {
        config["session"]["idle"] = json!("1h");
        change(config);
    });
    shop.idp.rotates_refresh_tokens();
    shop
}

/// How often tokens were asked for, the login aside.
fn refreshes(shop: &Shop) -> usize {
    shop.calls(Endpoint::Token) - 1
}

fn token(answer: &Answer) -> String {
    answer.assert_served_to("alice");
    answer.service("authorization").concat()
}

fn in_the_background(browser: &mut Browser<'_>) -> Answer {
    browser.send(&background("/"))
}

#[test]
fn a_session_is_renewed_beside_a_request_and_its_cookie_rides_on_the_answer() {
    let shop = shop();
    let mut guest = shop.guest();
    let first = token(&guest.get("/"));
    let before = guest.session();
    shop.script.advance(219);
    assert_eq!(token(&guest.get("/")), first);
    assert_eq!(refreshes(&shop), 0, "not due yet");
    shop.script.advance(22);
    let answer = guest.get("/");
    assert_eq!(token(&answer), first, "the request goes on with what it has");
    // S24: what sets a cookie is not for caches.
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert_ne!(guest.session(), before);
    assert_ne!(token(&guest.get("/")), first);
    assert_eq!(refreshes(&shop), 1);
}

#[test]
fn a_service_that_is_faster_than_the_provider_waits_for_nobody() {
    let shop = shop();
    let mut guest = shop.guest();
    let first = token(&guest.get("/"));
    shop.script.advance(241);
    shop.is_quick.set(true);
    let answer = guest.get("/");
    assert_eq!((token(&answer), answer.all("set-cookie").len()), (first.clone(), 1), "its use is written down");
    shop.script.settle();
    // The next request has it, whichever worker it comes to.
    let other = shop.worker();
    let mut guest = guest.at(&other);
    assert_ne!(token(&guest.get("/")), first);
    assert_eq!(refreshes(&shop), 1);
}

/// S17, peers' pain 1: fifty requests at the moment of expiry, over one worker and over two.
#[test]
fn fifty_requests_at_the_moment_of_expiry_refresh_once() {
    for workers in [1, 2] {
        let shop = shop();
        let mut guest = shop.guest();
        let first = token(&guest.get("/"));
        shop.script.advance(300);
        let request = background("/");
        let request = request.clone().with("cookie", guest.jar.field(shop.now(), &request).unwrap());
        let other = shop.worker();
        let answers = shop.decide_among(&[&shop, &other][..workers], &vec![request; 50]);
        let tokens: Vec<String> = answers.iter().map(token).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0] && *token != first), "{workers} workers");
        assert!(answers.iter().all(|answer| !answer.all("set-cookie").is_empty()));
        assert_eq!(refreshes(&shop), 1, "{workers} workers");
    }
}

/// S18, and the client that left in the middle: it comes back with the old cookie, after seconds and after minutes.
#[test]
fn an_old_cookie_gets_the_same_new_tokens_until_the_new_one_was_seen() {
    let shop = shop();
    let mut guest = shop.guest();
    shop.script.advance(300);
    let mut gone = guest.clone();
    let renewed = token(&gone.get("/"));
    for wait in [20, 100, 60] {
        shop.script.advance(wait);
        let answer = in_the_background(&mut guest.clone());
        assert_eq!(token(&answer), renewed, "another {wait} s later");
    }
    assert_eq!(refreshes(&shop), 1);
    // The browser shows the new one: for a little while requests may be under way with the old one.
    let old = guest.clone();
    in_the_background(&mut guest);
    assert_eq!(token(&in_the_background(&mut guest)), renewed);
    shop.script.advance(29);
    assert_eq!(token(&in_the_background(&mut old.clone())), renewed);
    assert_eq!(refreshes(&shop), 1);
    shop.script.advance(2);
    assert_eq!(
        in_the_background(&mut old.clone()).reason(),
        Some(RefreshRefused),
        "RFC 9700 §4.14: a copy is found out"
    );
}

/// Two refreshes of which a client saw no answer.
#[test]
fn a_browser_two_generations_behind_is_still_in() {
    let shop = shop();
    let guest = shop.guest();
    for refreshed in 1..=2 {
        shop.script.advance(300);
        token(&in_the_background(&mut guest.clone()));
        assert_eq!(refreshes(&shop), refreshed);
    }
    let other = shop.worker();
    let mut late = guest.at(&other);
    let renewed = token(&late.get("/"));
    assert_eq!(token(&late.get("/")), renewed);
    assert_eq!(refreshes(&shop), 2);
}

/// S19: none of these ends the session; each is its reason's twin of the next try, which succeeds.
#[test]
fn a_provider_s_bad_day_ends_no_session() {
    let error = |status, error: &str| Reply::json(status, &json!({ "error": error }));
    for (reply, reason) in [
        (Reply::nothing(), RefreshUnavailable),
        (Reply::failed(CallError::Busy), ProviderBusy),
        (Reply::of(500, "text/html", "oops"), RefreshUnavailable),
        (Reply::of(429, "application/json", "{}"), RefreshUnavailable),
        (Reply::of(200, "text/html", "<p>maintenance</p>"), RefreshUnavailable),
        (error(400, "temporarily_unavailable"), RefreshUnavailable),
        (error(400, "invalid_request"), RefreshUnavailable),
        (error(401, "invalid_client"), ClientRefused),
        (error(400, "unauthorized_client"), ClientRefused),
    ] {
        let shop = shop();
        let mut guest = shop.guest();
        let first = token(&guest.get("/"));
        shop.idp.replies(Endpoint::Token, reply.clone());
        shop.script.advance(250);
        for _ in 0..5 {
            assert_eq!(token(&guest.get("/")), first, "{reply:?}");
        }
        assert_eq!(refreshes(&shop), 1, "it is not asked again at once: {reply:?}");
        shop.script.advance(50);
        for _ in 0..5 {
            let answer = guest.get("/");
            assert_eq!((answer.reason(), answer.status()), (Some(reason), 503), "{reply:?}");
            assert!(answer.all("set-cookie").is_empty(), "no logout: {reply:?}");
        }
        assert_eq!(refreshes(&shop), 2, "{reply:?}");
        shop.idp.recovers();
        shop.script.advance(6);
        assert_ne!(token(&guest.get("/")), first, "{reply:?}");
    }
}

/// S20: a page begins one login, a script is told why, and both lose the cookie. Its twin is S17.
#[test]
fn invalid_grant_ends_the_session() {
    let shop = shop();
    let guest = shop.guest();
    shop.script.advance(241);
    shop.idp.ends_all_logins();
    token(&guest.clone().get("/"));
    let mut script = guest.clone();
    let answer = in_the_background(&mut script);
    assert_eq!((answer.reason(), answer.status()), (Some(RefreshRefused), 401));
    assert!(script.session_cookies().is_empty());
    let mut page = guest.clone();
    assert_eq!(page.get("/").reason(), Some(LoginStarted));
    assert!(page.session_cookies().is_empty());
    assert_eq!(refreshes(&shop), 1, "nobody asks again");
    page.open("/").assert_served_to("alice");
    let mut optional = guest.clone();
    assert_eq!(optional.get("/maybe").service("x-user"), Vec::<String>::new(), "where nobody must be known");
}

/// A session without a refresh token goes on without the access token, and so does one that is not to be refreshed.
#[test]
fn a_session_that_cannot_be_renewed_goes_on_without_a_token() {
    let plain = Shop::new();
    let never = shop_with(|config| config["session"]["refresh"] = json!("never"));
    for shop in [plain, never] {
        let mut guest = shop.guest();
        shop.script.advance(301);
        assert_eq!(token(&guest.get("/")), "");
        assert_eq!(refreshes(&shop), 0);
    }
}

#[test]
fn before_none_means_that_requests_wait_when_it_has_ended() {
    let shop = shop_with(|config| config["session"]["refresh"] = json!({ "before": "0s" }));
    let mut guest = shop.guest();
    let first = token(&guest.get("/"));
    shop.script.advance(299);
    assert_eq!(token(&guest.get("/")), first);
    assert_eq!(refreshes(&shop), 0);
    shop.script.advance(1);
    assert_ne!(token(&guest.get("/")), first);
    assert_eq!(refreshes(&shop), 1);
}

/// The worker that refreshes is lost before it has asked: another one takes over when its lease has lapsed.
#[test]
fn a_lost_leader_s_work_is_taken_over() {
    let shop = shop();
    let guest = shop.guest();
    shop.script.advance(241);
    shop.is_quick.set(true);
    token(&guest.clone().get("/"));
    shop.script.lose_tasks();
    shop.script.advance(59);
    let other = shop.worker();
    token(&in_the_background(&mut guest.at(&other)));
    assert_eq!(refreshes(&shop), 1);
}

/// What other modules write into the table is not believed (they share the host's namespace).
#[test]
fn a_forged_record_ends_no_session_and_begins_none() {
    use oidc_proxy_wasm::world::Host;
    let shop = shop();
    let guest = shop.guest();
    shop.script.advance(241);
    token(&guest.clone().get("/"));
    let keys = || shop.script.shared_keys().into_iter().filter(|key| key.contains("/r/"));
    let key = keys().next().unwrap();
    let (good, version) = shop.script.shared(&key).unwrap();
    assert!(good.len() > 200 && !good.windows(3).any(|bytes| bytes == b"at-" || bytes == b"rt-"), "it is sealed");
    for at in 0..good.len() {
        let (_, version) = shop.script.shared(&key).unwrap();
        let mut bent = good.clone();
        bent[at] ^= 1;
        shop.script.share(&key, &bent, version).unwrap();
        shop.is_quick.set(true);
        token(&guest.clone().get("/"));
        shop.script.lose_tasks();
    }
    let (_, now) = shop.script.shared(&key).unwrap();
    assert_ne!(now, version);
    shop.script.share(&key, &good, now).unwrap();
    let asked = refreshes(&shop);
    shop.script.advance(60);
    token(&in_the_background(&mut guest.clone()));
    assert_eq!(refreshes(&shop), asked, "the good one still is");
}

/// W02: where nothing is shared, a worker remembers by itself.
#[test]
fn without_shared_data_a_worker_refreshes_once_by_itself() {
    let mut shop = shop();
    shop.script = shop.script.clone().without_shared_data();
    let guest = shop.guest();
    shop.script.advance(300);
    let renewed = token(&in_the_background(&mut guest.clone()));
    shop.script.advance(20);
    assert_eq!(token(&in_the_background(&mut guest.clone())), renewed);
    assert_eq!(refreshes(&shop), 1);
}
