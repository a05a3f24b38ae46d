//! Bodies, trailers and streams: held back whole until the verdict, and left alone after it.

use std::time::Duration;

use http_body_util::BodyExt;
use integration_tests::client::{Ask, ask, echo_over_upgrade, get, raw};
use integration_tests::hostile::{Endpoint, Hostile, Trick};
use integration_tests::person::Person;
use integration_tests::shop::{CALLBACK, Shop, cookie_line, reason, until, values};
use integration_tests::signer::Signer;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Longer than anything takes that waits for nothing.
const PAUSE: Duration = Duration::from_millis(700);

/// A shop whose callback is a form that goes on to the service after the login.
async fn shop_with_forms() -> Shop {
    let forms = |filter: &mut Value| {
        filter["providers"]["main"]["response_mode"] = json!("form_post");
        filter["defaults"]["login"]["action"] = json!("upstream");
    };
    let shop = Shop::open_with(forms, |setup| setup.bodies_at(CALLBACK)).await;
    // What a login needs beside the token endpoint is there.
    until(|| shop.idp.count(Endpoint::Jwks) == 1).await;
    shop
}

/// A form as it arrives at the callback, in one of the ways that HTTP has for it.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Whole,
    Chunks,
    Trailers,
    Http2,
    Http2Trailers,
}

const SHAPES: [Shape; 5] = [Shape::Whole, Shape::Chunks, Shape::Trailers, Shape::Http2, Shape::Http2Trailers];

async fn callback(shop: &Shop, shape: Shape) -> (Ask, usize) {
    let mut person = Person::new();
    let fields = shop.halfway(&mut person).await;
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let (first, second) = form.as_bytes().split_at(form.len() / 2);
    let ask = shop.ask_as(&person, "POST", CALLBACK).header("content-type", "application/x-www-form-urlencoded");
    let ask = match shape {
        Shape::Whole => ask.body(form.clone()),
        Shape::Chunks => ask.chunks(&[first, second]),
        Shape::Trailers => ask.chunks(&[first, second]).trailer("x-checksum", "abc"),
        Shape::Http2 => ask.body(form.clone()).http2(),
        Shape::Http2Trailers => ask.chunks(&[first, second]).trailer("x-checksum", "abc").http2(),
    };
    (ask, form.len())
}

// W13
#[tokio::test(flavor = "multi_thread")]
async fn the_service_sees_nothing_of_a_post_before_the_verdict() {
    let shop = shop_with_forms().await;
    shop.idp.play(Endpoint::Token, Trick::Late(2 * PAUSE));
    for (done, shape) in SHAPES.into_iter().enumerate() {
        let (ask, length) = callback(&shop, shape).await;
        let answer = tokio::spawn(ask.send());
        shop.asked(Endpoint::Token, done + 1).await;
        tokio::time::sleep(PAUSE).await;
        assert_eq!(shop.upstream.seen().len(), done, "{shape:?}: the verdict is still out");
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 200, "{shape:?} {:?}", reason(&answer));
        assert_eq!(answer.json()["body_length"], length, "{shape:?}");
        assert!(!answer.all("set-cookie").is_empty(), "{shape:?}");
        let seen = shop.upstream.seen();
        assert_eq!((seen.len(), values(&seen[done], "x-user")), (done + 1, vec!["demo"]), "{shape:?}");
    }
}

// H13: the twin, where the verdict is no.
#[tokio::test(flavor = "multi_thread")]
async fn the_service_sees_nothing_at_all_of_a_post_that_is_refused() {
    let shop = shop_with_forms().await;
    let refusal = r#"{"error":"invalid_grant"}"#;
    shop.idp.play(Endpoint::Token, Trick::Answer(400, "application/json", refusal.into()));
    for shape in SHAPES {
        let answer = callback(&shop, shape).await.0.send().await;
        assert_eq!((answer.status, reason(&answer)), (400, Some("token_refused")), "{shape:?}");
    }
    assert!(shop.upstream.seen().is_empty());
}

// C18, E05
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_larger_than_any_is_refused_before_it_is_whole() {
    let shop = shop_with_forms().await;
    for size in [40_000, 100_000, 10_000_000] {
        let mut person = Person::new();
        shop.halfway(&mut person).await;
        let ask = shop.ask_as(&person, "POST", CALLBACK).header("content-type", "application/x-www-form-urlencoded");
        // Envoy may close a connection on which a body still comes.
        if let Ok(answer) = ask.body(vec![b'a'; size]).try_send().await {
            assert_eq!(answer.status, 413, "{size}");
        }
    }
    assert!(shop.upstream.seen().is_empty());
    assert_eq!(shop.idp.count(Endpoint::Token), 0);
    assert_eq!(callback(&shop, Shape::Whole).await.0.send().await.status, 200);
}

// O07: a page load that waits for discovery, with a body that nobody asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_waits_outside_while_the_gate_waits() {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    idp.play(Endpoint::Discovery, Trick::Late(2 * PAUSE));
    let shop = Shop::open_at(idp, |_| {}, |setup| setup).await;
    let load = || ask("GET", shop.envoy.port, "/page").header("accept", "text/html");
    let waiting = [
        tokio::spawn(load().body("body").send()),
        tokio::spawn(load().chunks(&[b"one", b"two"]).trailer("x-checksum", "abc").send()),
        tokio::spawn(load().chunks(&[b"one", b"two"]).trailer("x-checksum", "abc").http2().send()),
    ];
    for answer in waiting {
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, reason(&answer)), (303, Some("login_started")));
    }
    assert!(shop.upstream.seen().is_empty());
}

// W14
#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_with_a_session_arrives_whole() {
    let touched = |filter: &mut Value| filter["session"]["touch"] = json!("1s");
    let shop = Shop::open_with(touched, |setup| setup).await;
    let customer = shop.customer().await;
    let upload = || shop.ask_as(&customer, "POST", "/upload").body(vec![b'x'; 5_000_000]);
    // At once, where one of the workers has not seen the session; then where its use is to be written down.
    for pause in [Duration::ZERO, Duration::from_secs(2)] {
        tokio::time::sleep(pause).await;
        for ask in [upload(), upload().http2(), upload(), upload().http2()] {
            let answer = ask.send().await;
            assert_eq!((answer.status, &answer.json()["body_length"]), (200, &json!(5_000_000)));
        }
    }
    let refused = ask("POST", shop.envoy.port, "/upload").body(vec![b'x'; 5_000_000]).try_send().await;
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status == 401));
    assert_eq!(shop.upstream.seen().iter().filter(|seen| seen.path == "/upload").count(), 8);
}

// H01
#[tokio::test(flavor = "multi_thread")]
async fn trailers_claim_no_identity_either() {
    let shop = shop_over_http2().await;
    let customer = shop.customer().await;
    let cookies = cookie_line(&customer);
    for (path, cookies) in [("/public", ""), ("/maybe", ""), ("/maybe", cookies.as_str()), ("/page", cookies.as_str())]
    {
        let post = || {
            let ask = ask("POST", shop.envoy.port, path).header("cookie", cookies).chunks(&[b"one", b"two"]);
            let ask = ask.trailer("x-user", "boss").trailer("x_user", "boss").trailer("x-groups", "admin");
            ask.trailer("x-checksum", "abc")
        };
        for ask in [post(), post().http2()] {
            let answer = ask.send().await;
            assert_eq!((answer.status, &answer.json()["trailers"]), (200, &json!([["x-checksum", "abc"]])), "{path}");
        }
    }
}

async fn shop_over_http2() -> Shop {
    Shop::open_with(|_| {}, |setup| setup.speaking_http2().without_envoys_cleaning()).await
}

// W15
#[tokio::test(flavor = "multi_thread")]
async fn streams_pass_with_a_session_and_where_none_is_needed() {
    let shop = Shop::open().await;
    let customer = shop.customer().await;
    let cookies = cookie_line(&customer);
    for (prefix, cookies) in [("/public", ""), ("", cookies.as_str())] {
        let at = |path: &str| get(shop.envoy.port, &format!("{prefix}{path}")).header("cookie", cookies);
        let events = at("/events").header("accept", "text/event-stream").send().await;
        assert_eq!((events.status, events.text().as_str()), (200, "data: 1\n\ndata: 2\n\ndata: 3\n\n"));
        let socket = at("/socket").header("connection", "upgrade").header("upgrade", "websocket");
        let response = socket.open().await.unwrap();
        assert_eq!(response.status(), 101);
        assert_eq!(echo_over_upgrade(response, b"ping").await.unwrap(), b"ping");
    }
    // B18: nobody is let in first and judged later.
    let reached = shop.upstream.seen().len();
    let socket = get(shop.envoy.port, "/socket").header("connection", "upgrade").header("upgrade", "websocket");
    let refused = socket.send().await;
    assert_eq!((refused.status, reason(&refused)), (401, Some("login_required")));
    let events = get(shop.envoy.port, "/events").header("accept", "text/event-stream").send().await;
    assert_eq!(events.status, 401);
    assert_eq!(shop.upstream.seen().len(), reached);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_stream_passes_with_a_session_and_where_none_is_needed() {
    let shop = shop_over_http2().await;
    let customer = shop.customer().await;
    let call = |path: &str, cookies: &str| {
        let call = ask("POST", shop.envoy.port, path).http2().header("content-type", "application/grpc");
        call.header("te", "trailers").header("cookie", cookies)
    };
    for (path, cookies) in [("/public/pkg.Service/Talk", String::new()), ("/pkg.Service/Talk", cookie_line(&customer))]
    {
        let (sender, response) = call(path, &cookies).open_with().await.unwrap();
        let mut body = response.into_body();
        for word in ["first", "second"] {
            sender.send(word.into()).unwrap();
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), word);
        }
        drop(sender);
        assert_eq!(body.frame().await.unwrap().unwrap().into_trailers().unwrap()["grpc-status"], "0");
    }
    let reached = shop.upstream.seen().len();
    let (_sender, refused) = call("/pkg.Service/Talk", "").open_with().await.unwrap();
    // Envoy tells a gRPC client in its own way: 16 is UNAUTHENTICATED.
    let status = refused.headers().get("grpc-status").map(|status| status.as_bytes().to_vec());
    assert!(refused.status() == 401 || status.as_deref() == Some(b"16"), "{refused:?}");
    assert_eq!(shop.upstream.seen().len(), reached);
}

// W05, V08: gone at each point where a request waits; the answer that comes too late is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_while_it_waits_hurts_nobody() {
    let forms = |filter: &mut Value| {
        filter["providers"]["main"]["response_mode"] = json!("form_post");
        filter["defaults"]["login"]["userinfo"] = json!(true);
    };
    let idp = Hostile::start_with(Signer::es256("first")).await;
    idp.play(Endpoint::Discovery, Trick::Late(PAUSE));
    let shop = Shop::open_at(idp, forms, |setup| setup.bodies_at(CALLBACK)).await;
    let load = format!("GET /page HTTP/1.1\r\nhost: localhost:{}\r\naccept: text/html\r\n\r\n", shop.envoy.port);
    for _ in 0..8 {
        leave_after(&shop, load.as_bytes(), PAUSE / 4).await;
    }
    tokio::time::sleep(PAUSE).await;
    for endpoint in [Endpoint::Token, Endpoint::Jwks, Endpoint::Userinfo] {
        shop.idp.play(endpoint, Trick::Late(PAUSE));
        for _ in 0..4 {
            let form = callback_bytes(&shop).await;
            leave_after(&shop, &form, PAUSE / 4).await;
        }
        // Half a form, for which the filter itself waits.
        let form = callback_bytes(&shop).await;
        leave_after(&shop, &form[..form.len() - 20], PAUSE / 4).await;
        tokio::time::sleep(2 * PAUSE).await;
        shop.idp.repent();
        let (ask, _) = callback(&shop, Shape::Whole).await;
        let answer = ask.send().await;
        assert_eq!((answer.status, reason(&answer)), (303, Some("login_done")), "{endpoint:?}");
    }
    assert!(shop.upstream.seen().is_empty());
}

async fn callback_bytes(shop: &Shop) -> Vec<u8> {
    let mut person = Person::new();
    let fields = shop.halfway(&mut person).await;
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let head = format!(
        "POST {CALLBACK} HTTP/1.1\r\nhost: localhost:{}\r\ncookie: {}\r\ncontent-length: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n{form}",
        shop.envoy.port,
        cookie_line(&person),
        form.len()
    );
    head.into_bytes()
}

async fn leave_after(shop: &Shop, bytes: &[u8], patience: Duration) {
    let mut stream = TcpStream::connect(("127.0.0.1", shop.envoy.port)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    tokio::time::sleep(patience).await;
}

// W07
#[tokio::test(flavor = "multi_thread")]
async fn old_and_careful_clients_get_an_answer() {
    let shop = Shop::open_with(|_| {}, |setup| setup.with_http10()).await;
    let answer = raw(shop.envoy.port, b"GET /page HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with(b"HTTP/1.1 4") || answer.starts_with(b"HTTP/1.0 4"), "{:?}", text(&answer));
    let head = format!("GET /public HTTP/1.0\r\nhost: localhost:{}\r\n\r\n", shop.envoy.port);
    let answer = raw(shop.envoy.port, head.as_bytes()).await;
    assert!(text(&answer).contains(" 200 "), "{:?}", text(&answer));

    let careful = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost:{}\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\
             connection: close\r\n\r\n",
            shop.envoy.port
        )
    };
    let refused = text(&raw(shop.envoy.port, careful("/page").as_bytes()).await);
    assert!(refused.contains("HTTP/1.1 401") && refused.contains("login_required"), "{refused}");
    let sent = format!("{}body", careful("/public"));
    let passed = text(&raw(shop.envoy.port, sent.as_bytes()).await);
    assert!(passed.contains("HTTP/1.1 200"), "{passed}");
    let reached: Vec<_> = shop.upstream.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(reached, ["/public", "/public"]);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
