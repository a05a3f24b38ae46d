//! A provider that goes away and comes back (attacks D12 to D14, K07 to K12, V10; conformance K3, K6).

use crate::support::*;
use Reason::*;

const HOUR: u64 = 3600;

/// D12 (oauth2-proxy#3487): what needs no login works; logins get 503 with all that goes with it; it heals by itself.
#[test]
fn a_provider_that_is_down_at_start_costs_new_logins_alone() {
    let shop = Shop::new();
    shop.idp.replies_always(&Reply::nothing());
    for _ in 0..5 {
        shop.script.advance(1);
        assert_eq!(shop.decide(&get("/public/x")).reason(), None);
        assert_eq!(shop.decide(&background("/maybe")).reason(), None);
        let answer = shop.decide(&get("/"));
        assert_eq!((answer.reason(), answer.status()), (Some(DiscoveryUnavailable), 503));
        assert_eq!(answer.header("retry-after").as_deref(), Some("5"));
        assert_eq!(answer.all("set-cookie"), [""; 0]);
    }
    shop.idp.recovers();
    shop.script.advance(5);
    shop.guest();
}

/// V10: within five seconds of its return, however long it was away; and not asked more than it can bear.
#[test]
fn an_outage_of_any_length_heals_within_five_seconds() {
    for seconds in [0, 1, 2, 3, 7, 60, 600] {
        let shop = Shop::new();
        shop.idp.replies_always(&Reply::nothing());
        for _ in 0..=seconds {
            assert_eq!(shop.decide(&get("/")).reason(), Some(DiscoveryUnavailable));
            shop.script.advance(1);
        }
        assert!(shop.script.calls().len() as u64 <= 4 + seconds / 3, "{} calls", shop.script.calls().len());
        shop.idp.recovers();
        shop.script.advance(4);
        assert_eq!(shop.decide(&get("/")).reason(), Some(LoginStarted), "after {seconds} s");
    }
}

/// V10: up and down each second.
#[test]
fn a_provider_that_flaps_is_asked_rarely_and_found_again() {
    let shop = Shop::new();
    for second in 0..60 {
        if second % 2 == 0 {
            shop.idp.replies_always(&Reply::json(503, &json!({})))
        } else {
            shop.idp.recovers()
        }
        for _ in 0..10 {
            shop.decide(&get("/"));
        }
        shop.script.advance(1);
    }
    assert!(shop.calls(Endpoint::Discovery) <= 30, "{}", shop.calls(Endpoint::Discovery));
    shop.idp.recovers();
    shop.script.advance(4);
    shop.guest();
}

/// D13: who has a session does not notice, and no request waits.
#[test]
fn sessions_do_not_need_the_provider() {
    let shop = Shop::new();
    let mut guest = shop.guest();
    let calls = shop.script.calls().len();
    shop.idp.replies_always(&Reply::nothing());
    for _ in 0..10 {
        shop.script.advance(600);
        guest.get("/").assert_served_to("alice");
    }
    assert_eq!(shop.script.calls().len(), calls);
}

/// K6, D09, K07: what was good stays good while what comes is not.
#[test]
fn the_last_good_documents_serve_through_an_outage() {
    let faults = [
        Reply::nothing(),
        Reply::json(500, &json!({})),
        Reply::of(200, "text/html", "<p>maintenance</p>"),
        Reply::json(200, &json!({ "keys": [] })),
        Reply::json(200, &json!({ "issuer": "https://evil.example" })),
        Reply::of(200, "application/json", " ".repeat(1024 * 1024)),
        Reply::of(302, "application/json", ""),
    ];
    for fault in faults {
        let shop = Shop::new();
        shop.guest();
        shop.idp.replies(Endpoint::Discovery, fault.clone());
        shop.idp.replies(Endpoint::Jwks, fault.clone());
        for _ in 0..5 {
            shop.script.advance(2 * HOUR);
            shop.guest();
            shop.script.settle();
        }
        assert!(shop.calls(Endpoint::Discovery) > 1 && shop.calls(Endpoint::Jwks) > 1, "{fault:?}");
        // Its return is noticed behind somebody's back, who does not wait for it.
        shop.idp.recovers();
        shop.idp.rotates_to(Signer::p256("two", 2));
        shop.script.advance(2 * HOUR);
        shop.guest();
    }
}

/// A stale document is fetched behind the request that finds it so.
#[test]
fn nobody_waits_for_a_fresher_document() {
    let shop = Shop::new();
    shop.guest();
    shop.script.advance(HOUR + 1);
    let before = shop.calls(Endpoint::Discovery);
    assert_eq!(shop.decide(&get("/")).reason(), Some(LoginStarted));
    shop.script.settle();
    assert_eq!(shop.calls(Endpoint::Discovery), before + 1);
    shop.decide(&get("/"));
    shop.script.settle();
    assert_eq!(shop.calls(Endpoint::Discovery), before + 1, "once");
}

/// D14: a document that names other keys each time is read once in its interval.
#[test]
fn metadata_that_changes_all_the_time_is_read_once_an_hour() {
    let shop = Shop::new();
    for turn in 0..20 {
        shop.idp.metadata(|document| document["jwks_uri"] = json!(format!("{ISSUER}/jwks/{turn}")));
        shop.guest();
        shop.script.advance(60);
    }
    assert_eq!(shop.calls(Endpoint::Discovery), 1);
    assert_eq!(shop.calls(Endpoint::Jwks), 1);
    assert!(shop.script.calls().contains(&"GET /jwks/0".to_owned()));
}

/// K10 (OIDC Core §10.1.1): a new key is fetched once, within the login that needs it.
#[test]
fn a_rotation_costs_one_fetch() {
    let shop = Shop::new();
    shop.guest();
    assert_eq!(shop.calls(Endpoint::Jwks), 1);
    shop.idp.rotates_to(Signer::p256("two", 2));
    shop.guest();
    assert_eq!(shop.calls(Endpoint::Jwks), 2);
    shop.guest();
    assert_eq!(shop.calls(Endpoint::Jwks), 2);
}

/// K09: a provider that signs with keys that it does not publish is asked for them now and then, however many log in.
#[test]
fn unknown_keys_are_looked_for_once_in_two_seconds() {
    let shop = Shop::new();
    shop.guest();
    shop.idp.signs_with(Signer::p256("unknown", 9));
    for second in 0..20 {
        for _ in 0..5 {
            assert_eq!(shop.browser().open("/").reason(), Some(IdTokenKeyUnknown));
        }
        shop.script.advance(1);
        let fetches = shop.calls(Endpoint::Jwks);
        assert!(fetches <= 2 + second / 2, "{fetches} fetches after {second} s");
    }
    // Published at last, it is found when the throttle allows.
    shop.idp.rotates_to(Signer::p256("unknown", 9));
    shop.script.advance(2);
    shop.guest();
}

/// K11: a key that is withdrawn is not trusted for ever.
#[test]
fn a_withdrawn_key_ends_with_the_life_of_the_set() {
    let shop = Shop::new();
    shop.guest();
    let other = Signer::p256("two", 2);
    shop.idp.publishes(vec![other.jwk()]);
    shop.script.advance(2 * HOUR);
    shop.browser().open("/");
    shop.script.settle();
    assert_eq!(shop.browser().open("/").reason(), Some(IdTokenKeyUnknown));
    shop.idp.signs_with(other);
    shop.guest();
}

/// K12: while the refetch fails, the known keys go on; the unknown one is our provider's bad day first.
#[test]
fn a_refetch_that_fails_leaves_the_known_keys() {
    let shop = Shop::new();
    shop.guest();
    shop.idp.replies(Endpoint::Jwks, Reply::json(500, &json!({})));
    shop.idp.signs_with(Signer::p256("two", 2));
    assert_eq!(shop.browser().open("/").reason(), Some(JwksUnavailable));
    assert_eq!(shop.browser().open("/").reason(), Some(IdTokenKeyUnknown));
    assert_eq!(shop.calls(Endpoint::Jwks), 2);
    shop.idp.signs_with(Signer::p256("one", 1));
    shop.guest();
}

/// E04 (DESIGN §2): one flight for one question, however many ask, well or not.
#[test]
fn many_ask_and_the_provider_is_asked_once() {
    for (fault, reason) in [(None, LoginStarted), (Some(Reply::nothing()), DiscoveryUnavailable)] {
        let shop = Shop::new();
        if let Some(fault) = fault {
            shop.idp.replies_always(&fault);
        }
        let answers = shop.decide_together(&vec![get("/"); 200]);
        assert!(answers.iter().all(|answer| answer.reason() == Some(reason)));
        assert_eq!(shop.calls(Endpoint::Discovery), 1);
    }
}

/// W09: the host's clock goes back by an hour amid an outage.
#[test]
fn a_clock_that_goes_back_does_not_lengthen_an_outage() {
    let shop = Shop::new();
    shop.idp.replies_always(&Reply::nothing());
    assert_eq!(shop.decide(&get("/")).reason(), Some(DiscoveryUnavailable));
    shop.script.turn_back(HOUR);
    shop.idp.recovers();
    shop.script.advance(4);
    shop.guest();
}
