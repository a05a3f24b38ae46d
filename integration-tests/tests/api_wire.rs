//! Access tokens on the wire, where a host could read a request otherwise than the filter: twice over, in two versions of
//! HTTP, in trailers, paths, cookies, bodies and upgrades.

use std::time::{Duration, Instant};

use integration_tests::api::{self, passed, refused, told, verdict, with_token};
use integration_tests::client::{Ask, ask, echo_over_upgrade, get, over_one_connection, raw};
use integration_tests::hostile::{Endpoint, Hostile, Trick};
use integration_tests::setup::Setup;
use integration_tests::shop::{REASON, Shop, values};
use integration_tests::signer::Signer;
use serde_json::{Value, json};

async fn api() -> Shop {
    api_with(|setup| setup).await
}

/// An API that takes JWTs from many places, each at a path of its own.
async fn api_with(refine: impl FnOnce(Setup) -> Setup) -> Shop {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    let change = |filter: &mut Value| {
        let rule = |name: &str, places: Value| {
            json!({ "name": name, "match": { "path_prefix": format!("/{name}") }, "methods": ["bearer"],
                "credentials": { "bearer": places } })
        };
        let rules = filter["rules"].as_array_mut().unwrap();
        rules.extend([
            rule("query", json!(["header", "query"])),
            rule("cookie", json!([{ "cookie": "token" }])),
            rule("field", json!([{ "header": "x-token" }])),
            rule("form", json!(["header", "form"])),
            json!({ "name": "kept", "match": { "path_prefix": "/kept" }, "methods": ["bearer"],
                "credentials": { "bearer": ["header", "query"], "hide": false } }),
        ]);
    };
    api::open(idp, change, refine).await
}

/// What the service saw last.
fn last_path(api: &Shop) -> String {
    api.upstream.seen().pop().expect("something came").path
}

fn as_is(ask: Ask) -> Ask {
    ask
}

/// What makes a request one of a version.
type Version = fn(Ask) -> Ask;

/// Both versions of HTTP.
const VERSIONS: [(&str, Version); 2] = [("HTTP/1.1", as_is), ("HTTP/2", Ask::http2)];

// B02 (CVE-2026-26308): RFC 6750 §2, RFC 9110 §5.3.
#[tokio::test(flavor = "multi_thread")]
async fn two_tokens_are_none() {
    let api = api().await;
    let (port, good, bad) = (api.envoy.port, api.idp.access_token(|_| {}), "bad");
    let (good_line, bad_line) = (format!("Bearer {good}"), format!("Bearer {bad}"));
    for (version, speaking) in VERSIONS {
        for lines in [[&good_line, &bad_line], [&bad_line, &good_line], [&good_line, &good_line]] {
            let [first, second] = lines;
            let twice = get(port, "/jwt").header("authorization", first).header("authorization", second);
            let answer = speaking(twice).send().await;
            assert_eq!(told(&answer).0, 400, "{version} {lines:?} {:?}", told(&answer));
            assert!(answer.header("www-authenticate").unwrap().contains(r#"error="invalid_request""#));
            let listed = get(port, "/jwt").header("authorization", format!("{first}, {second}"));
            assert_eq!(told(&speaking(listed).send().await), refused(400, "credential_malformed"), "{version}");
            let [first, second] = lines.map(|line| line.trim_start_matches("Bearer "));
            let twice = get(port, "/field").header("x-token", first).header("X-Token", second);
            assert_eq!(told(&speaking(twice).send().await).0, 400, "{version}");
            let twice = get(port, "/cookie").header("cookie", format!("token={first}; token={second}"));
            assert_eq!(told(&speaking(twice).send().await), refused(400, "credential_repeated"), "{version}");
            let twice = get(port, "/cookie").header("cookie", format!("token={first}"));
            let twice = twice.header("cookie", format!("token={second}"));
            assert_eq!(told(&speaking(twice).send().await), refused(400, "credential_repeated"), "{version}");
            let twice = get(port, &format!("/query?access_token={first}&access_token={second}"));
            assert_eq!(told(&speaking(twice).send().await), refused(400, "credential_repeated"), "{version}");
        }
        let both = with_token(port, &format!("/query?access_token={good}"), &good);
        assert_eq!(told(&speaking(both).send().await), refused(400, "credential_repeated"), "{version}");
        assert_eq!(api.upstream.seen(), Vec::new(), "nothing of this reached the service");
        let once = [
            with_token(port, "/jwt", &good),
            with_token(port, "/query", &good),
            get(port, &format!("/query?access_token={good}")),
            get(port, "/cookie").header("cookie", format!("token={good}")),
            get(port, "/field").header("x-token", &good),
        ];
        for ask in once {
            assert_eq!(told(&speaking(ask).send().await), passed(), "{version}");
        }
        api.upstream.forget();
    }
}

// RFC 9110 §6.5.1: what is in trailers is no header, for nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_trailers_is_none() {
    let api = api().await;
    let (port, good) = (api.envoy.port, api.idp.access_token(|_| {}));
    let line = format!("Bearer {good}");
    let late = ask("POST", port, "/jwt").http2().chunks(&[b"a"]).trailer("authorization", &line);
    assert_eq!(told(&late.send().await), refused(401, "access_token_required"));
    let head = format!("POST /jwt HTTP/1.1\r\nhost: localhost:{port}\r\ntransfer-encoding: chunked\r\n");
    let late = format!("{head}connection: close\r\n\r\n1\r\na\r\n0\r\nauthorization: {line}\r\n\r\n");
    let answer = String::from_utf8_lossy(&raw(port, late.as_bytes()).await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("access_token_required"), "{answer}");
    assert_eq!(api.upstream.seen(), Vec::new());
    let bad_late = with_token(port, "/jwt", &good).http2().chunks(&[b"a"]).trailer("authorization", "Bearer bad");
    assert_eq!(told(&bad_late.send().await), passed(), "the header counts, and it is good");
}

// B18
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_with_a_bad_token_is_refused_before_it_happens() {
    let api = api().await;
    let good = api.idp.access_token(|_| {});
    let expired = api.idp.access_token(|claims| claims["exp"] = json!(1_000_000_000));
    let upgrade = |token: &str| {
        let ask = with_token(api.envoy.port, "/jwt/socket", token);
        ask.header("connection", "Upgrade").header("upgrade", "websocket").header("sec-websocket-version", "13")
    };
    for token in [expired.as_str(), "bad"] {
        let refusal = upgrade(token).send().await;
        assert_eq!(refusal.status, 401, "{:?}", told(&refusal));
        assert!(refusal.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#));
    }
    assert_eq!(api.upstream.seen(), Vec::new());
    let switched = upgrade(&good).open().await.unwrap();
    assert_eq!(switched.status(), 101);
    assert_eq!(echo_over_upgrade(switched, b"to and fro").await.unwrap(), b"to and fro");
}

// B06, B17: RFC 6750 §2.3, §5.3.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_query_goes_no_further() {
    let api = api_with(|setup| setup.rewriting("/query/old", "/query/new")).await;
    let (port, good) = (api.envoy.port, api.idp.access_token(|_| {}));
    for (version, speaking) in VERSIONS {
        for (asked, seen) in [
            (format!("/query/a?access_token={good}"), "/query/a"),
            (format!("/query/a?x=1&access_token={good}&y=%2F+b"), "/query/a?x=1&y=%2F+b"),
            (format!("/query/old/a?access_token={good}&x=1"), "/query/new/a?x=1"),
        ] {
            let answer = speaking(get(port, &asked)).send().await;
            assert_eq!(told(&answer), passed(), "{version} {asked}");
            assert_eq!(answer.header("cache-control"), Some("private"), "{version}");
            assert_eq!(last_path(&api), seen, "{version}");
            let head = api.upstream.seen().pop().unwrap();
            // Such as x-envoy-original-path.
            let told = head.headers.values().any(|value| value.to_str().is_ok_and(|value| value.contains(&good)));
            assert!(!told, "{version} {head:?}");
        }
        let kept = format!("/kept?access_token={good}");
        assert_eq!(told(&speaking(get(port, &kept)).send().await), passed(), "{version}");
        assert_eq!(last_path(&api), kept, "{version}");
        // Where no rule looks for it, it is no credential and nobody's business.
        let elsewhere = format!("/jwt?access_token={good}");
        assert_eq!(told(&speaking(get(port, &elsewhere)).send().await), refused(401, "access_token_required"));
    }
    assert!(!api.envoy.log().contains(&good), "a token in the log");
}

// B17
#[tokio::test(flavor = "multi_thread")]
async fn the_field_or_cookie_that_carried_the_token_goes_no_further() {
    let api = api().await;
    let (port, good) = (api.envoy.port, api.idp.access_token(|_| {}));
    for (version, speaking) in VERSIONS {
        let cookie = get(port, "/cookie").header("cookie", format!("a=1; token={good}; b=2"));
        assert_eq!(told(&speaking(cookie).send().await), passed(), "{version}");
        assert_eq!(values(&api.upstream.seen().pop().unwrap(), "cookie"), ["a=1; b=2"], "{version}");
        // RFC 9113 §8.2.3: one line for each.
        let crumbs = get(port, "/cookie").header("cookie", "a=1").header("cookie", format!("token={good}"));
        assert_eq!(told(&speaking(crumbs.header("cookie", "b=2")).send().await), passed(), "{version}");
        let rest = values(&api.upstream.seen().pop().unwrap(), "cookie").join("; ");
        assert_eq!(rest, "a=1; b=2", "{version}");
        let alone = get(port, "/cookie").header("cookie", format!("token={good}"));
        assert_eq!(told(&speaking(alone).send().await), passed(), "{version}");
        assert_eq!(values(&api.upstream.seen().pop().unwrap(), "cookie"), Vec::<&str>::new(), "{version}");
        let field = get(port, "/field").header("X-Token", &good).header("authorization", "Basic eDp5");
        assert_eq!(told(&speaking(field).send().await), passed(), "{version}");
        let seen = api.upstream.seen().pop().unwrap();
        assert_eq!(
            (values(&seen, "x-token"), values(&seen, "authorization")),
            (vec![], vec!["Basic eDp5"]),
            "{version}"
        );
        let kept = with_token(port, "/kept", &good);
        assert_eq!(told(&speaking(kept).send().await), passed(), "{version}");
        let line = format!("Bearer {good}");
        assert_eq!(values(&api.upstream.seen().pop().unwrap(), "authorization"), [line], "{version}");
    }
}

// B04, B05, B17: RFC 6750 §2.2.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_form_is_cut_out_of_it() {
    let api = api_with(|setup| setup.bodies_at("/form")).await;
    let (port, good) = (api.envoy.port, api.idp.access_token(|_| {}));
    let form = "application/x-www-form-urlencoded";
    let filled = format!("a=1&access_token={good}&b=%zz");
    for (version, speaking) in VERSIONS {
        let whole = ask("POST", port, "/form").header("content-type", form).body(filled.clone());
        let (first, second) = filled.split_at(20);
        let chunks = [first.as_bytes(), second.as_bytes()];
        let chunked = ask("POST", port, "/form").header("content-type", form).chunks(&chunks);
        for ask in [whole, chunked] {
            let answer = speaking(ask).send().await;
            assert_eq!(told(&answer), passed(), "{version}");
            let told = answer.json();
            assert_eq!((&told["body"], &told["body_length"]), (&json!("a=1&b=%zz"), &json!(9)), "{version} {told}");
            let seen = api.upstream.seen().pop().unwrap();
            assert_eq!(values(&seen, "content-length"), ["9"], "{version}");
            assert_eq!(values(&seen, "transfer-encoding"), Vec::<&str>::new(), "{version}");
        }
        let alone = ask("POST", port, "/form").form(&[("access_token", &good)]);
        let answer = speaking(alone).send().await;
        assert_eq!((answer.status, &answer.json()["body_length"]), (200, &json!(0)), "{version}");
        let both = ask("POST", port, "/form").header("authorization", format!("Bearer {good}"));
        let answer = speaking(both.form(&[("access_token", &good)])).send().await;
        assert_eq!(told(&answer), refused(400, "credential_repeated"), "{version}");
        let other = ask("POST", port, "/form").header("content-type", "text/plain").body(filled.clone());
        assert_eq!(told(&speaking(other).send().await), refused(401, "access_token_required"), "{version}");
        let large = ask("POST", port, "/form").header("content-type", form).body(vec![b'a'; 100_000]);
        assert_eq!(told(&speaking(large).send().await), refused(413, "body_too_large"), "{version}");
        // Where the instance cannot read bodies, it says so.
        let unreadable = ask("POST", port, "/form/b").form(&[("access_token", &good)]);
        assert_eq!(told(&speaking(unreadable).send().await), refused(501, "body_unreadable"), "{version}");
        let header = ask("POST", port, "/form").header("authorization", format!("Bearer {good}"));
        let answer = speaking(header.form(&[("a", "1")])).send().await;
        assert_eq!((answer.status, &answer.json()["body"]), (200, &json!("a=1")), "{version}");
    }
}

// B11
#[tokio::test(flavor = "multi_thread")]
async fn large_tokens_are_refused_and_cost_nothing() {
    let api = api().await;
    let (port, good) = (api.envoy.port, api.idp.access_token(|_| {}));
    let asked = api.idp.calls().len();
    for (version, speaking) in VERSIONS {
        let megabyte = speaking(with_token(port, "/jwt", &"a".repeat(1_000_000))).try_send().await;
        // Over HTTP/2 the host may also end the stream.
        assert!(megabyte.as_ref().is_ok_and(|answer| answer.status == 431) || megabyte.is_err(), "{version}");
        let large = speaking(with_token(port, "/jwt", &"a".repeat(50_000))).send().await;
        assert_eq!(told(&large), refused(401, "access_token_malformed"), "{version}");
        let (head, rest) = good.split_once('.').unwrap();
        let padded = format!("{head}.{}{rest}", "A".repeat(40_000));
        assert_eq!(told(&speaking(with_token(port, "/jwt", &padded)).send().await).0, 401, "{version}");
        assert_eq!(told(&speaking(with_token(port, "/jwt", &good)).send().await), passed(), "{version}");
    }
    assert!(api.idp.calls().len() <= asked + 2, "no question for what is no token");
}

// W06: what the filter answers itself ends one request of a connection, and none beside it, whichever is first.
#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_connection_fail_each_for_itself() {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    let good = idp.access_token(|_| {});
    let api = api::open(idp, |_| {}, |setup| setup).await;
    let port = api.envoy.port;
    let asks = (0..60).map(|number| match number % 3 {
        0 => get(port, "/jwt"),
        1 => with_token(port, "/jwt", &good),
        _ => with_token(port, "/jwt", "no.token.atall"),
    });
    let answers = over_one_connection(asks.collect()).await;
    for (number, answer) in answers.iter().enumerate() {
        let expected = match number % 3 {
            0 => refused(401, "access_token_required"),
            1 => passed(),
            _ => refused(401, "access_token_malformed"),
        };
        assert_eq!(told(answer), expected, "{number}");
    }
}

// B13 (CVE-2025-64527)
#[tokio::test(flavor = "multi_thread")]
async fn many_bad_tokens_while_the_keys_are_away() {
    let (first, stranger) = (Signer::es256("first"), Signer::es256("another"));
    let idp = Hostile::start_with(first.clone()).await;
    let good = idp.access_token(|_| {});
    idp.sign_with(stranger);
    let bad = idp.access_token(|_| {});
    idp.sign_with(first);
    idp.play(Endpoint::Jwks, Trick::Reset);
    let api = api::open(idp, |_| {}, |setup| setup).await;
    let port = api.envoy.port;
    let tokens: Vec<_> = (0..40).map(|number| if number % 2 == 0 { bad.clone() } else { good.clone() }).collect();
    let requests: Vec<_> = tokens
        .into_iter()
        .map(|token| tokio::spawn(async move { told(&with_token(port, "/jwt", &token).http2().send().await) }))
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), refused(503, "jwks_unavailable"));
    }
    let calls = api.idp.count(Endpoint::Jwks);
    assert!(calls <= 6, "{calls} calls for two workers and the main thread");
    api.idp.repent();
    let since = Instant::now();
    while verdict(port, "/jwt", &good).await != passed() {
        assert!(since.elapsed() < Duration::from_secs(6), "the keys are not found again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(verdict(port, "/jwt", &bad).await, refused(401, "access_token_key_unknown"));
}

/// The metadata of the resource, whatever Host says. B20: RFC 9728 §3.
#[tokio::test(flavor = "multi_thread")]
async fn clients_find_the_provider_by_themselves() {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    let named = |filter: &mut Value| filter["defaults"]["token"]["resource"] = json!("https://api.example.com");
    let api = api::open(idp, named, |setup| setup).await;
    let path = "/.well-known/oauth-protected-resource";
    let challenge = get(api.envoy.port, "/jwt").send().await;
    let expected = format!(r#"resource_metadata="https://api.example.com{path}""#);
    assert!(challenge.header("www-authenticate").unwrap().contains(&expected), "{challenge:?}");
    for (version, speaking) in VERSIONS {
        let answer = speaking(get(api.envoy.port, path)).send().await;
        assert_eq!((answer.status, answer.header(REASON)), (200, Some("resource_metadata")), "{version}");
        let document = answer.json();
        assert_eq!(document["resource"], "https://api.example.com", "{version}");
        assert_eq!(document["authorization_servers"], json!([api.idp.issuer()]), "{version}");
        let posted = speaking(ask("POST", api.envoy.port, path)).send().await;
        assert_eq!(told(&posted), refused(405, "method_not_allowed"), "{version}");
    }
}
