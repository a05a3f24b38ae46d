//! Sessions by handle, and what hosts tell each other through the store (attacks W11, W12, S01 to S06 for handles).

use crate::support::*;
use Reason::*;

fn shop() -> Shop {
    Shop::with_store(json!({}))
}

fn local() -> Shop {
    Shop::with_store(json!({ "on_failure": "local" }))
}

fn lose(shop: &Shop) {
    shop.idp.redis().fails(Some(Reply::nothing().0));
}

/// How often sessions were read, and how often they were written.
fn sessions_read(shop: &Shop) -> usize {
    shop.idp.redis().asked().iter().filter(|asked| asked.starts_with("MGET oidc:s:")).count()
}

fn sessions_kept(shop: &Shop) -> Vec<String> {
    let names = shop.idp.redis().names().into_iter().map(|(name, _)| name);
    names.filter(|name| name.starts_with("oidc:s:")).collect()
}

#[test]
fn a_login_on_one_host_is_known_on_the_other() {
    let first = shop();
    let second = first.host();
    let mut guest = first.guest();
    guest.at(&second).get("/cart").assert_served_to("alice");
    guest.get("/cart").assert_served_to("alice");
    // The cookie is a handle, however large the session.
    let session = guest.session();
    assert_eq!((session.len(), sessions_kept(&first).len()), (1, 1));
    assert!(session[0].1.len() < 128, "{}", session[0].1.len());
}

/// A live session costs a call where a worker meets it first, and none after that.
#[test]
fn a_session_is_read_once_by_each_worker() {
    let first = shop();
    let second = first.worker();
    let mut guest = first.guest();
    for _ in 0..5 {
        guest.get("/").assert_served_to("alice");
        guest.at(&second).get("/").assert_served_to("alice");
    }
    assert_eq!(sessions_read(&first), 2);
}

/// W11: refused with the reason while the store is down, and all is well by itself afterwards.
#[test]
fn without_the_store_nothing_passes_that_needs_it() {
    let first = shop();
    let mut guest = first.guest();
    let faults = [
        Reply::nothing(),
        Reply::of(503, "text/html", ""),
        Reply::of(500, "application/json", "{}"),
        Reply::of(200, "text/html", "<html>"),
        Reply::of(200, "application/json", r#"{"MGET":[false,"LOADING"]}"#),
        Reply::of(403, "text/html", ""),
        Reply::failed(CallError::UnknownCluster),
        Reply::failed(CallError::TooLarge),
        Reply::failed(CallError::Busy),
    ];
    for fault in faults {
        let other = first.host();
        first.idp.redis().fails(Some(fault.0.clone()));
        let refused = guest.at(&other).get("/");
        assert_eq!((refused.reason(), refused.status()), (Some(StoreUnavailable), 503), "{fault:?}");
        assert!(refused.all("set-cookie").is_empty());
        // What needs no store goes on.
        assert_eq!(other.decide(&get("/public")).reason(), None);
        first.idp.redis().fails(None);
        other.script.advance(1);
        guest.at(&other).get("/").assert_served_to("alice");
    }
    guest.get("/").assert_served_to("alice");
}

/// A login that the store did not acknowledge has failed; nobody gets a cookie of it.
#[test]
fn a_session_that_was_not_kept_is_none() {
    let shop = shop();
    let mut browser = shop.browser();
    let callback = browser.until_callback("/");
    lose(&shop);
    let answer = browser.send(&callback);
    assert_eq!(answer.reason(), Some(StoreUnavailable));
    assert!(browser.session_cookies().is_empty());
    shop.idp.redis().fails(None);
    shop.script.advance(1);
    assert_eq!(shop.browser().open("/").reason(), None);
}

/// `on_failure: local`: what this worker knows goes on, what it does not know is none, and a new login is kept whole in its
/// cookies, which every worker reads, then and later.
#[test]
fn with_local_a_worker_goes_on_with_what_it_knows() {
    let first = local();
    let second = first.host();
    let mut guest = first.guest();
    guest.get("/").assert_served_to("alice");
    lose(&first);
    first.script.advance(10);
    guest.get("/").assert_served_to("alice");
    assert_eq!(guest.at(&second).send(&background("/")).reason(), Some(LoginRequired));
    let mut new = second.guest();
    assert!(new.session()[0].1.len() > 128);
    first.idp.redis().fails(None);
    second.script.advance(1);
    guest.at(&second).get("/").assert_served_to("alice");
    new.get("/").assert_served_to("alice");
    new.at(&first).get("/").assert_served_to("alice");
}

/// S01, S06: a handle of which any character changed, and one that we did not seal, never reach the store; beside a good
/// one they hide nothing.
#[test]
fn strange_handles_are_not_asked_about() {
    let shop = shop();
    let session = shop.guest().session();
    let (name, value) = &session[0];
    let other = shop.worker();
    let with = |value: &str| background("/").with("cookie", format!("{name}={value}"));
    assert_eq!(other.decide(&background("/")).reason(), Some(LoginRequired));
    let before = sessions_read(&shop);
    for at in 0..value.len() {
        let mut bent = value.clone();
        bent.replace_range(at..=at, if value.as_bytes()[at] == b'A' { "B" } else { "A" });
        assert_eq!(other.decide(&with(&bent)).reason(), Some(LoginRequired), "character {at}");
    }
    assert_eq!(sessions_read(&shop), before);
    let both = with(value).with("cookie", format!("{name}=11{}", "A".repeat(103)));
    other.decide(&both).assert_served_to("alice");
    other.decide(&with(value)).assert_served_to("alice");
}

/// S06 for handles: the handles of two people in one request are nobody's, known here or not.
#[test]
fn two_handles_of_two_people_are_nobody_s() {
    let shop = shop();
    let (alice, mut mallory) = (shop.guest(), shop.browser());
    shop.idp.logs_in("u-2", "mallory");
    mallory.open("/").assert_served_to("mallory");
    let field = |browsers: &[&Browser<'_>]| {
        let cookies = browsers.iter().flat_map(|browser| browser.session());
        cookies.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    };
    let both = background("/").with("cookie", field(&[&alice, &mallory]));
    let fresh = shop.worker();
    for worker in [&shop, &fresh] {
        assert_eq!(worker.decide(&both).reason(), Some(LoginRequired));
    }
    // This worker has met one of them alone.
    let half = shop.worker();
    half.decide(&background("/").with("cookie", field(&[&alice]))).assert_served_to("alice");
    assert_eq!(half.decide(&both).reason(), Some(LoginRequired));
    half.decide(&background("/").with("cookie", field(&[&mallory]))).assert_served_to("mallory");
}

/// What is under one name opens under no other: who can write to Redis swaps no sessions.
#[test]
fn an_entry_under_another_name_is_none() {
    let shop = shop();
    let mallory = shop.guest();
    let theirs = sessions_kept(&shop);
    let alice = shop.guest();
    let hers = sessions_kept(&shop).into_iter().find(|name| !theirs.contains(name)).unwrap();
    let other = shop.worker();
    alice.at(&other).get("/").assert_served_to("alice");
    let other = shop.worker();
    shop.idp.redis().copy(&theirs[0], &hers);
    assert_eq!(alice.at(&other).send(&background("/")).reason(), Some(LoginRequired));
    mallory.at(&other).get("/").assert_served_to("alice");
}

/// S10: idle life counts over all hosts: use on one keeps the session alive for the other, which has not seen it since.
#[test]
fn use_anywhere_keeps_a_session_alive() {
    let first = shop();
    let second = first.host();
    let mut guest = first.guest();
    guest.get("/").assert_served_to("alice");
    let mut there = guest.at(&second);
    for _ in 0..4 {
        first.script.advance(600);
        second.script.advance(600);
        there.get("/").assert_served_to("alice");
        second.script.settle();
    }
    // 40 minutes without use here; idle is 15.
    there.at(&first).get("/").assert_served_to("alice");
    first.script.settle();
    // Unused everywhere it ends, wherever it is asked for.
    first.script.advance(901);
    second.script.advance(901);
    for host in [&first, &second] {
        assert_eq!(there.at(host).send(&background("/")).reason(), Some(LoginRequired));
    }
}

/// Use is written down in the background, no more often than `touch`, and never by writing the session anew: somebody else
/// may just have refreshed it.
#[test]
fn use_is_written_down_without_the_session() {
    let shop = shop();
    let mut guest = shop.guest();
    for _ in 0..30 {
        shop.script.advance(20);
        guest.get("/").assert_served_to("alice");
        shop.script.settle();
    }
    let asked = shop.idp.redis().asked();
    let count = |start: &str| asked.iter().filter(|asked| asked.starts_with(start)).count();
    assert_eq!(count("SET oidc:s:"), 1);
    assert!((9..=11).contains(&count("PEXPIRE oidc:s:")), "{}", count("PEXPIRE oidc:s:"));
}

/// What was ended elsewhere is noticed at the next touch, even if nobody was told.
#[test]
fn a_session_that_is_gone_from_the_store_ends() {
    let shop = shop();
    let mut guest = shop.guest();
    guest.get("/").assert_served_to("alice");
    shop.idp.redis().forgets();
    shop.script.advance(61);
    guest.get("/").assert_served_to("alice");
    shop.script.settle();
    assert_eq!(guest.send(&background("/")).reason(), Some(LoginRequired));
}

/// C06, fixation: a new login has a new handle, and the old entry is gone.
#[test]
fn a_second_login_leaves_nothing_of_the_first() {
    let shop = shop();
    let mut guest = shop.guest();
    let (before, kept) = (guest.session(), sessions_kept(&shop));
    shop.script.advance(60);
    let mut again = shop.browser();
    let callback = again.until_callback("/");
    again.jar.0.extend(guest.jar.0.clone());
    assert_eq!(again.send(&callback).reason(), Some(LoginDone));
    shop.script.settle();
    assert_ne!(again.session(), before);
    assert_eq!(sessions_kept(&shop).len(), 1);
    assert_ne!(sessions_kept(&shop), kept);
    assert_eq!(guest.at(&shop.worker()).send(&background("/")).reason(), Some(LoginRequired));
    again.get("/").assert_served_to("alice");
    guest.jar.0.clear();
}

/// A leaked dump, with all that was ever sent: no token, no name, no session id; every entry has its end.
#[test]
fn what_the_store_sees_tells_nothing() {
    let shop = shop();
    let guest = shop.guest();
    let leaked = shop.idp.redis().leaked();
    let texts = ["alice", "u-1", "example.com", "openid", "eyJ"].map(str::to_owned).into_iter();
    for secret in shop.idp.secrets().into_iter().chain(texts).chain([guest.session()[0].1.clone()]) {
        assert!(!leaked.contains(&secret), "{secret}");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_/\n".contains(&byte);
    assert!(leaked.bytes().all(plain), "{leaked}");
    let now = shop.now().as_secs() * 1000;
    for (name, until) in shop.idp.redis().names() {
        let left = until.map(|until| until.saturating_sub(now));
        assert!(left.is_some_and(|left| (1..=901_000).contains(&left)), "{name}: {left:?}");
    }
}

/// S03: sessions outlive a rotation of secrets, at all of its steps.
#[test]
fn sessions_outlive_a_rotation_of_secrets() {
    const OLD: &str = "9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDaE";
    const NEW: &str = "vB8nL1cR6yW3zH5jP0sDaE9fK2mQ7xT4";
    let before = shop();
    let at_step = |secrets: Value| before.reconfigured(|config| config["session"]["secrets"] = secrets);
    let (added, moved, done) = (at_step(json!([OLD, NEW])), at_step(json!([NEW, OLD])), at_step(json!([NEW])));
    let (old, new) = (before.guest(), moved.guest());
    for shop in [&before, &added, &moved] {
        old.at(shop).get("/").assert_served_to("alice");
    }
    for shop in [&added, &moved, &done] {
        new.at(shop).get("/").assert_served_to("alice");
    }
    assert_eq!(old.at(&done).send(&background("/")).reason(), Some(LoginRequired));
}

/// A deployment that gets a store keeps its sessions.
#[test]
fn sessions_from_before_the_store_go_on() {
    let before = Shop::new();
    let guest = before.guest();
    let after = before.reconfigured(|config| config["store"] = json!({ "redis_http": { "cluster": "webdis" } }));
    guest.at(&after).get("/").assert_served_to("alice");
}

/// What a provider said to one host it need not say to another; without the store it is asked again.
#[test]
fn an_answer_about_a_token_serves_all_hosts() {
    let mut config = json!({ "methods": ["introspection"] });
    let first = Shop::api(config.take()).reconfigured(|config| {
        config["rules"][3]["methods"] = json!(["introspection"]);
        config["store"] = json!({ "redis_http": { "cluster": "webdis", "on_failure": "local" } });
    });
    let (second, third) = (first.host(), first.host());
    let token = first.idp.opaque(|_| {});
    let asks = |shop: &Shop| shop.decide(&background("/").bearer(&token)).assert_served_to("alice");
    asks(&first);
    first.script.settle();
    asks(&second);
    assert_eq!((first.calls(Endpoint::Introspection), second.calls(Endpoint::Introspection)), (1, 0));
    lose(&first);
    asks(&third);
    assert_eq!(third.calls(Endpoint::Introspection), 1);
    assert!(!first.idp.redis().leaked().contains(&token));
}
