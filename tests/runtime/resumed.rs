//! A request that waited and then goes to the service: paused until the verdict, let on once, by whoever must.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;

fn key() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap()
}

/// Everything of the provider's is configured but its tokens; the callback goes on to the service.
pub fn upstream() -> Value {
    let point = key().verifying_key().to_sec1_point(false);
    let (x, y) = (URL_SAFE_NO_PAD.encode(point.x().unwrap()), URL_SAFE_NO_PAD.encode(point.y().unwrap()));
    let mut config = config();
    config["providers"]["main"]["metadata"] = json!({
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
    });
    config["providers"]["main"]["jwks"] = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": y }] });
    config["rules"][1]["login"]["action"] = json!("upstream");
    config
}

/// A JWT of these claims by the provider's key.
pub fn signed(claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(&json!({ "alg": "ES256" })), encode(claims));
    let signature: p256::ecdsa::Signature = key().sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn tokens(nonce: &str) -> ProviderResponse {
    let claims = json!({
        "iss": ISSUER, "aud": "shop", "sub": "u-1", "nonce": nonce, "email": "a@example.com",
        "iat": 1_800_000_000, "exp": 1_800_000_300,
    });
    let id_token = signed(&claims);
    let answer = json!({ "access_token": "at", "token_type": "Bearer", "id_token": id_token });
    ProviderResponse { body: answer.to_string().into_bytes(), ..metadata() }
}

/// A callback that waits for its tokens: its stream, and the nonce that they need.
fn waiting(worker: &Worker, end: bool) -> (Rc<Stream>, String) {
    worker.page(1, "/private");
    let answer = worker.host.answered.borrow().clone();
    let header = |name: &str| answer.headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let location = header("location");
    let param = |name: &str| {
        let rest = location.split_once(&format!("&{name}=")).unwrap().1;
        rest.split('&').next().unwrap().to_owned()
    };
    let cookie = header("set-cookie").split(';').next().unwrap().to_owned();
    let path = format!("/oauth/callback?code=c&state={}", param("state"));
    let (stream, flow) = worker.request(2, &[(":method", "GET"), (":path", &path), ("cookie", &cookie)], end);
    assert_eq!((flow, stream.phase.get()), (Flow::Pause, Phase::Undecided));
    assert_eq!(worker.host.calls(), ["/token"]);
    (stream, param("nonce"))
}

/// The answer comes in the stream's own callback: a call that serves one request alone.
fn answer(worker: &Worker, stream: &Stream, response: ProviderResponse) {
    let size = response.body.len();
    worker.host.gives(Some(response));
    worker.host.act_on(stream.id);
    worker.runtime.call_answered(Some(stream.id), worker.host.last_token(), 3, size);
}

fn resumes(worker: &Worker) -> usize {
    worker.seen(2).iter().filter(|seen| **seen == Seen::Resumed).count()
}

#[test]
fn a_request_that_waited_is_let_on_once() {
    let worker = Worker::with(&upstream(), Fake::default());
    let (stream, nonce) = waiting(&worker, true);
    answer(&worker, &stream, tokens(&nonce));
    assert_eq!((stream.phase.get(), resumes(&worker)), (Phase::Forwarded, 1), "{:?}", worker.seen(2));
    answer(&worker, &stream, tokens(&nonce));
    worker.host.act_on_root();
    worker.runtime.root_woken();
    assert_eq!(resumes(&worker), 1);
}

/// W13: pieces of a body that arrive meanwhile wait with it, and those after the verdict pass.
#[test]
fn what_arrives_before_the_verdict_waits_and_what_comes_after_it_passes() {
    let worker = Worker::with(&upstream(), Fake::default());
    let (stream, nonce) = waiting(&worker, false);
    for size in [10, 20] {
        assert_eq!(worker.runtime.request_body(&stream, size, false), Flow::Pause);
    }
    answer(&worker, &stream, tokens(&nonce));
    assert_eq!(resumes(&worker), 1);
    assert_eq!(worker.runtime.request_body(&stream, 30, true), Flow::Continue);
    assert_eq!(worker.runtime.request_trailers(&stream), Flow::Continue);
    // The session's cookie goes out with the service's answer, once that comes.
    worker.runtime.response(&stream);
    assert!(worker.seen(2).iter().any(|seen| matches!(seen, Seen::Edited("response", _))));
    let answer = stream.answer.borrow();
    assert!(answer.as_ref().unwrap().edits.add.iter().any(|(name, _)| name == "set-cookie"));
}

/// Its twin: tokens that are not this login's are answered, and nothing is let on.
#[test]
fn a_request_that_waited_in_vain_is_not_let_on() {
    let worker = Worker::with(&upstream(), Fake::default());
    let (stream, _) = waiting(&worker, true);
    answer(&worker, &stream, tokens("other"));
    assert_eq!((stream.phase.get(), resumes(&worker)), (Phase::Answered, 0));
    assert_eq!(worker.seen(2), [Seen::Answered(400, "nonce_mismatch".to_owned())]);
    // What the service's answer would carry is for services: ours is not edited.
    worker.runtime.response(&stream);
    assert_eq!(worker.seen(2).len(), 1);
}

/// V08: the client leaves; its tokens are nobody's.
#[test]
fn tokens_for_a_client_that_left_are_nobody_s() {
    let worker = Worker::with(&upstream(), Fake::default());
    let (stream, nonce) = waiting(&worker, true);
    worker.runtime.gone(&stream);
    worker.host.close(2);
    worker.host.gives(Some(tokens(&nonce)));
    worker.runtime.call_answered(Some(2), worker.host.last_token(), 3, 100);
    assert_eq!(worker.seen(2), []);
}
