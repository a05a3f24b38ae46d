//! Several workers of one host, each with a memory of its own, and the shared data between them (attacks K09, W02, W10).

use crate::support::*;
use Reason::*;

#[test]
fn what_one_worker_fetched_the_others_need_not() {
    let first = Shop::new();
    first.guest();
    let second = first.worker();
    second.guest();
    assert_eq!((first.calls(Endpoint::Discovery), first.calls(Endpoint::Jwks)), (1, 1));
}

/// W10: a session begun here, a login begun there, a callback that a third one takes.
#[test]
fn any_worker_goes_on_with_what_another_began() {
    let workers = [Shop::new()];
    let [first] = &workers;
    let (second, third) = (first.worker(), first.worker());
    let mut begun = first.browser();
    let callback = begun.until_callback("/cart");
    let mut taken = begun.at(&second);
    assert_eq!(taken.send(&callback).reason(), Some(LoginDone));
    taken.at(&third).get("/cart").assert_served_to("alice");
}

/// K09 over two workers: one fetch in two seconds between them.
#[test]
fn unknown_keys_are_looked_for_once_between_them() {
    let first = Shop::new();
    let second = first.worker();
    first.guest();
    second.guest();
    first.idp.signs_with(Signer::p256("unknown", 9));
    let before = first.calls(Endpoint::Jwks);
    for second_of_test in 0..20 {
        for worker in [&first, &second] {
            assert_eq!(worker.browser().open("/").reason(), Some(IdTokenKeyUnknown));
        }
        first.script.advance(1);
        let fetches = first.calls(Endpoint::Jwks) - before;
        assert!(fetches <= 1 + second_of_test / 2, "{fetches} fetches after {second_of_test} s");
    }
}

/// Suite signing-key-rotation-just-before-signing, over two workers and within one second: what the first one fetched for
/// the new key serves the second.
#[test]
fn a_rotation_that_one_worker_saw_serves_the_other_at_once() {
    for pause in [0, 1, 10, 40] {
        let first = Shop::new();
        let second = first.worker();
        first.guest();
        second.guest();
        first.idp.rotates_to(Signer::p256("two", 2));
        first.guest();
        first.script.advance(pause);
        second.guest();
        assert_eq!(first.calls(Endpoint::Jwks), 2, "after {pause} s");
    }
}

/// The same when it happens in the very second of the first fetch.
#[test]
fn a_rotation_within_the_second_of_the_first_fetch_is_seen_by_all() {
    let first = Shop::new();
    let second = first.worker();
    let mut one = first.browser();
    let callback = one.until_callback("/");
    let mut two = second.browser();
    let other = two.until_callback("/");
    assert_eq!(one.send(&callback).reason(), Some(LoginDone));
    let mut three = second.browser();
    let again = three.until_callback("/");
    assert_eq!(two.send(&other).reason(), Some(LoginDone));
    first.idp.rotates_to(Signer::p256("two", 2));
    let mut four = first.browser();
    let last = four.until_callback("/");
    assert_eq!(four.send(&last).reason(), Some(LoginDone));
    assert_eq!(three.send(&again).reason(), Some(LoginDone));
    assert_eq!(first.calls(Endpoint::Jwks), 2);
}

/// An outage that one worker met does not stop another from asking, and what that one gets serves both.
#[test]
fn one_worker_s_outage_ends_with_another_s_success() {
    let first = Shop::new();
    let second = first.worker();
    first.idp.replies_always(&Reply::nothing());
    assert_eq!(first.decide(&get("/")).reason(), Some(DiscoveryUnavailable));
    first.idp.recovers();
    second.guest();
    first.script.advance(4);
    first.guest();
    assert_eq!(first.calls(Endpoint::Discovery), 2);
}

/// W02: without shared data each worker goes by itself.
#[test]
fn without_shared_data_each_worker_fetches_for_itself() {
    let mut first = Shop::new();
    first.script = first.script.clone().without_shared_data();
    let second = first.worker();
    let mut guest = first.guest();
    second.guest();
    assert_eq!((first.calls(Endpoint::Discovery), first.calls(Endpoint::Jwks)), (2, 2));
    guest.get("/").assert_served_to("alice");
}

/// Shared data is sealed: another module that writes there changes nothing.
#[test]
fn what_others_write_into_shared_data_is_not_believed() {
    use oidc_proxy_wasm::world::{Host, Version};
    let first = Shop::new();
    first.guest();
    let second =
        first.reconfigured(|config| config["session"]["secrets"] = json!(["vB8nL1cR6yW3zH5jP0sDaE9fK2mQ7xT4"]));
    second.guest();
    assert_eq!(first.calls(Endpoint::Discovery), 2, "another secret reads nothing of it");
    let keys: Vec<String> = ["metadata", "keys"]
        .iter()
        .flat_map(|kind| first.script.shared_keys().into_iter().filter(move |key| key.contains(kind)))
        .collect();
    assert!(keys.len() >= 2, "{keys:?}");
    for key in keys {
        let (_, version) = first.script.shared(&key).unwrap();
        assert_ne!(version, Version::NEW);
        first.script.share(&key, b"forged", version).unwrap();
    }
    first.worker().guest();
    assert_eq!(first.calls(Endpoint::Discovery), 3);
}

/// K09, W02: a worker that shares nothing keeps to the throttle by itself.
#[test]
fn without_shared_data_unknown_keys_are_looked_for_once_as_well() {
    let mut shop = Shop::new();
    shop.script = shop.script.clone().without_shared_data();
    shop.guest();
    shop.idp.signs_with(Signer::p256("unknown", 9));
    for _ in 0..10 {
        assert_eq!(shop.browser().open("/").reason(), Some(IdTokenKeyUnknown));
    }
    assert_eq!(shop.calls(Endpoint::Jwks), 2);
    shop.idp.rotates_to(Signer::p256("unknown", 9));
    shop.script.advance(30);
    shop.guest();
}
