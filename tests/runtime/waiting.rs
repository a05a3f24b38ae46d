//! Queues, ticks, and waking twice.

use super::*;
use std::time::Duration;

const STARTED: Seen = Seen::Answered(303, String::new());

/// A host without queues: the tick wakes the root.
#[test]
fn a_host_without_queues_falls_back_on_the_tick() {
    let worker = Worker::with(&config(), Fake::without_queues());
    // The tick that a new configuration asks for is over.
    worker.host.act_on_root();
    worker.runtime.ticked();
    let token = worker.host.last_token();
    worker.answer(token, metadata());
    worker.answer(worker.host.last_token(), metadata());
    worker.host.act_on_root();
    worker.runtime.ticked();
    assert_eq!(worker.host.tick(), Duration::ZERO);

    let worker = Worker::with(&config(), Fake::without_queues());
    worker.page(1, "/private");
    assert_ne!(worker.host.tick(), Duration::ZERO);
    worker.host.act_on_root();
    worker.runtime.ticked();
    worker.answer(worker.host.last_token() - 1, metadata());
    worker.answer(worker.host.last_token(), metadata());
    worker.host.act_on_root();
    worker.runtime.ticked();
    assert_eq!(worker.seen(1), [STARTED]);
}

/// Calls made while a configuration loads fail on some hosts: the providers are asked from the first tick on, once.
#[test]
fn the_providers_are_asked_with_the_first_tick_and_then_it_stops() {
    let worker = Worker::new();
    assert!(worker.host.calls().is_empty());
    assert_eq!(worker.host.tick(), Duration::from_millis(25));
    worker.host.act_on_root();
    worker.runtime.ticked();
    assert_eq!(worker.host.calls(), ["/.well-known/openid-configuration"], "the keys wait for the metadata");
    worker.answer(worker.host.last_token(), metadata());
    assert_eq!(worker.host.calls().len(), 2);
    assert_eq!(worker.host.calls()[1], "/jwks");
    worker.host.act_on_root();
    worker.runtime.ticked();
    assert_eq!(worker.host.tick(), Duration::ZERO, "nobody waits for the time");
    assert_eq!(worker.host.calls().len(), 2);
}

/// A worker that finds another one asking waits by the tick, which stops when nobody waits any more.
#[test]
fn waiting_for_another_worker_ticks_and_stops() {
    let worker = Worker::new();
    let other = Runtime::new(Rc::clone(&worker.host) as Rc<dyn oidc_proxy_wasm::runtime::Abi>);
    other.configure(config().to_string().as_bytes(), &|_| None).unwrap();
    worker.page(1, "/private");
    worker.settle();
    let token = worker.host.last_token();
    // The other worker of this host has a memory of its own, and the same shared data.
    let second = Worker { host: Rc::clone(&worker.host), runtime: other };
    second.page(2, "/private");
    second.settle();
    assert_eq!(worker.host.calls().len(), 1, "the first one is asking");
    assert_eq!(worker.host.tick(), Duration::from_millis(25));
    worker.answer(token, metadata());
    assert_eq!((worker.seen(1), second.seen(2)), (vec![STARTED], vec![]));
    worker.host.pass(Duration::from_millis(25));
    second.host.act_on_root();
    second.runtime.ticked();
    assert_eq!(second.seen(2), [STARTED]);
}

#[test]
fn waking_the_root_for_nothing_does_nothing() {
    let worker = Worker::new();
    let (_, flow) = worker.page(1, "/private");
    assert_eq!(flow, Flow::Pause);
    for _ in 0..3 {
        worker.host.act_on_root();
        worker.runtime.root_woken();
    }
    assert_eq!(worker.host.calls().len(), 1);
    worker.answer(worker.host.last_token(), metadata());
    worker.host.act_on_root();
    worker.runtime.root_woken();
    assert_eq!(worker.seen(1), [STARTED]);
}

/// A stream that ends before the root has run leaves nothing to be done for it.
#[test]
fn a_stream_that_ends_before_its_flight_began_is_forgotten() {
    let worker = Worker::new();
    let (stream, _) = worker.page(1, "/private");
    worker.runtime.gone(&stream);
    worker.runtime.gone(&stream);
    worker.host.close(1);
    worker.settle();
    assert_eq!(worker.host.calls().len(), 1, "the flight is the root's");
    worker.answer(worker.host.last_token(), metadata());
    assert_eq!(worker.seen(1), []);
    assert_eq!(Rc::strong_count(&stream), 1);
}
