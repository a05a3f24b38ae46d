//! Access tokens: forms that carry them, what the host is told of counts and latencies.

use super::resumed::{signed, upstream};
use super::*;
use oidc_proxy_wasm::words::HeaderEdits;
use std::time::Duration;

/// A rule for access tokens in header and form, and one whose tokens the provider is asked about.
fn api() -> Value {
    let mut config = upstream();
    config["bodies"] = json!("readable");
    config["providers"]["main"]["metadata"]["introspection_endpoint"] = json!(format!("{ISSUER}/introspect"));
    let rule = |name: &str, method: &str| {
        json!({
            "name": name, "match": { "path_prefix": format!("/{name}") }, "methods": [method],
            "token": { "audience": ["api"] }, "credentials": { "bearer": ["header", "form"] },
        })
    };
    config["rules"].as_array_mut().unwrap().insert(1, rule("api", "bearer"));
    config["rules"].as_array_mut().unwrap().insert(2, rule("asked", "introspection"));
    config
}

/// A worker whose first tick is over.
fn worker() -> Worker {
    let worker = Worker::with(&api(), Fake::default());
    worker.host.act_on_root();
    worker.runtime.ticked();
    assert_eq!(worker.host.tick(), Duration::ZERO);
    worker
}

fn token() -> String {
    signed(&json!({ "iss": ISSUER, "sub": "u-1", "aud": "api", "iat": 1_800_000_000, "exp": 1_800_000_300 }))
}

fn form(worker: &Worker, path: &str) -> Rc<Stream> {
    let fields = [(":method", "POST"), (":path", path), ("content-type", "application/x-www-form-urlencoded")];
    let (stream, flow) = worker.request(1, &fields, false);
    assert_eq!(flow, Flow::Pause);
    stream
}

fn body(worker: &Worker, stream: &Rc<Stream>, bytes: &str, end: bool) -> Flow {
    *worker.host.buffered.borrow_mut() = bytes.as_bytes().to_vec();
    worker.host.act_on(stream.id);
    worker.runtime.request_body(stream, bytes.len(), end)
}

fn buffered(worker: &Worker) -> String {
    String::from_utf8(worker.host.buffered.borrow().clone()).unwrap()
}

/// What the newest change of a request's header fields says of its length.
fn length(worker: &Worker) -> Option<Vec<u8>> {
    let edits: Option<HeaderEdits> = worker.host.edits.borrow().last().cloned();
    let mut set = edits?.set.into_iter().filter(|(name, _)| name == "content-length");
    set.next().map(|(_, value)| value)
}

/// S2, W13 (RFC 6750 §2.2): nothing of a form goes on before its token was judged; then all of it but the token.
#[test]
fn a_form_goes_on_without_its_token() {
    let worker = worker();
    let stream = form(&worker, "/api");
    let whole = format!("a=1&access_token={}&b=%zz", token());
    for part in [&whole[..9], &whole[..60]] {
        assert_eq!(body(&worker, &stream, part, false), Flow::Pause);
        assert_eq!((worker.seen(1), buffered(&worker)), (vec![], part.to_owned()));
    }
    assert_eq!(body(&worker, &stream, &whole, true), Flow::Continue);
    assert_eq!((buffered(&worker).as_str(), length(&worker)), ("a=1&b=%zz", Some(b"9".to_vec())));
    assert_eq!(stream.phase.get(), Phase::Forwarded);
    // The callback's own result lets it on: no resume besides.
    assert!(!worker.seen(1).contains(&Seen::Resumed));
}

/// Its twin: a bad token in the same form never reaches the service.
#[test]
fn a_form_with_a_bad_token_goes_nowhere() {
    let worker = worker();
    let stream = form(&worker, "/api");
    let other = signed(&json!({ "iss": ISSUER, "exp": 1 }));
    let (good, wrong) = (token(), other.rsplit('.').next().unwrap().to_owned());
    let whole = format!("a=1&access_token={}.{wrong}&b=2", good.rsplit_once('.').unwrap().0);
    assert_eq!(body(&worker, &stream, &whole, true), Flow::Pause);
    assert_eq!(worker.seen(1), [Seen::Answered(401, "access_token_signature".to_owned())]);
    assert_eq!(body(&worker, &stream, &whole, true), Flow::Pause);
    assert!(!worker.seen(1).contains(&Seen::Resumed));
}

/// A form with nothing of ours in it stays as it came.
#[test]
fn a_form_without_a_token_is_left_alone() {
    let worker = worker();
    let fields = [
        (":method", "POST"),
        (":path", "/api"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", &format!("Bearer {}", token())),
    ];
    let (stream, _) = worker.request(1, &fields, false);
    assert_eq!(body(&worker, &stream, "a=1&b=2", true), Flow::Continue);
    assert_eq!((buffered(&worker).as_str(), length(&worker)), ("a=1&b=2", None));
}

/// The provider's answer, with how long it took, and the form that waited for it.
#[test]
fn a_form_waits_for_what_the_provider_says() {
    let worker = worker();
    let stream = form(&worker, "/asked");
    assert_eq!(body(&worker, &stream, "access_token=opaque&a=1", true), Flow::Pause);
    worker.settle();
    assert_eq!((worker.host.calls(), worker.seen(1)), (vec!["/introspect".to_owned()], vec![]));
    worker.host.pass(Duration::from_millis(40));
    let said = json!({ "active": true, "aud": "api", "sub": "u-1" });
    worker.answer(worker.host.last_token(), ProviderResponse { body: said.to_string().into_bytes(), ..metadata() });
    assert_eq!((buffered(&worker).as_str(), length(&worker)), ("a=1", Some(b"3".to_vec())));
    let seen = worker.seen(1);
    assert!(matches!(seen.as_slice(), [Seen::Edited("request", _), Seen::Resumed]), "{seen:?}");
    assert_eq!(*worker.host.recorded.borrow(), [("oidc.call_milliseconds.introspection".to_owned(), 40)]);
}

/// The host is told what was counted once a second and in sum, in all and by rule.
#[test]
fn counts_are_told_once_a_second_and_in_sum() {
    let worker = worker();
    let told = |name: &str| worker.host.counted.borrow().get(name).copied().unwrap_or_default();
    let bearer = format!("Bearer {}", token());
    let ask = |id, path: &str, authorization: &str| {
        let fields = [(":method", "GET"), (":path", path), ("authorization", authorization)];
        worker.request(id, &fields, true).1
    };
    for id in 1..=3 {
        assert_eq!(ask(id, "/api", &bearer), Flow::Continue);
    }
    assert_eq!(ask(4, "/api", "Bearer x"), Flow::Pause);
    assert_eq!(ask(5, "/public", ""), Flow::Continue);
    assert_eq!(*worker.host.counted.borrow(), std::collections::HashMap::new());
    assert_eq!(worker.host.tick(), Duration::from_secs(1));
    let second = || {
        worker.host.pass(Duration::from_secs(1));
        worker.host.act_on_root();
        worker.runtime.ticked();
    };
    second();
    for (name, count) in [
        ("oidc.forwarded.bearer", 3),
        ("oidc.rule.api.forwarded.bearer", 3),
        ("oidc.answered.access_token_malformed", 1),
        ("oidc.rule.api.answered.access_token_malformed", 1),
        ("oidc.forwarded.anonymous", 1),
        ("oidc.rule.public.forwarded.anonymous", 1),
        ("oidc.tokens.verified", 1),
        ("oidc.tokens.cached", 2),
        ("oidc.lines.kept", 1),
    ] {
        assert_eq!(told(name), count, "{name}");
    }
    assert_eq!(worker.host.counted.borrow().len(), 9);
    // Nothing more is told while nothing more happens, and the host need not tick for it.
    assert_eq!(worker.host.tick(), Duration::ZERO);
    second();
    assert_eq!(told("oidc.forwarded.bearer"), 3);
    ask(6, "/api", &bearer);
    second();
    assert_eq!((told("oidc.forwarded.bearer"), told("oidc.tokens.cached")), (4, 3));
}
