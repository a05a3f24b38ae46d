//! What several hosts with one store do once, and know together: renewals, logouts (attacks S17 to S20, L06, L12, W11).

use crate::support::*;
use Reason::*;

/// A shop with a store, whose provider gives access tokens for 300 s, and refresh tokens that each work once.
fn shop(change: impl FnOnce(&mut Value)) -> Shop {
    let shop = Shop::with_logout().reconfigured(|config| {
        config["session"]["idle"] = json!("1h");
        config["defaults"]["session_info_path"] = json!("/me");
        config["store"] = json!({ "redis_http": { "cluster": "webdis" } });
        change(config);
    });
    shop.idp.rotates_refresh_tokens();
    shop
}

fn local() -> Shop {
    shop(|config| config["store"]["redis_http"]["on_failure"] = json!("local"))
}

fn token(answer: &Answer) -> String {
    answer.assert_served_to("alice");
    answer.service("authorization").concat()
}

fn refreshes(shops: &[&Shop]) -> usize {
    shops.iter().map(|shop| shop.calls(Endpoint::Token)).sum::<usize>() - 1
}

fn pass(shops: &[&Shop], seconds: u64) {
    shops.iter().for_each(|shop| shop.script.advance(seconds));
}

fn lose(shop: &Shop) {
    shop.idp.redis().fails(Some(Reply::nothing().0));
}

/// The store is back, and what was tried again meanwhile has been tried.
fn recover(shop: &Shop) {
    shop.idp.redis().fails(None);
    for _ in 0..4 {
        shop.script.advance(1);
        shop.script.settle();
    }
}

fn of_kind(shop: &Shop, start: &str) -> usize {
    shop.idp.redis().names().iter().filter(|(name, _)| name.starts_with(start)).count()
}

/// S17: fifty requests at the moment of expiry, at two workers that share nothing but the store.
#[test]
fn fifty_requests_at_the_moment_of_expiry_refresh_once() {
    let first = shop(|_| {});
    let second = first.worker();
    let mut guest = first.guest();
    let before = token(&guest.get("/"));
    token(&guest.at(&second).get("/"));
    first.script.advance(300);
    let request = background("/");
    let request = request.clone().with("cookie", guest.jar.field(first.now(), &request).unwrap());
    let answers = first.decide_among(&[&first, &second], &vec![request; 50]);
    let tokens: Vec<String> = answers.iter().map(token).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0] && *token != before), "{tokens:?}");
    assert_eq!(refreshes(&[&first]), 1);
    // Both know it from then on, and the store has one session.
    for worker in [&first, &second] {
        assert_eq!(token(&guest.at(worker).get("/")), tokens[0]);
    }
    first.script.settle();
    assert_eq!((of_kind(&first, "oidc:s:"), refreshes(&[&first])), (1, 1));
}

/// What one host renewed beside a request, the other goes on with, and neither asks again: over three generations, in turn.
#[test]
fn hosts_renew_in_turn() {
    let first = shop(|_| {});
    let second = first.host();
    let both = [&first, &second];
    let mut guest = first.guest();
    let mut before = token(&guest.get("/"));
    for generation in 1..=3 {
        token(&guest.at(&second).get("/"));
        pass(&both, 241);
        let at = both[generation % 2];
        let mut there = guest.at(at);
        assert_eq!(token(&there.get("/")), before, "the request goes on with what it has");
        at.script.settle();
        let renewed = token(&there.get("/"));
        assert_ne!(renewed, before);
        // The browser's old cookie, and its new one.
        let other = both[(generation + 1) % 2];
        assert_eq!(token(&guest.at(other).get("/")), renewed);
        assert_eq!(token(&there.at(other).get("/")), renewed);
        guest = there.at(&first);
        before = renewed;
        assert_eq!(refreshes(&both), generation);
    }
}

/// A host is lost after the provider answered, before the session was written: what came of it is in the store all the same.
#[test]
fn what_a_lost_host_renewed_the_other_has() {
    let first = shop(|_| {});
    let second = first.host();
    let mut guest = first.guest();
    let before = token(&guest.get("/"));
    pass(&[&first, &second], 300);
    // Its answer is never seen, and its last write is never made.
    let renewed = token(&guest.clone().get("/"));
    first.script.lose_tasks();
    let there = token(&guest.at(&second).get("/"));
    assert!(there == renewed && there != before);
    assert_eq!(refreshes(&[&first, &second]), 1);
}

/// S18: the provider is away for two minutes; then the session is renewed, by whichever host comes first.
#[test]
fn a_provider_s_bad_day_ends_no_session() {
    let first = shop(|_| {});
    let second = first.host();
    let both = [&first, &second];
    let guest = first.guest();
    pass(&both, 241);
    let before = token(&guest.at(&first).get("/"));
    first.idp.answers_with(Endpoint::Token, 503);
    for _ in 0..10 {
        pass(&both, 12);
        for host in both {
            let answer = guest.at(host).send(&background("/"));
            assert!([None, Some(RefreshUnavailable), Some(TokenUnavailable)].contains(&answer.reason()), "{answer:?}");
            host.script.settle();
        }
    }
    first.idp.recovers();
    pass(&both, 12);
    let tokens = both.map(|host| token(&guest.at(host).get("/")));
    assert!(tokens[0] == tokens[1] && tokens[0] != before);
}

/// S20: the provider ends it; it is over everywhere, and nothing of it stays.
#[test]
fn a_refused_refresh_ends_the_session_on_every_host() {
    let first = shop(|_| {});
    let second = first.host();
    let guest = first.guest();
    token(&guest.at(&second).get("/"));
    pass(&[&first, &second], 300);
    first.idp.replies(Endpoint::Token, Reply::json(400, &json!({ "error": "invalid_grant" })));
    assert_eq!(guest.at(&first).send(&background("/")).reason(), Some(RefreshRefused));
    first.script.settle();
    assert_eq!(guest.at(&second).send(&background("/")).reason(), Some(LoginRequired));
    assert_eq!(of_kind(&first, "oidc:s:"), 0);
    assert_eq!(refreshes(&[&first, &second]), 1);
}

/// W11: the store goes while the provider is asked. What the provider gave is written when it is back; nobody asks again.
#[test]
fn a_store_that_is_lost_while_tokens_are_renewed_loses_none() {
    let first = shop(|_| {});
    let second = first.host();
    let guest = first.guest();
    pass(&[&first, &second], 300);
    let (redis, was_there) = (first.idp.redis(), std::cell::Cell::new(true));
    first.idp.tokens(move |_| {
        if was_there.replace(false) {
            redis.fails(Some(Reply::nothing().0));
        }
    });
    let answer = guest.at(&first).send(&background("/"));
    assert!([Some(StoreUnavailable), Some(RefreshUnavailable)].contains(&answer.reason()), "{:?}", answer.reason());
    recover(&first);
    second.script.advance(first.now().as_secs() - second.now().as_secs());
    let tokens = [&first, &second].map(|host| token(&guest.at(host).get("/")));
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(refreshes(&[&first, &second]), 1);
}

/// `on_failure: local`: a host renews by itself what it knows, and its browser goes on with that when the store is back.
#[test]
fn with_local_a_host_renews_by_itself() {
    let first = local();
    let mut guest = first.guest();
    let before = token(&guest.get("/"));
    lose(&first);
    first.script.advance(300);
    let renewed = token(&guest.get("/"));
    assert_ne!(renewed, before);
    assert_eq!(token(&guest.get("/")), renewed);
    recover(&first);
    assert_eq!(token(&guest.get("/")), renewed);
    assert_eq!(refreshes(&[&first]), 1);
}

/// L1, L12: logged out at one host, the session is over at the other within a second, which has met it; and it is gone.
#[test]
fn a_logout_is_known_everywhere_within_a_second() {
    let first = shop(|_| {});
    let second = first.host();
    let mut guest = first.guest();
    let mut stolen = guest.at(&second);
    let mut other = first.guest();
    assert!(is_in(&mut stolen));
    let mut request = post("/oauth/logout", "").without("sec-fetch-site").with("sec-fetch-site", "same-origin");
    request.cross_site = false;
    // At a worker that has not met it.
    let answer = guest.at(&first.worker()).send(&request);
    assert_eq!(answer.reason(), Some(LogoutStarted));
    pass(&[&first, &second], 1);
    assert!(!is_in(&mut stolen) && !is_in(&mut guest));
    assert!(is_in(&mut other) && is_in(&mut other.at(&second)), "another session of the same person");
    first.script.settle();
    assert_eq!(of_kind(&first, "oidc:s:"), 1);
}

/// L06, L9: the provider ends a session at one host; a copy of its token is known at the other.
#[test]
fn a_logout_token_counts_everywhere_and_once() {
    let first = shop(|_| {});
    let second = first.host();
    let guest = first.guest();
    assert!(is_in(&mut guest.at(&second)));
    let told = first.idp.logout_token(|_| {});
    assert_eq!(first.tells(&told).reason(), Some(LogoutTold));
    pass(&[&first, &second], 1);
    assert!(!is_in(&mut guest.at(&second)));
    assert_eq!(second.tells(&told).reason(), Some(LogoutTokenReplayed));
}

/// W11: nobody is told that a logout was done which other hosts may never hear of.
#[test]
fn a_logout_that_cannot_be_told_is_none() {
    for shop in [shop(|_| {}), local()] {
        let guest = shop.guest();
        let told = shop.idp.logout_token(|_| {});
        lose(&shop);
        assert_eq!((shop.tells(&told).reason(), shop.tells(&told).status()), (Some(StoreUnavailable), 503));
        recover(&shop);
        assert_eq!(shop.tells(&told).reason(), Some(LogoutTold));
        assert!(!is_in(&mut guest.at(&shop.worker())));
    }
}

/// A page renews on purpose: with the cookie that it gets, every host gives the new tokens at once.
#[test]
fn what_a_page_had_renewed_every_host_has_at_once() {
    let first = shop(|_| {});
    let second = first.host();
    let mut guest = first.guest();
    let before = token(&guest.at(&second).get("/"));
    pass(&[&first, &second], 100);
    let mut request = background("/me?refresh=1").without("sec-fetch-site").with("sec-fetch-site", "same-origin");
    request.cross_site = false;
    assert_eq!(guest.send(&request).reason(), Some(SessionInfo));
    let renewed = token(&guest.at(&second).get("/"));
    assert_ne!(renewed, before);
    assert_eq!(token(&guest.get("/")), renewed);
    assert_eq!(refreshes(&[&first, &second]), 1);
}

/// `bind`: a handle that another browser shows is none, and the store is not asked about it.
#[test]
fn a_handle_is_bound_to_what_is_configured() {
    let shop = shop(|config| config["session"]["bind"] = json!(["user_agent"]));
    let guest = shop.guest();
    let cookie = guest.jar.field(shop.now(), &get("/")).unwrap();
    // It told of no agent when it logged in.
    let own = background("/").with("cookie", cookie);
    for worker in [&shop, &shop.worker()] {
        assert_eq!(worker.decide(&own.clone().with("user-agent", "another")).reason(), Some(LoginRequired));
        worker.decide(&own).assert_served_to("alice");
    }
}

/// Who asked to be remembered has a handle of that name and life, and a login without it takes it away.
#[test]
fn a_remembered_handle_lives_its_own_life() {
    let shop = shop(|config| config["session"]["remember"] = json!({ "idle": "7d", "absolute": "30d" }));
    let mut browser = shop.browser();
    browser.open("/?remember=1").assert_served_to("alice");
    let names: Vec<String> = browser.session().into_iter().map(|(name, _)| name).collect();
    assert!(names.len() == 1 && names[0].contains("remember"), "{names:?}");
    shop.script.advance(5 * 24 * 3600);
    browser.jar.close();
    browser.at(&shop.worker()).get("/").assert_served_to("alice");
    shop.script.settle();
    assert_eq!(of_kind(&shop, "oidc:s:"), 1);
}

/// What polls keeps no session alive, not even at a worker that meets it late.
#[test]
fn what_polls_does_not_keep_a_session_alive() {
    for (path, keeps) in [("/poll", false), ("/", true)] {
        let shop = shop(|config| {
            config["session"]["idle"] = json!("15m");
            config["session"]["refresh"] = json!({ "before": "0s" });
            config["defaults"]["login"]["passive_paths"] = json!(["/poll"]);
        });
        shop.idp.tokens(|tokens| tokens["expires_in"] = json!(36_000));
        let guest = shop.guest();
        shop.script.advance(850);
        let late = shop.worker();
        let mut there = guest.at(&late);
        there.send(&background(path)).assert_served_to("alice");
        late.script.settle();
        shop.script.advance(60);
        for worker in [&late, &shop] {
            let answer = there.at(worker).send(&background("/"));
            assert_eq!(answer.reason(), (!keeps).then_some(LoginRequired), "{path}");
        }
    }
}

/// A session that was whole in its cookies when a store came is renewed once for all hosts, too, and stays whole.
#[test]
fn a_session_from_before_the_store_is_renewed_once_for_all() {
    let before = shop(|config| drop(config.as_object_mut().unwrap().remove("store")));
    let guest = before.guest();
    let first = before.reconfigured(|config| config["store"] = json!({ "redis_http": { "cluster": "webdis" } }));
    let second = first.host();
    pass(&[&first, &second], 300);
    let mut there = guest.at(&first);
    let renewed = token(&there.get("/"));
    assert_eq!(token(&guest.at(&second).get("/")), renewed);
    assert_eq!(token(&there.at(&second).get("/")), renewed);
    second.script.settle();
    assert_eq!(refreshes(&[&first, &second]), 1);
    assert_eq!(of_kind(&first, "oidc:s:"), 0);
}
