//! Answers that come late, twice, for nobody, or not at all (attacks V01, V08, V09, W01, W05).

use super::*;
use oidc_proxy_wasm::world::CallError;

/// A page load that waits for the provider's metadata, whose call is the token.
fn waiting(worker: &Worker, id: u32) -> (Rc<Stream>, u32) {
    let (stream, flow) = worker.page(id, "/private");
    assert_eq!((flow, stream.phase.get()), (Flow::Pause, Phase::Undecided));
    worker.settle();
    (stream, worker.host.last_token())
}

const STARTED: Seen = Seen::Answered(303, String::new());

#[test]
fn a_flight_s_answer_reaches_the_stream_that_waits() {
    let worker = Worker::new();
    let (stream, token) = waiting(&worker, 1);
    assert_eq!(worker.host.calls(), ["/.well-known/openid-configuration"]);
    worker.answer(token, metadata());
    assert_eq!((worker.seen(1), stream.phase.get()), (vec![STARTED], Phase::Answered));
}

/// V08 (CVE-2026-48090), W05: who asked first has gone; the others are served, and nobody touches what is gone.
#[test]
fn a_flight_whose_first_asker_has_gone_serves_the_others() {
    let worker = Worker::new();
    let (first, token) = waiting(&worker, 1);
    waiting(&worker, 2);
    waiting(&worker, 3);
    assert_eq!(worker.host.calls().len(), 1);
    worker.runtime.gone(&first);
    worker.host.close(1);
    worker.answer(token, metadata());
    assert_eq!((worker.seen(1), worker.seen(2), worker.seen(3)), (vec![], vec![STARTED], vec![STARTED]));
}

/// The host may know of a stream's end before its last callback has come: `enter` fails, and the stream is skipped.
#[test]
fn a_stream_that_cannot_be_entered_is_skipped() {
    let worker = Worker::new();
    let (_, token) = waiting(&worker, 1);
    waiting(&worker, 2);
    worker.host.close(1);
    worker.answer(token, metadata());
    assert_eq!((worker.seen(1), worker.seen(2)), (vec![], vec![STARTED]));
    // And later ones are not held up by what is left over.
    let (_, flow) = worker.page(3, "/private");
    assert_eq!((flow, worker.seen(3)), (Flow::Pause, vec![STARTED]));
}

#[test]
fn an_answer_after_everybody_has_gone_is_kept_for_the_next() {
    let worker = Worker::new();
    let (stream, token) = waiting(&worker, 1);
    worker.runtime.gone(&stream);
    worker.host.close(1);
    worker.answer(token, metadata());
    worker.page(2, "/private");
    assert_eq!((worker.seen(2), worker.host.calls().len()), (vec![STARTED], 1));
}

/// V09 (CVE-2022-29228): an answer to a call that nobody made, and one that comes twice.
#[test]
fn unknown_and_repeated_answers_are_nobody_s() {
    let worker = Worker::new();
    let (_, token) = waiting(&worker, 1);
    for unknown in [0, 99, token + 1, u32::MAX] {
        worker.answer(unknown, metadata());
        assert_eq!(worker.seen(1), []);
    }
    worker.answer(token, metadata());
    worker.answer(token, metadata());
    assert_eq!(worker.seen(1), [STARTED]);
}

/// V01: how hosts say that there is no answer: no header fields.
#[test]
fn an_answer_without_header_fields_is_none() {
    let worker = Worker::new();
    let (_, token) = waiting(&worker, 1);
    worker.host.gives(Some(metadata()));
    worker.host.act_on_root();
    worker.runtime.call_answered(None, token, 0, metadata().body.len());
    worker.settle();
    assert_eq!(worker.seen(1), [Seen::Answered(503, "discovery_unavailable".to_owned())]);
}

/// V03: refused by its size before it is copied.
#[test]
fn an_answer_that_is_too_large_is_not_read() {
    let worker = Worker::new();
    let (_, token) = waiting(&worker, 1);
    worker.host.gives(Some(metadata()));
    worker.host.act_on_root();
    worker.runtime.call_answered(None, token, 3, 100 * 1024 * 1024);
    worker.settle();
    assert_eq!(worker.seen(1), [Seen::Answered(503, "discovery_unavailable".to_owned())]);
}

/// W01: the host's own word that there is no call.
#[test]
fn a_call_that_the_host_refuses_is_answered_at_once() {
    for (error, reason) in [
        (CallError::UnknownCluster, "cluster_unknown"),
        (CallError::Busy, "provider_busy"),
        (CallError::NoAnswer, "discovery_unavailable"),
    ] {
        let worker = Worker::new();
        worker.host.refuses_calls.set(Some(error));
        worker.page(1, "/private");
        worker.settle();
        assert_eq!(worker.seen(1), [Seen::Answered(503, reason.to_owned())]);
        // Its twin: the pause is over, and the host calls again.
        worker.host.refuses_calls.set(None);
        worker.host.pass(std::time::Duration::from_secs(5));
        let (_, token) = waiting(&worker, 2);
        worker.answer(token, metadata());
        assert_eq!(worker.seen(2), [STARTED]);
    }
}

/// W02: each worker by itself.
#[test]
fn a_host_without_shared_data_serves_all_the_same() {
    let worker = Worker::with(&config(), Fake::without_shared_data());
    let (_, token) = waiting(&worker, 1);
    waiting(&worker, 2);
    worker.answer(token, metadata());
    assert_eq!((worker.seen(1), worker.seen(2), worker.host.calls().len()), (vec![STARTED], vec![STARTED], 1));
}

/// W08: each ends with its root, and what they waited for is not missed.
#[test]
fn a_thousand_paused_streams_end_with_their_root() {
    let worker = Worker::new();
    let streams: Vec<Rc<Stream>> = (1..=1_000).map(|id| waiting(&worker, id).0).collect();
    let token = worker.host.last_token();
    worker.runtime.close();
    streams.iter().for_each(|stream| worker.runtime.gone(stream));
    worker.answer(token, metadata());
    assert!((1..=1_000).all(|id| worker.seen(id).is_empty()));
    let alone: Vec<usize> = streams.iter().map(Rc::strong_count).collect();
    assert!(alone.iter().all(|count| *count == 1), "they are not held on to");
}

/// A call that serves one request alone is answered in that stream's own callback, and the stream goes on from there.
#[test]
fn a_thousand_streams_wait_for_one_answer() {
    let worker = Worker::new();
    (1..=1_000).for_each(|id| drop(waiting(&worker, id)));
    assert_eq!(worker.host.calls().len(), 1);
    worker.answer(worker.host.last_token(), metadata());
    assert!((1..=1_000).all(|id| worker.seen(id) == [STARTED]));
}
