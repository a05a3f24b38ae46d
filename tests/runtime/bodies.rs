//! Bodies and trailers: nothing reaches the service before the verdict (attacks W05, W13, H13, C18).

use super::*;
use oidc_proxy_wasm::runtime::LARGEST_BODY;

const FORM: [(&str, &str); 3] =
    [(":method", "POST"), (":path", "/oauth/callback"), ("content-type", "application/x-www-form-urlencoded")];

fn reader() -> Worker {
    Worker::with(&form_post(), Fake::default())
}

fn body(worker: &Worker, stream: &Rc<Stream>, bytes: &[u8], end: bool) -> Flow {
    *worker.host.buffered.borrow_mut() = bytes.to_vec();
    worker.host.act_on(stream.id);
    worker.runtime.request_body(stream, bytes.len(), end)
}

/// W13: every piece waits while the decision does, and passes once it is to forward.
#[test]
fn a_body_waits_for_the_verdict() {
    let worker = Worker::new();
    let post = [(":method", "GET"), (":path", "/private"), ("accept", "text/html")];
    let (stream, flow) = worker.request(1, &post, false);
    assert_eq!(flow, Flow::Pause);
    for (bytes, end) in [(b"a".as_slice(), false), (b"ab", false), (b"abc", true)] {
        assert_eq!(body(&worker, &stream, bytes, end), Flow::Pause);
    }
    assert_eq!(worker.runtime.request_trailers(&stream), Flow::Pause);
    worker.settle();
    worker.answer(worker.host.last_token(), metadata());
    assert!(worker.seen(1).contains(&Seen::Answered(303, String::new())));
    // H13 (CVE-2025-31492): what is answered is not let on by what still arrives.
    assert_eq!(body(&worker, &stream, b"abcd", true), Flow::Pause);
    assert!(!worker.seen(1).contains(&Seen::Resumed));
}

#[test]
fn a_body_passes_by_where_the_verdict_is_to_forward() {
    let worker = Worker::new();
    let (stream, flow) = worker.request(1, &[(":method", "POST"), (":path", "/public")], false);
    assert_eq!(flow, Flow::Continue);
    assert_eq!(body(&worker, &stream, &[0; 1024], false), Flow::Continue);
    assert_eq!(body(&worker, &stream, &[0; 10], true), Flow::Continue);
}

/// The whole form is waited for, in however many pieces it comes.
#[test]
fn a_form_is_read_when_it_is_whole() {
    let worker = reader();
    let (stream, flow) = worker.request(1, &FORM, false);
    assert_eq!(flow, Flow::Pause);
    assert_eq!(body(&worker, &stream, b"code=c&sta", false), Flow::Pause);
    assert_eq!(worker.seen(1), []);
    assert_eq!(body(&worker, &stream, b"code=c&state=0123456789", true), Flow::Pause);
    assert_eq!(worker.seen(1), [Seen::Answered(400, "login_unknown".to_owned())]);
}

#[test]
fn a_form_that_ended_with_its_header_fields_is_empty() {
    let worker = reader();
    worker.request(1, &FORM, true);
    assert_eq!(worker.seen(1), [Seen::Answered(400, "callback_malformed".to_owned())]);
}

/// E05, C18: at the limit, not after it, and while it still arrives.
#[test]
fn a_body_larger_than_any_is_refused_before_it_ends() {
    for (size, answered) in [(LARGEST_BODY, false), (LARGEST_BODY + 1, true)] {
        let worker = reader();
        let (stream, _) = worker.request(1, &FORM, false);
        worker.host.act_on(1);
        assert_eq!(worker.runtime.request_body(&stream, size, false), Flow::Pause);
        let seen = worker.seen(1);
        assert_eq!(seen == [Seen::Answered(413, "body_too_large".to_owned())], answered, "{size}: {seen:?}");
    }
}

#[test]
fn the_gate_reads_no_body_and_says_so() {
    let mut config = form_post();
    config["bodies"] = json!("unreadable");
    let worker = Worker::with(&config, Fake::default());
    worker.request(1, &FORM, false);
    assert_eq!(worker.seen(1), [Seen::Answered(501, "body_unreadable".to_owned())]);
}

/// S4, H01: what we assert is taken out of trailers too, in every spelling.
#[test]
fn trailers_are_cleansed() {
    let worker = Worker::new();
    let (stream, _) = worker.request(1, &[(":method", "POST"), (":path", "/public")], false);
    let trailers = Headers::from_pairs([("X_Email", "a"), ("x-email", "b"), ("x-checksum", "c")]);
    worker.host.act_on(1);
    *worker.host.fields.borrow_mut() = trailers;
    assert_eq!(worker.runtime.request_trailers(&stream), Flow::Continue);
    let removed = worker.seen(1).into_iter().find_map(|seen| match seen {
        Seen::Edited("trailers", removed) => Some(removed),
        _ => None,
    });
    assert_eq!(removed, Some(vec!["X_Email".to_owned(), "x-email".to_owned()]));
}

/// RFC 9113 §8.1: a body may end with trailers, and then its last piece does not say that it is the last.
#[test]
fn a_form_that_ends_with_trailers_is_whole() {
    let worker = reader();
    let (stream, _) = worker.request(1, &FORM, false);
    assert_eq!(body(&worker, &stream, b"code=c&state=0123456789", false), Flow::Pause);
    worker.host.act_on(1);
    assert_eq!(worker.runtime.request_trailers(&stream), Flow::Pause);
    assert!(worker.seen(1).contains(&Seen::Answered(400, "login_unknown".to_owned())), "{:?}", worker.seen(1));
}

/// W05: the client leaves while its form arrives.
#[test]
fn a_client_that_leaves_within_its_body_leaves_nothing() {
    let worker = reader();
    let (stream, _) = worker.request(1, &FORM, false);
    body(&worker, &stream, b"code=c", false);
    worker.runtime.gone(&stream);
    worker.host.close(1);
    assert_eq!(Rc::strong_count(&stream), 1);
    worker.request(2, &FORM, true);
    assert_eq!(worker.seen(2), [Seen::Answered(400, "callback_malformed".to_owned())]);
}
