//! How often secrets may be guessed at (attack G04).

use crate::support::*;
use oidc_proxy_wasm::world::Metric;

fn shop(methods: &[&str]) -> Shop {
    let limit = json!({ "per_user": 3, "per_address": 8, "per": "minute" });
    let shop = Shop::api(json!({ "methods": methods, "guess_limit": limit }));
    shop.idp.gives_jwts();
    shop.idp.knows_user("alice", "wonder");
    shop.idp.knows_client_by("batch", "secret-of-batch");
    shop.script.comes_from("192.0.2.1:4711");
    shop
}

/// What becomes of so many guesses at a name, each another one.
fn guesses(shop: &Shop, name: &str, times: usize) -> Vec<Reason> {
    let before = shop.script.asked().len();
    let guess =
        |at: usize| shop.decide(&background("/x").basic(name, &format!("guess {before} {at}"))).reason().unwrap();
    (0..times).map(guess).collect()
}

fn tried(reasons: &[Reason]) -> usize {
    assert!(reasons.iter().all(|it| matches!(it, Reason::CredentialRefused | Reason::GuessedTooOften)), "{reasons:?}");
    reasons.iter().filter(|reason| **reason == Reason::CredentialRefused).count()
}

/// G04: whoever guesses has to wait; the one who is guessed at has not.
#[test]
fn guessing_is_slowed_and_nobody_else_is_locked_out() {
    let shop = shop(&["password"]);
    let alice = background("/x").basic("alice", "wonder");
    assert_eq!(tried(&guesses(&shop, "alice", 50)), 3);
    assert_eq!(shop.calls(Endpoint::Token), 3);
    let refused = shop.decide(&background("/x").basic("alice", "wonder"));
    assert_eq!(
        (refused.reason(), refused.status()),
        (Some(Reason::GuessedTooOften), 429),
        "from there, not even the right one"
    );
    assert_eq!(refused.header("retry-after").as_deref(), Some("20"));
    assert!(shop.script.counted(Metric::GuessesRefused) > 0);
    // She herself, from elsewhere; and then, being known, from everywhere.
    shop.script.comes_from("192.0.2.2:4711");
    shop.decide(&alice).assert_served_to("alice");
    shop.script.comes_from("192.0.2.1:4712");
    shop.decide(&alice).assert_served_to("alice");
    // Names after names from one address.
    assert_eq!((0..20).map(|at| tried(&guesses(&shop, &format!("user{at}"), 1))).sum::<usize>(), 5);
    shop.script.comes_from("192.0.2.2:4711");
    assert_eq!(tried(&guesses(&shop, "bob", 1)), 1);
}

/// Right credentials cost nothing, however many there are, and neither does a provider that is down.
#[test]
fn only_what_is_wrong_counts() {
    let shop = shop(&["password"]);
    for at in 0..50 {
        let (name, password) = (format!("user{at}"), format!("password {at}"));
        shop.idp.knows_user(&name, &password);
        assert_eq!(shop.decide(&background("/x").basic(&name, &password)).reason(), None, "{at}");
    }
    shop.idp.replies(Endpoint::Token, Reply::nothing());
    for _ in 0..50 {
        assert_eq!(shop.decide(&background("/x").basic("alice", "x")).reason(), Some(Reason::TokenUnavailable));
        shop.script.advance(5);
    }
    shop.idp.recovers();
    // The same wrong one is one guess, while it is known to be wrong.
    for _ in 0..50 {
        assert_eq!(shop.decide(&background("/x").basic("alice", "x")).reason(), Some(Reason::CredentialRefused));
    }
    assert_eq!(tried(&guesses(&shop, "alice", 50)), 2);
}

/// Guesses at once are guesses: what is under way counts.
#[test]
fn a_burst_of_guesses_is_counted_before_it_is_answered() {
    let first = shop(&["password"]);
    let second = first.worker();
    let burst: Vec<Req> = (0..100).map(|at| background("/x").basic("alice", &format!("guess {at}"))).collect();
    let answers = first.decide_among(&[&first, &second], &burst);
    let reasons: Vec<Reason> = answers.iter().map(|answer| answer.reason().unwrap()).collect();
    assert_eq!(tried(&reasons), 3);
    assert_eq!(first.calls(Endpoint::Token), 3);
}

/// Where Basic may be either, one guess is one, though it costs two calls; and a client that is new is none.
#[test]
fn a_guess_at_either_is_one_guess() {
    let shop = shop(&["password", "client_credentials"]);
    for _ in 0..20 {
        shop.decide(&background("/x").basic("batch", "secret-of-batch")).assert_served_to("batch");
        shop.script.advance(400);
    }
    assert_eq!(tried(&guesses(&shop, "batch", 50)), 3);
    shop.script.advance(60);
    assert_eq!(shop.worker().decide(&background("/x").basic("batch", "secret-of-batch")).reason(), None);
    assert_eq!(tried(&guesses(&shop, "batch", 50)), 3);
}

/// Refresh tokens have no names; guesses at them count for the address.
#[test]
fn guesses_at_refresh_tokens_count_for_the_address() {
    let shop = shop(&["refresh_token"]);
    let guess =
        |at: usize| shop.decide(&background("/x").with("refresh-token", format!("guess-{at}"))).reason().unwrap();
    let reasons: Vec<Reason> = (0..50).map(guess).collect();
    assert_eq!(tried(&reasons), 8);
    shop.script.comes_from("[2001:db8::1]:9");
    assert_eq!(guess(51), Reason::CredentialRefused);
    let token = shop.idp.refresh_token();
    assert_eq!(shop.decide(&background("/x").with("refresh-token", token)).reason(), None);
}
